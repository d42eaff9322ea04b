"""The GET that tells a customer: `ports.HttpGet` through the guard, connections kept alive (promises S2, F30, P22).

Every connection goes to an address that was checked a moment before; what is called is what `guard.parse_target` made
of the URL and nothing else. There are no redirects, no proxies and no inflating, and one deadline covers the exchange.
"""

import asyncio
import re
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final, NamedTuple, cast

import httptools

from bocau.ports import HttpAnswer, HttpFailure, World
from bocau.report.guard import (
    DEFAULT_PORTS,
    DENIED_PORTS,
    Network,
    Refused,
    Target,
    address_is_denied,
    parse_target,
)

__all__ = ["GetLimits", "GuardedGet"]

BODY_KEPT: Final = 4 * 1024
FIELD_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
COMMON_HEADERS: Final = "User-Agent: bocau\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
RETRY_AFTER_KEPT: Final = 64
FIRST_FINAL_STATUS: Final = 200

CONNECT_FAILURES: Final[tuple[tuple[type[OSError], str], ...]] = (
    (ssl.SSLCertVerificationError, "certificate not trusted"),
    (ssl.SSLError, "TLS failed"),
    (ConnectionRefusedError, "connection refused"),
    (TimeoutError, "timed out"),
    (ConnectionError, "connection reset"),
    (OSError, "cannot connect"),
)
"""The first class that fits names the failure."""


@dataclass(frozen=True, slots=True)
class GetLimits:
    """What one endpoint may cost us."""

    connections_per_host: int = 32
    """Open at once to one (scheme, host, port); further calls wait in line, within their deadline."""
    idle_seconds: float = 15.0
    """How long an unused connection is kept."""
    age_seconds: float = 300.0
    """A connection older than this is not used again, so that a change of address is followed."""
    header_bytes: int = 32 * 1024
    """Of an answer, interim answers included."""
    body_bytes: int = 64 * 1024
    """Of an answer on the wire; when more comes the answer counts as it is and the connection is closed."""
    first_try_seconds: float = 3.0
    """How long one of several addresses may take to connect before the next is tried."""


class Reply(NamedTuple):
    """A whole answer as one connection saw it."""

    status: int
    body: bytes
    retry_after: str
    keep: bool


class Stale(Exception):  # noqa: N818 - says what the connection was
    """A kept connection turned out to be closed: nothing came back, so asking again on a new one is safe."""


