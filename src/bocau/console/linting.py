"""What a template will cost and what is doubtful about it, as a document and in words, for command line and console."""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

from bocau.core.template import parse, placeholders
from bocau.core.template_doubts import Doubt, DoubtKind, doubts
from bocau.wire.gsm.advice import Advice, Piece, Sign, advise
from bocau.wire.gsm.parts import Measure

__all__ = ["Lint", "lint", "warnings"]

Lint = Mapping[str, object]
"""What was found, ready for JSON; `warnings` has it in words."""

_UNITS: Final = {"gsm": "septets", "ucs2": "UTF-16 units"}
_ALPHABETS: Final = {"gsm": "the GSM alphabet", "ucs2": "Unicode"}
_SAYS: Final[Mapping[DoubtKind, str]] = {
    DoubtKind.NO_CODE: "it speaks of a code and has no placeholder for one: {{code:8}}, or {{P1,8}}",
    DoubtKind.FIXED_CODE: "{quoted} stands in it as text, so every message has this code: write {{code:8}} instead",
    DoubtKind.NOT_A_PLACEHOLDER: "{quoted} is no placeholder but text, to be sent as it stands: {{name:20}} is one",
    DoubtKind.TOUCHING: "in {quoted} nobody can tell where one value ends: put words between them",
    DoubtKind.NO_LENGTH: "{quoted} names no length and takes 20 characters at most: say {{name:20}}",
    DoubtKind.LITTLE_TEXT: "it has next to no text of its own, so nearly any message follows it: carriers refuse such",
}


def lint(text: str) -> tuple[Lint, list[str]]:
    """Look a template over: the document, and its sentences, the cost first. Raises TemplateError."""
    text = parse(text).text
    advice, found = advise(_pieces(text)), doubts(text)
    document = {
        "text": text,
        "alphabet": advice.longest.alphabet,
        "shortest": _size(advice.shortest),
        "longest": _size(advice.longest),
        "longest_with_diacritics": _size(advice.longest_marked),
        "longest_if_plain": _size(advice.plain),
        "not_gsm": [_shown(sign) for sign in advice.foreign],
        "double": [_shown(sign) for sign in advice.double],
        "refused_by_some": [_shown(sign) for sign in advice.doubtful],
        "doubts": [
            {"kind": doubt.kind.value, "position": doubt.position, "quoted": doubt.quoted, "says": _said(doubt)}
            for doubt in found
        ],
    }
    return document, [*_cost(advice), *warnings(text, advice, found)]


def warnings(text: str, advice: Advice | None = None, found: list[Doubt] | None = None) -> list[str]:
    """What is worth a second look, one sentence each; empty for a template that is plain."""
    text = parse(text).text
    advice = advise(_pieces(text)) if advice is None else advice
    return [
        *_signs(text, advice),
        *(f"At character {d.position}: {_said(d)}." for d in (doubts(text) if found is None else found)),
    ]


def _pieces(text: str) -> tuple[Piece, ...]:
    slots = placeholders(text)
    starts = (0, *(slot.end for slot in slots))
    ends = (*(slot.start for slot in slots), len(text))
    longest = (*(slot.longest for slot in slots), 0)
    return tuple(Piece(a + 1, text[a:b], most) for a, b, most in zip(starts, ends, longest, strict=True))


def _size(size: Measure) -> dict[str, object]:
    return {"alphabet": size.alphabet, "units": size.units, "parts": size.parts}


def _shown(sign: Sign) -> dict[str, object]:
    return {"position": sign.position, "sign": sign.sign, "suggestion": sign.suggestion}


def _said(doubt: Doubt) -> str:
    return _SAYS[doubt.kind].format(quoted=f'"{doubt.quoted}"')


def _cost(advice: Advice) -> Iterator[str]:
    low, high, marked = advice.shortest, advice.longest, advice.longest_marked
    yield (
        f"In {_ALPHABETS[high.alphabet]}: {_parts(low)} at the shortest ({low.units} {_UNITS[low.alphabet]}), "
        f"{_parts(high)} at the longest ({high.units})."
    )
    if marked.parts != high.parts:
        yield f"With diacritics in a value (IsUnicode 1): {_parts(marked)} at the longest."


def _parts(size: Measure) -> str:
    return "1 part" if size.parts == 1 else f"{size.parts} parts"


def _signs(text: str, advice: Advice) -> Iterator[str]:
    for sign in advice.foreign:
        where = f"{_named(sign.sign)} at character {sign.position} is outside the GSM alphabet"
        yield f"{where} and makes the whole message Unicode{_instead(sign)}."
    if advice.foreign and advice.plain.parts < advice.longest.parts:
        them = "it" if len(advice.foreign) == 1 else "them"
        yield f"Because of {them} a message costs {_parts(advice.longest)} instead of {advice.plain.parts}."
    if not text.isascii():
        yield "It has signs outside ASCII: texts with IsUnicode 0 lose their marks first and then do not follow it."
    if advice.double:
        yield f"Counted twice: {_listed(advice.double)}."
    if advice.doubtful:
        yield f"Some carriers refuse {_listed(advice.doubtful)}."


def _instead(sign: Sign) -> str:
    if sign.suggestion is None:
        return ""
    return f": write {sign.suggestion} instead" if sign.suggestion else ": leave it out"


def _named(sign: str) -> str:
    """A sign as a person can find it, also where it cannot be seen."""
    return f'"{sign}"' if sign.isprintable() and not sign.isspace() else unicodedata.name(sign, f"U+{ord(sign):04X}")


def _listed(signs: tuple[Sign, ...]) -> str:
    return ", ".join(f"{_named(sign.sign)} at {sign.position}" for sign in signs)
