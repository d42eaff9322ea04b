"""The two engines that need no recordings: espeak-ng as a program, and the built-in signs."""

import shutil
import subprocess
from collections.abc import Sequence
from itertools import combinations
from operator import mul

import pytest
from tests.rooms.deliver.speech.studio import recording

from bocau.deliver.speech.builtin import BuiltinVoice
from bocau.deliver.speech.espeak import ESPEAK_NAMES, Espeak, run_program
from bocau.deliver.speech.segments import REGIONS, SEGMENTS, WORDS
from bocau.deliver.speech.shaping import fit
from bocau.deliver.speech.voice import SYNTHETIC, TONES, Recipe, SpeechFault, Voice

VERSION = b"eSpeak NG text-to-speech: 1.51  Data at: /usr/lib/espeak-ng-data\n"


class Program:
    """Stands for espeak-ng: keeps what it was run with, and answers with a recording."""

    def __init__(self, sound: bytes = recording("0", 8_000), version: bytes = VERSION) -> None:
        self.runs: list[tuple[tuple[str, ...], bytes]] = []
        self._sound = sound
        self._version = version

    def __call__(self, words: Sequence[str], given: bytes) -> bytes:
        self.runs.append((tuple(words), given))
        return self._version if "--version" in words else self._sound


def voice(program: Program, language: str = "vi", region: str = "north") -> Voice:
    found = Espeak(program).voice(language, region)
    assert found is not None
    return found


def test_every_language_has_words_for_every_segment() -> None:
    """A forgotten one would fall silent at its first call."""
    assert set(WORDS) == set(REGIONS)
    for words in WORDS.values():
        assert set(words) == set(SEGMENTS)
        assert all(words.values())


@pytest.mark.parametrize(
    ("language", "region", "spoken"),
    [
        ("vi", "north", "vi"),
        ("vi", "central", "vi-vn-x-central"),
        ("vi", "south", "vi-vn-x-south"),
        ("en", "", "en"),
    ],
)
def test_a_segment_is_spoken_with_its_words_on_standard_input(language: str, region: str, spoken: str) -> None:
    """The command line, which everybody on the machine can read, is the same for every segment."""
    program = Program()
    one = voice(program, language, region)
    for segment in SEGMENTS:
        one.render(segment)
    commands = {words for words, _ in program.runs[1:]}
    assert commands == {("espeak-ng", "-v", spoken, "-s", "110", "-g", "20", "--stdin", "--stdout")}
    assert [given.decode() for _, given in program.runs[1:]] == [WORDS[language][segment] for segment in SEGMENTS]


def test_what_decides_the_sound_is_in_the_recipe() -> None:
    """A new version of the program, or another voice, renders anew."""
    expected = Recipe("espeak-ng", "1.51", "vi -s 110 -g 20", "sáu")
    assert voice(Program()).recipe("6") == expected
    assert voice(Program(version=b"1.52.0")).recipe("6") == expected._replace(version="1.52.0")
    assert voice(Program()).warning == SYNTHETIC


def test_no_program_means_no_voice() -> None:
    """It is optional: nothing is raised, another engine speaks."""

    def missing(words: Sequence[str], given: bytes) -> bytes:
        raise FileNotFoundError(2, "No such file or directory")

    assert Espeak(missing).voice("vi", "north") is None
    assert Espeak(Program()).voice("fr", "") is None


def test_a_program_that_fails_is_a_speech_fault() -> None:
    """Whether it dies or talks nonsense."""

    def dying(words: Sequence[str], given: bytes) -> bytes:
        if "--version" in words:
            return VERSION
        raise subprocess.CalledProcessError(1, list(words))

    found = Espeak(dying).voice("vi", "north")
    assert found is not None
    with pytest.raises(SpeechFault, match="could not speak as north: Command"):
        found.render("6")
    with pytest.raises(SpeechFault, match="could not speak as north: is not a WAV file"):
        voice(Program(sound=b"oops")).render("6")


def test_a_program_is_run_with_its_input() -> None:
    """The real runner, on a program that every machine has; one that fails raises."""
    assert run_program(("cat",), "sáu".encode()) == "sáu".encode()
    with pytest.raises(subprocess.CalledProcessError):
        run_program(("false",), b"")


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
@pytest.mark.parametrize(("language", "region"), ESPEAK_NAMES)
def test_the_real_program_speaks_every_voice(language: str, region: str) -> None:
    """Each voice has sound for a digit and for the lead, and they differ."""
    one = Espeak().voice(language, region)
    assert one is not None
    six, lead = (fit(one.render(segment)) for segment in ("6", "lead"))
    assert 0.1 * 8_000 < len(six) < 1.5 * 8_000 < len(lead) < 8 * 8_000


def test_no_two_built_in_signs_sound_alike() -> None:
    """Any two signs share at most one of four notes; a phrase's long first note may cover more of a sign."""
    one = BuiltinVoice()
    assert one.warning == TONES
    sounds = {segment: fit(one.render(segment)) for segment in SEGMENTS}
    for a, b in combinations(SEGMENTS, 2):
        first, second = sounds[a], sounds[b]
        product = sum(map(mul, first, second))
        energy = sum(map(mul, first, first)) * sum(map(mul, second, second))
        assert abs(product) / energy**0.5 < (0.3 if len(first) == len(second) else 0.5), (a, b)


def test_the_built_in_signs_are_the_same_everywhere() -> None:
    """So a recording of a call can be checked on another machine."""
    assert BuiltinVoice().render("7") == BuiltinVoice().render("7")
    assert len(BuiltinVoice().render("7").samples) == 4 * 640
    assert len(BuiltinVoice().render("lead").samples) == 4 * 1_600
