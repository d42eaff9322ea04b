"""How fast a carrier account may be fed: never more than its contract in any sliding second. Pure."""

from collections import deque
from typing import Final

__all__ = ["Pace"]

_QUANTUM_SECONDS: Final = 0.02
_ROUNDING: Final = 1e-6


class Pace:
    """Counts parts against `per_second` (0: no limit). Told the time in monotonic seconds.

    A part is held when its intent goes to the store and spent when it leaves. What is held counts as leaving now, so a
    slow disk cannot crowd the parts of several seconds into one.

    Exact: the times of the last `per_second` parts are remembered. Smooth: time is cut into quanta of about 20 ms, or
    of the time of one part where that is longer, and one that had its share takes no more: a burst does not use up the
    second at its start, and accounts that share the carrier have their turns all the time.
    """

    __slots__ = ("_held", "_per_second", "_quanta_per_second", "_quantum", "_recent", "_share", "_spent", "limited")

    def __init__(self, per_second: int) -> None:
        self.limited = per_second > 0
        """False: nothing is counted, and everything fits."""
        self._per_second = per_second
        self._share = max(1, round(per_second * _QUANTUM_SECONDS))
        self._quanta_per_second = per_second / self._share
        self._recent: deque[float] = deque(maxlen=per_second or None)
        self._held = 0
        self._quantum = -1
        self._spent = 0

    def fits(self, parts: int, now: float) -> bool:
        """Whether a message of so many parts may begin at `now`. One with more parts than the contract allows in a
        second begins when nothing went for a second."""
        if not self._per_second:
            return True
        recent = self._recent
        while recent and now - recent[0] >= 1.0:
            recent.popleft()
        taken = len(recent) + self._held
        if taken and taken + parts > self._per_second:
            return False
        return self._spent < self._share or self._quantum_at(now) != self._quantum

    def hold(self, parts: int, now: float) -> None:
        """So many parts begin at `now`; each is spent or let go later."""
        if not self._per_second:
            return
        quantum = self._quantum_at(now)
        if quantum != self._quantum:
            self._quantum, self._spent = quantum, 0
        self._spent += parts
        self._held += parts

    def spend(self, parts: int, now: float) -> None:
        """So many held parts leave at `now`."""
        if self._per_second:
            self._held -= parts
            self._recent.extend([now] * parts)

    def let_go(self, parts: int) -> None:
        """So many held parts will not leave."""
        if self._per_second:
            self._held -= parts

    def next_at(self, parts: int, now: float) -> float:
        """When to ask again for a message that did not fit at `now`."""
        quantum = self._quantum_at(now)
        quantum_ends = (quantum + 1) / self._quanta_per_second
        turn = quantum_ends if quantum == self._quantum and self._spent >= self._share else now
        in_the_way = len(self._recent) + self._held + parts - self._per_second
        if in_the_way > 0 and self._recent:
            turn = max(turn, self._recent[min(in_the_way, len(self._recent)) - 1] + 1.0)
        return turn if turn > now else quantum_ends

    def _quantum_at(self, now: float) -> int:
        """The quantum of a moment; one that is its beginning but for a rounding is in it."""
        return int(now * self._quanta_per_second + _ROUNDING)
