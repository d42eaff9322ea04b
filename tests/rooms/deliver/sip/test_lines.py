"""Which trunk takes a call."""

from bocau.deliver.sip.lines import Choice, Line, Pace, choose
from bocau.deliver.sip.link import LinkState
from bocau.deliver.sip.outcome import judge, silence

NONE: frozenset[str] = frozenset()


def line(name: str, priority: int = 0, state: LinkState = LinkState.UP, max_calls: int = 2) -> Line:
    made = Line(name, priority, max_calls, 10.0)
    made.state = state
    return made


def test_priority_then_load_decide() -> None:
    """Of equals the emptier one."""
    one, two, three = line("one", 1), line("two", 1), line("three", 2)
    assert choose([three, two, one], NONE, 0.0).line is two
    two.active = 1
    assert choose([three, two, one], NONE, 0.0).line is one
    assert choose([three, two, one], frozenset({"one", "two"}), 0.0).line is three
    assert choose([one], frozenset({"one"}), 0.0) == Choice(None, None)


def test_a_trunk_that_failed_is_tried_last_for_a_while() -> None:
    """Longer each time; a single one is tried all the same, and a good call ends the rest."""
    one, two = line("one", 0), line("two", 1)
    one.learn(silence(), 0, 0.5, 100.0)
    assert one.rests_until == 100.75
    assert choose([one, two], NONE, 100.5).line is two
    assert choose([one], NONE, 100.5).line is one
    assert choose([one, two], NONE, 101.0).line is one
    one.learn(silence(), 0, 0.5, 101.0)
    assert one.rests_until == 102.5
    one.learn(judge(486, 0, rang=True), 0, 0.5, 102.0)
    assert one.rests_until == 0.0


def test_the_trunks_own_wish_for_rest_counts_up_to_a_minute() -> None:
    """Retry-After."""
    one = line("one")
    one.learn(silence(), 20, 0.0, 0.0)
    assert one.rests_until == 20.0
    one.learn(silence(), 86_400, 0.0, 0.0)
    assert one.rests_until == 60.0


def test_a_full_trunk_is_waited_for_and_a_dead_one_is_not() -> None:
    """So that calls fail at once where nothing can come of waiting."""
    full, paced = line("full"), line("paced")
    full.active = 2
    assert choose([full], NONE, 0.0) == Choice(None, float("inf"))
    paced.pace.take(5.0)
    assert choose([full, paced], NONE, 5.0) == Choice(None, 5.1)
    assert choose([full, paced], NONE, 5.1).line is paced
    assert choose([line("down", state=LinkState.DOWN)], NONE, 0.0) == Choice(None, None)
    assert choose([line("new", state=LinkState.CONNECTING)], NONE, 0.0) == Choice(None, float("inf"))


def test_starts_are_evenly_spaced() -> None:
    """No credit for idle time."""
    pace = Pace(10.0)
    starts = []
    now = 50.0
    for _ in range(4):
        now = max(now, pace.ready_at())
        pace.take(now)
        starts.append(round(now, 3))
    assert starts == [50.0, 50.1, 50.2, 50.3]
