"""Room 1's writes: requests become messages, all or nothing."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bocau.core.ledger import EntryKind, covers
from bocau.core.lifecycle import State
from bocau.core.message import Admission, Admitted, Duplicate, Message, NoBalance, Summary
from bocau.core.outcome import summarise
from bocau.store.contract import AdmitResult
from bocau.store.queries import Queries

__all__ = ["REQUEST_ID_WINDOW_MS", "Admitting", "find_duplicate", "read_summary"]

_Entry = tuple[int, int, str, int, str, int]
"""account, subject, kind, amount, cause, moment: a line of the ledger"""

_HOLD: Final = EntryKind.HOLD.value
_REJECTED: Final = State.REJECTED.value

REQUEST_ID_WINDOW_MS: Final = 24 * 3_600_000
"""A RequestId blocks repeats for 24 h after its first acceptance (esms-api 2.5)."""


def read_summary(db: sqlite3.Connection, q: Queries, account_id: int, head: int, since_ms: int = 0) -> Summary | None:
    """A request of the account by its head id; None if there is none that young."""
    rows = db.execute(q["request_rows"], (account_id, head)).fetchall()
    if not rows or rows[0][3] < since_ms:
        return None
    smsid, receivers, dropped = rows[0][:3]
    return summarise(smsid, receivers, dropped, ((State(row[4]), row[5], row[6]) for row in rows))


def find_duplicate(
    db: sqlite3.Connection, q: Queries, account_id: int, request_id: str, now_ms: int
) -> Duplicate | None:
    """The request that holds a RequestId now."""
    row = db.execute(q["find_request_key"], (account_id, request_id, now_ms - REQUEST_ID_WINDOW_MS)).fetchone()
    if row is None:
        return None
    summary = read_summary(db, q, account_id, row[0])
    return None if summary is None else Duplicate(summary.smsid, summary)


class Admitting:
    """Runs many admissions in one transaction, in the order they came: the first of two equal RequestIds wins."""

    def __init__(self, queries: Queries) -> None:
        self._q = queries

    def run(self, db: sqlite3.Connection, items: Sequence[Admission]) -> list[AdmitResult]:
        """One result each."""
        if self._admit_all(db, items):
            return [Admitted(admission) for admission in items]
        return self._admit_each(db, items)

    def _admit_all(self, db: sqlite3.Connection, items: Sequence[Admission]) -> bool:
        """The usual case, in a few statements for all: every RequestId is new and the money covers them together.

        False, with nothing written, if one of them is not so plain.
        """
        q = self._q
        held: dict[int, int] = {}
        keys = []
        for admission in items:
            first = admission.messages[0]
            if not admission.consumes_request_id:
                return False
            held[first.account_id] = held.get(first.account_id, 0) + admission.hold
            if first.request_id:
                keys.append((first.account_id, first.request_id, first.head, first.created_ms))
        for account, amount in held.items():
            balance, credit = db.execute(q["read_balance"], (account,)).fetchone()
            if not covers(balance, credit, amount):
                return False
        db.execute("SAVEPOINT admit")
        free = db.executemany(q["take_free_request_key"], keys).rowcount == len(keys) if keys else True
        if not free:
            db.execute("ROLLBACK TO admit")
        db.execute("RELEASE admit")
        if free:
            messages = [message for admission in items for message in admission.messages]
            self._write(db, messages, _holds(messages), held)
        return free

    def _admit_each(self, db: sqlite3.Connection, items: Sequence[Admission]) -> list[AdmitResult]:
        """One after the other: the first of two equal RequestIds wins, and the first to spend the last of a balance."""
        messages: list[Message] = []
        entries: list[_Entry] = []
        balances: dict[int, tuple[int, int]] = {}
        held: dict[int, int] = {}
        results: list[AdmitResult] = []
        for admission in items:
            refused = self._refuse(db, admission, balances, held, messages)
            if refused is not None:
                results.append(refused)
                continue
            messages.extend(admission.messages)
            entries.extend(_holds(admission.messages))
            results.append(Admitted(admission))
        # A duplicate may have flushed earlier messages already; what is left goes in one statement.
        self._write(db, messages, entries, held)
        return results

    def _write(
        self, db: sqlite3.Connection, messages: list[Message], entries: Iterable[_Entry], held: Mapping[int, int]
    ) -> None:
        q = self._q
        self._flush(db, messages)
        db.executemany(q["insert_ledger"], entries)
        db.executemany(q["change_balance"], [(account, -amount) for account, amount in held.items() if amount])

    def _refuse(
        self,
        db: sqlite3.Connection,
        admission: Admission,
        balances: dict[int, tuple[int, int]],
        held: dict[int, int],
        unwritten: list[Message],
    ) -> Duplicate | NoBalance | None:
        """Why an admission cannot be stored; None reserves its RequestId and counts its hold."""
        q, first = self._q, admission.messages[0]
        account = first.account_id
        if first.request_id:
            key = (account, first.request_id, first.created_ms - REQUEST_ID_WINDOW_MS)
            holder = db.execute(q["find_request_key"], key).fetchone()
            if holder is not None:
                self._flush(db, unwritten)
                summary = read_summary(db, q, account, holder[0])
                if summary is not None:
                    return Duplicate(summary.smsid, summary)
        if admission.hold:
            if account not in balances:
                balances[account] = db.execute(q["read_balance"], (account,)).fetchone()
            balance, credit = balances[account]
            already = held.get(account, 0)
            if not covers(balance - already, credit, admission.hold):
                return NoBalance(balance - already)
            held[account] = already + admission.hold
        if first.request_id and admission.consumes_request_id:
            db.execute(q["take_request_key"], (account, first.request_id, first.head, first.created_ms))
        return None

    def _flush(self, db: sqlite3.Connection, messages: list[Message]) -> None:
        # Plain tuples: sqlite3 binds the 29 values of a subclass at nearly twice the cost.
        db.executemany(self._q["insert_message"], map(tuple, messages))
        messages.clear()


def _holds(messages: Iterable[Message]) -> list[_Entry]:
    return [
        (m.account_id, m.id, _HOLD, -m.price, "accept", m.created_ms)
        for m in messages
        if m.price and m.state != _REJECTED
    ]
