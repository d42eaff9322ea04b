"""SendDate, read without strptime (esms-api 7 row T, promises 4.8 and M16)."""

import re
from datetime import date
from typing import Final

__all__ = ["FIRST_YEAR", "LAST_YEAR", "VIETNAM_MINUTES", "parse_send_date"]

VIETNAM_MINUTES: Final = 7 * 60
"""Asia/Ho_Chi_Minh in minutes east of UTC: fixed, without summer time."""
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2100

_DATE: Final = re.compile(
    r"([0-9]{4})([-/])([0-9]{2})\2([0-9]{2})"  # year, month, day
    r"[ T]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?"  # hour, minute, second, fraction
    r" ?(Z|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2})?",  # offset
    re.ASCII,
)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_WIDEST_OFFSET: Final = 14 * 60


def parse_send_date(text: str, default_offset_minutes: int = VIETNAM_MINUTES) -> int | None:
    """Milliseconds since 1970 UTC of a SendDate; None for an empty one, which means now.

    Takes `yyyy-MM-dd HH:mm:ss`, also with `/` for `-`, with `T`, without seconds, with a fraction (cut to
    milliseconds), with `Z` or an offset. Without an offset the time is `default_offset_minutes` east of UTC. ASCII
    digits only, years 2000 to 2100, 24-hour clock. Raises ValueError for everything else.
    """
    trimmed = text.strip(" \t\r\n")
    if not trimmed:
        return None
    found = _DATE.fullmatch(trimmed)
    if found is None:
        raise ValueError("not a date of the API")
    year, _, month, day, hour, minute, second, fraction, offset = found.groups()
    hours, minutes, seconds = int(hour), int(minute), int(second or "0")
    if not FIRST_YEAR <= int(year) <= LAST_YEAR or hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError("a date or time out of range")
    days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    east = default_offset_minutes if offset is None else _offset_minutes(offset)
    since_epoch = ((days * 24 + hours) * 60 + minutes - east) * 60 + seconds
    return since_epoch * 1000 + int((fraction or "0").ljust(3, "0")[:3])


def _offset_minutes(text: str) -> int:
    """Minutes east of UTC of `Z`, `+07`, `+0700` or `+07:00`. Raises ValueError beyond 14 hours."""
    if text == "Z":
        return 0
    digits = text[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or "0")
    total = hours * 60 + minutes
    if minutes > 59 or total > _WIDEST_OFFSET:
        raise ValueError("an offset out of range")
    return -total if text[0] == "-" else total
