"""The contract's speed is never exceeded in any sliding second, and is reached (promise P11)."""

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
