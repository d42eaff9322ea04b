"""Amounts: exact integers, three spellings."""

import contextlib
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.core.money import MoneyError, format_e4, parse, vnd_number


@pytest.mark.parametrize(
    ("text", "amount"),
    [("850", 8_500_000), ("850.5", 8_505_000), ("0", 0), ("0.0001", 1), ("007", 70_000), ("850.0000", 8_500_000)],
)
def test_an_amount_of_vnd_is_read_as_ten_thousandths(text: str, amount: int) -> None:
    """No float is ever involved."""
    assert parse(text) == amount


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1.",
        ".5",
        "-1",
        "+1",
        "1e3",
        "1,5",
        "1.00001",
        " 1",
        "1\n",
        "\u0663",
        "\uff11",
        "1_000",
        "1" * 13,
        "NaN",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    """ASCII digits and one point; no sign, exponent, space or foreign digit (promises M16)."""
    with pytest.raises(MoneyError):
        parse(text)


@given(st.text())
def test_garbage_is_refused_with_one_exception(text: str) -> None:
    """MoneyError or a number that is not negative."""
    with contextlib.suppress(MoneyError):
        assert parse(text) >= 0


@given(st.integers(0, 10**16 - 1))
def test_what_is_formatted_parses_to_itself(amount: int) -> None:
    """Both spellings are exact."""
    assert parse(format_e4(amount)) == amount
    assert parse(vnd_number(amount)) == amount


@given(st.integers(-(10**16), 10**16))
def test_both_spellings_are_the_exact_decimal(amount: int) -> None:
    """Negative balances too; the number is a JSON token, without a fraction if whole."""
    value = Decimal(amount).scaleb(-4)
    assert Decimal(format_e4(amount)) == value
    assert format_e4(amount)[-5] == "."
    token = json.loads(vnd_number(amount), parse_float=Decimal)
    assert token == value
    assert isinstance(token, int) == (amount % 10_000 == 0)


@pytest.mark.parametrize(
    ("amount", "e4", "number"),
    [
        (8_500_000, "850.0000", "850"),
        (8_505_000, "850.5000", "850.5"),
        (0, "0.0000", "0"),
        (-1, "-0.0001", "-0.0001"),
        (-15_000, "-1.5000", "-1.5"),
        (100_000, "10.0000", "10"),
    ],
)
def test_amounts_are_spelled_as_the_wire_shows_them(amount: int, e4: str, number: str) -> None:
    """TotalPrice with four decimals, Balance as a plain number."""
    assert format_e4(amount) == e4
    assert vnd_number(amount) == number
