"""Opening the file: pragmas that make a commit mean what we promise, the lock, and the migrations."""

import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bocau.store.contract import StoreBroken, StoreInUse
from bocau.store.migrations import read_steps

__all__ = ["Lock", "StoreBroken", "StoreInUse", "connect", "gateway_runs", "is_older", "migrate", "pending_steps"]

_BUSY_MS: Final = 5_000
_MIGRATION_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)"
)


def connect(path: str, *, writing: bool) -> sqlite3.Connection:
    """Open a connection. Raises StoreBroken if the file cannot be a store.

    synchronous=FULL is set on every open and read back: under NORMAL a power cut loses acknowledged rows (promises M1).
    """
    try:
        if writing:
            # Made before SQLite opens it, so that nobody else can ever read it; the log files take the same mode.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    except (sqlite3.Error, OSError) as error:
        raise StoreBroken(f"{path}: {error}") from error
    try:
        _prepare(db, path, writing=writing)
    except sqlite3.Error as error:
        db.close()
        raise StoreBroken(f"{path}: {error}") from error
    except StoreBroken:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, path: str, *, writing: bool) -> None:
    """Set what a connection needs, and read back what our promises hang on."""
    db.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    _refuse_foreign(db, path)
    mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA cache_size = -32768")
    db.execute("PRAGMA wal_autocheckpoint = 4000")
    if writing:
        # What is deleted or written over is gone from the file at once, for copies too (promises S7).
        db.execute("PRAGMA secure_delete = ON")
    else:
        db.execute("PRAGMA query_only = ON")
    if mode not in ("wal", "memory") or db.execute("PRAGMA synchronous").fetchone()[0] != 2:
        raise StoreBroken(f"{path}: write-ahead logging with full synchronisation is not to be had here")


def _refuse_foreign(db: sqlite3.Connection, path: str) -> None:
    """A database of another program is left as it is."""
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and "migration" not in tables:
        raise StoreBroken(f"{path}: this is the database of another program")


def migrate(db: sqlite3.Connection, steps: Mapping[int, tuple[str, str]] | None = None) -> int:
    """Bring the schema up to date, each step in one transaction. Returns the version.

    Raises StoreBroken if a step that was applied differs from ours, the file is newer than this program, or a step
    fails; then the schema is as it was before that step. `steps` are those of this version unless given.
    """
    steps = read_steps("sqlite") if steps is None else steps
    try:
        db.execute(_MIGRATION_TABLE)
        for number in pending_steps(db, steps):
            name, text = steps[number]
            _apply(db, number, name, text, _checksum(text))
    except sqlite3.Error as error:
        raise StoreBroken(f"the schema could not be brought up to date: {error}") from error
    return max(steps)


def pending_steps(db: sqlite3.Connection, steps: Mapping[int, tuple[str, str]] | None = None) -> list[int]:
    """The steps that the schema of a store still lacks, in order.

    Raises StoreBroken if a step that was applied differs from ours, or the file is newer than this program.
    """
    steps = read_steps("sqlite") if steps is None else steps
    applied = dict(db.execute("SELECT number, checksum FROM migration").fetchall())
    for number in sorted(set(applied) - set(steps)):
        raise StoreBroken(f"the store has schema step {number}, unknown to this version: run a newer bocau")
    for number, checksum in sorted(applied.items()):
        name, text = steps[number]
        if checksum != _checksum(text):
            raise StoreBroken(f"schema step {number} ({name}) is not the one that was applied to this store")
    return sorted(set(steps) - set(applied))


def is_older(db: sqlite3.Connection) -> bool:
    """Whether a store was made by a version before; one that is not made yet is none."""
    made = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'migration'").fetchone()
    return made is not None and bool(pending_steps(db))


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _apply(db: sqlite3.Connection, number: int, name: str, text: str, checksum: str) -> None:
    """Run one step. It is entered in the list first: a process that did the same step meanwhile makes that fail."""
    script = f"BEGIN IMMEDIATE;\nINSERT INTO migration VALUES ({number}, '{name}', '{checksum}');\n{text}\nCOMMIT;"
    try:
        db.executescript(script)
    except sqlite3.Error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        meanwhile = db.execute("SELECT checksum FROM migration WHERE number = ?", (number,)).fetchone()
        if meanwhile != (checksum,):
            raise


def gateway_runs(path: str) -> bool:
    """Whether a gateway holds the lock of a store."""
    try:
        with Path(f"{Path(path).resolve()}.lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    except OSError as error:
        raise StoreBroken(f"{path}: {error}") from error
    return False


class Lock:
    """Holds `<path>.lock` for as long as a gateway runs on the store; the kernel lets go of it if the process dies.

    The lock stands beside the file itself, whatever links lead there. Raises StoreInUse, or StoreBroken if there is
    no place for it.
    """

    def __init__(self, path: str) -> None:
        place = f"{Path(path).resolve()}.lock"
        try:
            self._file = Path(place).open("a+", encoding="ascii")  # noqa: SIM115 - held until close()
        except OSError as error:
            raise StoreBroken(f"{path}: {error}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            holder = self._file.read().strip()
            self._file.close()
            raise StoreInUse(f"{path} is in use by the gateway with process id {holder or 'unknown'}") from error
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def close(self) -> None:
        """Let go."""
        self._file.close()
