"""Kept receipts looked at again: some find their attempt late, some can only be about one whose answer was lost."""

from collections.abc import Sequence

from bocau.core.lifecycle import AttemptState
from bocau.core.message import AttemptKey, ReceiptIn, ReceiptStored
from bocau.core.outcome import attempt_reference, match_keys
from bocau.store.contract import Rematched, Sweep
from bocau.store.queries import Queries
from bocau.store.rooms.receiving import Receiving
from bocau.store.work import Row, Work

__all__ = ["Rematching"]


class Rematching:
    """Goes round the kept receipts, a few at a time."""

    def __init__(self, queries: Queries, receiving: Receiving) -> None:
        self._q = queries
        self._receiving = receiving
        self._walked = 0

    async def run(self, db: Work, items: Sequence[Sweep]) -> list[Rematched]:
        """One result each."""
        return [await self._sweep(db, sweep) for sweep in items]

    async def _sweep(self, db: Work, sweep: Sweep) -> Rematched:
        rows = await db.rows(self._q["walk_orphans"], (self._walked, sweep.before_ms, sweep.limit))
        self._walked = rows[-1][0] if len(rows) == sweep.limit else 0
        matched = inferred = 0
        told = False
        for row in rows:
            receipt = _receipt_of(row)
            stored = await self._receiving.match(db, receipt)
            matched += stored is not None
            if stored is None and receipt.state is not None:
                stored = await self._infer(db, receipt, sweep)
                inferred += stored is not None
            if stored is not None:
                await db.change(self._q["delete_orphan"], (row[0],))
                told = told or stored.callback is not None
        return Rematched(matched, inferred, told)

    async def _infer(self, db: Work, receipt: ReceiptIn, sweep: Sweep) -> ReceiptStored | None:
        """The receipt of a lost answer: carrier account, destination, sender and date fit one attempt alone.

        A carrier that echoes our reference needs no more than that and the destination (promises 4.1).
        """
        rows = await db.rows(self._q["lost_attempts"], (receipt.phone, receipt.carrier))
        fitting = [row for row in rows if _fits(receipt, row, sweep)]
        if len(fitting) != 1:
            return None
        key = AttemptKey(*fitting[0][:3])
        await db.change(self._q["infer_attempt"], (*key, receipt.carrier_id, receipt.match_keys[0]))
        return await self._receiving.apply(db, key, receipt)


def _receipt_of(row: Row) -> ReceiptIn:
    _, carrier, carrier_id, phone, state, error, received_ms, raw, sender, submitted_ms, reference, extras = row
    return ReceiptIn(
        carrier,
        carrier_id,
        match_keys(carrier_id),
        phone,
        AttemptState(state) if state else None,
        error,
        received_ms,
        raw,
        None,
        hand_over=False,
        sure=False,
        sender=sender,
        submitted_ms=submitted_ms,
        reference=reference,
        extras=extras or b"",
    )


def _fits(receipt: ReceiptIn, row: Row, sweep: Sweep) -> bool:
    message_id, part, number = row[:3]
    intent_ms: int = row[3]
    brandname: str = row[4]
    if intent_ms > receipt.at_ms:
        return False
    if receipt.reference is not None:
        return receipt.reference == attempt_reference(AttemptKey(message_id, part, number))
    if not brandname or receipt.sender != brandname or receipt.submitted_ms is None:
        return False
    return -sweep.slack_ms <= receipt.submitted_ms - intent_ms <= sweep.window_ms
