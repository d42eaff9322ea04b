"""Receipts in the dialects of the field (promises 4.2 to 4.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.smpp.pdu import DataSm, DeliverSm, Tlvs
from bocau.wire.smpp.receipt import (
    Receipt,
    ReceiptState,
    parse_receipt_text,
    read_receipt,
    receipt_text,
    receipt_tlvs,
)

S = ReceiptState
USUAL = "id:123 sub:001 dlvrd:001 submit date:2511221029 done date:2511221030 stat:DELIVRD err:000 text:Ma xac thuc"

# text, id, state, error, done
DIALECTS: list[tuple[str, str, ReceiptState, str, str]] = [
    (USUAL, "123", S.DELIVERED, "000", "2511221030"),
    (USUAL.replace("text", "Text"), "123", S.DELIVERED, "000", "2511221030"),
    (USUAL.upper(), "123", S.DELIVERED, "000", "2511221030"),
    (USUAL.lower(), "123", S.DELIVERED, "000", "2511221030"),
    (USUAL.replace("id:123", "Id:123"), "123", S.DELIVERED, "000", "2511221030"),
    (USUAL.partition(" text")[0], "123", S.DELIVERED, "000", "2511221030"),
    (USUAL.replace("sub:001 ", ""), "123", S.DELIVERED, "000", "2511221030"),
    (USUAL.replace("sub:001 dlvrd:001 ", ""), "123", S.DELIVERED, "000", "2511221030"),
    (USUAL.replace("sub:001", "sub:").replace("dlvrd:001", "dlvrd:"), "123", S.DELIVERED, "000", "2511221030"),
    (USUAL.replace("id:123", "id:4fa8c210"), "4fa8c210", S.DELIVERED, "000", "2511221030"),
    (USUAL.replace("id:123", "id:0x4FA8C210"), "0x4FA8C210", S.DELIVERED, "000", "2511221030"),
    (
        USUAL.replace("id:123", "id:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        S.DELIVERED,
        "000",
        "2511221030",
    ),
    (USUAL.replace("id:123", "id:000000123"), "000000123", S.DELIVERED, "000", "2511221030"),
    (USUAL.replace("id:123", "id:YWJj=="), "YWJj==", S.DELIVERED, "000", "2511221030"),
    (USUAL.replace("id:123", "id:10:20:3"), "10:20:3", S.DELIVERED, "000", "2511221030"),
    (USUAL.replace("2511221030", "251122103015"), "123", S.DELIVERED, "000", "251122103015"),
    (USUAL.replace("2511221030", "20251122103015"), "123", S.DELIVERED, "000", "20251122103015"),
    (USUAL.replace("2511221030", "2025-11-22 10:30:15"), "123", S.DELIVERED, "000", "2025-11-22 10:30:15"),
    (USUAL.replace("done date:2511221030 ", ""), "123", S.DELIVERED, "000", ""),
    (USUAL.replace("2511221030", ""), "123", S.DELIVERED, "000", ""),
    (USUAL.replace(":", ": "), "123", S.DELIVERED, "000", "2511221030"),
    (USUAL.replace(":", " : "), "123", S.DELIVERED, "000", "2511221030"),
    (USUAL.replace(" ", "  "), "123", S.DELIVERED, "000", "2511221030"),
    (USUAL.replace(":", "="), "123", S.DELIVERED, "000", "2511221030"),
    (
        "id:123;sub:001;dlvrd:001;submit date:2511221029;done date:2511221030;stat:DELIVRD;err:000",
        "123",
        S.DELIVERED,
        "000",
        "2511221030",
    ),
    ("id:123,stat:UNDELIV,err:34", "123", S.UNDELIVERED, "34", ""),
    ("id:123|stat:EXPIRED|err:1", "123", S.EXPIRED, "1", ""),
    ("stat:DELIVRD id:123", "123", S.DELIVERED, "", ""),
    ("err:0A1 stat:REJECTD done date:2511221030 submit date:2511221029 id:123", "123", S.REJECTED, "0A1", "2511221030"),
    ("id:123 submitdate:2511221029 donedate:2511221030 stat:DELIVRD err:000", "123", S.DELIVERED, "000", "2511221030"),
    ("id:123 submit_date:2511221029 done_date:2511221030 stat:DELIVRD error:7", "123", S.DELIVERED, "7", "2511221030"),
    ("message id:123 submit time:1 done time:2 status:Delivered error code:5", "123", S.DELIVERED, "5", "2"),
    ("msgid:123 state:FAILED errcode:99", "123", S.UNDELIVERED, "99", ""),
    ('"id":"123","stat":"DELIVRD","err":"000"', "123", S.DELIVERED, "000", ""),
    ("{'id': '123', 'stat': 'ACCEPTD'}", "123", S.ACCEPTED, "", ""),
    (USUAL.replace("DELIVRD", "DELIVERED"), "123", S.DELIVERED, "000", "2511221030"),
    (USUAL.replace("DELIVRD", "Delivrd."), "123", S.DELIVERED, "000", "2511221030"),
    (USUAL.replace("DELIVRD", "UNDELIVERABLE"), "123", S.UNDELIVERED, "000", "2511221030"),
    (USUAL.replace("DELIVRD", "UNDELIVXX"), "123", S.UNDELIVERED, "000", "2511221030"),
    (USUAL.replace("DELIVRD", "EXPIRED"), "123", S.EXPIRED, "000", "2511221030"),
    (USUAL.replace("DELIVRD", "DELETED"), "123", S.DELETED, "000", "2511221030"),
    (USUAL.replace("DELIVRD", "ACCEPTD"), "123", S.ACCEPTED, "000", "2511221030"),
    (USUAL.replace("DELIVRD", "ENROUTE"), "123", S.ENROUTE, "000", "2511221030"),
    (USUAL.replace("DELIVRD", "EN-ROUTE"), "123", S.ENROUTE, "000", "2511221030"),
    (USUAL.replace("DELIVRD", "BUFFERED"), "123", S.ENROUTE, "000", "2511221030"),
    (USUAL.replace("DELIVRD", "UNKNOWN"), "123", S.UNKNOWN, "000", "2511221030"),
    (USUAL.replace("DELIVRD", "REJECTD"), "123", S.REJECTED, "000", "2511221030"),
    (USUAL.replace("DELIVRD", "REJECTED"), "123", S.REJECTED, "000", "2511221030"),
    (USUAL.replace("DELIVRD", "ZORKED"), "123", S.UNKNOWN, "000", "2511221030"),
    (USUAL.replace("DELIVRD", ""), "123", S.UNKNOWN, "000", "2511221030"),
    (USUAL.replace("DELIVRD", "2"), "123", S.DELIVERED, "000", "2511221030"),
    (USUAL.replace("DELIVRD", "005"), "123", S.UNDELIVERED, "000", "2511221030"),
    (USUAL.replace("err:000", "err:"), "123", S.DELIVERED, "", "2511221030"),
    (USUAL.replace("err:000", "err:SYS-9"), "123", S.DELIVERED, "SYS-9", "2511221030"),
    (USUAL.replace("err:000 ", ""), "123", S.DELIVERED, "", "2511221030"),
    (USUAL.replace("id:123", "id:"), "", S.DELIVERED, "000", "2511221030"),
    (USUAL.replace("id:123 ", ""), "", S.DELIVERED, "000", "2511221030"),
    ("id:123", "123", S.UNKNOWN, "", ""),
    ("Receipt for you: id:123 stat:DELIVRD", "123", S.DELIVERED, "", ""),
    (USUAL + "\0", "123", S.DELIVERED, "000", "2511221030"),
    ("id:123\nsub:001\ndlvrd:001\nstat:DELIVRD\nerr:000\n", "123", S.DELIVERED, "000", ""),
    ("id:123\tstat:DELIVRD\terr:000", "123", S.DELIVERED, "000", ""),
]


@pytest.mark.parametrize(("text", "message_id", "state", "error", "done"), DIALECTS, ids=[d[0][:40] for d in DIALECTS])
def test_a_dialect_is_understood(text: str, message_id: str, state: ReceiptState, error: str, done: str) -> None:
    """The id, the state, the error and the date come out, however they are written."""
    said = parse_receipt_text(text)
    assert said is not None
    assert (said.message_id, said.state, said.error, said.done) == (message_id, state, error, done)


def test_there_are_enough_dialects() -> None:
    """At least forty odd ones."""
    assert len(DIALECTS) > 40


@pytest.mark.parametrize("text", ["", "hello", "HUY", "sub:001 dlvrd:001", "text:id", ":::", "=", "id", "stat"])
def test_a_text_that_is_no_receipt_is_none(text: str) -> None:
    """Without an id and a state there is nothing to say."""
    assert parse_receipt_text(text) is None


def test_the_customer_s_text_cannot_forge_the_receipt_that_quotes_it() -> None:
    """What follows `text:` counts for nothing when the rest is whole; when it comes first, what follows it wins."""
    quoted = parse_receipt_text("id:1 stat:UNDELIV err:9 text:id:2 stat:DELIVRD err:0")
    assert quoted == Receipt("1", S.UNDELIVERED, "9", stat="UNDELIV")
    ahead = parse_receipt_text("text:id:2 stat:DELIVRD err:0 id:1 stat:UNDELIV err:9")
    assert ahead == Receipt("1", S.UNDELIVERED, "9", stat="UNDELIV")


WORD = st.text("0123456789abcdefABCDEF_-./", min_size=1, max_size=20)
DATE = st.sampled_from(["", "2511221030", "251122103015"])
RECEIPTS = st.builds(
    lambda message_id, state, error, done, submitted: Receipt(message_id, state, error, done, submitted, state.value),
    WORD,
    st.sampled_from(ReceiptState),
    st.from_regex("[0-9A-Z]{0,4}", fullmatch=True),
    DATE,
    DATE,
)


@given(RECEIPTS, st.text(max_size=30))
def test_a_receipt_that_we_write_is_read_back(receipt: Receipt, text: str) -> None:
    """The simulated carrier and the gateway agree, whatever the customer's text."""
    assert parse_receipt_text(receipt_text(receipt, text)) == receipt


