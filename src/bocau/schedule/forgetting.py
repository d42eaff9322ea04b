"""The other loop of room 2: what was kept long enough is forgotten, in steps so small that nobody waits for them."""

from collections import Counter
from typing import Final

from bocau.core.keeping import Keeping
from bocau.loops import ClaimLoop
from bocau.ports import World
from bocau.store.contract import ForgetStore
from bocau.telemetry import Log, LogEvent, ScheduleMeters

__all__ = ["Forgetting"]

_EVERY_SECONDS: Final = 60.0
_STEP: Final = 100
_PAUSE_SECONDS: Final = 0.05
"""Between two steps: a few milliseconds of work each, so about a twentieth of the time."""
_SHRED_SECONDS: Final = 600.0


class Forgetting:
    """Looks once a minute, and goes on while there is more."""

    def __init__(self, world: World, store: ForgetStore, keeping: Keeping, meters: ScheduleMeters, log: Log) -> None:
        self._world = world
        self._store = store
        self._keeping = keeping
        self._meters = meters
        self._log = log
        self._gone: Counter[str] = Counter()
        """Since it last told."""
        self._shreds = False
        """Something went whose old pages may still lie in the log of the store."""
        self._shred_at = 0.0
        self.loop = ClaimLoop(world, self._step, _EVERY_SECONDS, log)

    async def _step(self) -> bool:
        forgotten = await self._store.forget(self._keeping, self._world.now_ms(), _STEP)
        for what, count in forgotten.counts.items():
            self._gone[what] += count
            self._meters.forgotten[what] += count
        if forgotten.more:
            await self._world.sleep(_PAUSE_SECONDS)
            return True
        if self._gone:
            self._log.info(LogEvent.STORE_FORGET, **self._gone)
            self._gone.clear()
            self._shreds = True
        if self._shreds and self._world.monotonic() >= self._shred_at:
            self._shred_at = self._world.monotonic() + _SHRED_SECONDS
            self._shreds = not await self._store.shred()
        return False
