"""Room 5's writes for messages from subscribers: kept, joined, told."""

from collections.abc import Sequence
from typing import Final

from bocau.core.message import InboundIn, InboundTry, InboundWhole
from bocau.store.queries import Queries
from bocau.store.work import Asking, Work

__all__ = ["Inbound"]

_JOIN_WITHIN_MS: Final = 24 * 3_600_000
"""Parts further apart belong to two messages: an 8-bit reference comes round again."""


class Inbound:
    """Keeps what subscribers send. With `tell`, a whole message is due to be told to the operator's address."""

    def __init__(self, queries: Queries, *, tell: bool) -> None:
        self._q = queries
        self._tell = tell

    async def keep(self, db: Work, items: Sequence[InboundIn]) -> list[None]:
        """One row each; the last part of a message makes it whole."""
        for item in items:
            await self._keep(db, item)
        return [None] * len(items)

    async def _keep(self, db: Work, item: InboundIn) -> None:
        carrier, raw, at_ms, sender, recipient, reference, part, parts = item
        values = (carrier, at_ms, raw, sender, recipient, reference, part, parts)
        ((new,),) = await db.rows(self._q["insert_inbound"], values)
        if parts == 1:
            await self._join(db, [new], at_ms)
            return
        since = at_ms - _JOIN_WITHIN_MS
        found = await db.rows(self._q["inbound_parts"], (sender, reference, parts, carrier, recipient, since))
        if len(found) == parts:
            await self._join(db, [row_id for _, row_id in found], at_ms)

    async def _join(self, db: Work, rows: Sequence[int], at_ms: int) -> None:
        head, *others = rows
        due = ("waiting", at_ms) if self._tell else ("kept", None)
        await db.change(self._q["join_inbound"], (head, head, *due))
        await db.many(self._q["join_inbound"], [(row, head, "kept", None) for row in others])

    async def claim(self, db: Work, items: Sequence[tuple[int, int]]) -> list[list[InboundWhole]]:
        """Each item: (now, limit)."""
        return [await self._claim(db, now_ms, limit) for now_ms, limit in items]

    async def _claim(self, db: Work, now_ms: int, limit: int) -> list[InboundWhole]:
        found = await db.rows(self._q["claim_inbound"], (now_ms, limit))
        return [await read_whole(db, self._q, head) for (head,) in found]

    async def told(self, db: Work, items: Sequence[InboundTry]) -> list[None]:
        """One result each."""
        await db.many(self._q["inbound_told"], [(one.id, one.state, one.number, one.again_ms) for one in items])
        return [None] * len(items)


async def read_whole(db: Asking, q: Queries, head: int) -> InboundWhole:
    """A message with all its parts."""
    rows = await db.rows(q["read_inbound"], (head,))
    row_id, carrier, sender, recipient, received_ms, tries, _ = rows[0]
    raws = tuple([row[6] for row in rows])
    return InboundWhole(row_id, carrier, sender, recipient, received_ms, tries, raws)
