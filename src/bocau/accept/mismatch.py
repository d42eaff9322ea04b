"""Code 146 explained: the nearest template, the first character that differs, and what stood there.

Only a text that no template takes comes here, so the explanation costs a message that passes nothing.
"""

import re
from collections.abc import Sequence
from typing import Final

from bocau.core.directory import RegisteredTemplate, nearest_registered
from bocau.core.refusal import Refusal
from bocau.core.telcos import TELCOS
from bocau.core.template import Difference, is_placeholder
from bocau.core.text import transliterate
from bocau.wire.esms import codes

__all__ = ["mismatch"]

_STEP: Final = 11
_WORD: Final = re.compile(r"[^\W\d_]+(?:[,.:;!?][^\W\d_]*)?")
_SOME_LOWER_CASE: Final = re.compile("[a-z]")


def mismatch(registered: Sequence[RegisteredTemplate], telco: int, text: str) -> Refusal:
    """The refusal of a normalised text that none of the templates takes; there is at least one.

    `reason` quotes the template only, for logs and the store. `told`, for the caller alone, quotes his own text too,
    but no value: see `_quoted`.
    """
    found = nearest_registered(registered, text)
    if found is None:
        raise ValueError("the text follows a template")
    row, difference = found
    network = TELCOS[telco].receiver_name if telco in TELCOS else "no network"
    expected = f'"{difference.expected}"' if difference.expected else "its end"
    reason = f"template {row.id} ({network}) differs at character {difference.position}: expected {expected}"
    refusal = Refusal(codes.TEMPLATE_MISMATCH, codes.text(codes.TEMPLATE_MISMATCH), reason, _STEP)
    return refusal._replace(told=f"{reason}, got {_quoted(difference, text)}")


def _quoted(difference: Difference, text: str) -> str:
    """What the text has instead, as it may stand in a header.

    A word is quoted if it stands where the template has a word of its own, and cannot be a code: letters only, not all
    of them capitals, or the template's word in another case or with other marks. Everything else (a value, a code, what
    follows the end) is described by its length.
    """
    got = difference.got
    if not got:
        return "the end of the text"
    if difference.expected and not is_placeholder(difference.expected) and _is_harmless(got, difference.expected):
        return f'"{got}"'
    count = len(text) - difference.position + 1 if not difference.expected else len(got.removesuffix("..."))
    at_least = "at least " if difference.expected and got.endswith("...") else ""
    return f"{at_least}{count} character{'' if count == 1 else 's'}"


def _is_harmless(got: str, expected: str) -> bool:
    if transliterate(got).lower() == transliterate(expected).lower():
        return True
    words = got.split()
    return all(_WORD.fullmatch(word) and _SOME_LOWER_CASE.search(transliterate(word)) for word in words)
