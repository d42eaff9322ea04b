"""What is doubtful about a template's placeholders, before anybody sends with it (esms-api 7.1).

What is found does not forbid a template: it matches as it is written. Position counts from 1.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

from bocau.core.template import Placeholder, placeholders, speaks_of_code
from bocau.core.text import find_code

__all__ = ["Doubt", "DoubtKind", "doubts"]

_LEAST_LITERAL: Final = 8
"""Letters and digits of fixed text below which a template says next to nothing."""
_MARKS: Final = re.compile(
    r"\{[^{}\n]{0,60}\}|\[[A-Za-z_ ]{2,20}\]|<[A-Za-z_ ]{2,20}>|%[sd]\b|\$\{?[A-Za-z_]{2,20}\}?|[xX]{4,10}\b|\*{3,10}"
)


class DoubtKind(StrEnum):
    """Kinds of doubt."""

    NO_CODE = "no_code"
    """It speaks of a code, and no placeholder can hold one."""
    FIXED_CODE = "fixed_code"
    """A code stands in it as text."""
    NOT_A_PLACEHOLDER = "not_a_placeholder"
    """A mark of another system, or braces with a slip in them: it is text, and must be sent as it stands."""
    TOUCHING = "touching"
    """Two placeholders that only white space parts, or nothing: where one ends nobody can tell."""
    NO_LENGTH = "no_length"
    """A placeholder without a length has the default one."""
    LITTLE_TEXT = "little_text"
    """Nearly any text follows it; carriers refuse such a template."""


class Doubt(NamedTuple):
    """One thing to look at."""

    kind: DoubtKind
    position: int
    """Where it stands, or 1 if it is about the whole."""
    quoted: str
    """What stands there, empty if it is about the whole."""


def doubts(text: str) -> list[Doubt]:
    """Everything doubtful, by position. `text` is a template that `parse` takes, normalised."""
    slots = placeholders(text)
    literal = _blanked(text, slots)
    found = [*_about_codes(literal, slots), *_touching(text, slots), *_marks(literal)]
    found += [Doubt(DoubtKind.NO_LENGTH, slot.start + 1, text[slot.start : slot.end]) for slot in slots if slot.default]
    if slots and sum(map(str.isalnum, literal)) < _LEAST_LITERAL:
        found.append(Doubt(DoubtKind.LITTLE_TEXT, 1, ""))
    return sorted(found, key=lambda doubt: doubt.position)


def _blanked(text: str, slots: tuple[Placeholder, ...]) -> str:
    """The text with line ends where its placeholders stand, of the same length."""
    for slot in slots:
        text = text[: slot.start] + "\n" * (slot.end - slot.start) + text[slot.end :]
    return text


def _about_codes(literal: str, slots: tuple[Placeholder, ...]) -> Iterator[Doubt]:
    if not speaks_of_code(literal) or any(slot.spaceless for slot in slots):
        return
    fixed = find_code(literal)
    if fixed is None:
        yield Doubt(DoubtKind.NO_CODE, 1, "")
    else:
        yield Doubt(DoubtKind.FIXED_CODE, literal.index(fixed) + 1, fixed)


def _touching(text: str, slots: tuple[Placeholder, ...]) -> Iterator[Doubt]:
    for one, other in pairwise(slots):
        between = text[one.end : other.start]
        if not between or (between.isspace() and not one.spaceless):
            yield Doubt(DoubtKind.TOUCHING, one.start + 1, text[one.start : other.end])


def _marks(literal: str) -> Iterator[Doubt]:
    for found in _MARKS.finditer(literal):
        yield Doubt(DoubtKind.NOT_A_PLACEHOLDER, found.start() + 1, found.group())
