"""Room 5's writes for callbacks: claims and tries."""

from collections.abc import Sequence

from bocau.core.message import CallbackDue, CallbackTry, Due
from bocau.store.queries import Queries
from bocau.store.rooms.admitting import summary_of
from bocau.store.rooms.calls import CALLED, read_calls_told
from bocau.store.rooms.registering import read_due
from bocau.store.work import Row, Work

__all__ = ["Calling"]


class Calling:
    """Claims due callbacks for this node and stores their tries."""

    def __init__(self, queries: Queries, owner: int) -> None:
        self._q = queries
        self._owner = owner

    async def claim(self, db: Work, items: Sequence[tuple[int, int]]) -> list[list[Due]]:
        """Each item: (now, limit)."""
        return [await self._claim(db, now_ms, limit) for now_ms, limit in items]

    async def _claim(self, db: Work, now_ms: int, limit: int) -> list[Due]:
        found = sorted(await db.rows(self._q["claim_callbacks"], (self._owner, now_ms, limit)))
        outcomes = await self._read_outcomes(db, [(number, tries) for number, tries in found if number > 0], now_ms)
        decisions = [await read_due(db, self._q, number, tries, now_ms) for number, tries in found if number < 0]
        return [due for due in (*decisions, *outcomes) if due is not None]

    async def _read_outcomes(self, db: Work, found: Sequence[tuple[int, int]], now_ms: int) -> list[Due]:
        """What each callback of a request tells, by its head; nothing of a request that is gone."""
        firsts = {row[0]: row for row in await db.each(self._q["callback_head"], [(head,) for head, _ in found])}
        places = [(firsts[head][1], head) for head, _ in found if head in firsts]
        requests: dict[int, list[Row]] = {}
        for row in await db.each(self._q["request_rows"], places):
            requests.setdefault(row[7], []).append(row)
        called = await read_calls_told(db, self._q, [head for head, row in firsts.items() if row[6] == CALLED])
        claimed: list[Due] = []
        for head, tries in found:
            if head in requests:
                _, account_id, _, _, _, request_id, sms_type, telco, phone, url = firsts[head]
                told = (account_id, url, request_id, sms_type, telco, phone, summary_of(requests[head]), tries, now_ms)
                claimed.append(CallbackDue(head, *told, called.get(head)))
        return claimed

    async def tried(self, db: Work, items: Sequence[CallbackTry]) -> list[None]:
        """Store tries and verdicts."""
        q = self._q
        await db.many(q["callback_tried"], [(t.callback_id, t.verdict, t.number, t.again_ms) for t in items])
        await db.many(
            q["insert_callback_try"],
            [(t.callback_id, t.number, t.at_ms, t.milliseconds, t.http_status, t.answer) for t in items],
        )
        return [None] * len(items)
