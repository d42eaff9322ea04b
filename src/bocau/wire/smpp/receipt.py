"""Delivery receipts: a deliver_sm or data_sm becomes one value, whatever dialect its carrier speaks.

SMPP 3.4 (appendix B) gives the text form only as an example, so carriers differ in the order, case, spelling and
presence of its keys. The optional parameters of section 5.3.2 (receipted_message_id, message_state,
network_error_code) are read first, where a carrier sends them.
"""

import re
from enum import StrEnum
from typing import Final, NamedTuple

from bocau.wire.smpp.pdu import DataSm, DeliverSm, Tlvs
from bocau.wire.smpp.tlv import Tag, make_tlv

__all__ = ["Receipt", "ReceiptState", "parse_receipt_text", "read_receipt", "receipt_text", "receipt_tlvs"]


class ReceiptState(StrEnum):
    """What a receipt says. The value is the word of SMPP 3.4, appendix B."""

    DELIVERED = "DELIVRD"
    UNDELIVERED = "UNDELIV"
    EXPIRED = "EXPIRED"
    DELETED = "DELETED"
    ACCEPTED = "ACCEPTD"
    ENROUTE = "ENROUTE"
    UNKNOWN = "UNKNOWN"
    REJECTED = "REJECTD"


class Receipt(NamedTuple):
    """One receipt.

    `message_id` is the carrier's id as it wrote it, "" when it gave none; `text_id` is the id of the text where that
    differs from the parameter's (promises 4.3). `error` is the carrier's code as written, or `<network>:<code>` in
    decimal from network_error_code. `done` and `submitted` are the carrier's dates as written, usually YYMMDDhhmm or
    YYMMDDhhmmss in a time zone that is not stated. `stat` is the raw word that `state` was read from.
    """

    message_id: str
    state: ReceiptState
    error: str = ""
    done: str = ""
    submitted: str = ""
    stat: str = ""
    text_id: str = ""