@given(RECEIPTS, st.sampled_from((" sub", " done", " stat", " err")))
def test_the_quick_way_and_the_general_way_agree(receipt: Receipt, place: str) -> None:
    """A second space turns the quick way away and changes nothing."""
    text = receipt_text(receipt)
    assert parse_receipt_text(text.replace(place, f" {place}")) == parse_receipt_text(text)


@given(st.text())
def test_no_text_is_too_odd_to_read(text: str) -> None:
    """Garbage gives a receipt or None, never an exception."""
    parse_receipt_text(text)


KEYS = ["id:", "stat:", "err:", "text:", "done date:", "submit date:", "=", ":", " ", "DELIVRD", "1", ";", "\0"]


@given(st.lists(st.sampled_from(KEYS), max_size=30).map("".join))
def test_no_order_of_keys_is_too_odd_to_read(text: str) -> None:
    """Nor do keys in heaps."""
    parse_receipt_text(text)


def deliver(text: str | bytes, esm_class: int = 4, tlvs: Tlvs = (), coding: int = 0) -> DeliverSm:
    data = text if isinstance(text, bytes) else text.encode("latin-1")
    return DeliverSm(esm_class=esm_class, data_coding=coding, short_message=data, tlvs=tlvs)


def test_a_message_from_a_handset_is_no_receipt() -> None:
    """Even when it looks like one: anybody can type that."""
    assert read_receipt(deliver("HUY", 0)) is None
    assert read_receipt(deliver(USUAL, 0)) is None
    assert read_receipt(deliver(USUAL, 0, ((0x001E, b"1\0"),))) is None


