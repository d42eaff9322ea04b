"""From what happened to the parts to our word on the message, and from messages to the customer's summary."""

from collections.abc import Iterable, Sequence
from typing import Final

from bocau.core.lifecycle import AttemptState, Event, State
from bocau.core.message import Summary

__all__ = ["charged", "fold", "match_key", "match_keys", "summarise"]

_A = AttemptState

# What one part's newest attempt says about the whole message, worst news first: the first row that any part matches
# decides (promises 4.5). A part that is still on its way keeps the message where it is.
_ANY_PART: Final[tuple[tuple[AttemptState, Event], ...]] = (
    (_A.UNDELIVERED, Event.FAIL),
    (_A.EXPIRED, Event.LAPSE),
)
_ALL_PARTS: Final[tuple[tuple[frozenset[AttemptState], Event], ...]] = (
    (frozenset({_A.DELIVERED}), Event.DELIVER),
    (frozenset({_A.DELIVERED, _A.UNKNOWN}), Event.CLOSE),
    (frozenset({_A.DELIVERED, _A.TAKEN, _A.UNKNOWN}), Event.TAKE),
    (frozenset({_A.DELIVERED, _A.TAKEN, _A.UNKNOWN, _A.UNCERTAIN}), Event.HOLD),
)


def fold(parts: int, newest: Sequence[AttemptState]) -> Event | None:
    """The event that the attempts of a message amount to, or None while some part is open.

    `newest` holds the state of each part's newest attempt, in any order; fewer states than `parts` means that some
    part was not tried yet. Refused parts are not folded here: whether a refusal fails the message or postpones it is
    the carrier's answer, known only when it is recorded.
    """
    present = frozenset(newest)
    for state, event in _ANY_PART:
        if state in present:
            return event
    if len(newest) < parts:
        return None
    for allowed, event in _ALL_PARTS:
        if present <= allowed:
            return event
    return None


def match_key(carrier_id: str) -> str:
    """The form of a carrier's message id that receipts are matched by: case folded, leading zeros gone."""
    return carrier_id.strip().lower().lstrip("0") or "0"


def match_keys(carrier_id: str) -> tuple[str, ...]:
    """The forms to look for when a receipt carries this id: as it is, then from hexadecimal and from decimal.

    Carriers differ in base between answer and receipt (promises 4.3); the destination must match too, so a chance hit
    in the wrong base is not taken for the right one.
    """
    plain = match_key(carrier_id)
    keys = [plain]
    if len(plain) <= 20:
        if all(c in "0123456789abcdef" for c in plain):
            keys.append(str(int(plain, 16)))
        if all(c in "0123456789" for c in plain):
            keys.append(format(int(plain), "x"))
    return tuple(dict.fromkeys(keys))


_PROGRESS: Final = {
    State.SCHEDULED: 0,
    State.QUEUED: 1,
    State.SENDING: 2,
    State.UNCERTAIN: 3,
    State.SENT: 4,
    State.CANCELLED: 5,
    State.REJECTED: 6,
    State.FAILED: 7,
    State.EXPIRED: 8,
    State.UNKNOWN: 9,
    State.DELIVERED: 10,
}
_REACHED_CARRIER: Final = frozenset({State.SENT, State.UNCERTAIN, State.DELIVERED, State.FAILED, State.UNKNOWN})
_FAILED: Final = frozenset({State.FAILED, State.EXPIRED, State.REJECTED, State.UNKNOWN, State.CANCELLED})
_UNCHARGED: Final = frozenset({State.FAILED, State.EXPIRED, State.REJECTED, State.CANCELLED})


def charged(state: State, price: int) -> int:
    """What a message in this state costs: nothing once its hold is released (promises P24); unknown keeps it."""
    return 0 if state in _UNCHARGED else price


def summarise(smsid: str, receivers: int, dropped: int, rows: Iterable[tuple[State, int, int]]) -> Summary:
    """Fold (state, price, tries) of each message of a request; receivers dropped at the door count as failed."""
    least, sent, succeeded, failed, price = State.DELIVERED, 0, 0, dropped, 0
    for state, amount, tries in rows:
        if _PROGRESS[state] < _PROGRESS[least]:
            least = state
        sent += state in _REACHED_CARRIER or (state is State.EXPIRED and tries > 0)
        succeeded += state is State.DELIVERED
        failed += state in _FAILED
        price += charged(state, amount)
    return Summary(smsid, least, receivers, sent, succeeded, failed, price)
