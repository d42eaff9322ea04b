"""What people are told about messages, and the acts of the test API of a development start."""

from typing import Final

from bocau.core.ids import head_of
from bocau.store.contract import AttemptLine, CallbackLine, LedgerLine, Story, StoryLine, TryLine
from bocau.store.queries import Queries
from bocau.store.work import Asking, Row, Work

__all__ = ["pass_time", "read_message", "read_messages", "read_newest", "read_story", "retire", "story_line"]

_AGED: Final = (
    "age_attempts",  # before the messages, which it looks up by their moments
    "age_messages",
    "age_request_keys",
    "age_content_keys",
    "age_codes",
    "age_callbacks",
)
_RETIRED: Final = (
    "drop_callbacks",
    "drop_account_keys",
    "drop_account_templates",
    "drop_account_brandnames",
    "drop_account_prices",
)


async def read_messages(db: Asking, q: Queries, after: int, account_id: int | None, limit: int) -> list[StoryLine]:
    """Messages with a larger id, in order."""
    if account_id is None:
        rows = await db.rows(q["messages_after"], (after, limit))
    else:
        rows = await db.rows(q["account_messages_after"], (after, account_id, limit))
    return [story_line(row) for row in rows]


async def read_newest(db: Asking, q: Queries, limit: int) -> list[StoryLine]:
    """The newest messages, in order."""
    return [story_line(row) for row in await db.rows(q["newest_messages"], (limit,))][::-1]


async def read_message(db: Asking, q: Queries, message_id: int) -> StoryLine | None:
    """One message."""
    row = await db.row(q["one_message"], (message_id,))
    return None if row is None else story_line(row)


def story_line(row: Row) -> StoryLine:
    """A message from the columns of a statement in story.sql."""
    return StoryLine._make((*row[:-2], bool(row[-2]), bool(row[-1])))


async def read_story(db: Asking, q: Queries, smsid: str) -> Story | None:
    """Everything about one request; None for an SMSID that is nobody's."""
    head = head_of(smsid)
    if head is None:
        return None
    messages = tuple([story_line(row) for row in await db.rows(q["story_messages"], (head,))])
    if not messages or messages[0].smsid != smsid.lower():
        return None
    attempts = [_attempt(row) for row in await db.each(q["story_attempts"], [(m.id,) for m in messages])]
    callback = await db.row(q["story_callback"], (head,))
    tries = [TryLine(*row) for row in await db.rows(q["story_tries"], (head,))]
    money = [LedgerLine(*row) for row in await db.each(q["story_money"], [(m.account_id, m.id) for m in messages])]
    told = None if callback is None else CallbackLine(*callback)
    return Story(messages, tuple(attempts), told, tuple(tries), tuple(money))


def _attempt(row: Row) -> AttemptLine:
    return AttemptLine._make((*row[:-2], bool(row[-2]), row[-1] or b""))


async def pass_time(db: Work, q: Queries, account_id: int, milliseconds: int) -> None:
    """Everything of an account that waits for a moment comes so much nearer to it."""
    for name in _AGED:
        await db.change(q[name], (account_id, milliseconds))


async def retire(db: Work, q: Queries, account_id: int) -> None:
    """Lock an account, and forget all that it could send with."""
    for name in _RETIRED:
        await db.change(q[name], (account_id,))
    await db.change(q["set_account_state"], (account_id, "locked"))
