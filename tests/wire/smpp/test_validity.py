"""Times of SMPP 3.4, 7.1.1, and the dates that receipts write."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.smpp.validity import absolute_time, parse_receipt_date, relative_time


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "000000000000000R"), (61, "000000000101000R"), (90_061, "000001010101000R"), (10**9, "000099000000000R")],
)
def test_a_relative_time_counts_days_hours_minutes_seconds(seconds: int, text: str) -> None:
    """Sixteen signs; no months, which have no fixed length."""
    assert relative_time(seconds) == text


@given(st.integers(946_684_800, 3_092_601_600))
def test_an_absolute_time_reads_back(seconds: int) -> None:
    """YYMMDDhhmmss, tenths, UTC; the years 2000 to 2067."""
    ms = seconds * 1000
    text = absolute_time(ms)
    assert (len(text), text[-3:]) == (16, "00+")
    assert parse_receipt_date(text[:12], 0) == ms


@pytest.mark.parametrize(
    ("text", "offset", "expected"),
    [
        ("2701150800", 0, "2027-01-15T08:00:00"),
        ("2701151500", 420, "2027-01-15T08:00:00"),
        ("270115150007", 420, "2027-01-15T08:00:07"),
        ("20270115150007", 420, "2027-01-15T08:00:07"),
        ("2713150800", 0, None),
        ("", 0, None),
        ("27-01-15 08:00", 0, None),
        ("２７０１１５０８００", 0, None),
    ],
)
def test_a_receipt_s_date_is_read_in_the_carrier_s_own_zone(text: str, offset: int, expected: str | None) -> None:
    """Receipts do not name it."""
    moment = None if expected is None else int(datetime.fromisoformat(f"{expected}+00:00").timestamp() * 1000)
    assert parse_receipt_date(text, offset) == moment
