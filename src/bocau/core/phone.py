"""Phone numbers as clients write them, and as we keep them: ten ASCII digits, the first 0 (esms-api 7, rows U, V)."""

from collections.abc import Collection, Mapping
from typing import Final

from bocau.core.telcos import RENUMBERED

__all__ = ["mask", "normalise", "split_phones", "to_e164"]

_MOBILE: Final = frozenset({"03", "05", "07", "08", "09"})
_LOST_ZERO: Final = frozenset("35789")
_PUNCTUATION: Final[Mapping[int, None]] = dict.fromkeys(map(ord, " .-()"))
_SEPARATORS: Final[Mapping[int, str]] = dict.fromkeys(map(ord, ";\r\n"), ",")


def normalise(text: str, *, assigned: Collection[str] | None = None) -> str | None:
    """The ten-digit form of a Vietnamese mobile number, or None if it is not one (CodeResult 108).

    Spaces, points, dashes and round brackets are dropped. Country code 84, +84 or 0084 becomes 0, nine digits get the
    0 that a spreadsheet lost, and numbers of 11 digits from before 2018 get their new prefix (8.2). Only ASCII digits
    count. With `assigned` the number must be in one of these ranges of three or four digits, those in use (8.1).
    """
    phone: str | None = text
    if len(text) != 10 or text[:2] not in _MOBILE or not text.isascii() or not text.isdigit():
        phone = _repair(text.translate(_PUNCTUATION))
    if phone is None or (assigned is not None and phone[:3] not in assigned and phone[:4] not in assigned):
        return None
    return phone


def _repair(digits: str) -> str | None:
    """The ten-digit form of a number without punctuation, or None."""
    national = _without_country(digits)
    if len(national) > 11 or not national.isascii() or not national.isdigit():
        return None
    if len(national) == 9 and national[0] in _LOST_ZERO:
        national = "0" + national
    elif len(national) == 11 and national[:4] in RENUMBERED:
        national = RENUMBERED[national[:4]] + national[4:]
    return national if len(national) == 10 and national[:2] in _MOBILE else None


def _without_country(digits: str) -> str:
    """Country code 84 replaced by 0. A bare 84 counts only before nine digits, or ten of an old number."""
    for code in ("+84", "0084"):
        if digits.startswith(code):
            return "0" + digits[len(code) :]
    if digits.startswith("84") and len(digits) in (11, 12):
        return "0" + digits[2:]
    return digits


def split_phones(text: str) -> list[str]:
    """The numbers of one Phone parameter as written: parted at comma, semicolon or line end, blanks dropped (row U).

    Of equal spellings the first stays. Two spellings of one number fall together only when normalised.
    """
    if text.isascii() and text.isdigit():
        return [text]
    pieces = map(str.strip, text.translate(_SEPARATORS).split(","))
    return list(dict.fromkeys(piece for piece in pieces if piece))


def to_e164(phone: str) -> str:
    """A ten-digit number as SMPP carries it with type international: `84901888484`, no plus sign."""
    return "84" + phone[1:]


def mask(phone: str) -> str:
    """A number fit for logs: `090****484`. Text that is no number of at least ten digits is masked whole."""
    if len(phone) < 10 or not phone.isascii() or not phone.isdigit():
        return "****"
    return f"{phone[:3]}****{phone[-3:]}"
