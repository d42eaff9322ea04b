"""What the clock does to a message, and how far the clock is believed (promises 4.1, 4.8, P9, P10)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.core.lifecycle import Event, State
from bocau.schedule.due import decide
from bocau.store.contract import OutcomeDeadlines, Turn, Waking

NOW = 1_800_000_000_000
DEADLINES = OutcomeDeadlines(uncertain_otp_ms=600_000, uncertain_other_ms=3_600_000, receipt_ms=86_400_000)


def waking(state: State, *, otp: bool = True, expires: int = 1, touched: int = 0) -> Waking:
    """A message that wakes now; moments count from now."""
    return Waking(7, state, "otp" if otp else "other", NOW + expires, NOW + touched)


@pytest.mark.parametrize(
    ("row", "turn"),
    [
        (waking(State.SCHEDULED), Turn(7, Event.RELEASE, NOW)),
        (waking(State.SCHEDULED, expires=-1), Turn(7, Event.RELEASE, NOW)),
        (waking(State.QUEUED, expires=0), Turn(7, Event.EXPIRE, None)),
        (waking(State.QUEUED, expires=-5), Turn(7, Event.EXPIRE, None)),
        (waking(State.QUEUED, expires=5), Turn(7, None, NOW + 5)),
        (waking(State.UNCERTAIN, touched=-600_000), Turn(7, Event.CLOSE, None)),
        (waking(State.UNCERTAIN, touched=-599_999), Turn(7, None, NOW + 1)),
        (waking(State.UNCERTAIN, otp=False, touched=-600_000), Turn(7, None, NOW + 3_000_000)),
        (waking(State.UNCERTAIN, otp=False, touched=-3_600_000), Turn(7, Event.CLOSE, None)),
        (waking(State.SENT, touched=-600_000), Turn(7, None, NOW + 85_800_000)),
        (waking(State.SENT, touched=-86_400_000), Turn(7, Event.CLOSE, None)),
        (waking(State.SENDING, touched=-86_400_000), Turn(7, Event.CLOSE, None)),
        (waking(State.SENDING, expires=-5, touched=-10), Turn(7, None, NOW + 86_399_990)),
    ],
)
def test_a_waking_message_gets_its_turn(row: Waking, turn: Turn) -> None:
    """Release, expire, close, or look again later: by state, class and age."""
    assert decide(row, NOW, DEADLINES) == turn


@given(
    st.sampled_from([State.SCHEDULED, State.QUEUED, State.SENDING, State.SENT, State.UNCERTAIN]),
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.integers(-(10**9), 10**9),
)
def test_a_turn_without_an_event_lies_ahead(state: State, otp: bool, expires: int, touched: int) -> None:
    """A message looked at for nothing is not due again at once: the loop cannot spin on it."""
    turn = decide(waking(state, otp=otp, expires=expires, touched=touched), NOW, DEADLINES)
    assert turn.event is not None or (turn.wake_ms is not None and turn.wake_ms > NOW)
