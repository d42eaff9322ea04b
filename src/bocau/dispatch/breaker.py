"""Whether a carrier is trusted with messages: closed, open, half-open. Pure: told what is, and the time."""

from enum import StrEnum
from typing import NamedTuple

__all__ = ["Breaker", "BreakerPolicy", "Phase", "Reading"]


class BreakerPolicy(NamedTuple):
    """When a carrier is given up and tried again. Seconds are monotonic."""

    failures: int = 5
    """So many submits that fail in a row through the carrier's fault open it."""
    down_seconds: float = 3.0
    """So long without any link opens it."""
    open_seconds: float = 15.0
    """How long it stays open after failures."""
    probes: int = 3
    """Messages that a half-open carrier gets to show itself."""


class Phase(StrEnum):
    """What the carrier gets: everything, nothing, or a few messages to show itself."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Reading(NamedTuple):
    """How the carrier stands at one moment; the counts are those of `ports.Pulse`."""

    up: bool
    failures: int
    successes: int


class Breaker(NamedTuple):
    """A value: `look` returns the next one. It begins closed."""

    policy: BreakerPolicy = BreakerPolicy()
    phase: Phase = Phase.CLOSED
    since: float = 0.0
    """When the phase began."""
    down_since: float | None = None
    """Since when no link is up."""
    before: Reading = Reading(False, 0, 0)
    """How it stood when the phase began."""
    why: str = ""
    """Why it is not closed, for people."""

    def look(self, reading: Reading, now: float) -> "Breaker":
        """Take a reading at `now` (seconds, monotonic)."""
        down_since = None if reading.up else now if self.down_since is None else self.down_since
        looked = self if down_since == self.down_since else self._replace(down_since=down_since)
        if self.phase is Phase.CLOSED:
            return looked._if_closed(reading, now)
        if self.phase is Phase.OPEN:
            return looked._if_open(reading, now)
        return looked._if_half_open(reading, now)

    def _if_closed(self, reading: Reading, now: float) -> "Breaker":
        if reading.failures >= self.policy.failures:
            return self._to(Phase.OPEN, reading, now, f"{reading.failures} submits failed in a row")
        if self.down_since is not None and now - self.down_since >= self.policy.down_seconds:
            return self._to(Phase.OPEN, reading, now, "no link is up")
        return self

    def _if_open(self, reading: Reading, now: float) -> "Breaker":
        """What was opened for want of a link is tried as soon as there is one."""
        rested = not self.before.up or now - self.since >= self.policy.open_seconds
        return self._to(Phase.HALF_OPEN, reading, now, self.why) if reading.up and rested else self

    def _if_half_open(self, reading: Reading, now: float) -> "Breaker":
        if reading.successes > self.before.successes:
            return self._to(Phase.CLOSED, reading, now, "")
        if not reading.up:
            return self._to(Phase.OPEN, reading, now, "no link is up")
        if reading.failures > self.before.failures:
            return self._to(Phase.OPEN, reading, now, "it failed again when it was tried")
        return self

    def _to(self, phase: Phase, reading: Reading, now: float, why: str) -> "Breaker":
        return self._replace(phase=phase, since=now, before=reading, why=why)
