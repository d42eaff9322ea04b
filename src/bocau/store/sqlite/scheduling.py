"""Room 2's writes, and what a start has to put right."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from bocau.core.lifecycle import FINAL, MESSAGE_TRANSITIONS, AttemptState, Event, State
from bocau.core.message import CallbackDue, RouteClass
from bocau.core.outcome import may_arrive
from bocau.store.contract import OutcomeDeadlines, Turn, Turned, Waking
from bocau.store.queries import Queries
from bocau.store.sqlite.finishing import Finishing

__all__ = ["Scheduling", "rescue"]

_REQUEST_KEY_MS: Final = 48 * 3_600_000
_ORPHAN_MS: Final = 7 * 24 * 3_600_000
_ENDS: Final = frozenset(row.event for row in MESSAGE_TRANSITIONS if row.target in FINAL)
_REASONS: Final[dict[Event, str]] = {
    Event.EXPIRE: "too old to be submitted",
    Event.CLOSE: "no receipt in time",
}


def rescue(db: sqlite3.Connection, q: Queries, now_ms: int, deadlines: OutcomeDeadlines) -> tuple[int, int, int]:
    """Put right what the last start left (house.md, walk, step 7), inside the caller's transaction.

    What was claimed but not begun goes back at once; what was begun and not answered becomes uncertain, never fresh.
    Returns how many messages went back, how many became uncertain, how many callbacks fall due again.
    """
    queued = db.execute(q["rescue_queued"], (now_ms,)).rowcount
    held = 0
    for message_id, route_class in db.execute(q["rescue_sending"]).fetchall():
        otp = route_class == RouteClass.OTP
        deadline = now_ms + (deadlines.uncertain_otp_ms if otp else deadlines.uncertain_other_ms)
        db.execute(q["lose_attempts"], (message_id,))
        states = {row[1] for row in db.execute(q["newest_attempts"], (message_id,))}
        if AttemptState.REFUSED in states:
            # A part that a carrier put off is not in doubt: it is tried again, as it would have been (promises 4.5).
            db.execute(q.on("requeue_message", Event.POSTPONE), (message_id, now_ms, "put off before a restart"))
            queued += 1
        else:
            db.execute(q.on("hold_message", Event.HOLD), (message_id, deadline))
            held += 1
    callbacks = db.execute(q["rescue_callbacks"], (now_ms,)).rowcount
    return queued, held, callbacks


class Scheduling:
    """Time passes."""

    def __init__(self, queries: Queries, finishing: Finishing) -> None:
        self._q = queries
        self._finishing = finishing
        self._walked: tuple[int, str] = (0, "")

    def waking(self, db: sqlite3.Connection, items: Sequence[tuple[int, int]]) -> list[list[Waking]]:
        """Each item: (now, limit)."""
        return [self._waking(db, now_ms, limit) for now_ms, limit in items]

    def _waking(self, db: sqlite3.Connection, now_ms: int, limit: int) -> list[Waking]:
        found = []
        for message_id, state, route_class, expires_ms, release_ms in db.execute(
            self._q["waking_messages"], (now_ms, limit)
        ).fetchall():
            intent_ms = db.execute(self._q["newest_intent"], (message_id,)).fetchone()[0]
            touched_ms = release_ms if intent_ms is None else intent_ms
            found.append(Waking(message_id, State(state), route_class, expires_ms, touched_ms))
        return found

    def turn(self, db: sqlite3.Connection, items: Sequence[tuple[Sequence[Turn], int]]) -> list[Turned]:
        """Each item: (turns, now)."""
        return [self._turn_all(db, turns, now_ms) for turns, now_ms in items]

    def _turn_all(self, db: sqlite3.Connection, turns: Sequence[Turn], now_ms: int) -> Turned:
        callbacks: list[CallbackDue] = []
        doubted: list[int] = []
        for turn in turns:
            if turn.event is Event.EXPIRE and self._doubt(db, turn.message_id, now_ms):
                doubted.append(turn.message_id)
                continue
            due = self._turn(db, turn, now_ms)
            if due is not None:
                callbacks.append(due)
        return Turned(callbacks, tuple(doubted))

    def _turn(self, db: sqlite3.Connection, turn: Turn, now_ms: int) -> CallbackDue | None:
        q = self._q
        if turn.event is None:
            if turn.wake_ms is not None:
                db.execute(q["wake_later"], (turn.message_id, turn.wake_ms, now_ms))
            return None
        if turn.event is Event.RELEASE:
            # An open message without a moment to wake would never be seen again.
            db.execute(q["release_message"], (turn.message_id, now_ms if turn.wake_ms is None else turn.wake_ms))
            return None
        if turn.event not in _ENDS:
            raise ValueError(f"the schedule cannot {turn.event} a message")
        state, due = self._finishing.finish(db, turn.message_id, turn.event, _REASONS.get(turn.event, ""), now_ms)
        if state is State.UNKNOWN:
            db.execute(q["close_attempts"], (turn.message_id,))
        return due

    def _doubt(self, db: sqlite3.Connection, message_id: int, now_ms: int) -> bool:
        """Too old to be sent once more, but a try that was never answered may have arrived: it waits for word of that
        (promises 4.1)."""
        row = db.execute(self._q["message_state"], (message_id,)).fetchone()
        if row != (State.QUEUED,):
            return False
        if not may_arrive(tried[:4] for tried in db.execute(self._q["all_tried"], (message_id,))):
            return False
        return bool(db.execute(self._q.on("hold_message", Event.DOUBT), (message_id, now_ms)).rowcount)

    def prune(self, db: sqlite3.Connection, items: Sequence[tuple[int, int]]) -> list[int]:
        """Each item: (now, limit)."""
        return [self._prune(db, now_ms, limit) for now_ms, limit in items]

    def _prune(self, db: sqlite3.Connection, now_ms: int, limit: int) -> int:
        q, oldest = self._q, now_ms - _REQUEST_KEY_MS
        keys = db.execute(q["walk_request_keys"], (*self._walked, limit)).fetchall()
        self._walked = (keys[-1][0], keys[-1][1]) if len(keys) == limit else (0, "")
        gone = [(account, request, oldest) for account, request, created in keys if created < oldest]
        db.executemany(q["delete_request_key"], gone)
        texts = db.execute(q["prune_content_keys"], (oldest, limit)).rowcount
        codes = db.execute(q["prune_codes"], (now_ms, limit)).rowcount
        orphans = db.execute(q["prune_orphans"], (now_ms - _ORPHAN_MS, limit)).rowcount
        return len(gone) + texts + codes + orphans
