"""Callbacks at the customer's end: read, verified, and taken out of three frameworks' requests."""

import io
from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.client import BadSignature, Callback, CallOutcome, parse_callback, verify
from bocau.client.frameworks import from_django, from_flask, from_starlette
from bocau.report.signature import Signer, signature_headers
from bocau.wire.esms.callback import CallbackValues, callback_url
from bocau.wire.esms.status import SendReport

SECRET = "callback-key"
NOW = 1_800_000_000
REPORT = SendReport("02f1a6b3c4400000a1b2c3d4e5f60718000", 5, 1, 0, 8_500_000, 1, 1)
TARGET = callback_url(
    "http://shop.vn/hook/%C4%91on%20hang?order=77", CallbackValues(REPORT, "r 1/đ", "2", 1, "0901888484")
).removeprefix("http://shop.vn")


def signed(target: str = TARGET, *secrets: str, at: int = NOW) -> dict[str, str]:
    signers = [Signer(secret.encode()) for secret in secrets or (SECRET,)]
    return dict(signature_headers(signers, REPORT.smsid, at, target.encode()))


def check(told: Callback) -> None:
    assert told == Callback(
        REPORT.smsid, "r 1/đ", 5, 1, 0, 1, 1, Decimal("850.0000"), "2", 1, "0901888484", {"order": "77"}
    )
    assert told.all_delivered


def test_what_we_send_is_read_back() -> None:
    """Every parameter, and the customer's own beside them."""
    check(parse_callback(TARGET.partition("?")[2]))
    check(parse_callback(b"?" + TARGET.partition("?")[2].encode()))


def test_a_parameter_of_the_same_name_in_the_url_does_not_win() -> None:
    """Ours come last; what stands in front is the customer's."""
    assert parse_callback("SMSID=theirs&SMSID=ours").smsid == "ours"


@pytest.mark.parametrize("query", ["", "order=7", "SMSID=", "SMSID=x&SendSuccess=one", "SMSID=x&TotalPrice=free"])
def test_what_is_no_callback_is_said_so(query: str) -> None:
    """A person who opens the address in a browser sends one."""
    with pytest.raises(ValueError, match="callback"):
        parse_callback(query)


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_garbage_raises_only_valueerror(query: str | bytes) -> None:
    """Anybody can call the address."""
    try:
        parse_callback(query)
    except ValueError:
        return


def test_our_signature_is_accepted_during_a_change_of_keys() -> None:
    """Either end may have the new key first."""
    verify(signed(), TARGET, [SECRET], NOW + 60)
    verify(signed(TARGET, "new", SECRET), TARGET, [SECRET], NOW)
    verify(signed(), TARGET.encode(), ["new", SECRET], NOW)
    verify({name.title(): value for name, value in signed().items()}, TARGET, [SECRET], NOW)


@pytest.mark.parametrize(
    ("headers", "target", "now"),
    [
        ({}, TARGET, NOW),
        (signed(), TARGET.replace("SendSuccess=1", "SendSuccess=0"), NOW),
        (signed(TARGET, "another"), TARGET, NOW),
        (signed(), TARGET, NOW + 301),
        (signed(), TARGET, NOW - 301),
        ({**signed(), "webhook-id": "x"}, TARGET, NOW),
        ({**signed(), "webhook-timestamp": str(NOW + 1)}, TARGET, NOW),
        ({**signed(), "webhook-timestamp": "²"}, TARGET, NOW),
        ({**signed(), "webhook-timestamp": "9" * 5000}, TARGET, NOW),
        ({**signed(), "webhook-signature": "v1,é"}, TARGET, NOW),
    ],
)
def test_what_is_not_ours_is_refused(headers: Mapping[str, str], target: str, now: float) -> None:
    """Changed, forged, played again, or not signed at all."""
    with pytest.raises(BadSignature):
        verify(headers, target, [SECRET], now)


@pytest.mark.parametrize("secrets", [[], [""]])
def test_no_secret_is_a_mistake_of_the_program(secrets: list[str]) -> None:
    """An empty key would let everybody in."""
    with pytest.raises(ValueError, match="secret"):
        verify(signed(), TARGET, secrets, NOW)


def environ(headers: Mapping[str, str], **more: str) -> dict[str, object]:
    """A WSGI environment, as gunicorn and werkzeug make it."""
    from urllib.parse import unquote_to_bytes

    path, _, query = TARGET.partition("?")
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return {
        "REQUEST_METHOD": "GET",
        "SERVER_NAME": "shop.vn",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        **named,
        **more,
    }


def test_the_outcome_of_a_call_is_read_too() -> None:
    """Its own parameters may have the names of the other shape."""
    told = parse_callback(
        "TypeId=mine&ReferenceId=ab&CallDuration=13&CallStatus=NO%20ANSWER&Ivr=1&Price=600.0000&SentResult=0&CID=%2B84281"
        "&SendStatus=5"
    )
    assert told.call == CallOutcome("NO ANSWER", 13, "1", "+84281")
    assert (told.smsid, told.delivered, told.failed, told.all_delivered, told.send_status) == ("ab", 0, 1, False, 5)
    assert (told.price, told.own) == (Decimal(600), {"TypeId": "mine"})
    assert parse_callback("SMSID=ab&cid=7&Price=1").own == {"cid": "7", "Price": "1"}


def test_a_request_of_starlette_is_taken() -> None:
    """FastAPI's is the same one."""
    from starlette.requests import Request

    path, _, query = TARGET.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/hook/đon hang",
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in signed().items()],
    }
    check(from_starlette(Request(scope), [SECRET], NOW))
    with pytest.raises(BadSignature):
        from_starlette(Request({**scope, "query_string": b"SMSID=x"}), [SECRET], NOW)


@pytest.mark.parametrize("name", ["RAW_URI", "REQUEST_URI"])
def test_a_request_of_flask_is_taken(name: str) -> None:
    """The target as the server got it, under either name."""
    from flask import Request

    check(from_flask(Request(environ(signed(), **{name: TARGET})), [SECRET], NOW))
    with pytest.raises(BadSignature):
        from_flask(Request(environ({}, **{name: TARGET})), [SECRET], NOW)


@pytest.mark.parametrize("more", [{"RAW_URI": TARGET}, {}])
def test_a_request_of_django_is_taken(more: dict[str, str]) -> None:
    """With the target from the server, or as Django puts it together again."""
    import django.conf
    from django.core.handlers.wsgi import WSGIRequest

    if not django.conf.settings.configured:
        django.conf.settings.configure()
    check(from_django(WSGIRequest(environ(signed(), **more)), [SECRET], NOW))
    with pytest.raises(BadSignature):
        from_django(WSGIRequest(environ({}, **more)), [SECRET], NOW)
