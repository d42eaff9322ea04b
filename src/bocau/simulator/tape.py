"""What the called phone of `bocau dev` heard, kept as WAV files: `bocau call listen` finds them by the Call-ID."""

import re
from pathlib import Path
from typing import Final

from bocau.simulator.phone import Recording, wav_of

__all__ = ["CALLS_FOLDER", "Tape", "tape_file"]

CALLS_FOLDER: Final = "calls"
"""Beside the store."""

_KEPT: Final = 200
_UNSAFE: Final = re.compile(r"[^0-9A-Za-z-]")


class Tape:
    """Keeps the newest recordings in a folder, which it makes. Calls that were not answered have no sound."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, recording: Recording) -> None:
        """Write one call. A folder that cannot be written costs the recording, not the call."""
        if not recording.frames:
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            tape_file(self._folder, recording.call_id).write_bytes(wav_of(recording))
            files = sorted(self._folder.glob("*.wav"), key=lambda file: file.stat().st_mtime_ns)
            for old in files[:-_KEPT]:
                old.unlink(missing_ok=True)
        except OSError:
            return


def tape_file(folder: Path, call_id: str) -> Path:
    """Where the sound of a call is kept. Never outside the folder, whatever the Call-ID."""
    return folder / f"{_UNSAFE.sub('_', call_id.partition('@')[0])[:64]}.wav"
