"""How fast a carrier is fed: less once it says that it is too much, then slowly more again (promises P11). Pure."""

from collections import deque
from typing import Final

__all__ = ["LinkPace", "Tempo"]

_LEAST_PER_SECOND: Final = 0.5
_STEP_SHARE: Final = 0.05
_LEAST_STEP: Final = 0.5
_OPEN_AGAIN: Final = 1.5
"""The limit goes once it has grown beyond the rate that brought it, by so much."""
_BURST_SECONDS: Final = 0.1
_TOLERATED: Final = 10
"""One complaint in so many parts is about a message, not about the rate."""


class Tempo:
    """Additive increase, multiplicative decrease, over all links of one carrier account. Times are monotonic seconds.

    While the carrier has not complained there is no limit. Throttle answers to a tenth of the parts of the last seconds
    halve the rate, once for all parts that were on their way at that moment; every second without adds a twentieth of
    the rate that was too much. The limit ends half above that rate: by then either the complaint was a passing one, or
    the next has come.
    """

    __slots__ = ("_before", "_complaints", "_count", "_cut_at", "_grown_at", "_peak", "_second", "_tokens", "limit")

    def __init__(self) -> None:
        self.limit: float | None = None
        """Parts a second; None while there is no limit."""
        self._peak = 0.0
        self._tokens = 0.0
        self._grown_at = 0.0
        self._cut_at = float("-inf")
        # Parts in the second that runs and in the one before it: the rate, without a note for each part.
        self._second = float("-inf")
        self._count = 0
        self._before = 0
        self._complaints = 0

    def sent(self, now: float) -> None:
        """A part leaves."""
        if now - self._second >= 1.0:
            self._before = self._count if now - self._second < 2.0 else 0
            self._count, self._second, self._complaints = 0, now, 0
        self._count += 1
        if self.limit is not None:
            self._tokens -= 1.0

    def throttled(self, sent_at: float, now: float) -> bool:
        """A part that left at `sent_at` was answered: too much. Whether that made it slower."""
        if sent_at <= self._cut_at:
            return False
        self._complaints += 1
        if self._complaints * _TOLERATED < self._count + self._before:
            return False
        self._complaints = 0
        if self.limit is None:
            self._peak = max(float(self._before), float(self._count), 2 * _LEAST_PER_SECOND)
            self.limit = self._peak
        self.limit = max(_LEAST_PER_SECOND, self.limit / 2)
        self._cut_at = self._grown_at = now
        self._tokens = min(self._tokens, 0.0)
        return True

    def room(self, now: float) -> float:
        """Parts that may leave now; infinite without a limit. Below one: none yet."""
        self._grow(now)
        return float("inf") if self.limit is None else self._tokens

    def next_at(self, now: float) -> float | None:
        """When the next part may leave, if that is not now; None without a limit."""
        room = self.room(now)
        if self.limit is None:
            return None
        return now + max(0.0, 1.0 - room) / self.limit

    def _grow(self, now: float) -> None:
        """Time has passed."""
        limit, passed = self.limit, now - self._grown_at
        if limit is None or passed <= 0:
            return
        self._grown_at = now
        self._tokens = min(self._tokens + limit * passed, max(1.0, limit * _BURST_SECONDS))
        limit += passed * max(_LEAST_STEP, self._peak * _STEP_SHARE)
        self.limit = None if limit >= self._peak * _OPEN_AGAIN else limit


class LinkPace:
    """The contract of one bind: so many parts in any second. Times are monotonic seconds."""

    __slots__ = ("_recent",)

    def __init__(self, per_second: int) -> None:
        """`per_second` is at least 1."""
        self._recent: deque[float] = deque(maxlen=per_second)

    def free(self, now: float) -> int:
        """Parts that may leave now."""
        recent = self._recent
        while recent and now - recent[0] >= 1.0:
            recent.popleft()
        return (recent.maxlen or 0) - len(recent)

    def sent(self, now: float) -> None:
        """A part leaves, within `free`."""
        self._recent.append(now)

    def next_at(self, now: float) -> float:
        """When there is room again."""
        return now if self.free(now) else self._recent[0] + 1.0
