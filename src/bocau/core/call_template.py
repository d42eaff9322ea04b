"""What a call by template says: a text with places that the values of a request fill, left to right (esms-api 4.1)."""

import re
from collections.abc import Sequence
from typing import Final

__all__ = ["LONGEST", "fill", "problem"]

LONGEST: Final = 600
"""Characters of a text: about a minute of speech."""

_PLACE: Final = re.compile(r"\{[^{}]{0,40}\}")


def fill(text: str, values: Sequence[str]) -> str | None:
    """The text with its places filled in order, whatever they are called; None unless there is a value for each."""
    if len(_PLACE.findall(text)) != len(values):
        return None
    left = iter(values)
    return _PLACE.sub(lambda _: next(left), text)


def problem(text: str) -> str:
    """Why a text cannot be a call template; empty if it can."""
    if not text.strip():
        return "a call template needs text"
    if len(text) > LONGEST:
        return f"a call template has at most {LONGEST} characters"
    rest = _PLACE.sub("", text)
    if "{" in rest or "}" in rest:
        return "a bracket { or } has no partner, or more than 40 characters lie between them"
    return ""
