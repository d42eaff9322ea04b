"""Answer bodies against files that a person can read."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bocau.wire.esms import answers, codes, reports
from bocau.wire.esms.markup import as_xml
from bocau.wire.esms.operations import TABLE, Kind
from bocau.wire.esms.reports import XML_SHAPES, CallReport
from bocau.wire.esms.status import DERIVED, SendReport

GOLDEN = Path(__file__).with_name("golden")
SMSID = "6b1f0f3f9a7d4b0fb1a7b0c4f2d9e811042"
DELIVERED = SendReport(SMSID, 5, 1, 0, 8_500_000, 1, 1)
RECEIVERS = [
    reports.ReceiverReport("0981234567", "Viettel", DERIVED["delivered"], 0, 1_705_484_048_995),
    reports.ReceiverReport("0901234567", "Mobifone", DERIVED["queued"], 1, 1_705_484_048_995),
]
BRANDNAMES = [("BOCAU", 1), ("BOCAU", 2)]
SENT = [
    reports.SentReport(
        "log-in", 'mã "4821"', "0901234567", SMSID, 8_500_000, DERIVED["delivered"], 1_705_484_048_995, 29_028_845, 2
    ),
    reports.SentReport("", "4821", "0901234568", SMSID, 0, DERIVED["rejected"], 1_705_484_048_996, 29_028_846, 2),
]

BODIES = {
    "100": answers.accepted(SMSID),
    "101": answers.refused("101", codes.text("101")),
    "104": answers.refused("104", codes.text("104")),
    "118": answers.refused("118", codes.text("118")),
    "124": answers.refused("124", codes.text("124"), send_status=5),
    "146": answers.refused("146", codes.text("146"), smsid=SMSID),
    "error_400": answers.infrastructure_error(),
    "error_503": answers.infrastructure_error("Service unavailable"),
    "send_status": reports.send_status(DELIVERED),
    "send_status_101": reports.send_status_refused("101", SMSID),
    "send_status_105": reports.send_status_refused("105", SMSID),
    "call_status": reports.call_status(CallReport(SMSID, DERIVED["delivered"], "ANSWERED", 0, "")),
    "call_status_unanswered": reports.call_status(CallReport(SMSID, DERIVED["failed"], "NOANSWERED", 0, "")),
    "call_status_waiting": reports.call_status(CallReport(SMSID, DERIVED["queued"], "", 0, "")),
    "call_status_101": reports.call_status_refused("101", SMSID),
    "call_status_105": reports.call_status_refused("105", SMSID),
    "receivers": reports.receivers(RECEIVERS, dated=False),
    "receivers_dated": reports.receivers(RECEIVERS, dated=True),
    "receivers_101": reports.refused_plainly("101"),
    "receivers_105": reports.refused_plainly("105"),
    "balance": reports.balance(366_930_000, 9999),
    "balance_101": reports.balance_refused("101"),
    "brandnames": reports.brandnames(BRANDNAMES, numbered=False),
    "brandnames_numbered": reports.brandnames(BRANDNAMES, numbered=True),
    "brandnames_101": reports.brandnames_refused("101"),
    "templates": reports.templates([reports.TemplateReport(458, 2, "{P1,20} la ma xac minh dang ky BOCAU cua ban")]),
    "templates_104": reports.refused_plainly("104"),
    "sent": reports.sent(2, SENT),
    "sent_empty": reports.sent(0, []),
    "sent_101": reports.report_refused("101"),
    "sent_110": reports.refused_plainly("110", codes.field_invalid("From")),
    "price": reports.price(8_500_000, 1),
    "price_fraction": reports.price(12_345_678, 2),
    "price_advertising_101": answers.refused("101", codes.text("101")),
    "call": answers.without_count(answers.accepted(SMSID)),
    "call_101": answers.without_count(answers.refused("101", codes.text("101"))),
    "call_104": reports.refused_plainly("104", codes.call_template_unknown()),
    "call_106": reports.refused_plainly("106"),
    "code_right": reports.code_right("0901234567"),
    "code_117": reports.code_wrong("0901234567", "482193"),
}

DOCUMENTS = {
    "send_100": (Kind.SEND, BODIES["100"]),
    "send_124": (Kind.SEND, BODIES["124"]),
    "send_146": (Kind.SEND, BODIES["146"]),
    "send_108": (Kind.SEND, answers.refused("108", codes.phone_invalid("<a&b>\x01"))),
    "balance": (Kind.BALANCE, BODIES["balance"]),
    "balance_101": (Kind.BALANCE, BODIES["balance_101"]),
    "send_status": (Kind.STATUS, BODIES["send_status"]),
    "send_status_105": (Kind.STATUS, BODIES["send_status_105"]),
    "call_status": (Kind.STATUS, BODIES["call_status"]),
    "call_status_101": (Kind.STATUS, BODIES["call_status_101"]),
}
"""Bodies as they are under /xml/."""


@pytest.mark.parametrize("name", BODIES)
def test_a_body_is_the_golden_file_byte_for_byte(name: str) -> None:
    """Changing one is a reviewed act."""
    assert BODIES[name] == (GOLDEN / f"{name}.json").read_bytes().removesuffix(b"\n")


def test_every_golden_body_is_produced() -> None:
    """No file is left that nothing emits."""
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(BODIES)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_the_golden_file_byte_for_byte(name: str) -> None:
    """Elements in the documented order, without namespace and declaration (1.4)."""
    kind, body = DOCUMENTS[name]
    assert as_xml(body, *XML_SHAPES[kind]) == (GOLDEN / f"{name}.xml").read_bytes().removesuffix(b"\n")


def test_every_golden_document_is_produced() -> None:
    """No file is left that nothing emits."""
    assert {path.stem for path in GOLDEN.glob("*.xml")} == set(DOCUMENTS)


def test_every_operation_under_xml_has_a_shape() -> None:
    """Or its answer could not be written."""
    assert {row.kind for row in TABLE if "xml" in row.folders} == set(XML_SHAPES)


def test_a_member_without_a_place_is_not_dropped_unseen() -> None:
    """A shape that forgets a member is a bug of ours."""
    with pytest.raises(KeyError):
        as_xml(b'{"Other":1}', *XML_SHAPES[Kind.SEND])


@pytest.mark.parametrize("name", BODIES)
def test_a_body_is_compact_json_with_members_in_ordinal_order_and_no_null(name: str) -> None:
    """The habits of the serializer behind the original."""
    members = json.loads(BODIES[name])
    assert list(members) == sorted(members)
    assert None not in members.values()
    assert b'": ' not in BODIES[name]
    for code in ("CodeResult", "CodeResponse"):
        assert isinstance(members.get(code, ""), str)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.text(alphabet='"\\/é\n\x01'))
def test_whatever_the_customer_wrote_is_inert_in_the_body(smsid: str, text: str) -> None:
    """Ids and numbers that are echoed cannot break out of their string."""
    body = json.loads(answers.refused("108", text, 2, smsid))
    assert body == {
        "CodeResult": "108",
        "CountRegenerate": 0,
        "ErrorMessage": text,
        "SMSID": smsid,
        "SendStatus": "2",
    }
    assert json.loads(reports.send_status_refused("105", smsid))["SMSID"] == smsid
    assert json.loads(reports.send_status(replace(DELIVERED, smsid=smsid)))["SMSID"] == smsid
    assert json.loads(answers.infrastructure_error(text)) == {"error": text}
    assert json.loads(reports.code_wrong(smsid, text))["CodeResult"] == "117"
    assert (
        json.loads(reports.sent(1, [SENT[0]._replace(content=text, campaign=smsid)]))["SentData"][0]["Content"] == text
    )
    assert json.loads(reports.call_status(CallReport(smsid, DERIVED["sent"], "", 0, "")))["ReferenceId"] == smsid


def test_slashes_are_plain() -> None:
    """Clients cannot tell, and readers can."""
    assert answers.infrastructure_error("a/b") == b'{"error":"a/b"}'


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0.0000"),
        (1, "0.0001"),
        (8_500_000, "850.0000"),
        (12_345_678, "1234.5678"),
        (-1, "-0.0001"),
        (-15_000, "-1.5000"),
    ],
)
def test_money_has_exactly_four_decimals(amount: int, text: str) -> None:
    """Integer arithmetic only."""
    assert answers.money(amount) == text


@pytest.mark.parametrize(
    ("amount", "token"),
    [(366_930_000, b"36693"), (1_000_000, b"100"), (0, b"0"), (15_000, b"1.5"), (1, b"0.0001"), (-5_000_000, b"-500")],
)
def test_a_balance_is_whole_when_it_has_no_fraction(amount: int, token: bytes) -> None:
    """It is a number token all the same."""
    assert reports.balance(amount, 1) == b'{"Balance":' + token + b',"CodeResponse":"100","UserID":1}'


@pytest.mark.parametrize(
    ("status", "documented"),
    [("ANSWERED", "ANSWERED"), ("NO ANSWER", "NOANSWERED"), ("BUSY", "NOANSWERED"), ("FAILED", ""), ("LOST", "")],
)
def test_the_word_for_a_call_is_one_of_the_documents_unless_plain_ones_are_asked_for(
    status: str, documented: str
) -> None:
    """The public documents have no busy and no failed call (esms-api 4.1)."""
    assert reports.status_word(status, plain=False) == documented
    assert reports.status_word(status, plain=True) == status
