"""Room 4's writes: what carriers answered."""

from collections.abc import Sequence
from typing import Final

from bocau.core.ledger import EntryKind
from bocau.core.lifecycle import AttemptState, Event, State
from bocau.core.message import Answer, AnswerKind, AttemptKey, ReceiptIn, Uncertain
from bocau.core.outcome import fold, match_keys, may_arrive
from bocau.store.contract import Recorded
from bocau.store.queries import Queries
from bocau.store.rooms.finishing import Finishing
from bocau.store.rooms.receiving import Receiving, three_forms
from bocau.store.work import Row, Work

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

    async def run(self, db: Work, items: Sequence[Answer]) -> list[Recorded]:
        """One result each."""
        q, kind = self._q, AnswerKind.TAKEN
        taken = [a for a in items if a.kind is kind]
        await db.many(q["answer_taken"], [(*a.key, a.carrier_id, a.match_key, a.at_ms) for a in taken])
        single = [(a.key.message_id,) for a in taken if a.total == 1]
        all_moved = await db.change_many(q["message_taken"], single) == len(single)
        await db.many(
            q["insert_ledger"],
            [(a.account_id, a.key.message_id, _CAPTURE, 0, "taken", a.at_ms) for a in taken],
        )
        early = await self._early(db, taken)
        if all_moved and not early and len(single) == len(items):
            return [_SENT] * len(items)
        return [await self._record(db, answer, early.get(answer.key, []), all_moved) for answer in items]

    async def _record(self, db: Work, answer: Answer, early: list[Row], all_moved: bool) -> Recorded:
        """What is left to do for one answer, with the receipts that came before it.

        `all_moved`: every message in one part that was taken is now sent.
        """
        kind = answer.kind
        if kind is AnswerKind.TAKEN:
            adopted = await self._adopt(db, answer, early) if early else None
            if adopted is not None:
                return adopted
            if answer.total > 1:
                return await self._fold(db, answer)
            return _SENT if all_moved or await self._state(db, answer.key.message_id) is State.SENT else _UNCHANGED
        if kind is AnswerKind.UNCERTAIN:
            changed = await db.change(self._q["answer_lost"], answer.key)
        else:
            values = (*answer.key, answer.status, kind.value, answer.at_ms)
            changed = await db.change(self._q["answer_refused"], values)
        return await self._fold(db, answer) if changed else _UNCHANGED

    async def _fold(self, db: Work, answer: Answer) -> Recorded:
        """What the attempts of a message amount to after an answer."""
        message_id = answer.key.message_id
        rows = await db.rows(self._q["newest_attempts"], (message_id,))
        refusals = {error for _, state, error in rows if state == AttemptState.REFUSED}
        if AnswerKind.PERMANENT.value in refusals:
            return await self._refused_for_good(db, answer, {state for _, state, _ in rows})
        if any(state == AttemptState.SUBMITTING for _, state, _ in rows):
            return _UNCHANGED
        if refusals:
            reason = f"{answer.carrier} put it off: status 0x{answer.status:08x}"
            return await self._requeue(db, answer, Event.POSTPONE, answer.wake_ms, reason)
        event = fold(answer.total, [AttemptState(state) for _, state, _ in rows])
        if event is Event.TAKE:
            return _SENT if await db.change(self._q["message_taken"], (message_id,)) else _UNCHANGED
        if event is Event.HOLD and await self._may_resend(db, answer, {state for _, state, _ in rows}):
            policy = answer.recourse.uncertain
            await db.change(self._q["mark_resend"], (message_id, policy.value))
            reason = f"possible duplicate: {answer.carrier} did not answer, {policy}"
            return await self._requeue(db, answer, Event.RESEND, answer.at_ms, reason)
        if event is Event.HOLD:
            moved = await db.change(self._q.on("hold_message", Event.HOLD), (message_id, answer.wake_ms))
            return Recorded(State.UNCERTAIN, None, event=Event.HOLD) if moved else _UNCHANGED
        if event is None:
            return _UNCHANGED
        return Recorded(*await self._finishing.finish(db, message_id, event, "", answer.at_ms))

    async def _refused_for_good(self, db: Work, answer: Answer, states: set[str]) -> Recorded:
        """Another carrier of the route may have it, if no part was taken anywhere; until all parts say so it waits."""
        reason = f"{answer.carrier} refused it: status 0x{answer.status:08x}"
        if answer.recourse.elsewhere and states <= _NONE_TAKEN:
            if AttemptState.SUBMITTING in states:
                return _UNCHANGED
            return await self._requeue(db, answer, Event.FAIL_OVER, answer.at_ms, reason)
        if await self._doubt(db, answer):
            return Recorded(State.UNCERTAIN, None, event=Event.DOUBT)
        if AttemptState.SUBMITTING in states:
            # Nobody waits for these parts any more: after a crash their receipts find them as those of lost answers.
            await db.change(self._q["lose_attempts"], (answer.key.message_id,))
        return Recorded(*await self._finishing.finish(db, answer.key.message_id, Event.FAIL, reason, answer.at_ms))

    async def _doubt(self, db: Work, answer: Answer) -> bool:
        """Whether a try before this one may have arrived: then the message waits for word of it, as if it had not been
        sent once more. The schedule knows until when (promises 4.1)."""
        tried = await db.rows(self._q["all_tried"], (answer.key.message_id,))
        if len(tried) == 1 or not may_arrive(row[:4] for row in tried):
            return False
        values = (answer.key.message_id, answer.at_ms)
        return bool(await db.change(self._q.on("hold_message", Event.DOUBT), values))

    async def _may_resend(self, db: Work, answer: Answer, states: set[str]) -> bool:
        """Whether the route's policy says to send once more what was never answered (promises 4.1)."""
        policy = answer.recourse.uncertain
        if policy is Uncertain.HOLD:
            return False
        if policy is Uncertain.FAIL_OVER_ONCE and not (answer.recourse.elsewhere and states <= _NONE_KNOWN_TAKEN):
            return False
        return await db.row(self._q["any_resend"], (answer.key.message_id,)) is None

    async def _requeue(self, db: Work, answer: Answer, event: Event, due_ms: int, reason: str) -> Recorded:
        values = (answer.key.message_id, due_ms, reason)
        moved = await db.change(self._q.on("requeue_message", event), values)
        return Recorded(State.QUEUED, None, event=event) if moved else _UNCHANGED

    async def _early(self, db: Work, taken: Sequence[Answer]) -> dict[AttemptKey, list[Row]]:
        """Receipts that came before these answers, whatever the base of their id (promises 4.2, 4.3)."""
        if not taken or await db.row(self._q["any_orphan"]) is None:
            return {}
        waiting: dict[tuple[str, str], list[Answer]] = {}
        for answer in taken:
            for form in match_keys(answer.match_key):
                waiting.setdefault((answer.carrier, form), []).append(answer)
        asked = [(*three_forms(match_keys(a.match_key)), a.carrier) for a in taken]
        found: dict[AttemptKey, dict[int, Row]] = {}
        for row in await db.each(self._q["find_orphans"], asked):
            for answer in waiting.get((row[5], row[6]), ()):
                found.setdefault(answer.key, {})[row[0]] = row
        return {key: [rows[number] for number in sorted(rows)] for key, rows in found.items()}

    async def _adopt(self, db: Work, answer: Answer, early: list[Row]) -> Recorded | None:
        """Apply receipts that came before this answer. None if there is none for this recipient.

        All of them are done with, those that say nothing new included.
        """
        key = answer.key
        mine = await db.row(self._q["attempt_phone"], key)
        adopted, callback = False, None
        for orphan_id, phone, state, error, received_ms, _, _, extras in early:
            if mine != (phone,):
                continue
            receipt = _receipt_for(answer, phone, state, error, received_ms, extras or b"")
            stored = await self._receiving.apply(db, key, receipt)
            adopted = adopted or stored is not None
            callback = callback or (None if stored is None else stored.callback)
            await db.change(self._q["delete_orphan"], (orphan_id,))
        if not adopted:
            return None
        # A receipt for one of several parts may leave the message to what the answers amount to.
        folded = await self._fold(db, answer) if answer.total > 1 else _UNCHANGED
        return Recorded(await self._state(db, key.message_id), callback or folded.callback, adopted=True)

    async def _state(self, db: Work, message_id: int) -> State | None:
        row = await db.row(self._q["message_state"], (message_id,))
        return None if row is None else State(row[0])


def _receipt_for(answer: Answer, phone: str, state: str, error: str, received_ms: int, extras: bytes) -> ReceiptIn:
    """A kept receipt as if it came just now, for the attempt of this answer."""
    return ReceiptIn(
        answer.carrier,
        answer.carrier_id,
        (answer.match_key,),
        phone,
        AttemptState(state) if state else None,
        error,
        received_ms,
        b"",
        answer.key,
        hand_over=False,
        extras=extras,
    )
