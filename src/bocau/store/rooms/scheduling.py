"""Room 2's writes, and what a start has to put right."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from bocau.core.ledger import day_of
from bocau.core.lifecycle import FINAL, MESSAGE_TRANSITIONS, AttemptState, Event, State
from bocau.core.message import CallbackDue, RouteClass
from bocau.core.outcome import may_arrive
from bocau.store.contract import OutcomeDeadlines, Turn, Turned, Waking
from bocau.store.queries import Queries
from bocau.store.rooms.finishing import Finishing
from bocau.store.work import Work

__all__ = ["Scheduling", "Start", "start_epoch"]

_REQUEST_KEY_MS: Final = 48 * 3_600_000
_REFERENCE_DAYS: Final = 7
_ORPHAN_MS: Final = 7 * 24 * 3_600_000
_LADDER_MS: Final = _ORPHAN_MS
_ENDS: Final = frozenset(row.event for row in MESSAGE_TRANSITIONS if row.target in FINAL)
_REASONS: Final[dict[Event, str]] = {
    Event.EXPIRE: "too old to be submitted",
    Event.CLOSE: "no receipt in time",
    Event.CANCEL: "taken back before it was sent",
}


class Start(NamedTuple):
    """What a start of a gateway found; a command beside one has no epoch."""

    epoch: int
    last_message_id: int
    rescued: tuple[int, int, int]
    """Messages given back, messages now uncertain, callbacks due again."""


async def start_epoch(db: Work, q: Queries, node: int, now_ms: int, deadlines: OutcomeDeadlines) -> Start:
    """A new start of a node, inside the caller's transaction: its mark, and what the starts before it left."""
    await db.change(q["end_nodes"], (node, now_ms))
    rescued = await rescue(db, q, now_ms, deadlines)
    ((epoch,),) = await db.rows(q["start_node"], (node, now_ms))
    ((last,),) = await db.rows(q["last_message_id"])
    return Start(epoch, last or 0, rescued)


async def rescue(db: Work, q: Queries, now_ms: int, deadlines: OutcomeDeadlines) -> tuple[int, int, int]:
    """Put right what the last start left (house.md, walk, step 7), inside the caller's transaction.

    What was claimed but not begun goes back at once; what was begun and not answered becomes uncertain, never fresh.
    Returns how many messages went back, how many became uncertain, how many callbacks fall due again.
    """
    queued = await db.change(q["rescue_queued"], (now_ms,))
    held = 0
    for message_id, route_class in await db.rows(q["rescue_sending"]):
        otp = route_class == RouteClass.OTP
        deadline = now_ms + (deadlines.uncertain_otp_ms if otp else deadlines.uncertain_other_ms)
        await db.change(q["lose_attempts"], (message_id,))
        states = {row[1] for row in await db.rows(q["newest_attempts"], (message_id,))}
        if AttemptState.REFUSED in states:
            # A part that a carrier put off is not in doubt: it is tried again, as it would have been (promises 4.5).
            await db.change(q.on("requeue_message", Event.POSTPONE), (message_id, now_ms, "put off before a restart"))
            queued += 1
        else:
            await db.change(q.on("hold_message", Event.HOLD), (message_id, deadline))
            held += 1
    callbacks = await db.change(q["rescue_callbacks"], (now_ms,))
    return queued, held, callbacks


