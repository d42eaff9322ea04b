"""Group commit on SQLite: one connection writes, and only COMMIT is left to a thread.

The statements run on the loop's own thread, and only COMMIT, which waits for the disk, runs on another: two threads
that both run statements would hand the interpreter's lock to and fro for every row, which was measured to cost more
than the statements. `threaded=False` commits in line too, for simulation and for commands beside a gateway.
"""

import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from bocau.store.contract import StoreFault
from bocau.store.gathering import Gathering, Kind, Lot, everybody
from bocau.store.sqlite.work import SqliteWork
from bocau.store.work import at_once

__all__ = ["GroupCommit"]

_ONE_ITEM: Final = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError, sqlite3.InterfaceError)
"""Errors of SQLite that one item's values cause; any other is about the file."""


_PASSING: Final = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL")

_BUSY_SECONDS: Final = 5.0
_BUSY_RETRY_SECONDS: Final = 0.005


class GroupCommit(Gathering):
    """The one writer of a file. A failed flush is never tried again (promises P16)."""

    broken_rules = (sqlite3.IntegrityError,)

    def __init__(self, db: sqlite3.Connection, *, threaded: bool, on_fatal: Callable[[BaseException], None]) -> None:
        super().__init__(on_fatal)
        self._db = db
        self._work = SqliteWork(db)
        self._log_full = False
        self.log_is_empty = False
        """Whether the last `empty_log` did what it was asked for."""
        self._jobs: queue.SimpleQueue[tuple[list[Lot], list[Sequence[Any]]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        if threaded:
            db.execute("PRAGMA busy_timeout = 0")  # another writer is waited for without stopping the loop
            self._thread = threading.Thread(target=self._commit_all, name="bocau-writer", daemon=True)
            self._thread.start()

    async def close(self) -> None:
        """Finish what waits, then stop the committing thread."""
        await super().close()
        thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            await self._loop.run_in_executor(None, thread.join)

    def empty_log(self) -> None:
        """With the commit of the running transaction, have the write-ahead log written back and cut to nothing."""
        self._log_full, self.log_is_empty = True, False

    def _transact(self, lots: list[Lot]) -> None:
        self._try(lots, self._loop.time() + _BUSY_SECONDS)

    def _try(self, lots: list[Lot], give_up_at: float) -> None:
        """Run the statements here, and have them committed. Another process that writes just now is waited for."""
        if self._dead is not None or self._closed:
            self._finish(lots, everybody(lots, StoreFault("the store has stopped")))
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            results = [self._run(kind, items) for kind, items, _ in lots]
        except sqlite3.Error as error:
            if _is_busy(error) and not self._db.in_transaction and self._loop.time() < give_up_at:
                self._loop.call_later(_BUSY_RETRY_SECONDS, self._try, lots, give_up_at)
                return
            self._give_up(lots, error)
            return
        if self._thread is not None:
            self._jobs.put((lots, results))
        else:
            self._committed(lots, results, self._commit())

    def _commit_all(self) -> None:
        """The committing thread: it waits for the disk, so that the loop does not."""
        while (job := self._jobs.get()) is not None:
            self._loop.call_soon_threadsafe(self._committed, *job, self._commit())

    def _commit(self) -> sqlite3.Error | None:
        """Make the transaction durable; the error if that cannot be done."""
        try:
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            return error
        return self._cut_log() if self._log_full else None

    def _cut_log(self) -> sqlite3.Error | None:
        """Who reads an old state, or a full disk, keep the log as it is; any other error is a failed flush."""
        self._log_full = False
        try:
            self.log_is_empty = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        except sqlite3.Error as error:
            return None if getattr(error, "sqlite_errorname", "").startswith(_PASSING) else error
        return None

    def _committed(self, lots: list[Lot], results: list[Sequence[Any]], error: sqlite3.Error | None) -> None:
        """On the loop, after the commit."""
        if error is not None:
            self._give_up(lots, error)
        else:
            self._settle(lots, results)

    def _give_up(self, lots: list[Lot], error: sqlite3.Error) -> None:
        self._roll_back(error)
        self._fail(lots, error)

    def _run(self, kind: Kind[Any, Any], items: list[Any]) -> Sequence[Any]:
        """Run one kind; if an item of it cannot be stored, whatever the cause, the others still go through."""
        db = self._db
        db.execute("SAVEPOINT kind")
        try:
            results = at_once(kind.run(self._work, items))
        except Exception as error:
            if isinstance(error, sqlite3.Error) and not isinstance(error, _ONE_ITEM):
                raise
            db.execute("ROLLBACK TO kind")
            if len(items) > 1:
                results = [self._run(kind, [item])[0] for item in items]
            else:
                fault = StoreFault(f"{kind.name}: {error}")
                fault.__cause__ = error
                results = [fault]
        db.execute("RELEASE kind")
        return results

    def _roll_back(self, error: sqlite3.Error) -> None:
        """A full disk or a lock held too long passes; after anything else the file is not to be trusted."""
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except sqlite3.Error as second:
            self._dead = second
            return
        if not _is_busy(error) and not getattr(error, "sqlite_errorname", "").startswith("SQLITE_FULL"):
            self._dead = error


def _is_busy(error: sqlite3.Error) -> bool:
    """Whether another process holds the write lock."""
    return getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")
