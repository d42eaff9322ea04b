"""Room 1's writes: requests become messages, all or nothing."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import astuple

from bocau.core.ledger import EntryKind, day_of
from bocau.core.lifecycle import State
from bocau.core.message import Admission, Admitted, Duplicate, Message, NoBalance, Overspent, Summary
from bocau.core.outcome import summarise
from bocau.store.contract import AdmitResult
from bocau.store.queries import Queries
from bocau.store.rooms.spending import Spend, Spending
from bocau.store.work import Asking, Row, Work

__all__ = ["REQUEST_ID_WINDOW_MS", "Admitting", "find_duplicate", "read_summary", "summary_of"]

_Entry = tuple[int, int, str, int, str, int]
"""account, subject, kind, amount, cause, moment: a line of the ledger"""

_HOLD: Final = EntryKind.HOLD.value
_REJECTED: Final = State.REJECTED.value

REQUEST_ID_WINDOW_MS: Final = 24 * 3_600_000
"""A RequestId blocks repeats for 24 h after its first acceptance (esms-api 2.5)."""


async def read_summary(db: Asking, q: Queries, account_id: int, head: int, since_ms: int = 0) -> Summary | None:
    """A request of the account by its head id; None if there is none that young."""
    rows = await db.rows(q["request_rows"], (account_id, head))
    return None if not rows or rows[0][3] < since_ms else summary_of(rows)


def summary_of(rows: Sequence[Row]) -> Summary:
    """A request by its `request_rows`."""
    smsid, receivers, dropped = rows[0][:3]
    repeated = sum(bool(row[8]) for row in rows)
    return summarise(smsid, receivers, dropped, ((State(row[4]), row[5], row[6]) for row in rows), repeated)


async def find_duplicate(db: Asking, q: Queries, account_id: int, request_id: str, now_ms: int) -> Duplicate | None:
    """The request that holds a RequestId now."""
    row = await db.row(q["find_request_key"], (account_id, request_id, now_ms - REQUEST_ID_WINDOW_MS))
    return None if row is None else await _duplicate(db, q, account_id, row[2])


async def _duplicate(db: Asking, q: Queries, account_id: int, head: int) -> Duplicate | None:
    summary = await read_summary(db, q, account_id, head)
    return None if summary is None else Duplicate(summary.smsid, summary)


class Admitting:
    """Runs many admissions in one transaction, in the order they came: the first of two equal RequestIds wins.

    Another node's admissions of the same accounts wait until the commit.
    """

    def __init__(self, queries: Queries) -> None:
        self._q = queries

    async def run(self, db: Work, items: Sequence[Admission]) -> list[AdmitResult]:
        """One result each."""
        spending = Spending(self._q)
        await spending.lock(db, [a.messages[0].account_id for a in items], [a.api_key for a in items])
        if await self._admit_all(db, items, spending):
            return [Admitted(admission) for admission in items]
        return await self._admit_each(db, items)

    async def rehearse(self, db: Asking, admission: Admission) -> AdmitResult:
        """What `run` would say to one admission now, with nothing written."""
        spending = Spending(self._q)
        await spending.look(db, admission.messages[0].account_id, admission.api_key)
        holders = await self._holders(db, [admission])
        refused = self._refuse(admission, spending, holders)
        return (await self._told(db, admission, refused)) or Admitted(admission)

    async def _admit_all(self, db: Work, items: Sequence[Admission], spending: Spending) -> bool:
        """The usual case, in a few statements for all: every RequestId is new and the money covers them together.

        False, with nothing written, if one of them is not so plain.
        """
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
        for place, amount in sums.items():
            caps = newest[place]
            if spending.take(Spend(*place, amount, caps.account_cap, caps.key_cap)) is not None:
                return False
        if keys and not await db.all_or_none((self._q["take_free_request_key"], keys)):
            return False
        await self._write(db, items, spending)
        return True

    async def _admit_each(self, db: Work, items: Sequence[Admission]) -> list[AdmitResult]:
        """One after the other: the first of two equal RequestIds wins, and the first to spend the last of a balance."""
        spending = Spending(self._q)
        await spending.lock(db, [a.messages[0].account_id for a in items], [a.api_key for a in items])
        holders = await self._holders(db, items)
        refusals = []
        for admission in items:
            refused = self._refuse(admission, spending, holders)
            refusals.append(refused)
            if refused is None:
                holders.update(dict.fromkeys(_marks(admission), admission.messages[0].head))
        admitted = [admission for admission, refused in zip(items, refusals, strict=True) if refused is None]
        await self._take_keys(db, admitted)
        await self._write(db, admitted, spending)
        # A repetition is told what became of its first, which may be written just now.
        told = [await self._told(db, admission, refused) for admission, refused in zip(items, refusals, strict=True)]
        return [Admitted(one) if answer is None else answer for one, answer in zip(items, told, strict=True)]

    async def _write(self, db: Work, admitted: Sequence[Admission], spending: Spending) -> None:
        messages = [message for admission in admitted for message in admission.messages]
        await db.many(self._q["insert_message"], map(astuple, messages))
        await db.many(self._q["insert_ledger"], _holds(messages))
        await spending.write(db)
        await self._keep_extras(db, admitted)

    async def _keep_extras(self, db: Work, admitted: Sequence[Admission]) -> None:
        """Codes that were made up for these requests, and how calls are to be made; hardly any has one."""
        for admission in admitted:
            if admission.order is not None:
                rows = [(message.id, *admission.order) for message in admission.messages]
                await db.many(self._q["put_call_order"], rows)
            code = admission.code
            if code is not None:
                place = (admission.messages[0].account_id, code.phone)
                await db.change(self._q["put_code"], (*place, code.code_hash, code.expires_ms))

    def _refuse(
        self, admission: Admission, spending: Spending, holders: dict["_Mark", int]
    ) -> int | NoBalance | Overspent | None:
        """Why an admission cannot be stored; None takes its hold from what the transaction may spend. A number is the
        head of the request that holds its RequestId, or lately sent the same text to one of the receivers."""
        for mark in _marks(admission, asking=True):
            if mark in holders:
                return holders[mark]
        return spending.take(_spend(admission)) if admission.hold else None

    async def _told(
        self, db: Asking, admission: Admission, refused: int | NoBalance | Overspent | None
    ) -> Duplicate | NoBalance | Overspent | None:
        if not isinstance(refused, int):
            return refused
        return await _duplicate(db, self._q, admission.messages[0].account_id, refused)

    async def _holders(self, db: Asking, items: Sequence[Admission]) -> dict["_Mark", int]:
        """Who holds the RequestIds and texts of these admissions now."""
        request_ids, texts = [], []
        for admission in items:
            first = admission.messages[0]
            if first.request_id:
                request_ids.append((first.account_id, first.request_id, first.created_ms - REQUEST_ID_WINDOW_MS))
            since_ms = first.created_ms - admission.content_ms
            texts += [(first.account_id, digest, since_ms) for digest in admission.contents]
        rows = await db.each(self._q["find_request_key"], request_ids)
        rows += await db.each(self._q["find_content_key"], texts)
        # What a request that is gone held is free.
        there = {row[0] for row in await db.each(self._q["callback_head"], [(head,) for _, _, head in rows])}
        return {(account_id, mark): head for account_id, mark, head in rows if head in there}

    async def _take_keys(self, db: Work, admitted: Sequence[Admission]) -> None:
        """Reserve the RequestIds, and remember the texts."""
        request_ids: list[Row] = []
        texts: list[Row] = []
        for admission in admitted:
            first = admission.messages[0]
            for account_id, mark in _marks(admission):
                row = (account_id, mark, first.head, first.created_ms)
                (request_ids if isinstance(mark, str) else texts).append(row)
        await db.many(self._q["take_request_key"], request_ids)
        await db.many(self._q["take_content_key"], texts)


_Mark = tuple[int, str | bytes]
"""account, and a RequestId or the digest of a text: what only one request may hold at a time"""


def _marks(admission: Admission, *, asking: bool = False) -> list[_Mark]:
    """What an admission takes for itself, or, `asking`, what must be free for it."""
    first = admission.messages[0]
    if not (admission.consumes_request_id or asking):
        return []
    own: list[str | bytes] = [first.request_id] if first.request_id else []
    return [(first.account_id, mark) for mark in (*own, *admission.contents)]


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