class Scheduling:
    """Time passes."""

    def __init__(self, queries: Queries, finishing: Finishing) -> None:
        self._q = queries
        self._finishing = finishing
        self._walked: tuple[int, str] = (0, "")
        self._walked_phone = ""

    async def waking(self, db: Work, items: Sequence[tuple[int, int]]) -> list[list[Waking]]:
        """Each item: (now, limit)."""
        return [await self._waking(db, now_ms, limit) for now_ms, limit in items]

    async def _waking(self, db: Work, now_ms: int, limit: int) -> list[Waking]:
        rows = await db.rows(self._q["waking_messages"], (now_ms, limit))
        # When it was begun last, or else when it may go.
        touched: dict[int, int] = {row[0]: row[4] for row in rows}
        touched.update([row[:2] for row in await db.each(self._q["newest_intent"], [row[:1] for row in rows])])
        return [
            Waking(message_id, State(state), route_class, expires_ms, touched[message_id])
            for message_id, state, route_class, expires_ms, _ in rows
        ]

    async def turn(self, db: Work, items: Sequence[tuple[Sequence[Turn], int]]) -> list[Turned]:
        """Each item: (turns, now)."""
        return [await self._turn_all(db, turns, now_ms) for turns, now_ms in items]

    async def _turn_all(self, db: Work, turns: Sequence[Turn], now_ms: int) -> Turned:
        """Releases and later looks together, then the ends."""
        q = self._q
        # An open message without a moment to wake would never be seen again.
        released = [
            (t.message_id, now_ms if t.wake_ms is None else t.wake_ms) for t in turns if t.event is Event.RELEASE
        ]
        later = [(t.message_id, t.wake_ms, now_ms) for t in turns if t.event is None and t.wake_ms is not None]
        await db.many(q["release_message"], released)
        await db.many(q["wake_later"], later)
        callbacks: list[CallbackDue] = []
        doubted: list[int] = []
        for turn in turns:
            if turn.event is None or turn.event is Event.RELEASE:
                continue
            if turn.event is Event.EXPIRE and await self._doubt(db, turn.message_id, now_ms):
                doubted.append(turn.message_id)
                continue
            due = await self._end(db, turn.message_id, Event(turn.event), now_ms)
            if due is not None:
                callbacks.append(due)
        return Turned(callbacks, tuple(doubted))

    async def _end(self, db: Work, message_id: int, event: Event, now_ms: int) -> CallbackDue | None:
        if event not in _ENDS:
            raise ValueError(f"the schedule cannot {event} a message")
        state, due = await self._finishing.finish(db, message_id, event, _REASONS.get(event, ""), now_ms)
        if state is State.UNKNOWN:
            await db.change(self._q["close_attempts"], (message_id,))
        return due

    async def _doubt(self, db: Work, message_id: int, now_ms: int) -> bool:
        """Too old to be sent once more, but a try that was never answered may have arrived: it waits for word of that
        (promises 4.1)."""
        row = await db.row(self._q["message_state"], (message_id,))
        if row != (State.QUEUED,):
            return False
        if not may_arrive(tried[:4] for tried in await db.rows(self._q["all_tried"], (message_id,))):
            return False
        return bool(await db.change(self._q.on("hold_message", Event.DOUBT), (message_id, now_ms)))

    async def prune(self, db: Work, items: Sequence[tuple[int, int]]) -> list[int]:
        """Each item: (now, limit)."""
        return [await self._prune(db, now_ms, limit) for now_ms, limit in items]

    async def _prune(self, db: Work, now_ms: int, limit: int) -> int:
        q, oldest = self._q, now_ms - _REQUEST_KEY_MS
        keys = await db.rows(q["walk_request_keys"], (*self._walked, limit))
        self._walked = (keys[-1][0], keys[-1][1]) if len(keys) == limit else (0, "")
        gone = [(account, request, oldest) for account, request, created in keys if created < oldest]
        await db.many(q["delete_request_key"], gone)
        texts = await db.change(q["prune_content_keys"], (oldest, limit))
        codes = await db.change(q["prune_codes"], (now_ms, limit))
        orphans = await db.change(q["prune_orphans"], (now_ms - _ORPHAN_MS, limit))
        ladders = await db.change(q["prune_ladders"], (now_ms - _LADDER_MS, limit))
        references = await self._prune_references(db, now_ms, limit)
        return len(gone) + texts + codes + orphans + ladders + references

    async def _prune_references(self, db: Work, now_ms: int, limit: int) -> int:
        """Counters of phones that got no long message lately: they would keep the number for ever."""
        first = day_of(now_ms) - _REFERENCE_DAYS
        found = await db.rows(self._q["walk_references"], (self._walked_phone, limit))
        self._walked_phone = found[-1][0] if len(found) == limit else ""
        gone = [(phone, first) for phone, day in found if day < first]
        await db.many(self._q["delete_reference"], gone)
        return len(gone)
