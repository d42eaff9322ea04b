"""Room 1's writes: requests become messages, all or nothing."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

from bocau.core.ledger import EntryKind, covers
from bocau.core.lifecycle import State
from bocau.core.message import Admission, Admitted, Duplicate, Message, NoBalance, Summary
from bocau.core.outcome import summarise
from bocau.store.contract import AdmitResult
from bocau.store.queries import Queries

__all__ = ["REQUEST_ID_WINDOW_MS", "Admitting", "find_duplicate", "read_summary"]

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
        messages: list[Message] = []
        entries: list[tuple[int, int, str, int, str, int]] = []
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
        q = self._q
        # A duplicate may have flushed earlier messages already; what is left goes in one statement.
        self._flush(db, messages)
        db.executemany(q["insert_ledger"], entries)
        db.executemany(q["change_balance"], [(account, -amount) for account, amount in held.items() if amount])
        return results

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
        db.executemany(self._q["insert_message"], messages)
        messages.clear()


def _holds(messages: Iterable[Message]) -> list[tuple[int, int, str, int, str, int]]:
    return [
        (m.account_id, m.id, EntryKind.HOLD.value, -m.price, "accept", m.created_ms)
        for m in messages
        if m.price and m.state != State.REJECTED
    ]
