"""Receipts come in: stored first, acknowledged to the carrier after the commit, folded in the same transaction."""

from collections.abc import Callable
from functools import partial

from bocau.core.message import Due, ReceiptIn, ReceiptStored
from bocau.loops import Lane
from bocau.store.contract import ReceiptStore, StoreFault
from bocau.telemetry import Log, LogEvent, ReportMeters

__all__ = ["ReceiptDesk"]

Acknowledge = Callable[[ReceiptStored | None], None]
"""Told what became of a receipt once that is committed; None: it could not be stored, the carrier is to keep it."""


class ReceiptDesk:
    """Takes receipts from links."""

    def __init__(
        self,
        store: ReceiptStore,
        calls: Lane[Due],
        meters: ReportMeters,
        log: Log,
    ) -> None:
        self._store = store
        self._calls = calls
        self._meters = meters
        self._log = log

    def take(self, receipt: ReceiptIn, acknowledge: Acknowledge) -> None:
        """Store a receipt. `acknowledge` is called after the commit, or with None."""
        known = receipt.known
        if (known is None or known.message.callback_url) and self._calls.reserve(1):
            receipt = receipt.handed_over()
        self._store.receipt(receipt, partial(self._done, receipt, acknowledge))

    def _done(self, receipt: ReceiptIn, acknowledge: Acknowledge, result: ReceiptStored | StoreFault) -> None:
        acknowledge(None if isinstance(result, StoreFault) else result)
        callback = None if isinstance(result, StoreFault) else result.callback
        if receipt.hand_over:
            if callback is not None:
                self._calls.fill(callback)
            else:
                self._calls.free(1)
        if isinstance(result, StoreFault):
            self._log.error(LogEvent.STORE_FAIL, exc_info=result)
        else:
            self._count(receipt, result)

    def _count(self, receipt: ReceiptIn, stored: ReceiptStored) -> None:
        meters = self._meters
        meters.receipts[receipt.state or "intermediate"] += 1
        if stored.changed:
            meters.receipt_seconds.observe(stored.lag_ms / 1000)
        if not stored.matched:
            meters.orphans += 1
            self._log.info(LogEvent.RECEIPT_ORPHAN, carrier=receipt.carrier, carrier_id=receipt.carrier_id)
        elif not stored.changed:
            meters.repeated += 1
