"""How the carrier writes a receipt: the same news in several forms (SMPP 3.4, appendix B and 5.3.2)."""

from datetime import UTC, datetime
from typing import Final, NamedTuple

from bocau.simulator.rules import Form, ReceiptDue
from bocau.wire.smpp.pdu import DeliverSm, SubmitSm
from bocau.wire.smpp.receipt import Receipt, receipt_text, receipt_tlvs

__all__ = ["News", "date_stamp", "write_receipt"]

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
    submit, message_id, text, submitted = news
    if due.hexadecimal:
        message_id = format(int(message_id), "x")
    receipt = Receipt(message_id, due.state, due.error, done, submitted)
    form = due.form
    short = b""
    if form is Form.ODD:
        short = _odd_text(receipt).encode("ascii")
    elif form is not Form.PARAMETERS:
        short = receipt_text(receipt, text).encode("ascii", "replace")
    tlvs = receipt_tlvs(receipt) if form in (Form.BOTH, Form.PARAMETERS) else ()
    return DeliverSm(
        "",
        submit.dest_addr_ton,
        submit.dest_addr_npi,
        submit.destination_addr,
        submit.source_addr_ton,
        submit.source_addr_npi,
        submit.source_addr,
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
        tlvs,
    )


def _odd_text(receipt: Receipt) -> str:
    """As no two carriers write it, and each as if it were the only way."""
    return (
        f"Status={receipt.state.name}; MsgID={receipt.message_id}; Error = {receipt.error}; "
        f"Done-Date={receipt.done}; Submit_Date={receipt.submitted}"
    )
