"""Templates: reading, matching, cost, and the explanation of a mismatch."""

import re
from collections.abc import Callable
from typing import SupportsIndex

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bocau.core import template as module
from bocau.core.template import (
    DEFAULT_LENGTH,
    MOST_PLACEHOLDERS,
    Template,
    TemplateError,
    canonical,
    first_match,
    is_otp,
    nearest,
    normalise,
    parse,
)

TEST_BRAND = "{P1,8} la ma xac minh dang ky Baotrixemay cua ban"


def reference(template: str, text: str) -> bool:
    """The same rule through a backtracking expression: right on small input, ruinous on large (promises M13)."""
    pattern = ""
    for piece in re.split(r"(\{P[12],[0-9]+\})", normalise(template)):
        slot = re.fullmatch(r"\{P([12]),([0-9]+)\}", piece)
        if slot:
            pattern += (r"\S" if slot[1] == "1" else r"(?s:.)") + f"{{1,{slot[2]}}}"
        else:
            pattern += re.escape(piece)
    return re.fullmatch(pattern, normalise(text)) is not None


literals = st.text(st.sampled_from("ab \n"), max_size=4)
placeholders = st.builds("{{P{},{}}}".format, st.sampled_from([1, 2]), st.integers(1, 4))
templates = st.lists(literals | placeholders, min_size=1, max_size=9).map("".join).filter(lambda t: bool(normalise(t)))


@st.composite
def templates_with_texts(draw: st.DrawFn) -> tuple[str, str]:
    """A template with a text that follows it, or nearly."""
    template = draw(templates)

    def value(slot: re.Match[str]) -> str:
        return draw(st.text(st.sampled_from("ab" if slot[1] == "1" else "ab \n"), min_size=1, max_size=int(slot[2])))

    text = re.sub(r"\{P([12]),([0-9]+)\}", value, template)
    if draw(st.booleans()):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(["", "a", "b", " ", "ab"])) + text[at + draw(st.integers(0, 1)) :]
    return template, text


@settings(max_examples=500, deadline=None)
@given(templates_with_texts() | st.tuples(templates, st.text(st.sampled_from("ab \n"), max_size=16)))
@example(("{P2,2}ab{P2,3}ab", "xabababab"))
@example(("{P2,4}ab{P1,1}ab", "abababxab"))
@example(("{P1,2}a{P1,1}", "aaaa"))
@example(("{P1,3}{P2,3}{P1,1}", "a b"))
@example(("aba{P2,1}aba", "ababa"))
def test_matching_agrees_with_a_backtracking_matcher(case: tuple[str, str]) -> None:
    """Whatever can be read in any way matches, and nothing else; a mismatch always has a place."""
    template, text = case
    parsed = parse(template)
    expected = reference(template, text)
    assert parsed.match(text) == expected
    assert parsed.match_normalised(normalise(text)) == expected
    assert first_match([parsed], text) is (parsed if expected else None)
    difference = parsed.difference(text)
    assert (difference is None) == expected
    if difference:
        assert 1 <= difference.position <= len(normalise(text)) + 1


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("{}P1,:25 aé\n")), st.text(st.sampled_from("{}P1,:25 aé\n")))
def test_any_text_is_a_template_or_is_refused_with_one_exception(template: str, text: str) -> None:
    """Braces in any order; the canonical form of a template is a template of the same meaning."""
    try:
        parsed = parse(template)
    except TemplateError:
        return
    again = parse(canonical(template))
    assert again.slots == parsed.slots
    assert again.prefix == parsed.prefix
    assert canonical(canonical(template)) == canonical(template)
    assert again.match(text) == parsed.match(text)
    is_otp(template)


@given(st.text() | st.text(st.sampled_from("a \r\n\t\u0301é")))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    """Both sides of a match are brought to one form."""
    once = normalise(text)
    assert normalise(once) == once
    assert "  " not in once
    assert "\r" not in once
    assert once == once.rstrip()


