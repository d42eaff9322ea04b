"""What every end of a message does in its transaction: the state, the money, the duty to tell."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

from msgspec.structs import replace

from bocau.core.ledger import EntryKind, settlement
from bocau.core.lifecycle import MESSAGE_TRANSITIONS, Event, State
from bocau.core.message import CallbackDue
from bocau.core.outcome import summarise
from bocau.store.queries import Queries
from bocau.store.rooms.admitting import read_summary
from bocau.store.rooms.calls import CALLED, read_calls_told
from bocau.store.work import Work

__all__ = ["Finishing", "Row"]

_LATE: Final = {Event.DELIVER: Event.CORRECT, Event.FAIL: Event.FAIL_LATE, Event.LAPSE: Event.LAPSE_LATE}
_ENDS_IN: Final[dict[StrEnum, State]] = {row.event: State(row.target) for row in MESSAGE_TRANSITIONS}


_HANDED_OVER_MS: Final = 120_000
"""Moves a callback in somebody's hand out of the way of claims; a start that finds it held makes it due again."""

Row = tuple[Any, ...]
"""id, head, account_id, smsid, receivers, dropped, request_id, sms_type, telco, phone, price, callback_url, tries"""


class Finishing:
    """Ends messages. `owner` marks callbacks that are handed over in memory after the commit."""

    def __init__(self, queries: Queries, owner: int) -> None:
        self._q = queries
        self._owner = owner

    async def finish(
        self,
        db: Work,
        message_id: int,
        event: Event,
        reason: str,
        at_ms: int,
        *,
        captured: bool = False,
        hand_over: bool = False,
    ) -> tuple[State | None, CallbackDue | None]:
        """Apply a final event if the message still stands where it allows, else its late form, else nothing.

        `captured` says that the capture is known to be written. With `hand_over` the callback is made as ours, to be
        called without a claim. Returns the new state and the callback that became due.
        """
        row = await self._apply(db, message_id, event, reason, at_ms)
        if row is not None:
            state = _ENDS_IN[event]
            await self._settle(db, row, state, at_ms, captured=captured)
            return state, await self._tell(db, row, state, at_ms, hand_over=hand_over)
        late = _LATE.get(event)
        if late is None:
            return None, None
        row = await self._apply(db, message_id, late, reason, at_ms)
        if row is None:
            return None, None
        await self._settle(db, row, _ENDS_IN[late], at_ms, captured=False)
        return _ENDS_IN[late], None

    async def _apply(self, db: Work, message_id: int, event: Event, reason: str, at_ms: int) -> Row | None:
        return await db.row(self._q.on("finish_message", event), (message_id, reason, at_ms))

    async def _settle(self, db: Work, row: tuple[object, ...], state: State, at_ms: int, *, captured: bool) -> None:
        """Capture or release the hold, once."""
        message_id, account_id, price = row[0], row[2], row[10]
        kind = settlement(state)
        if kind is None or not price or (captured and kind is EntryKind.CAPTURE):
            return
        amount = price if kind is EntryKind.RELEASE else 0
        line = (account_id, message_id, kind.value, amount, state.value, at_ms)
        if await db.change(self._q["insert_ledger"], line) and amount:
            await db.change(self._q["change_balance"], (account_id, amount))

    async def _tell(
        self,
        db: Work,
        row: Row,
        state: State,
        at_ms: int,
        *,
        hand_over: bool,
    ) -> CallbackDue | None:
        """Create the callback when the last message of the request has ended, if one was asked for."""
        head, account_id, url = row[1], row[2], row[11]
        if not url:
            return None
        alone = row[4] - row[5] == 1
        if not alone and await self._has_open_sibling(db, head):
            return None
        due = await self.due(db, row, state, at_ms, hand_over)
        owner = self._owner if hand_over else 0
        if not await db.change(self._q["insert_callback"], (head, account_id, owner, due.due_ms, at_ms)):
            return None
        if row[7] == CALLED:
            due = replace(due, call=(await read_calls_told(db, self._q, [head])).get(head))
        if alone:
            return due
        found = await read_summary(db, self._q, account_id, head)
        first = await db.row(self._q["callback_head"], (head,))
        if found is None or first is None:
            return None
        return replace(due, summary=found, telco=first[7], phone=first[8])

    async def _has_open_sibling(self, db: Work, head: int) -> bool:
        """Whether another message of the request is open. Of two that end at the same time on two nodes, the second one
        sees the first."""
        await db.rows(self._q["lock_request"], (head,))
        return await db.row(self._q["open_sibling"], (head,)) is not None

    async def due(self, db: Work, row: Row, state: State, at_ms: int, hand_over: bool) -> CallbackDue:
        """The callback of a request with one message, which has just reached `state`."""
        due = self.due_of_first(row, state, at_ms, hand_over)
        if row[12] > 1:
            found = await db.row(self._q["was_repeated"], (row[0],))
            return replace(due, summary=due.summary._replace(repeated=int(bool(found and found[0]))))
        return due

    def due_of_first(self, row: Row, state: State, at_ms: int, hand_over: bool) -> CallbackDue:
        """The same of a message that was tried once."""
        _, head, account_id, smsid, receivers, dropped, request_id, sms_type, telco, phone, price, url, tries = row[:13]
        summary = summarise(smsid, receivers, dropped, ((state, price, tries),))
        due_ms = at_ms + _HANDED_OVER_MS if hand_over else at_ms
        return CallbackDue(head, account_id, url, request_id, sms_type, telco, phone, summary, 0, due_ms)

    async def tell_all(self, db: Work, ended: Sequence[tuple[Row, int, bool]]) -> None:
        """Create the callbacks of requests with one message each; of each its row, moment, and whether it is ours."""
        if not ended:
            return
        await db.many(
            self._q["insert_callback"],
            [
                (row[1], row[2], self._owner if ours else 0, at_ms + _HANDED_OVER_MS if ours else at_ms, at_ms)
                for row, at_ms, ours in ended
            ],
        )
