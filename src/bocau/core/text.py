"""Rules for message text: normal form, plain ASCII, the code in it, and what is never accepted."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

__all__ = ["find_code", "has_forbidden_controls", "nfc", "transliterate"]


def nfc(text: str) -> str:
    """The text in Unicode normal form C; the same object if it is so already (promises, values).

    A long text with more marks on one letter than any language has stays as it is: to sort them takes time by the
    square of their number.
    """
    if text.isascii() or (len(text) > _SHORT and _piled(text)):
        return text
    return unicodedata.normalize("NFC", text)


_SHORT: Final = 1_000
"""Characters that cost little, whatever they are; no message has more."""
_MOST_MARKS: Final = 30
"""On one letter, as in the stream-safe format of Unicode (UAX #15)."""


def _piled(text: str) -> bool:
    """Whether a letter has more marks than any language puts on one."""
    marks = 0
    for sign in text:
        marks = marks + 1 if sign > "\u02ff" and unicodedata.combining(sign) else 0
        if marks > _MOST_MARKS:
            return True
    return False


_SCANNED: Final = (range(0x80, 0x250), range(0x1E00, 0x2000), range(0x2100, 0x2300))
"""Where letters and signs live that lose their marks and become ASCII."""
_MARKS: Final = (range(0x300, 0x370), range(0x1AB0, 0x1B00), range(0x1DC0, 0x1E00), range(0x20D0, 0x2100))
"""The blocks of combining marks."""


def _stripped() -> Iterator[tuple[int, int]]:
    """Each character that becomes ASCII without its marks, with what it becomes."""
    for code in (code for block in _SCANNED for code in block):
        bare = unicodedata.normalize("NFD", chr(code))[0]
        if bare.isascii():
            yield code, ord(bare)


_TO_ASCII: Final[Mapping[int, int | None]] = {
    **{code: code for code in range(128)},
    **dict.fromkeys((code for block in _MARKS for code in block), None),
    **dict(_stripped()),
    ord("đ"): ord("d"),
    ord("Đ"): ord("D"),
}


def transliterate(text: str) -> str:
    """Vietnamese as ASCII: marks stripped, đ to d, every other sign to `?` (esms-api 7, row C).

    Letters of other Latin scripts lose their marks too. A sign of the GSM alphabet outside ASCII, such as £, becomes
    `?` like all others. Decomposed letters give the same as composed ones. ASCII text is returned as it is.
    """
    if text.isascii():
        return text
    plain = text.translate(_TO_ASCII)
    return plain if plain.isascii() else plain.encode("ascii", "replace").decode("ascii")


_CODE: Final = re.compile(r"(?<![^\W_])(?=[A-Z]{0,7}[0-9])[A-Z0-9]{4,8}(?![^\W_])")


def find_code(text: str) -> str | None:
    """The one-time code in a text (esms-api 2.6), or None.

    It is the first run of letters and digits that is 4 to 8 ASCII digits, or 4 to 8 upper-case ASCII letters and digits
    with at least one digit. Runs are whole: a letter or digit of any script beside them makes them longer.
    """
    found = _CODE.search(text)
    return found.group() if found else None


def has_forbidden_controls(text: str) -> bool:
    """Whether the text has U+0000 or a lone surrogate, which no door lets in (promises 3)."""
    if "\0" in text:
        return True
    if text.isascii():
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
