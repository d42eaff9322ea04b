"""Group commit: everything that waits at one time goes into one transaction, whatever room it came from.

Items collect by kind while a commit is under way; the busier the gateway, the larger the transactions. While there is
work, transactions begin at most every 3 ms, which saves a quarter of the processor time at 1,000 messages a second; a
quiet gateway waits for nothing.
The statements run on the loop's own thread, and only COMMIT, which waits for the disk, runs on another: two threads
that both run statements would hand the interpreter's lock to and fro for every row, which was measured to cost more
than the statements. `threaded=False` commits in line too, for simulation and for commands beside a gateway.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

from bocau.store.contract import Done, StoreFault

__all__ = ["GroupCommit", "Kind"]

I = TypeVar("I")  # noqa: E741 - item
R = TypeVar("R")

# One kind's waiting items with their callbacks, and, once run, their results.
_Lot = tuple["Kind[Any, Any]", list[Any], list[Done[Any]]]

_ONE_ITEM: Final = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError, sqlite3.InterfaceError)
"""Errors of SQLite that one item's values cause; any other is about the file."""


_BUSY_SECONDS: Final = 5.0
_BUSY_RETRY_SECONDS: Final = 0.005
_BUSY_ITEMS: Final = 4
_TICK_SECONDS: Final = 0.003


class Kind(Generic[I, R]):
    """A kind of work: how to run many items of it inside an open transaction, giving one result each, in order."""

    __slots__ = ("name", "rank", "run")

    def __init__(self, name: str, rank: int, run: Callable[[sqlite3.Connection, Sequence[I]], Sequence[R]]) -> None:
        self.name = name
        self.rank = rank
        self.run = run


