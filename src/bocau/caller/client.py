"""HTTP calls: `ports.HttpGet` and `ports.HttpPost` through the guard, connections kept alive (promises S2, F30, P22).

Every connection goes to an address that was checked a moment before; what is called is what `guard.parse_target` made
of the URL and nothing else. There are no redirects, no proxies and no inflating, and one deadline covers the exchange.
On a kept connection an exchange is one write and the callbacks of its answer; only opening a connection is a task.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from typing import Final

from bocau.caller.endpoint import GET, Content, Endpoint, Exchange, HttpLimits, Outbox, Wire
from bocau.caller.guard import DENIED_PORTS, Network, Refused, Target, address_is_denied, parse_target
from bocau.ports import HttpAnswer, HttpBody, HttpFailure, World

__all__ = ["GuardedHttp", "HttpLimits"]

EARLY_SECONDS: Final = 0.002
"""A timer may ring so much before its time, and deadlines within it count as reached."""
SPACING_SECONDS: Final = 0.05
"""The timer rings no sooner after it rang, however many deadlines follow: so late may one of them be kept."""

CONNECT_FAILURES: Final[tuple[tuple[type[OSError], str], ...]] = (
    (ssl.SSLCertVerificationError, "certificate not trusted"),
    (ssl.SSLError, "TLS failed"),
    (ConnectionRefusedError, "connection refused"),
    (TimeoutError, "timed out"),
    (ConnectionError, "connection reset"),
    (OSError, "cannot connect"),
)
"""The first class that fits names the failure."""


class GuardedHttp:
    """`ports.HttpGet` with a pool of connections. Make it inside a running loop, and `close` it."""

    def __init__(
        self,
        world: World,
        allowed_networks: Sequence[Network] = (),
        limits: HttpLimits | None = None,
        tls: ssl.SSLContext | None = None,
        denied_ports: frozenset[int] = DENIED_PORTS,
    ) -> None:
        """`allowed_networks` are opened against the deny table; `tls` is the system's trust unless given."""
        self._world = world
        self._allowed = tuple(allowed_networks)
        self._limits = limits or HttpLimits()
        self._tls = tls or ssl.create_default_context()
        self._denied_ports = denied_ports
        self._loop = asyncio.get_running_loop()
        self._outbox = Outbox(self._loop)
        self._endpoints: dict[tuple[str, str, int], Endpoint] = {}
        self._under_way: dict[Exchange, None] = {}
        """In the order in which they began, so that what ends them together ends them in one order."""
        self._timer: asyncio.TimerHandle | None = None
        self._tick_at = inf
        """When the timer rings, on the loop's clock: at the soonest deadline, or earlier."""
        self._closed = False

    def begin(
        self,
        url: str,
        headers: Callable[[str], Sequence[tuple[str, str]]],
        seconds: float,
        done: Callable[[HttpAnswer | HttpFailure], None],
    ) -> None:
        """One GET, as `ports.HttpGet` says. Raises ValueError."""
        self._begin(url, headers, seconds, done, GET)

    def post(
        self,
        url: str,
        body: HttpBody,
        seconds: float,
        done: Callable[[HttpAnswer | HttpFailure], None],
    ) -> None:
        """One POST, as `ports.HttpPost` says. Raises ValueError."""
        content = Content("POST", body.data, body.repeatable)
        self._begin(url, lambda _: body.headers, seconds, done, content)

    async def get(self, url: str, headers: Callable[[str], Sequence[tuple[str, str]]], seconds: float) -> HttpAnswer:
        """`begin` for who wants to wait. Raises HttpFailure and ValueError; cancelling ends the exchange."""
        told: asyncio.Future[HttpAnswer | HttpFailure] = self._loop.create_future()
        exchange = self._begin(
            url, headers, seconds, lambda result: None if told.done() else told.set_result(result), GET
        )
        try:
            result = await told
        except asyncio.CancelledError:
            if exchange is not None and not exchange.over:
                exchange.abandon()
            raise
        if isinstance(result, HttpFailure):
            raise result
        return result

    def _begin(
        self,
        url: str,
        headers: Callable[[str], Sequence[tuple[str, str]]],
        seconds: float,
        done: Callable[[HttpAnswer | HttpFailure], None],
        content: Content,
    ) -> Exchange | None:
        """Set an exchange going; None if it is refused, which `done` hears in the next turn of the loop."""
        try:
            target = parse_target(url, self._denied_ports)
        except Refused as refused:
            self._loop.call_soon(done, HttpFailure(refused.reason, refused=True))
            return None
        if self._closed:
            self._loop.call_soon(done, HttpFailure("closed"))
            return None
        endpoint = self._endpoints.get(target[:3]) or self._meet(target)
        request = endpoint.request(target.path_and_query, headers(target.path_and_query), content)
        deadline = self._loop.time() + seconds
        exchange = Exchange(endpoint, request, deadline, done, self._under_way)
        exchange.repeatable = content.repeatable
        if deadline < self._tick_at:
            self._set_timer(deadline)
        endpoint.start(exchange)
        return exchange

    def _meet(self, target: Target) -> Endpoint:
        """An endpoint that is called for the first time, or again after a rest."""
        endpoint = Endpoint(target, self._limits, self._world.monotonic, self._open)
        self._endpoints[target[:3]] = endpoint
        return endpoint

    def _open(self, exchange: Exchange) -> None:
        exchange.opening = self._loop.create_task(self._ask_anew(exchange))
        exchange.opening.add_done_callback(partial(self._opened, exchange))

    async def _ask_anew(self, exchange: Exchange) -> None:
        """Ask on a new connection. Raises HttpFailure."""
        wire = await self._connect(exchange.endpoint)
        if not wire.ask(exchange):
            raise HttpFailure("closed early")

    def _opened(self, exchange: Exchange, opening: "asyncio.Task[None]") -> None:
        """Nothing to do if the exchange has its connection; else the slot goes back, also of one that was cancelled."""
        error = HttpFailure("closed") if opening.cancelled() else opening.exception()
        if error is None:
            return
        exchange.endpoint.give(None)
        if exchange.over:
            return
        if not isinstance(error, HttpFailure):
            self._loop.call_exception_handler({"message": "a connection could not be opened", "exception": error})
            error = HttpFailure("cannot connect")
        exchange.end(error)

    async def _connect(self, endpoint: Endpoint) -> Wire:
        """A new connection to the first address that answers; every address of the name must pass the guard."""
        target = endpoint.target
        addresses = [target.host] if target.literal else await self._lookup(endpoint)
        for address in addresses:
            self._check(address)
        for address in addresses[:-1]:
            try:
                async with asyncio.timeout(self._limits.first_try_seconds):
                    return await self._dial(endpoint, address)
            except OSError:
                continue  # the next address may do better; TimeoutError is an OSError
        try:
            return await self._dial(endpoint, addresses[-1])
        except OSError as error:
            raise HttpFailure(next(text for kind, text in CONNECT_FAILURES if isinstance(error, kind))) from None

    async def _dial(self, endpoint: Endpoint, address: str) -> Wire:
        """Connect to one checked address, and check once more where the socket really ended. Raises OSError."""
        target = endpoint.target
        wire = Wire(endpoint, self._limits, self._outbox, self._world.monotonic())
        secure = target.scheme == "https"
        transport = await self._world.dial(
            lambda: wire,
            address,
            target.port,
            tls=self._tls if secure else None,
            server_hostname=target.host if secure else None,
        )
        peer = transport.get_extra_info("peername")
        try:
            if isinstance(peer, tuple) and peer:
                self._check(str(peer[0]))
        except HttpFailure:
            transport.abort()
            raise
        return wire

    def _check(self, address: str) -> None:
        reason = address_is_denied(address, self._allowed)
        if reason is not None:
            raise HttpFailure(f"address not allowed: {reason}", refused=True)

    async def _lookup(self, endpoint: Endpoint) -> list[str]:
        """All addresses of the name. Calls that come meanwhile share one look-up: a slow name holds one thread."""
        lookup = endpoint.lookup
        if lookup is None:
            lookup = endpoint.lookup = self._loop.create_task(self._resolve(endpoint))
        addresses = await asyncio.shield(lookup)
        if not addresses:
            raise HttpFailure("name not found")
        return addresses

    async def _resolve(self, endpoint: Endpoint) -> list[str]:
        try:
            return await self._world.resolve(endpoint.target.host, endpoint.target.port)
        except OSError:
            return []
        finally:
            endpoint.lookup = None

    def sweep(self) -> None:
        """Close what has rested too long and forget endpoints without use. A timer calls it; a test may."""
        oldest = self._world.monotonic() - self._limits.idle_seconds
        for key, endpoint in list(self._endpoints.items()):
            for wire in [wire for wire in endpoint.idle if wire.free_since <= oldest]:
                endpoint.lost(wire)
                wire.close()
            if endpoint.unused:
                del self._endpoints[key]

    def _set_timer(self, at: float) -> None:
        """Let the timer ring at a moment of the loop's clock, in place of the moment it had."""
        if self._timer is not None:
            self._timer.cancel()
        self._tick_at = at
        self._timer = self._loop.call_at(at, self._tick)

    def _tick(self) -> None:
        """End what is past its deadline, sweep, and look again at the next deadline."""
        now = self._loop.time()
        self._timer, self._tick_at = None, inf
        for exchange in [exchange for exchange in self._under_way if exchange.deadline <= now + EARLY_SECONDS]:
            if not exchange.over:
                exchange.fail(HttpFailure("timed out"))
        self.sweep()
        if self._endpoints and not self._closed:
            soonest = min([exchange.deadline for exchange in self._under_way], default=inf)
            self._set_timer(max(now + SPACING_SECONDS, min(soonest, now + self._limits.idle_seconds / 4)))

    @property
    def connections(self) -> int:
        """Connections open or being opened now, over all hosts."""
        return sum(endpoint.slots for endpoint in self._endpoints.values())

    def close(self) -> None:
        """Close every connection; calls under way fail at once and further ones are refused."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for exchange in list(self._under_way):
            exchange.fail(HttpFailure("closed"))
        for endpoint in self._endpoints.values():
            endpoint.close()
