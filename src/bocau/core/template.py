"""Registered text patterns: reading, matching and explaining them (esms-api 3.9, 7.1; promises M13).

A template is literal text with placeholders of 1 to n characters. Matching never builds a regular expression from it:
it carries the set of positions that the text can have been read up to from literal to literal, as spans of
consecutive positions. Each literal is looked for at most once per position, so the work is at most the length of the
text times the number of placeholders, however ambiguous the template is.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from bocau.core.text import nfc, transliterate

__all__ = [
    "DEFAULT_LENGTH",
    "MOST_PLACEHOLDERS",
    "Difference",
    "Placeholder",
    "Slot",
    "Template",
    "TemplateError",
    "canonical",
    "first_match",
    "is_otp",
    "is_placeholder",
    "nearest",
    "normalise",
    "parse",
    "placeholders",
    "speaks_of_code",
]

DEFAULT_LENGTH: Final = 20
"""Characters of a placeholder that names no length."""
MOST_PLACEHOLDERS: Final = 100
"""Placeholders of one template; a text of four parts has no use for more."""

_PLACEHOLDER: Final = re.compile(
    r"\{ *+([^\W\d_](?:[\w .-]{0,38}[\w.-])?) *+(?:[,:] *+([0-9]{1,9}) *+)?\}"  # possessive: never scans a run twice
)
_SPACELESS_NAMES: Final = frozenset({"p1", "code", "otp", "ma", "id"})
_SPACE: Final = re.compile(r"\s")
_WORK: Final = 60_000
"""Characters times placeholders that one explanation may look at: four parts and a hundred placeholders, some 30 ms."""
_SHOWN: Final = 40
"""Characters of text that a difference quotes at most."""
_OTP_WORDS: Final = (
    "otp",
    "ma xac",
    "ma dang",
    "ma kich hoat",
    "ma bao mat",
    "xac minh",
    "xac thuc",
    "dang nhap",
    "verification",
    "verify",
    "passcode",
)

_Span = tuple[int, int]
"""First and last of consecutive positions, both counted in."""


class TemplateError(ValueError):
    """Text that cannot be a template."""


class Slot(NamedTuple):
    """A placeholder and the literal text after it."""

    longest: int
    """Characters it may stand for, at least 1."""
    spaceless: bool
    """It stands for no white space: a code, an order number."""
    literal: str
    """What follows it, up to the next placeholder or the end; may be empty."""
    least: int
    """Characters that the literal and everything after it take at least."""
    most: int
    """The same, at most."""

    def __str__(self) -> str:
        return f"{{P{1 if self.spaceless else 2},{self.longest}}}"


class Placeholder(NamedTuple):
    """Where a placeholder stands in a template's text."""

    start: int
    """Index of its first character."""
    end: int
    """Index behind its last one."""
    longest: int
    spaceless: bool
    default: bool
    """It names no length."""


