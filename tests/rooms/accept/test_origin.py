"""Where a request came from: proxies are believed as far as they are ours, and nobody else."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.accept.origin import Proxies, address_of, is_within, parse_address

OURS = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))
FORWARDED_FOR = Proxies(OURS)
FORWARDED = Proxies(OURS, "forwarded")


def came(peer: str, *lines: str, proxies: Proxies = FORWARDED_FOR, name: str = "x-forwarded-for") -> str:
    """The address as text."""
    return str(address_of(peer, [(name.encode(), line.encode("latin-1")) for line in lines], proxies))


def test_without_proxies_the_other_end_counts_whatever_it_says() -> None:
    """A caller cannot choose his address."""
    assert came("203.0.113.7", "10.1.1.1", proxies=Proxies()) == "203.0.113.7"
    assert came("203.0.113.7", "10.1.1.1") == "203.0.113.7", "nor behind a list he is not on"


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        (["1.1.1.1, 203.0.113.7"], "203.0.113.7"),
        (["1.1.1.1, 203.0.113.7, 10.2.0.1"], "203.0.113.7"),
        (["1.1.1.1", "203.0.113.7", "10.2.0.1,10.2.0.2"], "203.0.113.7"),
        (["203.0.113.7:4711"], "203.0.113.7"),
        (["[2001:db8::1]:4711"], "2001:db8::1"),
        (["2001:db8::1"], "2001:db8::1"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["10.2.0.1"], "10.2.0.1"),
        (["1.1.1.1, unknown"], "10.0.0.1"),
        (["1.1.1.1, unknown, 10.2.0.1"], "10.2.0.1"),
        ([""], "10.0.0.1"),
        (["1.1.1.1,"], "10.0.0.1"),
        ([], "10.0.0.1"),
        (["\xff"], "10.0.0.1"),
    ],
)
def test_the_first_address_from_the_right_that_is_no_proxy_counts(lines: list[str], found: str) -> None:
    """What stands left of it anybody may have written; what is no address ends the reading."""
    assert came("10.0.0.1", *lines) == found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("for=203.0.113.7", "203.0.113.7"),
        ('For="203.0.113.7:80";proto=https, for=10.2.0.1;by=10.0.0.1', "203.0.113.7"),
        ('proto=https;for="[2001:db8::1]:80"', "2001:db8::1"),
        ("for=1.1.1.1, for=_hidden", "10.0.0.1"),
        ("proto=https", "10.0.0.1"),
    ],
)
def test_the_standard_header_is_read_where_the_proxies_write_it(line: str, found: str) -> None:
    """RFC 7239."""
    assert came("10.0.0.1", line, proxies=FORWARDED, name="forwarded") == found


def test_only_the_header_that_the_proxies_write_counts() -> None:
    """The other one passes them as the caller wrote it."""
    assert came("10.0.0.1", "for=1.1.1.1", name="forwarded") == "10.0.0.1"
    assert came("10.0.0.1", "1.1.1.1", proxies=FORWARDED) == "10.0.0.1"


def test_a_peer_that_has_no_address_is_in_no_network() -> None:
    """A socket of another kind."""
    assert address_of("", [], FORWARDED_FOR) is None
    assert not is_within(None, OURS)
    assert parse_address("2130706433") is None


def test_a_header_as_long_as_it_may_be_is_not_read_to_its_end() -> None:
    """The last hops decide."""
    assert came("10.0.0.1", "1.1.1.1," + "10.0.0.2," * 2000 + "10.0.0.3") == "10.0.0.2"


@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=40), max_size=4), st.sampled_from([True, False]))
def test_no_header_makes_it_fail_or_leads_outside_what_stands_there(lines: list[str], standard: bool) -> None:
    """Garbage is the proxy itself, or an address that was written."""
    name, proxies = ("forwarded", FORWARDED) if standard else ("x-forwarded-for", FORWARDED_FOR)
    assert parse_address(came("10.0.0.1", *lines, proxies=proxies, name=name)) is not None
