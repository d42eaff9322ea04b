"""The PDUs that a link saw last, kept as they are and read only when somebody looks."""

from collections import deque
from itertools import islice
from typing import NamedTuple

from bocau.wire.smpp.codec import Frame, Framer
from bocau.wire.smpp.pdu import BrokenFrame

__all__ = ["Seen", "Trace"]


class Seen(NamedTuple):
    """One PDU, and when it passed."""

    at: float
    """Monotonic seconds."""
    ours: bool
    """We sent it."""
    frame: Frame


class Trace:
    """A ring of PDUs. Keeping one costs an entry in a deque; nothing is copied or decoded before it is asked for."""

    __slots__ = ("_ring", "seen")

    def __init__(self, size: int) -> None:
        """Remember the last `size` PDUs; 0: none."""
        self._ring: deque[tuple[float, Frame | bytes]] = deque(maxlen=size)
        self.seen = self._ring.append
        """Takes a PDU that came: its moment (monotonic seconds) and its frame."""

    def sent(self, pdus: list[bytes], now: float) -> None:
        """Take PDUs that leave."""
        self._ring.extend([(now, pdu) for pdu in pdus])

    def pdus(self, last: int | None = None) -> list[Seen]:
        """What is remembered, oldest first; with `last`, no more than so many of the newest."""
        size = len(self._ring)
        start = 0 if last is None else max(0, size - last)
        return [_seen(at, pdu) for at, pdu in islice(self._ring, start, size)]


def _seen(at: float, pdu: Frame | bytes) -> Seen:
    if isinstance(pdu, Frame):
        return Seen(at, False, pdu)
    try:
        return Seen(at, True, next(iter(Framer().feed(pdu))))
    except BrokenFrame as broken:  # what we write is framed by us
        raise AssertionError(str(broken)) from broken