_S = ReceiptState
_WORDS: Final[dict[str, ReceiptState]] = {
    **{state.value: state for state in ReceiptState},
    "DELIVERED": _S.DELIVERED,
    "DELIVERD": _S.DELIVERED,
    "DELIVERY": _S.DELIVERED,
    "DELIVERY_SUCCESS": _S.DELIVERED,
    "DELIV": _S.DELIVERED,
    "DELVRD": _S.DELIVERED,
    "DLVRD": _S.DELIVERED,
    "SUCCESS": _S.DELIVERED,
    "READ": _S.DELIVERED,
    "UNDELIVERED": _S.UNDELIVERED,
    "UNDELIVERABLE": _S.UNDELIVERED,
    "UNDELIVRD": _S.UNDELIVERED,
    "UNDELIVERD": _S.UNDELIVERED,
    "UNDLVRD": _S.UNDELIVERED,
    "NOT_DELIVERED": _S.UNDELIVERED,
    "NOTDELIVERED": _S.UNDELIVERED,
    "FAILED": _S.UNDELIVERED,
    "FAIL": _S.UNDELIVERED,
    "FAILURE": _S.UNDELIVERED,
    "ERROR": _S.UNDELIVERED,
    "ABSENT": _S.UNDELIVERED,
    "NOROUTES": _S.UNDELIVERED,
    "NOCREDIT": _S.REJECTED,
    "EXPIRD": _S.EXPIRED,
    "EXPRD": _S.EXPIRED,
    "DELETD": _S.DELETED,
    "CANCELLED": _S.DELETED,
    "CANCELED": _S.DELETED,
    "ACCEPTED": _S.ACCEPTED,
    "ACCEPT": _S.ACCEPTED,
    "ACK": _S.ACCEPTED,
    "SUBMITTED": _S.ACCEPTED,
    "ACKED": _S.ACCEPTED,
    "EN_ROUTE": _S.ENROUTE,
    "ENROUTED": _S.ENROUTE,
    "BUFFERED": _S.ENROUTE,
    "BUFFERD": _S.ENROUTE,
    "PENDING": _S.ENROUTE,
    "QUEUED": _S.ENROUTE,
    "SCHEDULED": _S.ENROUTE,
    "SENT": _S.ENROUTE,
    "RETRY": _S.ENROUTE,
    "UNKNOWN": _S.UNKNOWN,
    "UNKNOWNSTATE": _S.UNKNOWN,
    "REJECTED": _S.REJECTED,
    "REJECT": _S.REJECTED,
    "REJCTED": _S.REJECTED,
    "BLOCKED": _S.REJECTED,
    "BLACKLISTED": _S.REJECTED,
    "SPAM": _S.REJECTED,
    "BARRED": _S.REJECTED,
    "SKIPPED": _S.REJECTED,
}
# What a word that is not in the table holds; the first that it holds decides. What went wrong stands first, so that no
# DELIVERY_FAILED reads as delivered; then how far it went, so that no DELIVERED_TO_SMSC does.
_PARTS: Final[tuple[tuple[str, ReceiptState], ...]] = (
    ("REJ", _S.REJECTED),
    ("BLACK", _S.REJECTED),
    ("BLOCK", _S.REJECTED),
    ("EXPIR", _S.EXPIRED),
    ("UNDEL", _S.UNDELIVERED),
    ("FAIL", _S.UNDELIVERED),
    ("ERROR", _S.UNDELIVERED),
    ("IMPOSS", _S.UNDELIVERED),
    ("ABSENT", _S.UNDELIVERED),
    ("UNKNOWN_SUB", _S.UNDELIVERED),
    ("INVALID", _S.UNDELIVERED),
    ("NOT_DEL", _S.UNDELIVERED),
    ("DELET", _S.DELETED),
    ("CANCEL", _S.DELETED),
    ("PEND", _S.ENROUTE),
    ("WAIT", _S.ENROUTE),
    ("TO_SMSC", _S.ACCEPTED),
    ("TO_OPERATOR", _S.ACCEPTED),
    ("TO_NETWORK", _S.ACCEPTED),
    ("TO_GATEWAY", _S.ACCEPTED),
    ("DELIV", _S.DELIVERED),
    ("ACCEP", _S.ACCEPTED),
)
# message_state, SMPP 3.4, 5.2.28; 0 and 9 are SMPP 5.0's scheduled and skipped.
_STATES: Final[dict[int, ReceiptState]] = {
    0: _S.ENROUTE,
    1: _S.ENROUTE,
    2: _S.DELIVERED,
    3: _S.EXPIRED,
    4: _S.DELETED,
    5: _S.UNDELIVERED,
    6: _S.ACCEPTED,
    7: _S.UNKNOWN,
    8: _S.REJECTED,
    9: _S.REJECTED,
}
_NUMBERS: Final[dict[ReceiptState, int]] = {state: number for number, state in _STATES.items() if 1 <= number <= 8}
_NUMERALS: Final[dict[str, ReceiptState]] = {str(number): state for number, state in _STATES.items()}

# A receipt is short; what is longer is some other text, and reading it must not cost much.
_READ_AT_MOST: Final = 2048

# The form of appendix B and its nearest kin, at a fraction of the cost of the general way; minding the case is cheaper.
_PLAIN_FORM: Final = (
    r"id:([0-9A-Za-z_./+@#=-]+)(?: sub:[0-9]*)?(?: dlvrd:[0-9]*)? submit date:([0-9]*) done date:([0-9]*)"
    r" stat:([A-Z]+) err:([0-9A-Z]*)(?: [Tt]ext:.*)?"
)
_EXACT: Final = re.compile(_PLAIN_FORM, re.DOTALL)
_EXACT_ANY_CASE: Final = re.compile(_PLAIN_FORM, re.DOTALL | re.IGNORECASE)
_KEYS: Final[dict[str, str]] = {
    **dict.fromkeys(("id", "msgid", "messageid", "smsid"), "id"),
    **dict.fromkeys(("sub", "dlvrd", "dlvr", "dlv", "delivered"), "count"),
    **dict.fromkeys(("submitdate", "submittime", "submit", "submitted", "subdate", "sumbitdate"), "submitted"),
    **dict.fromkeys(("donedate", "donetime", "done", "doneon"), "done"),
    **dict.fromkeys(("stat", "status", "state", "messagestate", "messagestatus"), "stat"),
    **dict.fromkeys(("err", "error", "errcode", "errorcode"), "error"),
    **dict.fromkeys(("text", "txt"), "text"),
}
# Keys that are never the second word of another: most of them, so most are settled by one look.
_SINGLE: Final = frozenset({"sub", "dlvrd", "stat", "err", "text"})
_EDGES: Final = " \t\r\n\0,;|\"'[]{}<>"


