"""What each state does to a hold, and how far a balance may sink."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.core.ledger import EntryKind, covers, settlement
from bocau.core.lifecycle import FINAL, MESSAGE_TRANSITIONS, State
from bocau.core.outcome import charged


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (State.SCHEDULED, None),
        (State.QUEUED, None),
        (State.SENDING, None),
        (State.UNCERTAIN, None),
        (State.SENT, EntryKind.CAPTURE),
        (State.DELIVERED, EntryKind.CAPTURE),
        (State.UNKNOWN, EntryKind.CAPTURE),
        (State.FAILED, EntryKind.RELEASE),
        (State.EXPIRED, EntryKind.RELEASE),
        (State.REJECTED, EntryKind.RELEASE),
        (State.CANCELLED, EntryKind.RELEASE),
    ],
)
def test_each_state_settles_its_hold(state: State, kind: EntryKind | None) -> None:
    """Captured once a carrier has it, released if it comes to nothing (promises 4.7)."""
    assert settlement(state) is kind


def test_every_final_state_settles() -> None:
    """No hold stays open."""
    assert all(settlement(state) is not None for state in FINAL)


def test_what_is_released_is_not_charged() -> None:
    """The ledger and the customer's price say the same (promises P24)."""
    for state in FINAL:
        assert (settlement(state) is EntryKind.RELEASE) == (charged(state, 1) == 0)


def test_no_way_leads_from_released_to_an_open_state() -> None:
    """Money given back is not taken again."""
    for row in MESSAGE_TRANSITIONS:
        if any(settlement(State(source)) is EntryKind.RELEASE for source in row.sources):
            assert row.target in FINAL


@pytest.mark.parametrize(
    ("balance", "credit", "amount", "enough"),
    [
        (10, 0, 10, True),
        (10, 0, 11, False),
        (0, 0, 0, True),
        (0, 5, 5, True),
        (0, 5, 6, False),
        (-5, 5, 0, True),
        (-5, 5, 1, False),
        (-3, 5, 2, True),
        (-9, 5, 0, False),
    ],
)
def test_a_hold_is_covered_to_the_last_unit(balance: int, credit: int, amount: int, enough: bool) -> None:
    """Spent exactly is allowed, one more is not (promises P23)."""
    assert covers(balance, credit, amount) is enough


@given(st.integers(-(10**15), 10**15), st.integers(0, 10**15), st.integers(0, 10**15))
def test_a_covered_hold_never_sinks_below_the_credit_limit(balance: int, credit: int, amount: int) -> None:
    """Exact integers, however large."""
    assert covers(balance, credit, amount) == (balance - amount >= -credit)
