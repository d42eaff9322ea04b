"""Bytes of one connection to whole requests: no socket, no clock (RFC 9112). The grammar is llhttp's, the caps ours."""

from collections.abc import Callable
from typing import Final, NamedTuple

import httptools

__all__ = ["BODY", "HEADERS", "IDLE", "RawRequest", "RequestReader", "Unfit"]

IDLE: Final = 0
HEADERS: Final = 1
BODY: Final = 2
"""Phases of a reader: between requests, in the head of one, in its body."""

METHODS: Final = {
    name.encode("ascii"): name for name in ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE")
}
HOP_HEADERS: Final = frozenset({b"upgrade", b"http2-settings", b"connection"})
QUOTED: Final = tuple(bytes([octet]) if octet < 0x80 else b"%%%02X" % octet for octet in range(256))


class Unfit(Exception):  # noqa: N818 - the request is unfit; the status says why
    """The bytes are no request that we take; nothing after them can be read. `status` is the HTTP status to answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class RawRequest(NamedTuple):
    """One whole request as it was read."""

    method: str
    target: bytes
    """Origin form; bytes above 0x7F percent-encoded."""
    headers: list[tuple[bytes, bytes]]
    """Lower-cased names."""
    body: bytes
    keep: bool
    """Whether the peer will use the connection again."""
    told_keep: bool
    """Whether an HTTP/1.0 peer asked to keep the connection and wants to be told."""


class RequestReader:
    """Feed it pieces of at most `header_bytes`; it calls `take` with each request and `go_on` when 100 is due.

    `closed` is set by a request that is the connection's last, or by the owner: what follows is then ignored.
    """

    __slots__ = (
        "_body",
        "_body_bytes",
        "_body_size",
        "_expects",
        "_fresh",
        "_go_on",
        "_head_size",
        "_header_bytes",
        "_headers",
        "_length",
        "_parser",
        "_status",
        "_take",
        "_target",
        "_told_keep",
        "_upgrades",
        "_wire_size",
        "closed",
        "phase",
    )

    def __init__(
        self, header_bytes: int, body_bytes: int, take: Callable[[RawRequest], None], go_on: Callable[[], None]
    ) -> None:
        self.phase = IDLE
        self.closed = False
        self._header_bytes = header_bytes
        self._body_bytes = body_bytes
        self._take = take
        self._go_on = go_on
        self._status = 0
        self._told_keep = False
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self._begin()

    def _begin(self) -> None:
        """Forget the request being read."""
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: bytes | bytearray = b""
        self._body_size = 0
        self._length = -1
        self._head_size = 0
        self._wire_size = 0
        self._fresh = True
        self._expects = False
        self._upgrades = False

    def dispose(self) -> None:
        """Break the circle of reader and parser; nothing can be fed any more."""
        self.closed = True
        self._parser = None

    def feed(self, data: bytes) -> None:
        """Read one piece. Raises Unfit, and whatever a bug of ours raises inside."""
        try:
            if data.isascii():
                self._consume(data)
            else:
                self._consume_mixed(data)
        except httptools.HttpParserCallbackError as error:
            if self._status:
                raise Unfit(self._status) from None
            raise error.__context__ or error from None
        except httptools.HttpParserError:
            if not self.closed:
                raise Unfit(400) from None
        if self.phase != IDLE and not self.closed:
            self._weigh(len(data))

    def _weigh(self, size: int) -> None:
        """A request is under way: see that it does not grow without end."""
        if self.phase == HEADERS:
            # The piece it began in may hold the end of the request before, so it is not counted.
            self._head_size = 1 if self._fresh else self._head_size + size
            self._fresh = False
            if self._head_size > self._header_bytes:
                raise Unfit(431)
        else:
            # Framing may not outweigh the body: it stops endless trailers, chunk extensions and one-byte chunks.
            self._wire_size += size
            if self._wire_size > 2 * (self._body_size + self._header_bytes):
                raise Unfit(400)

    def _consume(self, data: bytes) -> None:
        """Parse; a request that asks for an upgrade is read again without that wish. Raises HttpParserError."""
        while data and self._parser is not None:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                head = self._head_without_upgrade()
                data = data[upgrade.args[0] :]
                self._begin()
                self.phase = IDLE
                self._parser = httptools.HttpRequestParser(self)
                self._parser.feed_data(head)
            else:
                return

    def _head_without_upgrade(self) -> bytes:
        """The head of the request being read, rebuilt: the parser takes no body after an upgrade (RFC 9110, 7.8)."""
        assert self._parser is not None  # noqa: S101 - called while parsing
        version = self._parser.get_http_version().encode("ascii")
        lines = [b"%b %b HTTP/%b" % (self._parser.get_method(), self._target, version)]
        lines += [b"%b: %b" % header for header in self._headers if header[0] not in HOP_HEADERS]
        if any(name == b"connection" and b"close" in value.lower() for name, value in self._headers):
            lines.append(b"connection: close")
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def _consume_mixed(self, data: bytes) -> None:
        """Parse a piece with bytes above 0x7F. The parser refuses them in a target, so they are quoted there."""
        at = 0
        while at < len(data) and not self.closed:
            end = self._end_of_piece(data, at)
            piece = data[at:end]
            if not piece.isascii() and (self.phase == IDLE or (self.phase == HEADERS and not self._headers)):
                piece = b"".join([QUOTED[octet] for octet in piece])
            self._consume(piece)
            at = end

    def _end_of_piece(self, data: bytes, at: int) -> int:
        """How far the bytes certainly belong to one phase: a line of a head, or as much of a body as can be told."""
        if self.phase == IDLE:
            end = data.find(b"\r\n\r\n", at) + 4
            if end > at and data[at:end].isascii():
                return end  # the usual case: a plain head with a Vietnamese body after it
        if self.phase != BODY:
            return data.find(b"\n", at) + 1 or len(data)
        if self._length >= 0:
            return min(len(data), at + self._length - self._body_size)
        # Chunks: the next request begins no earlier than the line with the next version, or the last line.
        version = data.find(b" HTTP/1.", at)
        start = data.rfind(b"\n", at, version if version >= 0 else len(data)) + 1
        return start or data.find(b"\n", at) + 1 or len(data)

    # What the parser calls.

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        self.phase = HEADERS
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; trailers are dropped."""
        if self.phase == BODY:
            return
        name = name.lower()
        self._headers.append((name, value.rstrip()))
        watch = WATCHED.get(name)
        if watch is not None:
            watch(self, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if self._head_size:
            size = len(self._target) + sum([len(name) + len(value) + 4 for name, value in self._headers])
            if size > self._header_bytes:
                self._stop(431)
        self.phase = BODY
        if self._expects and self._length != 0 and not self._upgrading():
            self._go_on()

    def on_body(self, piece: bytes) -> None:
        """A piece of the body. A copy is made only if there are several."""
        size = self._body_size + len(piece)
        if size > self._body_bytes:
            self._stop(413)
        if not self._body_size:
            self._body = piece
        elif isinstance(self._body, bytearray):
            self._body += piece
        else:
            self._body = bytearray(self._body) + piece
        self._body_size = size

    def on_message_complete(self) -> None:
        """A whole request: hand it over."""
        parser = self._parser
        assert parser is not None  # noqa: S101 - called while parsing
        method = parser.get_method()
        if self.closed or (self._upgrades and method != b"CONNECT" and self._upgrading()):
            return
        name = METHODS.get(method)
        if name is None:
            if method == b"CONNECT":
                self._stop(405)
            name = method.decode("latin-1")
        target = self._target
        if target[:1] != b"/":
            target = origin_form(target)
        body = self._body if type(self._body) is bytes else bytes(self._body)
        keep = parser.should_keep_alive()
        # As RawRequest(...), at half its cost.
        request: RawRequest = tuple.__new__(RawRequest, (name, target, self._headers, body, keep, self._told_keep))
        self._begin()
        self.phase = IDLE
        if not keep:
            self.closed = True
        self._take(request)

    def _upgrading(self) -> bool:
        """Whether the parser is about to leave this request at its headers, to be read again."""
        return self._upgrades and self._parser is not None and self._parser.should_upgrade()

    def _stop(self, status: int) -> None:
        """Refuse from inside a callback of the parser."""
        self._status = status
        raise Unfit(status)

    # Headers that decide how the request is read.

    def watch_length(self, value: bytes) -> None:
        """Content-Length; the parser has checked that it is one number. Too much is refused before it is sent."""
        self._length = int(value)
        if self._length > self._body_bytes:
            self._stop(413)

    def watch_encoding(self, value: bytes) -> None:
        """Content-Encoding: nothing is inflated here (promises M17)."""
        if value.strip().lower() not in {b"", b"identity"}:
            self._stop(415)

    def watch_transfer(self, value: bytes) -> None:
        """Transfer-Encoding: chunked alone."""
        if value.strip().lower() != b"chunked":
            self._stop(415)

    def watch_expect(self, value: bytes) -> None:
        """Expect: 100-continue is all there is (RFC 9110, 10.1.1); HTTP/1.0 cannot mean it."""
        if value.strip().lower() != b"100-continue":
            self._stop(417)
        self._expects = self._parser is not None and self._parser.get_http_version() == "1.1"

    def watch_upgrade(self, _value: bytes) -> None:
        """An upgrade is asked for; we stay with HTTP/1.1."""
        self._upgrades = True

    def watch_connection(self, value: bytes) -> None:
        """HTTP/1.0 clients that keep the connection want to be told."""
        if not self._told_keep and b"keep-alive" in value.lower() and self._parser is not None:
            self._told_keep = self._parser.get_http_version() != "1.1"


WATCHED: Final[dict[bytes, Callable[[RequestReader, bytes], None]]] = {
    b"content-length": RequestReader.watch_length,
    b"content-encoding": RequestReader.watch_encoding,
    b"transfer-encoding": RequestReader.watch_transfer,
    b"expect": RequestReader.watch_expect,
    b"upgrade": RequestReader.watch_upgrade,
    b"connection": RequestReader.watch_connection,
}


def origin_form(target: bytes) -> bytes:
    """The path and query of an absolute-form target (RFC 9112, 3.2.2); `*` and others stay as they are."""
    _, mark, rest = target.partition(b"://")
    if not mark:
        return target
    slash, query = rest.find(b"/"), rest.find(b"?")
    if query >= 0 and (slash < 0 or query < slash):
        return b"/" + rest[query:]
    return rest[slash:] if slash >= 0 else b"/"
