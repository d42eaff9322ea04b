"""Room 5's writes for callbacks: claims and tries."""

import sqlite3
from collections.abc import Sequence

from bocau.core.message import CallbackDue, CallbackTry
from bocau.store.queries import Queries
from bocau.store.sqlite.admitting import read_summary

__all__ = ["Calling"]


class Calling:
    """Claims due callbacks for this node and stores their tries."""

    def __init__(self, queries: Queries, owner: int) -> None:
        self._q = queries
        self._owner = owner

    def claim(self, db: sqlite3.Connection, items: Sequence[tuple[int, int]]) -> list[list[CallbackDue]]:
        """Each item: (now, limit)."""
        return [self._claim(db, now_ms, limit) for now_ms, limit in items]

    def _claim(self, db: sqlite3.Connection, now_ms: int, limit: int) -> list[CallbackDue]:
        claimed = []
        for head, tries in sorted(db.execute(self._q["claim_callbacks"], (self._owner, now_ms, limit)).fetchall()):
            row = db.execute(self._q["callback_head"], (head,)).fetchone()
            if row is None:
                continue
            account_id, _, _, _, request_id, sms_type, telco, phone, url = row
            summary = read_summary(db, self._q, account_id, head)
            if summary is not None:
                claimed.append(
                    CallbackDue(head, account_id, url, request_id, sms_type, telco, phone, summary, tries, now_ms)
                )
        return claimed

    def tried(self, db: sqlite3.Connection, items: Sequence[CallbackTry]) -> list[None]:
        """Store tries and verdicts."""
        q = self._q
        db.executemany(q["callback_tried"], [(t.callback_id, t.verdict, t.number, t.again_ms) for t in items])
        db.executemany(
            q["insert_callback_try"],
            [(t.callback_id, t.number, t.at_ms, t.milliseconds, t.http_status, t.answer) for t in items],
        )
        return [None] * len(items)
