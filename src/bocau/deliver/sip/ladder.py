"""What was said in one attempt at a call, message by message, to be shown to people afterwards."""

from typing import Final

from bocau.core.call import Rung
from bocau.ports import World
from bocau.wire.sip.message import FieldError, Message, encode
from bocau.wire.sip.shown import shown

__all__ = ["Ladder"]

_MOST: Final = 40
"""Messages that are kept; a call has about ten."""


class Ladder:
    """Keeps what came and what left. Nothing is made of it before the call is over."""

    __slots__ = ("_kept", "_trunk", "_world")

    def __init__(self, world: World, trunk: str) -> None:
        """Of an attempt over this trunk."""
        self._world = world
        self._trunk = trunk
        self._kept: list[tuple[int, bytes | Message]] = []

    def came(self, message: Message) -> None:
        """The trunk said this."""
        self._keep(message)

    def left(self, data: bytes) -> None:
        """We said this."""
        self._keep(data)

    def _keep(self, one: bytes | Message) -> None:
        if len(self._kept) < _MOST:
            self._kept.append((self._world.now_ms(), one))

    def rungs(self) -> tuple[Rung, ...]:
        """All of it as it may be shown."""
        return tuple(
            Rung(at_ms, isinstance(one, bytes), self._trunk, shown(one if isinstance(one, bytes) else _octets(one)))
            for at_ms, one in self._kept
        )


def _octets(message: Message) -> bytes:
    """A message that was read, written anew: its headers by their long names, its length last."""
    headers = tuple(header for header in message.headers if header[0] != "Content-Length")
    try:
        return encode(message._replace(headers=headers))
    except FieldError:
        return b"(not shown)"
