"""States and what the wire calls them."""

import pytest

from bocau.core.lifecycle import State
from bocau.wire.esms.status import DERIVED, Derived, derive


def test_every_state_of_the_lifecycle_has_a_row_and_no_other_word_has() -> None:
    """A new state must say what it is to the customer."""
    assert set(DERIVED) == {state.value for state in State}
    assert derive(State.SENT) == derive("sent")


@pytest.mark.parametrize(
    ("state", "row"),
    [
        ("scheduled", (2, 0, 0, 0, 2)),
        ("queued", (2, 0, 0, 0, 2)),
        ("sent", (7, 0, 0, 1, 2)),
        ("uncertain", (7, 0, 0, 1, 2)),
        ("delivered", (5, 1, 0, 1, 1)),
        ("failed", (5, 0, 1, 1, 0)),
        ("expired", (5, 0, 1, 1, 0)),
        ("unknown", (5, 0, 1, 1, 0)),
        ("rejected", (4, 0, 1, 0, 0)),
        ("cancelled", (4, 0, 1, 0, 0)),
    ],
)
def test_a_state_is_derived_as_the_specification_says(state: str, row: tuple[int, ...]) -> None:
    """SendStatus, success, failed, sent, SendResult (esms-api 3.3)."""
    assert derive(state) == row


def test_the_values_are_those_the_gateway_may_emit() -> None:
    """0, 3 and 6 exist elsewhere only; a final state is counted once, an open one not at all."""
    for row in DERIVED.values():
        assert row.send_status in {2, 4, 5, 7}
        assert row.success + row.failed == (row.send_status in {4, 5})
        assert row.success <= row.sent
        assert row.send_result == (2 if row.send_status in {2, 7} else row.success)
        assert isinstance(row, Derived)


def test_a_word_that_is_no_state_is_an_error() -> None:
    """It is our fault, not the customer's."""
    with pytest.raises(KeyError):
        derive("lost")
