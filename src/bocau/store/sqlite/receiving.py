"""Room 5's writes: receipts are matched, folded and settled, or kept as orphans."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from bocau.core.lifecycle import AttemptEvent, AttemptState, Event, State
from bocau.core.message import AttemptKey, Message, ReceiptIn, ReceiptStored
from bocau.core.outcome import fold, may_arrive
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
        """One result each, in order; plain deliveries are written together."""
        known = self._deliver_known(db, items)
        if known is not None:
            return known
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
            results.append(self._delivered(row, receipt))
        self._deliver(db, plain)
        return results

    def _delivered(self, row: Row, receipt: ReceiptIn) -> ReceiptStored:
        due = self._finishing.due(row, State.DELIVERED, receipt.at_ms, receipt.hand_over) if row[11] else None
        return ReceiptStored(True, True, due, max(0, receipt.at_ms - row[13]), receipt.match_keys[0])

    def _deliver_known(self, db: sqlite3.Connection, items: Sequence[ReceiptIn]) -> list[ReceiptStored] | None:
        """The usual case without a look: memory knows every message, and the updates check what it knows.

        None, with nothing written, if an item is not so plain or the store does not agree with memory.
        """
        q = self._q
        attempts, ended, told, results = [], [], [], []
        for receipt in items:
            hint, known = receipt.hint, receipt.known
            if known is None or hint is None or receipt.state is not AttemptState.DELIVERED:
                return None
            message, at_ms, error, key = known.message, receipt.at_ms, receipt.error, receipt.match_keys[0]
            if hint.message_id != message.id or message.receivers - message.dropped != 1:
                return None
            attempts.append((*hint, error, at_ms, receipt.carrier, receipt.phone, key))
            ended.append((message.id, error, at_ms))
            due = None
            if message.callback_url:
                row = _row_of(message, hint.number, known.intent_ms)
                told.append((row, at_ms, receipt.hand_over))
                due = self._finishing.due(row, State.DELIVERED, at_ms, receipt.hand_over)
            results.append(ReceiptStored(True, True, due, max(0, at_ms - known.intent_ms), key))
        db.execute("SAVEPOINT known")
        matched = db.executemany(q["deliver_known_attempt"], attempts).rowcount
        agreed = matched == len(items) == db.executemany(q["deliver_message"], ended).rowcount
        if not agreed:
            db.execute("ROLLBACK TO known")
        db.execute("RELEASE known")
        if not agreed:
            return None
        self._finishing.tell_all(db, told)
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
        stored = self.match(db, receipt) if stored is None else replace(stored, match_key=receipt.match_keys[0])
        if stored is None:
            self._keep(db, receipt)
            return _UNMATCHED
        return stored

    def match(self, db: sqlite3.Connection, receipt: ReceiptIn) -> ReceiptStored | None:
        """Find the one attempt that a receipt means, and settle it; None if there is none.

        Forms of its id are tried in turn, and two candidates are none. While it is not known how the carrier writes its
        ids, two attempts under two forms are none either (promises 4.3).
        """
        rows = db.execute(self._q["find_attempt"], (*three_forms(receipt.match_keys), receipt.carrier)).fetchall()
        mine = [row for row in rows if row[3] == receipt.phone]
        for match_key in receipt.match_keys if receipt.sure else ():
            found = [row for row in mine if row[5] == match_key]
            if found:
                mine = found
                break
        if len(mine) != 1:
            return None
        stored = self.apply(db, AttemptKey(*mine[0][:3]), receipt) or _REPEATED
        return replace(stored, match_key=mine[0][5])

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
        if event in (Event.FAIL, Event.LAPSE, Event.CLOSE) and not self._is_last_word(db, key):
            event = None
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

    def _is_last_word(self, db: sqlite3.Connection, key: AttemptKey) -> bool:
        """Whether the bad end of one attempt is that of its message: not while another try may arrive, and not while it
        is being sent once more."""
        tried = db.execute(self._q["all_tried"], (key.message_id,)).fetchall()
        if len(tried) == 1:
            return True
        if may_arrive(row[:4] for row in tried):
            return False
        newer = any(part == key.part and number > key.number for _, part, _, _, number in tried)
        state = db.execute(self._q["message_state"], (key.message_id,)).fetchone()[0]
        return not (newer and state in (State.QUEUED, State.SENDING))

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
                receipt.sender,
                receipt.submitted_ms,
                receipt.reference,
            ),
        )


def _row_of(m: Message, tries: int, intent_ms: int) -> Row:
    """What plain_delivery would return for a message that memory knows."""
    return (
        *(m.id, m.head, m.account_id, m.smsid, m.receivers, m.dropped, m.request_id, m.sms_type, m.telco, m.phone),
        *(m.price, m.callback_url, tries, intent_ms),
    )