def test_a_carrier_that_marks_nothing_may_be_trusted_by_its_text() -> None:
    """For the profile that asks for it; a text without id and state stays a message."""
    said = read_receipt(deliver(USUAL, 0), trust_text=True)
    assert said is not None
    assert said.message_id == "123"
    assert read_receipt(deliver("HUY", 0), trust_text=True) is None
    assert read_receipt(deliver("id:123 please", 0), trust_text=True) is None


@pytest.mark.parametrize("esm_class", [0x04, 0x20, 0x07, 0x84])
def test_esm_class_marks_a_receipt(esm_class: int) -> None:
    """Final and intermediate, with any messaging mode and feature bits around the type."""
    said = read_receipt(deliver(USUAL, esm_class))
    assert said is not None
    assert said.state is S.DELIVERED


@pytest.mark.parametrize("esm_class", [0x08, 0x10, 0x18])
def test_what_handsets_acknowledge_is_no_receipt(esm_class: int) -> None:
    """Only the carrier's own word counts."""
    assert read_receipt(deliver(USUAL, esm_class)) is None


def test_parameters_alone_make_a_receipt() -> None:
    """Without esm_class and without a text: no handset can set them."""
    tlvs: Tlvs = ((0x001E, b"4fa8c210\0"), (0x0427, b"\5"), (0x0423, b"\3\0\x22"))
    assert read_receipt(deliver("", 0, tlvs)) == Receipt("4fa8c210", S.UNDELIVERED, "3:34")
    assert read_receipt(DataSm(tlvs=tlvs)) == Receipt("4fa8c210", S.UNDELIVERED, "3:34")


