"""The invariants that hold in every store at every moment (promises P2, P4, P8, P23, P24)."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.store.engines import AttemptRow, Inside

from bocau.core.ledger import EntryKind
from bocau.core.lifecycle import FINAL, AttemptState, State
from bocau.core.message import Message
from bocau.core.registration import PENDING

__all__ = ["sweep", "violations"]

_RELEASED_IN = {State.FAILED, State.EXPIRED, State.REJECTED, State.CANCELLED}
_CAPTURED_IN = {State.SENT, State.DELIVERED, State.UNKNOWN}


def sweep(inside: Inside) -> None:
    """Raise AssertionError with every violation."""
    found = list(violations(inside))
    assert not found, "\n".join(found)


def violations(inside: Inside) -> Iterator[str]:
    """What is wrong, one sentence each."""
    yield from _money(inside)
    yield from _messages(inside)
    yield from _keys_and_callbacks(inside)


def _money(inside: Inside) -> Iterator[str]:
    sums: Counter[int] = Counter()
    kinds: dict[tuple[int, int], list[tuple[str, int]]] = defaultdict(list)
    for row in inside.ledger:
        sums[row.account_id] += row.amount
        if row.kind != EntryKind.TOP_UP:
            kinds[row.account_id, row.subject_id].append((row.kind, row.amount))
    for account, (balance, credit) in inside.balances.items():
        if balance != sums[account]:
            yield f"account {account} has {balance}, its ledger says {sums[account]}"
        if balance + credit < 0:
            yield f"account {account} is at {balance} with a credit of {credit}"
    for message in inside.messages.values():
        lines = kinds.pop((message.account_id, message.id), [])
        yield from _lines(message, lines)
    for (_, subject), lines in kinds.items():
        # A message that is forgotten leaves its money behind, settled.
        if len(lines) < 2:
            yield f"money without a message: {subject} {lines}"


def _lines(message: Message, lines: list[tuple[str, int]]) -> Iterator[str]:
    """What is wrong with the lines of money of one message."""
    names = [kind for kind, _ in lines]
    amounts = dict(lines)
    who = f"message {message.id} ({message.state}, {message.price})"
    if len(names) != len(set(names)):
        yield f"{who} has lines twice: {names}"
    held = EntryKind.HOLD in names
    if held and amounts[EntryKind.HOLD] != -message.price:
        yield f"{who} holds {amounts[EntryKind.HOLD]}"
    if message.price and not held and message.state != State.REJECTED:
        yield f"{who} has no hold"
    released = EntryKind.RELEASE in names
    if released and amounts[EntryKind.RELEASE] != message.price:
        yield f"{who} got back {amounts[EntryKind.RELEASE]}"
    if released and not (held and message.state in {*_RELEASED_IN, State.DELIVERED}):
        yield f"{who} was released"
    if held and not released and message.state in _RELEASED_IN:
        yield f"{who} was not released"
    if held and message.state in _CAPTURED_IN and EntryKind.CAPTURE not in names:
        yield f"{who} was not captured"
    if amounts.get(EntryKind.CAPTURE):
        yield f"{who} was captured with an amount"


def _newest(attempts: list[AttemptRow]) -> dict[int, dict[str, list[AttemptState]]]:
    """Of each message and carrier, the newest attempt of every part."""
    newest: dict[tuple[int, str, int], AttemptRow] = {}
    for row in attempts:
        place = (row.message_id, row.carrier, row.part)
        if place not in newest or newest[place].number < row.number:
            newest[place] = row
    states: dict[int, dict[str, list[AttemptState]]] = defaultdict(lambda: defaultdict(list))
    for row in newest.values():
        states[row.message_id][row.carrier].append(row.state)
    return states


_FITTING = {
    State.SENT: {AttemptState.TAKEN, AttemptState.DELIVERED, AttemptState.UNKNOWN},
    State.DELIVERED: {AttemptState.DELIVERED},
}


def _messages(inside: Inside) -> Iterator[str]:
    newest = _newest(inside.attempts)
    for message in inside.messages.values():
        final = message.state in FINAL
        who = f"message {message.id} ({message.state})"
        if final != (message.wake_ms is None):
            yield f"{who} wakes at {message.wake_ms}"
        if final != (message.final_ms is not None):
            yield f"{who} ended at {message.final_ms}"
        carriers = newest.get(message.id, {})
        states = [state for tried in carriers.values() for state in tried]
        if message.state in (State.SENDING, State.SENT, State.UNCERTAIN, State.DELIVERED) and not states:
            yield f"{who} was never tried"
        if not final and (AttemptState.SUBMITTING in states) != (message.state == State.SENDING):
            yield f"{who} has attempts {states}"
        if message.state == State.UNCERTAIN and AttemptState.UNCERTAIN not in states:
            yield f"{who} has attempts {states}"
        # Sent over several carriers, one of which has bad news, it is as good as its best one.
        fitting = _FITTING.get(State(message.state))
        if fitting is not None and not any(set(tried) <= fitting for tried in carriers.values()):
            yield f"{who} has attempts {states}"
    for row in inside.attempts:
        if row.message_id not in inside.messages:
            yield f"an attempt of no message: {row}"


def _keys_and_callbacks(inside: Inside) -> Iterator[str]:
    for account, request_id, head in inside.request_keys:
        found = inside.messages.get(head)
        if found is None or (found.account_id, found.request_id) != (account, request_id):
            yield f"RequestId {request_id!r} of account {account} belongs to no message"
    requests: dict[int, list[str]] = defaultdict(list)
    for message in inside.messages.values():
        if message.head not in inside.messages:
            yield f"message {message.id} is of a request that is not there"
        if message.callback_url:
            requests[message.head].append(message.state)
    for head, states in requests.items():
        if (head in inside.callbacks) != all(state in FINAL for state in states):
            yield f"request {head} with {states} has callback {inside.callbacks.get(head)}"
    decided = {-number for number, (state, url) in inside.registrations.items() if url and state != PENDING}
    for number in decided ^ {number for number in inside.callbacks if number < 0}:
        yield f"registration {-number} and its callback do not go together"
    for callback in inside.callbacks.values():
        if callback.id not in requests and callback.id not in decided:
            yield f"a callback that nobody asked for: {callback}"
        if (callback.due_ms is None) != (callback.state in ("done", "given_up")):
            yield f"callback {callback}"
