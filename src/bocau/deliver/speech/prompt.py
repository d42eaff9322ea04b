"""What a caller plays: the order of its pieces, and the pieces laid together. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from bocau.wire.rtp.g711 import ALAW_SILENCE, SAMPLES_PER_SECOND, ULAW_SILENCE

__all__ = ["FRAME_SAMPLES", "Clip", "Mark", "Options", "Piece", "Prompt", "invitation_pieces", "lay", "prompt_pieces"]

FRAME_SAMPLES: Final = 160
"""Of one packet of 20 ms. Every prompt is a whole number of them."""

_EDGE_MS: Final = 300
"""Silence at both ends: phones swallow about 100 ms while they open and close their sound (voice, Audio proof)."""
_LISTEN_MS: Final = 3_000
"""How long an invitation waits for the key before it asks again."""
_STEP: Final = 1.5
_PER_MS: Final = SAMPLES_PER_SECOND // 1_000


@dataclass(frozen=True, slots=True)
class Options:
    """How a prompt is built."""

    repeats: int = 3
    """How often the code is said, 1 to 3; less often where the call would become too long."""
    gap_ms: int = 250
    """Silence between two signs of the code."""
    pause_ms: int = 700
    """Silence after each time the code was said."""
    press_to_repeat: bool = False
    """Says at the end that key 1 plays it again."""

    def at(self, speed: int) -> "Options":
        """The same at a speed of the API, -3 to 3: each step makes the silences half as long again, or shorter by a
        third. The words stay as they were recorded."""
        factor = _STEP**-speed
        return replace(self, gap_ms=round(self.gap_ms * factor), pause_ms=round(self.pause_ms * factor))


class Clip(NamedTuple):
    """A segment by both laws; equally long."""

    alaw: bytes
    ulaw: bytes


class Piece(NamedTuple):
    """One piece of a prompt: a segment, or silence."""

    kind: str
    """What begins here: start, lead, code, pause, tail, press_to_hear, press_to_repeat, end; empty within the code."""
    segment: str = ""
    silence_ms: int = 0


class Mark(NamedTuple):
    """Where something begins."""

    offset: int
    """In octets of the prompt, each 125 microseconds."""
    kind: str
    """As in Piece. Never a sign of the code."""

    @property
    def seconds(self) -> float:
        """When it is played."""
        return self.offset / SAMPLES_PER_SECOND


@dataclass(frozen=True, slots=True)
class Prompt:
    """Sound for one call, by both laws. Whoever holds it can hear the code: keep it out of logs; its repr is."""

    alaw: bytes = field(repr=False)
    ulaw: bytes = field(repr=False)
    marks: tuple[Mark, ...]
    voice: str
    warning: str
    """What the operator must know about the voice; empty for a recorded one."""

    @property
    def seconds(self) -> float:
        """How long it takes to play."""
        return len(self.alaw) / SAMPLES_PER_SECOND


def prompt_pieces(code: str, options: Options, tail: bool) -> Iterator[Piece]:
    """The pieces of a code's prompt in order; `tail` says whether the voice has one."""
    yield Piece("start", silence_ms=_EDGE_MS)
    for _ in range(options.repeats):
        yield Piece("lead", "lead")
        yield Piece("", silence_ms=options.gap_ms)
        for number, sign in enumerate(code):
            yield Piece("" if number else "code", sign)
            yield Piece("", silence_ms=options.gap_ms if number < len(code) - 1 else 0)
        yield Piece("pause", silence_ms=options.pause_ms)
    if options.press_to_repeat:
        yield Piece("press_to_repeat", "press_to_repeat")
        yield Piece("", silence_ms=options.gap_ms)
    if tail:
        yield Piece("tail", "tail")
    yield Piece("end", silence_ms=_EDGE_MS)


def invitation_pieces(options: Options) -> Iterator[Piece]:
    """The pieces of what is played before the code, until the key comes."""
    yield Piece("start", silence_ms=_EDGE_MS)
    for _ in range(options.repeats):
        yield Piece("press_to_hear", "press_to_hear")
        yield Piece("pause", silence_ms=_LISTEN_MS)
    yield Piece("end", silence_ms=_EDGE_MS)


def recording_pieces(segment: str) -> Iterator[Piece]:
    """The pieces of a call that plays a recording once."""
    yield Piece("start", silence_ms=_EDGE_MS)
    yield Piece("recording", segment)
    yield Piece("end", silence_ms=_EDGE_MS)


def lay(pieces: Iterable[Piece], clips: Mapping[str, Clip], voice: str, warning: str) -> Prompt:
    """The pieces laid one after the other, filled up to a whole frame with silence."""
    alaw, ulaw = bytearray(), bytearray()
    marks = []
    for kind, segment, silence_ms in pieces:
        if kind:
            marks.append(Mark(len(alaw), kind))
        if segment:
            alaw += clips[segment].alaw
            ulaw += clips[segment].ulaw
        alaw += ALAW_SILENCE * (silence_ms * _PER_MS)
        ulaw += ULAW_SILENCE * (silence_ms * _PER_MS)
    rest = -len(alaw) % FRAME_SAMPLES
    alaw += ALAW_SILENCE * rest
    ulaw += ULAW_SILENCE * rest
    return Prompt(bytes(alaw), bytes(ulaw), tuple(marks), voice, warning)
