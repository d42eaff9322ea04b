"""Room on the disk for what is under way: new work is refused before the disk is full (promises P15).

Once a disk is full, answers and receipts cannot be stored either. So new sends are refused while there is still room,
and a file beside the store holds some more, which is given up when other programs take the last of it.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Reserve", "Verdict", "judge"]

_STEP: Final = 16 << 20
"""The file grows by so much at a look: some file systems write it out, which takes time."""


class Verdict(NamedTuple):
    """What follows from a look at the disk."""

    refuses: bool
    """New sends are refused."""
    held: int
    """How large the file should be now."""


def judge(free: int, held: int, size: int, *, refuses: bool) -> Verdict:
    """`free` bytes are left beside the `held` ones of a reserve of `size`. Pure.

    Below the size new work is refused, until a quarter more is free; below a quarter of it the file is given up.
    """
    if free < size // 4:
        return Verdict(True, 0)
    enough = size + size // 4
    if free < size or (refuses and free < enough):
        return Verdict(True, held)
    step = min(_STEP, size - held)
    return Verdict(False, held + step if free - step >= enough else held)


class Reserve:
    """`<store>.reserve`, and the room around it. A `size` of 0 bytes: nothing is looked at."""

    def __init__(self, path: str, size: int, free: Callable[[], int]) -> None:
        self._place = Path(f"{Path(path).resolve()}.reserve")
        self._size = size
        self._free = free
        self._refuses = False

    def look(self) -> str:
        """Look at the disk and do what follows; why new sends are refused, for people, empty if they are not."""
        if not self._size:
            return ""
        free, held = self._free(), self._held()
        self._refuses, wanted = judge(free, held, self._size, refuses=self._refuses)
        if wanted != held:
            self._resize(held, wanted)
        if not self._refuses:
            return ""
        kept = f"{self._size >> 20} MiB are kept for what is under way"
        return f"the disk of the store has {free >> 20} MiB free, and {kept}"

    def _held(self) -> int:
        try:
            return self._place.stat().st_size
        except OSError:
            return 0

    def _resize(self, held: int, wanted: int) -> None:
        """Grow or give up the file. A disk that has no room for it after all is looked at again."""
        try:
            if not wanted:
                self._place.unlink(missing_ok=True)
                return
            number = os.open(self._place, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(number, held, wanted - held)
            finally:
                os.close(number)
        except OSError:
            return