class GroupCommit:
    """The one writer of a store.

    `on_fatal` is told, once, of an error after which the file must not be written any more (a failed flush is never
    tried again, promises P16); every item of that transaction fails, and every later one.
    """

    def __init__(self, db: sqlite3.Connection, *, threaded: bool, on_fatal: Callable[[BaseException], None]) -> None:
        self._db = db
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[str, _Lot] = {}
        self._busy = False
        self._began = 0.0
        self._idle: asyncio.Event | None = None
        self._dead: BaseException | None = None
        self._told_fatal = False
        self._closed = False
        self._on_fatal = on_fatal
        self._jobs: queue.SimpleQueue[tuple[list[_Lot], list[Sequence[Any]]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.commits = 0
        self.items = 0
        self.failures = 0
        if threaded:
            db.execute("PRAGMA busy_timeout = 0")  # another writer is waited for without stopping the loop
            self._thread = threading.Thread(target=self._work, name="bocau-writer", daemon=True)
            self._thread.start()

    def put(self, kind: Kind[I, R], item: I, done: Done[R]) -> None:
        """Add an item to the next transaction. `done` is called on the loop after the commit."""
        lot = self._waiting.get(kind.name)
        if lot is None:
            if not self._busy:
                self._busy = True
                self._loop.call_soon(self._hand_over)
            self._waiting[kind.name] = (kind, [item], [done])
        else:
            lot[1].append(item)
            lot[2].append(done)

    def call(self, kind: Kind[I, R], item: I) -> "asyncio.Future[R]":
        """The same, awaited. Raises StoreFault."""
        future: asyncio.Future[R] = self._loop.create_future()

        def done(result: R | StoreFault) -> None:
            if future.done():
                return
            if isinstance(result, StoreFault):
                future.set_exception(result)
            else:
                future.set_result(result)

        self.put(kind, item, done)
        return future

    @property
    def dead(self) -> bool:
        """Whether the file must not be written any more."""
        return self._dead is not None

    async def close(self) -> None:
        """Finish what waits, and what that brings with it, then stop the writer. What comes later gets a StoreFault."""
        while self._busy:
            self._idle = asyncio.Event()
            await self._idle.wait()
        self._closed = True
        thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            await self._loop.run_in_executor(None, thread.join)

    def _hand_over_soon(self, size: int) -> None:
        """After a small transaction at once; after one of some `size`, not before the tick is over that it began.

        A commit costs as much as several rows, so at a busy moment it pays to share it.
        """
        wait = self._began + _TICK_SECONDS - self._loop.time()
        if size >= _BUSY_ITEMS and wait > 0:
            self._loop.call_later(wait, self._hand_over)
        else:
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        """Everything that waits becomes one transaction."""
        self._began = self._loop.time()
        lots = sorted(self._waiting.values(), key=lambda lot: lot[0].rank)
        self._waiting = {}
        self._transact(lots, self._loop.time() + _BUSY_SECONDS)

    def _transact(self, lots: list[_Lot], give_up_at: float) -> None:
        """Run the statements here, and have them committed. Another process that writes just now is waited for."""
        if self._dead is not None or self._closed:
            self._finish(lots, _everybody(lots, StoreFault("the store has stopped")))
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            results = [self._run(kind, items) for kind, items, _ in lots]
        except sqlite3.Error as error:
            if _is_busy(error) and not self._db.in_transaction and self._loop.time() < give_up_at:
                self._loop.call_later(_BUSY_RETRY_SECONDS, self._transact, lots, give_up_at)
                return
            self._fail(lots, error)
            return
        if self._thread is not None:
            self._jobs.put((lots, results))
        else:
            self._settle(lots, results, self._commit())

    def _work(self) -> None:
        """The committing thread: it waits for the disk, so that the loop does not."""
        while (job := self._jobs.get()) is not None:
            self._loop.call_soon_threadsafe(self._settle, *job, self._commit())

    def _commit(self) -> sqlite3.Error | None:
        """Make the transaction durable; the error if that cannot be done."""
        try:
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            return error
        return None

    def _settle(self, lots: list[_Lot], results: list[Sequence[Any]], error: sqlite3.Error | None) -> None:
        """On the loop, after the commit."""
        if error is not None:
            self._fail(lots, error)
            return
        self.commits += 1
        self.items += sum(len(items) for _, items, _ in lots)
        self._finish(lots, results)

    def _fail(self, lots: list[_Lot], error: sqlite3.Error) -> None:
        """It could not be committed: every item gets the fault and nothing of it is stored."""
        self.failures += 1
        self._roll_back(error)
        fault = StoreFault(str(error))
        fault.__cause__ = error
        self._finish(lots, _everybody(lots, fault))

    def _finish(self, lots: list[_Lot], results: list[Sequence[Any]]) -> None:
        """Tell everybody; what they put meanwhile is in the next transaction."""
        if self._dead is not None and not self._told_fatal:
            self._told_fatal = True
            self._on_fatal(self._dead)
        for (_, _, dones), lot_results in zip(lots, results, strict=True):
            for done, result in zip(dones, lot_results, strict=True):
                try:
                    done(result)
                except Exception as error:  # noqa: BLE001 - the rim: one listener must not cost the others their answer
                    self._loop.call_exception_handler({"message": "a room failed on its result", "exception": error})
        if self._waiting:
            self._hand_over_soon(sum(len(items) for _, items, _ in lots))
        else:
            self._busy = False
            if self._idle is not None:
                self._idle.set()

    def _run(self, kind: Kind[Any, Any], items: list[Any]) -> Sequence[Any]:
        """Run one kind; if an item of it cannot be stored, whatever the cause, the others still go through."""
        db = self._db
        db.execute("SAVEPOINT kind")
        try:
            results = kind.run(db, items)
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


def _everybody(lots: list[_Lot], fault: StoreFault) -> list[Sequence[Any]]:
    return [[fault] * len(items) for _, items, _ in lots]


def _is_busy(error: sqlite3.Error) -> bool:
    """Whether another process holds the write lock."""
    return getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")
