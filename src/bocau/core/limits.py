"""How much an account may do: rates, and what it may spend in a day. Pure numbers; who counts stands in the rooms."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from bocau.core.money import UNIT

__all__ = ["LIMITS", "UNLIMITED", "LimitKind", "LimitRow", "Limits", "with_own"]


class Limits(NamedTuple):
    """The limits of one account. 0: none."""

    requests_per_second: int
    """Of each key; as many may come at once."""
    number_10_minutes: int
    """Messages to one number in any 10 minutes."""
    number_day: int
    """Messages to one number in any 24 hours."""
    range_10_minutes: int
    """Messages to the thousand numbers that differ in their last three digits, in about 10 minutes."""
    account_day: int
    """Prices of what the account is accepted for in a day of Vietnam, 1/10,000 VND."""
    key_day: int
    """The same of each key."""
    call_10_minutes: int = 0
    """Calls that are asked for to one number in any 10 minutes."""
    call_day: int = 0
    """The same in any 24 hours."""
    calls_minute: int = 0
    """Calls that are asked for with one key in a minute; as many may come at once."""
    calls_at_once: int = 0
    """Calls of the account at one moment."""


UNLIMITED: Final = Limits(0, 0, 0, 0, 0, 0)


class LimitRow(NamedTuple):
    """A limit that an account has of its own, as stored."""

    account_id: int
    name: str
    value: int
    """In the unit of its name."""


class LimitKind(NamedTuple):
    """A limit as people set it."""

    field: str
    unit: int
    """What one of it is in the field."""
    most: int
    about: str


LIMITS: Final[Mapping[str, LimitKind]] = MappingProxyType(
    {
        "requests-per-second": LimitKind("requests_per_second", 1, 1_000_000, "requests a second with one key"),
        "number-10-minutes": LimitKind("number_10_minutes", 1, 50, "messages to one number in 10 minutes"),
        "number-day": LimitKind("number_day", 1, 100, "messages to one number in 24 hours"),
        "range-10-minutes": LimitKind(
            "range_10_minutes", 1, 1_000_000, "messages to a thousand neighbouring numbers in 10 minutes"
        ),
        "call-number-10-minutes": LimitKind("call_10_minutes", 1, 50, "calls to one number in 10 minutes"),
        "call-number-day": LimitKind("call_day", 1, 100, "calls to one number in 24 hours"),
        "calls-per-minute": LimitKind("calls_minute", 1, 1_000_000, "calls asked for with one key in a minute"),
        "calls-at-once": LimitKind("calls_at_once", 1, 100_000, "calls of the account at one moment; the others wait"),
        "account-day-vnd": LimitKind("account_day", UNIT, 10**12, "VND that the account may spend in a day"),
        "key-day-vnd": LimitKind("key_day", UNIT, 10**12, "VND that one key may spend in a day"),
    }
)
"""By the name that the command line and the store use."""


def with_own(limits: Limits, rows: Iterable[LimitRow]) -> Limits:
    """The limits of an account: those of the settings, with its own rows laid over. Unknown names count for nothing."""
    known = [(LIMITS[row.name], row.value) for row in rows if row.name in LIMITS]
    return limits._replace(**{kind.field: value * kind.unit for kind, value in known})
