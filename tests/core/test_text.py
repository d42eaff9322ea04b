"""Rules for message text."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.core.text import find_code, has_forbidden_controls, nfc, transliterate

VOWELS = {
    "a": "àáảãạăằắẳẵặâầấẩẫậ",
    "e": "èéẻẽẹêềếểễệ",
    "i": "ìíỉĩị",
    "o": "òóỏõọôồốổỗộơờớởỡợ",
    "u": "ùúủũụưừứửữự",
    "y": "ỳýỷỹỵ",
}
VIETNAMESE = "".join(VOWELS.values()) + "đ"
ALPHABET = VIETNAMESE + VIETNAMESE.upper()
vietnamese_text = st.text(st.sampled_from(ALPHABET + "abc xyz 019.,\n"))


def independent(text: str) -> str:
    """Marks stripped by decomposition, the slow way."""
    bare = (c for c in unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D")))
    return "".join(c for c in bare if not unicodedata.combining(c))


def test_every_vietnamese_letter_becomes_its_plain_letter() -> None:
    """134 letters, by a table written by hand."""
    assert len(ALPHABET) == 134
    for plain, letters in VOWELS.items():
        assert transliterate(letters) == plain * len(letters)
        assert transliterate(letters.upper()) == plain.upper() * len(letters)
    assert transliterate("đĐ") == "dD"


@given(vietnamese_text, st.sampled_from(["NFC", "NFD"]))
def test_vietnamese_loses_its_marks_composed_or_not(text: str, form: str) -> None:
    """The table agrees with decomposition, and case and length stay."""
    form_of_text = unicodedata.normalize("NFC", text) if form == "NFC" else unicodedata.normalize("NFD", text)
    assert transliterate(form_of_text) == independent(text)
    assert len(transliterate(form_of_text)) == len(text)


@given(st.text())
def test_any_text_becomes_ascii_and_then_stays(text: str) -> None:
    """Each character at most one, twice the same as once."""
    plain = transliterate(text)
    assert plain.isascii()
    assert len(plain) <= len(text)
    assert transliterate(plain) == plain


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_is_returned_as_it_is(text: str) -> None:
    """The same object: nothing is copied."""
    assert transliterate(text) is text
    assert nfc(text) is text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Mã của bạn là 4821", "Ma cua ban la 4821"),
        ("£5 €6 @ “x” … ₫ ß ø 中 😀", "?5 ?6 @ ?x? ? ? ? ? ? ?"),
        ("ñ Å ç", "n A c"),
        ("a\u00a0b\u200bc", "a?b?c"),
        ("\ud800", "?"),
    ],
)
def test_other_signs_become_question_marks(text: str, plain: str) -> None:
    """Row C of esms-api 7: ASCII, so GSM signs such as £ go too."""
    assert transliterate(text) == plain


@pytest.mark.parametrize("pair", ["\u0323\u0302", "\u0302\u0323", "\u0302"])
def test_a_letter_under_a_heap_of_marks_costs_no_more_than_its_length(pair: str) -> None:
    """Sorting them takes time by the square of their number: one request of a megabyte held all up for minutes."""
    text = "e" + pair * 300_000
    began = time.process_time()
    assert nfc(text) == text
    assert time.process_time() - began < 0.5
    long = "mã của bạn là e\u0302\u0323 " * 100
    assert nfc(long) == unicodedata.normalize("NFC", long) != long


@given(st.text())
def test_nfc_is_the_normal_form_and_stays(text: str) -> None:
    """The early exit changes nothing."""
    assert nfc(text) == unicodedata.normalize("NFC", text)
    assert nfc(nfc(text)) == nfc(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("4821", "4821"),
        ("4821 la ma dang nhap BOCAU cua ban", "4821"),
        ("Ma cua ban: 48213590.", "48213590"),
        ("123 la so, 482135 la ma", "482135"),
        ("123456789 qua dai, 4821", "4821"),
        ("Ma BOCAU la A1B2C3", "A1B2C3"),
        ("ma a1b2c3 chu thuong", None),
        ("BOCAU khong co so", None),
        ("G-482135 la ma", "482135"),
        ("x4821", None),
        ("4821đ", None),
        ("mã4821 la, 9999 thi duoc", "9999"),
        ("_4821_", "4821"),
        ("٤٨٢١ va 1234", "1234"),
        ("1234٤ 5678", "5678"),
        ("4821\n", "4821"),
        ("", None),
    ],
)
def test_the_code_is_the_first_whole_run_that_looks_like_one(text: str, code: str | None) -> None:
    """Esms-api 2.6; foreign digits neither count nor bound (promises M16)."""
    assert find_code(text) == code


@given(st.text(st.sampled_from("aAZ09đ -_"), max_size=40))
def test_the_code_agrees_with_reading_run_by_run(text: str) -> None:
    """The pattern against a plain loop."""
    runs = "".join(c if c.isalnum() else " " for c in text).split()
    allowed = set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    fitting = [r for r in runs if 4 <= len(r) <= 8 and set(r) <= allowed and set(r) & set("0123456789")]
    assert find_code(text) == (fitting[0] if fitting else None)


@pytest.mark.parametrize("text", ["\0", "a\0b", "đ\0", "\ud800", "a\udfff", "\ude00\ud83d"])
def test_nul_and_lone_surrogates_are_forbidden(text: str) -> None:
    """No door lets them in (promises 3)."""
    assert has_forbidden_controls(text)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_all_other_text_is_allowed(text: str) -> None:
    """Line ends, controls and emoji included."""
    assert not has_forbidden_controls(text)
