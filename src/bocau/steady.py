"""A wall clock that does not jump (promises 4.8, F18).

Dates that are stored (deadlines, RequestIds, releases) must not be written by a clock that somebody is setting. So the
rooms are given a World whose wall clock goes on evenly by the monotonic one, and follows the machine's in small steps.
"""

from typing import Final, NamedTuple

from bocau.ports import World

__all__ = ["ClockWatch", "SteadyWorld"]

_STEP_MS: Final = 5_000.0
_STABLE_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.5


class ClockWatch(NamedTuple):
    """How far the wall clock that we go by is from the monotonic one, and a step that is not believed yet.

    A value: `look` returns the next one.
    """

    offset_ms: float
    """Wall clock less monotonic clock."""
    step_ms: float = 0.0
    """By how much the machine's clock jumped; 0 while it is believed."""
    since: float = 0.0
    """When it jumped, in monotonic seconds."""

    @classmethod
    def begin(cls, wall_ms: int, monotonic: float) -> "ClockWatch":
        """Believe the clock: at a start nothing tells better."""
        return cls(wall_ms - monotonic * 1000)

    def look(self, wall_ms: int, monotonic: float) -> "ClockWatch":
        """Take a new pair of readings. A small difference is followed; a step over 5 s only after a minute."""
        step = wall_ms - monotonic * 1000 - self.offset_ms
        if abs(step) <= _STEP_MS:
            return ClockWatch(self.offset_ms + step)
        if not self.step_ms or abs(step - self.step_ms) > _STEP_MS:
            return ClockWatch(self.offset_ms, step, monotonic)
        if monotonic - self.since >= _STABLE_SECONDS:
            return ClockWatch(self.offset_ms + step)
        return self

    @property
    def doubtful(self) -> bool:
        """Whether the machine's clock shows a time that is not believed yet."""
        return self.step_ms != 0.0


class SteadyWorld:
    """`ports.World` over another one; only the wall clock differs. A jump is noticed within half a second."""

    def __init__(self, world: World, ahead_ms: int = 0) -> None:
        """`ahead_ms`: for development, so far from the machine's wall clock."""
        self.random = world.random
        self.monotonic = world.monotonic
        self.token = world.token
        self.sleep = world.sleep
        self.dial = world.dial
        self.listen = world.listen
        self.open_datagram = world.open_datagram
        self.resolve = world.resolve
        self._wall_ms = world.now_ms
        self._advanced_ms = ahead_ms
        now = world.monotonic()
        self._watch = ClockWatch.begin(world.now_ms() + ahead_ms, now)
        self._look_at = now + _LOOK_SECONDS

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        now = self.monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK_SECONDS
            self._watch = self._watch.look(self._wall_ms() + self._advanced_ms, now)
        return int(now * 1000 + self._watch[0])

    def advance(self, milliseconds: int) -> None:
        """Move the wall clock ahead on purpose: a jump that is believed at once. For development; never goes back.

        Raises ValueError for less than nothing.
        """
        if milliseconds < 0:
            raise ValueError("time does not go back")
        self._advanced_ms += milliseconds
        self._watch = self._watch._replace(offset_ms=self._watch.offset_ms + milliseconds)

    @property
    def doubtful(self) -> bool:
        """Whether the machine's clock was set and is not believed yet; then nothing scheduled is released."""
        return self._watch.doubtful
