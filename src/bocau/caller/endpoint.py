"""One host that is called: its kept connections, the exchanges on them and those that wait for one (promises P22, F30).

Nothing here chooses an address or opens a socket; that is the business of `client`, behind the guard.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple, cast

import httptools

from bocau.caller.guard import DEFAULT_PORTS, Target
from bocau.ports import HttpAnswer, HttpFailure

__all__ = ["GET", "Content", "Endpoint", "Exchange", "HttpLimits", "Outbox", "Wire"]

BODY_KEPT: Final = 4 * 1024
FIELD_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
COMMON_HEADERS: Final = "User-Agent: bocau\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
RETRY_AFTER_KEPT: Final = 64
FIRST_FINAL_STATUS: Final = 200


@lru_cache(maxsize=64)
def _is_field_name(name: str) -> bool:
    """Whether a header may be called so (RFC 9110, 5.1). Callbacks use the same few names again and again."""
    return FIELD_NAME.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class HttpLimits:
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


class Content(NamedTuple):
    """What a request is beside its address and headers."""

    method: str
    body: bytes
    repeatable: bool
    """The host may get it twice: it may be sent again when a kept connection turns out to be closed."""


GET: Final = Content("GET", b"", repeatable=True)


class Exchange:
    """One request on its way: it waits in its endpoint's line, or for a connection, or stands on a wire."""

    __slots__ = ("_done", "_under_way", "deadline", "endpoint", "opening", "repeatable", "request", "sent", "wire")

    def __init__(
        self,
        endpoint: "Endpoint",
        request: bytes,
        deadline: float,
        done: Callable[[HttpAnswer | HttpFailure], None],
        under_way: "dict[Exchange, None]",
    ) -> None:
        self.endpoint = endpoint
        self.request = request
        self.deadline = deadline
        """On the loop's clock, in seconds."""
        self.opening: asyncio.Task[None] | None = None
        self.repeatable = True
        self.sent = False
        """Bytes of it may have reached the host."""
        self.wire: Wire | None = None
        self._done = done
        self._under_way = under_way
        under_way[self] = None

    @property
    def over(self) -> bool:
        """Whether it has ended: nothing may be sent for it any more."""
        return self not in self._under_way

    def end(self, result: HttpAnswer | HttpFailure) -> None:
        """Tell how it went. What it held must be given back before: the caller may begin the next one at once."""
        self._under_way.pop(self, None)
        if isinstance(result, HttpFailure):
            result.sent = self.sent
        self._done(result)

    def abandon(self) -> None:
        """End it without telling; whatever it holds is given back."""
        self._under_way.pop(self, None)
        if self.wire is not None:
            self.wire.drop()
        elif self.opening is not None:
            self.opening.cancel()
        else:
            self.endpoint.waiting.remove(self)

    def fail(self, failure: HttpFailure) -> None:
        """End it from outside."""
        self.abandon()
        failure.sent = self.sent
        self._done(failure)


class Outbox:
    """The requests that come up in one turn of the loop, written one after another when the turn's work is done.

    It is cheaper so: hosts are not woken between two pieces of our own work, and each finds more to do at once.
    """

    __slots__ = ("_loop", "_wires")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._wires: list[Wire] = []

    def put(self, wire: "Wire") -> None:
        """Let a wire send soon."""
        if not self._wires:
            self._loop.call_soon(self._flush)
        self._wires.append(wire)

    def _flush(self) -> None:
        wires, self._wires = self._wires, []
        for wire in wires:
            wire.send()


