"""The gate that every callback passes: which URLs may be called and which addresses may be connected to.

One parser serves the check and the connection, and the decision is made on addresses, never on the text of a name
(promises M7, M8, S2 and section 3). The table of denied networks is ours: the standard library calls NAT64, 6to4 and
other roads to private networks "global".
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final, NamedTuple
from urllib.parse import quote

__all__ = ["DENIED_PORTS", "Network", "Refused", "Target", "address_is_denied", "networks", "parse_target"]

Network = IPv4Network | IPv6Network

MAX_URL: Final = 8192
PLACES_KEPT: Final = 1024
MAX_HOST: Final = 253
"""Characters of a name (RFC 1035, 2.3.4)."""

DENIED_PORTS: Final = frozenset(
    {
        1080,  # SOCKS
        1433,  # SQL Server
        1434,
        1521,  # Oracle
        1723,  # PPTP
        2049,  # NFS
        2181,  # ZooKeeper
        2375,  # Docker
        2376,
        2379,  # etcd
        2380,
        2775,  # SMPP
        3128,  # web proxies
        3306,  # MySQL
        3389,  # remote desktop
        4369,  # Erlang port mapper
        5060,  # SIP
        5061,
        5432,  # PostgreSQL
        5433,
        5671,  # AMQP
        5672,
        5900,  # VNC
        5984,  # CouchDB
        5985,  # WinRM
        5986,
        6000,  # X11
        6379,  # Redis
        6380,
        6443,  # Kubernetes
        6666,  # IRC
        6667,
        6697,
        7000,  # Cassandra
        7001,
        9042,
        9092,  # Kafka
        9160,
        9200,  # Elasticsearch
        9300,
        10250,  # kubelet
        10255,
        11211,  # memcached
        15672,  # RabbitMQ
        25565,
        26379,  # Redis Sentinel
        27017,  # MongoDB
        27018,
        27019,
        50070,  # Hadoop
    }
)
"""Ports from 1024 up where well-known services listen that are no customer's web server."""

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
FIRST_FREE_PORT: Final = 1024

HOST_NAME: Final = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
NUMERIC_LABEL: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
PORT: Final = re.compile(r"[0-9]{1,5}")
AUTHORITY: Final = re.compile(r"(https?)://([^/?#]*)([^#]*)", re.IGNORECASE | re.DOTALL | re.ASCII)
PLAIN: Final = re.compile(r"(https?)://([!\"$-.0->@-\[\]-~]*)((?:[/?][!\"$-\[\]-~]*)?)(?:#[!-\[\]-~]*)?")
"""The groups of AUTHORITY for a URL of visible ASCII without a backslash, which nearly every one is."""
UNSAFE: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ufeff\\\ud800-\udfff]")
"""Control characters, spaces, line separators, the backslash that some parsers read as a slash, lone surrogates."""
KEPT: Final = "".join(chr(octet) for octet in range(0x21, 0x7F))

DENIED_V4: Final = (
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "carrier-grade NAT"),
    ("127.0.0.0/8", "loopback"),
    ("168.63.129.16/32", "cloud metadata"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "protocol assignments"),
    ("192.0.2.0/24", "documentation"),
    ("192.31.196.0/24", "AS112"),
    ("192.52.193.0/24", "multicast tunnels"),
    ("192.88.99.0/24", "6to4 relay"),
    ("192.168.0.0/16", "private"),
    ("192.175.48.0/24", "AS112"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("255.255.255.255/32", "broadcast"),
    ("240.0.0.0/4", "reserved"),
)
"""IANA special-purpose registry for IPv4 (RFC 6890 and its updates), and the address of one cloud's metadata server."""

