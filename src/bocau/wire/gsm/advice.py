"""What a text with placeholders will cost, and which of its signs make it dear or doubtful (esms-api 8.4).

Pure: the literal pieces of a template and the lengths of its placeholders in, findings out.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from bocau.wire.gsm.alphabet import is_gsm
from bocau.wire.gsm.parts import Measure, measure

__all__ = ["Advice", "Piece", "Sign", "advise", "plainer"]


class Piece(NamedTuple):
    """A stretch of literal text, and the placeholder after it."""

    position: int
    """Of its first character in the template, counted from 1."""
    literal: str
    longest: int
    """Characters of the placeholder behind it, at most; 0 if there is none."""


class Sign(NamedTuple):
    """One sign of the literal text that is worth a word."""

    position: int
    """In the template, counted from 1."""
    sign: str
    suggestion: str | None
    """What may stand in its place; empty: leave it out; None: nothing we know of."""


class Advice(NamedTuple):
    """The cost and the signs of a template."""

    shortest: Measure
    """With one plain sign in each placeholder."""
    longest: Measure
    """With each placeholder full of plain signs."""
    longest_marked: Measure
    """With each placeholder full, and a letter with diacritics among them: what a name may cost."""
    plain: Measure
    """`longest` with every suggestion followed: what it would cost in the GSM alphabet, if it can be brought there."""
    foreign: tuple[Sign, ...]
    """Signs outside the GSM alphabet: one makes the whole text Unicode. Each sign once, where it first stands."""
    double: tuple[Sign, ...]
    """Signs that count as two."""
    doubtful: tuple[Sign, ...]
    """Signs that some carriers refuse in a text."""


_FULL: Final = 2_000
"""Signs that a placeholder is filled with at most: more than any message has, and no burden on memory."""
_DOUBLE: Final = frozenset("^{}\\[~]|€\f")
_DOUBTFUL: Final = frozenset("#&[]{}\\<@%")
_SUGGESTIONS: Final[Mapping[str, str]] = {
    **dict.fromkeys("‘’‚‛′`´ʼ", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("•·▪●", "-"),
    **dict.fromkeys("\u00a0\u2002\u2003\u2009\u202f\u3000\t", " "),
    **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),
    "…": "...",
    "₫": "d",
    "×": "x",
    "đ": "d",
    "Đ": "D",
}


def plainer(sign: str) -> str | None:
    """What may stand for a sign outside the GSM alphabet: a sign that looks alike, or the letter without its marks."""
    found = _SUGGESTIONS.get(sign)
    if found is not None:
        return found
    bare = unicodedata.normalize("NFD", sign)[0]
    return bare if bare.isascii() and bare.isprintable() and is_gsm(bare) else None


def advise(pieces: tuple[Piece, ...]) -> Advice:
    """Look a template over. Text is NFC already. Raises GsmError for a lone surrogate."""
    foreign = tuple(_first_of_each(pieces))
    replaced = {ord(sign.sign): sign.suggestion for sign in foreign if sign.suggestion is not None}
    return Advice(
        measure(_filled(pieces, 1)),
        measure(_filled(pieces, _FULL)),
        measure(_filled(pieces, _FULL, "ạ")),
        measure(_filled(pieces, _FULL).translate(replaced)),
        foreign,
        tuple(_signs(pieces, _DOUBLE)),
        tuple(_signs(pieces, _DOUBTFUL)),
    )


def _filled(pieces: tuple[Piece, ...], most: int, sign: str = "0") -> str:
    """The text with at most so many signs in each placeholder."""
    return "".join(piece.literal + sign * min(most, piece.longest) for piece in pieces)


def _first_of_each(pieces: tuple[Piece, ...]) -> Iterator[Sign]:
    seen: dict[str, None] = {}
    for piece in pieces:
        for at, sign in enumerate(piece.literal, piece.position):
            if sign not in seen and not is_gsm(sign):
                seen[sign] = None
                yield Sign(at, sign, plainer(sign))


def _signs(pieces: tuple[Piece, ...], wanted: frozenset[str]) -> Iterator[Sign]:
    for piece in pieces:
        yield from (Sign(at, sign, None) for at, sign in enumerate(piece.literal, piece.position) if sign in wanted)
