"""What each command_status means (fault F25)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.smpp.status import (
    STATUSES,
    Answer,
    Classes,
    Status,
    answer_class,
    bind_refused_for_good,
    status_name,
)

NOT_PERMANENT = {
    "ESME_ROK": Answer.TAKEN,
    "ESME_RINVBNDSTS": Answer.TEMPORARY,
    "ESME_RALYBND": Answer.TEMPORARY,
    "ESME_RSYSERR": Answer.TEMPORARY,
    "ESME_RX_T_APPN": Answer.TEMPORARY,
    "ESME_RMSGQFUL": Answer.THROTTLE,
    "ESME_RTHROTTLED": Answer.THROTTLE,
}


@pytest.mark.parametrize("status", STATUSES)
def test_each_status_has_its_class(status: int) -> None:
    """A few are worth another try; all the others will fail again."""
    name = status_name(status)
    assert answer_class(status) is NOT_PERMANENT.get(name, Answer.PERMANENT)


@given(st.integers(1, 0xFFFFFFFF))
def test_only_ok_means_taken(status: int) -> None:
    """An error, known or not, is an explicit no."""
    assert answer_class(status) is not Answer.TAKEN


@given(st.integers(0x400, 0x4FF) | st.integers(0x100, 0xFFFFFFFF))
def test_a_status_of_a_vendor_s_is_permanent_and_named_by_number(status: int) -> None:
    """No endless tries on a status that we do not understand."""
    assert answer_class(status) is Answer.PERMANENT
    assert status_name(status) == f"0x{status:08X}"


def test_names_are_the_specification_s_and_each_is_given_once() -> None:
    """A name leads back to one status."""
    assert all(row.name.startswith("ESME_R") for row in STATUSES.values())
    assert len({row.name for row in STATUSES.values()}) == len(STATUSES) == 48


def test_every_status_that_code_names_is_in_the_table() -> None:
    """The named constants are rows of the table."""
    assert {value for value in vars(Status).values() if isinstance(value, int)} <= set(STATUSES)


@pytest.mark.parametrize(
    ("status", "for_good"),
    [
        (Status.BIND_FAILED, True),
        (Status.INVALID_PASSWORD, True),
        (Status.INVALID_SYSTEM_ID, True),
        (Status.ALREADY_BOUND, False),
        (Status.SYSTEM_ERROR, False),
        (Status.THROTTLED, False),
        (0x401, False),
    ],
)
def test_a_refused_bind_is_for_good_only_when_the_credentials_are_wrong(status: int, for_good: bool) -> None:
    """Anything else may pass by itself (fault F24)."""
    assert bind_refused_for_good(status) is for_good


def test_a_carrier_s_profile_goes_before_the_table() -> None:
    """A single status before a range, an earlier range before a later one, and any of them before the table."""
    classes = Classes(
        {
            "0x0400-0x04FF": "temporary",
            "0x00000440": "throttle",
            "0x0450-0x0460": "permanent",
            "0x0A": "temporary",
            "0x0B-0x0C": "throttle",
        }
    )
    assert classes(0x0401) is Answer.TEMPORARY
    assert classes(0x0440) is Answer.THROTTLE
    assert classes(0x0455) is Answer.TEMPORARY
    assert classes(Status.INVALID_SOURCE) is Answer.TEMPORARY
    assert (classes(0x0B), classes(0x0C)) == (Answer.THROTTLE, Answer.THROTTLE)
    assert classes(0x0500) is Answer.PERMANENT
    assert classes(Status.SYSTEM_ERROR) is answer_class(Status.SYSTEM_ERROR)


def test_no_profile_makes_an_ok_anything_else() -> None:
    """It would be sent again and arrive twice."""
    assert Classes({"0x00": "temporary", "0x00-0xFF": "permanent"})(0) is Answer.TAKEN


@pytest.mark.parametrize("text", ["", "58", "0x", "0x100000000", "0x20-0x10", "x-y"])
def test_what_is_no_status_is_refused(text: str) -> None:
    """58 without 0x is read as hexadecimal; nothing else is guessed."""
    if text == "58":
        assert Classes({text: "permanent"})(0x58) is Answer.PERMANENT
        return
    with pytest.raises(ValueError, match=r"invalid literal|no range"):
        Classes({text: "permanent"})
