"""Moments and spans as people write them."""

from datetime import datetime

import pytest

from bocau.simulator.moments import VIETNAM, read_moment, read_span

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=VIETNAM)


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("90m", 5400), ("24h", 86_400), ("2d", 172_800), ("1.5h", 5400), ("7", 7)]
)
def test_a_span_is_a_number_with_a_unit(text: str, seconds: float) -> None:
    """Seconds where there is none."""
    assert read_span(text) == seconds


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("12:30", datetime(2026, 9, 1, 12, 30, tzinfo=VIETNAM)),
        ("11:30", datetime(2026, 9, 2, 11, 30, tzinfo=VIETNAM)),
        ("12:00:00", datetime(2026, 9, 2, 12, 0, tzinfo=VIETNAM)),
        ("2027-01-01", datetime(2027, 1, 1, tzinfo=VIETNAM)),
        ("2026-12-31T23:55", datetime(2026, 12, 31, 23, 55, tzinfo=VIETNAM)),
        ("2026-12-31T16:55Z", datetime(2026, 12, 31, 23, 55, tzinfo=VIETNAM)),
        ("+24h", datetime(2026, 9, 2, 12, 0, tzinfo=VIETNAM)),
    ],
)
def test_a_moment_is_a_time_a_date_or_so_long_from_now(text: str, moment: datetime) -> None:
    """A time of the day is the next one; without a zone it is Vietnam's."""
    assert read_moment(text, ms(NOW)) == ms(moment)


@pytest.mark.parametrize("text", ["", "noon", "25:00", "2026-13-01", "+", "+1w", "-1h"])
def test_what_is_no_moment_is_told(text: str) -> None:
    """With what is one."""
    with pytest.raises(ValueError, match="write"):
        read_moment(text, ms(NOW))
