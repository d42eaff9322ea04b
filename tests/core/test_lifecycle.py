"""The table of states: every state against every event, and nothing in the store that goes past it."""

import re
from enum import StrEnum
from importlib import resources
from itertools import product

import pytest

from bocau.core.lifecycle import (
    ATTEMPT_BEGINS,
    ATTEMPT_TRANSITIONS,
    FINAL,
    MESSAGE_BEGINS,
    MESSAGE_TRANSITIONS,
    AttemptEvent,
    AttemptState,
    Event,
    Forbidden,
    State,
    Transition,
    advance,
    find,
)
from bocau.store.queries import load

LATE = {Event.CORRECT, Event.FAIL_LATE, Event.LAPSE_LATE}
TABLES: list[tuple[type[StrEnum], type[StrEnum], tuple[Transition, ...], tuple[StrEnum, ...]]] = [
    (State, Event, MESSAGE_TRANSITIONS, MESSAGE_BEGINS),
    (AttemptState, AttemptEvent, ATTEMPT_TRANSITIONS, ATTEMPT_BEGINS),
]
both_tables = pytest.mark.parametrize(("states", "events", "table", "begins"), TABLES, ids=["message", "attempt"])

# The same table, written the other way round: what can happen in each state.
MESSAGE_WAYS: dict[State, dict[Event, State]] = {
    State.SCHEDULED: {
        Event.RELEASE: State.QUEUED,
        Event.EXPIRE: State.EXPIRED,
        Event.REJECT: State.REJECTED,
        Event.CANCEL: State.CANCELLED,
    },
    State.QUEUED: {
        Event.SUBMIT: State.SENDING,
        Event.DOUBT: State.UNCERTAIN,
        Event.DELIVER: State.DELIVERED,
        Event.FAIL: State.FAILED,
        Event.LAPSE: State.EXPIRED,
        Event.EXPIRE: State.EXPIRED,
        Event.REJECT: State.REJECTED,
        Event.CANCEL: State.CANCELLED,
    },
    State.SENDING: {
        Event.POSTPONE: State.QUEUED,
        Event.FAIL_OVER: State.QUEUED,
        Event.RESEND: State.QUEUED,
        Event.TAKE: State.SENT,
        Event.HOLD: State.UNCERTAIN,
        Event.DOUBT: State.UNCERTAIN,
        Event.DELIVER: State.DELIVERED,
        Event.FAIL: State.FAILED,
        Event.LAPSE: State.EXPIRED,
        Event.CLOSE: State.UNKNOWN,
    },
    State.SENT: {
        Event.DELIVER: State.DELIVERED,
        Event.FAIL: State.FAILED,
        Event.LAPSE: State.EXPIRED,
        Event.CLOSE: State.UNKNOWN,
    },
    State.UNCERTAIN: {
        Event.POSTPONE: State.QUEUED,
        Event.FAIL_OVER: State.QUEUED,
        Event.RESEND: State.QUEUED,
        Event.TAKE: State.SENT,
        Event.DELIVER: State.DELIVERED,
        Event.FAIL: State.FAILED,
        Event.LAPSE: State.EXPIRED,
        Event.CLOSE: State.UNKNOWN,
    },
    State.DELIVERED: {},
    State.FAILED: {Event.CORRECT: State.DELIVERED},
    State.EXPIRED: {Event.CORRECT: State.DELIVERED},
    State.REJECTED: {},
    State.UNKNOWN: {
        Event.CORRECT: State.DELIVERED,
        Event.FAIL_LATE: State.FAILED,
        Event.LAPSE_LATE: State.EXPIRED,
    },
    State.CANCELLED: {},
}
_RECEIPTS = {
    AttemptEvent.DELIVER: AttemptState.DELIVERED,
    AttemptEvent.UNDELIVER: AttemptState.UNDELIVERED,
    AttemptEvent.EXPIRE: AttemptState.EXPIRED,
}
_ANSWERS = {AttemptEvent.TAKE: AttemptState.TAKEN, AttemptEvent.REFUSE: AttemptState.REFUSED}
_END = {AttemptEvent.GIVE_UP: AttemptState.UNKNOWN}
ATTEMPT_WAYS: dict[AttemptState, dict[AttemptEvent, AttemptState]] = {
    AttemptState.SUBMITTING: {**_ANSWERS, AttemptEvent.LOSE: AttemptState.UNCERTAIN, **_RECEIPTS, **_END},
    AttemptState.TAKEN: {**_RECEIPTS, **_END},
    AttemptState.REFUSED: {},
    AttemptState.UNCERTAIN: {**_ANSWERS, **_RECEIPTS, **_END},
    AttemptState.DELIVERED: {},
    AttemptState.UNDELIVERED: {AttemptEvent.DELIVER: AttemptState.DELIVERED},
    AttemptState.EXPIRED: {AttemptEvent.DELIVER: AttemptState.DELIVERED},
    AttemptState.UNKNOWN: _RECEIPTS,
}


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)), ids=str)
def test_a_message_moves_as_written_and_no_other_way(state: State, event: Event) -> None:
    """Every state against every event."""
    target = MESSAGE_WAYS[state].get(event)
    if target is None:
        with pytest.raises(Forbidden):
            advance(state, event)
    else:
        assert advance(state, event) is target


