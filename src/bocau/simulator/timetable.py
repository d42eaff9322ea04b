"""What is to happen later, on the world's clock: many small delays at the cost of one sleeping task."""

import asyncio
import heapq
from collections.abc import Callable
from math import ceil
from typing import Final

from bocau.ports import World

__all__ = ["GRAIN_SECONDS", "Timetable"]

GRAIN_SECONDS: Final = 0.005
"""Times are rounded up to a multiple of this, so that what is due together leaves together."""

# A clock read a hair before the tick that was slept for counts as on time: floats do not meet exactly.
_TOLERANCE: Final = 1e-3


class Timetable:
    """Calls back in the order of the times, and in the order of asking where times are equal."""

    __slots__ = ("_asleep_until", "_calls", "_task", "_ticks", "_world")

    def __init__(self, world: World) -> None:
        """Begin empty; nothing runs until something is asked for. Needs a running loop from then on."""
        self._world = world
        self._calls: dict[int, list[Callable[[], None]]] = {}
        self._ticks: list[int] = []
        self._task: asyncio.Task[None] | None = None
        self._asleep_until = 0

    def call(self, after_seconds: float, act: Callable[[], None]) -> None:
        """Call `act`, which must not raise, so many seconds from now, at most one grain later."""
        tick = ceil((self._world.monotonic() + after_seconds) / GRAIN_SECONDS)
        calls = self._calls.get(tick)
        if calls is not None:
            calls.append(act)
            return
        self._calls[tick] = [act]
        heapq.heappush(self._ticks, tick)
        if self._task is None:
            self._start()
        elif tick < self._asleep_until:
            self._task.cancel()
            self._start()

    def close(self) -> None:
        """Forget everything; nothing is called any more."""
        self._calls.clear()
        self._ticks.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _start(self) -> None:
        # Until it first sleeps, the new task looks at all times by itself.
        self._asleep_until = 0
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        world, ticks = self._world, self._ticks
        while ticks:
            self._asleep_until = ticks[0]
            wait = ticks[0] * GRAIN_SECONDS - world.monotonic()
            if wait > 0:
                await world.sleep(wait)
            # While the calls are made, an earlier time needs no waking: the loop looks again.
            self._asleep_until = 0
            self._act()
        self._task = None

    def _act(self) -> None:
        """Call everything that is due, what the calls themselves add included."""
        ticks = self._ticks
        current = self._world.monotonic() / GRAIN_SECONDS + _TOLERANCE
        while ticks and ticks[0] <= current:
            for act in self._calls.pop(heapq.heappop(ticks)):
                act()
