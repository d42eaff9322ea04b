"""What is doubtful about a template's placeholders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.core.template import TemplateError, normalise, parse
from bocau.core.template_doubts import DoubtKind, doubts


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("{P1,8} la ma xac minh dang ky Baotrixemay cua ban", []),
        ("Xin chao {name:30}, cam on ban da mua hang", []),
        ("Ma OTP cua ban la {P2,8}", ["no_code"]),
        ("Ma OTP cua ban la 482100", ["fixed_code"]),
        ("Ma OTP {otp:6} cho don hang 482100", []),
        ("Ma OTP cua ban la [OTP]", ["no_code", "not_a_placeholder"]),
        ("Xin chao {ten, cam on ban da mua hang}", ["not_a_placeholder"]),
        ("Xin chao {}, cam on ban da mua hang", ["not_a_placeholder"]),
        ("Xin chao %s, cam on ban da mua hang", ["not_a_placeholder"]),
        ("Xin chao <TEN>, cam on ban da mua hang", ["not_a_placeholder"]),
        ("Ma giam gia XXXXXX cho ban", ["not_a_placeholder"]),
        ("Don {P2,20}{P1,8} da giao", ["touching"]),
        ("Don hang {P2,20} {P2,8} da giao", ["touching"]),
        ("Don hang {P1,20} {P2,8} da giao", []),
        ("Xin chao {name}, cam on ban", ["no_length"]),
        ("{P2,200}", ["little_text"]),
        ("Ma: {P1,8}", ["little_text"]),
        ("{P2,100} - {P2,100}", ["little_text"]),
    ],
)
def test_doubts_are_found_where_they_are(text: str, kinds: list[str]) -> None:
    """And nothing where there is nothing to doubt."""
    assert [doubt.kind.value for doubt in doubts(text)] == kinds


def test_a_doubt_quotes_what_stands_at_its_place() -> None:
    """So that a person finds it."""
    text = "Ma OTP cua ban la 482100, {P2,20}{P2,20} [TEN]"
    for doubt in doubts(text):
        assert text[doubt.position - 1 :].startswith(doubt.quoted)
    assert {doubt.kind for doubt in doubts(text)} == {
        DoubtKind.FIXED_CODE,
        DoubtKind.TOUCHING,
        DoubtKind.NOT_A_PLACEHOLDER,
    }


@given(st.text(st.sampled_from("{}P1,:25 aé[]<>%sXo\n")))
def test_any_template_can_be_doubted(text: str) -> None:
    """Positions lie in the text, in order."""
    try:
        parse(text)
    except TemplateError:
        return
    text = normalise(text)
    places = [doubt.position for doubt in doubts(text)]
    assert places == sorted(places)
    assert all(1 <= place <= len(text) for place in places)
