"""Steps 1 and 2 of the order of checks: whose key it is, what it may do, from where, and how fast (esms-api 5.2)."""

from collections.abc import Callable, Sequence
from typing import Protocol

from bocau.accept.counters import Counters
from bocau.accept.origin import NO_PROXIES, Address, Proxies, address_of, is_within
from bocau.accept.tolls import Tolls
from bocau.core.directory import Directory, Key, Scope
from bocau.core.refusal import Refusal
from bocau.wire.esms import codes
from bocau.wire.esms.send import SendRequest

__all__ = ["Asker", "Compose", "Visit", "enter"]


class Asker(Protocol):
    """As much of an HTTP request as tells where it came from."""

    @property
    def peer(self) -> str:
        """The address of the socket's other end."""
        ...

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """Lower-cased names with their values."""
        ...


Compose = Callable[[Key], SendRequest | Refusal]
"""Makes the send of a request whose text only a key that came in may know."""


class Visit:
    """A request on its way in: what for, from where, and what counts it.

    The door has one for all requests, since a request is decided before the next one is looked at: it changes
    `rehearsal` (which takes part in no count), `asker` (None: the operator himself) and `compose`.
    """

    __slots__ = ("_proxies", "asker", "compose", "counters", "rehearsal", "scope", "tolls")

    def __init__(
        self,
        scope: Scope,
        counters: Counters | None = None,
        proxies: Proxies = NO_PROXIES,
        asker: Asker | None = None,
        tolls: Tolls | None = None,
    ) -> None:
        self.scope = scope.value
        """As text, whose hash costs nothing."""
        self.counters = counters
        self.tolls = tolls
        self.asker = asker
        self.rehearsal = False
        self.compose: Compose | None = None
        """None: the request has its text."""
        self._proxies = proxies

    @property
    def address(self) -> Address | None:
        """Where it came from; None if that is unknown."""
        return None if self.asker is None else address_of(self.asker.peer, self.asker.headers, self._proxies)


def enter(directory: Directory, api_key: str, secret: str, visit: Visit, now_ms: int) -> Key | Refusal:
    """The key of a request that may come in, or the refusal. It takes its turn of the key's rate.

    A right secret is told why it is refused, in the reason and never in the answer's body; a wrong one is not, and a
    disabled or expired key is a wrong one (promises S4). Questions of a locked account are answered.
    """
    key = directory.sign_in(api_key, secret, now_ms)
    if key is None:
        return _refuse(codes.AUTHORIZE_FAILED, 1, "ApiKey or SecretKey is wrong")
    if visit.scope not in key.scopes:
        return _refuse(codes.AUTHORIZE_FAILED, 1, f"this key may not {visit.scope}")
    account = key.account
    if not account.active and visit.scope == Scope.SEND:
        return _refuse(codes.ACCOUNT_LOCKED, 2, f"account {account.name} is locked")
    if key.networks and visit.asker is not None and not is_within(visit.address, key.networks):
        return _refuse(codes.IP_NOT_ALLOWED, 2, f"no request from {visit.address or 'there'} is taken with this key")
    if visit.counters is not None and not visit.counters.turn(key, now_ms, visit.rehearsal):
        rate = account.limits.requests_per_second
        return _refuse(codes.TOO_FAST, 2, f"more than {rate} requests a second with this key")
    return key


def _refuse(code: str, step: int, reason: str) -> Refusal:
    return Refusal(code, codes.text(code), reason, step)
