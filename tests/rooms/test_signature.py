"""Signatures of callbacks, against a vector computed by hand and a verifier written from the specification."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.report.signature import Signer, signature_headers

SECRET = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
TIME = 1_614_265_330


def verified(secret: bytes, headers: tuple[tuple[str, str], ...], payload: bytes) -> bool:
    """What a customer's verifier does: any of the signatures may match."""
    values = dict(headers)
    signed = f"{values['webhook-id']}.{values['webhook-timestamp']}.".encode() + payload
    expected = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    candidates = [entry.partition(",") for entry in values["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(text, expected) for version, _, text in candidates)


def test_the_published_example_comes_out() -> None:
    """The vector that verifier libraries test themselves with."""
    payload = b'{"test": 2432232314}'
    assert (
        Signer(SECRET).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", TIME, payload)
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


@given(st.binary(min_size=1, max_size=80), st.binary(max_size=200))
def test_a_verifier_accepts_what_we_send(secret: bytes, payload: bytes) -> None:
    """For any key and any path and query."""
    assert verified(secret, signature_headers([Signer(secret)], "evt_1", TIME, payload), payload)
    assert not verified(secret, signature_headers([Signer(secret)], "evt_1", TIME, payload), payload + b"x")
    assert not verified(secret + b"x", signature_headers([Signer(secret)], "evt_1", TIME, payload), payload)


def test_both_keys_verify_while_a_key_is_changed() -> None:
    """The new signature comes first, the old one after a space."""
    headers = signature_headers([Signer(b"new"), Signer(b"old")], "evt_1", TIME, b"/hook?SMSID=1")
    assert [name for name, _ in headers] == ["webhook-id", "webhook-timestamp", "webhook-signature"]
    assert verified(b"new", headers, b"/hook?SMSID=1")
    assert verified(b"old", headers, b"/hook?SMSID=1")
    new, old = headers[2][1].split(" ")
    assert (new, old) == (
        Signer(b"new").sign("evt_1", TIME, b"/hook?SMSID=1"),
        Signer(b"old").sign("evt_1", TIME, b"/hook?SMSID=1"),
    )


@pytest.mark.parametrize("event_id", ["", "a.b", "a b", "a\r\nX: y", "é", "a" * 129, "a\n"])
def test_an_id_that_could_be_misread_is_not_signed(event_id: str) -> None:
    """A full stop would move the border between the signed fields."""
    with pytest.raises(ValueError, match="event id"):
        Signer(b"key").sign(event_id, TIME, b"")


def test_nothing_is_signed_without_a_key() -> None:
    """An empty key would be a signature anybody can make."""
    with pytest.raises(ValueError, match="secret"):
        Signer(b"").sign("evt_1", TIME, b"")
    with pytest.raises(ValueError, match="secret"):
        signature_headers([], "evt_1", TIME, b"")
