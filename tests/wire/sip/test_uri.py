"""URIs, addresses, Via."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.sip.message import BadMessage, FieldError
from bocau.wire.sip.uri import (
    format_host,
    number_uri,
    parse_address,
    parse_uri,
    parse_via,
    received_via,
    reply_via,
)


def test_uris_are_read() -> None:
    """With user, port, parameters, IPv6; headers are dropped."""
    assert parse_uri("sip:+84901@h.example:5070;transport=tcp;lr?Subject=x") == (
        "sip", "+84901", "h.example", 5070, {"transport": "tcp", "lr": ""},
    )  # fmt: skip
    assert parse_uri("SIPS:[2001:db8::1]:5061")[2:4] == ("2001:db8::1", 5061)
    assert parse_uri("sip:a;b@c@h")[1:3] == ("a;b@c", "h")


@pytest.mark.parametrize(
    "text", ["", "tel:+84", "sip:", "sip:a@", "sip:a@h:99999", "sip:a@h h", "sip:a@<h>", "mailto:a@h"]
)
def test_what_is_no_sip_uri_is_refused(text: str) -> None:
    """tel: too, for nothing can be sent there."""
    with pytest.raises(BadMessage):
        parse_uri(text)


def test_addresses_are_read() -> None:
    """Without brackets, parameters are the header's (RFC 3261 20.10)."""
    assert parse_address('"A <x> \\"b\\"" <sip:a@h;lr>;tag=7') == ('A <x> "b"', "sip:a@h;lr", {"tag": "7"})
    assert parse_address("sip:a@h;tag=7") == ("", "sip:a@h", {"tag": "7"})
    assert parse_address("Bob <sip:b@h>").tag == ""
    for bad in ("<sip:a", '"open <sip:a@h>', "", "*"):
        with pytest.raises(BadMessage):
            parse_address(bad)


def test_only_ascii_digits_are_dialled() -> None:
    """Other digits, letters and parameters could dial elsewhere (promises section 3)."""
    assert number_uri("+84901234567", "h.example", 5070) == "sip:+84901234567@h.example:5070"
    assert number_uri("113", "2001:db8::1") == "sip:113@[2001:db8::1]"
    for bad in ("", "84x", "8490١", "84;phone-context=x", "84@evil", "+", "8" * 16, "84 90", "84\r\n"):
        with pytest.raises(FieldError):
            number_uri(bad, "h")
    for host in ("", "h h", "h\r\n", "h/x", "h>"):
        with pytest.raises(FieldError):
            format_host(host)


def test_via_is_read_and_written_back() -> None:
    """rport and received as RFC 3581 wants them."""
    via = "SIP / 2.0 / UDP  h.example : 5070 ;branch=z9;rport"
    assert parse_via(via) == ("UDP", "h.example", 5070, {"branch": "z9", "rport": ""})
    back = received_via("SIP/2.0/UDP h.example:5070;branch=z9;rport", "192.0.2.1", 1024)
    assert back == "SIP/2.0/UDP h.example:5070;branch=z9;rport=1024;received=192.0.2.1"
    assert reply_via(back) == ("192.0.2.1", 1024)
    assert received_via("SIP/2.0/UDP 192.0.2.1;branch=z9", "192.0.2.1", 9) == "SIP/2.0/UDP 192.0.2.1;branch=z9"
    assert reply_via("SIP/2.0/UDP 192.0.2.1;branch=z9") == ("192.0.2.1", 5060)
    assert parse_via("SIP/2.0/TLS [2001:db8::1]:5061;branch=z").host == "2001:db8::1"


@given(st.one_of(st.text(max_size=60), st.text('SIP/2.0UDP ;:=<>"@[]sip1a\\', max_size=80)))
def test_garbage_raises_only_the_one_exception(text: str) -> None:
    """Whatever a peer writes."""
    for parse in (parse_uri, parse_address, parse_via, reply_via):
        try:
            parse(text)
        except BadMessage:
            continue