@pytest.mark.parametrize(("state", "event"), list(product(AttemptState, AttemptEvent)), ids=str)
def test_an_attempt_moves_as_written_and_no_other_way(state: AttemptState, event: AttemptEvent) -> None:
    """Every state against every event."""
    target = ATTEMPT_WAYS[state].get(event)
    if target is None:
        with pytest.raises(Forbidden):
            advance(state, event, ATTEMPT_TRANSITIONS)
    else:
        assert advance(state, event, ATTEMPT_TRANSITIONS) is target


@both_tables
def test_each_event_has_one_row_with_a_reason(
    states: type[StrEnum], events: type[StrEnum], table: tuple[Transition, ...], begins: tuple[StrEnum, ...]
) -> None:
    """So that an event names its target, and the docs can say why."""
    assert sorted(row.event for row in table) == sorted(events)
    for row in table:
        assert row.sources
        assert len(set(row.sources)) == len(row.sources)
        assert {*row.sources, row.target} <= set(states)
        assert row.target not in row.sources
        assert len(row.reason.split()) >= 3
        assert find(row.event) is row
    assert len({row.reason for row in table}) == len(table)


@both_tables
def test_every_state_can_be_reached(
    states: type[StrEnum], events: type[StrEnum], table: tuple[Transition, ...], begins: tuple[StrEnum, ...]
) -> None:
    """From a beginning, step by step."""
    reached = set(begins)
    for _ in table:
        reached |= {row.target for row in table if reached & set(row.sources)}
    assert reached == set(states)


def test_every_open_state_can_end_by_time_alone() -> None:
    """Nobody need say anything: the schedule expires or closes it (promises P4)."""
    for state in set(State) - FINAL:
        assert {Event.EXPIRE, Event.CLOSE} & set(MESSAGE_WAYS[state])


def test_only_a_late_receipt_moves_a_final_state_and_only_forward() -> None:
    """Unknown, then failed or expired, then delivered (promises 4.4)."""
    rank = {State.UNKNOWN: 0, State.FAILED: 1, State.EXPIRED: 1, State.DELIVERED: 2}
    for state in FINAL:
        for event, target in MESSAGE_WAYS[state].items():
            assert event in LATE
            assert rank[target] > rank[state]


def test_a_late_event_moves_final_states_only() -> None:
    """It makes no second callback, so nothing open may use it."""
    for state in set(State) - FINAL:
        assert not LATE & set(MESSAGE_WAYS[state])


def test_open_states_are_never_returned_to_from_final_ones() -> None:
    """Ended is ended (promises P8)."""
    for state in FINAL:
        assert set(MESSAGE_WAYS[state].values()) <= FINAL


def test_nothing_is_sent_again_without_a_word_of_the_carrier() -> None:
    """Only 'not taken' leads back to the queue, and a route's stated policy (promises P5, P6)."""
    back = [row.event for row in MESSAGE_TRANSITIONS if row.target is State.QUEUED]
    assert back == [Event.RELEASE, Event.POSTPONE, Event.FAIL_OVER, Event.RESEND]
    assert find(Event.RELEASE).sources == (State.SCHEDULED,)


