"""How fast a carrier is fed once it asks for less (promises P11, F25). Pure: time is a number."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from bocau.deliver.tempo import LinkPace, Tempo


def busy(tempo: Tempo, per_second: int, begin: float = 0.0, seconds: float = 3.0) -> float:
    """Send so many parts a second, evenly; the moment after the last one."""
    count = round(per_second * seconds)
    for number in range(count):
        tempo.sent(begin + number / per_second)
    return begin + seconds


def complain(tempo: Tempo, sent_at: float, now: float, times: int = 20) -> bool:
    """So many parts that left at one moment come back as too much; whether that made it slower."""
    return any(tempo.throttled(sent_at, now) for _ in range(times))


def test_without_a_complaint_there_is_no_limit() -> None:
    """Window and contract alone decide."""
    tempo = Tempo()
    now = busy(tempo, 500)
    assert (tempo.limit, tempo.room(now), tempo.next_at(now)) == (None, float("inf"), None)


def test_a_complaint_halves_the_rate_that_brought_it_and_lets_nothing_go_at_once() -> None:
    """The rate is what really left, whatever the contract says."""
    tempo = Tempo()
    now = busy(tempo, 100)
    assert complain(tempo, now - 0.01, now)
    assert tempo.limit is not None
    assert 49 <= tempo.limit <= 51
    assert tempo.room(now) < 1
    at = tempo.next_at(now)
    assert at is not None
    assert 0.01 < at - now < 0.05
    assert tempo.room(at) >= 0.99


def test_a_complaint_now_and_then_is_about_a_message() -> None:
    """One part in twenty put off, second after second: the account goes on at its speed."""
    tempo = Tempo()
    for number in range(2_000):
        now = number / 100
        tempo.sent(now)
        if number % 20 == 19:
            assert not tempo.throttled(now, now + 0.001)
    assert tempo.limit is None


def test_parts_that_were_on_their_way_do_not_slow_it_again() -> None:
    """A window full of refusals is one complaint."""
    tempo = Tempo()
    now = busy(tempo, 100)
    assert complain(tempo, now - 0.1, now)
    before = tempo.limit
    assert not complain(tempo, now - 0.05, now + 0.1)
    assert tempo.limit == before
    assert complain(tempo, now + 0.2, now + 0.3)
    assert tempo.limit is not None
    assert before is not None
    assert tempo.limit < before


def test_it_grows_with_every_second_and_ends_half_above_the_rate_that_was_too_much() -> None:
    """Additive: a twentieth of the peak each second; from half to one and a half takes twenty."""
    tempo = Tempo()
    now = busy(tempo, 100)
    complain(tempo, now - 0.01, now)
    seen = []
    for second in range(1, 25):
        tempo.room(now + second)
        seen.append(tempo.limit)
    known = [limit for limit in seen if limit is not None]
    assert all(4.5 <= later - earlier <= 5.5 for earlier, later in itertools.pairwise(known))
    assert 18 <= len(known) <= 21
    assert seen[-1] is None


def test_it_never_stands_still() -> None:
    """However often the carrier complains, a part every two seconds asks how it is now."""
    tempo = Tempo()
    now = busy(tempo, 10)
    for _ in range(50):
        tempo.sent(now)
        tempo.throttled(now, now + 0.001)
        now += 0.002
    assert tempo.limit is not None
    at = tempo.next_at(now)
    assert at is not None
    while tempo.room(at) < 1:
        later = tempo.next_at(at)
        assert later is not None
        at = later + 1e-6
    assert at - now < 2 * 60


@given(st.lists(st.tuples(st.floats(0.001, 2.0), st.booleans()), max_size=200))
def test_what_leaves_under_a_limit_keeps_to_it(steps: list[tuple[float, bool]]) -> None:
    """Any history: between two complaints no more leaves than the highest limit of that time allows, and a burst."""
    tempo = Tempo()
    now, sent, allowed = 0.0, 0, 0.0
    for passed, complaint in steps:
        before = tempo.limit
        now += passed
        room = tempo.room(now)
        if before is not None and tempo.limit is not None:
            allowed += tempo.limit * passed
        if tempo.limit is None:
            sent, allowed = 0, 0.0
            tempo.sent(now)
        elif room >= 1:
            tempo.sent(now)
            sent += 1
        assert tempo.limit is None or sent <= allowed + 1 + tempo.limit * 0.1
        if complaint and tempo.throttled(now, now):
            sent, allowed = 0, 0.0


@given(st.integers(1, 50), st.lists(st.floats(0.0, 0.5), max_size=300))
def test_a_bind_never_exceeds_its_contract_in_any_second(per_second: int, waits: list[float]) -> None:
    """Sliding, not by the calendar."""
    pace = LinkPace(per_second)
    now, sent = 100.0, []
    for wait in waits:
        now += wait
        if pace.free(now):
            pace.sent(now)
            sent.append(now)
        else:
            assert pace.next_at(now) > now
    for at in sent:
        assert len([one for one in sent if at - 1.0 < one <= at]) <= per_second
