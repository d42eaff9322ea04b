"""Telephone keys in RTP: telephone-event payloads (RFC 4733, section 2)."""

from struct import Struct
from typing import Final, NamedTuple

from bocau.wire.rtp.packet import BadPacket

__all__ = ["KEYS", "KeyEvent", "KeyReader", "decode", "encode"]

KEYS: Final = "0123456789*#ABCD"
"""The signs of events 0 to 15."""

_EVENT: Final = Struct(">BBH")


class KeyEvent(NamedTuple):
    """One report of a key that is or was held down."""

    key: str
    """Empty for an event that is no key."""
    end: bool
    volume: int
    """0 to 63, in dB below full."""
    duration: int
    """So far, in ticks of the clock."""


def encode(event: KeyEvent) -> bytes:
    """The payload. Raises ValueError for a key that is none."""
    if len(event.key) != 1:
        raise ValueError("no key")
    flags = (0x80 if event.end else 0) | event.volume & 0x3F
    return _EVENT.pack(KEYS.index(event.key), flags, event.duration & 0xFFFF)


def decode(payload: bytes) -> KeyEvent:
    """Read a payload; of a redundant one the first event. Raises BadPacket."""
    if len(payload) < _EVENT.size:
        raise BadPacket("an event that is cut off")
    event, flags, duration = _EVENT.unpack_from(payload)
    key = KEYS[event] if event < len(KEYS) else ""
    return KeyEvent(key, bool(flags & 0x80), flags & 0x3F, duration)


class KeyReader:
    """Tells one key press from the next: all packets of one press carry the timestamp of its beginning (2.3)."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        """No key was pressed."""
        self._last: tuple[int, int] | None = None

    def take(self, timestamp: int, ssrc: int, payload: bytes) -> str:
        """The key if this packet begins a press, else empty; a late packet of an older press is passed over.

        Raises BadPacket.
        """
        event = decode(payload)
        last = self._last
        if not event.key:
            return ""
        if last is not None and last[0] == ssrc and not 0 < (timestamp - last[1]) & 0xFFFFFFFF < 0x80000000:
            return ""
        self._last = (ssrc, timestamp)
        return event.key
