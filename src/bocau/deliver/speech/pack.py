"""Recorded packs: a folder with a person's voice, found, checked, and read segment by segment.

pack.toml               name, language, region; description if you like
digits/0.wav ... 9.wav
letters/A.wav ... Z.wav optional
phrases/lead.wav        and, if you like, tail.wav, press_to_hear.wav, press_to_repeat.wav
"""

import hashlib
import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from bocau.core.nearest import did_you_mean
from bocau.deliver.speech.segments import DIGITS, LETTERS, PHRASES, REGIONS, REQUIRED
from bocau.deliver.speech.shaping import FULL_SCALE, clipped, peak, trim
from bocau.deliver.speech.voice import Recipe, SpeechFault, Voice
from bocau.deliver.speech.wav import Sound, WavError, read_wav

__all__ = ["FILES", "MANIFEST", "Finding", "Pack", "PackVoice", "Packs", "check_pack", "find_packs", "read_pack"]

MANIFEST: Final = "pack.toml"

FILES: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{digit: f"digits/{digit}.wav" for digit in DIGITS},
        **{letter: f"letters/{letter}.wav" for letter in LETTERS},
        **{phrase: f"phrases/{phrase}.wav" for phrase in PHRASES},
    }
)
"""Where each segment lies in a pack."""

_KEYS: Final = ("name", "language", "region", "description")
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
_MOST_BYTES: Final = 20_000_000
_SILENT: Final = FULL_SCALE // 100
_LEAST_SECONDS: Final = 0.08
_MOST_SIGN_SECONDS: Final = 2.0
_MOST_PHRASE_SECONDS: Final = 10.0


class Finding(NamedTuple):
    """One thing about a pack that somebody should know."""

    file: str
    """As it lies in the pack."""
    text: str
    """What is wrong, as the end of a sentence about the file, and what was probably meant."""
    fatal: bool = True
    """False: the pack can be used all the same."""

    def __str__(self) -> str:
        return f"{self.file}: {self.text}"


class Pack(NamedTuple):
    """A pack as its manifest describes it."""

    folder: Path
    name: str
    language: str
    region: str
    says: frozenset[str]
    """The segments whose files are there."""


class PackVoice:
    """A person's voice, recorded."""

    engine = "pack"
    warning = ""

    def __init__(self, pack: Pack) -> None:
        self.name = pack.name
        self.says = pack.says
        self._folder = pack.folder

    def recipe(self, segment: str) -> Recipe:
        """The recording itself is the version: another take is another segment. Raises SpeechFault."""
        return Recipe(self.engine, hashlib.sha256(self._read(segment)).hexdigest(), self.name, segment)

    def render(self, segment: str) -> Sound:
        """The recording as it lies in the pack. Raises SpeechFault."""
        try:
            return read_wav(self._read(segment))
        except WavError as error:
            raise SpeechFault(f"{self._folder / FILES[segment]} {error}") from error

    def _read(self, segment: str) -> bytes:
        file = self._folder / FILES[segment]
        try:
            return _bytes_of(file)
        except (OSError, WavError) as error:
            raise SpeechFault(f"{file} cannot be used: {error}") from error


class Packs:
    """The engine of recorded packs: all of a folder, or the one that was named."""

    name = "pack"

    def __init__(self, folder: Path | None, named: str = "") -> None:
        self._folder = folder
        self._named = named

    def voice(self, language: str, region: str) -> Voice | None:
        """The named pack if it is for this language and region, else the first by name that is.

        Raises SpeechFault if the named pack is not there, or cannot be used.
        """
        packs = find_packs(self._folder) if self._folder else []
        if self._named:
            named = [pack for pack in packs if pack.name == self._named]
            if not named:
                meant = did_you_mean(self._named, [pack.name for pack in packs])
                raise SpeechFault(f'there is no usable pack "{self._named}" in {self._folder}{meant}')
            packs = named
        return next((PackVoice(pack) for pack in packs if (pack.language, pack.region) == (language, region)), None)


def find_packs(folder: Path) -> list[Pack]:
    """The packs in a folder, in order of their names. One that lacks what every pack needs is passed over."""
    found = (read_pack(manifest.parent)[0] for manifest in folder.glob(f"*/{MANIFEST}"))
    return sorted((pack for pack in found if pack is not None and pack.says >= REQUIRED), key=lambda pack: pack.name)


