"""Room 3's writes: claims and intents."""

from collections.abc import Mapping, Sequence
from typing import Final

from bocau.core.ledger import day_of
from bocau.core.lifecycle import AttemptState, Event
from bocau.core.message import AnswerKind, Intent, Message, Past, Uncertain
from bocau.store.contract import Claimed
from bocau.store.queries import Queries
from bocau.store.rooms.finishing import Finishing
from bocau.store.work import Row, Work

__all__ = ["Dispatching"]

_NOT_TAKEN: Final = AttemptState.REFUSED
_MOST_GROUPS: Final = 256
"""One claim looks at so many; with more than that the next one goes on where it ended."""
_NO_TEXT: Final = "a recording can only be called, and type 8 of the account goes by text now"
_LAST_ACCOUNT: Final = (1 << 63) - 1
_FIRST: Final = ("", "", -1)

_Group = tuple[str, str, int]
"""class, place where it is parked, account"""

_Attempt = tuple[int, int, int, int, str, int, str, int]
"""message, part, number, total, carrier, owner, phone, moment"""


class Dispatching:
    """Claims queued messages for this node and stores intents before a byte leaves."""

    def __init__(self, queries: Queries, owner: int, finishing: Finishing) -> None:
        self._q = queries
        self._owner = owner
        self._finishing = finishing
        self._after: _Group = _FIRST

    async def claim(self, db: Work, items: Sequence[tuple[int, Mapping[str, int], frozenset[str]]]) -> list[Claimed]:
        """Each item: (now, room by class, closed places)."""
        return [await self._claim(db, now_ms, room, closed) for now_ms, room, closed in items]

    async def _claim(self, db: Work, now_ms: int, room: Mapping[str, int], closed: frozenset[str]) -> Claimed:
        groups, whole = await self._groups(db, closed)
        messages: list[Message] = []
        left: set[tuple[int, str]] = set()
        for route_class in sorted(room, key=lambda name: -room[name]):
            own = [group for group in groups if group[0] == route_class]
            messages += await self._share_out(db, own, room[route_class], now_ms)
            left.update((account, route_class) for _, _, account in own)
        return Claimed(sorted(messages, key=lambda message: message.id), frozenset(left), whole)

    async def _groups(self, db: Work, closed: frozenset[str]) -> tuple[list[_Group], bool]:
        """The groups that have something waiting, from where the last claim ended; whether these are all of them."""
        step = self._q["next_group"]
        found: list[_Group] = []
        began = at = self._after
        while len(found) < _MOST_GROUPS:
            row = await db.row(step, at)
            if row is None:
                self._after = _FIRST
                return found, began == _FIRST
            route_class, place, account = row
            if place in closed:
                at = (route_class, place, _LAST_ACCOUNT)
            else:
                at = (route_class, place, account)
                found.append(at)
        self._after = at
        return found, False

    async def _share_out(self, db: Work, groups: list[_Group], room: int, now_ms: int) -> list[Message]:
        """Fill the room in equal shares; what one group does not use goes to the others. A group that has nothing left
        is taken out of `groups`."""
        claimed: list[Message] = []
        while groups and len(claimed) < room:
            share = max(1, (room - len(claimed)) // len(groups))
            for group in tuple(groups):
                limit = min(share, room - len(claimed))
                if not limit:
                    break
                rows = await db.rows(self._q["claim_messages"], (self._owner, now_ms, limit, *group))
                claimed += [Message(*row) for row in rows]
                if len(rows) < limit:
                    groups.remove(group)
        return claimed

    async def begin(self, db: Work, items: Sequence[Intent]) -> list[int | None]:
        """The reference of each message that may go out now, None for one that may not."""
        silent = {intent.message_id for intent in items if intent.as_text and await self._rejected(db, intent)}
        if not silent:
            return await self._begin(db, items)
        begun = iter(await self._begin(db, [intent for intent in items if intent.message_id not in silent]))
        return [None if intent.message_id in silent else next(begun) for intent in items]

    async def _rejected(self, db: Work, intent: Intent) -> bool:
        """Whether it would have the name of a recording sent as a text; then the message ends here."""
        if await db.row(self._q["asks_for_recording"], (intent.message_id,)) is None:
            return False
        await self._finishing.finish(db, intent.message_id, Event.REJECT, _NO_TEXT, intent.at_ms)
        return True

    async def _begin(self, db: Work, items: Sequence[Intent]) -> list[int | None]:
        q, begin = self._q, self._q["begin_message"]
        values = [(i.message_id, self._owner, i.number, i.carrier, i.at_ms) for i in items]
        if all(intent.total == 1 for intent in items) and await db.all_or_none((begin, values)):
            await db.many(q["insert_attempt"], [row for intent in items for row in self._attempts(intent)])
            return [0] * len(items)
        results: list[int | None] = []
        attempts: list[_Attempt] = []
        for intent, row in zip(items, values, strict=True):
            if not await db.change(begin, row):
                results.append(None)
                continue
            results.append(0 if intent.total == 1 else await self._reference(db, intent))
            attempts.extend(self._attempts(intent))
        await db.many(q["insert_attempt"], attempts)
        return results

    def _attempts(self, intent: Intent) -> list[_Attempt]:
        i = intent
        return [(i.message_id, p, i.number, i.total, i.carrier, self._owner, i.phone, i.at_ms) for p in i.parts]

    async def _reference(self, db: Work, intent: Intent) -> int:
        """The concatenation reference: drawn at the first try and at a new carrier, the same for parts tried again."""
        ((found,),) = await db.rows(self._q["read_reference"], (intent.message_id,))
        if found and not intent.anew:
            return int(found)
        ((drawn,),) = await db.rows(self._q["next_reference"], (intent.phone, day_of(intent.at_ms)))
        await db.change(self._q["set_reference"], (intent.message_id, drawn))
        return int(drawn)

    async def hand_back(self, db: Work, items: Sequence[tuple[int, int, str]]) -> list[None]:
        """Each item: (message id, when to claim it again, where it is parked)."""
        await db.many(self._q["hand_back"], [(message, self._owner, due, parked) for message, due, parked in items])
        return [None] * len(items)

    async def past(self, db: Work, items: Sequence[int]) -> list[Past]:
        """What earlier tries came to."""
        return [_past(await db.rows(self._q["past_attempts"], (message_id,))) for message_id in items]

    async def open_parts(self, db: Work, items: Sequence[int]) -> list[tuple[int, ...]]:
        """Parts no carrier has: never tried, or refused at the newest try, or to be sent once more by policy."""
        return [await self._open_parts(db, message_id) for message_id in items]

    async def _open_parts(self, db: Work, message_id: int) -> tuple[int, ...]:
        ((total,),) = await db.rows(self._q["parts_tried"], (message_id,))
        rows = await db.rows(self._q["newest_attempts"], (message_id,))
        newest = {part: (state, error) for part, state, error in rows}
        return tuple(part for part in range(1, total + 1) if part not in newest or _is_free(*newest[part]))


def _is_free(state: str, error: str) -> bool:
    """Whether a part may go out, by its newest attempt."""
    return state == _NOT_TAKEN or (state == AttemptState.UNCERTAIN and error == Uncertain.RESEND_ONCE)


def _past(rows: Sequence[Row]) -> Past:
    """Fold the attempts of a message, oldest first: carrier, part, number, state, error, present carrier."""
    present = rows[-1][5] if rows else ""
    barred = {
        carrier
        for carrier, _, _, state, error, _ in rows
        if (state == AttemptState.REFUSED and error == AnswerKind.PERMANENT)
        or (state == AttemptState.UNCERTAIN and error == Uncertain.FAIL_OVER_ONCE)
    }
    newest = {part: (state, error) for carrier, part, _, state, error, _ in rows if carrier == present}
    bound = any(state != _NOT_TAKEN and error != Uncertain.FAIL_OVER_ONCE for state, error in newest.values())
    put_off = {
        number: carrier
        for carrier, _, number, state, error, _ in rows
        if state == AttemptState.REFUSED and error == AnswerKind.TEMPORARY
    }
    return Past(present, bound, frozenset(barred), tuple(put_off.values()))