def test_the_test_brands_template_matches_its_message() -> None:
    """Row AH of esms-api 7."""
    template = Template.parse(TEST_BRAND)
    assert template.match("4821 la ma xac minh dang ky Baotrixemay cua ban")
    assert template.match("A1B2C3D4 la ma  xac minh dang ky Baotrixemay cua ban \r\n")
    assert not template.match("A1B2C3D4E la ma xac minh dang ky Baotrixemay cua ban")
    assert not template.match("48 21 la ma xac minh dang ky Baotrixemay cua ban")
    assert not template.match(" la ma xac minh dang ky Baotrixemay cua ban")
    assert not template.match("4821 la ma xac minh dang ky BAOTRIXEMAY cua ban")
    assert not template.match("4821 la ma xac minh dang ky Baotrixemay cua ban nhe")


@pytest.mark.parametrize(
    ("template", "text", "matches"),
    [
        ("Ma: {P1,4}", "Ma: 4821", True),
        ("Ma: {P1,4}", "Ma: 48213", False),
        ("Ma: {P1,4}", "Ma:", False),
        ("{P2,5}", "a b c", True),
        ("{P2,5}", "a\nb", True),
        ("{P1,5}", "a\tb", False),
        ("{P1,5}", "a\u00a0b", False),
        ("khong co gi", "khong co gi", True),
        ("khong co gi", "khong co gi ca", False),
        ("a\r\nb", "a\nb", True),
        ("Mã {P1,4}", "Ma\u0303 4821", True),
        ("{P2,20} da mua {P2,20} luc {P2,20}", "An da mua da mua luc luc luc 9h", True),
        ("{P1,8} la ma, {P1,8} la ma", "la la ma, la la ma", True),
        ("gia {P2,10}%", "gia 10%", True),
        ("a.c", "abc", False),
        ("{P2,3}(", "xx(", True),
    ],
)
def test_messages_match_as_esms_api_7_1_says(template: str, text: str, matches: bool) -> None:
    """Lengths, white space, line ends, composed letters, and signs that mean something in expressions."""
    assert parse(template).match(text) is matches


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("{P1,8} la ma", "{P1,8} la ma"),
        ("{code:8} la ma", "{P1,8} la ma"),
        ("{OTP:6} la ma", "{P1,6} la ma"),
        ("{mã:6} là mã", "{P1,6} là mã"),
        ("{id} don", f"{{P1,{DEFAULT_LENGTH}}} don"),
        ("Chao {name:30}", "Chao {P2,30}"),
        ("Chao {ten khach}", "Chao {P2,20}"),
        ("Chao { ten , 5 }", "Chao {P2,5}"),
        ("{P3,50}", "{P2,50}"),
        ("a  b \r\n{p1:3}", "a  b \r\n{P1,3}"),
        ("{} {1} {a,b} {P1,x} {P1,-1} {{a}}", "{} {1} {a,b} {P1,x} {P1,-1} {{P2,20}}"),
        ("{P1,\u0663}", "{P1,\u0663}"),
    ],
)
def test_every_spelling_of_a_placeholder_has_one_canonical_form(text: str, form: str) -> None:
    """What GetTemplate lists (row AG); braces that hold no placeholder are text."""
    assert canonical(text) == form