def parse_receipt_text(text: str) -> Receipt | None:
    """Read the text of a receipt, or None when it has neither an id nor a state to offer.

    Keys may stand in any order, case and spelling, with ":" or "=", with or without spaces, and may be missing. What
    follows the `text` key is the customer's text and is looked at only when the rest does not hold both id and state.
    """
    exact = _EXACT.fullmatch(text) or _EXACT_ANY_CASE.fullmatch(text)
    if exact is not None:
        message_id, submitted, done, stat, error = exact.groups()
        state = _WORDS.get(stat) or _state(stat)
        # As Receipt(...), at half its cost.
        return tuple.__new__(Receipt, (message_id, state, error, done, submitted, stat, ""))
    values = _values(text[:_READ_AT_MOST])
    message_id, stat = _first_word(values.get("id", "")), _first_word(values.get("stat", ""))
    if not message_id and not stat:
        return None
    error = _first_word(values.get("error", ""))
    return Receipt(message_id, _state(stat), error, values.get("done", ""), values.get("submitted", ""), stat)


def _values(text: str) -> dict[str, str]:
    """Each key's value. Ahead of the customer's text the first mention of a key counts; behind its start the last."""
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    found = before
    for name, value in _entries(text):
        if name == "text":
            if "id" in before and "stat" in before:
                break
            found = after
        elif found is after or name not in before:
            found[name] = value
    return after | before


def _entries(text: str) -> list[tuple[str, str]]:
    """Cut at the colons: what stands before one ends in a key, and begins with the value of the key before."""
    equals, colon = text.find("="), text.find(":")
    if equals >= 0 and not 0 <= colon < equals:
        text = text.replace("=", ":")
    *pieces, last = text.replace(";", " ").replace(",", " ").replace("|", " ").split(":")
    entries = []
    name = value = ""
    for piece in pieces:
        words = piece.split()
        key, size = _key(words)
        if key:
            entries.append((name, f"{value}{' '.join(words[:-size])}".strip(_EDGES)))
            name, value = key, ""
        else:
            # A colon inside a value, as in a time of day.
            value += f"{' '.join(words)}:"
    entries.append((name, f"{value}{' '.join(last.split())}".strip(_EDGES)))
    return entries


def _key(words: list[str]) -> tuple[str, int]:
    """The key that the words before a colon end in, and of how many words it is made."""
    if not words:
        return "", 0
    last = words[-1].lower()
    if last in _SINGLE:
        return _KEYS[last], 1
    last = _plain(last)
    if len(words) > 1:
        key = _KEYS.get(_plain(words[-2]) + last)
        if key:
            return key, 2
    return _KEYS.get(last, ""), 1


def _plain(word: str) -> str:
    return word.strip(_EDGES).lower().replace("_", "").replace("-", "")


def _first_word(value: str) -> str:
    return value.split(None, 1)[0].strip(_EDGES) if value else ""


def _state(word: str) -> ReceiptState:
    word = word.upper().replace("-", "_").rstrip(".")
    state = _WORDS.get(word) or _NUMERALS.get(word.lstrip("0") or word[:1])
    if state is not None:
        return state
    return next((one for part, one in _PARTS if part in word), _S.UNKNOWN)


