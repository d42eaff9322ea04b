"""The life of a message and of an attempt: every state, every transition, one reason each.

This table is the only home of transitions. The store builds its conditional updates from it (a transition is applied
only to a row that still is in one of its sources), docs/discussions/lifecycle.md draws its diagram from it, and a test
tries every state against every event.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

__all__ = [
    "ATTEMPT_BEGINS",
    "ATTEMPT_TRANSITIONS",
    "FINAL",
    "MESSAGE_BEGINS",
    "MESSAGE_TRANSITIONS",
    "AttemptEvent",
    "AttemptState",
    "Event",
    "Forbidden",
    "State",
    "Transition",
    "advance",
    "find",
]


class State(StrEnum):
    """Where a message stands. Code, tables, logs and docs use these words."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


class AttemptState(StrEnum):
    """Where one try to hand one part to one carrier stands."""

    SUBMITTING = "submitting"
    TAKEN = "taken"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class Event(StrEnum):
    """What can happen to a message."""

    RELEASE = "release"
    SUBMIT = "submit"
    POSTPONE = "postpone"
    FAIL_OVER = "fail_over"
    RESEND = "resend"
    TAKE = "take"
    HOLD = "hold"
    DOUBT = "doubt"
    DELIVER = "deliver"
    FAIL = "fail"
    EXPIRE = "expire"
    LAPSE = "lapse"
    CLOSE = "close"
    REJECT = "reject"
    CANCEL = "cancel"
    CORRECT = "correct"
    FAIL_LATE = "fail_late"
    LAPSE_LATE = "lapse_late"


class AttemptEvent(StrEnum):
    """What can happen to an attempt."""

    TAKE = "attempt_take"
    REFUSE = "attempt_refuse"
    LOSE = "attempt_lose"
    DELIVER = "attempt_deliver"
    UNDELIVER = "attempt_undeliver"
    EXPIRE = "attempt_expire"
    GIVE_UP = "attempt_give_up"


class Transition(NamedTuple):
    """On `event`, a row that stands in one of `sources` becomes `target`."""

    event: StrEnum
    sources: tuple[StrEnum, ...]
    target: StrEnum
    reason: str


class Forbidden(Exception):  # noqa: N818 - the sentence reads better: advance raises Forbidden
    """An event came to a row in a state that it cannot leave this way. Nothing was changed."""


MESSAGE_BEGINS: Final = (State.QUEUED, State.SCHEDULED, State.REJECTED)
"""A message is born queued, scheduled (SendDate lies ahead), or rejected (146 is stored so that it can be queried)."""

ATTEMPT_BEGINS: Final = (AttemptState.SUBMITTING,)
"""An attempt is born as an intent, before its first byte leaves."""

FINAL: Final = frozenset({State.DELIVERED, State.FAILED, State.EXPIRED, State.REJECTED, State.UNKNOWN, State.CANCELLED})
"""States that end a message. Only a late receipt moves one of them on, forward in rank (promises 4.4)."""

_S = State
_IN_FLIGHT: Final = (_S.SENDING, _S.SENT, _S.UNCERTAIN)