def test_the_parameter_s_id_leads_and_the_text_s_is_kept() -> None:
    """Two bases in one receipt: both raw forms survive (promises 4.3)."""
    said = read_receipt(deliver(USUAL, 4, ((0x001E, b"7b\0"), (0x0427, b"\2"))))
    assert said == Receipt("7b", S.DELIVERED, "000", "2511221030", "2511221029", "DELIVRD", "123")
    same = read_receipt(deliver(USUAL, 4, ((0x001E, b"123"), (0x0427, b"\2"))))
    assert same == Receipt("123", S.DELIVERED, "000", "2511221030", "2511221029", "DELIVRD")


@pytest.mark.parametrize(
    ("octets", "state"),
    [
        (b"\1", S.ENROUTE),
        (b"\2", S.DELIVERED),
        (b"\3", S.EXPIRED),
        (b"\4", S.DELETED),
        (b"\5", S.UNDELIVERED),
        (b"\6", S.ACCEPTED),
        (b"\x08", S.REJECTED),
        (b"\0\0\0\3", S.EXPIRED),
        (b"\7", S.DELIVERED),
        (b"\x63", S.DELIVERED),
        (b"", S.DELIVERED),
    ],
)
def test_message_state_leads_unless_it_says_nothing(octets: bytes, state: ReceiptState) -> None:
    """An unknown number leaves the text's DELIVRD standing."""
    said = read_receipt(deliver(USUAL, 4, ((0x0427, octets),)))
    assert said is not None
    assert said.state is state


def test_a_text_in_ucs_2_in_the_payload_or_behind_a_header_is_found() -> None:
    """Wherever the carrier put it."""
    wide = read_receipt(deliver(USUAL.encode("utf-16-be"), coding=8))
    payload = read_receipt(deliver(b"", tlvs=((0x0424, USUAL.encode()),)))
    behind = read_receipt(deliver(b"\5\0\3\1\1\1" + USUAL.encode(), 0x44))
    plain = read_receipt(deliver(USUAL, coding=8))
    for said in (wide, payload, behind, plain):
        assert said is not None
        assert (said.message_id, said.state) == ("123", S.DELIVERED)


def test_a_receipt_that_cannot_be_read_is_still_a_receipt() -> None:
    """It is kept as an orphan rather than taken for a message."""
    assert read_receipt(deliver("???")) == Receipt("", S.UNKNOWN)
    assert read_receipt(deliver(b"")) == Receipt("", S.UNKNOWN)


@given(RECEIPTS)
def test_the_parameters_that_we_write_are_read_back(receipt: Receipt) -> None:
    """For every state."""
    said = read_receipt(deliver("", 0, receipt_tlvs(receipt)))
    assert said is not None
    assert (said.message_id, said.state) == (receipt.message_id, receipt.state)


