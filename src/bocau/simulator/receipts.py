"""How the carrier writes a receipt: the same news in several forms (SMPP 3.4, appendix B and 5.3.2)."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from bocau.simulator.rules import Form, IdStyle, ReceiptDue
from bocau.wire.smpp.pdu import DeliverSm, SubmitSm
from bocau.wire.smpp.receipt import Receipt, receipt_text, receipt_tlvs
from bocau.wire.smpp.tlv import Tag, find_tlv

__all__ = ["News", "date_stamp", "write_id", "write_receipt"]

_RECEIPT_CLASS: Final = 0x04
_MINUTE_MS: Final = 60_000


class News(NamedTuple):
    """What a receipt is about."""

    submit: SubmitSm
    message_id: str
    """As the answer had it, in decimal."""
    text: str
    submitted: str
    """When it was taken, YYMMDDhhmm."""


def date_stamp(now_ms: int) -> str:
    """A moment as receipts write it: YYMMDDhhmm, here in UTC."""
    return datetime.fromtimestamp(now_ms // _MINUTE_MS * 60, UTC).strftime("%y%m%d%H%M")


def write_receipt(news: News, due: ReceiptDue, done: str) -> DeliverSm:
    """The deliver_sm that says how a message fared; it goes from the message's receiver to its sender."""
    submit, number, text, submitted = news
    message_id = write_id(number, due.id_style)
    receipt = Receipt(message_id, due.state, due.error, done, submitted, due.word)
    form = due.form
    short = b""
    if form is Form.ODD:
        short = _odd_text(receipt).encode("ascii")
    elif form is not Form.PARAMETERS:
        short = receipt_text(receipt, text).encode("ascii", "replace")
    tlvs = receipt_tlvs(receipt) if form in (Form.BOTH, Form.PARAMETERS) else ()
    reference = find_tlv(submit.tlvs, Tag.USER_MESSAGE_REFERENCE) if due.echo else None
    if reference is not None:
        tlvs = (*tlvs, (int(Tag.USER_MESSAGE_REFERENCE), reference))
    phone = _neighbour(submit.destination_addr) if due.astray else submit.destination_addr
    receiver = (submit.dest_addr_ton, submit.dest_addr_npi, phone)
    sender = (submit.source_addr_ton, submit.source_addr_npi, submit.source_addr)
    return DeliverSm(
        "",
        *(sender if due.unswapped else receiver),
        *(receiver if due.unswapped else sender),
        _RECEIPT_CLASS,
        0,
        0,
        "",
        "",
        0,
        0,
        0,
        0,
        short,
        (*tlvs, *due.tlvs),
    )


def write_id(number: str, style: IdStyle) -> str:
    """A message id, given in decimal, as the carrier writes it."""
    return _STYLES[style](int(number))


_STYLES: Final[Mapping[IdStyle, Callable[[int], str]]] = {
    IdStyle.DECIMAL: str,
    IdStyle.PADDED: lambda number: format(number, "020d"),
    IdStyle.HEX: lambda number: format(number, "x"),
    IdStyle.UPPER_HEX: lambda number: format(number, "X"),
    IdStyle.PADDED_HEX: lambda number: format(number, "016X"),
    IdStyle.NONE: lambda _: "",
}


def _neighbour(phone: str) -> str:
    """The number next to it."""
    return phone[:-1] + str((int(phone[-1]) + 1) % 10)


def _odd_text(receipt: Receipt) -> str:
    """As no two carriers write it, and each as if it were the only way."""
    return (
        f"Status={receipt.stat or receipt.state.name}; MsgID={receipt.message_id}; Error = {receipt.error}; "
        f"Done-Date={receipt.done}; Submit_Date={receipt.submitted}"
    )
