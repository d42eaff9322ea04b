"""Forgetting, in small steps: texts, numbers, then whole messages, whose money stays (promises S7).

Each kind walks along the primary key, whose order is time, once. A message that has not ended, or ended late, when the
walk comes by is written down with the moment at which its turn comes, so nothing is looked at in vain and no index is
needed on the way of a message.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from bocau.core.ids import first_id_at
from bocau.core.keeping import FOR_EVER, Forget, Keeping, Stretch
from bocau.core.phone import mask
from bocau.store.contract import Forgettable, Forgotten
from bocau.store.queries import Queries
from bocau.store.work import Asking, Values, Work

__all__ = ["Forgetting", "read_forgettable"]

_MASKED: Final = "*"
_ROWS: Final = ("delete_attempts", "delete_calls", "delete_call_order", "delete_message")
_OLDEST: Final = (("inbound", "oldest_inbound", "delete_inbound"), ("audit", "oldest_audit", "delete_audit"))


class _Row(NamedTuple):
    """What is asked of a message on the way."""

    id: int
    head: int
    route_class: str
    phone: str
    has_text: bool
    final_ms: int | None


class Forgetting:
    """Takes steps."""

    def __init__(self, queries: Queries) -> None:
        self._q = queries

    async def run(self, db: Work, items: Sequence[tuple[Keeping, int, int]]) -> list[Forgotten]:
        """Each item: (how long things are kept, now, how many to look at of each kind)."""
        return [await self._step(db, *item) for item in items]

    async def _step(self, db: Work, keeping: Keeping, now_ms: int, limit: int) -> Forgotten:
        gone: Counter[str] = Counter()
        more = False
        for what in Forget:
            stretch = keeping.stretch(what, now_ms)
            if stretch is None:
                continue
            rows = await self._ahead(db, what, stretch, limit)
            looked = len(rows)
            again = await db.rows(self._q["walk_again"], (what.value, now_ms, limit))
            rows += await self._again(db, what, again)
            gone[what.value] += await self._forget(db, what, stretch, rows, now_ms)
            more = more or limit in (looked, len(again))
        for name, oldest, delete in _OLDEST:
            kept_ms: int = getattr(keeping, f"{name}_ms")
            if kept_ms == FOR_EVER:
                continue
            found = await db.rows(self._q[oldest], (limit,))
            old = [(number,) for number, at_ms in found if at_ms < now_ms - kept_ms]
            await db.many(self._q[delete], old)
            gone[name] += len(old)
            more = more or len(old) == limit
        return Forgotten({name: count for name, count in gone.items() if count}, more)

    async def _ahead(self, db: Work, what: Forget, stretch: Stretch, limit: int) -> list[_Row]:
        """The next messages of the walk, which has passed them then."""
        (place,) = await db.row(self._q["read_walk"], (what.value,)) or (0,)
        end = first_id_at(stretch.accepted_before_ms)
        rows = [_Row._make(row) for row in await db.rows(self._q["walk_messages"], (place, end, limit))]
        if rows:
            await db.change(self._q["set_walk"], (what.value, rows[-1].id))
        return rows

    async def _again(self, db: Work, what: Forget, due: Sequence[Values]) -> list[_Row]:
        """Messages that were too young before; those that are gone meanwhile are not among them."""
        await db.many(self._q["delete_later"], [(what.value, *place) for place in due])
        return [_Row._make(row) for row in await db.each(self._q["walked_message"], [place[1:] for place in due])]

    async def _forget(self, db: Work, what: Forget, stretch: Stretch, rows: Iterable[_Row], now_ms: int) -> int:
        """Forget those that ended long enough ago, and write the others down. Returns how many messages lost it."""
        old: list[_Row] = []
        young: list[tuple[str, int, int]] = []
        concerned = [row for row in rows if _concerns(what, row)]
        ends = await self._ends(db, what, concerned)
        for row in concerned:
            final_ms = ends[row.id]
            if final_ms is None or final_ms >= stretch.ended_before_ms:
                due_ms = (now_ms if final_ms is None else final_ms + 1) + stretch.again_ms
                young.append((what.value, due_ms, row.id))
            else:
                old.append(row)
        await db.many(self._q["put_later"], young)
        if what is Forget.MESSAGE:
            return await self._delete(db, [(row.head,) for row in old])
        await self._erase(db, what, old)
        return len(old)

    async def _ends(self, db: Work, what: Forget, rows: Sequence[_Row]) -> dict[int, int | None]:
        """When they ended; a request is deleted as a whole, so for that, when its last message did."""
        if what is not Forget.MESSAGE:
            return {row.id: row.final_ms for row in rows}
        found = await db.each(self._q["request_end"], [(row.head,) for row in rows])
        return {head: None if still_open else last_ms for head, last_ms, still_open in found}

    async def _erase(self, db: Work, what: Forget, rows: Sequence[_Row]) -> None:
        q = self._q
        if what is Forget.PHONE:
            masked = [(row.id, mask(row.phone)) for row in rows]
            await db.many(q["mask_phone"], masked)
            await db.many(q["mask_attempts"], masked)
        else:
            numbers = [(row.id,) for row in rows]
            await db.many(q["erase_text"], numbers)
            await db.many(q["erase_keys"], numbers)

    async def _delete(self, db: Work, heads: Sequence[Values]) -> int:
        """Whole requests; their lines of money stay, so the balance is their sum for ever (promises P23)."""
        q = self._q
        members = await db.each(q["request_members"], heads)
        for name in _ROWS:
            await db.many(q[name], members)
        for name in ("delete_callback_tries", "delete_callback"):
            await db.many(q[name], heads)
        return len(members)


def _concerns(what: Forget, row: _Row) -> bool:
    """Whether there is anything to forget of this kind in this row."""
    if what is Forget.MESSAGE:
        return row.id == row.head
    if what is Forget.PHONE:
        return _MASKED not in row.phone
    return row.has_text and row.route_class == what.route_class


async def read_forgettable(db: Asking, q: Queries, keeping: Keeping, now_ms: int) -> list[Forgettable]:
    """How far each kind of forgetting came, and what lies before it."""
    found = []
    for what in Forget:
        stretch = keeping.stretch(what, now_ms)
        (place,) = await db.row(q["read_walk"], (what.value,)) or (0,)
        ((waiting, due),) = await db.rows(q["count_later"], (what.value, now_ms))
        ahead = 0
        if stretch is not None:
            ((ahead,),) = await db.rows(q["count_walk"], (place, first_id_at(stretch.accepted_before_ms)))
        found.append(Forgettable(what.value, place, ahead + due, waiting - due))
    return found
