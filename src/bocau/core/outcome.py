"""From what happened to the parts to our word on the message, and from messages to the customer's summary."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from bocau.core.lifecycle import AttemptState, Event, State
from bocau.core.message import AttemptKey, Summary

__all__ = [
    "IdForm",
    "IdLearning",
    "attempt_reference",
    "charged",
    "fold",
    "form_between",
    "id_forms",
    "match_key",
    "match_keys",
    "may_arrive",
    "summarise",
]

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


_MAY_ARRIVE: Final = frozenset({_A.SUBMITTING, _A.TAKEN, _A.UNCERTAIN, _A.DELIVERED})


def may_arrive(tried: Iterable[tuple[str, int, int, str]]) -> bool:
    """Whether some carrier may still bring the whole message: of every part it has a try that did not end badly.

    Each row is an attempt: carrier, part, how many parts the message has there, state. Of a message that was sent once
    more, what became of one try says nothing of the others (promises 4.1).
    """
    missing: dict[str, set[int]] = {}
    for carrier, part, parts, state in tried:
        left = missing.setdefault(carrier, set(range(1, parts + 1)))
        if state in _MAY_ARRIVE:
            left.discard(part)
    return any(not left for left in missing.values())


class IdForm(StrEnum):
    """How the id in a receipt relates to the one in the answer (promises 4.3). Case, leading zeros and the width never
    count."""

    SAME = "same"
    RECEIPT_HEX = "receipt_hex"
    """The receipt writes in hexadecimal what the answer wrote in decimal."""
    RECEIPT_DECIMAL = "receipt_decimal"
    """The receipt writes in decimal what the answer wrote in hexadecimal."""


def match_key(carrier_id: str) -> str:
    """The form of a carrier's message id that receipts are matched by: case folded, leading zeros gone."""
    return carrier_id.strip().lower().lstrip("0") or "0"


def match_keys(carrier_id: str, first: IdForm | None = None, only: bool = False) -> tuple[str, ...]:
    """The forms to look for when a receipt carries this id: as it is, then from hexadecimal and from decimal.

    Carriers differ in base between answer and receipt (promises 4.3); the destination must match too, so a chance hit
    in the wrong base is not taken for the right one. `first` goes before the others, and with `only` it is alone; the
    id as it is stands in where it cannot be read in that base.
    """
    plain = match_key(carrier_id)
    forms = id_forms(plain)
    keys = list(forms.values())
    if first is not None:
        chosen = forms.get(first, plain)
        keys = [chosen] if only else [chosen, *keys]
    return tuple(dict.fromkeys(keys))


def id_forms(plain: str) -> dict[IdForm, str]:
    """Every reading of a receipt's id (a `match_key`) as an answer's, those that are the same as another left out."""
    forms = {IdForm.SAME: plain}
    if len(plain) <= _LONGEST_NUMBER:
        if _HEXADECIMAL.issuperset(plain):
            forms[IdForm.RECEIPT_HEX] = str(int(plain, 16))
        if _DECIMAL.issuperset(plain):
            forms[IdForm.RECEIPT_DECIMAL] = format(int(plain), "x")
    return {form: key for form, key in forms.items() if form is IdForm.SAME or key != plain}


def form_between(plain: str, key: str) -> IdForm | None:
    """The one form that makes an answer's `key` of a receipt's id; None if there is none, or more than one."""
    if plain == key:
        return IdForm.SAME if len(plain) > 1 else None  # one digit is the same in both bases
    found = [form for form, one in id_forms(plain).items() if one == key]
    return found[0] if len(found) == 1 else None


def attempt_reference(key: AttemptKey) -> int:
    """The user_message_reference of an attempt, 0 to 65535: made from its key, so that an echo leads back to it."""
    message_id, part, number = key
    return ((message_id * _GOLDEN >> 48) ^ part ^ number << 8) & 0xFFFF


_GOLDEN: Final = 0x9E3779B97F4A7C15
_LONGEST_NUMBER: Final = 20
_DECIMAL: Final = frozenset("0123456789")
_HEXADECIMAL: Final = frozenset("0123456789abcdef")
_ENOUGH: Final = 20


class IdLearning(NamedTuple):
    """What the matches of one carrier account have shown about its ids. A value: `saw` returns the next one.

    A form is learned when 20 matches in a row could be explained by it and by no other. A match that several forms
    explain says nothing. Once learned, another form takes its place only after 20 in a row of its own: one odd receipt
    does not turn it over.
    """

    form: IdForm | None = None
    """What was learned; None: nothing yet."""
    rival: IdForm | None = None
    """The form of the latest matches that is not learned."""
    in_row: int = 0
    """How many in a row."""
    broken: int = 0
    """How often a row was broken off before it was long enough: more than a few mean that the ids follow no rule."""

    def saw(self, form: IdForm) -> "IdLearning":
        """One more match, which only `form` explains."""
        if form is self.form:
            return self if self.rival is None else self._replace(rival=None, in_row=0, broken=self.broken + 1)
        if form is not self.rival:
            return self._replace(rival=form, in_row=1, broken=self.broken + (self.rival is not None))
        if self.in_row + 1 < _ENOUGH:
            return self._replace(in_row=self.in_row + 1)
        return IdLearning(form, None, 0, 0)


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
_DELIVERED: Final = State.DELIVERED
_EXPIRED: Final = State.EXPIRED
_REACHED_CARRIER: Final = frozenset({State.SENT, State.UNCERTAIN, State.DELIVERED, State.FAILED, State.UNKNOWN})
_FAILED: Final = frozenset({State.FAILED, State.EXPIRED, State.REJECTED, State.UNKNOWN, State.CANCELLED})
_UNCHARGED: Final = frozenset({State.FAILED, State.EXPIRED, State.REJECTED, State.CANCELLED})


def charged(state: State, price: int) -> int:
    """What a message in this state costs: nothing once its hold is released (promises P24); unknown keeps it."""
    return 0 if state in _UNCHARGED else price


def summarise(
    smsid: str, receivers: int, dropped: int, rows: Iterable[tuple[State, int, int]], repeated: int = 0
) -> Summary:
    """Fold (state, price, tries) of each message of a request; receivers dropped at the door count as failed."""
    least, sent, succeeded, failed, price = _DELIVERED, 0, 0, dropped, 0
    for state, amount, tries in rows:
        if _PROGRESS[state] < _PROGRESS[least]:
            least = state
        sent += state in _REACHED_CARRIER or (state is _EXPIRED and tries > 0)
        succeeded += state is _DELIVERED
        failed += state in _FAILED
        price += charged(state, amount)
    return Summary(smsid, least, receivers, sent, succeeded, failed, price, repeated)
