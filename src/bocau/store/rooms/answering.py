"""What customers ask about their own messages, and the codes that were made up for them."""

import asyncio
import hmac
from collections.abc import Sequence
from typing import Final

from bocau.core.lifecycle import State
from bocau.core.message import CodeTry, ReceiverRow, SentPage, SentRange, SentRow
from bocau.store.queries import Queries
from bocau.store.work import Asking, Work

__all__ = ["MOST_WRONG_TRIES", "CodeChecking", "read_receivers", "read_sent"]

MOST_WRONG_TRIES: Final = 5
"""Wrong tries after which a generated code is good for nothing."""

_STRETCH: Final = 5_000
"""Messages that a report walks past before others get their turn: about a millisecond."""


async def read_receivers(
    db: Asking, q: Queries, account_id: int, head: int, since_ms: int
) -> tuple[str, list[ReceiverRow]] | None:
    """The SMSID and receivers of a request of the account; None if there is none that young."""
    rows = await db.rows(q["receiver_rows"], (account_id, head))
    if not rows or rows[0][1] < since_ms:
        return None
    return rows[0][0], [ReceiverRow(row[2], row[3], State(row[4]), row[5], row[6]) for row in rows]


async def read_sent(db: Asking, q: Queries, wanted: SentRange) -> SentPage:
    """One page of an account's messages, and how many there are in all.

    Ids grow with time, so the range is a walk along the primary key, past other accounts' messages; an index of its own
    would cost more for every message than reports do. It is walked in stretches, so that not even a million messages
    hold the loop.
    """
    owner = (wanted.account_id, wanted.sms_type)
    start, skip, total = wanted.first_id, wanted.skip, 0
    rows: list[SentRow] = []
    while True:
        ((own, walked, last),) = await db.rows(q["count_sent"], (*owner, start, wanted.end_id, _STRETCH))
        missing = wanted.limit - len(rows)
        if missing and skip < own:
            found = await db.rows(q["sent_rows"], (*owner, start, last, missing, skip))
            rows.extend(SentRow(*row)._replace(state=State(row[6])) for row in found)
        skip = max(0, skip - own)
        total += own
        if walked < _STRETCH:
            return SentPage(total, tuple(rows))
        start = last + 1
        await asyncio.sleep(0)


class CodeChecking:
    """Generated codes: each is right once, and wrong a few times."""

    def __init__(self, queries: Queries) -> None:
        self._q = queries

    async def run(self, db: Work, items: Sequence[CodeTry]) -> list[bool]:
        """Whether each try is right, in the order they came."""
        return [await self._try(db, item) for item in items]

    async def _try(self, db: Work, item: CodeTry) -> bool:
        q, place = self._q, (item.account_id, item.phone)
        found = await db.row(q["find_code"], (*place, item.at_ms))
        if found is None:
            return False
        code_hash, wrong = found
        right = hmac.compare_digest(code_hash, item.code_hash)
        used_up = right or wrong + 1 >= MOST_WRONG_TRIES
        await db.change(q["drop_code" if used_up else "miss_code"], place)
        return right
