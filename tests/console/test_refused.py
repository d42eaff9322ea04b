"""Refused requests in the console of a development start."""

import pytest

from bocau.console.web.refused import suggestion


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("4821 la ma cua ban", "{P1,8} la ma cua ban"),
        ("Ma: 12345678.", "Ma: {P1,8}."),
        ("4821 va 4821", "{P1,8} va 4821"),
        ("Cam on ban", "Cam on ban"),
    ],
)
def test_a_refused_text_becomes_the_template_it_would_follow(text: str, template: str) -> None:
    """So that one click registers it."""
    assert suggestion(text) == template
