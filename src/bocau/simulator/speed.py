"""A contracted speed, as the carrier enforces it: so many in any sliding second."""

from collections import deque

__all__ = ["Speed"]


class Speed:
    """The moments of what was let through in the last second."""

    __slots__ = ("_passed",)

    def __init__(self) -> None:
        self._passed: deque[float] = deque()

    def passes(self, per_second: int, now: float) -> bool:
        """Whether one more is within the speed at this moment, in seconds; it counts then."""
        passed = self._passed
        while passed and now - passed[0] >= 1.0:
            passed.popleft()
        if len(passed) >= per_second:
            return False
        passed.append(now)
        return True
