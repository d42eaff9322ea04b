"""Where a request came from: the other end of the socket, or what our own proxies say of it (promises, section 3).

A header counts only if the other end is one of the operator's proxies, and only the header that they are said to write:
whatever a customer puts into the other one passes them untouched. Read from the right, the first address that is no
proxy is the customer's; what stands left of it anybody may have written.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from bocau.core.directory import Network

__all__ = ["NO_PROXIES", "Address", "Proxies", "address_of", "is_within", "parse_address"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_MOST_HOPS: Final = 32
"""Entries that are read, from the right."""


class Proxies(NamedTuple):
    """The operator's proxies."""

    networks: tuple[Network, ...] = ()
    header: str = "x-forwarded-for"
    """Which header they write: x-forwarded-for, or forwarded (RFC 7239)."""


NO_PROXIES: Final = Proxies()


def parse_address(text: str) -> Address | None:
    """An address as text; one of IPv4 inside IPv6 as what it is. None if it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def is_within(address: Address | None, networks: Iterable[Network]) -> bool:
    """Whether an address is in one of the networks; an unknown one is in none."""
    return address is not None and any(address in network for network in networks)


def address_of(peer: str, headers: Sequence[tuple[bytes, bytes]], proxies: Proxies) -> Address | None:
    """The address a request came from; `peer` is the socket's other end. None if that is unknown.

    An entry that is no address ends the reading: the proxy that wrote it is the last thing known.
    """
    address = parse_address(peer)
    if not is_within(address, proxies.networks):
        return address
    name = proxies.header.encode()
    line = b",".join(value for key, value in headers if key == name).decode("latin-1")
    for hop in line.split(",")[: -_MOST_HOPS - 1 : -1]:
        found = parse_address(_bare(hop if proxies.header != "forwarded" else _forwarded_for(hop)))
        if found is None:
            return address
        address = found
        if not is_within(address, proxies.networks):
            return address
    return address


def _forwarded_for(element: str) -> str:
    """The `for` of one element of Forwarded, without its quotation marks; empty if it has none."""
    for pair in element.split(";"):
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            return value.strip().strip('"')
    return ""


def _bare(text: str) -> str:
    """An address without port and brackets."""
    text = text.strip()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