# esm_class, bits 5 to 2 (SMPP 3.4, 5.2.12): 1 is a delivery receipt, 8 an intermediate notification.
_TYPE_BITS: Final = 0x3C
_RECEIPT_TYPES: Final = frozenset({0x04, 0x20})
_UDH_BIT: Final = 0x40
_UCS2: Final = 8


def read_receipt(message: DeliverSm | DataSm, trust_text: bool = False) -> Receipt | None:
    """The receipt that a message of the carrier's is, or None when it is a text from a handset.

    It is a receipt when esm_class says so, or when it carries receipted_message_id together with message_state, which
    no handset can set. `trust_text` takes the text's form as proof too, for carriers that set neither: a handset can
    forge that. A receipt that cannot be read has an empty id and the state UNKNOWN.
    """
    tlvs = dict(message.tlvs)
    marked = message.esm_class & _TYPE_BITS in _RECEIPT_TYPES or (
        Tag.RECEIPTED_MESSAGE_ID in tlvs and Tag.MESSAGE_STATE in tlvs
    )
    if not marked and not trust_text:
        return None
    said = parse_receipt_text(_text(message, tlvs))
    if not marked and (said is None or not said.message_id or not said.stat):
        return None
    if said is None:
        said = Receipt("", _S.UNKNOWN)
    return _with_tlvs(said, tlvs) if tlvs else said


def _with_tlvs(said: Receipt, tlvs: dict[int, bytes]) -> Receipt:
    message_id, state, error, done, submitted, stat, text_id = said
    tlv_id = tlvs.get(Tag.RECEIPTED_MESSAGE_ID, b"").partition(b"\0")[0].decode("latin-1").strip()
    if tlv_id and tlv_id != message_id:
        message_id, text_id = tlv_id, message_id
    number = tlvs.get(Tag.MESSAGE_STATE)
    if number is not None:
        # The last octet: some carriers write the one octet of the specification as two or four.
        told = _STATES.get(number[-1], _S.UNKNOWN) if number else _S.UNKNOWN
        # A parameter that says nothing does not silence a text that does.
        if told is not _S.UNKNOWN or not stat:
            state = told
    if not error:
        error = _network_error(tlvs.get(Tag.NETWORK_ERROR_CODE))
    if message_id is said.message_id and state is said.state and error is said.error:
        return said
    return Receipt(message_id, state, error, done, submitted, stat, text_id)


def _network_error(data: bytes | None) -> str:
    if data is None or len(data) != 3:
        return ""
    return f"{data[0]}:{int.from_bytes(data[1:], 'big')}"


def _text(message: DeliverSm | DataSm, tlvs: dict[int, bytes]) -> str:
    data = message.short_message if isinstance(message, DeliverSm) else b""
    if not data:
        data = tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    if message.esm_class & _UDH_BIT and data:
        data = data[1 + data[0] :]
    # Some carriers set UCS-2 in data_coding and yet write plain text: UCS-2 of these words has a zero in every pair.
    if message.data_coding == _UCS2 and b"\0" in data[:2]:
        return data[: 2 * _READ_AT_MOST].decode("utf-16-be", "replace")
    return data.decode("latin-1")


def receipt_text(receipt: Receipt, text: str = "") -> str:
    """The text of a receipt in the form of SMPP 3.4, appendix B; `text` is the start of the customer's text.

    Reading it back gives the same receipt as long as its values hold no spaces or keys.
    """
    stat = receipt.stat or receipt.state.value
    delivered = "001" if receipt.state is ReceiptState.DELIVERED else "000"
    return (
        f"id:{receipt.message_id} sub:001 dlvrd:{delivered} submit date:{receipt.submitted} done date:{receipt.done} "
        f"stat:{stat} err:{receipt.error} text:{text[:20]}"
    )


def receipt_tlvs(receipt: Receipt) -> Tlvs:
    """receipted_message_id and message_state for a receipt. Raises FieldError for an id beyond 64 octets."""
    return (
        make_tlv(Tag.RECEIPTED_MESSAGE_ID, receipt.message_id),
        make_tlv(Tag.MESSAGE_STATE, _NUMBERS[receipt.state]),
    )
