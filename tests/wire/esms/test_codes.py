"""The table of codes."""

import pytest

from bocau.wire.esms import codes
from bocau.wire.esms.codes_vi import IN_VIETNAMESE


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("101", "Authorize Failed"),
        ("104", "Brand name code is not exist"),
        ("107", "Each request has at least 30 numbers to be approved"),
        ("124", "Request exist 1"),
        ("146", "Sai template Brandname CSKH"),
        ("789", "TemplateId is not config"),
        ("852", "Zalo UID Invalid"),
        ("853", "Missing ZaloUid"),
    ],
)
def test_documented_texts_are_exact(code: str, text: str) -> None:
    """Clients print and compare them."""
    assert codes.text(code) == text


def test_texts_with_an_argument_are_filled() -> None:
    """108, 110 and 177; a long number is not thrown back whole, braces are not templates."""
    assert codes.phone_invalid("12") == "The phone number 12 is not valid."
    assert codes.phone_invalid("{}{0}") == "The phone number {}{0} is not valid."
    assert len(codes.phone_invalid("9" * 5_000)) < 100
    assert codes.field_invalid("SendDate") == "SendDate is invalid"
    assert codes.code_invalid("0901234567", "{x}") == "0901234567, Content: {x} Code Invalid"
    assert len(codes.code_invalid("9" * 5_000, "8" * 5_000)) < 200
    assert codes.network_not_registered("") == "The Network Unknown have not registry."
    assert codes.network_not_registered("Vietnammoile") == "The Network Vietnammoile have not registry."


def test_every_row_is_complete() -> None:
    """Docs and console are made from it."""
    for code, row in codes.CODES.items():
        assert row.code == code
        assert code.isascii()
        assert code.isdigit()
        assert row.name
        assert row.applies_to
        assert row.cause.endswith(".")
        assert row.fix.endswith(".")
        assert row.text or not row.emitted or code == codes.ACCEPTED


def test_every_constant_is_a_row_of_the_table() -> None:
    """No code has a name that the table does not explain."""
    named = {value for name in codes.__all__ if isinstance(value := getattr(codes, name), str)}
    assert named <= set(codes.CODES)
    assert len(named) >= 21


def test_every_code_is_explained_in_vietnamese_too() -> None:
    """The same rows; only those of Zalo share their words."""
    assert list(IN_VIETNAMESE) == list(codes.CODES)
    for code, told in IN_VIETNAMESE.items():
        assert told.cause.endswith(".")
        assert told.fix.endswith(".")
        assert (told.name == codes.CODES[code].name) == (codes.CODES[code].applies_to == "Zalo"), code
