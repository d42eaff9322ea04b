"""Messages cut out of a stream of bytes: SIP over TCP and TLS (RFC 3261 18.3, keep-alives of RFC 5626 4.4.1)."""

from collections.abc import Iterator
from enum import Enum
from typing import Final

from bocau.wire.sip.message import (
    MAX_HEAD,
    BadMessage,
    Message,
    content_length,
    read_head,
    split_head,
)

__all__ = ["PING", "PONG", "BrokenStream", "KeepAlive", "StreamFramer"]

PING: Final = b"\r\n\r\n"
"""What keeps a connection alive; the other end answers with PONG."""
PONG: Final = b"\r\n"


class KeepAlive(Enum):
    """What stands between messages."""

    PING = "ping"
    PONG = "pong"


class BrokenStream(Exception):  # noqa: N818 - says what happened
    """Where the next message begins cannot be known any more: the connection must be closed."""


class StreamFramer:
    """Cuts a stream into messages. Holds at most one message's beginning between two calls.

    `bad` counts messages that were no messages although their length was known; they are skipped.
    """

    __slots__ = ("_held", "_scanned", "bad")

    def __init__(self) -> None:
        """Start at a message's first byte."""
        self.bad = 0
        self._held = bytearray()
        # How far the held bytes were searched for the end of a head, so that a trickle costs no more than a flood.
        self._scanned = 0

    def feed(self, data: bytes) -> Iterator[Message | KeepAlive]:
        """Every message and keep-alive that these bytes complete, in order; run the iterator to its end.

        Raises BrokenStream for a head without end, or one that does not tell the length of the body.
        """
        self._held += data
        while self._held:
            if self._held[0] in b"\r\n":
                kept = self._keep_alive()
                if kept is None:
                    return
                yield kept
                continue
            taken = self._take()
            if taken is None:
                return
            message, size = taken
            del self._held[:size]
            self._scanned = 0
            if message is not None:
                yield message

    def _keep_alive(self) -> KeepAlive | None:
        """A ping is two line ends; one line end is a pong, known as such only once something else follows."""
        held = self._held
        if held.startswith(PING):
            del held[:4]
            return KeepAlive.PING
        if PING.startswith(held):
            return None
        del held[: 2 if held.startswith(PONG) else 1]
        return KeepAlive.PONG

    def _take(self) -> tuple[Message | None, int] | None:
        """The first message held and its size, None while it is not whole; a message that is none is None itself."""
        held = self._held
        if not self._has_head():
            if len(held) > MAX_HEAD:
                raise BrokenStream("the headers do not end")
            return None
        head, body_at = split_head(bytes(held[: MAX_HEAD + 4]), 0)
        message: Message | None
        try:
            message = read_head(head)
            length = content_length(message)
        except BadMessage as bad:
            length = _length_in(head)
            if length is None:
                raise BrokenStream(str(bad)) from None
            message = None
        if length is None:
            raise BrokenStream("no Content-Length")
        end = body_at + length
        if len(held) < end:
            return None
        self.bad += message is None
        return (None if message is None else message._replace(body=bytes(held[body_at:end]))), end

    def _has_head(self) -> bool:
        begin = max(0, self._scanned - 3)
        self._scanned = len(self._held)
        window = bytes(self._held[begin : MAX_HEAD + 4])
        if b"\r\n\r\n" in window or b"\n\n" in window:
            self._scanned = begin
            return True
        return False


def _length_in(head: bytes) -> int | None:
    """The Content-Length of a head that cannot be read whole; None unless exactly one plain number stands there."""
    found = []
    for line in head.split(b"\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() in (b"content-length", b"l"):
            found.append(value.strip())
    if len(found) == 1 and found[0].isdigit() and len(found[0]) <= 5:
        return int(found[0])
    return None
