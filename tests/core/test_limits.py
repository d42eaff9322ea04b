"""Limits of an account: those of the settings, with its own laid over."""

import pytest

from bocau.core.ledger import day_of
from bocau.core.limits import LIMITS, UNLIMITED, LimitRow, Limits, with_own

SETTINGS = Limits(100, 5, 10, 200, 10**12, 5 * 10**11)


def test_an_account_without_limits_of_its_own_has_those_of_the_settings() -> None:
    """The usual case."""
    assert with_own(SETTINGS, ()) == SETTINGS


@pytest.mark.parametrize("name", LIMITS)
def test_each_limit_can_be_an_accounts_own_and_money_is_given_in_dong(name: str) -> None:
    """Nothing else changes; 0 takes the limit away."""
    kind = LIMITS[name]
    changed = with_own(SETTINGS, [LimitRow(1, name, 7)])
    assert changed == SETTINGS._replace(**{kind.field: 7 * (10_000 if name.endswith("vnd") else 1)})
    assert getattr(with_own(SETTINGS, [LimitRow(1, name, 0)]), kind.field) == 0


def test_every_limit_has_a_name_that_people_use() -> None:
    """Otherwise nobody could set it."""
    assert {kind.field for kind in LIMITS.values()} == set(Limits._fields)


def test_a_limit_that_a_later_version_knows_counts_for_nothing() -> None:
    """A store may have been used by it."""
    assert with_own(UNLIMITED, [LimitRow(1, "messages-a-year", 5)]) == UNLIMITED


def test_a_day_begins_at_midnight_in_vietnam() -> None:
    """17:00 UTC."""
    midnight = 1_800_032_400_000
    assert midnight % 86_400_000 == 17 * 3_600_000
    assert day_of(midnight) == day_of(midnight - 1) + 1 == day_of(midnight + 86_399_999)
