"""Blocked words are found whatever their case, marks and separators, and nothing else is."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.core.words import Words, plain_word

LIST = Words(map(plain_word, ["vay tiền", "SÒNG BẠC", "bit.ly", "88vn"]))


@pytest.mark.parametrize(
    "text",
    [
        "vay tien",
        "VAY TIỀN ngay",
        "co ai vay-tiền khong",
        "vay\ntiền",
        "vay   .  tien!",
        "Sòng bạc",
        "so\u0300ng ba\u0323c",
        "song\u00a0bac",
        "s\u200bong b\u00adac",
        "ｓｏｎｇ ｂａｃ",
        "http://BIT.LY/x",
        "vao 88VN",
    ],
)
def test_a_blocked_word_is_found_in_every_dress(text: str) -> None:
    """Case, marks (composed or not), separators, full width, and signs that nobody sees."""
    assert LIST.find(text) is not None


@pytest.mark.parametrize(
    "text", ["", "vay", "tien vay", "vay tiens", "avay tien", "vay mot tien", "bitly", "088vn", "songbac", "?", "đồng"]
)
def test_a_part_of_another_word_is_not_found(text: str) -> None:
    """Whole runs of letters and digits count, so that a short word blocks nothing but itself."""
    assert LIST.find(text) is None


def test_the_word_that_was_found_is_named_as_the_list_has_it() -> None:
    """The first in the text."""
    assert LIST.find("Song Bac va vay tien") == "song bac"
    assert Words().find("anything") is None
    assert not Words()


@pytest.mark.parametrize("word", ["", "!?", "a b c d e f g h i"])
def test_what_has_no_run_or_too_many_is_no_word(word: str) -> None:
    """It could never be found, or would make every text slow."""
    with pytest.raises(ValueError, match="1 to 8 runs"):
        plain_word(word)


@given(st.text(max_size=60), st.text("aáàđsố ", max_size=20))
def test_a_word_of_the_list_is_found_between_any_texts(before: str, after: str) -> None:
    """And nothing that a text holds makes the search fail."""
    assert LIST.find(f"{before} vay tiền {after}") is not None
    LIST.find(before + after)


def test_the_plain_form_of_a_word_is_its_own_plain_form() -> None:
    """So that a list can be written out and read again."""
    assert plain_word(plain_word("Vay TIỀN")) == plain_word("vay-tien") == "vay tien"


def test_a_long_list_costs_a_text_no_more_than_a_short_one() -> None:
    """Ten thousand words are looked up like one (promises, values): compared by work, with room for a slow machine."""
    text = " ".join(f"tu{number}" for number in range(100))
    short, long = Words(["x y"]), Words(f"a{number} b{number}" for number in range(10_000))

    def cost(words: Words) -> float:
        best = 1e9
        for _ in range(20):
            began = time.process_time()
            words.find(text)
            best = min(best, time.process_time() - began)
        return best

    assert cost(long) < 20 * cost(short)
