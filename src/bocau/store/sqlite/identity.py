"""Telling a store from a copy of it (promises P17, 4.12).

A store has a name and a count that grows with its starts and its sending; a small file beside it, the mark, says how
far it came last. A store that lags behind its mark was restored, one without a mark came from elsewhere: it starts in
quarantine, under a new name, and sends nothing until an operator says so.
"""

import os
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from bocau.store.queries import Queries
from bocau.store.work import Work

__all__ = ["Identity", "Mark", "MarkFile", "Seen", "doubt", "flush_folder", "settle"]

_SIZE: Final = 256
"""Bytes of a mark, blanks included: written in place, it lies in one sector of the disk."""
_SLACK_MS: Final = 120_000
"""How much later than it says a mark may have been touched: clocks that are set differ for a minute."""


class Identity(NamedTuple):
    """What the store says of itself."""

    store_id: str
    """Empty before its first start."""
    beat: int
    quarantined_ms: int | None
    why: str


class Mark(msgspec.Struct, frozen=True):
    """What the file beside it says: how far the store had come when it was written."""

    store_id: str
    beat: int
    at_ms: int
    inode: int


class Seen(NamedTuple):
    """A mark as it was found, with what the file system says of its file."""

    mark: Mark
    inode: int
    touched_ms: int


def doubt(inside: Identity, seen: Seen | None) -> str:
    """Why the store may not be the one that ran here last; empty if it is, or never ran."""
    if not inside.store_id:
        return ""
    if seen is None:
        return "it was copied or restored: no mark of its last start lies beside it"
    mark = seen.mark
    if mark.store_id != inside.store_id:
        return "it was copied or restored: the mark beside it is of another store"
    if mark.beat > inside.beat:
        return "it was restored: it is older than the store that ran here last"
    if mark.inode != seen.inode and seen.touched_ms > mark.at_ms + _SLACK_MS:
        return "it was copied together with its folder"
    return ""


async def settle(db: Work, q: Queries, seen: Seen | None, now_ms: int) -> tuple[Identity, bool]:
    """At a start, inside the caller's transaction: enter quarantine if there is doubt, and count the start.

    Returns how the store stands, and whether its mark must lie there before this is committed: that of a store that
    never ran, which would look like a copy if its mark were missing.
    """
    inside = Identity._make((await db.rows(q["read_identity"]))[0])
    why = doubt(inside, seen)
    if why:
        await db.change(q["enter_quarantine"], (now_ms, why))
        await db.change(q["insert_audit"], (now_ms, "gateway", "store.quarantine", why))
    if why or not inside.store_id:
        name = (await db.rows("SELECT lower(hex(randomblob(16)))"))[0]
        await db.change(q["rename_store"], name)
    await db.rows(q["count_beat"])
    return Identity._make((await db.rows(q["read_identity"]))[0]), not inside.store_id


def flush_folder(folder: Path) -> None:
    """Have the names of files that came into a folder, or changed there, on the disk. Raises OSError."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)


class MarkFile:
    """`<store>.mark`, beside the file itself, whatever links lead there."""

    def __init__(self, path: str) -> None:
        self._place = Path(f"{Path(path).resolve()}.mark")
        self._file = -1

    def read(self) -> Seen | None:
        """What lies there; None if there is nothing that can be read."""
        try:
            found = self._place.stat()
            mark = msgspec.json.decode(self._place.read_bytes(), type=Mark)
        except (OSError, msgspec.MsgspecError):
            return None
        return Seen(mark, found.st_ino, found.st_ctime_ns // 1_000_000)

    def write(self, store_id: str, beat: int, at_ms: int, *, flushed: bool) -> None:
        """Say how far the store came, after the commit that it came there by. Raises OSError."""
        if self._file < 0:
            self._file = os.open(self._place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        mark = Mark(store_id, beat, at_ms, os.fstat(self._file).st_ino)
        os.pwrite(self._file, msgspec.json.encode(mark).ljust(_SIZE - 1) + b"\n", 0)
        if flushed:
            os.fsync(self._file)
            flush_folder(self._place.parent)

    def close(self) -> None:
        """Let go of it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
