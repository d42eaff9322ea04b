"""What a mistyped word probably meant."""

import pytest

from bocau.core.nearest import did_you_mean

KNOWN = ("digits/0.wav", "letters/A.wav", "phrases/lead.wav")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("phrases/leed.wav", '; did you mean "phrases/lead.wav"?'),
        ("Digits/0.wav", '; did you mean "digits/0.wav"?'),
        ("let", '; did you mean "letters/A.wav"?'),
        ("le", ""),
        ("something else", ""),
    ],
)
def test_the_closest_word_is_named_if_one_is_close(word: str, said: str) -> None:
    """A wrong guess would lead further astray than none."""
    assert did_you_mean(word, KNOWN) == said
