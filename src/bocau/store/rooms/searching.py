"""Where people look for messages: by an id, or along the key, newest first."""

import asyncio
from typing import Final

from bocau.core.ids import head_of
from bocau.core.outcome import match_keys
from bocau.core.phone import normalise
from bocau.store.contract import Found, Search, StoryLine
from bocau.store.queries import Queries
from bocau.store.rooms.receiving import three_forms
from bocau.store.rooms.telling import read_message, story_line
from bocau.store.work import Asking

__all__ = ["find_identified", "find_messages"]

_STRETCH: Final = 5_000
"""Messages that are walked past before others get their turn."""
_MOST_WALKED: Final = 100_000
_MOST_NAMED: Final = 50
"""Messages that one id may name: a RequestId counts within its account, a carrier's id within its carrier."""


async def find_messages(db: Asking, q: Queries, wanted: Search, limit: int) -> Found:
    """A page of messages, newest first.

    An index for each thing that people look for would be written for every message, and used a few times a day. So
    the newest messages are walked along the primary key, in stretches that begin small: a list that leaves nothing out
    ends with the first.
    """
    lines: list[StoryLine] = []
    end, walked, stretch = wanted.end_id, 0, limit
    conditions = _conditions(wanted)
    while True:
        ((oldest, count),) = await db.rows(q["search_stretch"], (wanted.first_id, end, stretch))
        if not count:
            return Found(tuple(lines), None)
        rows = await db.rows(q["search_messages"], (oldest, end, *conditions, limit - len(lines)))
        lines.extend(map(story_line, rows))
        walked += count
        if len(lines) == limit:
            return Found(tuple(lines), lines[-1].id)
        if count < stretch:
            return Found(tuple(lines), None)
        if walked >= _MOST_WALKED:
            return Found(tuple(lines), oldest)
        end, stretch = oldest, min(stretch * 4, _STRETCH)
        await asyncio.sleep(0)


def _conditions(wanted: Search) -> tuple[str, int, str, str, str]:
    """The values of search_messages behind the stretch."""
    needle = wanted.needle
    text = needle.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    pattern = f"%{text}%" if needle and wanted.in_texts else ""
    return wanted.state, wanted.account_id, needle, normalise(needle) or needle, pattern


async def find_identified(db: Asking, q: Queries, text: str) -> list[StoryLine]:
    """The messages that an id names, newest first."""
    found: dict[int, StoryLine] = {}
    head = head_of(text)
    if head is not None:
        found = {line.id: line for line in await _request(db, q, head) if line.smsid == text.lower()}
    for (one,) in await db.rows(q["search_request_ids"], (text, _MOST_NAMED)):
        found |= {line.id: line for line in await _request(db, q, one)}
    keys = three_forms(match_keys(text))
    for (message_id,) in await db.rows(q["search_carrier_ids"], (*keys, _MOST_NAMED)):
        line = await read_message(db, q, message_id)
        if line is not None:
            found[line.id] = line
    return [found[key] for key in sorted(found, reverse=True)[:_MOST_NAMED]]


async def _request(db: Asking, q: Queries, head: int) -> list[StoryLine]:
    return [story_line(row) for row in await db.rows(q["story_messages"], (head,))]