DENIED_V6: Final = (
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("64:ff9b::/96", "NAT64"),
    ("64:ff9b:1::/48", "NAT64"),
    ("100::/64", "discard"),
    ("100:0:0:1::/64", "dummy prefix"),
    ("2001::/32", "Teredo"),
    ("2001::/23", "protocol assignments"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "6to4"),
    ("2620:4f:8000::/48", "AS112"),
    ("3ffe::/16", "6bone"),
    ("3fff::/20", "documentation"),
    ("5f00::/16", "segment routing"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
)
"""IANA special-purpose registry for IPv6; outside 2000::/3 everything else is denied too."""


def ranges(table: Iterable[tuple[str, str]]) -> tuple[tuple[int, int, str], ...]:
    """Networks as (first, last, reason) in numbers."""
    found = []
    for text, reason in table:
        network = ip_network(text)
        found.append((int(network.network_address), int(network.broadcast_address), reason))
    return tuple(found)


RANGES_V4: Final = ranges(DENIED_V4)
RANGES_V6: Final = ranges(DENIED_V6)
GLOBAL_UNICAST_TOP: Final = 1
"""The first three bits of 2000::/3, the only part of IPv6 that is public."""


class Refused(Exception):  # noqa: N818 - our "no", not a fault
    """The URL may not be called. `reason` is a short text fit for the customer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Target(NamedTuple):
    """Where a checked URL leads. What is connected to and what is sent come from here alone."""

    scheme: str
    """`http` or `https`."""
    host: str
    """Lower-case ASCII name without a final dot, or an address in its shortest form without brackets."""
    port: int
    path_and_query: str
    """As it is sent: ASCII, beginning with a slash, without fragment."""
    literal: bool
    """Whether `host` is an address."""


class Place(NamedTuple):
    """The part of a Target that all calls of one host share."""

    scheme: str
    host: str
    port: int
    literal: bool


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """The networks that an operator opens, from `10.1.0.0/16` or single addresses. Raises ValueError."""
    return tuple([ip_network(text) for text in texts])


def parse_target(url: str, denied_ports: frozenset[int] = DENIED_PORTS) -> Target:
    """Take a URL apart. Raises Refused if it is not one that a callback may have; says nothing about its addresses."""
    if len(url) > MAX_URL:
        raise Refused("URL too long")
    found = PLAIN.fullmatch(url)
    if found is None:
        if UNSAFE.search(url) is not None:
            raise Refused("URL has a space, a control character or a backslash")
        found = AUTHORITY.match(url)
        if found is None:
            raise Refused("URL is not http or https")
    scheme, authority, rest = found.groups()
    place = place_of(scheme.lower(), authority, denied_ports)
    if rest[:1] != "/":
        rest = "/" + rest
    if not rest.isascii():
        rest = quote(rest, safe=KEPT)
    return Target(place.scheme, place.host, place.port, rest, place.literal)


@lru_cache(maxsize=PLACES_KEPT)
def place_of(scheme: str, authority: str, denied_ports: frozenset[int]) -> Place:
    """Judge the part of a URL that says where to. Raises Refused; a pure function, kept for the places called most."""
    if "@" in authority:
        raise Refused("URL has a user name")
    host, port_text = split_authority(authority)
    port = port_number(port_text, denied_ports) if port_text else DEFAULT_PORTS[scheme]
    if host[:1] == "[":
        return Place(scheme, ipv6_literal(host), port, literal=True)
    name = ascii_name(host)
    return Place(scheme, name, port, is_ipv4_literal(name))


def split_authority(authority: str) -> tuple[str, str]:
    """Host (with its brackets) and the text of the port, which may be empty."""
    if authority[:1] == "[":
        host, bracket, rest = authority.partition("]")
        if not bracket or (rest and rest[0] != ":"):
            raise Refused("URL has a bad IPv6 address")
        return host + bracket, rest[1:]
    host, _, port = authority.partition(":")
    return host, port


def port_number(text: str, denied_ports: frozenset[int]) -> int:
    """The port, if a customer's web server may be there."""
    if PORT.fullmatch(text) is None:
        raise Refused("URL has a bad port")
    port = int(text)
    if port not in DEFAULT_PORTS.values() and not FIRST_FREE_PORT <= port <= 0xFFFF:
        raise Refused("port not allowed")
    if port in denied_ports:
        raise Refused("port not allowed")
    return port


def ipv6_literal(host: str) -> str:
    """The address between brackets, in its shortest form. Zone ids are refused."""
    if "%" in host:
        raise Refused("URL has an IPv6 zone")
    try:
        return str(IPv6Address(host[1:-1]))
    except AddressValueError:
        raise Refused("URL has a bad IPv6 address") from None


def ascii_name(host: str) -> str:
    """A host name in ASCII, by IDNA where needed (RFC 3490), which also folds full-width and circled digits."""
    if not host or len(host) > MAX_HOST:
        raise Refused("URL has no host name" if not host else "host name too long")
    try:
        name = host.lower() if host.isascii() else host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise Refused("URL has a bad host name") from None
    name = name.removesuffix(".")
    if len(name) > MAX_HOST or HOST_NAME.fullmatch(name) is None:
        raise Refused("URL has a bad host name")
    return name


def is_ipv4_literal(name: str) -> bool:
    """Whether a name is a dotted address. Raises Refused for the number forms that resolvers read as addresses too."""
    if NUMERIC_LABEL.fullmatch(name.rpartition(".")[2]) is None:
        return False
    try:
        IPv4Address(name)
    except AddressValueError:
        raise Refused("URL has a number for a host name") from None
    return True


def address_is_denied(address: str, allowed_networks: Iterable[Network] = ()) -> str | None:
    """Why an address may not be connected to, None if it may.

    `allowed_networks` are the operator's own and go before the table. What is no address is denied; so are zone ids.
    """
    parsed: IPv4Address | IPv6Address
    try:
        parsed = IPv6Address(address) if ":" in address else IPv4Address(address)
    except AddressValueError:
        return "not an address"
    if isinstance(parsed, IPv6Address) and parsed.scope_id is not None:
        return "zone"
    if opened(parsed, allowed_networks):
        return None
    number = int(parsed)
    if isinstance(parsed, IPv4Address):
        return reason_in(RANGES_V4, number)
    if number >> 32 in {0, 0xFFFF} and number > 1:
        # IPv4-compatible and IPv4-mapped: the system connects to the IPv4 address inside.
        inner = IPv4Address(number & 0xFFFFFFFF)
        return None if opened(inner, allowed_networks) else reason_in(RANGES_V4, int(inner))
    return reason_in(RANGES_V6, number) or (None if number >> 125 == GLOBAL_UNICAST_TOP else "reserved")


def opened(address: IPv4Address | IPv6Address, allowed_networks: Iterable[Network]) -> bool:
    """Whether the operator has opened a network with this address."""
    return any(address in network for network in allowed_networks)


def reason_in(table: tuple[tuple[int, int, str], ...], number: int) -> str | None:
    """The reason of the first range that holds a number."""
    for first, last, reason in table:
        if first <= number <= last:
            return reason
    return None
