"""Asking the operator's own service for the network of a number, before a message is routed.

A message waits for the answer as long as the settings say and not longer; without one it goes by its prefix. Answers
are kept where what carriers say is kept, so a number is asked about once. A service that fails is left in peace for a
while.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

import msgspec

from bocau.core.phone import to_e164
from bocau.core.pointer import value_at
from bocau.core.telcos import telco_named
from bocau.ports import HttpAnswer, HttpFailure, HttpGet, World
from bocau.telemetry import DispatchMeters, Log, LogEvent

__all__ = ["LookupSettings", "NetworkLookup"]

Told = Callable[[int], None]
"""Given the network, or 0 if it was not to be had."""

_FAILURES: Final = 5
_REST_SECONDS: Final = 10.0


class LookupSettings(NamedTuple):
    """The service."""

    url: str
    """With {phone} or {e164} in it."""
    authorization: str
    pointer: str
    networks: Mapping[str, int]
    seconds: float
    in_flight: int

    def __repr__(self) -> str:
        """Without the key (promises S1)."""
        return "LookupSettings(...)"


class NetworkLookup:
    """Asks, at most once at a time for each number. `known` tells what needs no asking; `note` is told the answers."""

    def __init__(
        self,
        world: World,
        http: HttpGet,
        settings: LookupSettings,
        known: Callable[[str], int],
        note: Callable[[str, int], None],
        meters: DispatchMeters,
        log: Log,
    ) -> None:
        self.known = known
        self._world = world
        self._http = http
        self._settings = settings
        self._note = note
        self._meters = meters
        self._log = log
        self._asking: dict[str, list[Told]] = {}
        self._failures = 0
        self._rest_until = 0.0

    @property
    def waiting(self) -> int:
        """Messages that wait for an answer."""
        return sum(map(len, self._asking.values()))

    def ask(self, phone: str, told: Told) -> bool:
        """Have the network of a number told, once; False if the service is not to be asked now, and nobody is told."""
        asking = self._asking.get(phone)
        if asking is not None:
            asking.append(told)
            return True
        settings = self._settings
        if len(self._asking) >= settings.in_flight or self._world.monotonic() < self._rest_until:
            self._meters.lookups["skipped"] += 1
            return False
        self._asking[phone] = [told]
        url = settings.url.replace("{phone}", phone).replace("{e164}", to_e164(phone))
        self._http.begin(url, self._headers, settings.seconds, partial(self._answered, phone))
        return True

    def _headers(self, sent: str) -> Sequence[tuple[str, str]]:
        del sent
        own = self._settings.authorization
        return (("Authorization", own),) if own else ()

    def _answered(self, phone: str, result: HttpAnswer | HttpFailure) -> None:
        telco = self._read(result)
        self._count(telco, result)
        if telco:
            self._note(phone, telco)
        for told in self._asking.pop(phone):
            told(telco)

    def _read(self, result: HttpAnswer | HttpFailure) -> int:
        """The network that an answer names; 0 if it is none."""
        if isinstance(result, HttpFailure) or not 200 <= result.status < 300:
            return 0
        pointer = self._settings.pointer
        if not pointer:
            return telco_named(result.body.decode("utf-8", "replace"), self._settings.networks)
        try:
            tree = msgspec.json.decode(result.body)
        except (msgspec.DecodeError, RecursionError):
            return 0
        return telco_named(value_at(tree, pointer), self._settings.networks)

    def _count(self, telco: int, result: HttpAnswer | HttpFailure) -> None:
        """A service that knows nothing of a number works; one that does not answer is left in peace."""
        self._meters.lookups["answered" if telco else "failed"] += 1
        if isinstance(result, HttpAnswer) and result.status < 500:
            self._failures = 0
            return
        self._failures += 1
        if self._failures >= _FAILURES:
            self._failures = 0
            self._rest_until = self._world.monotonic() + _REST_SECONDS
            reason = result.reason if isinstance(result, HttpFailure) else f"HTTP {result.status}"
            self._log.warning(LogEvent.LOOKUP_REST, reason=reason, seconds=_REST_SECONDS)