MESSAGE_TRANSITIONS: Final[tuple[Transition, ...]] = (
    Transition(Event.RELEASE, (_S.SCHEDULED,), _S.QUEUED, "SendDate has come"),
    Transition(Event.SUBMIT, (_S.QUEUED,), _S.SENDING, "the intent is stored, the parts go out"),
    Transition(
        Event.POSTPONE,
        (_S.SENDING, _S.UNCERTAIN),
        _S.QUEUED,
        "the carrier said, perhaps late: not now; the missing parts are tried again",
    ),
    Transition(
        Event.FAIL_OVER,
        (_S.SENDING, _S.UNCERTAIN),
        _S.QUEUED,
        "the carrier refused it for good with no part taken, and its route has another carrier",
    ),
    Transition(
        Event.RESEND,
        (_S.SENDING, _S.UNCERTAIN),
        _S.QUEUED,
        "an answer never came, and the route's policy says once more: a possible duplicate",
    ),
    Transition(Event.TAKE, (_S.SENDING, _S.UNCERTAIN), _S.SENT, "the carrier took every part"),
    Transition(Event.HOLD, (_S.SENDING,), _S.UNCERTAIN, "an answer never came; it is never silently sent again"),
    Transition(
        Event.DOUBT,
        (_S.QUEUED, _S.SENDING),
        _S.UNCERTAIN,
        "it is not sent any more, and an earlier try that was never answered may have arrived",
    ),
    Transition(Event.DELIVER, (_S.QUEUED, *_IN_FLIGHT), _S.DELIVERED, "a receipt says every part reached the phone"),
    Transition(Event.FAIL, (_S.QUEUED, *_IN_FLIGHT), _S.FAILED, "a carrier refused a part or could not deliver it"),
    Transition(Event.EXPIRE, (_S.SCHEDULED, _S.QUEUED), _S.EXPIRED, "too old to be submitted"),
    Transition(Event.LAPSE, (_S.QUEUED, *_IN_FLIGHT), _S.EXPIRED, "a receipt says it expired at the carrier"),
    Transition(Event.CLOSE, _IN_FLIGHT, _S.UNKNOWN, "the deadline passed and nobody said how it ended"),
    Transition(Event.REJECT, (_S.SCHEDULED, _S.QUEUED), _S.REJECTED, "no route or account takes it any more"),
    Transition(Event.CANCEL, (_S.SCHEDULED, _S.QUEUED), _S.CANCELLED, "the customer or an operator took it back"),
    Transition(
        Event.CORRECT,
        (_S.FAILED, _S.EXPIRED, _S.UNKNOWN),
        _S.DELIVERED,
        "a late receipt says it was delivered after all",
    ),
    Transition(Event.FAIL_LATE, (_S.UNKNOWN,), _S.FAILED, "a late receipt says it was not delivered"),
    Transition(Event.LAPSE_LATE, (_S.UNKNOWN,), _S.EXPIRED, "a late receipt says it expired at the carrier"),
)

_A = AttemptState
_OPEN: Final = (_A.SUBMITTING, _A.TAKEN, _A.UNCERTAIN)

ATTEMPT_TRANSITIONS: Final[tuple[Transition, ...]] = (
    Transition(AttemptEvent.TAKE, (_A.SUBMITTING, _A.UNCERTAIN), _A.TAKEN, "the carrier answered with its id"),
    Transition(AttemptEvent.REFUSE, (_A.SUBMITTING, _A.UNCERTAIN), _A.REFUSED, "the carrier answered: not taken"),
    Transition(AttemptEvent.LOSE, (_A.SUBMITTING,), _A.UNCERTAIN, "no answer, and the link or the process went away"),
    Transition(
        AttemptEvent.DELIVER,
        (*_OPEN, _A.UNDELIVERED, _A.EXPIRED, _A.UNKNOWN),
        _A.DELIVERED,
        "the receipt says delivered, the highest rank",
    ),
    Transition(AttemptEvent.UNDELIVER, (*_OPEN, _A.UNKNOWN), _A.UNDELIVERED, "the receipt says it was not delivered"),
    Transition(AttemptEvent.EXPIRE, (*_OPEN, _A.UNKNOWN), _A.EXPIRED, "the receipt says it expired"),
    Transition(AttemptEvent.GIVE_UP, _OPEN, _A.UNKNOWN, "the deadline passed, or the receipt says unknown"),
)


def find(event: StrEnum) -> Transition:
    """The row of an event, from either table. Raises KeyError for an event of no table."""
    for row in (*MESSAGE_TRANSITIONS, *ATTEMPT_TRANSITIONS):
        if row.event is event:
            return row
    raise KeyError(event)


def advance(state: StrEnum, event: StrEnum, table: Sequence[Transition] = MESSAGE_TRANSITIONS) -> StrEnum:
    """The state after `event`. Raises Forbidden if the table has no such way."""
    for row in table:
        if row.event is event and state in row.sources:
            return row.target
    raise Forbidden(f"{state} does not {event}")
