"""One accepted connection: requests go to the handler, answers leave in order, deadlines end what takes too long."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from math import inf
from typing import Final, cast

from bocau.listener.reader import BODY, HEADERS, IDLE, RawRequest, RequestReader, Unfit

__all__ = ["HTML", "JSON", "TEXT", "XML", "Connection", "Floor", "Handler", "Limits", "Request"]

JSON: Final = b"application/json; charset=utf-8"
XML: Final = b"application/xml; charset=utf-8"
TEXT: Final = b"text/plain; charset=utf-8"
HTML: Final = b"text/html; charset=utf-8"

WRITE_AFTER: Final = 16
"""Answers to one piece that are gathered before we write and learn whether the peer takes them."""
LINGER_SECONDS: Final = 2.0
LINGER_BYTES: Final = 1 << 20
"""After a refusal we read on and throw away for so long and so much, so that no reset overtakes the answer."""

STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode("ascii") for status in HTTPStatus
}
PLAIN_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: " + JSON + b"\r\nContent-Length: "
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
BODILESS: Final = frozenset({204, 304})
REFUSALS: Final = {
    400: b'{"error":"Invalid request"}',
    405: b'{"error":"Invalid request"}',
    408: b'{"error":"Request timed out"}',
    413: b'{"error":"Request too large"}',
    415: b'{"error":"Encoding not supported"}',
    417: b'{"error":"Expectation not supported"}',
    431: b'{"error":"Request headers too large"}',
    500: b'{"error":"Internal error"}',
    503: b'{"error":"Server busy"}',
}
"""The infrastructure shape of esms-api 1.2."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one peer may cost us. Seconds are on the monotonic clock and are checked twice a second."""

    header_seconds: float = 10.0
    """From the first byte of a request (or from the accept) to the end of its headers."""
    body_seconds: float = 15.0
    """From the end of the headers to the end of the body."""
    idle_seconds: float = 75.0
    """How long a kept-alive connection may stay silent."""
    write_seconds: float = 20.0
    """How long a peer may refuse to take our bytes."""
    header_bytes: int = 16 * 1024
    body_bytes: int = 1 << 20
    connections: int = 4096
    """When so many are open, a quiet one gives way to a new one; if none is quiet, the new one gets a 503."""
    pipelined: int = 64
    """Unanswered requests of one connection after which we read no more from it."""


