"""How receipts are written, octet for octet, and that our own reader reads them."""

from pathlib import Path

import pytest
from tests.simulator.stage import sms

from bocau.simulator.receipts import News, date_stamp, write_receipt
from bocau.simulator.rules import Form, IdStyle, ReceiptDue
from bocau.wire.smpp.receipt import ReceiptState, read_receipt

_GOLDEN = Path(__file__).parent / "golden" / "receipts.txt"
_NEWS = News(sms(), "1763791200000001", "Mã của bạn là 123456", "2511220600")
_CASES = [
    *((form, ReceiptState.DELIVERED, IdStyle.DECIMAL) for form in Form),
    (Form.BOTH, ReceiptState.UNDELIVERED, IdStyle.DECIMAL),
    (Form.ODD, ReceiptState.EXPIRED, IdStyle.DECIMAL),
    *((Form.TEXT, ReceiptState.DELIVERED, style) for style in IdStyle if style is not IdStyle.DECIMAL),
]


def _lines(form: Form, state: ReceiptState, style: IdStyle) -> str:
    error = "000" if state is ReceiptState.DELIVERED else "001"
    message = write_receipt(_NEWS, ReceiptDue(state, 0.0, error, form, style), "2511220601")
    tlvs = "".join(f"\n  0x{tag:04X} {value!r}" for tag, value in message.tlvs)
    how = "" if style is IdStyle.DECIMAL else f", id {style.value}"
    return f"{form.value}, {state.value}{how}\n  {message.short_message!r}{tlvs}\n"


def test_receipts_are_written_as_in_the_golden_file() -> None:
    """Changing a form is a reviewed act."""
    assert "\n".join(_lines(*case) for case in _CASES) == _GOLDEN.read_text("utf-8")


@pytest.mark.parametrize("state", list(ReceiptState))
@pytest.mark.parametrize("form", list(Form))
def test_every_form_of_every_state_is_understood(form: Form, state: ReceiptState) -> None:
    """By the gateway's reader, which knows nothing of this writer."""
    receipt = read_receipt(write_receipt(_NEWS, ReceiptDue(state, 0.0, "001", form), "2511220601"))
    assert receipt is not None
    assert (receipt.message_id, receipt.state) == (_NEWS.message_id, state)


def test_dates_are_minutes_in_utc() -> None:
    """YYMMDDhhmm."""
    assert date_stamp(1_763_791_259_999) == "2511220600"
    assert date_stamp(1_763_791_260_000) == "2511220601"
