"""The loop of room 2: claim what is waking, decide, record; and sweep what is past keeping."""

from collections import Counter
from collections.abc import Callable
from typing import Final

from bocau.core.lifecycle import Event
from bocau.loops import ClaimLoop
from bocau.ports import World
from bocau.schedule.due import decide
from bocau.store.contract import OutcomeDeadlines, ScheduleStore, Sweep
from bocau.telemetry import Log, LogEvent, ScheduleMeters

__all__ = ["Schedule"]

_BATCH: Final = 500
_POLL_SECONDS: Final = 0.5
_PRUNE_EVERY_SECONDS: Final = 60.0
_PRUNE_BATCH: Final = 1_000
_REMATCH_EVERY_SECONDS: Final = 5.0
_REMATCH_BATCH: Final = 200
_SLACK_MS: Final = 120_000
"""Receipts often date by the minute, and a carrier's clock may be off by one."""


class Schedule:
    """Releases due messages, expires the too old, closes outcomes nobody will tell.

    `doubtful` says that the clock was set and is not believed yet: then nothing scheduled is released (promises 4.8).
    """

    def __init__(
        self,
        world: World,
        store: ScheduleStore,
        deadlines: OutcomeDeadlines,
        *,
        doubtful: Callable[[], bool],
        response_seconds: float,
        released: Callable[[], None],
        callbacks_due: Callable[[], None],
        meters: ScheduleMeters,
        log: Log,
    ) -> None:
        self._world = world
        self._store = store
        self._deadlines = deadlines
        self._doubtful = doubtful
        self._released = released
        self._callbacks_due = callbacks_due
        self._meters = meters
        self._log = log
        self._holding = False
        self._prune_at = world.monotonic() + _PRUNE_EVERY_SECONDS
        self._rematch_at = world.monotonic() + _REMATCH_EVERY_SECONDS
        self._response_ms = round(response_seconds * 1000)
        self.loop = ClaimLoop(world, self._step, _POLL_SECONDS, log)

    @property
    def holding(self) -> bool:
        """Whether scheduled releases wait because the clock was set."""
        return self._holding

    async def _step(self) -> bool:
        """One batch. True: there may be more."""
        now_ms, monotonic = self._world.now_ms(), self._world.monotonic()
        was_holding, self._holding = self._holding, self._doubtful()
        if self._holding and not was_holding:
            self._log.warning(LogEvent.CLOCK_STEP)
        if monotonic >= self._prune_at:
            self._prune_at = monotonic + _PRUNE_EVERY_SECONDS
            await self._store.prune(now_ms, _PRUNE_BATCH)
        if monotonic >= self._rematch_at:
            self._rematch_at = monotonic + _REMATCH_EVERY_SECONDS
            await self._rematch(now_ms)
        rows = await self._store.waking(now_ms, _BATCH)
        turns = [decide(row, now_ms, self._deadlines) for row in rows]
        if self._holding:
            turns = [turn for turn in turns if turn.event is not Event.RELEASE]
        if not turns:
            return False
        turned = await self._store.turn(turns, now_ms)
        if turned.callbacks:
            self._callbacks_due()
        for message_id in turned.doubted:
            self._log.warning(LogEvent.MESSAGE_DOUBT, message_id=message_id)
        happened = Counter(turn.event for turn in turns)
        self._meters.released += happened[Event.RELEASE]
        self._meters.expired += happened[Event.EXPIRE]
        self._meters.closed += happened[Event.CLOSE]
        if happened[Event.RELEASE]:
            self._released()
        return len(rows) == _BATCH

    async def _rematch(self, now_ms: int) -> None:
        """Look at receipts that have waited longer than any answer takes. `response_seconds` is the longest of all
        carriers: a younger receipt may belong to a submission that is not answered yet (promises 4.1)."""
        sweep = Sweep(now_ms - 2 * self._response_ms, _SLACK_MS, self._response_ms + _SLACK_MS, _REMATCH_BATCH)
        found = await self._store.rematch(sweep)
        self._meters.rematched += found.matched
        self._meters.inferred += found.inferred
        if found.matched or found.inferred:
            self._log.info(LogEvent.RECEIPT_REMATCH, matched=found.matched, inferred=found.inferred)
        if found.told:
            self._callbacks_due()
