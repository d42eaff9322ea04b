"""PDUs for an operator's eyes: as members for JSON, and without what must not be seen (promises S1).

Texts become asterisks of the same length, passwords too, and of phone numbers the middle is masked; what follows the
`text` key of a receipt is the customer's text and goes the same way. Ids, states, dates and vendors' parameters stay.
"""

from typing import Any, Final

from bocau.core.phone import mask
from bocau.deliver.trace import Seen
from bocau.wire.smpp.codec import HEADER_SIZE, decode, encode, octets_of
from bocau.wire.smpp.fields import LAYOUTS
from bocau.wire.smpp.pdu import COMMAND_NAMES, BadBody, Body, DataSm, DeliverSm, FieldError, Pdu, SubmitSm, Unknown
from bocau.wire.smpp.status import status_name
from bocau.wire.smpp.tlv import Tag, named_tlvs, plain_octets

__all__ = ["members", "octets", "redacted"]

_RECEIPT_BITS: Final = 0x3C
_UDH_BIT: Final = 0x40
_TEXT_KEY: Final = b"text:"
_PHONE_LEAST: Final = 7
_ADDRESSES: Final = ("source_addr", "destination_addr")
_HIDDEN_TAGS: Final = frozenset({Tag.MESSAGE_PAYLOAD, Tag.SOURCE_SUBADDRESS, Tag.DEST_SUBADDRESS, Tag.CALLBACK_NUM})
"""The text, and parameters that hold numbers."""


def members(seen: Seen, wall_ms: int, *, full: bool = False) -> dict[str, object]:
    """One PDU as JSON members; `wall_ms` is its moment on the wall clock. With `full`, nothing is hidden."""
    frame = seen.frame
    told: dict[str, object] = {
        "at_ms": wall_ms,
        "from": "us" if seen.ours else "carrier",
        "command": COMMAND_NAMES.get(frame.command, f"0x{frame.command:08x}"),
        "status": status_name(frame.status),
        "sequence": frame.sequence,
        "octets": HEADER_SIZE + len(frame.body),
    }
    try:
        pdu = decode(frame)
    except BadBody as bad:
        return {**told, "unreadable": str(bad)}
    if not full:
        pdu = redacted(pdu)
    if isinstance(pdu.body, Unknown):
        return told
    *values, tlvs = pdu.body
    names = [field.name for field in LAYOUTS[pdu.command].fields]
    shown = {name: _plain(value) for name, value in zip(names, values, strict=True) if value not in ("", b"")}
    if tlvs:
        shown["parameters"] = named_tlvs(tlvs)
    return {**told, **shown}


def octets(seen: Seen, *, full: bool = False) -> bytes:
    """One PDU as it passed, or of the same length with its secrets masked; a body that cannot be read is zeros then."""
    frame = seen.frame
    if not full:
        try:
            return encode(redacted(decode(frame)))
        except (BadBody, FieldError):
            frame = frame._replace(body=bytes(len(frame.body)))
    return octets_of(frame)


def redacted(pdu: Pdu) -> Pdu:
    """The same PDU with its secrets masked, as long as before."""
    body: Any = pdu.body
    if isinstance(body, Unknown):
        return pdu._replace(body=body._replace(data=bytes(len(body.data))))
    fields = body._fields
    changed: dict[str, object] = {name: _masked(getattr(body, name)) for name in _ADDRESSES if name in fields}
    if "password" in fields:
        changed["password"] = "*" * len(body.password)
    if isinstance(body, SubmitSm | DeliverSm):
        changed["short_message"] = _hidden(body.short_message, body)
    changed["tlvs"] = tuple((tag, _hidden(data, body) if tag in _HIDDEN_TAGS else data) for tag, data in body.tlvs)
    return pdu._replace(body=body._replace(**changed))


def _masked(address: str) -> str:
    digits = address.lstrip("+")
    return mask(address) if digits.isdigit() and len(digits) >= _PHONE_LEAST else address


def _hidden(data: bytes, body: Body) -> bytes:
    """Asterisks, but for a user data header, and for a receipt up to its customer's text."""
    keep = 0
    if isinstance(body, SubmitSm | DeliverSm | DataSm) and data:
        if body.esm_class & _UDH_BIT:
            keep = min(len(data), 1 + data[0])
        elif isinstance(body, DeliverSm | DataSm) and body.esm_class & _RECEIPT_BITS:
            found = data.lower().find(_TEXT_KEY)
            keep = len(data) if found < 0 else found + len(_TEXT_KEY)
    return data[:keep] + b"*" * (len(data) - keep)


def _plain(value: object) -> object:
    """Octets as text where they are, else hexadecimal."""
    if isinstance(value, bytes):
        return plain_octets(value)
    if isinstance(value, tuple):
        return [str(one) for one in value]
    return value