class Difference(NamedTuple):
    """Where a text leaves its template."""

    position: int
    """Of the first character that differs, in the normalised text, counted from 1."""
    expected: str
    """The template's word there, or its placeholder if the value does not fit; empty: the text should have ended."""
    got: str
    """The text's word there, or the value that does not fit; empty: there is none, or the text ended."""


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template. Made by `parse`."""

    text: str
    """As registered, normalised."""
    prefix: str
    """The literal before the first placeholder."""
    suffix: str
    """The literal after the last placeholder; empty if there is none."""
    slots: tuple[Slot, ...]
    shortest: int
    """Characters of the shortest text that can match."""
    longest: int
    """Characters of the longest text that can match."""

    @classmethod
    def parse(cls, text: str) -> "Template":
        """Read a template. Raises TemplateError, see the function `parse`."""
        return parse(text)

    def match(self, text: str) -> bool:
        """Whether the whole text follows the template, both normalised, letters case-sensitive (esms-api 7.1)."""
        return self.match_normalised(normalise(text))

    def match_normalised(self, text: str) -> bool:
        """The same for a text that `normalise` has seen: saves doing it again for each template."""
        size = len(text)
        if not (self.shortest <= size <= self.longest and text.startswith(self.prefix) and text.endswith(self.suffix)):
            return False
        return self._match_inner(text, size)

    def _match_inner(self, text: str, size: int) -> bool:
        """The rest of the match, once length, prefix and suffix are known to fit."""
        slots = self.slots
        start = len(self.prefix)
        if len(slots) < 2:
            # The lengths have decided already, but for the white space inside a code.
            return not slots or not slots[0].spaceless or not _SPACE.search(text, start, size - len(self.suffix))
        if _reads_leftmost(text, slots, start, size):
            return True
        spans = [(start, start)]
        for slot in slots:
            reached = _reach(text, spans, slot)
            spans = _land(text, reached, slot.literal, size - slot.most, size - slot.least)
            if not spans:
                return False
        return True

    def difference(self, text: str) -> Difference | None:
        """The first place where the text leaves the template, or None if it matches.

        Of several ways to read the text, the one that follows the template to the furthest placeholder counts, and
        there the one that agrees with most of the literal after it.
        """
        text = normalise(text)
        if self.match_normalised(text):
            return None
        if not text.startswith(self.prefix):
            return _in_literal(text, 0, self.prefix, _agreement(text, [(0, 0)], self.prefix)[0])
        size = len(text)
        start = len(self.prefix)
        spans = [(start, start)]
        for slot in self.slots:
            reached = _reach(text, spans, slot)
            landed = _land(text, reached, slot.literal, 0, size)
            if not landed:
                return _at_slot(text, spans, reached, slot)
            spans = landed
        last = spans[-1][1]
        if self.slots and not self.suffix:
            # The text goes on after the last placeholder: its value is too long, or has white space.
            return Difference(last + 1, str(self.slots[-1]), _shown(text[spans[0][0] - 1 :]))
        return Difference(last + 1, "", _shown(text[last:]))


def normalise(text: str) -> str:
    """Text or template as they are compared: NFC, line ends as LF, trailing white space off, runs of spaces one."""
    text = nfc(text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    while "  " in text:
        text = text.replace("  ", " ")
    return text.rstrip()


def parse(text: str) -> Template:
    """Read a template with placeholders `{P1,n}`, `{P2,n}`, `{name:n}` or `{name}` (n is then 20).

    P1 and the names code, otp, ma and id stand for characters other than white space, all others for any. Braces that
    hold no placeholder are literal. Raises TemplateError for an empty template, n = 0, or more than MOST_PLACEHOLDERS.
    """
    text = normalise(text)
    if not text:
        raise TemplateError("a template needs text")
    literals: list[str] = []
    kinds: list[tuple[int, bool]] = []
    start = 0
    for found in _PLACEHOLDER.finditer(text):
        literals.append(text[start : found.start()])
        kinds.append(_kind(found))
        start = found.end()
    literals.append(text[start:])
    if len(kinds) > MOST_PLACEHOLDERS:
        raise TemplateError(f"a template has at most {MOST_PLACEHOLDERS} placeholders")
    slots: list[Slot] = []
    least = most = 0
    for (longest, spaceless), literal in zip(reversed(kinds), reversed(literals[1:]), strict=True):
        least += len(literal)
        most += len(literal)
        slots.append(Slot(longest, spaceless, literal, least, most))
        least += 1
        most += longest
    prefix = literals[0]
    suffix = literals[-1] if kinds else ""
    return Template(text, prefix, suffix, tuple(reversed(slots)), len(prefix) + least, len(prefix) + most)


def canonical(text: str) -> str:
    """The template in NFC with every placeholder as `{P1,n}` or `{P2,n}`, as GetTemplate lists it; else untouched.

    Raises TemplateError for n = 0.
    """
    return _PLACEHOLDER.sub(_numbered, nfc(text))


def is_otp(text: str) -> bool:
    """Whether a template is for one-time codes: it has a placeholder without white space and speaks of a code.

    Words are looked for in the literals, without marks and case: otp, ma xac, dang nhap, verify and the like.
    """
    text = normalise(text)
    if not any(_is_spaceless(found[1]) for found in _PLACEHOLDER.finditer(text)):
        return False
    return speaks_of_code(_PLACEHOLDER.sub("\n", text))


def speaks_of_code(text: str) -> bool:
    """Whether a text has a word that one-time codes come with: otp, ma xac, dang nhap, verify and the like."""
    words = transliterate(text).lower()
    return any(word in words for word in _OTP_WORDS)


def placeholders(text: str) -> tuple[Placeholder, ...]:
    """The placeholders of a template's text, in order. Raises TemplateError for n = 0."""
    return tuple(
        Placeholder(found.start(), found.end(), *_kind(found), default=not found[2])
        for found in _PLACEHOLDER.finditer(text)
    )


