"""Turns codes into prompts: `Speaker.prompt("686868", "vi", "north", Options())`.

A voice is prepared whole, at its first use or by `warm`; from then on a prompt is a concatenation of bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from bocau.deliver.speech.builtin import Builtin
from bocau.deliver.speech.cache import Cache
from bocau.deliver.speech.espeak import Espeak
from bocau.deliver.speech.pack import Packs, Person
from bocau.deliver.speech.prompt import Clip, Options, Piece, Prompt, invitation_pieces, lay, prompt_pieces
from bocau.deliver.speech.segments import DIGITS, LETTERS, PHRASES, REGIONS, REQUIRED
from bocau.deliver.speech.shaping import fit
from bocau.deliver.speech.voice import Engine, SpeechFault, Voice
from bocau.deliver.speech.wav import little
from bocau.wire.esms.calls import VOICES
from bocau.wire.rtp.g711 import alaw_encode, ulaw_encode

__all__ = ["Prepared", "Setup", "Speaker", "make_speaker"]

_SIGNS: Final = frozenset(DIGITS + LETTERS)
NOBODY: Final[Mapping[str, Engine]] = MappingProxyType({})
_CODE_LENGTHS: Final = range(1, 17)
_REPEATS: Final = range(1, 4)
_MOST_SECONDS: Final = 45.0
"""Of a prompt; a call ends after 60 s (voice, State machine). A longer one is said less often, but at least once."""


class Prepared(NamedTuple):
    """A voice with all its segments ready to play."""

    voice: Voice
    clips: Mapping[str, Clip]
    fault: str
    """Why no voice of an earlier engine speaks; empty if none failed."""

    @property
    def warning(self) -> str:
        """What the operator must know: of the voice, and why it is this one."""
        return "; ".join(filter(None, (self.voice.warning, self.fault)))


@dataclass(slots=True)
class _Slot:
    """What is known of one engine's voice for a language and region."""

    voice: Voice | None
    fault: str = ""
    """Why it cannot speak."""
    clips: Mapping[str, Clip] = field(default_factory=dict)
    """Empty until it was prepared."""


class Setup(NamedTuple):
    """What a speaker is made of, in plain values."""

    engines: Sequence[str] = ("pack", "espeak-ng", "builtin")
    """By name, the preferred one first."""
    packs_folder: Path | None = None
    pack: str = ""
    """The one recorded pack to use; empty: whichever fits."""
    cache_folder: Path | None = None