class Request:
    """One whole request. Answer it exactly once with `respond`, at once or later from the loop's thread.

    `target` is in origin form as bytes (path and query; the absolute form has lost its scheme and host), with bytes
    above 0x7F percent-encoded. `headers` are in order of arrival with lower-cased names. `peer` is the IP address of
    the socket's other end, empty if unknown; forwarded-for headers are the handler's business.
    """

    __slots__ = ("_connection", "answer", "body", "headers", "keep", "method", "peer", "target")

    def __init__(self, connection: "Connection", raw: RawRequest) -> None:
        self.method, self.target, self.headers, self.body, self.keep, _ = raw
        self.peer = connection.peer
        self.answer: bytes | None = None
        """The bytes of the answer, None while there is none."""
        self._connection = connection

    def header(self, name: bytes) -> bytes:
        """The first value of a header, empty if it is missing. `name` is in lower case."""
        for key, value in self.headers:
            if key == name:
                return value
        return b""

    def respond(
        self,
        status: int,
        body: bytes,
        content_type: bytes = JSON,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        """Send the answer, after those to earlier requests of the connection. Harmless if the peer has gone.

        Content-Length and Connection are ours; an empty body for a HEAD says that its length is not known. Raises
        RuntimeError on a second call and ValueError if a header has a line break in it.
        """
        if self.answer is not None:
            raise RuntimeError("the request has been answered already")
        connection = self._connection
        if connection.lost:
            self.answer = b""
            return
        bodiless = self.method == "HEAD" or status in BODILESS
        if status == 200 and content_type is JSON and self.keep and not (headers or bodiless or connection.special):
            self.answer = b"%b%d\r\n\r\n%b" % (PLAIN_HEAD, len(body), body)
        else:
            head = self._head(status, len(body), content_type, headers)
            self.answer = head if bodiless else head + body
        connection.flush()

    def _head(self, status: int, size: int, content_type: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
        """Status line and headers, with the empty line."""
        lines = [STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status]
        if status not in BODILESS:
            lines.append(b"Content-Type: %b\r\n" % content_type)
            if size or self.method != "HEAD":
                lines.append(b"Content-Length: %d\r\n" % size)
        for name, value in headers:
            if b"\n" in name or b"\r" in name or b"\n" in value or b"\r" in value:
                raise ValueError("a header cannot have a line break in it")
            lines.append(b"%b: %b\r\n" % (name, value))
        lines.append(self._connection.connection_line(self))
        lines.append(b"\r\n")
        return b"".join(lines)


Handler = Callable[[Request], None]


class Floor:
    """What the connections of one listener share: the handler, the limits, the clock of the last sweep, each other."""

    __slots__ = (
        "body_deadline",
        "connections",
        "draining",
        "empty",
        "handler",
        "header_deadline",
        "idle_deadline",
        "limits",
        "now",
        "on_fault",
        "refused",
    )

    def __init__(self, handler: Handler, limits: Limits, on_fault: Callable[[Exception], None], now: float) -> None:
        self.handler = handler
        self.limits = limits
        self.on_fault = on_fault
        self.draining = False
        self.refused = 0
        self.connections: dict[Connection, None] = {}
        """In order of arrival."""
        self.empty = asyncio.Event()
        self.empty.set()
        self.set_clock(now)

    def set_clock(self, now: float) -> None:
        """The time until the next sweep, in monotonic seconds; requests do not read the clock themselves."""
        self.now = now
        self.header_deadline = now + self.limits.header_seconds
        self.body_deadline = now + self.limits.body_seconds
        self.idle_deadline = now + self.limits.idle_seconds

    def admit(self, connection: "Connection") -> bool:
        """Count a new connection in. When full, the oldest quiet one makes room; False if there is none."""
        room = len(self.connections) < self.limits.connections or self._make_room()
        self.connections[connection] = None
        self.empty.clear()
        if not room:
            self.refused += 1
        return room and not self.draining

    def _make_room(self) -> bool:
        for connection in self.connections:
            if connection.quiet:
                connection.dismiss()
                return True
        return False

    def forget(self, connection: "Connection") -> None:
        """Count a lost connection out."""
        self.connections.pop(connection, None)
        if not self.connections:
            self.empty.set()


class Connection(asyncio.Protocol):
    """One accepted connection. It reads no further than its peer and its handler keep up."""

    __slots__ = (
        "_armed",
        "_backlog",
        "_balancing",
        "_discarded",
        "_feeding",
        "_floor",
        "_out",
        "_pending",
        "_reader",
        "_reading",
        "_refused",
        "_transport",
        "_waiting",
        "_writable",
        "deadline",
        "peer",
        "special",
        "write_deadline",
    )

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._transport: asyncio.Transport | None = None
        self._reader = RequestReader(floor.limits.header_bytes, floor.limits.body_bytes, self._take, self._go_on)
        self._pending: deque[Request] = deque()
        self._out: list[bytes] = []
        self._waiting: deque[RawRequest | int] = deque()
        """Requests that were read and must wait for answers before them; a number is a refusal at the end."""
        self._backlog = b""
        self._discarded = 0
        self._feeding = False
        self._balancing = False
        self._refused = 0
        self._reading = True
        self._writable = True
        self._armed = HEADERS
        """The phase whose deadline is running; that of the first head runs from the accept."""
        self.deadline = floor.header_deadline
        self.write_deadline = inf
        self.peer = ""
        self.special = False
        """Whether answers need a Connection header."""

    # The transport's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection in, or refuse it when the house is full."""
        self._transport = transport = cast("asyncio.Transport", transport)
        address = transport.get_extra_info("peername")
        self.peer = str(address[0]) if isinstance(address, tuple) and address else ""
        if not self._floor.admit(self):
            self._refuse(503)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        """The peer has gone; answers that come now are dropped."""
        self._transport = None
        self._pending.clear()
        self._waiting.clear()
        self._out.clear()
        self._backlog = b""
        self._reader.dispose()
        self._floor.forget(self)

    def eof_received(self) -> bool:
        """The peer sends no more; requests that are whole still get their answers."""
        self._reader.closed = True
        if not self._pending and not self._waiting:
            return False
        self.deadline = inf
        return True

    def pause_writing(self) -> None:
        """The peer reads too slowly: take no more requests from it."""
        self._writable = False
        self.write_deadline = self._floor.now + self._floor.limits.write_seconds
        self._balance()

    def resume_writing(self) -> None:
        """The peer caught up."""
        self._writable = True
        self.write_deadline = inf
        self._balance()

    def data_received(self, data: bytes) -> None:
        """Feed the reader, at most one header allowance at a time."""
        limits = self._floor.limits
        if self._reader.closed:
            self._discard(len(data))
        elif self._backlog or len(data) > limits.header_bytes:
            self._backlog += data
            self._balance()
        else:
            self._feed(data)
            if self._waiting or not self._writable or len(self._pending) >= limits.pipelined:
                self._balance()

    def _balance(self) -> None:
        """Go on with what waits as far as the peer and the handler keep up; read on, or stop reading."""
        if self._feeding or self._balancing:
            return
        self._balancing = True
        step = self._floor.limits.header_bytes
        while self._has_room() and (self._waiting or (self._backlog and not self._reader.closed)):
            if self._waiting:
                self._serve_waiting()
            else:
                piece, self._backlog = self._backlog[:step], self._backlog[step:]
                self._feed(piece)
        self._balancing = False
        self._set_reading(self._reader.closed or (self._has_room() and not self._backlog))

    def _set_reading(self, wanted: bool) -> None:
        if wanted == self._reading or self._transport is None:
            return
        self._reading = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _has_room(self) -> bool:
        """Whether the peer takes our answers and the handler makes them."""
        return self._writable and len(self._pending) < self._floor.limits.pipelined

    def _discard(self, size: int) -> None:
        """Bytes after the last request; only so many are read for the sake of a clean close."""
        self._discarded += size
        if self._discarded > LINGER_BYTES:
            self.cut()

    # The reader's side.

    def _feed(self, data: bytes) -> None:
        """Read one piece; send what was answered meanwhile in one write; set the deadline that now holds."""
        self._feeding = True
        try:
            self._reader.feed(data)
        except Unfit as unfit:
            if not self._reader.closed:
                self._refuse(unfit.status)
        except Exception as fault:  # noqa: BLE001 - the rim: one bad request must not end the others
            self._floor.on_fault(fault)
            self._refuse(500)
        self._feeding = False
        phase = self._reader.phase
        if phase != self._armed and not self._reader.closed:
            self._armed = phase
            if phase != IDLE:
                self.deadline = self._floor.body_deadline if phase == BODY else self._floor.header_deadline
        if phase == IDLE and (self._pending or self._waiting):
            self.deadline = inf
        if self._out:
            self._send()

    def _take(self, raw: RawRequest) -> None:
        """A whole request: serve it now, or when there is room."""
        self._armed = IDLE
        if len(self._out) >= WRITE_AFTER:
            self._write()
        if self._waiting or not self._has_room():
            self._waiting.append(raw)
        else:
            self._serve(raw)

    def _serve_waiting(self) -> None:
        """Serve requests that had to wait, as many as there is room for."""
        self._feeding = True
        while self._waiting and self._has_room():
            raw = self._waiting.popleft()
            if isinstance(raw, int):
                self._say_no(raw)
            else:
                self._serve(raw)
            if len(self._out) >= WRITE_AFTER:
                self._write()
        self._feeding = False
        if self._out:
            self._send()

    def _serve(self, raw: RawRequest) -> None:
        """Hand a request over."""
        request = Request(self, raw)
        if raw.told_keep:
            self.special = True
        self._pending.append(request)
        try:
            self._floor.handler(request)
        except Exception as fault:  # noqa: BLE001 - the rim: one bad request must not end the others
            self._floor.on_fault(fault)
            if request.answer is None:
                request.respond(500, REFUSALS[500])

    def _go_on(self) -> None:
        """The peer waits for a word before it sends its body; behind open answers it does without (RFC 9110 10.1.1)."""
        if not self._pending and not self._waiting:
            self._out.append(CONTINUE)

    # Answering.

    @property
    def lost(self) -> bool:
        """Whether there is nobody to answer."""
        return self._transport is None

    @property
    def quiet(self) -> bool:
        """Whether the connection can go without anybody missing it."""
        return self._reader.phase == IDLE and not (self._pending or self._waiting or self._reader.closed)

    def connection_line(self, request: Request) -> bytes:
        """The Connection header of an answer, as a line, empty if none is needed. A closing house takes no more."""
        final = self._floor.draining and not self._waiting and bool(self._pending) and self._pending[-1] is request
        if final:
            self._reader.closed = True
        if final or not request.keep:
            return b"Connection: close\r\n"
        return b"Connection: keep-alive\r\n" if self.special else b""

    def flush(self) -> None:
        """A pending request has its answer: send all that are ready in order, in one write."""
        pending = self._pending
        while pending and (answer := pending[0].answer) is not None:
            pending.popleft()
            self._out.append(answer)
        if self._out and not self._feeding:
            self._send()

    def _write(self) -> None:
        out = self._out
        if self._transport is not None:
            self._transport.write(out[0] if len(out) == 1 else b"".join(out))
        out.clear()

    def _send(self) -> None:
        """Write what is ready, and see what comes next."""
        self._write()
        if not self._pending and not self._waiting:
            if self._reader.closed:
                self._finish()
                return
            if self._reader.phase == IDLE:
                self.deadline = self._floor.idle_deadline
        if not self._reading:
            self._balance()

    def _finish(self) -> None:
        """Nothing more to say. After a refusal bytes may still come: half-close, lest a reset overtakes the answer."""
        transport = self._transport
        if transport is None:
            return
        if self._refused not in {0, 503} and transport.can_write_eof() and not transport.is_closing():
            self.deadline = self._floor.now + LINGER_SECONDS
            transport.write_eof()
            self._balance()
        else:
            self.deadline = self._floor.now + self._floor.limits.write_seconds
            transport.close()

    def _refuse(self, status: int) -> None:
        """Answer, after all earlier requests, that this one cannot be; then close."""
        self._reader.closed = True
        self._backlog = b""
        self.deadline = inf
        if self._waiting:
            self._waiting.append(status)
        else:
            self._say_no(status)

    def _say_no(self, status: int) -> None:
        self._refused = status
        headers = ((b"Allow", b"GET, POST"),) if status == 405 else ()
        request = Request(self, RawRequest("", b"", [], b"", keep=False, told_keep=False))
        self._pending.append(request)
        request.respond(status, REFUSALS[status], JSON, headers)

    def expire(self) -> None:
        """A deadline of ours has passed."""
        if self._reader.closed or not self._writable:
            self.cut()
        elif self._reader.phase == IDLE:
            self.dismiss()
        else:
            self._refuse(408)

    def dismiss(self) -> None:
        """Close without an answer; nothing is pending."""
        self._reader.closed = True
        self._finish()

    def cut(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()
