"""Registering a template on the wire: what is asked, what is answered, what is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.esms.names import Malformed
from bocau.wire.esms.registration import (
    Decision,
    PreviewRequest,
    decision_query,
    decode_preview,
    registered,
)
from bocau.wire.esms.reports import refused_plainly


@pytest.mark.parametrize(
    "body",
    [
        (
            b'{"ApiKey":"K","SecretKey":"S","Content":"{P1,6} la ma","Brandname":"BOCAU","ServiceType":2,"SmsType":2,'
            b'"CallbackUrl":"https://shop.example/hook","CustomerName":"An","CustomerPhone":"0901234567"}'
        ),
        (
            b'{"APIKEY":"K","SECRETKEY":"S","content":"{P1,6} la ma","BrandName":"BOCAU","SERVICETYPE":"2",'
            b'"SmsType":"2","CallBackUrl":" https://shop.example/hook"}'
        ),
        (
            b"ApiKey=K&SecretKey=S&Content=%7BP1%2C6%7D+la+ma&Brandname=BOCAU&ServiceType=2&SmsType=2"
            b"&CallbackUrl=https://shop.example/hook"
        ),
    ],
)
def test_every_spelling_asks_the_same(body: bytes) -> None:
    """Numbers or strings, any case, JSON or a form; members that nobody needs are ignored."""
    wanted = PreviewRequest("K", "S", "{P1,6} la ma", "BOCAU", "2", "2", "https://shop.example/hook")
    assert decode_preview(body) == wanted
    assert repr(decode_preview(body)) == "PreviewRequest(...)"


def test_nothing_is_asked_with_empty_hands() -> None:
    """Absent and empty are one."""
    assert decode_preview(b"{}") == PreviewRequest("", "", "", "", "", "", "")


@given(st.binary(max_size=200))
def test_garbage_raises_the_one_exception(body: bytes) -> None:
    """Or is a question."""
    try:
        decode_preview(body)
    except Malformed:
        return


def test_the_bodies_are_those_of_the_documents() -> None:
    """The odd text included; the id is a number token."""
    assert registered(52353) == (
        b'{"CodeResult":"100","ErrorMessage":"ViHAT is moderating your template","ServicePreviewId":52353}'
    )
    assert refused_plainly("101") == b'{"CodeResult":"101","ErrorMessage":"Authorize Failed"}'
    assert refused_plainly("104") == b'{"CodeResult":"104","ErrorMessage":"Brand name code is not exist"}'
    assert refused_plainly("199") == b'{"CodeResult":"199","ErrorMessage":"Request is processing"}'
    assert refused_plainly("301") == b'{"CodeResult":"301","ErrorMessage":"ServiceType is not supported"}'


def test_the_callback_of_a_decision() -> None:
    """0 failed, 2 registered."""
    assert decision_query(52353, Decision.REGISTERED, "BO CAU") == "ServicePreviewId=52353&Status=2&Brandname=BO%20CAU"
    assert decision_query(7, Decision.FAILED, "BOCAU") == "ServicePreviewId=7&Status=0&Brandname=BOCAU"
