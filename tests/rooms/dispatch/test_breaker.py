"""Whether a carrier is trusted: what opens the breaker, and what closes it again."""

from bocau.dispatch.breaker import Breaker, BreakerPolicy, Phase, Reading

POLICY = BreakerPolicy(failures=3, down_seconds=2.0, open_seconds=10.0, probes=2)


def after(*looks: tuple[float, bool, int, int]) -> Breaker:
    """A breaker after readings: moment, up, failures, successes."""
    breaker = Breaker(POLICY)
    for now, up, failures, successes in looks:
        breaker = breaker.look(Reading(up, failures, successes), now)
    return breaker


def test_failures_in_a_row_open_it() -> None:
    """At the threshold, not before."""
    assert after((0.0, True, 2, 0)).phase is Phase.CLOSED
    opened = after((0.0, True, 2, 0), (1.0, True, 3, 0))
    assert (opened.phase, opened.why) == (Phase.OPEN, "3 submits failed in a row")


def test_a_link_that_is_away_for_a_moment_does_not_open_it() -> None:
    """Reconnecting is quick; what waits may wait for it."""
    assert after((0.0, False, 0, 0), (1.9, False, 0, 0)).phase is Phase.CLOSED
    assert after((0.0, False, 0, 0), (1.9, True, 0, 0), (3.0, False, 0, 0)).phase is Phase.CLOSED


def test_a_carrier_without_a_link_opens_it_and_is_tried_as_soon_as_it_has_one() -> None:
    """No waiting for a time that says nothing."""
    down = after((0.0, False, 0, 0), (2.0, False, 0, 0))
    assert (down.phase, down.why) == (Phase.OPEN, "no link is up")
    assert down.look(Reading(False, 0, 0), 60.0).phase is Phase.OPEN
    assert down.look(Reading(True, 0, 0), 2.5).phase is Phase.HALF_OPEN


def test_after_failures_it_rests_before_it_is_tried() -> None:
    """To the second."""
    opened = after((0.0, True, 3, 7))
    assert opened.look(Reading(True, 3, 7), 9.9).phase is Phase.OPEN
    assert opened.look(Reading(True, 3, 7), 10.0).phase is Phase.HALF_OPEN


def half_open() -> Breaker:
    return after((0.0, True, 3, 7), (10.0, True, 3, 7))


def test_one_success_closes_it() -> None:
    """The carrier has shown that it works."""
    closed = half_open().look(Reading(True, 0, 8), 11.0)
    assert (closed.phase, closed.why) == (Phase.CLOSED, "")
    assert closed.look(Reading(True, 2, 8), 12.0).phase is Phase.CLOSED


def test_one_failure_opens_it_again() -> None:
    """For another full rest."""
    again = half_open().look(Reading(True, 4, 7), 11.0)
    assert (again.phase, again.since) == (Phase.OPEN, 11.0)
    assert again.look(Reading(True, 4, 7), 20.9).phase is Phase.OPEN


def test_losing_the_link_while_it_is_tried_opens_it_again() -> None:
    """Nothing was shown."""
    assert half_open().look(Reading(False, 3, 7), 11.0).phase is Phase.OPEN


def test_nothing_heard_leaves_it_half_open() -> None:
    """However long nobody sends."""
    assert half_open().look(Reading(True, 3, 7), 1000.0).phase is Phase.HALF_OPEN
