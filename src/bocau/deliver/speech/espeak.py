"""The synthesiser espeak-ng, as a program beside us: text by its standard input, a WAV file by its standard output.

It is under the GPL, so it is run and never linked, loaded or shipped. It is given one segment at a time: no code ever
reaches it, and no text stands in a list of processes.
"""

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bocau.deliver.speech.segments import SEGMENTS, WORDS
from bocau.deliver.speech.voice import SYNTHETIC, Recipe, SpeechFault
from bocau.deliver.speech.wav import Sound, WavError, read_wav

__all__ = ["ESPEAK_NAMES", "Espeak", "EspeakVoice", "Run", "run_program"]

Run = Callable[[Sequence[str], bytes], bytes]
"""Runs a program: words of its command line, its input; returns its output. Raises OSError or SubprocessError."""

ESPEAK_NAMES: Final[Mapping[tuple[str, str], str]] = {
    ("vi", "north"): "north",
    ("vi", "central"): "central",
    ("vi", "south"): "south",
    ("en", ""): "english",
}
"""The voices by language and region, under the names that an operator uses."""

_PROGRAM: Final = "espeak-ng"
_VOICES: Final[Mapping[str, str]] = {
    "north": "vi",
    "central": "vi-vn-x-central",
    "south": "vi-vn-x-south",
    "english": "en",
}
_STYLE: Final = ("-s", "110", "-g", "20")
"""Words a minute, and the pause between words in units of 10 ms: what was understood best of what was tried."""
_VERSION: Final = re.compile(rb"[0-9]+(?:\.[0-9]+)+\S*")
_SECONDS: Final = 10.0


def run_program(words: Sequence[str], given: bytes) -> bytes:
    """Run a program of this machine, for ten seconds at most. Raises OSError or SubprocessError."""
    return subprocess.run(  # noqa: S603 - the words are our own constants
        words, input=given, capture_output=True, check=True, timeout=_SECONDS
    ).stdout


class EspeakVoice:
    """One voice of espeak-ng."""

    engine = "espeak-ng"
    warning = SYNTHETIC
    says: frozenset[str] = frozenset(SEGMENTS)

    def __init__(self, name: str, language: str, version: str, run: Run) -> None:
        self.name = name
        self._words = WORDS[language]
        self._version = version
        self._run = run

    def recipe(self, segment: str) -> Recipe:
        """The words said, and how."""
        return Recipe(self.engine, self._version, " ".join((_VOICES[self.name], *_STYLE)), self._words[segment])

    def render(self, segment: str) -> Sound:
        """Say one segment. Takes 20 to 80 ms."""
        command = (_PROGRAM, "-v", _VOICES[self.name], *_STYLE, "--stdin", "--stdout")
        try:
            return read_wav(self._run(command, self._words[segment].encode()))
        except (OSError, subprocess.SubprocessError, WavError) as error:
            raise SpeechFault(f"espeak-ng could not speak as {self.name}: {error}") from error


class Espeak:
    """The engine, if the program is installed."""

    name = "espeak-ng"

    def __init__(self, run: Run = run_program) -> None:
        self._run = run

    def voice(self, language: str, region: str) -> EspeakVoice | None:
        """The voice, or None if there is no such voice or no such program."""
        name = ESPEAK_NAMES.get((language, region))
        version = self._version() if name else ""
        return EspeakVoice(name, language, version, self._run) if name and version else None

    def _version(self) -> str:
        """Of the program; empty if it cannot be run."""
        try:
            found = _VERSION.search(self._run((_PROGRAM, "--version"), b""))
        except (OSError, subprocess.SubprocessError):
            return ""
        return found.group().decode("ascii", "replace") if found else "unknown"