@pytest.mark.parametrize("text", ["", "  \n", "{P1,0}", "a {name:000}", "{P1,1}" * (MOST_PLACEHOLDERS + 1)])
def test_a_template_without_sense_is_refused(text: str) -> None:
    """At registration, not at the first message."""
    with pytest.raises(TemplateError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "otp"),
    [
        (TEST_BRAND, True),
        ("Mã OTP của bạn là {P1,6}", True),
        ("{code:6} là mã xác thực", True),
        ("Ma kich hoat: {P1,6}", True),
        ("{otp:6} is your Verification code", True),
        ("MA  BAO MAT {P1,6}", True),
        ("Mã đăng nhập {ma:6}", True),
        ("Mã OTP của bạn là {P2,6}", False),
        ("Don hang {P1,20} da giao", False),
        ("Khong co cho trong, ma xac thuc", False),
        ("Cam on quy khach", False),
        ("ma{P1,5}xac", False),
        ("{otp:6} cam on", False),
    ],
)
def test_templates_of_one_time_codes_are_told_from_others(text: str, otp: bool) -> None:
    """A code that can be typed, and words that speak of it; the placeholder's name is no such word."""
    assert is_otp(text) is otp


def test_the_first_of_several_matching_templates_is_found() -> None:
    """Order decides, and a thousand others do not disturb."""
    others = [parse(f"Shop {number} cam on {{P2,30}}") for number in range(1000)]
    narrow, wide = parse(TEST_BRAND), parse("{P2,200}")
    text = "4821 la ma xac minh dang ky Baotrixemay cua ban"
    assert first_match([*others, narrow, wide], text) is narrow
    assert first_match([*others, wide, narrow], text + " ") is wide
    assert first_match(others, text) is None
    assert first_match([], text) is None


@pytest.mark.parametrize(
    ("template", "text", "difference"),
    [
        (TEST_BRAND, "482135 la ma xac minh dang ky BaoTriXeMay cua ban", (34, "Baotrixemay", "BaoTriXeMay")),
        (TEST_BRAND, "4821 la ma xac minh dang ky Baotrixemay cua", (44, "cua ban", "cua")),
        (TEST_BRAND, "4821 la ma xac minh dang ky Baotrixemay cua ban nhe", (48, "", " nhe")),
        (TEST_BRAND, "482135999 la ma xac minh dang ky Baotrixemay cua ban", (9, "{P1,8}", "482135999")),
        (TEST_BRAND, "4821 la ma xac nhan dang ky Baotrixemay cua ban", (16, "minh", "nhan")),
        (TEST_BRAND, "", (1, "{P1,8}", "")),
        ("Xin chao {P2,5}", "Xin chao ban gai", (15, "{P2,5}", "ban gai")),
        ("Xin chao {P1,9}", "Xin chao ban gai", (13, "{P1,9}", "ban gai")),
        ("Xin chao {P1,9}", "Xin Chao ban", (5, "chao", "Chao")),
        ("Xin chao", "Xin chao ban", (9, "", " ban")),
        ("Xin chao", "Xin", (4, "Xin chao", "Xin")),
        ("a {P1,3} b {P1,3} c", "a 1 b 2 d", (9, "c", "d")),
    ],
)
def test_a_mismatch_is_explained_at_the_first_character_that_differs(
    template: str, text: str, difference: tuple[int, str, str]
) -> None:
    """Position from 1, the template's word, the text's word (experience (a) 4)."""
    assert parse(template).difference(text) == difference


def test_a_long_value_is_quoted_in_part() -> None:
    """A message in a log stays a line."""
    difference = parse("Ma {P1,4}").difference("Ma " + "9" * 500)
    assert difference is not None
    assert difference.got == "9" * 40 + "..."


def test_the_nearest_template_is_the_one_followed_furthest() -> None:
    """Of those registered, the one the developer meant."""
    meant = parse(TEST_BRAND)
    others = [parse("Cam on {P2,20} da mua hang"), parse("{P1,8} la ma giam gia")]
    text = "4821 la ma xac minh dang ky BaoTriXeMay cua ban"
    found = nearest([others[0], meant, others[1]], text)
    assert found == (meant, meant.difference(text))
    assert nearest([*others, parse("{P2,200}")], text) is None
    assert nearest([], text) is None