class Speaker:
    """Voices of several engines, the preferred one first. A voice that fails is not tried again."""

    def __init__(self, engines: Sequence[Engine], cache: Cache, persons: Mapping[str, Engine] = NOBODY) -> None:
        """`persons` speak where a call asks for them by name; where they cannot, the engines do."""
        self._engines = tuple(engines)
        self._cache = cache
        self._persons = persons
        self._slots: dict[tuple[Engine, str, str], _Slot] = {}

    def warm(self, language: str, region: str, options: Options) -> Prepared:
        """Prepare what codes of digits and codes with letters need. Blocks: a few seconds at the very first time.

        Returns the voice that speaks codes of digits if no other is asked for. Raises SpeechFault if there is none.
        """
        prepared = self._find(language, region, _needed(DIGITS, options))
        for person in self._persons:
            self._find(language, region, _needed(DIGITS, options), person)
        with suppress(SpeechFault):  # no voice has letters: a code with one is refused when it comes
            self._find(language, region, _needed(DIGITS + LETTERS, options))
        return prepared

    def prompt(self, code: str, language: str, region: str, options: Options, person: str = "") -> Prompt:
        """The sound of one call that says the code. Blocks only if the voice was not prepared.

        The first engine whose voice has all that is needed speaks all of it. A code is said less often than asked for
        where the prompt would exceed 45 s. Raises SpeechFault if no voice has all, and for a code that is not 1 to 16
        of the signs 0 to 9 and A to Z.
        """
        if len(code) not in _CODE_LENGTHS or not _SIGNS.issuperset(code):
            raise SpeechFault("a code is 1 to 16 of the signs 0 to 9 and A to Z")
        if options.repeats not in _REPEATS:
            raise SpeechFault("a code is said 1 to 3 times")
        prepared = self._find(language, region, _needed(code, options), person)
        prompt = _coded(code, options, prepared)
        for repeats in range(options.repeats - 1, 0, -1):
            if prompt.seconds <= _MOST_SECONDS:
                break
            prompt = _coded(code, replace(options, repeats=repeats), prepared)
        return prompt

    def invitation(self, language: str, region: str, options: Options, person: str = "") -> Prompt:
        """What is played until the called person presses 1, so that no answering machine hears the code.

        Raises SpeechFault if no voice has the phrase.
        """
        prepared = self._find(language, region, REQUIRED | {"press_to_hear"}, person)
        return _laid(invitation_pieces(options), prepared)

    def _find(self, language: str, region: str, needed: frozenset[str], person: str = "") -> Prepared:
        """The first voice that has the segments, prepared. Raises SpeechFault."""
        faults: list[str] = []
        known = region if region in REGIONS.get(language, ()) else ""
        asked = self._persons.get(person)
        for engine in self._engines if asked is None else (asked, *self._engines):
            slot = self._slot(engine, language, known)
            if slot.voice is not None and slot.voice.says >= needed and self._prepare(slot, slot.voice):
                return Prepared(slot.voice, slot.clips, "; ".join(faults))
            if slot.fault:
                faults.append(slot.fault)
            elif slot.voice is not None:
                faults.append(_lack(slot.voice, needed))
        where = f"{language} {region}".strip()
        raise SpeechFault("; ".join([*faults, f"no voice for {where} has all that is needed"]))

    def _slot(self, engine: Engine, language: str, region: str) -> _Slot:
        key = (engine, language, region)
        if key not in self._slots:
            try:
                self._slots[key] = _Slot(engine.voice(language, region))
            except SpeechFault as fault:
                self._slots[key] = _Slot(None, str(fault))
        return self._slots[key]

    def _prepare(self, slot: _Slot, voice: Voice) -> bool:
        """Fill the slot with all that the voice says; false if it cannot."""
        if not slot.clips and not slot.fault:
            try:
                slot.clips = {segment: self._clip(voice, segment) for segment in sorted(voice.says)}
            except SpeechFault as fault:
                slot.fault = str(fault)
        return bool(slot.clips)

    def _clip(self, voice: Voice, segment: str) -> Clip:
        """One segment from the cache, or rendered and kept there. Raises SpeechFault."""
        recipe = voice.recipe(segment)
        samples = self._cache.get(recipe)
        if samples is None:
            samples = fit(voice.render(segment))
            if not samples:
                raise SpeechFault(f"voice {voice.name} of {voice.engine} has no sound for {segment}")
            self._cache.put(recipe, samples)
        pcm = little(samples)
        return Clip(alaw_encode(pcm), ulaw_encode(pcm))


def make_speaker(setup: Setup) -> Speaker:
    """A speaker with the named engines. Raises KeyError for a name that no engine has."""
    engines: Mapping[str, Engine] = {
        "pack": Packs(setup.packs_folder, setup.pack),
        "espeak-ng": Espeak(),
        "builtin": Builtin(),
    }
    folder = setup.packs_folder if "pack" in setup.engines else None
    persons = {name: Person(folder, name) for name in VOICES} if folder else NOBODY
    return Speaker([engines[name] for name in setup.engines], Cache(setup.cache_folder), persons)


def _lack(voice: Voice, needed: frozenset[str]) -> str:
    """What a voice has not; of the signs of a code no more than that some are missing."""
    phrases = sorted(needed.intersection(PHRASES) - voice.says)
    return f"voice {voice.name} of {voice.engine} has no {', no '.join(phrases or ['letters'])}"


def _needed(signs: str, options: Options) -> frozenset[str]:
    return frozenset(signs) | {"lead"} | ({"press_to_repeat"} if options.press_to_repeat else set())


def _coded(code: str, options: Options, prepared: Prepared) -> Prompt:
    return _laid(prompt_pieces(code, options, "tail" in prepared.clips), prepared)


def _laid(pieces: Iterable[Piece], prepared: Prepared) -> Prompt:
    return lay(pieces, prepared.clips, prepared.voice.name, prepared.warning)
