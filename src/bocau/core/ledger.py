"""Money rules: integer amounts of 1/10,000 VND, and what each state of a message does to its hold.

The balance equals the sum of the account's ledger entries at every moment (promises P23): a hold takes the price out,
a capture marks it as spent, a release puts it back.
"""

from enum import StrEnum
from typing import Final

from bocau.core.lifecycle import State

__all__ = ["EntryKind", "covers", "day_of", "settlement"]

_DAY_MS: Final = 86_400_000
_VIETNAM_MS: Final = 7 * 3_600_000


class EntryKind(StrEnum):
    """Kinds of ledger entries; at most one of each of the first three per message."""

    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"
    TOP_UP = "top_up"


_SETTLEMENT: Final[dict[State, EntryKind]] = {
    State.SENT: EntryKind.CAPTURE,
    State.DELIVERED: EntryKind.CAPTURE,
    State.UNKNOWN: EntryKind.CAPTURE,
    State.FAILED: EntryKind.RELEASE,
    State.EXPIRED: EntryKind.RELEASE,
    State.REJECTED: EntryKind.RELEASE,
    State.CANCELLED: EntryKind.RELEASE,
}


def settlement(state: State) -> EntryKind | None:
    """What a message that reaches `state` does to its hold (promises 4.7); None: nothing yet."""
    return _SETTLEMENT.get(state)


def covers(balance: int, credit_limit: int, amount: int) -> bool:
    """Whether a hold of `amount` is allowed: the balance may not sink below minus the credit limit."""
    return balance + credit_limit >= amount


def day_of(at_ms: int) -> int:
    """The day of Vietnam (UTC+7) that a moment is in, counted from 1970: daily caps begin anew at its midnight."""
    return (at_ms + _VIETNAM_MS) // _DAY_MS
