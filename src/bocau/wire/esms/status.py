"""What a message's internal state is called on the wire (esms-api 3.3).

SendStatus is derived here and stored nowhere. One row per state; the words are those of the lifecycle.
"""

from typing import Final, NamedTuple

from msgspec import Struct

__all__ = ["DERIVED", "DUPLICATES_HEADER", "Derived", "SendReport", "derive"]

DUPLICATES_HEADER: Final = "X-Bocau-Possible-Duplicate"
"""How many messages of a request may reach their phone twice; stands only where there are any. Ours, so a header."""


class Derived(NamedTuple):
    """What one message in some state is to the customer."""

    send_status: int
    """1 awaiting approval, 2 waiting, 4 rejected, 5 finished, 7 handed over and waiting for the report."""
    success: int
    failed: int
    sent: int
    """1 if it was handed to a carrier (IsSent, TotalSent)."""
    send_result: int
    """Sent-data report: 1 delivered, 0 failed, 2 not known yet."""


class SendReport(Struct, frozen=True, gc=False):
    """The state of one request, summed over its receivers: what status query and callback tell."""

    smsid: str
    send_status: int
    send_success: int
    send_failed: int
    price_e4: int
    """What it costs, in 1/10,000 VND."""
    total_receiver: int
    total_sent: int


_WAITING: Final = Derived(2, 0, 0, 0, 2)
_HANDED_OVER: Final = Derived(7, 0, 0, 1, 2)
_NOT_DELIVERED: Final = Derived(5, 0, 1, 1, 0)
_REJECTED: Final = Derived(4, 0, 1, 0, 0)

DERIVED: Final[dict[str, Derived]] = {
    "scheduled": _WAITING,
    "queued": _WAITING,
    "sending": _WAITING,
    "sent": _HANDED_OVER,
    # It probably arrived and only the answer was lost (promises 4.1).
    "uncertain": _HANDED_OVER,
    "delivered": Derived(5, 1, 0, 1, 1),
    "failed": _NOT_DELIVERED,
    "expired": _NOT_DELIVERED,
    # "No answer" is a failure to the customer, although the charge stays (promises 4.7).
    "unknown": _NOT_DELIVERED,
    "rejected": _REJECTED,
    "cancelled": _REJECTED,
}
"""State -> what the wire calls it. SendStatus 0, 3 and 6 are never derived."""


def derive(state: str) -> Derived:
    """The row of a state. Raises KeyError for a word that is no state."""
    return DERIVED[state]
