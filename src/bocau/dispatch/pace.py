"""How fast a carrier account may be fed: never more than its contract in any sliding second. Pure."""

from collections import deque
from typing import Final

__all__ = ["Pace"]

_QUANTUM_SECONDS: Final = 0.02


class Pace:
    """Counts parts against `per_second` (0: no limit). Told the time in monotonic seconds.

    Exact: the times of the last `per_second` parts are remembered. Smooth: a quantum of 20 ms that had its share takes
    no more, so a burst does not use up the second at its start.
    """

    __slots__ = ("_per_second", "_quantum", "_recent", "_share", "_spent")

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._share = max(1, -(-per_second // round(1 / _QUANTUM_SECONDS)))
        self._recent: deque[float] = deque(maxlen=per_second or None)
        self._quantum = -1
        self._spent = 0

    def fits(self, parts: int, now: float) -> bool:
        """Whether a message of so many parts may go at `now`. One with more parts than the contract allows in a second
        goes when nothing went for a second."""
        if not self._per_second:
            return True
        recent = self._recent
        while recent and now - recent[0] >= 1.0:
            recent.popleft()
        if recent and len(recent) + parts > self._per_second:
            return False
        return self._spent < self._share or int(now / _QUANTUM_SECONDS) != self._quantum

    def spend(self, parts: int, now: float) -> None:
        """So many parts go at `now`."""
        if not self._per_second:
            return
        quantum = int(now / _QUANTUM_SECONDS)
        if quantum != self._quantum:
            self._quantum, self._spent = quantum, 0
        self._spent += parts
        self._recent.extend([now] * parts)

    def next_at(self, parts: int, now: float) -> float:
        """When to ask again for a message that did not fit at `now`."""
        quantum_ends = (int(now / _QUANTUM_SECONDS) + 1) * _QUANTUM_SECONDS
        in_the_way = len(self._recent) + parts - self._per_second
        if in_the_way <= 0 or not self._recent:
            return quantum_ends
        last = self._recent[min(in_the_way, len(self._recent)) - 1]
        return max(quantum_ends, last + 1.0)
