"""Moments and spans as people write them at a development start: 14:30, 2026-09-01T14:30, +24h, 90m."""

import re
from datetime import datetime, time, timedelta, timezone
from typing import Final

__all__ = ["VIETNAM", "read_moment", "read_span"]

VIETNAM: Final = timezone(timedelta(hours=7))
"""What a moment without a zone is in, as everywhere in the API."""

_SPAN: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(d|h|m|s|)")
_UNITS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1, "": 1}


def read_span(text: str) -> float:
    """A span in seconds: 30s, 90m, 24h, 2d, or seconds alone. Raises ValueError with a sentence."""
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f'"{text}" is no span of time; write 30s, 90m, 24h or 2d')
    return float(found[1]) * _UNITS[found[2]]


def read_moment(text: str, now_ms: int) -> int:
    """A moment in milliseconds since 1970: the next time that a clock shows it, a date and time, or so long from now.

    Raises ValueError with a sentence.
    """
    if text.startswith("+"):
        return now_ms + round(read_span(text[1:]) * 1000)
    now = datetime.fromtimestamp(now_ms / 1000, VIETNAM)
    try:
        if ":" in text[:3]:
            moment = datetime.combine(now.date(), time.fromisoformat(text), VIETNAM)
            moment += timedelta(days=int(moment <= now))
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=VIETNAM)
    except ValueError:
        raise ValueError(f'"{text}" is no moment; write 14:30, 2026-09-01T14:30 or +24h') from None
    return round(moment.timestamp() * 1000)
