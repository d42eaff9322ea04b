"""Room 4's writes: what carriers answered."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from bocau.core.ledger import EntryKind
from bocau.core.lifecycle import AttemptState, Event, State
from bocau.core.message import Answer, AnswerKind, ReceiptIn, Uncertain
from bocau.core.outcome import fold, match_keys, may_arrive
from bocau.store.contract import Recorded
from bocau.store.queries import Queries
from bocau.store.sqlite.finishing import Finishing
from bocau.store.sqlite.receiving import Receiving, three_forms

__all__ = ["Recording"]

_CAPTURE: Final = EntryKind.CAPTURE.value
_SENT: Final = Recorded(State.SENT, None)
_UNCHANGED: Final = Recorded(None, None)
_NONE_TAKEN: Final = frozenset({AttemptState.REFUSED.value, AttemptState.SUBMITTING.value})
_NONE_KNOWN_TAKEN: Final = frozenset({AttemptState.REFUSED.value, AttemptState.UNCERTAIN.value})


class Recording:
    """Stores answers. The common one, a message in one part taken, is joined into three statements for all of them."""

    def __init__(self, queries: Queries, finishing: Finishing, receiving: Receiving) -> None:
        self._q = queries
        self._finishing = finishing
        self._receiving = receiving

    def run(self, db: sqlite3.Connection, items: Sequence[Answer]) -> list[Recorded]:
        """One result each."""
        q, kind = self._q, AnswerKind.TAKEN
        taken = [a for a in items if a.kind is kind]
        db.executemany(q["answer_taken"], [(*a.key, a.carrier_id, a.match_key, a.at_ms) for a in taken])
        single = [(a.key.message_id,) for a in taken if a.total == 1]
        all_moved = db.executemany(q["message_taken"], single).rowcount == len(single)
        db.executemany(
            q["insert_ledger"],
            [(a.account_id, a.key.message_id, _CAPTURE, 0, "taken", a.at_ms) for a in taken],
        )
        orphans = bool(taken) and db.execute(q["any_orphan"]).fetchone() is not None
        if all_moved and not orphans and len(single) == len(items):
            return [_SENT] * len(items)
        return [self._record(db, answer, orphans, all_moved) for answer in items]

    def _record(self, db: sqlite3.Connection, answer: Answer, orphans: bool, all_moved: bool) -> Recorded:
        """What is left to do for one answer. `all_moved`: every message in one part that was taken is now sent."""
        kind = answer.kind
        if kind is AnswerKind.TAKEN:
            early = self._adopt(db, answer) if orphans else None
            if early is not None:
                return early
            if answer.total > 1:
                return self._fold(db, answer)
            return _SENT if all_moved or self._state(db, answer.key.message_id) is State.SENT else _UNCHANGED
        if kind is AnswerKind.UNCERTAIN:
            changed = db.execute(self._q["answer_lost"], answer.key).rowcount
        else:
            values = (*answer.key, answer.status, kind.value, answer.at_ms)
            changed = db.execute(self._q["answer_refused"], values).rowcount
        return self._fold(db, answer) if changed else _UNCHANGED

    def _fold(self, db: sqlite3.Connection, answer: Answer) -> Recorded:
        """What the attempts of a message amount to after an answer."""
        message_id = answer.key.message_id
        rows = db.execute(self._q["newest_attempts"], (message_id,)).fetchall()
        refusals = {error for _, state, error in rows if state == AttemptState.REFUSED}
        if AnswerKind.PERMANENT.value in refusals:
            return self._refused_for_good(db, answer, {state for _, state, _ in rows})
        if any(state == AttemptState.SUBMITTING for _, state, _ in rows):
            return _UNCHANGED
        if refusals:
            reason = f"{answer.carrier} put it off: status 0x{answer.status:08x}"
            return self._requeue(db, answer, Event.POSTPONE, answer.wake_ms, reason)
        event = fold(answer.total, [AttemptState(state) for _, state, _ in rows])
        if event is Event.TAKE:
            return _SENT if db.execute(self._q["message_taken"], (message_id,)).rowcount else _UNCHANGED
        if event is Event.HOLD and self._may_resend(db, answer, {state for _, state, _ in rows}):
            policy = answer.recourse.uncertain
            db.execute(self._q["mark_resend"], (message_id, policy.value))
            reason = f"possible duplicate: {answer.carrier} did not answer, {policy}"
            return self._requeue(db, answer, Event.RESEND, answer.at_ms, reason)
        if event is Event.HOLD:
            moved = db.execute(self._q.on("hold_message", Event.HOLD), (message_id, answer.wake_ms)).rowcount
            return Recorded(State.UNCERTAIN, None, event=Event.HOLD) if moved else _UNCHANGED
        if event is None:
            return _UNCHANGED
        return Recorded(*self._finishing.finish(db, message_id, event, "", answer.at_ms))

    def _refused_for_good(self, db: sqlite3.Connection, answer: Answer, states: set[str]) -> Recorded:
        """Another carrier of the route may have it, if no part was taken anywhere; until all parts say so it waits."""
        reason = f"{answer.carrier} refused it: status 0x{answer.status:08x}"
        if answer.recourse.elsewhere and states <= _NONE_TAKEN:
            if AttemptState.SUBMITTING in states:
                return _UNCHANGED
            return self._requeue(db, answer, Event.FAIL_OVER, answer.at_ms, reason)
        if self._doubt(db, answer):
            return Recorded(State.UNCERTAIN, None, event=Event.DOUBT)
        return Recorded(*self._finishing.finish(db, answer.key.message_id, Event.FAIL, reason, answer.at_ms))

    def _doubt(self, db: sqlite3.Connection, answer: Answer) -> bool:
        """Whether a try before this one may have arrived: then the message waits for word of it, as if it had not been
        sent once more. The schedule knows until when (promises 4.1)."""
        tried = db.execute(self._q["all_tried"], (answer.key.message_id,)).fetchall()
        if len(tried) == 1 or not may_arrive(row[:4] for row in tried):
            return False
        values = (answer.key.message_id, answer.at_ms)
        return bool(db.execute(self._q.on("hold_message", Event.DOUBT), values).rowcount)

    def _may_resend(self, db: sqlite3.Connection, answer: Answer, states: set[str]) -> bool:
        """Whether the route's policy says to send once more what was never answered (promises 4.1)."""
        policy = answer.recourse.uncertain
        if policy is Uncertain.HOLD:
            return False
        if policy is Uncertain.FAIL_OVER_ONCE and not (answer.recourse.elsewhere and states <= _NONE_KNOWN_TAKEN):
            return False
        return db.execute(self._q["any_resend"], (answer.key.message_id,)).fetchone() is None

    def _requeue(self, db: sqlite3.Connection, answer: Answer, event: Event, due_ms: int, reason: str) -> Recorded:
        values = (answer.key.message_id, due_ms, reason)
        moved = db.execute(self._q.on("requeue_message", event), values).rowcount
        return Recorded(State.QUEUED, None, event=event) if moved else _UNCHANGED

    def _adopt(self, db: sqlite3.Connection, answer: Answer) -> Recorded | None:
        """Apply receipts that came before this answer, whatever the base of their id (promises 4.2, 4.3).

        None if there is none for this recipient. All of them are done with, those that say nothing new included.
        """
        q, key = self._q, answer.key
        found = db.execute(q["find_orphans"], (*three_forms(match_keys(answer.match_key)), answer.carrier)).fetchall()
        mine = db.execute(q["attempt_phone"], key).fetchone() if found else None
        adopted, callback = False, None
        for orphan_id, phone, state, error, received_ms in found:
            if mine != (phone,):
                continue
            if state:
                receipt = ReceiptIn(
                    answer.carrier,
                    answer.carrier_id,
                    (answer.match_key,),
                    phone,
                    AttemptState(state),
                    error,
                    received_ms,
                    b"",
                    key,
                    hand_over=False,
                )
                stored = self._receiving.apply(db, key, receipt)
                adopted = adopted or stored is not None
                callback = callback or (None if stored is None else stored.callback)
            db.execute(q["delete_orphan"], (orphan_id,))
        if not adopted:
            return None
        # A receipt for one of several parts may leave the message to what the answers amount to.
        folded = self._fold(db, answer) if answer.total > 1 else _UNCHANGED
        return Recorded(self._state(db, key.message_id), callback or folded.callback, adopted=True)

    def _state(self, db: sqlite3.Connection, message_id: int) -> State | None:
        row = db.execute(self._q["message_state"], (message_id,)).fetchone()
        return None if row is None else State(row[0])