class Wire(asyncio.Protocol):
    """One connection to a customer's host; one exchange at a time."""

    __slots__ = (
        "_body",
        "_done",
        "_future",
        "_header_done",
        "_keep",
        "_limits",
        "_measured",
        "_parser",
        "_received",
        "_retry_after",
        "_reused",
        "_status",
        "_transport",
        "born",
        "endpoint",
        "idle_since",
    )

    def __init__(self, endpoint: "Endpoint", limits: GetLimits, born: float) -> None:
        self.endpoint = endpoint
        self.born = born
        self.idle_since = inf
        """When it was put aside; infinite while it is in use."""
        self._limits = limits
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._future: asyncio.Future[Reply] | None = None
        self._reused = False
        self._reset()

    def _reset(self) -> None:
        self._received = 0
        self._status = 0
        self._body = b""
        self._retry_after = ""
        self._header_done = False
        self._measured = False
        self._keep = False
        self._done = False

    @property
    def usable(self) -> bool:
        """Whether it can be asked something."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, request: bytes) -> asyncio.Future[Reply]:
        """Send a request. The future gets a Reply, HttpFailure or Stale."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        if self._transport is None or self._transport.is_closing():
            future.set_exception(Stale() if self._reused else HttpFailure("closed early"))
            return future
        self._reset()
        self._future = future
        self._transport.write(request)
        return future

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open."""
        self._transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        """A piece of the answer. Bytes that nobody asked for end the connection."""
        if self._future is None or self._parser is None:
            self.cut()
            return
        before = self._received
        self._received += len(data)
        allowed = self._limits.header_bytes + self._limits.body_bytes
        try:
            self._parser.feed_data(data if self._received <= allowed else data[: allowed - before])
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if not self._done:
                self._fail(HttpFailure("not an HTTP answer"))
                return
            self._keep = False  # bytes after the end: the answer counts, the connection does not
        if self._done or (self._header_done and self._received > allowed):
            self._succeed()
        elif not self._header_done and self._received > self._limits.header_bytes:
            self._fail(HttpFailure("headers too long"))

    def eof_received(self) -> bool:
        """The host sends no more; `connection_lost` follows."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed. An answer without a length ends here; any other is cut short."""
        self._transport = None
        self._parser = None  # the parser holds our methods: break the circle
        self.endpoint.lost(self)
        if self._future is None:
            return
        if self._header_done and not self._measured and exc is None:
            self._succeed()
        elif self._reused and not self._received:
            self._fail(Stale())
        else:
            self._fail(HttpFailure("closed early" if exc is None else "connection reset"))

    def on_message_begin(self) -> None:
        """A second answer where one was asked for: stop, before it is taken for the answer to the next question."""
        if self._done:
            raise HttpFailure("not an HTTP answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Only three headers matter."""
        name = name.lower()
        if name == b"content-length":
            self._measured = True
        elif name == b"transfer-encoding":
            self._measured = value.strip().lower().endswith(b"chunked")
        elif name == b"retry-after":
            self._retry_after = value.strip()[:RETRY_AFTER_KEPT].decode("latin-1")

    def on_headers_complete(self) -> None:
        """The head of an answer, or of an interim one."""
        assert self._parser is not None  # noqa: S101 - called while parsing
        self._status = self._parser.get_status_code()
        self._header_done = self._status >= FIRST_FINAL_STATUS

    def on_body(self, piece: bytes) -> None:
        """Keep the beginning."""
        if len(self._body) < BODY_KEPT:
            self._body += piece[: BODY_KEPT - len(self._body)]

    def on_message_complete(self) -> None:
        """The end of an answer; an interim one is forgotten."""
        if self._status < FIRST_FINAL_STATUS:
            self._measured = False
            self._retry_after = ""
            return
        assert self._parser is not None  # noqa: S101 - called while parsing
        self._keep = self._parser.should_keep_alive()
        self._done = True

    def _succeed(self) -> None:
        future, self._future = self._future, None
        self._reused = True
        if future is not None and not future.done():
            keep = self._keep and self._done
            future.set_result(Reply(self._status, self._body, self._retry_after, keep))

    def _fail(self, failure: Exception) -> None:
        future, self._future = self._future, None
        self.cut()
        if future is not None and not future.done():
            future.set_exception(failure)

    def cut(self) -> None:
        """Drop the connection at once."""
        self._future = None
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close the connection; an exchange on it fails."""
        if self._future is not None:
            self._fail(HttpFailure("closed"))
        elif self._transport is not None:
            self._transport.close()


class Endpoint:
    """One (scheme, host, port): its connections, its waiting line, its name look-up.

    A slot is the right to one connection; there are `cap` of them.
    """

    __slots__ = ("_cap", "_clock", "common", "idle", "lookup", "slots", "target", "waiting", "wires")

    def __init__(self, target: Target, cap: int, clock: Callable[[], float]) -> None:
        self._cap = cap
        self._clock = clock
        self.target = target
        self.wires: set[Wire] = set()
        """Open connections, in use and at rest."""
        self.idle: list[Wire] = []
        self.slots = 0
        """Slots taken, by connections in use and at rest and by those being opened."""
        self.waiting: deque[asyncio.Future[Wire | None]] = deque()
        self.lookup: asyncio.Task[list[str]] | None = None
        name = f"[{target.host}]" if ":" in target.host else target.host
        port = "" if target.port == DEFAULT_PORTS[target.scheme] else f":{target.port}"
        self.common = f" HTTP/1.1\r\nHost: {name}{port}\r\n{COMMON_HEADERS}"

    async def take(self) -> Wire | None:
        """A slot, with a kept connection or without. Waits for one, first come first served."""
        while self.idle:
            wire = self.idle.pop()
            if wire.usable:
                wire.idle_since = inf
                return wire
            self.slots -= 1
        if self.slots < self._cap:
            self.slots += 1
            return None
        turn: asyncio.Future[Wire | None] = asyncio.get_running_loop().create_future()
        self.waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.give(turn.result())  # our turn came as our time ran out: pass it on
            raise

    def give(self, wire: Wire | None) -> None:
        """Give a slot back, with a connection that can be used again or without."""
        while self.waiting:
            turn = self.waiting.popleft()
            if not turn.done():
                turn.set_result(wire)
                return
        if wire is not None and wire.usable:
            wire.idle_since = self._clock()
            self.idle.append(wire)
        else:
            self.slots -= 1

    def lost(self, wire: Wire) -> None:
        """A connection has closed, or is about to."""
        self.wires.discard(wire)
        if wire in self.idle:
            self.idle.remove(wire)
            self.slots -= 1

    @property
    def unused(self) -> bool:
        """Whether nothing is open, opening or waiting here."""
        return not self.slots and not self.waiting and self.lookup is None

    def close(self) -> None:
        """Close all connections and send the waiting away."""
        for turn in self.waiting:
            if not turn.done():
                turn.set_exception(HttpFailure("closed"))
        for wire in list(self.wires):
            wire.close()
        if self.lookup is not None:
            self.lookup.cancel()


class GuardedGet:
    """`ports.HttpGet` with a pool of connections. Make it inside a running loop, and `close` it."""

    def __init__(
        self,
        world: World,
        allowed_networks: Sequence[Network] = (),
        limits: GetLimits | None = None,
        tls: ssl.SSLContext | None = None,
        denied_ports: frozenset[int] = DENIED_PORTS,
    ) -> None:
        """`allowed_networks` are opened against the deny table; `tls` is the system's trust unless given."""
        self._world = world
        self._allowed = tuple(allowed_networks)
        self._limits = limits or GetLimits()
        self._tls = tls or ssl.create_default_context()
        self._denied_ports = denied_ports
        self._endpoints: dict[tuple[str, str, int], Endpoint] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    async def get(self, url: str, headers: Callable[[str], Sequence[tuple[str, str]]], seconds: float) -> HttpAnswer:
        """One GET, as `ports.HttpGet` says. Raises HttpFailure and ValueError."""
        started = self._world.monotonic()
        try:
            target = parse_target(url, self._denied_ports)
        except Refused as refused:
            raise HttpFailure(refused.reason, refused=True) from None
        if self._closed:
            raise HttpFailure("closed")
        key = target[:3]
        endpoint = self._endpoints.get(key)
        if endpoint is None:
            endpoint = self._endpoints[key] = Endpoint(target, self._limits.connections_per_host, self._world.monotonic)
        request = request_bytes(target.path_and_query, endpoint.common, headers(target.path_and_query))
        try:
            async with asyncio.timeout(seconds):
                reply = await self._exchange(endpoint, request)
        except TimeoutError:
            raise HttpFailure("timed out") from None
        return HttpAnswer(reply.status, reply.body, self._world.monotonic() - started, reply.retry_after)

    async def _exchange(self, endpoint: Endpoint, request: bytes) -> Reply:
        """Take a slot, ask, give the slot back. A kept connection that proves stale is replaced once."""
        kept: Wire | None = None
        wire = await endpoint.take()
        try:
            reply = None
            if wire is not None:
                try:
                    reply = await wire.ask(request)
                except Stale:
                    reply = None
            if reply is None:
                wire = await self._connect(endpoint)
                reply = await wire.ask(request)
            if reply.keep:
                kept = wire
            return reply
        finally:
            if wire is not None and (kept is None or self._closed or self._is_old(wire)):
                wire.cut()
                kept = None
            endpoint.give(kept)
            if self._timer is None and not self._closed:
                self._timer = asyncio.get_running_loop().call_later(self._limits.idle_seconds / 4, self._tick)

    def _is_old(self, wire: Wire) -> bool:
        return self._world.monotonic() - wire.born > self._limits.age_seconds

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
        wire = Wire(endpoint, self._limits, self._world.monotonic())
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
        endpoint.wires.add(wire)
        return wire

    def _check(self, address: str) -> None:
        reason = address_is_denied(address, self._allowed)
        if reason is not None:
            raise HttpFailure(f"address not allowed: {reason}", refused=True)

    async def _lookup(self, endpoint: Endpoint) -> list[str]:
        """All addresses of the name. Calls that come meanwhile share one look-up: a slow name holds one thread."""
        lookup = endpoint.lookup
        if lookup is None:
            lookup = endpoint.lookup = asyncio.get_running_loop().create_task(self._resolve(endpoint))
        try:
            addresses = await asyncio.shield(lookup)
        except asyncio.CancelledError:
            if self._closed and lookup.cancelled():
                raise HttpFailure("closed") from None
            raise
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
            for wire in [wire for wire in endpoint.idle if wire.idle_since <= oldest]:
                endpoint.lost(wire)
                wire.close()
            if endpoint.unused:
                del self._endpoints[key]

    def _tick(self) -> None:
        self.sweep()
        self._timer = None
        if self._endpoints:
            self._timer = asyncio.get_running_loop().call_later(self._limits.idle_seconds / 4, self._tick)

    @property
    def connections(self) -> int:
        """Connections open or being opened now, over all hosts."""
        return sum(endpoint.slots for endpoint in self._endpoints.values())

    def close(self) -> None:
        """Close every connection; calls under way fail at once and further ones are refused."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for endpoint in self._endpoints.values():
            endpoint.close()


def request_bytes(path_and_query: str, common: str, headers: Sequence[tuple[str, str]]) -> bytes:
    """The request. Raises ValueError for a header that would break out of its line."""
    lines = [f"GET {path_and_query}{common}"]
    for name, value in headers:
        if FIELD_NAME.fullmatch(name) is None or not (value.isascii() and value.isprintable()):
            raise ValueError("a header has a sign that cannot be sent")
        lines.append(f"{name}: {value}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode("ascii")
