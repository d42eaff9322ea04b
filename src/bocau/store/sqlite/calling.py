"""Room 5's writes for callbacks: claims and tries."""

import sqlite3
from collections.abc import Sequence

from bocau.core.message import CallbackDue, CallbackTry, Due, RegistrationDue
from bocau.store.queries import Queries
from bocau.store.sqlite.admitting import read_summary
from bocau.store.sqlite.registering import read_due

__all__ = ["Calling"]


class Calling:
    """Claims due callbacks for this node and stores their tries."""

    def __init__(self, queries: Queries, owner: int) -> None:
        self._q = queries
        self._owner = owner

    def claim(self, db: sqlite3.Connection, items: Sequence[tuple[int, int]]) -> list[list[Due]]:
        """Each item: (now, limit)."""
        return [self._claim(db, now_ms, limit) for now_ms, limit in items]

    def _claim(self, db: sqlite3.Connection, now_ms: int, limit: int) -> list[Due]:
        claimed: list[Due] = []
        for number, tries in sorted(db.execute(self._q["claim_callbacks"], (self._owner, now_ms, limit)).fetchall()):
            read = self._read_outcome if number > 0 else self._read_decision
            due = read(db, number, tries, now_ms)
            if due is not None:
                claimed.append(due)
        return claimed

    def _read_outcome(self, db: sqlite3.Connection, head: int, tries: int, now_ms: int) -> CallbackDue | None:
        row = db.execute(self._q["callback_head"], (head,)).fetchone()
        if row is None:
            return None
        account_id, _, _, _, request_id, sms_type, telco, phone, url = row
        summary = read_summary(db, self._q, account_id, head)
        if summary is None:
            return None
        return CallbackDue(head, account_id, url, request_id, sms_type, telco, phone, summary, tries, now_ms)

    def _read_decision(self, db: sqlite3.Connection, number: int, tries: int, now_ms: int) -> RegistrationDue | None:
        return read_due(db, self._q, number, tries, now_ms)

    def tried(self, db: sqlite3.Connection, items: Sequence[CallbackTry]) -> list[None]:
        """Store tries and verdicts."""
        q = self._q
        db.executemany(q["callback_tried"], [(t.callback_id, t.verdict, t.number, t.again_ms) for t in items])
        db.executemany(
            q["insert_callback_try"],
            [(t.callback_id, t.number, t.at_ms, t.milliseconds, t.http_status, t.answer) for t in items],
        )
        return [None] * len(items)