def test_an_unknown_event_is_an_error() -> None:
    """A table that misses an event is found at once."""
    with pytest.raises(KeyError):
        find(State.SENT)


def test_the_error_says_what_was_tried() -> None:
    """For the log."""
    with pytest.raises(Forbidden, match="delivered does not submit"):
        advance(State.DELIVERED, Event.SUBMIT)


# The store's SQL

WRITTEN = re.compile(r"\bstate\s*=\s*('[a-z_]+'|[^\s,]+)")
BORN = {
    "insert_attempt": ("'submitting'", "an attempt is born as an intent"),
    "insert_callback": ("'waiting'", "a callback is not a message; its three states are in the schema"),
}
NOT_OF_A_MESSAGE = {
    "callback_tried": "the state of a callback is its verdict",
    "callback_again": "an operator wants it called, whatever its state",
    "drop_callbacks": "the same: given up",
    "set_account_state": "active or locked",
    "put_key": "active or disabled",
    "put_brandname": "active or disabled",
    "insert_registration": "pending, approved or refused",
    "decide_registration": "pending, approved or refused",
    "join_inbound": "whether a message from a subscriber is to be told",
    "inbound_told": "the state of telling is its verdict",
}


def statements() -> dict[str, str]:
    """Every block of every .sql file as it is written, comments left out."""
    found: dict[str, str] = {}
    for file in resources.files("bocau.store.queries").iterdir():
        if file.name.endswith(".sql"):
            pieces = re.split(r"^-- name: ([a-z_0-9]+)\n", file.read_text("utf-8"), flags=re.MULTILINE)
            for name, text in zip(pieces[1::2], pieces[2::2], strict=True):
                found[f"{file.name}:{name}"] = re.sub(r"--.*", "", text)
    return found


@pytest.mark.parametrize("place", sorted(statements()))
def test_no_statement_writes_a_state_past_the_table(place: str) -> None:
    """UPDATEs take their target and their sources from the table; INSERT literals are named here with a reason."""
    text, name = statements()[place], place.partition(":")[2]
    if name in NOT_OF_A_MESSAGE:
        return
    assignments = re.search(r"\bSET\b(.*?)(\bWHERE\b|$)", text, re.DOTALL)
    if assignments is not None:
        for value in WRITTEN.findall(assignments[1]):
            assert re.fullmatch(r"\{to(:[a-z_]+)?\}", value), value
            assert re.search(r"\bstate IN \{from(:[a-z_]+)?\}", text), "a move without its sources"
    if "INSERT INTO" in text:
        literals = re.findall(r"'[a-z_]+'", text)
        assert literals == ([BORN[name][0]] if name in BORN else [])


def test_a_move_in_sql_names_one_event() -> None:
    """The target and the sources of one statement are of the same row."""
    moves = [text for text in statements().values() if "UPDATE " in text]
    for text in moves:
        places = re.findall(r"\{(from|to)(?::([a-z_]+))?\}", text)
        assert len({event for _, event in places}) <= 1


def test_statements_are_filled_from_the_table() -> None:
    """Sources and target of the row, for an event named in place as for one named by the caller."""
    queries = load("sqlite")
    assert "SET state = 'sending'" in queries["begin_message"]
    assert "(state = 'queued')" in queries["begin_message"]
    text = queries.on("finish_message", Event.CORRECT)
    assert "SET state = 'delivered'" in text
    assert "(state = 'failed' OR state = 'expired' OR state = 'unknown')" in text
    assert not [name for name in queries.names() if "{from:" in queries[name] or "{to:" in queries[name]]


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_each_dialect_has_every_statement_in_its_own_spelling(dialect: str) -> None:
    """SQLite's hints and marks stay in its own files."""
    queries = load(dialect)
    assert set(queries.names()) >= set(load("sqlite").names())
    for name in queries.names():
        text = re.sub(r"--.*", "", queries[name])
        assert ("INDEXED BY" not in text) or dialect == "sqlite"
        assert not re.search(r"\$[0-9]" if dialect == "sqlite" else r"\?[0-9]", text)
