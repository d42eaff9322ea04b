"""Room 5's writes: receipts are matched, folded and settled, or kept as orphans."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

from bocau.core.lifecycle import AttemptEvent, AttemptState, Event, State
from bocau.core.message import AttemptKey, ReceiptIn, ReceiptStored
from bocau.core.outcome import fold
from bocau.store.queries import Queries
from bocau.store.sqlite.finishing import Finishing, Row

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
        """One result each, in order; runs of plain deliveries are written together."""
        results: list[ReceiptStored] = []
        plain: dict[int, tuple[ReceiptIn, Row]] = {}
        for receipt in items:
            row = self._plain(db, receipt, plain)
            if row is None:
                # Whatever else it is must see what the ones before it did.
                self._deliver(db, plain)
                results.append(self._receive(db, receipt))
                continue
            plain[row[0]] = (receipt, row)
            due = None if not row[11] else self._finishing.due(row, State.DELIVERED, receipt.at_ms, receipt.hand_over)
            results.append(ReceiptStored(True, True, due, max(0, receipt.at_ms - row[13])))
        self._deliver(db, plain)
        return results

    def _plain(
        self, db: sqlite3.Connection, receipt: ReceiptIn, before: Mapping[int, tuple[ReceiptIn, Row]]
    ) -> Row | None:
        """What a plain delivery needs to know, or None if the receipt is none, or its message is among those before."""
        hint = receipt.hint
        if receipt.state is not AttemptState.DELIVERED or hint is None or hint.message_id in before:
            return None
        values = (*hint, receipt.carrier, receipt.phone, receipt.match_keys[0])
        row: Row | None = db.execute(self._q["plain_delivery"], values).fetchone()
        return row

    def _deliver(self, db: sqlite3.Connection, plain: dict[int, tuple[ReceiptIn, Row]]) -> None:
        """Write what was found to be plain."""
        q, found = self._q, list(plain.values())
        plain.clear()
        db.executemany(q["deliver_attempt"], [(*(r.hint or ()), r.error, r.at_ms) for r, _ in found])
        db.executemany(q["deliver_message"], [(row[0], r.error, r.at_ms) for r, row in found])
        self._finishing.tell_all(db, [(row, r.at_ms, r.hand_over) for r, row in found if row[11]])

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
        """The one attempt a receipt means; forms of its id are tried in turn, two candidates are none."""
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