def is_placeholder(text: str) -> bool:
    """Whether a text is one placeholder in any spelling. A piece of a template's literal text never is."""
    return _PLACEHOLDER.fullmatch(text) is not None


def first_match(templates: Iterable[Template], text: str) -> Template | None:
    """The first template that the text follows, or None. Most others are put aside by length, prefix and suffix."""
    text = normalise(text)
    size = len(text)
    for template in templates:
        if (
            template.shortest <= size <= template.longest
            and text.startswith(template.prefix)
            and text.endswith(template.suffix)
            and template._match_inner(text, size)
        ):
            return template
    return None


def nearest(templates: Sequence[Template], text: str) -> tuple[Template, Difference] | None:
    """The template that the text follows furthest, and where it leaves it; None if one matches or there is none.

    Where there are more templates than can be explained quickly, those count whose fixed beginning and end agree most
    with the text: a refusal never costs more than explaining one template of the largest kind.
    """
    text = normalise(text)
    found: tuple[Template, Difference] | None = None
    for template in _promising(templates, text):
        difference = template.difference(text)
        if difference is None:
            return None
        if found is None or difference.position > found[1].position:
            found = (template, difference)
    return found


def _promising(templates: Sequence[Template], text: str) -> Sequence[Template]:
    """As many templates as may be explained, in their order if that is all of them."""
    size = len(text) + 1
    if size * sum(len(template.slots) + 1 for template in templates) <= _WORK:
        return templates
    chosen: list[Template] = []
    work = _WORK
    for template in sorted(templates, key=lambda one: _ends_agreeing(one, text), reverse=True):
        work -= size * (len(template.slots) + 1)
        if chosen and work < 0:
            break
        chosen.append(template)
    return chosen


def _ends_agreeing(template: Template, text: str) -> int:
    """How many characters of the fixed beginning and end of a template the text has too."""
    prefix, suffix = template.prefix, template.suffix
    return _most(len(prefix), lambda size: text.startswith(prefix[:size])) + _most(
        len(suffix), lambda size: text.endswith(suffix[len(suffix) - size :])
    )


def _most(limit: int, holds: Callable[[int], bool]) -> int:
    """The largest number up to a limit for which something holds, if it holds for every smaller one too."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def _kind(found: re.Match[str]) -> tuple[int, bool]:
    """A placeholder's longest value, and whether it is without white space."""
    name, digits = found.groups()
    longest = int(digits) if digits else DEFAULT_LENGTH
    if not longest:
        raise TemplateError("a placeholder stands for at least one character")
    return longest, _is_spaceless(name)


def _is_spaceless(name: str) -> bool:
    return transliterate(name).lower() in _SPACELESS_NAMES


def _numbered(found: re.Match[str]) -> str:
    longest, spaceless = _kind(found)
    return f"{{P{1 if spaceless else 2},{longest}}}"


def _reads_leftmost(text: str, slots: Sequence[Slot], at: int, size: int) -> bool:
    """Whether the text can be read by taking each literal where it first occurs. A shortcut: False proves nothing."""
    for slot in slots:
        earliest = max(at + 1, size - slot.most)
        end = text.find(slot.literal, earliest, at + slot.longest + len(slot.literal))
        if end < 0 or (slot.spaceless and _SPACE.search(text, at, end)):
            return False
        at = end + len(slot.literal)
    return at == size


