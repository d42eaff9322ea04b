"""Texts of calls and the values in their places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.core.call_template import LONGEST, fill, problem


@pytest.mark.parametrize(
    ("text", "values", "said"),
    [
        ("Ma cua ban la {code}.", ("4821",), "Ma cua ban la 4821."),
        ("{a} {b} {a}", ("1", "2", "3"), "1 2 3"),
        ("{}", ("{x}",), "{x}"),
        ("no place", (), "no place"),
        ("{a}", (), None),
        ("{a}", ("1", "2"), None),
        ("no place", ("1",), None),
    ],
)
def test_places_are_filled_left_to_right(text: str, values: tuple[str, ...], said: str | None) -> None:
    """Whatever they are called; one value for each, and a value is never read as a place."""
    assert fill(text, values) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Ma cua ban la {code}.", ""),
        (" ", "needs text"),
        ("x" * (LONGEST + 1), "at most"),
        ("x" * LONGEST, ""),
        ("{a", "no partner"),
        ("a}", "no partner"),
        ("{" + "a" * 41 + "}", "no partner"),
        ("{{a}}", "no partner"),
    ],
)
def test_a_text_that_cannot_be_said_is_told(text: str, said: str) -> None:
    """At registration, so that no call meets it."""
    assert bool(problem(text)) == bool(said)
    assert said in problem(text)


@given(st.text(max_size=200), st.lists(st.text(max_size=20), max_size=6))
def test_any_text_is_filled_or_not(text: str, values: list[str]) -> None:
    """Without an exception, and all values are in it."""
    said = fill(text, values)
    assert said is None or all(value in said for value in values)
