"""Room 5's writes for messages from subscribers: kept, joined, told."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from bocau.core.message import InboundIn, InboundTry, InboundWhole
from bocau.store.queries import Queries

__all__ = ["Inbound"]

_JOIN_WITHIN_MS: Final = 24 * 3_600_000
"""Parts further apart belong to two messages: an 8-bit reference comes round again."""


class Inbound:
    """Keeps what subscribers send. With `tell`, a whole message is due to be told to the operator's address."""

    def __init__(self, queries: Queries, *, tell: bool) -> None:
        self._q = queries
        self._tell = tell

    def keep(self, db: sqlite3.Connection, items: Sequence[InboundIn]) -> list[None]:
        """One row each; the last part of a message makes it whole."""
        for item in items:
            self._keep(db, item)
        return [None] * len(items)

    def _keep(self, db: sqlite3.Connection, item: InboundIn) -> None:
        carrier, raw, at_ms, sender, recipient, reference, part, parts = item
        values = (carrier, at_ms, raw, sender, recipient, reference, part, parts)
        new: int = db.execute(self._q["insert_inbound"], values).fetchone()[0]
        if parts == 1:
            self._join(db, [new], at_ms)
            return
        since = at_ms - _JOIN_WITHIN_MS
        found = db.execute(self._q["inbound_parts"], (sender, reference, parts, carrier, recipient, since)).fetchall()
        if len(found) == parts:
            self._join(db, [row_id for _, row_id in found], at_ms)

    def _join(self, db: sqlite3.Connection, rows: Sequence[int], at_ms: int) -> None:
        head, *others = rows
        due = ("waiting", at_ms) if self._tell else ("kept", None)
        db.execute(self._q["join_inbound"], (head, head, *due))
        db.executemany(self._q["join_inbound"], [(row, head, "kept", None) for row in others])

    def claim(self, db: sqlite3.Connection, items: Sequence[tuple[int, int]]) -> list[list[InboundWhole]]:
        """Each item: (now, limit)."""
        return [self._claim(db, now_ms, limit) for now_ms, limit in items]

    def _claim(self, db: sqlite3.Connection, now_ms: int, limit: int) -> list[InboundWhole]:
        found = db.execute(self._q["claim_inbound"], (now_ms, limit)).fetchall()
        return [read_whole(db, self._q, head) for (head,) in found]

    def told(self, db: sqlite3.Connection, items: Sequence[InboundTry]) -> list[None]:
        """One result each."""
        db.executemany(self._q["inbound_told"], [(one.id, one.state, one.number, one.again_ms) for one in items])
        return [None] * len(items)


def read_whole(db: sqlite3.Connection, q: Queries, head: int) -> InboundWhole:
    """A message with all its parts."""
    rows = db.execute(q["read_inbound"], (head,)).fetchall()
    row_id, carrier, sender, recipient, received_ms, tries, _ = rows[0]
    raws = tuple([row[6] for row in rows])
    return InboundWhole(row_id, carrier, sender, recipient, received_ms, tries, raws)
