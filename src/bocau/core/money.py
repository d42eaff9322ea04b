"""Amounts of money: integers of 1/10,000 VND, and their three spellings."""

import re
from typing import Final

__all__ = ["UNIT", "MoneyError", "format_e4", "parse", "vnd_number"]

UNIT: Final = 10_000
"""One VND in stored units."""

_AMOUNT: Final = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,4}))?")


class MoneyError(ValueError):
    """Text that is no amount."""


def parse(text: str) -> int:
    """An amount of VND such as `850` or `850.5`, in units of 1/10,000 VND.

    ASCII digits only, at most 12 before and 4 after the point, no sign and no exponent. Raises MoneyError.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise MoneyError("an amount is digits, then at most a point and four digits")
    whole, fraction = found.groups()
    return int(whole) * UNIT + int((fraction or "").ljust(4, "0"))


def format_e4(amount: int) -> str:
    """The amount in VND with exactly four decimals: `850.0000` (esms-api 3.2, TotalPrice)."""
    whole, fraction = divmod(abs(amount), UNIT)
    return f"{'-' if amount < 0 else ''}{whole}.{fraction:04d}"


def vnd_number(amount: int) -> str:
    """The amount in VND as the token of a JSON number: `850` if whole, else `850.5` (esms-api 3.7)."""
    text = format_e4(amount)
    return text.rstrip("0").rstrip(".") if amount % UNIT else text[:-5]
