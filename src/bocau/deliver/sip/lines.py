"""Which trunk takes the next call: priorities, caps, pace, and rest for a trunk that failed. Pure."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from bocau.core.retry import backoff_seconds
from bocau.deliver.sip.link import LinkState
from bocau.deliver.sip.outcome import Verdict

__all__ = ["Choice", "Line", "Pace", "choose"]

_LONGEST_REST: Final = 60.0


class Pace:
    """Starts a second, evenly spaced, with no credit for idle time."""

    __slots__ = ("_gap", "_next")

    def __init__(self, per_second: float) -> None:
        """`per_second` is positive."""
        self._gap = 1.0 / per_second
        self._next = 0.0

    def ready_at(self) -> float:
        """When the next one may start."""
        return self._next

    def take(self, now: float) -> None:
        """One starts now."""
        self._next = max(now, self._next) + self._gap


class Line:
    """A trunk as the engine sees it."""

    __slots__ = ("_failures", "active", "max_calls", "name", "pace", "priority", "rests_until", "state")

    def __init__(self, name: str, priority: int, max_calls: int, calls_per_second: float) -> None:
        """A trunk that is not connected yet."""
        self.name = name
        self.priority = priority
        self.max_calls = max_calls
        self.pace = Pace(calls_per_second)
        self.state = LinkState.CONNECTING
        self.active = 0
        """Calls on it now."""
        self.rests_until = 0.0
        """Until then others are tried before it."""
        self._failures = 0

    def learn(self, verdict: Verdict, retry_after: int, chance: float, now: float) -> None:
        """What the end of a call says about the trunk. `retry_after` is what the trunk asked for, in seconds."""
        if not verdict.trunk_failed:
            self._failures, self.rests_until = 0, 0.0
            return
        self._failures += 1
        rest = backoff_seconds(self._failures, chance, 1.0, _LONGEST_REST)
        self.rests_until = now + max(rest, min(retry_after, _LONGEST_REST))


class Choice(NamedTuple):
    """What to do with a call."""

    line: Line | None
    """The trunk to take; None to wait, or if there is none."""
    wait_until: float | None = None
    """When to ask again at the latest; infinite: when something changes. None with no line: none is left."""


def choose(lines: Iterable[Line], tried: frozenset[str], now: float) -> Choice:
    """The trunk for a call that was tried on some already.

    Rested ones come before resting ones, then by priority, then by load. A full or paced trunk is waited for; one that
    is down is not.
    """
    usable = [line for line in lines if line.name not in tried and line.state is not LinkState.DOWN]
    soonest: float | None = None
    for line in sorted(usable, key=lambda one: (one.rests_until > now, one.priority, one.active / one.max_calls)):
        free = line.state is LinkState.UP and line.active < line.max_calls
        if free and line.pace.ready_at() <= now:
            return Choice(line)
        wait = line.pace.ready_at() if free else float("inf")
        soonest = wait if soonest is None else min(soonest, wait)
    return Choice(None, soonest)
