"""What a trunk's calls say of themselves, and settings that no call could be made with."""

import ipaddress

import pytest

from bocau.deliver.sip.trunk import Trunk, check, identity_of, inside

TRUNK = Trunk("t", "trunk.example", user="us", password="pw")
OURS = ("192.0.2.1", 5060)


@pytest.mark.parametrize(
    ("form", "number", "written"),
    [
        ("plus", "84901234567", "+84901234567"),
        ("digits", "84901234567", "84901234567"),
        ("national", "84901234567", "0901234567"),
        ("national", "6591234567", "6591234567"),
    ],
)
def test_numbers_are_written_as_the_trunk_wants_them(form: str, number: str, written: str) -> None:
    """National form is of one country; others keep their code."""
    trunk = TRUNK._replace(number_form=form)  # type: ignore[arg-type]
    assert identity_of(trunk, number, OURS, OURS).uri == f"sip:{written}@trunk.example"


def test_an_identity_holds_what_the_settings_say() -> None:
    """From, P-Asserted-Identity, Contact with its transport, Via with ours, IPv6 in brackets."""
    trunk = TRUNK._replace(
        from_user="1900", from_domain="bocau.example", asserted="+842871234567", transport="tls", port=5099
    )  # fmt: skip
    identity = identity_of(trunk, "84901234567", ("2001:db8::1", 5061), ("203.0.113.5", 1024))
    assert identity == (
        "sip:+84901234567@trunk.example:5099",
        "<sip:1900@bocau.example>",
        "<sip:+84901234567@trunk.example:5099>",
        "<sip:1900@203.0.113.5:1024;transport=tls>",
        "TLS [2001:db8::1]:5061",
        (("P-Asserted-Identity", "<sip:+842871234567@bocau.example>"),),
    )


@pytest.mark.parametrize(
    "trunk",
    [
        TRUNK._replace(from_user="a b"),
        TRUNK._replace(from_user='"><sip:x@y'),
        TRUNK._replace(from_domain="h\r\nX: y"),
        TRUNK._replace(host="h/x"),
        TRUNK._replace(asserted="anonymous"),
        TRUNK._replace(public_host="nat.example"),
        TRUNK._replace(local_host="eth0"),
        TRUNK._replace(networks=("192.0.2.0/99",)),
        TRUNK._replace(register=True, user=""),
    ],
)
def test_settings_that_fit_no_message_are_found_at_once(trunk: Trunk) -> None:
    """Not at the first call."""
    check(TRUNK)
    with pytest.raises(ValueError, match="trunk t: "):
        check(trunk)


def test_a_name_is_inside_no_network() -> None:
    """Only literal addresses count."""
    networks = (ipaddress.ip_network("192.0.2.0/24"), ipaddress.ip_network("2001:db8::/32"))
    assert inside("192.0.2.7", networks)
    assert inside("2001:db8::7", networks)
    assert not inside("198.51.100.7", networks)
    assert not inside("trunk.example", networks)
    assert not inside("", networks)
