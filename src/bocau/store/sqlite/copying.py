"""A copy of a store that runs, and a copy put in its place: consistent, flushed, never over something by mistake."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from bocau.store.queries import load
from bocau.store.sqlite.identity import flush_folder
from bocau.store.sqlite.opening import Lock, StoreBroken, connect, pending_steps

__all__ = ["Copied", "CopyRefused", "copy_store", "put_in_place"]

_STEP_PAGES: Final = 256
_STEP_BYTES: Final = 1 << 20
_TAILS: Final = ("", "-wal", "-shm")
"""The file, its write-ahead log and that one's index: a log of another file beside it would be taken for its own."""


class CopyRefused(Exception):  # noqa: N818 - an answer, not a fault
    """It cannot be done; the text says why, as a sentence without its full stop."""


class Copied(NamedTuple):
    """What was copied."""

    bytes: int
    messages: int
    """The messages that are in it."""


def copy_store(path: Path, target: Path, now_ms: int, *, force: bool, pause: Callable[[], None]) -> Copied:
    """Copy a store, also beside a gateway that runs on it. `pause` is called after each MiB.

    The whole copy shows one moment, that of its beginning. It is in quarantine: a gateway started on it sends nothing
    until an operator says so. It takes the name of `target` when it is complete, checked and on the disk, and an older
    file of that name is replaced only with `force`. Raises CopyRefused, StoreBroken, OSError, sqlite3.Error.
    """
    _refuse_nonsense(path, target, force=force)
    part = target.with_name(f"{target.name}.part")
    with contextlib.closing(connect(str(path), writing=False)) as source:
        _refuse_other_schema(source)
        _refuse_without_room(source, target)
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        try:
            copied = _copy_pages(source, part, now_ms, pause)
            _flush(part)
            part.replace(target)
        finally:
            for tail in _TAILS:
                part.with_name(part.name + tail).unlink(missing_ok=True)
    flush_folder(target.absolute().parent)
    return copied


def _refuse_nonsense(path: Path, target: Path, *, force: bool) -> None:
    """Whatever could only be a slip of the hand."""
    store = path.resolve()
    if target.resolve().parent == store.parent and target.name.startswith(store.name):
        raise CopyRefused(f"{target} has the name of the store, or of a file that goes with it; choose another name")
    if target.is_dir():
        raise CopyRefused(f"{target} is a folder; give the name of a file in it")
    if not target.absolute().parent.is_dir():
        raise CopyRefused(f"there is no folder {target.absolute().parent}")
    if target.exists() and not target.is_file():
        raise CopyRefused(f"{target} is no ordinary file")
    if target.exists() and not force:
        raise CopyRefused(f"{target} is there already; give another name, or --force to replace it")


def _refuse_other_schema(source: sqlite3.Connection) -> None:
    """A copy that this version cannot mark could be sent from."""
    if pending_steps(source):
        raise CopyRefused("the store is of an older version: copy it with the version that runs on it")


def _refuse_without_room(source: sqlite3.Connection, target: Path) -> None:
    pages, size = (source.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    room = os.statvfs(target.absolute().parent)
    free = room.f_bavail * room.f_frsize
    if pages * size > free:
        raise CopyRefused(f"{target.absolute().parent} has {free >> 20} MiB free, the copy needs {pages * size >> 20}")


def _copy_pages(source: sqlite3.Connection, part: Path, now_ms: int, pause: Callable[[], None]) -> Copied:
    """Copy, check, and put into quarantine."""
    # One read transaction around all steps: they see one moment, and whoever writes meanwhile does not start them anew.
    source.execute("BEGIN")
    source.execute("SELECT 1 FROM migration").fetchone()
    with contextlib.closing(sqlite3.connect(part, isolation_level=None)) as copy:
        copy.execute("PRAGMA synchronous = FULL")
        source.backup(copy, pages=_STEP_PAGES, progress=lambda _status, _left, _all: pause())
        source.execute("COMMIT")
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
        found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise StoreBroken(f"the store is damaged: {found}")
        copy.execute(load("sqlite")["enter_quarantine"], (now_ms, "it is a copy that `bocau backup` made"))
        messages = copy.execute("SELECT count(*) FROM message").fetchone()[0]
    return Copied(part.stat().st_size, messages)


def _flush(file: Path) -> None:
    number = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def put_in_place(path: Path, copy: Path, now_ms: int) -> Path | None:
    """Put a copy in the place of a store that nothing runs on. Returns where the old one lies now, if there was one.

    The old store's log goes with it: left beside the copy, it would be written into it. Raises CopyRefused, StoreInUse,
    StoreBroken, OSError, sqlite3.Error.
    """
    if copy.resolve() == path.resolve():
        raise CopyRefused(f"{copy} is the store itself")
    if not copy.is_file():
        raise CopyRefused(f"there is no file {copy}")
    if any(copy.with_name(copy.name + tail).exists() for tail in _TAILS[1:]):
        raise CopyRefused(f"{copy} has a log beside it: it was not made by `bocau backup`, or something has it open")
    with contextlib.closing(Lock(str(path))), _as_part(copy, path) as part:
        _check(part, copy)
        aside = path.with_name(f"{path.name}.before-{now_ms}") if path.exists() else None
        for tail in _TAILS:
            old = path.with_name(path.name + tail)
            if aside is not None and old.exists():
                old.replace(aside.with_name(aside.name + tail))
        part.replace(path)
        flush_folder(path.resolve().parent)
    return aside


@contextlib.contextmanager
def _as_part(copy: Path, path: Path) -> Iterator[Path]:
    """A second copy beside the store, on the disk; removed unless it was given its name."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(number, "wb") as into, copy.open("rb") as source:
            shutil.copyfileobj(source, into, _STEP_BYTES)
            into.flush()
            os.fsync(into.fileno())
        yield part
    finally:
        part.unlink(missing_ok=True)


def _check(part: Path, copy: Path) -> None:
    """A whole store of ours, in quarantine. Raises CopyRefused, StoreBroken."""
    with contextlib.closing(sqlite3.connect(f"file:{part}?mode=ro&immutable=1", uri=True)) as db:
        try:
            found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            held = db.execute(load("sqlite")["read_identity"]).fetchone()
        except sqlite3.Error as error:
            raise CopyRefused(f"{copy} is no store that `bocau backup` made: {error}") from error
    if found != "ok":
        raise StoreBroken(f"{copy} is damaged: {found}")
    if held[2] is None:
        raise CopyRefused(f"{copy} is no store that `bocau backup` made: it is not in quarantine")
