"""Room 5's writes: receipts are matched, folded and settled, or kept as orphans."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from bocau.core.lifecycle import AttemptEvent, AttemptState, Event, State
from bocau.core.message import AttemptKey, Message, ReceiptIn, ReceiptStored
from bocau.core.outcome import fold, may_arrive
from bocau.store.queries import Queries
from bocau.store.rooms.calls import CALLED
from bocau.store.rooms.finishing import Finishing, Row
from bocau.store.work import Work

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
_DELIVERED: Final = AttemptState.DELIVERED
_IS_DELIVERED: Final = State.DELIVERED
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

    async def run(self, db: Work, items: Sequence[ReceiptIn]) -> list[ReceiptStored]:
        """One result each; plain deliveries are written together, the others in order."""
        plain = _known_to_be_plain(items)
        done = await self._deliver_known(db, [items[index] for index in plain])
        if len(done) == len(items):
            return done
        results = dict(zip(plain, done, strict=False))
        others = [receipt for index, receipt in enumerate(items) if index not in results]
        rest = iter(await self._receive_all(db, others))
        return [results[index] if index in results else next(rest) for index in range(len(items))]

    async def _receive_all(self, db: Work, items: Sequence[ReceiptIn]) -> list[ReceiptStored]:
        results: list[ReceiptStored] = []
        plain: dict[int, tuple[ReceiptIn, Row]] = {}
        for receipt in items:
            row = await self._plain(db, receipt, plain)
            if row is None:
                # Whatever else it is must see what the ones before it did.
                await self._deliver(db, plain)
                results.append(await self._receive(db, receipt))
                continue
            plain[row[0]] = (receipt, row)
            results.append(await self._delivered(db, row, receipt))
        await self._deliver(db, plain)
        return results

    async def _delivered(self, db: Work, row: Row, receipt: ReceiptIn) -> ReceiptStored:
        due = await self._finishing.due(db, row, _IS_DELIVERED, receipt.at_ms, receipt.hand_over) if row[11] else None
        return ReceiptStored(True, True, due, max(0, receipt.at_ms - row[13]), receipt.match_keys[0])

    async def _deliver_known(self, db: Work, items: Sequence[ReceiptIn]) -> list[ReceiptStored]:
        """The usual case without a look: memory knows every message, and the updates check what it knows.

        Nothing, and nothing is written, if the store does not agree with memory.
        """
        q = self._q
        attempts, ended, told, results = [], [], [], []
        for receipt in items:
            hint, known = receipt.hint, receipt.known
            if hint is None or known is None:  # not among those that are known to be plain
                return []
            message, at_ms, error, key = known.message, receipt.at_ms, receipt.error, receipt.match_keys[0]
            attempts.append((*hint, error, at_ms, receipt.carrier, receipt.phone, key))
            ended.append((message.id, error, at_ms))
            due = None
            if message.callback_url:
                row = _row_of(message, known.intent_ms)
                told.append((row, at_ms, receipt.hand_over))
                due = self._finishing.due_of_first(row, _IS_DELIVERED, at_ms, receipt.hand_over)
            results.append(ReceiptStored(True, True, due, max(0, at_ms - known.intent_ms), key))
        if not results or not await db.all_or_none(
            (q["deliver_known_attempt"], attempts), (q["deliver_message"], ended)
        ):
            return []
        await self._finishing.tell_all(db, told)
        await self._put_extras(db, [(*item.hint, item.extras) for item in items if item.extras and item.hint])
        return results

    async def _put_extras(self, db: Work, rows: Sequence[Row]) -> None:
        """Keep what carriers added of their own."""
        if rows:
            await db.many(self._q["put_extras"], rows)

    async def _plain(self, db: Work, receipt: ReceiptIn, before: Mapping[int, tuple[ReceiptIn, Row]]) -> Row | None:
        """What a plain delivery needs to know, or None if the receipt is none, or its message is among those before."""
        hint = receipt.hint
        if receipt.state is not _DELIVERED or hint is None or hint.message_id in before:
            return None
        values = (*hint, receipt.carrier, receipt.phone, receipt.match_keys[0])
        row = await db.row(self._q["plain_delivery"], values)
        return None if row is not None and row[7] == CALLED else row

    async def _deliver(self, db: Work, plain: dict[int, tuple[ReceiptIn, Row]]) -> None:
        """Write what was found to be plain."""
        q, found = self._q, list(plain.values())
        plain.clear()
        await db.many(q["deliver_attempt"], [(*(r.hint or ()), r.error, r.at_ms) for r, _ in found])
        await db.many(q["deliver_message"], [(row[0], r.error, r.at_ms) for r, row in found])
        await self._finishing.tell_all(db, [(row, r.at_ms, r.hand_over) for r, row in found if row[11]])
        await self._put_extras(db, [(*(r.hint or ()), r.extras) for r, _ in found if r.extras])

    async def _receive(self, db: Work, receipt: ReceiptIn) -> ReceiptStored:
        stored = await self.apply(db, receipt.hint, receipt) if receipt.hint is not None else None
        stored = await self.match(db, receipt) if stored is None else replace(stored, match_key=receipt.match_keys[0])
        if stored is None:
            await self._keep(db, receipt)
            return _UNMATCHED
        return stored

    async def match(self, db: Work, receipt: ReceiptIn) -> ReceiptStored | None:
        """Find the one attempt that a receipt means, and settle it; None if there is none.

        Forms of its id are tried in turn, and two candidates are none. While it is not known how the carrier writes its
        ids, two attempts under two forms are none either (promises 4.3).
        """
        rows = await db.rows(self._q["find_attempt"], (*three_forms(receipt.match_keys), receipt.carrier))
        mine = [row for row in rows if row[3] == receipt.phone]
        for match_key in receipt.match_keys if receipt.sure else ():
            found = [row for row in mine if row[5] == match_key]
            if found:
                mine = found
                break
        if len(mine) != 1:
            return None
        key = AttemptKey(*mine[0][:3])
        stored = await self.apply(db, key, receipt)
        if stored is None:
            await self._put_extras(db, [(*key, receipt.extras)] if receipt.extras else [])
            stored = _REPEATED
        return replace(stored, match_key=mine[0][5])

    async def apply(self, db: Work, key: AttemptKey, receipt: ReceiptIn) -> ReceiptStored | None:
        """Settle a named attempt and fold its message; None if the attempt is not this receipt's, or is past it."""
        if receipt.state is None:
            return None
        row = await db.row(
            self._q.on("settle_attempt", _EVENTS[receipt.state]),
            (*key, receipt.carrier, receipt.phone, receipt.error, receipt.at_ms, *three_forms(receipt.match_keys)),
        )
        if row is None:
            return None
        await self._put_extras(db, [(*key, receipt.extras)] if receipt.extras else [])
        parts, intent_ms, answer_ms = row
        event = _SINGLE[receipt.state] if parts == 1 else await self._fold(db, key.message_id, parts)
        if event in (Event.FAIL, Event.LAPSE, Event.CLOSE) and not await self._is_last_word(db, key):
            event = None
        callback = None
        if event in (Event.FAIL, Event.LAPSE) and parts > 1:
            # Nobody waits for the other parts now: after a crash their receipts find them as those of lost answers.
            await db.change(self._q["lose_attempts"], (key.message_id,))
        if event in (Event.DELIVER, Event.FAIL, Event.LAPSE, Event.CLOSE):
            _, callback = await self._finishing.finish(
                db,
                key.message_id,
                event,
                receipt.error,
                receipt.at_ms,
                captured=answer_ms is not None,
                hand_over=receipt.hand_over,
            )
        return ReceiptStored(True, True, callback, max(0, receipt.at_ms - intent_ms))

    async def _is_last_word(self, db: Work, key: AttemptKey) -> bool:
        """Whether the bad end of one attempt is that of its message: not while another try may arrive, and not while it
        is being sent once more."""
        tried = await db.rows(self._q["all_tried"], (key.message_id,))
        if len(tried) == 1:
            return True
        if may_arrive(row[:4] for row in tried):
            return False
        newer = any(part == key.part and number > key.number for _, part, _, _, number in tried)
        ((state,),) = await db.rows(self._q["message_state"], (key.message_id,))
        return not (newer and state in (State.QUEUED, State.SENDING))

    async def _fold(self, db: Work, message_id: int, parts: int) -> Event | None:
        rows = await db.rows(self._q["newest_attempts"], (message_id,))
        return fold(parts, [AttemptState(state) for _, state, _ in rows])

    async def _keep(self, db: Work, receipt: ReceiptIn) -> None:
        await db.change(
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
                receipt.extras or None,
            ),
        )


def _known_to_be_plain(items: Sequence[ReceiptIn]) -> list[int]:
    """The places of receipts that say delivered of a message in memory which is all there is to its request, was tried
    once, and which no other receipt among them is about."""
    found: dict[int, int] = {}
    seen = set()
    for index, receipt in enumerate(items):
        hint, known = receipt.hint, receipt.known
        if hint is None:
            continue
        if hint.message_id in seen:
            found.pop(hint.message_id, None)
            continue
        seen.add(hint.message_id)
        if known is None or receipt.state is not _DELIVERED or hint.message_id != known.message.id:
            continue
        # The callback of a message that may have been called needs a look at its calls.
        alone = known.message.receivers - known.message.dropped == 1
        if alone and known.message.sms_type != CALLED and hint.number == 1:
            found[hint.message_id] = index
    return list(found.values())


def _row_of(m: Message, intent_ms: int) -> Row:
    """What plain_delivery would return for a message that memory knows, and that was tried once."""
    return (
        *(m.id, m.head, m.account_id, m.smsid, m.receivers, m.dropped, m.request_id, m.sms_type, m.telco, m.phone),
        *(m.price, m.callback_url, 1, intent_ms),
    )
