"""The eSMS API from the client's side: what is sent, what the answers mean."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.esms import answers, codes, reports
from bocau.wire.esms.callback import CallbackValues, callback_query
from bocau.wire.esms.send import decode_send
from bocau.wire.esms.status import SendReport
from bocau.wire.esms.upstream import (
    Outcome,
    SendCall,
    Verdict,
    read_callback,
    read_send,
    read_status,
    send_body,
    status_query,
)

CALL = SendCall(2, "Baotrixemay", "0901888484", "123456 là mã", "bocau-1f", "https://us.example/carrier/up/x")


def test_what_is_sent_is_what_the_door_of_such_a_service_reads() -> None:
    """Written by one side, read by the other."""
    found = decode_send(send_body("key", "secret", CALL), b"")
    assert (found.api_key, found.secret_key, found.request_id) == ("key", "secret", "bocau-1f")
    assert (found.content, found.brandname) == ("123456 là mã", "Baotrixemay")


def test_members_without_a_value_are_left_out() -> None:
    """A type without a brandname, a message without a callback."""
    members = json.loads(send_body("key", "secret", CALL._replace(brandname="", callback_url="")))
    assert sorted(members) == ["ApiKey", "Content", "IsUnicode", "Phone", "RequestId", "SecretKey", "SmsType"]
    assert members["IsUnicode"] == "1"


def test_an_accepted_send_is_taken_and_a_repeated_one_too() -> None:
    """124 says that the first one arrived."""
    taken = read_send(answers.accepted("a1-b2"))
    assert taken is not None
    assert (taken.verdict, taken.smsid) == (Verdict.TAKEN, "a1-b2")
    repeated = read_send(answers.refused(codes.DUPLICATE, codes.text(codes.DUPLICATE), send_status=2))
    assert repeated is not None
    assert (repeated.verdict, repeated.code) == (Verdict.TAKEN, "124")


VERDICTS = {
    "101": Verdict.TEMPORARY,
    "103": Verdict.TEMPORARY,
    "140": Verdict.TEMPORARY,
    "143": Verdict.TEMPORARY,
    "160": Verdict.THROTTLE,
    "99": Verdict.PERMANENT,
    "104": Verdict.PERMANENT,
    "108": Verdict.PERMANENT,
    "146": Verdict.PERMANENT,
    "177": Verdict.PERMANENT,
    "9999": Verdict.PERMANENT,
}


@pytest.mark.parametrize(("code", "verdict"), VERDICTS.items())
def test_every_code_has_its_class(code: str, verdict: Verdict) -> None:
    """What is about keys and money passes; what is about the message does not."""
    found = read_send(b'{"CodeResult":"%b","CountRegenerate":0,"ErrorMessage":"x"}' % code.encode())
    assert found is not None
    assert found.verdict is verdict


@given(st.binary(max_size=200))
def test_no_garbage_is_an_answer_or_raises(data: bytes) -> None:
    """Whatever stands between us and the service."""
    assert read_send(data) is None or data.lstrip().startswith(b"{")
    assert read_status(data) is None or data.lstrip().startswith(b"{")
    assert read_callback(data) is None or b"SendStatus".lower() in data.lower() or b"%" in data


REPORTS = [
    (SendReport("s", 5, 1, 0, 8_500_000, 1, 1), Outcome.DELIVERED),
    (SendReport("s", 5, 0, 1, 0, 1, 1), Outcome.UNDELIVERED),
    (SendReport("s", 4, 0, 1, 0, 1, 0), Outcome.UNDELIVERED),
    (SendReport("s", 2, 0, 0, 0, 1, 0), Outcome.OPEN),
    (SendReport("s", 7, 0, 0, 0, 1, 1), Outcome.OPEN),
]


@pytest.mark.parametrize(("report", "outcome"), REPORTS)
def test_status_and_callback_say_the_same(report: SendReport, outcome: Outcome) -> None:
    """As our own door and our own callbacks write them."""
    assert read_status(reports.send_status(report)) is outcome
    query = callback_query(CallbackValues(report, "bocau-1f", "2", 1, "0901888484"))
    assert read_callback(query.encode()) == ("s", outcome)


def test_a_status_that_was_not_found_tells_nothing() -> None:
    """Nor do wrong keys."""
    assert read_status(reports.send_status_refused("105", "s")) is None
    assert read_status(b'{"CodeResponse":"101","SMSID":"s"}') is None


def test_the_question_escapes_what_it_asks_about() -> None:
    """A key may hold any sign."""
    assert status_query("a&b", "c d", "s1") == "RefId=s1&ApiKey=a%26b&SecretKey=c+d"
