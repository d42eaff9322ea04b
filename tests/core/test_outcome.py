"""From parts to our word on a message, and from messages to the customer's summary."""

from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.core.lifecycle import FINAL, MESSAGE_TRANSITIONS, AttemptState, Event, State
from bocau.core.outcome import charged, fold, match_key, match_keys, summarise

A = AttemptState
S = State


def wanted(parts: int, newest: tuple[AttemptState, ...]) -> Event | None:
    """The same in other words: count, then decide (promises 4.5)."""
    count = {state: newest.count(state) for state in A}
    if count[A.UNDELIVERED]:
        return Event.FAIL
    if count[A.EXPIRED]:
        return Event.LAPSE
    if len(newest) < parts or count[A.SUBMITTING] or count[A.REFUSED]:
        return None
    if count[A.UNCERTAIN]:
        return Event.HOLD
    if count[A.TAKEN]:
        return Event.TAKE
    return Event.CLOSE if count[A.UNKNOWN] else Event.DELIVER


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_parts_fold_into_one_event(parts: int) -> None:
    """Every combination of up to three parts, tried or not."""
    for tried in range(1, parts + 1):
        for newest in product(A, repeat=tried):
            assert fold(parts, newest) is wanted(parts, newest), newest


@given(st.lists(st.sampled_from(A), min_size=1, max_size=20), st.randoms())
def test_the_order_of_parts_does_not_matter(newest: list[AttemptState], random: Random) -> None:
    """A message of many parts."""
    shuffled = list(newest)
    random.shuffle(shuffled)
    assert fold(len(newest), newest) is fold(len(newest), shuffled)


def test_no_attempt_is_no_event() -> None:
    """Nothing was tried yet."""
    assert fold(1, []) is None
    assert fold(3, []) is None


def test_a_delivered_part_of_two_is_not_the_message() -> None:
    """The other one was not tried yet."""
    assert fold(2, [A.DELIVERED]) is None
    assert fold(2, [A.DELIVERED, A.DELIVERED]) is Event.DELIVER


def test_every_folded_event_is_in_the_table() -> None:
    """The store can apply what fold says."""
    events = {row.event for row in MESSAGE_TRANSITIONS}
    folded = {fold(2, newest) for newest in product(A, repeat=2)} - {None}
    assert folded <= events
    assert folded == {Event.FAIL, Event.LAPSE, Event.DELIVER, Event.CLOSE, Event.TAKE, Event.HOLD}


# Ids of carriers


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ("1a2B", "1a2b"),
        ("0001A2B", "1a2b"),
        ("  77\x20", "77"),
        ("0", "0"),
        ("0000", "0"),
        ("", "0"),
        ("ABC-DEF", "abc-def"),
        ("0x1F", "x1f"),
    ],
)
def test_the_key_of_an_id_is_without_case_zeros_and_spaces(raw: str, key: str) -> None:
    """Carriers pad and spell as they like."""
    assert match_key(raw) == key


@pytest.mark.parametrize(
    ("raw", "keys"),
    [
        ("6699", ("6699", "26265", "1a2b")),
        ("1A2B", ("1a2b", "6699")),
        ("0006699", ("6699", "26265", "1a2b")),
        ("9", ("9",)),
        ("0", ("0",)),
        ("abc-1", ("abc-1",)),
        ("g1", ("g1",)),
        ("1" * 21, ("1" * 21,)),
        ("6６99", ("6６99",)),
        ("", ("0",)),
    ],
)
def test_an_id_is_looked_for_as_it_is_and_in_the_other_base(raw: str, keys: tuple[str, ...]) -> None:
    """The form it has comes first; only ASCII digits are digits."""
    assert match_keys(raw) == keys


@given(st.integers(0, (1 << 64) - 1), st.booleans(), st.integers(0, 6))
def test_hexadecimal_and_decimal_find_each_other(number: int, upper: bool, zeros: int) -> None:
    """Whichever stands in the answer and whichever in the receipt."""
    decimal = "0" * zeros + str(number)
    hexadecimal = "0" * zeros + format(number, "X" if upper else "x")
    assert match_key(decimal) in match_keys(hexadecimal)
    assert match_key(hexadecimal) in match_keys(decimal)


@given(st.text(max_size=70))
def test_any_text_is_an_id(raw: str) -> None:
    """One to three forms, the first of them its key, and a key's key is itself."""
    keys = match_keys(raw)
    assert 1 <= len(keys) <= 3
    assert keys[0] == match_key(raw)
    assert len(set(keys)) == len(keys)
    assert match_key(keys[0]) == keys[0]


# Summaries


def test_a_request_is_as_far_as_its_slowest_message() -> None:
    """In the order of a message's life."""
    order = [S.SCHEDULED, S.QUEUED, S.SENDING, S.UNCERTAIN, S.SENT]
    for index, slow in enumerate(order):
        for fast in [*order[index:], *FINAL]:
            for rows in ([(slow, 1, 1), (fast, 1, 1)], [(fast, 1, 1), (slow, 1, 1)]):
                assert summarise("s", 2, 0, rows).state is slow


def test_a_request_that_ended_in_different_ways_shows_the_worst() -> None:
    """Delivered only if all are."""
    for end in FINAL:
        assert summarise("s", 2, 0, [(S.DELIVERED, 1, 1), (end, 1, 1)]).state is end


def test_counts_and_prices_of_a_summary() -> None:
    """Six receivers, two of them dropped at the door."""
    rows = [(S.DELIVERED, 10, 1), (S.FAILED, 20, 1), (S.UNKNOWN, 40, 1), (S.EXPIRED, 80, 0)]
    summary = summarise("abc", 6, 2, rows)
    assert summary == ("abc", S.FAILED, 6, 3, 1, 5, 50, 0)


@pytest.mark.parametrize(("tries", "sent"), [(0, 0), (1, 1), (3, 1)])
def test_an_expired_message_was_sent_if_it_was_tried(tries: int, sent: int) -> None:
    """It may have expired in our queue or at the carrier."""
    assert summarise("s", 1, 0, [(S.EXPIRED, 1, tries)]).sent == sent


ROWS = st.lists(st.tuples(st.sampled_from(S), st.integers(0, 10**9), st.integers(0, 9)), min_size=1, max_size=12)


@given(ROWS, st.integers(0, 5))
def test_a_summary_never_counts_more_than_there_are(rows: list[tuple[State, int, int]], dropped: int) -> None:
    """Succeeded and failed are apart; once all have ended they are all."""
    receivers = len(rows) + dropped
    summary = summarise("s", receivers, dropped, rows)
    assert 0 <= summary.succeeded + summary.failed <= receivers
    assert summary.sent <= len(rows)
    assert 0 <= summary.price <= sum(price for _, price, _ in rows)
    if all(state in FINAL for state, _, _ in rows):
        assert summary.succeeded + summary.failed == receivers
        assert summary.state in FINAL


@pytest.mark.parametrize("state", list(S))
def test_what_failed_costs_nothing(state: State) -> None:
    """Failed, expired, rejected, cancelled; unknown keeps its charge (promises P24)."""
    free = {S.FAILED, S.EXPIRED, S.REJECTED, S.CANCELLED}
    assert charged(state, 850) == (0 if state in free else 850)
