"""What a source of speech is: an engine has voices, a voice says single segments."""

from typing import Final, NamedTuple, Protocol

from bocau.deliver.speech.wav import Sound

__all__ = ["SYNTHETIC", "TONES", "Engine", "Recipe", "SpeechFault", "Voice"]

SYNTHETIC: Final = "synthetic voice, record your own: docs/how-to/voice-prompts"
"""What the operator sees while a synthesiser speaks to customers."""
TONES: Final = "no speech but test tones; install espeak-ng, or record your own: docs/how-to/voice-prompts"
"""What the operator sees while the built-in signs are played."""


class SpeechFault(Exception):  # noqa: N818 - a fault is ours (house words)
    """A prompt or a voice cannot be had; the text says why. It never holds a code."""


class Recipe(NamedTuple):
    """All that decides how a segment sounds. Equal recipes give equal sound."""

    engine: str
    version: str
    voice: str
    text: str
    """Of one segment; never of a code."""


class Voice(Protocol):
    """Somebody or something that speaks one language."""

    name: str
    """As an operator names it: that of a pack, `north`, `builtin`."""
    engine: str
    warning: str
    """What the operator must know; empty for a person's voice."""
    says: frozenset[str]
    """The segments it has."""

    def recipe(self, segment: str) -> Recipe:
        """What decides how a segment sounds. Raises SpeechFault."""
        ...

    def render(self, segment: str) -> Sound:
        """One segment, as it comes. May take long. Raises SpeechFault."""
        ...


class Engine(Protocol):
    """A kind of voices."""

    name: str
    """As in the setting `voice.engines`."""

    def voice(self, language: str, region: str) -> Voice | None:
        """The voice for a language and a region, or None. Raises SpeechFault if a voice that was named is not there."""
        ...
