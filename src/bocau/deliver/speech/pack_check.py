"""Whether a recorded pack is fit to be used: every file is read, and everything wrong is told at once."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from bocau.core.nearest import did_you_mean
from bocau.deliver.speech.pack import FILES, MANIFEST, Finding, bytes_of, read_pack
from bocau.deliver.speech.segments import LETTERS, PHRASES, REQUIRED
from bocau.deliver.speech.shaping import FULL_SCALE, clipped, peak, trim
from bocau.deliver.speech.wav import WavError, read_wav

__all__ = ["check_pack"]

_SILENT: Final = FULL_SCALE // 100
_LEAST_SECONDS: Final = 0.08
_MOST_SIGN_SECONDS: Final = 2.0
_MOST_PHRASE_SECONDS: Final = 10.0


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
        sound = read_wav(bytes_of(folder / file))
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
