"""Lost packets and jitter."""

from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.rtp.reception import Reception


def test_nothing_lost_is_nothing_lost_across_the_wrap() -> None:
    """Sequence numbers begin anywhere and wrap."""
    reception = Reception()
    for number in range(65_500, 65_600):
        reception.take(number & 0xFFFF, 1, 0.0)
    assert (reception.received, reception.expected, reception.lost) == (100, 100, 0)
    report = reception.report()
    assert report is not None
    assert report.highest == 0x10000 + 63
    assert reception.report() is not None


def test_lost_packets_are_counted_and_late_ones_are_not_lost() -> None:
    """One of ten is gone, one comes late."""
    reception = Reception()
    for number in (0, 1, 2, 4, 3, 5, 6, 8, 9):
        reception.take(number, 1, 0.0)
    assert reception.lost == 1
    report = reception.report()
    assert report is not None
    assert (report.lost, report.lost_fraction) == (1, 25)
    reception.take(10, 1, 0.0)
    again = reception.report()
    assert again is not None
    assert (again.lost, again.lost_fraction) == (1, 0)


def test_a_source_that_begins_anew_loses_nothing() -> None:
    """By its SSRC, or by a leap."""
    reception = Reception()
    for ssrc, number in ((1, 5), (2, 900), (2, 901), (2, 20_000), (2, 20_001)):
        reception.take(number, ssrc, 0.0)
    assert (reception.received, reception.lost) == (5, 0)


def test_jitter_is_the_smoothed_difference_of_transits() -> None:
    """RFC 3550 A.8; keys do not count; the clock's wrap is no jitter."""
    reception = Reception()
    for number, transit in enumerate((100.0, 260.0, 260.0, None, 260.0 - 0x100000000)):
        reception.take(number, 1, transit)
    assert reception.jitter == 160 / 16 * (15 / 16) ** 2
    assert Reception().report() is None


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 2), st.one_of(st.none(), st.floats(-1e12, 1e12)))))
def test_any_order_gives_a_report_that_fits(arrivals: list[tuple[int, int, float | None]]) -> None:
    """Whatever numbers come."""
    reception = Reception()
    for arrival in arrivals:
        reception.take(*arrival)
    report = reception.report()
    assert (report is None) is (not arrivals)
    if report is not None:
        assert 0 <= report.lost_fraction <= 255
        assert -0x800000 <= report.lost <= 0x7FFFFF
