"""Waits: how they grow, and between which bounds chance moves them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.core.retry import backoff_seconds, callback_wait_ms, postpone_ms

CHANCE = st.floats(0, 1, exclude_max=True)
WAITS = (0, 30, 120, 600, 1800)


@given(st.integers(1, 10_000), CHANCE)
def test_a_connection_is_tried_again_within_a_minute(failures: int, chance: float) -> None:
    """Between half the ceiling and the ceiling, which doubles to 60 s (promises P12)."""
    ceiling = min(60.0, 2.0 ** min(failures - 1, 16))
    assert ceiling / 2 <= backoff_seconds(failures, chance) <= ceiling


@pytest.mark.parametrize(("failures", "ceiling"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (1_000_000, 60)])
def test_the_wait_for_a_connection_doubles(failures: int, ceiling: float) -> None:
    """Without chance: half the ceiling."""
    assert backoff_seconds(failures, 0.0) == ceiling / 2


def test_the_bounds_of_the_wait_for_a_connection_can_be_set() -> None:
    """First and longest, in seconds."""
    assert backoff_seconds(1, 0.0, first=4.0, longest=8.0) == 2.0
    assert backoff_seconds(9, 0.0, first=4.0, longest=8.0) == 4.0


@given(st.integers(1, 10_000), CHANCE)
def test_a_message_is_offered_again_within_half_a_minute(tries: int, chance: float) -> None:
    """1 s doubling to 30 s, 20 % either way."""
    middle = min(30_000, 1000 * 2 ** min(tries - 1, 10))
    assert round(middle * 0.8) <= postpone_ms(tries, chance) <= round(middle * 1.2)


@pytest.mark.parametrize(("tries", "middle"), [(1, 1000), (2, 2000), (5, 16_000), (6, 30_000), (99, 30_000)])
def test_the_wait_for_a_message_doubles(tries: int, middle: int) -> None:
    """At middling chance."""
    assert postpone_ms(tries, 0.5) == middle


@pytest.mark.parametrize(("tries", "seconds"), [(1, 30), (2, 120), (3, 600), (4, 1800)])
def test_a_callback_is_tried_again_after_its_wait(tries: int, seconds: int) -> None:
    """30 s, 2 min, 10 min, 30 min (promises P19)."""
    assert callback_wait_ms(tries, WAITS, 20, 0.5) == seconds * 1000


@pytest.mark.parametrize("tries", [5, 6, 100])
def test_a_callback_is_tried_five_times(tries: int) -> None:
    """After the fifth there is no wait."""
    assert callback_wait_ms(tries, WAITS, 20, 0.5) is None


@given(st.integers(1, 4), st.integers(0, 100), CHANCE)
def test_the_wait_for_a_callback_varies_by_its_jitter(tries: int, jitter: int, chance: float) -> None:
    """Both ways, never below nothing."""
    found = callback_wait_ms(tries, WAITS, jitter, chance)
    middle = WAITS[tries] * 1000
    assert found is not None
    assert 0 <= middle * (100 - jitter) // 100 <= found <= middle * (100 + jitter) / 100 + 1


def test_a_single_try_has_no_second() -> None:
    """The shortest policy."""
    assert callback_wait_ms(1, (0,), 20, 0.5) is None
