"""Rendered segments on disk, so that a restart renders nothing.

A file is named by a digest of its recipe and holds a WAV of one segment. A voice is always rendered whole, so neither
names nor times tell which signs a code had.
"""

import hashlib
import tempfile
from array import array
from pathlib import Path
from typing import Final

from bocau.deliver.speech.voice import Recipe
from bocau.deliver.speech.wav import Sound, WavError, read_wav, write_wav
from bocau.wire.rtp.g711 import SAMPLES_PER_SECOND

__all__ = ["Cache"]

_SHAPE: Final = "1"
"""Raise it when `shaping.fit` changes what it makes of the same sound."""


class Cache:
    """A folder of segments. What cannot be read is as if it were not there; what cannot be written is not kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, recipe: Recipe) -> "array[int] | None":
        """The samples of a segment, 8,000 a second, or None."""
        if self._folder is None:
            return None
        try:
            sound = read_wav(self._path(self._folder, recipe).read_bytes())
        except (OSError, WavError):
            return None
        return sound.samples if sound.rate == SAMPLES_PER_SECOND else None

    def put(self, recipe: Recipe, samples: "array[int]") -> None:
        """Keep the samples of a segment; a reader sees the whole file or none."""
        if self._folder is None:
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._folder, prefix=".new-") as scratch:
                file = Path(scratch) / "segment.wav"
                file.write_bytes(write_wav(Sound(samples, SAMPLES_PER_SECOND)))
                file.replace(self._path(self._folder, recipe))
        except OSError:
            return  # it will be rendered again at the next start

    def _path(self, folder: Path, recipe: Recipe) -> Path:
        engine, version, voice, text = recipe
        key = "\0".join((_SHAPE, engine, version, voice, str(SAMPLES_PER_SECOND), text))
        return folder / f"{hashlib.sha256(key.encode()).hexdigest()}.wav"
