"""Room 3's writes: claims and intents."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from bocau.core.lifecycle import AttemptState
from bocau.core.message import Intent, Message
from bocau.store.queries import Queries

__all__ = ["Dispatching"]

_NOT_TAKEN: Final = AttemptState.REFUSED


_Attempt = tuple[int, int, int, int, str, int, str, int]
"""message, part, number, total, carrier, owner, phone, moment"""


class Dispatching:
    """Claims queued messages for this node and stores intents before a byte leaves."""

    def __init__(self, queries: Queries, owner: int) -> None:
        self._q = queries
        self._owner = owner

    def claim(self, db: sqlite3.Connection, items: Sequence[tuple[int, int]]) -> list[list[Message]]:
        """Each item: (now, limit)."""
        claimed = []
        for now_ms, limit in items:
            rows = db.execute(self._q["claim_messages"], (self._owner, now_ms, limit)).fetchall()
            claimed.append(sorted(Message(*row) for row in rows))
        return claimed

    def begin(self, db: sqlite3.Connection, items: Sequence[Intent]) -> list[int | None]:
        """The reference of each message that may go out now, None for one that may not."""
        q = self._q
        if all(intent.total == 1 for intent in items) and self._begin_all(db, items):
            db.executemany(q["insert_attempt"], [row for intent in items for row in self._attempts(intent)])
            return [0] * len(items)
        results: list[int | None] = []
        attempts: list[_Attempt] = []
        begin = q["begin_message"]
        for intent in items:
            changed = db.execute(
                begin, (intent.message_id, self._owner, intent.number, intent.carrier, intent.at_ms)
            ).rowcount
            if not changed:
                results.append(None)
                continue
            results.append(0 if intent.total == 1 else self._reference(db, intent))
            attempts.extend(self._attempts(intent))
        db.executemany(q["insert_attempt"], attempts)
        return results

    def _begin_all(self, db: sqlite3.Connection, items: Sequence[Intent]) -> bool:
        """The usual case in one statement: every message is ours and young. False, with nothing written, if not."""
        db.execute("SAVEPOINT begin_all")
        values = [(i.message_id, self._owner, i.number, i.carrier, i.at_ms) for i in items]
        begun = db.executemany(self._q["begin_message"], values).rowcount == len(items)
        if not begun:
            db.execute("ROLLBACK TO begin_all")
        db.execute("RELEASE begin_all")
        return begun

    def _attempts(self, intent: Intent) -> list[_Attempt]:
        i = intent
        return [(i.message_id, p, i.number, i.total, i.carrier, self._owner, i.phone, i.at_ms) for p in i.parts]

    def _reference(self, db: sqlite3.Connection, intent: Intent) -> int:
        """The concatenation reference: drawn at the first try, the same for the parts that are tried again."""
        found: int = db.execute(self._q["read_reference"], (intent.message_id,)).fetchone()[0]
        if found:
            return found
        drawn: int = db.execute(self._q["next_reference"], (intent.phone,)).fetchone()[0]
        db.execute(self._q["set_reference"], (intent.message_id, drawn))
        return drawn

    def hand_back(self, db: sqlite3.Connection, items: Sequence[tuple[int, int]]) -> list[None]:
        """Each item: (message id, when to claim it again)."""
        db.executemany(self._q["hand_back"], [(message, self._owner, wake) for message, wake in items])
        return [None] * len(items)

    def open_parts(self, db: sqlite3.Connection, items: Sequence[int]) -> list[tuple[int, ...]]:
        """Parts no carrier has: never tried, or refused at the newest try."""
        return [self._open_parts(db, message_id) for message_id in items]

    def _open_parts(self, db: sqlite3.Connection, message_id: int) -> tuple[int, ...]:
        total = db.execute(self._q["parts_tried"], (message_id,)).fetchone()[0]
        newest = {row[0]: row[1] for row in db.execute(self._q["newest_attempts"], (message_id,))}
        return tuple(part for part in range(1, total + 1) if newest.get(part, _NOT_TAKEN) == _NOT_TAKEN)
