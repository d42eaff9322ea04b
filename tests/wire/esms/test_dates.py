"""SendDate."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.esms.dates import parse_send_date


def utc(year: int, month: int, day: int, hour: int, minute: int, second: int, milliseconds: int = 0) -> int:
    """Milliseconds since 1970 of a moment in UTC."""
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()) * 1000 + milliseconds


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-30 08:05:00", utc(2026, 11, 30, 1, 5, 0)),
        ("2026/11/30 08:05:00", utc(2026, 11, 30, 1, 5, 0)),
        ("2026-11-30T08:05:00", utc(2026, 11, 30, 1, 5, 0)),
        ("  2026-11-30 08:05 \n", utc(2026, 11, 30, 1, 5, 0)),
        ("2026-11-30 08:05:00.5", utc(2026, 11, 30, 1, 5, 0, 500)),
        ("2026-11-30 08:05:00.1239999", utc(2026, 11, 30, 1, 5, 0, 123)),
        ("2026-11-30T08:05:00Z", utc(2026, 11, 30, 8, 5, 0)),
        ("2026-11-30T08:05:00.000Z", utc(2026, 11, 30, 8, 5, 0)),
        ("2026-11-30T08:05+09:30", utc(2026, 11, 29, 22, 35, 0)),
        ("2026-11-30 08:05:00 -0500", utc(2026, 11, 30, 13, 5, 0)),
        ("2026-11-30 08:05:00+07", utc(2026, 11, 30, 1, 5, 0)),
        ("2000-01-01 00:00:00", utc(1999, 12, 31, 17, 0, 0)),
        ("2100-12-31 23:59:59", utc(2100, 12, 31, 16, 59, 59)),
        ("2028-02-29 23:00:00", utc(2028, 2, 29, 16, 0, 0)),
    ],
)
def test_every_accepted_format_is_one_moment(text: str, moment: int) -> None:
    """Row T; without an offset it is Vietnam time."""
    assert parse_send_date(text) == moment


@pytest.mark.parametrize("text", ["", " ", "\r\n\t"])
def test_an_empty_date_means_now(text: str) -> None:
    """It is not an error."""
    assert parse_send_date(text) is None


def test_the_default_offset_is_an_argument() -> None:
    """An explicit one in the text wins."""
    assert parse_send_date("2026-11-30 08:05:00", 0) == utc(2026, 11, 30, 8, 5, 0)
    assert parse_send_date("2026-11-30 08:05:00", -60) == utc(2026, 11, 30, 9, 5, 0)
    assert parse_send_date("2026-11-30 08:05:00Z", 420) == utc(2026, 11, 30, 8, 5, 0)


@pytest.mark.parametrize(
    "text",
    [
        "now",
        "0",
        "2026-11-30",
        "20261130 080500",
        "2026-11/30 08:05:00",
        "2026-1-3 08:05:00",
        "30-11-2026 08:05:00",
        "2026-11-30  08:05:00",
        "2026-11-30 8:05:00",
        "2026-11-30 08:05:00 PM",
        "2026-11-30 08:05:00,5",
        "2026-11-30 08:05:00.",
        "2026-11-30 08:05.5",
        "2026-11-30 24:00:00",
        "2026-11-30 08:60:00",
        "2026-11-30 08:05:60",
        "2026-02-29 08:05:00",
        "2026-13-01 08:05:00",
        "2026-00-01 08:05:00",
        "2026-01-00 08:05:00",
        "2026-11-30 08:05:00+14:01",
        "2026-11-30 08:05:00+07:60",
        "2026-11-30 08:05:00+7",
        "0001-01-01 00:00:00",
        "1999-12-31 23:59:59",
        "2101-01-01 00:00:00",
        "9999-12-31 23:59:59",
        "２０２６-11-30 08:05:00",
        "2026-11-30 0８:05:00",
        "٢٠٢٦-11-30 08:05:00",
        "2026-11-30 08:05:00\n\nx",
        "2026-11-30\u00a008:05:00",
        "2026-11-30 08:05:00\u00a0",
        "2026-11-30 08:05:00\0",
        "/Date(1705484048995+0700)/",
    ],
)
def test_anything_else_is_an_error(text: str) -> None:
    """Full-width digits, year 1, impossible days, other formats (promises M16)."""
    with pytest.raises(ValueError, match=r"."):
        parse_send_date(text)


@given(
    st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 12, 31)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
def test_it_agrees_with_the_calendar_of_the_standard_library(moment: datetime, minutes: int) -> None:
    """Day arithmetic is checked against an independent one."""
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=timezone(timedelta(minutes=minutes)))
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert parse_send_date(moment.isoformat(timespec="milliseconds")) == expected
    assert parse_send_date(moment.strftime("%Y/%m/%d %H:%M:%S.%f"), minutes) == expected


@given(st.text(max_size=40))
def test_garbage_raises_only_value_error(text: str) -> None:
    """A date comes from a stranger."""
    for candidate in (text, "2026-11-30 " + text, "2026-11-30 08:05:00" + text):
        try:
            parse_send_date(candidate)
        except ValueError:
            continue
