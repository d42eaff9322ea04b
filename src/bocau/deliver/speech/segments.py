"""What a voice is made of: the signs of a code and a few phrases, each a segment that is rendered once and kept.

A segment is named by its sign (`6`, `K`) or by its phrase (`lead`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, get_args

__all__ = [
    "DIGITS",
    "LANGUAGES",
    "LETTERS",
    "PHRASES",
    "REGIONS",
    "REQUIRED",
    "SEGMENTS",
    "WORDS",
    "Language",
    "Region",
]

Language = Literal["vi", "en"]
Region = Literal["north", "central", "south", ""]
"""Where a Vietnamese voice comes from; empty for English."""

LANGUAGES: Final[tuple[str, ...]] = get_args(Language)
REGIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({"vi": ("north", "central", "south"), "en": ("",)})
"""The regions of each language."""

DIGITS: Final = "0123456789"
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PHRASES: Final = ("lead", "tail", "press_to_hear", "press_to_repeat")
"""lead and tail stand around the code; the other two ask for key 1."""
SEGMENTS: Final = (*DIGITS, *LETTERS, *PHRASES)
REQUIRED: Final = frozenset((*DIGITS, "lead"))
"""What a voice needs to be of any use."""

# D and G are named so that neither sounds like the other, nor D like V in the south.
_VIETNAMESE: Final = """
0 không, 1 một, 2 hai, 3 ba, 4 bốn, 5 năm, 6 sáu, 7 bảy, 8 tám, 9 chín,
A a, B bê, C xê, D đê, E e, F ép phờ, G gờ, H hát, I i, J gi, K ca, L e lờ, M em mờ, N en nờ, O o, P pê, Q quy,
R e rờ, S ét xì, T tê, U u, V vê, W vê kép, X ích xì, Y i dài, Z dét,
lead Mã xác thực của bạn là, tail Xin cảm ơn,
press_to_hear Bạn có một mã xác thực. Bấm phím một để nghe, press_to_repeat Bấm phím một để nghe lại
"""
_ENGLISH: Final = """
0 zero, 1 one, 2 two, 3 three, 4 four, 5 five, 6 six, 7 seven, 8 eight, 9 nine,
A A, B B, C C, D D, E E, F F, G G, H H, I I, J J, K K, L L, M M, N N, O O, P P, Q Q, R R, S S, T T, U U, V V, W W,
X X, Y Y, Z Z,
lead Your verification code is, tail Thank you,
press_to_hear You have a verification code. Press one to hear it, press_to_repeat Press one to hear it again
"""


def _read(text: str) -> Mapping[str, str]:
    entries = (entry.strip().partition(" ") for entry in text.split(","))
    return MappingProxyType({segment: words for segment, _, words in entries})


WORDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({"vi": _read(_VIETNAMESE), "en": _read(_ENGLISH)})
"""The text of every segment, by language."""
