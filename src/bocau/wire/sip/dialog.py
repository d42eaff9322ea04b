"""A dialog, from the side of the caller: tags, route set, remote target, sequence numbers (RFC 3261 section 12)."""

from typing import Final, NamedTuple

from bocau.wire.sip.message import BadMessage, Header, Request, Response, every, first
from bocau.wire.sip.uri import SipUri, parse_address, parse_uri

__all__ = ["Dialog", "Hop", "Route"]

_MAX_ROUTES: Final = 16


class Hop(NamedTuple):
    """Where a request in the dialog is to go first, by the book."""

    host: str
    port: int


class Route(NamedTuple):
    """The Request-URI and the Route headers of a request in the dialog."""

    uri: str
    headers: tuple[Header, ...]
    hop: Hop


class Dialog:
    """One peer of the call: there are several while it forks. Made from the first answer that has a To tag."""

    __slots__ = ("_routes", "_target", "confirmed", "last_rseq", "local_number", "remote", "remote_number", "tag")

    def __init__(self, response: Response, number: int, target: str) -> None:
        """From a provisional answer with a tag, or a 2xx. `number` is the INVITE's CSeq, `target` its Request-URI.

        Raises BadMessage.
        """
        self.remote = first(response, "To")
        """The To header of every request in this dialog."""
        self.tag = parse_address(self.remote).tag
        self.local_number = number
        """CSeq of our newest request in it."""
        self.remote_number = -1
        """CSeq of the peer's newest request; -1 before the first."""
        self.last_rseq = 0
        """The newest provisional answer that was acknowledged (RFC 3262)."""
        self.confirmed = False
        """Whether its 2xx came."""
        self._target = target
        self._routes: tuple[str, ...] = ()
        self.learn(response)

    def learn(self, response: Response) -> None:
        """Take route set and remote target from an answer of the INVITE; those of the 2xx count (13.2.2.4)."""
        routes = tuple(reversed(every(response, "Record-Route")))
        if len(routes) > _MAX_ROUTES:
            raise BadMessage("too many routes")
        for route in routes:
            parse_uri(parse_address(route).uri)
        self._routes = routes
        self.refresh(response)

    def refresh(self, message: Request | Response) -> None:
        """Take the remote target from a Contact, where there is one (12.2.1.2). Raises BadMessage."""
        contacts = every(message, "Contact")
        if contacts:
            uri = parse_address(contacts[0]).uri
            parse_uri(uri)
            self._target = uri

    def next_number(self) -> int:
        """The CSeq of the next request."""
        self.local_number += 1
        return self.local_number

    def route(self) -> Route:
        """How the next request travels: a first route without lr is a strict router (12.2.1.1)."""
        if not self._routes:
            return Route(self._target, (), _hop(parse_uri(self._target)))
        top = parse_uri(parse_address(self._routes[0]).uri)
        if "lr" in top.params:
            return Route(self._target, tuple(("Route", one) for one in self._routes), _hop(top))
        rest = (*self._routes[1:], f"<{self._target}>")
        strict = parse_address(self._routes[0]).uri
        return Route(strict, tuple(("Route", one) for one in rest), _hop(top))


def _hop(uri: SipUri) -> Hop:
    return Hop(uri.params.get("maddr", uri.host), uri.port or 5060)
