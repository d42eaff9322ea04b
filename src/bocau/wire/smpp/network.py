"""What a carrier says of a subscriber's network, in a parameter or in the text of a receipt."""

import re
from typing import Final, NamedTuple

from bocau.wire.smpp.pdu import DataSm, DeliverSm
from bocau.wire.smpp.tlv import find_tlv, plain_octets

__all__ = ["NetworkField", "network_said"]

_PLMN_OCTETS: Final = 3
_FILLER: Final = 0xF


class NetworkField(NamedTuple):
    """Where the carrier names it."""

    tag: int | None
    """An optional parameter, or None."""
    word: re.Pattern[str] | None
    """A key of the receipt's text, or None."""

    @classmethod
    def of(cls, text: str) -> "NetworkField":
        """From the setting: a tag such as 0x1403, or a key such as mccmnc."""
        if text.lower().startswith("0x"):
            return cls(int(text, 16), None)
        return cls(None, re.compile(rf"(?<![A-Za-z0-9]){re.escape(text)}[:=] ?([A-Za-z0-9_-]{{1,32}})", re.IGNORECASE))


def network_said(message: DeliverSm | DataSm, field: NetworkField) -> str:
    """What stands there; empty if nothing does. Three octets that are no text are MCC and MNC as phones have them."""
    if field.tag is not None:
        value = find_tlv(message.tlvs, field.tag)
        if value is None:
            return ""
        told = plain_octets(value)
        return _plmn(value) if len(value) == _PLMN_OCTETS and told == value.hex() else told
    if field.word is None or not isinstance(message, DeliverSm):
        return ""
    found = field.word.search(message.short_message.decode("latin-1"))
    return found[1] if found else ""


def _plmn(octets: bytes) -> str:
    """MCC and MNC out of half octets (3GPP TS 24.008, 10.5.1.3)."""
    first, second, third = octets
    digits = [first & 15, first >> 4, second & 15, third & 15, third >> 4, second >> 4]
    return "".join(str(digit) for digit in digits if digit != _FILLER)