class Wire(asyncio.Protocol):
    """One connection to a customer's host; one exchange at a time."""

    __slots__ = (
        "_asked",
        "_body",
        "_done",
        "_endpoint",
        "_exchange",
        "_header_done",
        "_keep",
        "_limits",
        "_measured",
        "_outbox",
        "_parser",
        "_received",
        "_retry_after",
        "_reused",
        "_status",
        "_transport",
        "born",
        "free_since",
    )

    def __init__(self, endpoint: "Endpoint", limits: HttpLimits, outbox: Outbox, born: float) -> None:
        self.born = born
        self.free_since = born
        """When its last exchange ended."""
        self._endpoint = endpoint
        self._limits = limits
        self._outbox = outbox
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._exchange: Exchange | None = None
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
        self._asked = False

    @property
    def usable(self) -> bool:
        """Whether it can be asked something."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, exchange: Exchange) -> bool:
        """Put an exchange on this wire, whose request leaves in this turn of the loop. False if the wire is closed."""
        if not self.usable:
            return False
        self._reset()
        self._exchange = exchange
        exchange.wire = self
        if self._reused:
            self._outbox.put(self)
        else:
            self.send()
        return True

    def send(self) -> None:
        """Write the request of the exchange that stands here, if it still does."""
        if self._exchange is not None and self._transport is not None:
            self._asked = self._exchange.sent = True
            self._transport.write(self._exchange.request)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open."""
        self._transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        """A piece of the answer. Bytes that nobody asked for end the connection."""
        if not self._asked or self._parser is None:
            if self._transport is not None:
                self._transport.abort()
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
        self._endpoint.lost(self)
        exchange = self._exchange
        if exchange is None:
            return
        if self._header_done and not self._measured and exc is None:
            self._succeed()
        elif self._reused and not self._received and (exchange.repeatable or not exchange.sent):
            # It was closed at rest and nothing came back, so asking again on a new connection is safe.
            self._exchange = exchange.wire = None
            self._endpoint.open(exchange)
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
        exchange = self._exchange
        if exchange is None:
            return
        self._exchange = None
        self._asked = False
        self._reused = True
        answer = HttpAnswer(self._status, self._body, self._retry_after)
        self._endpoint.free(self, self._keep and self._done)  # which may send the next request: all is reset
        exchange.end(answer)

    def _fail(self, failure: HttpFailure) -> None:
        if self._exchange is not None:
            self._exchange.fail(failure)

    def drop(self) -> None:
        """Leave the exchange that stands here, and the connection with it: an answer may still come."""
        self.cut()
        self._endpoint.give(None)

    def cut(self) -> None:
        """Close the connection at once."""
        self._exchange = None
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close a connection that rests."""
        if self._transport is not None:
            self._transport.close()


class Endpoint:
    """One (scheme, host, port): its connections, its waiting line, its name look-up.

    A slot is the right to one connection; there are `connections_per_host` of them.
    """

    __slots__ = ("_clock", "_common", "_limits", "idle", "lookup", "open", "slots", "target", "waiting")

    def __init__(
        self,
        target: Target,
        limits: HttpLimits,
        clock: Callable[[], float],
        connect: Callable[[Exchange], None],
    ) -> None:
        self._limits = limits
        self._clock = clock
        self.open = connect
        """Begin to open a connection for an exchange that has a slot."""
        self.target = target
        self.idle: list[Wire] = []
        self.slots = 0
        """Slots taken, by connections in use and at rest and by those being opened."""
        self.waiting: deque[Exchange] = deque()
        self.lookup: asyncio.Task[list[str]] | None = None
        name = f"[{target.host}]" if ":" in target.host else target.host
        port = "" if target.port == DEFAULT_PORTS[target.scheme] else f":{target.port}"
        self._common = f" HTTP/1.1\r\nHost: {name}{port}\r\n{COMMON_HEADERS}"

    def request(self, path_and_query: str, headers: Sequence[tuple[str, str]], content: Content = GET) -> bytes:
        """The bytes of a request. Raises ValueError for a header that would break out of its line."""
        lines = [f"{content.method} {path_and_query}{self._common}"]
        for name, value in headers:
            if not (_is_field_name(name) and value.isascii() and value.isprintable()):
                raise ValueError("a header has a sign that cannot be sent")
            lines.append(f"{name}: {value}\r\n")
        if content is not GET:
            lines.append(f"Content-Length: {len(content.body)}\r\n")
        lines.append("\r\n")
        return "".join(lines).encode("ascii") + content.body

    def start(self, exchange: Exchange) -> None:
        """Ask on a kept connection, or open one, or wait in line: first come first served."""
        while self.idle:
            if self.idle.pop().ask(exchange):
                return
            self.slots -= 1
        if self.slots < self._limits.connections_per_host:
            self.slots += 1
            self.open(exchange)
        else:
            self.waiting.append(exchange)

    def free(self, wire: Wire, keep: bool) -> None:
        """An exchange has ended; `keep` says that its connection can be used again, unless it is too old."""
        wire.free_since = self._clock()
        if keep and wire.free_since - wire.born <= self._limits.age_seconds:
            self.give(wire)
        else:
            wire.drop()

    def give(self, wire: Wire | None) -> None:
        """Give a slot back, with a connection that can be used again or without."""
        if self.waiting:
            exchange = self.waiting.popleft()
            if wire is None or not wire.ask(exchange):
                self.open(exchange)
        elif wire is not None and wire.usable:
            self.idle.append(wire)
        else:
            self.slots -= 1

    def lost(self, wire: Wire) -> None:
        """A connection has closed, or is about to."""
        if wire in self.idle:
            self.idle.remove(wire)
            self.slots -= 1

    @property
    def unused(self) -> bool:
        """Whether nothing is open, opening or waiting here."""
        return not self.slots and not self.waiting and self.lookup is None

    def close(self) -> None:
        """Close the connections at rest and stop the look-up."""
        for wire in self.idle:
            wire.close()
        if self.lookup is not None:
            self.lookup.cancel()
