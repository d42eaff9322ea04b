"""What a template costs, and which signs make it so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.gsm.advice import Advice, Piece, Sign, advise, plainer
from bocau.wire.gsm.alphabet import is_gsm


def look(text: str, longest: int = 0) -> Advice:
    """A text with one placeholder at its end."""
    return advise((Piece(1, text, longest),))


def test_a_plain_template_costs_what_its_values_make_of_it() -> None:
    """The shortest has one sign in each placeholder, the longest all of them."""
    found = advise((Piece(1, "", 8), Piece(7, " la ma cua ", 200), Piece(25, "", 0)))
    assert (found.shortest.units, found.shortest.parts) == (13, 1)
    assert (found.longest.units, found.longest.parts) == (219, 2)
    assert (found.longest_marked.alphabet, found.longest_marked.parts) == ("ucs2", 4)
    assert found.plain == found.longest
    assert (found.foreign, found.double, found.doubtful) == ((), (), ())


def test_the_one_sign_that_doubles_the_price_is_named_with_what_to_write_instead() -> None:
    """A curly quote in 100 characters."""
    found = look("a" * 99 + "’")
    assert found.foreign == (Sign(100, "’", "'"),)
    assert (found.longest.alphabet, found.longest.parts) == ("ucs2", 2)
    assert (found.plain.alphabet, found.plain.parts) == ("gsm", 1)


def test_positions_count_over_placeholders_and_each_sign_is_told_once() -> None:
    """Where it first stands in the template as it is written."""
    found = advise((Piece(1, "ạ {", 6), Piece(10, " ạ–€@", 0)))
    assert found.foreign == (Sign(1, "ạ", "a"), Sign(12, "–", "-"))
    assert found.double == (Sign(3, "{", None), Sign(13, "€", None))
    assert found.doubtful == (Sign(3, "{", None), Sign(14, "@", None))


@pytest.mark.parametrize(
    ("sign", "suggestion"),
    [
        ("ế", "e"),
        ("Đ", "D"),
        ("“", '"'),
        ("…", "..."),
        ("\u200b", ""),
        ("\u00a0", " "),
        ("₫", "d"),
        ("😀", None),
        ("中", None),
    ],
)
def test_a_sign_has_a_plainer_one_or_none(sign: str, suggestion: str | None) -> None:
    """Look-alikes, letters without marks, what cannot be seen."""
    assert plainer(sign) == suggestion


@given(st.characters(codec="utf-8"))
def test_what_is_suggested_is_in_the_alphabet(sign: str) -> None:
    """Else following it would change nothing."""
    found = plainer(sign)
    assert found is None or is_gsm(found)


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8"), max_size=30), st.integers(1, 10**9)), max_size=5))
def test_any_template_can_be_looked_over(given_pieces: list[tuple[str, int]]) -> None:
    """Placeholders of any length included: they are not filled without end."""
    pieces, at = [], 1
    for literal, longest in given_pieces:
        pieces.append(Piece(at, literal, longest))
        at += len(literal) + 6
    found = advise(tuple(pieces))
    assert found.shortest.units <= found.longest.units
    assert found.plain.parts <= found.longest.parts or found.plain.alphabet == found.longest.alphabet
    assert bool(found.foreign) == (not is_gsm("".join(literal for literal, _ in given_pieces)))