@given(st.binary(max_size=60), st.integers(0, 255), st.integers(0, 255), st.binary(max_size=5), st.binary(max_size=5))
def test_no_deliver_is_too_odd_to_read(text: bytes, esm_class: int, coding: int, one: bytes, two: bytes) -> None:
    """Garbage gives a receipt or None, never an exception."""
    read_receipt(deliver(text, esm_class, ((0x001E, one), (0x0427, two), (0x0423, one)), coding), trust_text=True)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("DELIVERY_FAILED", ReceiptState.UNDELIVERED),
        ("DeliveryFailure", ReceiptState.UNDELIVERED),
        ("DELIVERY_IMPOSSIBLE", ReceiptState.UNDELIVERED),
        ("DELIVERY-ERROR", ReceiptState.UNDELIVERED),
        ("UNKNOWN_SUBSCRIBER", ReceiptState.UNDELIVERED),
        ("ABSENT_SUBSCRIBER", ReceiptState.UNDELIVERED),
        ("INVALID_MSISDN", ReceiptState.UNDELIVERED),
        ("MSG_EXPIRED", ReceiptState.EXPIRED),
        ("REJECTED_BY_OPERATOR", ReceiptState.REJECTED),
        ("MSISDN_BLACKLISTED", ReceiptState.REJECTED),
        ("DELIVERY_PENDING", ReceiptState.ENROUTE),
        ("DELIVERED_TO_SMSC", ReceiptState.ACCEPTED),
        ("DELIVERED_TO_NETWORK", ReceiptState.ACCEPTED),
        ("DELIVERED_TO_HANDSET", ReceiptState.DELIVERED),
        ("DELIVERD_OK", ReceiptState.DELIVERED),
        ("MESSAGE_DELETED", ReceiptState.DELETED),
        ("SOMETHING", ReceiptState.UNKNOWN),
    ],
)
def test_a_vendor_s_word_is_read_by_what_went_wrong_then_by_how_far_it_went(word: str, state: ReceiptState) -> None:
    """No failed delivery may read as a delivery, and no hand-over to the next carrier either."""
    receipt = parse_receipt_text(f"id:a1 stat:{word} err:1")
    assert receipt is not None
    assert receipt.state is state


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MsgId=00AF01 Status=DELIVERED DoneDate=270115080000 Err=0", ("00AF01", ReceiptState.DELIVERED, "0")),
        ("stat:UNDELIV id:77 err:0x1B text:", ("77", ReceiptState.UNDELIVERED, "0x1B")),
        ("id: 77 sub: 001 dlvrd: 000 submit date: 2701150800 done date: 2701150801 stat: EXPIRED err: 27",
         ("77", ReceiptState.EXPIRED, "27")),
        ("id:77 sub:001 dlvrd:001 submit date:2701150800 done date:2701150801 stat:DELIVRD err:",
         ("77", ReceiptState.DELIVERED, "")),
        ("{'id':'77','stat':'REJECTD','err':'1'}", ("77", ReceiptState.REJECTED, "1")),
        ("message_id:77;message_state:2;error_code:000", ("77", ReceiptState.DELIVERED, "000")),
        ("ID:77|STATUS:Failed|ERROR:Absent", ("77", ReceiptState.UNDELIVERED, "Absent")),
        ("id:77", ("77", ReceiptState.UNKNOWN, "")),
        ("id:6b1f-4d2a-9c stat:ACCEPTD submit date:2701150800", ("6b1f-4d2a-9c", ReceiptState.ACCEPTED, "")),
        ("id:77 stat:DELIVRD text:id:88 stat:UNDELIV", ("77", ReceiptState.DELIVERED, "")),
    ],
)  # fmt: skip
def test_odd_receipts_are_read(text: str, expected: tuple[str, ReceiptState, str]) -> None:
    """Orders, spellings, separators and gaps that carriers are known for; the customer's own text decides nothing."""
    receipt = parse_receipt_text(text)
    assert receipt is not None
    assert (receipt.message_id, receipt.state, receipt.error) == expected
