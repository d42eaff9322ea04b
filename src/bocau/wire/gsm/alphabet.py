"""The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1 and 6.2.1.1).

Encoded text is unpacked: one septet per octet, as SMPP carries it under data_coding 0. An extension sign is two
septets: escape (0x1B) and its code.
"""

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["ESCAPE", "GsmError", "count", "decode", "encode", "is_gsm", "septets"]

ESCAPE: Final = 0x1B
"""The septet that announces an extension sign."""

_DEFAULT: Final = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
"""Septets 0x00 to 0x7F in order; 0x1B is the escape and no sign of its own."""

_EXTENSION: Final[Mapping[int, str]] = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

_NOT_GSM: Final = "\x80"
"""Stands for an ASCII character outside the alphabet, so that the translated text is not ASCII any more."""

_SIGNS: Final = _DEFAULT.replace("\x1b", "")
_TO_SEPTETS: Final[Mapping[int, str | int]] = {
    **dict.fromkeys(range(128), _NOT_GSM),
    **{ord(sign): code for code, sign in enumerate(_DEFAULT) if sign != "\x1b"},
    **{ord(sign): "\x1b" + chr(code) for code, sign in _EXTENSION.items()},
}
_FROM_EXTENSION: Final[Mapping[int, str]] = {**dict(enumerate(_DEFAULT)), **_EXTENSION, ESCAPE: " "}
_AS_ASCII: Final = re.compile(r"[\n\r !\"#%&'()*+,\-./0-9:;<=>?A-Za-z]*")
"""Text of signs whose codes are those of ASCII: nearly every plain text."""
_FOREIGN: Final = re.compile("[^" + re.escape(_SIGNS + "".join(_EXTENSION.values())) + "]")


class GsmError(ValueError):
    """Text or octets that the asked form cannot carry."""


def septets(text: str) -> bytes | None:
    """The text as unpacked septets, or None if a character is outside the alphabet.

    An escape character in the text is outside it too. Linear; about 1 us for 100 characters.
    """
    if _AS_ASCII.fullmatch(text):
        return text.encode("ascii")
    # A search stops at the first foreign letter, several times cheaper than translating Vietnamese in vain.
    if not text.isascii() and _FOREIGN.search(text):
        return None
    found = text.translate(_TO_SEPTETS)
    return found.encode("ascii") if found.isascii() else None


def encode(text: str) -> bytes:
    """The text as unpacked septets, one per octet. Raises GsmError for a character outside the alphabet."""
    found = septets(text)
    if found is None:
        raise GsmError("text has a character outside the GSM alphabet")
    return found


def is_gsm(text: str) -> bool:
    """Whether every character is in the default alphabet or its extension table."""
    return _FOREIGN.search(text) is None


def count(text: str) -> int:
    r"""Length in septets: `^ { } \ [ ~ ] | €` and form feed are two, all others one (esms-api 8.4). Raises GsmError."""
    return len(encode(text))


def decode(octets: bytes) -> str:
    """Unpacked septets as text. Raises GsmError for an octet above 0x7F.

    As a handset shows it (TS 23.038, 6.2.1.1): an escaped code outside the extension table is the sign of the default
    table, and an escape before another escape, or at the end, is a space.
    """
    if not octets.isascii():
        raise GsmError("an octet above 0x7F is no septet")
    plain = octets.decode("ascii")
    at = plain.find("\x1b")
    if at < 0:
        return plain.translate(_DEFAULT)
    pieces = []
    start = 0
    while at >= 0:
        pieces.append(plain[start:at].translate(_DEFAULT))
        pieces.append(_FROM_EXTENSION[ord(plain[at + 1])] if at + 1 < len(plain) else " ")
        start = at + 2
        at = plain.find("\x1b", start)
    pieces.append(plain[start:].translate(_DEFAULT))
    return "".join(pieces)
