"""What is read of calls for callbacks."""

from collections.abc import Sequence
from typing import Final

from bocau.core.call import CallTold
from bocau.store.queries import Queries
from bocau.store.work import Asking

__all__ = ["CALLED", "read_calls_told"]

CALLED: Final = 8
"""The SmsType that may be called."""


async def read_calls_told(db: Asking, q: Queries, message_ids: Sequence[int]) -> dict[int, CallTold]:
    """What callbacks tell of the last call of messages of type 8; each has one receiver, and so one message."""
    rows = await db.each(q["read_call_told"], [(message_id,) for message_id in message_ids])
    return {
        message_id: CallTold(bool(asked), status or "", seconds or 0, keys or "", caller or "")
        for message_id, asked, status, seconds, keys, caller in rows
    }
