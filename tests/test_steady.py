"""A wall clock that does not jump (promises 4.8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.steady import ClockWatch, SteadyWorld
from bocau.world import RealWorld

NOW = 1_790_000_000_000
BEGIN = 1000.0


class SetWorld(RealWorld):
    """Both clocks are set by the test."""

    def __init__(self) -> None:
        super().__init__()
        self.wall_ms = NOW
        self.seconds = BEGIN

    def now_ms(self) -> int:
        return self.wall_ms

    def monotonic(self) -> float:
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        self.wall_ms += round(seconds * 1000)
        self.seconds += seconds


def test_a_clock_that_keeps_time_is_followed() -> None:
    """Hours of even steps with a second of drift in each: never a doubt, never apart."""
    watch = ClockWatch.begin(NOW, BEGIN)
    for hour in range(1, 10):
        wall_ms, monotonic = NOW + hour * 3_601_000, BEGIN + hour * 3600
        watch = watch.look(wall_ms, monotonic)
        assert not watch.doubtful
        assert monotonic * 1000 + watch.offset_ms == wall_ms


@pytest.mark.parametrize("step", [5_001, 3_600_000, 31_536_000_000, -5_001, -3_600_000, -31_536_000_000])
def test_a_step_is_believed_after_a_minute(step: int) -> None:
    """Ahead or back, an hour or a year; until then time goes on as it did."""
    world = SetWorld()
    steady = SteadyWorld(world)
    world.pass_by(1.0)
    world.wall_ms += step
    assert (steady.now_ms(), steady.doubtful) == (NOW + 1_000, True)
    world.pass_by(59.9)
    assert (steady.now_ms(), steady.doubtful) == (NOW + 60_900, True)
    world.pass_by(0.6)
    steady.now_ms()  # this look is what believes it
    assert not steady.doubtful
    assert steady.now_ms() == NOW + 61_500 + step


def test_a_clock_that_is_put_right_leaves_nothing_behind() -> None:
    """What was dated meanwhile has the dates that it would have had."""
    world = SetWorld()
    steady = SteadyWorld(world)
    for second in range(50):
        world.wall_ms += {10: 3_600_000, 40: -3_600_000}.get(second, 0)
        world.pass_by(1.0)
        assert steady.now_ms() == NOW + (second + 1) * 1_000
        assert steady.doubtful == (10 <= second < 40)


def test_a_second_step_begins_the_minute_anew() -> None:
    """A clock that is being set is not believed in the middle of it."""
    watch = ClockWatch.begin(NOW, BEGIN).look(NOW + 3_600_000, BEGIN + 0.5)
    watch = watch.look(NOW + 7_200_000, BEGIN + 50.0)
    watch = watch.look(NOW + 7_200_000 + 59_000, BEGIN + 109.0)
    assert watch.doubtful
    assert not watch.look(NOW + 7_200_000 + 61_000, BEGIN + 111.0).doubtful


@given(st.lists(st.integers(-5_000, 5_000), max_size=50))
def test_small_steps_are_followed_at_once(steps: list[int]) -> None:
    """Time daemons make them."""
    world = SetWorld()
    steady = SteadyWorld(world)
    for step in steps:
        world.wall_ms += step
        world.pass_by(0.5)
        assert abs(steady.now_ms() - world.wall_ms) <= 1
        assert not steady.doubtful


def test_a_long_sleep_of_the_machine_is_no_step() -> None:
    """Both clocks went on."""
    world = SetWorld()
    steady = SteadyWorld(world)
    world.pass_by(120.0)
    assert (steady.now_ms(), steady.doubtful) == (NOW + 120_000, False)


def test_a_deliberate_advance_is_believed_at_once() -> None:
    """The test API moves the clock; neither this look nor a later one doubts it, and time goes on from there."""
    world = SetWorld()
    steady = SteadyWorld(world)
    steady.advance(86_400_000)
    assert (steady.now_ms(), steady.doubtful) == (NOW + 86_400_000, False)
    world.pass_by(90.0)
    assert (steady.now_ms(), steady.doubtful) == (NOW + 86_490_000, False)
    world.wall_ms += 3_600_000
    world.pass_by(1.0)
    assert (steady.now_ms(), steady.doubtful) == (NOW + 86_491_000, True)
    with pytest.raises(ValueError, match="back"):
        steady.advance(-1)