def read_pack(folder: Path) -> tuple[Pack | None, list[Finding]]:
    """A pack by its manifest, and what is wrong with that. None if it is too wrong to tell. No sound is read."""
    try:
        text = (folder / MANIFEST).read_bytes().decode("utf-8-sig")
        tree = tomllib.loads(text)
    except FileNotFoundError:
        return None, [Finding(MANIFEST, "is missing; it says name, language and region")]
    except OSError as error:
        return None, [Finding(MANIFEST, f"cannot be read: {error.strerror}")]
    except ValueError as error:
        return None, [Finding(MANIFEST, f"is not TOML: {error}")]
    findings = list(_manifest_findings(tree))
    if any(finding.fatal for finding in findings):
        return None, findings
    says = frozenset(segment for segment, file in FILES.items() if (folder / file).is_file())
    return Pack(folder, tree["name"], tree["language"], tree.get("region", ""), says), findings


def check_pack(folder: Path) -> list[Finding]:
    """Everything that is wrong or odd about a pack, in the order of its files. Reads all of its sound."""
    _, findings = read_pack(folder)
    there = {file for file in _files(folder) if file != MANIFEST}
    findings += [Finding(FILES[segment], "is missing") for segment in FILES if _is_missed(segment, there)]
    findings += _letter_findings(there)
    findings += [finding for segment, file in FILES.items() if file in there for finding in _heard(folder, segment)]
    for file in sorted(there - set(FILES.values())):
        meant = did_you_mean(file, FILES.values())
        findings.append(Finding(file, f"is not used{meant}", fatal=False))
    return findings


def _manifest_findings(tree: Mapping[str, object]) -> Iterator[Finding]:
    for key in tree:
        if key not in _KEYS:
            yield Finding(MANIFEST, f"unknown key {key}{did_you_mean(key, _KEYS)}")
    name, language, region = tree.get("name", ""), tree.get("language", ""), tree.get("region", "")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield Finding(MANIFEST, "name must be 1 to 32 small letters, digits and hyphens, beginning with a letter")
    if not isinstance(language, str) or language not in REGIONS:
        hint = did_you_mean(str(language), REGIONS) if language else ""
        yield Finding(MANIFEST, f"language must be {_listed(tuple(REGIONS))}{hint}")
    elif region not in REGIONS[language]:
        hint = did_you_mean(str(region), REGIONS[language]) if region else ""
        yield Finding(MANIFEST, f'region of language "{language}" must be {_listed(REGIONS[language])}{hint}')


def _listed(words: tuple[str, ...]) -> str:
    *first, last = (f'"{word}"' for word in words)
    return f"{', '.join(first)} or {last}" if first else "left out"


def _files(folder: Path) -> Iterator[str]:
    """All files of the pack, hidden ones aside."""
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for file in files:
            if not file.startswith("."):
                yield (Path(here) / file).relative_to(folder).as_posix()


def _is_missed(segment: str, there: Collection[str]) -> bool:
    return segment in REQUIRED and FILES[segment] not in there


def _letter_findings(there: Collection[str]) -> list[Finding]:
    missing = [letter for letter in LETTERS if FILES[letter] not in there]
    if not missing or len(missing) == len(LETTERS):
        return []
    text = f"some are missing ({', '.join(missing)}); a code with one of them is spoken by another voice"
    return [Finding("letters", text, fatal=False)]


def _heard(folder: Path, segment: str) -> Iterator[Finding]:
    """What is wrong with one recording."""
    file = FILES[segment]
    try:
        sound = read_wav(_bytes_of(folder / file))
    except WavError as error:
        yield Finding(file, str(error))
        return
    except OSError as error:
        yield Finding(file, f"cannot be read: {error.strerror}")
        return
    if peak(sound.samples) < _SILENT:
        yield Finding(file, "is silent; record it louder")
        return
    if clipped(sound.samples):
        yield Finding(file, "is clipped; record it less loud")
    seconds = len(trim(sound)) / sound.rate
    most = _MOST_PHRASE_SECONDS if segment in PHRASES else _MOST_SIGN_SECONDS
    if seconds > most:
        yield Finding(file, f"is too long: {seconds:.1f} s without the silence around it, not {most:.0f} s at most")
    elif seconds < _LEAST_SECONDS:
        yield Finding(file, f"is too short: {seconds * 1_000:.0f} ms, not {_LEAST_SECONDS * 1_000:.0f} ms at least")


def _bytes_of(file: Path) -> bytes:
    """The file, unless it is far too large to be one word. Raises OSError or WavError."""
    with file.open("rb") as stream:
        data = stream.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise WavError("is larger than 20 MB; it should hold one word")
    return data