def test_a_thousand_templates_are_not_all_explained() -> None:
    """The nearest is found among those whose ends agree most, at no more than the cost of one large template."""
    others = [parse(f"Shop {number} xin chao {{P2,30}}, don {{P1,20}} da giao luc {{P2,20}}") for number in range(2000)]
    meant = parse("Kho BOCAU xin chao {P2,30}, don {P1,20} da giao luc {P2,20} hom nay")
    text = "Kho BOCAU xin chao An, don 12 da goi luc 9h hom nay"
    assert nearest([*others, meant], text) == (meant, meant.difference(text))
    hostile = [parse("a{P2,999}" * 100 + f"b{number}") for number in range(100)]
    assert nearest(hostile, "a" * 600) is not None
    assert len(module._promising(hostile, "a" * 600)) <= 2


class Counted(str):
    """Text that counts how often it is searched."""

    __slots__ = ("__dict__",)
    steps = 0

    def find(self, part: str, start: SupportsIndex | None = 0, end: SupportsIndex | None = None) -> int:
        self.steps += 1
        return super().find(part, start, end)

    def startswith(
        self, part: str | tuple[str, ...], start: SupportsIndex | None = 0, end: SupportsIndex | None = None
    ) -> bool:
        self.steps += 1
        return super().startswith(part, start, end)


class CountedSpace:
    """The pattern of white space, counting the characters it looks at."""

    def __init__(self) -> None:
        self.scanned = 0

    def search(self, text: str, start: int, end: int = 1 << 30) -> re.Match[str] | None:
        found = re.compile(r"\s").search(text, start, end)
        self.scanned += (found.end() if found else min(end, len(text))) - start
        return found


HOSTILE: list[tuple[str, Callable[[int], str]]] = [
    ("ab{P2,9999}" * 49 + "ab{P2,1}c", lambda size: "ab" * (size // 2 - 1) + "xxc"),
    ("ab{P2,60}" * 49 + "ab{P2,1}c", lambda size: "ab" * (size // 2 - 1) + "xxc"),
    ("a{P2,9999}" * 49 + "ab{P2,1}c", lambda size: "a" * (size - 2) + "cc"),
    ("a{P1,9999}" * 49 + "ab{P1,1}c", lambda size: "a" * (size - 2) + "cc"),
    ("ab{P1,9999}" * 49 + "ab{P1,1}c", lambda size: "ab" * (size // 2 - 1) + "xxc"),
    (" {P1,99}" * 49 + " b{P1,1}c", lambda size: " a" * (size // 2 - 1) + "cc"),
    ("{P1,9999}" * 49 + "x{P1,1}c", lambda size: "a b" * (size // 3) + "cc"),
    ("{P2,9999}a{P1,9999}" * 25 + "xc", lambda size: "a a" * (size // 3) + "c"),
    ("a" * 90 + ("{P2,9}" + "a" * 90) * 50 + "b{P2,1}c", lambda size: "a" * (size - 2) + "cc"),
]


@pytest.mark.parametrize(("template", "make"), HOSTILE)
def test_the_work_is_bounded_by_text_times_placeholders(
    template: str, make: Callable[[int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """5,000 characters against some 50 placeholders that can be read in countless ways and fail at the end."""
    space = CountedSpace()
    monkeypatch.setattr(module, "_SPACE", space)
    parsed = parse(template)
    text = Counted(make(5000))
    assert not parsed.match_normalised(text)
    bound = len(text) * len(parsed.slots)
    assert text.steps <= 2 * bound
    assert space.scanned <= 2 * bound
    assert parsed.difference(text) is not None


@pytest.mark.parametrize(("template", "make"), HOSTILE)
def test_hostile_templates_agree_with_the_reference_on_short_texts(template: str, make: Callable[[int], str]) -> None:
    """The same shapes with few placeholders, where backtracking still ends."""
    short = template[-26:] if "{" in template[-26:] else template
    short = short[short.index("{") :]
    for size in range(4, 24):
        text = make(size)
        assert parse(short).match(text) == reference(short, text)
