"""Blocked words: found in a text whatever its case, its marks and the signs between them, in linear time.

Text and words are brought to one plain form and cut into runs of letters and digits; a word of the list is one run or
several in a row. So "vay tien" is found in "VAY-TIỀN!" and not in "vay tiens". A text costs one look-up for each run
and each length of the list.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

from bocau.core.text import transliterate

__all__ = ["LONGEST_PHRASE", "Words", "plain_word"]

LONGEST_PHRASE: Final = 8
"""Runs that one blocked word may have."""

_RUN: Final = re.compile(r"[a-z0-9]+")
_UNSEEN: Final[Mapping[int, None]] = dict.fromkeys(
    (0x00AD, 0x034F, 0x061C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF)
)
"""Signs without a glyph, which would part a word and be seen by nobody."""


def _runs(text: str) -> list[str]:
    """The runs of a text in plain form: compatibility forms composed, case folded, marks stripped."""
    if not text.isascii():
        text = transliterate(unicodedata.normalize("NFKC", text.translate(_UNSEEN)).casefold())
    return _RUN.findall(text.lower())


def plain_word(text: str) -> str:
    """A word as the list keeps it: its runs with one blank between. Raises ValueError for none, or too many."""
    runs = _runs(text)
    if not 1 <= len(runs) <= LONGEST_PHRASE:
        raise ValueError(f"a blocked word has 1 to {LONGEST_PHRASE} runs of letters and digits")
    return " ".join(runs)


class Words:
    """A list of blocked words, ready to search with. Immutable."""

    __slots__ = ("_lengths", "_phrases")

    def __init__(self, words: Iterable[str] = ()) -> None:
        """`words` are in the form of `plain_word`."""
        self._phrases = frozenset(words)
        self._lengths = sorted({word.count(" ") + 1 for word in self._phrases})

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._phrases)

    def find(self, text: str) -> str | None:
        """The first blocked word in a text, in its plain form; None if it has none."""
        runs = _runs(text)
        for at in range(len(runs)):
            for length in self._lengths:
                phrase = " ".join(runs[at : at + length]) if length > 1 else runs[at]
                if phrase in self._phrases:
                    return phrase
        return None
