"""Times in PDUs (SMPP 3.4, 7.1.1): YYMMDDhhmmsstnnp, absolute or relative."""

from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["absolute_time", "parse_receipt_date", "relative_time"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FORMS: Final = {10: "%y%m%d%H%M", 12: "%y%m%d%H%M%S", 14: "%Y%m%d%H%M%S"}
_GREATEST_SECONDS: Final = 99 * 86_400


def relative_time(seconds: int) -> str:
    """So long from now, as the carrier counts; 99 days at most (months and years are of no fixed length)."""
    days, rest = divmod(max(0, min(seconds, _GREATEST_SECONDS)), 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    return f"0000{days:02}{hours:02}{minutes:02}{rest:02}000R"


def absolute_time(at_ms: int) -> str:
    """A moment, in UTC. `at_ms`: milliseconds since 1970 UTC."""
    moment = _EPOCH + timedelta(milliseconds=at_ms)
    return f"{moment:%y%m%d%H%M%S}{moment.microsecond // 100_000}00+"


def parse_receipt_date(text: str, offset_minutes: int) -> int | None:
    """A date of a receipt in milliseconds since 1970 UTC: YYMMDDhhmm, with seconds, or with a year of four digits.

    Receipts do not say their time zone: `offset_minutes` is how far the carrier's clock is ahead of UTC. None for what
    is no date of these forms.
    """
    form = _FORMS.get(len(text))
    if form is None or not (text.isascii() and text.isdigit()):
        return None
    try:
        moment = datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return None
    return (moment - _EPOCH) // timedelta(milliseconds=1) - offset_minutes * 60_000
