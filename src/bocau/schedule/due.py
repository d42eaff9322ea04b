"""What the clock does to a message whose moment has come. Pure."""

from typing import Final, NamedTuple

from bocau.core.lifecycle import Event, State
from bocau.core.message import RouteClass
from bocau.store.contract import OutcomeDeadlines, Turn, Waking

__all__ = ["ClockWatch", "decide"]

_STEP_MS: Final = 5_000
_STABLE_SECONDS: Final = 60.0


def decide(row: Waking, now_ms: int, deadlines: OutcomeDeadlines) -> Turn:
    """The event for a waking message, or the moment to look again.

    A message that is on its way is closed as unknown only at its deadline: that of an uncertain submission is shorter
    for a one-time code (promises 4.1), that of a receipt the same for all.
    """
    if row.state is State.SCHEDULED:
        return Turn(row.id, Event.RELEASE, now_ms)
    if row.state is State.QUEUED:
        if row.expires_ms <= now_ms:
            return Turn(row.id, Event.EXPIRE, None)
        return Turn(row.id, None, row.expires_ms)
    otp = row.route_class == RouteClass.OTP
    held = deadlines.uncertain_otp_ms if otp else deadlines.uncertain_other_ms
    until = row.touched_ms + (held if row.state is State.UNCERTAIN else deadlines.receipt_ms)
    return Turn(row.id, Event.CLOSE, None) if until <= now_ms else Turn(row.id, None, until)


class ClockWatch(NamedTuple):
    """Compares the wall clock with the monotonic one (promises 4.8): after a step, scheduled releases are held.

    A value: `look` returns the next one.
    """

    wall_ms: int
    monotonic: float
    held_until: float = 0.0

    def look(self, wall_ms: int, monotonic: float) -> "ClockWatch":
        """Take a new pair of readings. A step over 5 s holds scheduled releases until the clock was stable for 60 s."""
        step = (wall_ms - self.wall_ms) - (monotonic - self.monotonic) * 1000
        held = monotonic + _STABLE_SECONDS if abs(step) > _STEP_MS else self.held_until
        return ClockWatch(wall_ms, monotonic, held)

    @property
    def holding(self) -> bool:
        """Whether scheduled releases wait."""
        return self.held_until > self.monotonic
