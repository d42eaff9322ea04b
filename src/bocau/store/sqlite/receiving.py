"""Room 5's writes: receipts are matched, folded and settled, or kept as orphans."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from bocau.core.lifecycle import AttemptEvent, AttemptState, Event
from bocau.core.message import AttemptKey, ReceiptIn, ReceiptStored
from bocau.core.outcome import fold
from bocau.store.queries import Queries
from bocau.store.sqlite.finishing import Finishing

__all__ = ["Receiving", "three_forms"]

_EVENTS: Final[dict[AttemptState, AttemptEvent]] = {
    AttemptState.DELIVERED: AttemptEvent.DELIVER,
    AttemptState.UNDELIVERED: AttemptEvent.UNDELIVER,
    AttemptState.EXPIRED: AttemptEvent.EXPIRE,
    AttemptState.UNKNOWN: AttemptEvent.GIVE_UP,
}
_SINGLE: Final[dict[AttemptState, Event]] = {
    AttemptState.DELIVERED: Event.DELIVER,
    AttemptState.UNDELIVERED: Event.FAIL,
    AttemptState.EXPIRED: Event.LAPSE,
    AttemptState.UNKNOWN: Event.CLOSE,
}
_UNMATCHED: Final = ReceiptStored(matched=False, changed=False, callback=None, lag_ms=0)
_REPEATED: Final = ReceiptStored(matched=True, changed=False, callback=None, lag_ms=0)


def three_forms(keys: tuple[str, ...]) -> tuple[str, str, str]:
    """Exactly three forms of an id, for a statement of fixed shape."""
    return (keys + keys[:1] * 3)[:3]  # type: ignore[return-value]


class Receiving:
    """Stores receipts."""

    def __init__(self, queries: Queries, finishing: Finishing) -> None:
        self._q = queries
        self._finishing = finishing

    def run(self, db: sqlite3.Connection, items: Sequence[ReceiptIn]) -> list[ReceiptStored]:
        """One result each."""
        return [self._receive(db, receipt) for receipt in items]

    def _receive(self, db: sqlite3.Connection, receipt: ReceiptIn) -> ReceiptStored:
        stored = self.apply(db, receipt.hint, receipt) if receipt.hint is not None else None
        if stored is None:
            key = self._locate(db, receipt)
            stored = None if key is None else self.apply(db, key, receipt) or _REPEATED
        if stored is None:
            self._keep(db, receipt)
            return _UNMATCHED
        return stored

    def _locate(self, db: sqlite3.Connection, receipt: ReceiptIn) -> AttemptKey | None:
        """The one attempt a receipt means; forms of the id are tried in turn, two candidates are none (promises 4.3)."""
        rows = db.execute(self._q["find_attempt"], (*three_forms(receipt.match_keys), receipt.carrier)).fetchall()
        for key in receipt.match_keys:
            found = [row for row in rows if row[5] == key and row[3] == receipt.phone]
            if found:
                return AttemptKey(*found[0][:3]) if len(found) == 1 else None
        return None

    def apply(self, db: sqlite3.Connection, key: AttemptKey, receipt: ReceiptIn) -> ReceiptStored | None:
        """Settle a named attempt and fold its message; None if the attempt is not this receipt's, or is past it."""
        if receipt.state is None:
            return None
        row = db.execute(
            self._q.on("settle_attempt", _EVENTS[receipt.state]),
            (*key, receipt.carrier, receipt.phone, receipt.error, receipt.at_ms, *three_forms(receipt.match_keys)),
        ).fetchone()
        if row is None:
            return None
        parts, intent_ms, answer_ms = row
        event = _SINGLE[receipt.state] if parts == 1 else self._fold(db, key.message_id, parts)
        callback = None
        if event in (Event.DELIVER, Event.FAIL, Event.LAPSE, Event.CLOSE):
            _, callback = self._finishing.finish(
                db,
                key.message_id,
                event,
                receipt.error,
                receipt.at_ms,
                captured=answer_ms is not None,
                hand_over=receipt.hand_over,
            )
        return ReceiptStored(True, True, callback, max(0, receipt.at_ms - intent_ms))

    def _fold(self, db: sqlite3.Connection, message_id: int, parts: int) -> Event | None:
        rows = db.execute(self._q["newest_attempts"], (message_id,)).fetchall()
        return fold(parts, [AttemptState(state) for _, state, _ in rows])

    def _keep(self, db: sqlite3.Connection, receipt: ReceiptIn) -> None:
        db.execute(
            self._q["insert_orphan"],
            (
                receipt.carrier,
                receipt.match_keys[0],
                receipt.carrier_id,
                receipt.phone,
                receipt.state or "",
                receipt.error,
                receipt.at_ms,
                receipt.raw,
            ),
        )
