"""The contract's speed is never exceeded in any sliding second, and is reached (promise P11)."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bocau.dispatch.pace import Pace

PARTS = st.integers(1, 4)


def most_in_a_second(times: list[tuple[float, int]]) -> int:
    """The most parts that left in any second [t, t + 1)."""
    return max((sum(n for at, n in times if start <= at < start + 1.0) for start, _ in times), default=0)


@given(st.integers(4, 60), st.lists(st.tuples(PARTS, st.floats(0.0, 0.4), st.floats(0.0, 1.5)), max_size=60))
@example(10, [(1, 0.05, 0.5)] * 30)
def test_no_second_has_more_than_the_contract_however_slow_the_disk(
    per_second: int, offers: list[tuple[int, float, float]]
) -> None:
    """Each message is offered, its intent takes a while to be stored, and only then it leaves."""
    pace, now = Pace(per_second), 100.0
    under_way: list[tuple[float, int]] = []
    left: list[tuple[float, int]] = []

    def leave(until: float) -> None:
        for at, parts in sorted(under_way):
            if at <= until:
                under_way.remove((at, parts))
                pace.spend(parts, at)
                left.append((at, parts))

    for parts, wait, commit in offers:
        now += wait
        leave(now)
        while not pace.fits(parts, now):
            later = pace.next_at(parts, now)
            assert later > now
            now = later
            leave(now)
        pace.hold(parts, now)
        under_way.append((now + commit, parts))
    leave(now + 10.0)
    assert most_in_a_second(left) <= per_second


@given(st.integers(1, 200))
def test_a_steady_crowd_gets_the_whole_contract(per_second: int) -> None:
    """Asked whenever it says so, it lets the full number through in ten seconds, less at most a tenth."""
    pace, now, count = Pace(per_second), 100.0, 0
    while now < 110.0:
        if pace.fits(1, now):
            pace.hold(1, now)
            pace.spend(1, now)
            count += 1
        else:
            now = pace.next_at(1, now)
    assert per_second * 9 <= count <= per_second * 10 + per_second


def test_a_burst_does_not_use_up_the_second_at_its_start() -> None:
    """A thousand a second are twenty in a fiftieth of it."""
    pace, now = Pace(1000), 100.0
    count = 0
    while pace.fits(1, now):
        pace.hold(1, now)
        count += 1
    assert count == 20
    assert pace.next_at(1, now) <= now + 0.0201


@pytest.mark.parametrize("per_second", [1, 7, 20, 60, 99])
def test_small_contracts_are_smooth_too(per_second: int) -> None:
    """The parts of a burst leave all over the second, not in its first half (twenty a second: one every 50 ms)."""
    pace, now, left = Pace(per_second), 100.0, list[float]()
    while now < 103.0:
        if pace.fits(1, now):
            pace.hold(1, now)
            pace.spend(1, now)
            left.append(now)
        else:
            now = pace.next_at(1, now)
    halves = [sum(100.0 + half / 2 <= at < 100.5 + half / 2 for at in left) for half in range(6)]
    assert max(halves) - min(halves) <= 2


@pytest.mark.parametrize("per_second", [1, 3, 20, 50, 99, 400])
def test_a_slow_disk_costs_little_of_the_contract(per_second: int) -> None:
    """A part leaves a little after it began; the moment at which it may go again is not put off by a whole quantum."""
    pace, now, count = Pace(per_second), 100.0, 0
    under_way: list[float] = []
    while now < 120.0:
        while under_way and under_way[0] <= now:
            pace.spend(1, under_way.pop(0))
            count += 1
        if pace.fits(1, now):
            pace.hold(1, now)
            under_way.append(now + 0.004)
        else:
            now = min([pace.next_at(1, now), *under_way])
    assert count >= 20 * per_second * 0.95 - 1


def test_a_message_with_more_parts_than_the_contract_goes_when_nothing_went_for_a_second() -> None:
    """Else it would wait for ever."""
    pace = Pace(2)
    assert pace.fits(4, 100.0)
    pace.hold(4, 100.0)
    assert not pace.fits(4, 100.5)
    pace.spend(4, 100.5)
    assert not pace.fits(1, 101.4)
    assert pace.fits(4, 101.5)


def test_what_will_not_leave_gives_its_turn_back() -> None:
    """A store fault costs no speed."""
    pace = Pace(2)
    pace.hold(2, 100.0)
    assert not pace.fits(1, 100.9)
    pace.let_go(2)
    assert pace.fits(2, 100.9)


def test_without_a_contract_everything_fits() -> None:
    """0 is no limit."""
    pace = Pace(0)
    for _ in range(10_000):
        assert pace.fits(4, 100.0)
        pace.hold(4, 100.0)
        pace.spend(4, 100.0)
