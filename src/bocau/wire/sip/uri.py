"""SIP URIs, addresses with display names, and Via (RFC 3261, sections 19.1, 20 and 25)."""

import re
from typing import Final, NamedTuple

from bocau.wire.sip.message import BadMessage, FieldError, split_params, unquoted

__all__ = [
    "Address",
    "SipUri",
    "Via",
    "format_host",
    "number_uri",
    "parse_address",
    "parse_uri",
    "parse_via",
    "received_via",
    "reply_via",
]

_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9\-._]{1,253})(?::([0-9]{1,5}))?")
_VIA: Final = re.compile(r"SIP\s*/\s*2\.0\s*/\s*([A-Za-z]{2,8})\s+(\S.*)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\+?[0-9]{1,15}")
_SAFE_HOST: Final = re.compile(r"[A-Za-z0-9\-.:]{1,253}")


class SipUri(NamedTuple):
    """A sip: or sips: URI, its parts as they came."""

    scheme: str
    user: str
    host: str
    """An IPv6 address stands without its brackets."""
    port: int
    """0: none was given."""
    params: dict[str, str]


class Address(NamedTuple):
    """The value of From, To, Contact, Route and their like."""

    display: str
    uri: str
    params: dict[str, str]

    @property
    def tag(self) -> str:
        """The tag parameter, empty if there is none."""
        return self.params.get("tag", "")


class Via(NamedTuple):
    """One Via value."""

    transport: str
    host: str
    port: int
    """0: none was given."""
    params: dict[str, str]

    @property
    def branch(self) -> str:
        """The branch parameter, empty if there is none."""
        return self.params.get("branch", "")


def format_host(host: str, port: int = 0) -> str:
    """Host and port as URIs and Via want them: an IPv6 address in brackets. Raises FieldError."""
    if _SAFE_HOST.fullmatch(host) is None:
        raise FieldError("a host that is none")
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port}" if port else shown


def number_uri(number: str, domain: str, port: int = 0) -> str:
    """sip:NUMBER@DOMAIN. Only ASCII digits with at most one plus sign before them may be dialled. Raises FieldError."""
    if _NUMBER.fullmatch(number) is None:
        raise FieldError("a number that has more than ASCII digits")
    return f"sip:{number}@{format_host(domain, port)}"


def parse_uri(text: str) -> SipUri:
    """Read a sip: or sips: URI; headers behind a question mark are dropped. Raises BadMessage."""
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or scheme not in ("sip", "sips"):
        raise BadMessage("no SIP URI")
    rest = rest.partition("?")[0]
    user, at, after = rest.rpartition("@")
    hostport, params = split_params(after if at else rest)
    host, port = _host_and_port(hostport)
    return SipUri(scheme, user, host, port, params)


def _host_and_port(text: str) -> tuple[str, int]:
    found = _HOST.fullmatch(text.strip())
    if found is None or int(found[2] or 0) > 65_535:
        raise BadMessage("no host")
    return found[1].strip("[]"), int(found[2] or 0)


def parse_address(text: str) -> Address:
    """Read a name-addr or addr-spec; without angle brackets all parameters are the header's. Raises BadMessage."""
    text = text.strip()
    begin = _angle(text)
    if begin < 0:
        if text.startswith('"'):
            raise BadMessage("a display name without a URI")
        uri, params = split_params(text)
        display = ""
    else:
        uri, closed, rest = text[begin + 1 :].partition(">")
        if not closed:
            raise BadMessage("an angle bracket without its other")
        display = unquoted(text[:begin].strip())
        _, params = split_params(rest)
    if not uri or ":" not in uri:
        raise BadMessage("no URI in an address")
    return Address(display, uri.strip(), params)


def _angle(text: str) -> int:
    """Where the URI's bracket opens: not inside a quoted display name."""
    if not text.startswith('"'):
        return text.find("<")
    at = 1
    while at < len(text) and text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return text.find("<", at)


def parse_via(text: str) -> Via:
    """Read one Via value. Raises BadMessage."""
    found = _VIA.fullmatch(text.strip())
    if found is None:
        raise BadMessage("Via")
    sent_by, params = split_params(found[2])
    host, port = _host_and_port(re.sub(r"\s*:\s*", ":", sent_by) if sent_by[:1] != "[" else sent_by)
    return Via(found[1].upper(), host, port, params)


def received_via(text: str, host: str, port: int) -> str:
    """A request's topmost Via as the server that got it from there writes it back (RFC 3261 18.2.1, RFC 3581 4)."""
    via = parse_via(text)
    pieces = [
        piece for piece in text.split(";") if piece.strip().partition("=")[0].strip() not in ("received", "rport")
    ]
    if "rport" in via.params:
        pieces.append(f"rport={port}")
    if "rport" in via.params or via.host != host:
        pieces.append(f"received={host}")
    return ";".join(piece.strip() for piece in pieces)


def reply_via(text: str) -> tuple[str, int]:
    """Where an answer with this topmost Via is to go (RFC 3261 18.2.2, RFC 3581 4). Raises BadMessage."""
    via = parse_via(text)
    rport = via.params.get("rport", "")
    port = int(rport) if rport.isascii() and rport.isdigit() and len(rport) <= 5 else via.port
    return via.params.get("received", via.host), port or 5060
