"""What every end of a message does in its transaction: the state, the money, the duty to tell."""

import sqlite3
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

from msgspec.structs import replace

from bocau.core.ledger import EntryKind, settlement
from bocau.core.lifecycle import MESSAGE_TRANSITIONS, Event, State
from bocau.core.message import CallbackDue
from bocau.core.outcome import summarise
from bocau.store.queries import Queries
from bocau.store.sqlite.admitting import read_summary

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

    def finish(
        self,
        db: sqlite3.Connection,
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
        row = self._apply(db, message_id, event, reason, at_ms)
        if row is not None:
            state = _ENDS_IN[event]
            self._settle(db, row, state, at_ms, captured=captured)
            return state, self._tell(db, row, state, at_ms, hand_over=hand_over)
        late = _LATE.get(event)
        if late is None:
            return None, None
        row = self._apply(db, message_id, late, reason, at_ms)
        if row is None:
            return None, None
        self._settle(db, row, _ENDS_IN[late], at_ms, captured=False)
        return _ENDS_IN[late], None

    def _apply(self, db: sqlite3.Connection, message_id: int, event: Event, reason: str, at_ms: int) -> Row | None:
        row: Row | None = db.execute(self._q.on("finish_message", event), (message_id, reason, at_ms)).fetchone()
        return row

    def _settle(
        self, db: sqlite3.Connection, row: tuple[object, ...], state: State, at_ms: int, *, captured: bool
    ) -> None:
        """Capture or release the hold, once."""
        message_id, account_id, price = row[0], row[2], row[10]
        kind = settlement(state)
        if kind is None or not price or (captured and kind is EntryKind.CAPTURE):
            return
        amount = price if kind is EntryKind.RELEASE else 0
        done = db.execute(self._q["insert_ledger"], (account_id, message_id, kind.value, amount, state.value, at_ms))
        if amount and done.rowcount == 1:
            db.execute(self._q["change_balance"], (account_id, amount))

    def _tell(
        self,
        db: sqlite3.Connection,
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
        if not alone and db.execute(self._q["open_sibling"], (head,)).fetchone() is not None:
            return None
        due = self.due(row, state, at_ms, hand_over)
        owner = self._owner if hand_over else 0
        done = db.execute(self._q["insert_callback"], (head, account_id, owner, due.due_ms, at_ms))
        if done.rowcount != 1 or alone:
            return due if alone and done.rowcount == 1 else None
        found = read_summary(db, self._q, account_id, head)
        first = db.execute(self._q["callback_head"], (head,)).fetchone()
        if found is None or first is None:
            return None
        return replace(due, summary=found, telco=first[6], phone=first[7])

    def due(self, row: Row, state: State, at_ms: int, hand_over: bool) -> CallbackDue:
        """The callback of a request with one message, which has just reached `state`."""
        _, head, account_id, smsid, receivers, dropped, request_id, sms_type, telco, phone, price, url, tries = row[:13]
        summary = summarise(smsid, receivers, dropped, ((state, price, tries),))
        due_ms = at_ms + _HANDED_OVER_MS if hand_over else at_ms
        return CallbackDue(head, account_id, url, request_id, sms_type, telco, phone, summary, 0, due_ms)

    def tell_all(self, db: sqlite3.Connection, ended: Sequence[tuple[Row, int, bool]]) -> None:
        """Create the callbacks of requests with one message each; of each its row, moment, and whether it is ours."""
        if not ended:
            return
        db.executemany(
            self._q["insert_callback"],
            [
                (row[1], row[2], self._owner if ours else 0, at_ms + _HANDED_OVER_MS if ours else at_ms, at_ms)
                for row, at_ms, ours in ended
            ],
        )
