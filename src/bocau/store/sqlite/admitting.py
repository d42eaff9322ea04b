"""Room 1's writes: requests become messages, all or nothing."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import astuple

from bocau.core.ledger import EntryKind, day_of
from bocau.core.lifecycle import State
from bocau.core.message import Admission, Admitted, Duplicate, Message, NoBalance, Overspent, Summary
from bocau.core.outcome import summarise
from bocau.store.contract import AdmitResult
from bocau.store.queries import Queries
from bocau.store.sqlite.spending import Spend, Spending

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

    def rehearse(self, db: sqlite3.Connection, admission: Admission) -> AdmitResult:
        """What `run` would say to one admission now, with nothing written."""
        return self._refuse(db, admission, Spending(db, self._q), []) or Admitted(admission)

    def _admit_all(self, db: sqlite3.Connection, items: Sequence[Admission]) -> bool:
        """The usual case, in a few statements for all: every RequestId is new and the money covers them together.

        False, with nothing written, if one of them is not so plain.
        """
        q = self._q
        sums: dict[tuple[int, str, int], int] = {}
        newest: dict[tuple[int, str, int], Admission] = {}
        keys = []
        for admission in items:
            first = admission.messages[0]
            if not admission.consumes_request_id or admission.contents:
                return False
            place = (first.account_id, admission.api_key, day_of(first.created_ms))
            sums[place] = sums.get(place, 0) + admission.hold
            newest[place] = admission
            if first.request_id:
                keys.append((first.account_id, first.request_id, first.head, first.created_ms))
        spending = Spending(db, q)
        for place, amount in sums.items():
            caps = newest[place]
            if spending.take(Spend(*place, amount, caps.account_cap, caps.key_cap)) is not None:
                return False
        db.execute("SAVEPOINT admit")
        free = db.executemany(q["take_free_request_key"], keys).rowcount == len(keys) if keys else True
        if not free:
            db.execute("ROLLBACK TO admit")
        db.execute("RELEASE admit")
        if free:
            messages = [message for admission in items for message in admission.messages]
            self._write(db, messages, _holds(messages), spending)
            self._keep_extras(db, items)
        return free

    def _admit_each(self, db: sqlite3.Connection, items: Sequence[Admission]) -> list[AdmitResult]:
        """One after the other: the first of two equal RequestIds wins, and the first to spend the last of a balance."""
        messages: list[Message] = []
        entries: list[_Entry] = []
        spending = Spending(db, self._q)
        results: list[AdmitResult] = []
        for admission in items:
            refused = self._refuse(db, admission, spending, messages)
            if refused is not None:
                results.append(refused)
                continue
            self._take_keys(db, admission)
            messages.extend(admission.messages)
            entries.extend(_holds(admission.messages))
            results.append(Admitted(admission))
        # A duplicate may have flushed earlier messages already; what is left goes in one statement.
        self._write(db, messages, entries, spending)
        self._keep_extras(db, [result.admission for result in results if isinstance(result, Admitted)])
        return results

    def _write(
        self, db: sqlite3.Connection, messages: list[Message], entries: Iterable[_Entry], spending: Spending
    ) -> None:
        self._flush(db, messages)
        db.executemany(self._q["insert_ledger"], entries)
        spending.write()

    def _keep_extras(self, db: sqlite3.Connection, admitted: Sequence[Admission]) -> None:
        """Codes that were made up for these requests, and how calls are to be made; hardly any has one."""
        for admission in admitted:
            if admission.order is not None:
                rows = [(message.id, *admission.order) for message in admission.messages]
                db.executemany(self._q["put_call_order"], rows)
            code = admission.code
            if code is not None:
                place = (admission.messages[0].account_id, code.phone)
                db.execute(self._q["put_code"], (*place, code.code_hash, code.expires_ms))

    def _refuse(
        self, db: sqlite3.Connection, admission: Admission, spending: Spending, unwritten: list[Message]
    ) -> Duplicate | NoBalance | Overspent | None:
        """Why an admission cannot be stored; None takes its hold from what the transaction may spend."""
        return self._repeats(db, admission, unwritten) or (spending.take(_spend(admission)) if admission.hold else None)

    def _repeats(self, db: sqlite3.Connection, admission: Admission, unwritten: list[Message]) -> Duplicate | None:
        """The request that holds the RequestId, or lately sent the same text to one of the receivers."""
        q, first = self._q, admission.messages[0]
        account, holder = first.account_id, None
        if first.request_id:
            since_ms = first.created_ms - REQUEST_ID_WINDOW_MS
            holder = db.execute(q["find_request_key"], (account, first.request_id, since_ms)).fetchone()
        for digest in admission.contents:
            if holder is not None:
                break
            since_ms = first.created_ms - admission.content_ms
            holder = db.execute(q["find_content_key"], (account, digest, since_ms)).fetchone()
        if holder is None:
            return None
        self._flush(db, unwritten)
        summary = read_summary(db, q, account, holder[0])
        return None if summary is None else Duplicate(summary.smsid, summary)

    def _take_keys(self, db: sqlite3.Connection, admission: Admission) -> None:
        """Reserve the RequestId, and remember the texts."""
        q, first = self._q, admission.messages[0]
        if not admission.consumes_request_id:
            return
        if first.request_id:
            db.execute(q["take_request_key"], (first.account_id, first.request_id, first.head, first.created_ms))
        rows = [(first.account_id, digest, first.head, first.created_ms) for digest in admission.contents]
        db.executemany(q["take_content_key"], rows)

    def _flush(self, db: sqlite3.Connection, messages: list[Message]) -> None:
        if messages:
            db.executemany(self._q["insert_message"], map(astuple, messages))
            messages.clear()


def _spend(admission: Admission) -> Spend:
    """The money an admission asks for."""
    first = admission.messages[0]
    return Spend(
        first.account_id,
        admission.api_key,
        day_of(first.created_ms),
        admission.hold,
        admission.account_cap,
        admission.key_cap,
    )


def _holds(messages: Iterable[Message]) -> list[_Entry]:
    return [
        (m.account_id, m.id, _HOLD, -m.price, "accept", m.created_ms)
        for m in messages
        if m.price and m.state != _REJECTED
    ]
