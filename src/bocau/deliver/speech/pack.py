"""Recorded packs: folders with a person's voice, found, kept, and read segment by segment.

pack.toml               name, language, region; description if you like
digits/0.wav ... 9.wav
letters/A.wav ... Z.wav optional
phrases/lead.wav        and, if you like, tail.wav, press_to_hear.wav, press_to_repeat.wav
"""

import hashlib
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from bocau.core.nearest import did_you_mean
from bocau.deliver.speech.segments import DIGITS, LETTERS, PHRASES, REGIONS, REQUIRED
from bocau.deliver.speech.voice import Recipe, SpeechFault, Voice
from bocau.deliver.speech.wav import Sound, WavError, read_wav

__all__ = [
    "FILES",
    "MANIFEST",
    "Finding",
    "Pack",
    "PackVoice",
    "Packs",
    "Person",
    "bytes_of",
    "find_packs",
    "keep_pack",
    "read_pack",
]

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
            return bytes_of(file)
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


class Person:
    """The engine of one pack, for calls that ask for it by name: wherever its voice comes from."""

    name = "pack"

    def __init__(self, folder: Path, named: str) -> None:
        self._folder = folder
        self._named = named

    def voice(self, language: str, region: str) -> Voice | None:
        """The pack, if it is there and speaks the language."""
        del region
        mine = (pack for pack in find_packs(self._folder) if (pack.name, pack.language) == (self._named, language))
        return next(map(PackVoice, mine), None)


def find_packs(folder: Path) -> list[Pack]:
    """The packs in a folder, in order of their names. One that lacks what every pack needs is passed over."""
    found = (read_pack(manifest.parent)[0] for manifest in folder.glob(f"[!.]*/{MANIFEST}"))
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


def keep_pack(pack: Pack, folder: Path, replace: bool) -> Path:
    """Copy a pack's own files into the folder of packs, whole or not at all; returns where it lies now.

    Raises FileExistsError if one of that name is there and is not to be replaced, and OSError.
    """
    place = folder / pack.name
    folder.mkdir(parents=True, exist_ok=True)
    if place.exists() and (not replace or place.samefile(pack.folder)):
        raise FileExistsError(place)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as scratch:
        made = Path(scratch) / "made"
        for file in (MANIFEST, *(FILES[segment] for segment in pack.says)):
            (made / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(pack.folder / file, made / file)
        if place.exists():
            place.rename(Path(scratch) / "before")
        made.rename(place)
    return place


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


def bytes_of(file: Path) -> bytes:
    """The file, unless it is far too large to be one word. Raises OSError or WavError."""
    with file.open("rb") as stream:
        data = stream.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise WavError("is larger than 20 MB; it should hold one word")
    return data