def _reach(text: str, spans: Sequence[_Span], slot: Slot) -> list[_Span]:
    """Where a value of the slot can end, if it begins at a position of `spans`. In order, spans apart."""
    size = len(text)
    reached: list[_Span] = []
    if not slot.spaceless:
        for first, last in spans:
            _add(reached, first + 1, min(last + slot.longest, size))
        return reached
    # Values cannot cross white space: each run of other characters between two of them reaches by itself. The end of
    # the run is kept from span to span, so that the text is scanned once.
    run_end = -1
    for first, last in spans:
        start = first
        while start <= last:
            if start > run_end:
                found = _SPACE.search(text, start)
                run_end = found.start() if found else size
            if start < run_end:
                _add(reached, start + 1, min(min(last, run_end - 1) + slot.longest, run_end))
            start = run_end + 1
    return reached


def _land(text: str, reached: Sequence[_Span], literal: str, floor: int, ceiling: int) -> list[_Span]:
    """Where the literal can end, if it begins at a position of `reached` from `floor` to `ceiling`."""
    landed: list[_Span] = []
    size = len(literal)
    for first, last in reached:
        low = max(first, floor)
        high = min(last, ceiling)
        if not size:
            _add(landed, low, high)
            continue
        at = text.find(literal, low, high + size)
        while at >= 0:
            run = at
            while run < high and text.startswith(literal, run + 1):
                run += 1
            _add(landed, at + size, run + size)
            at = text.find(literal, run + 2, high + size)
    return landed


def _add(spans: list[_Span], first: int, last: int) -> None:
    """Append a span, joined to the one before if they touch. `first` never goes back."""
    if first > last:
        return
    if spans and first <= spans[-1][1] + 1:
        before = spans[-1]
        if last > before[1]:
            spans[-1] = (before[0], last)
    else:
        spans.append((first, last))


def _agreement(text: str, reached: Sequence[_Span], literal: str) -> tuple[int, int]:
    """How many characters of the literal some position of `reached` agrees with at most, and that position."""
    # If k characters agree somewhere, fewer do too: search for the largest k by halving.
    best, at = 0, reached[-1][1]
    low, high = 1, len(literal)
    while low <= high:
        size = (low + high) // 2
        hits = (text.find(literal[:size], first, last + size) for first, last in reached)
        hit = next((hit for hit in hits if hit >= 0), -1)
        if hit >= 0:
            best, at = size, hit
            low = size + 1
        else:
            high = size - 1
    return best, at


def _at_slot(text: str, spans: Sequence[_Span], reached: Sequence[_Span], slot: Slot) -> Difference:
    """The difference at a placeholder: its value does not fit, or the literal after it is not there."""
    start = spans[0][0]
    agreed, at = _agreement(text, reached, slot.literal) if reached else (0, start)
    if not agreed:
        end = text.find(slot.literal, start) if slot.literal else -1
        if end >= 0 or not reached:
            # The literal is there, but out of reach: the value is empty, too long, or has white space.
            return Difference(at + 1, str(slot), _shown(text[start : max(end, start)]))
    return _in_literal(text, at, slot.literal, agreed)


def _in_literal(text: str, at: int, literal: str, agreed: int) -> Difference:
    """The difference after `agreed` characters of a literal that was read from position `at`; both words there."""
    begin = max(literal.rfind(" ", 0, agreed), literal.rfind("\n", 0, agreed)) + 1
    return Difference(at + agreed + 1, _word(literal, begin, agreed), _word(text, at + begin, at + agreed))


def _word(text: str, begin: int, through: int) -> str:
    """The text from `begin` to the first white space after position `through`."""
    found = _SPACE.search(text, through + 1)
    return _shown(text[begin : found.start() if found else len(text)])


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
