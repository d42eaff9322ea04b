"""Signs instead of speech, from nothing: every segment is four notes that no other segment has.

This is not speech, and nobody could log in with it. It lets a call be tried, and checked by a program, on a machine
without recordings and without a synthesiser.

The notes of a segment are a Reed-Solomon word over seven pitches: any two segments share at most one note at the same
place, so their correlation stays near a quarter.
"""

import math
from array import array
from typing import Final

from bocau.deliver.speech.segments import PHRASES, SEGMENTS
from bocau.deliver.speech.voice import TONES, Recipe, Voice
from bocau.deliver.speech.wav import Sound
from bocau.wire.rtp.g711 import SAMPLES_PER_SECOND

__all__ = ["Builtin", "BuiltinVoice"]

_PITCHES: Final = (425, 500, 600, 725, 875, 1_050, 1_275)
"""In hertz. Each has its octave with it; none is close to another one's octave, nor any pair to a key's two tones."""
_NOTES: Final = 4
_SIGN_SECONDS: Final = 0.08
_PHRASE_SECONDS: Final = 0.2
_RISE_SECONDS: Final = 0.01
_FALL_SECONDS: Final = 0.02
_AMPLITUDE: Final = 6_000
_OCTAVE: Final = 0.4


class BuiltinVoice:
    """The one voice of this engine, the same in every language."""

    name = "builtin"
    engine = "builtin"
    warning = TONES
    says: frozenset[str] = frozenset(SEGMENTS)

    def recipe(self, segment: str) -> Recipe:
        """The segment's name is all."""
        return Recipe(self.engine, "1", self.name, segment)

    def render(self, segment: str) -> Sound:
        """Four notes; a phrase has longer ones than a sign."""
        seconds = _PHRASE_SECONDS if segment in PHRASES else _SIGN_SECONDS
        samples = array("h")
        for note in _word(SEGMENTS.index(segment)):
            samples += _tone(_PITCHES[note], seconds)
        return Sound(samples, SAMPLES_PER_SECOND)


class Builtin:
    """The engine that is always there."""

    name = "builtin"

    def voice(self, language: str, region: str) -> Voice | None:
        """The one voice."""
        del language, region
        return BuiltinVoice()


def _word(number: int) -> list[int]:
    """The code word of a number below 49: the values of one line at four places, modulo seven."""
    slope, start = divmod(number, len(_PITCHES))
    return [(start + slope * place) % len(_PITCHES) for place in range(_NOTES)]


def _tone(pitch: int, seconds: float) -> "array[int]":
    """One note: a pitch and its octave, rising and falling softly."""
    length = round(seconds * SAMPLES_PER_SECOND)
    turn = 2 * math.pi * pitch / SAMPLES_PER_SECOND
    return array("h", [round(_swell(at, length) * _wave(turn * at)) for at in range(length)])


def _wave(angle: float) -> float:
    return _AMPLITUDE * (math.sin(angle) + _OCTAVE * math.sin(2 * angle))


def _swell(at: int, length: int) -> float:
    rise = at / (_RISE_SECONDS * SAMPLES_PER_SECOND)
    fall = (length - at) / (_FALL_SECONDS * SAMPLES_PER_SECOND)
    return 0.5 - 0.5 * math.cos(math.pi * min(1.0, rise, fall))
