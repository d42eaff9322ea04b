"""Group commit: everything that waits at one time goes into one transaction, whatever room it came from.

The loop side collects items by kind. When the writer is idle they are handed over together; while it works, the next
lot collects. So the busier the gateway, the larger the transactions, with no timer. One thread writes; the loop only
appends to lists. `threaded=False` runs the same code in line, for simulation.
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
        self._idle: asyncio.Event | None = None
        self._dead: BaseException | None = None
        self._told_fatal = False
        self._closed = False
        self._on_fatal = on_fatal
        self._jobs: queue.SimpleQueue[list[_Lot] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.commits = 0
        self.items = 0
        if threaded:
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

    def _hand_over(self) -> None:
        lots = sorted(self._waiting.values(), key=lambda lot: lot[0].rank)
        self._waiting = {}
        if self._thread is not None:
            self._jobs.put(lots)
        else:
            self._finish(lots, self._transact(lots))

    def _work(self) -> None:
        """The writer thread."""
        while (lots := self._jobs.get()) is not None:
            results = self._transact(lots)
            self._loop.call_soon_threadsafe(self._finish, lots, results)

    def _finish(self, lots: list[_Lot], results: list[Sequence[Any]]) -> None:
        """On the loop: start the next transaction first, then tell everybody."""
        if self._waiting:
            self._hand_over()
        else:
            self._busy = False
            if self._idle is not None:
                self._idle.set()
        if self._dead is not None and not self._told_fatal:
            self._told_fatal = True
            self._on_fatal(self._dead)
        for (_, _, dones), lot_results in zip(lots, results, strict=True):
            for done, result in zip(dones, lot_results, strict=True):
                try:
                    done(result)
                except Exception as error:  # noqa: BLE001 - the rim: one listener must not cost the others their answer
                    self._loop.call_exception_handler({"message": "a room failed on its result", "exception": error})

    def _transact(self, lots: list[_Lot]) -> list[Sequence[Any]]:
        """One transaction. If it cannot be committed, every item gets the fault and nothing of it is stored."""
        if self._dead is not None or self._closed:
            return _everybody(lots, StoreFault("the store has stopped"))
        db = self._db
        try:
            db.execute("BEGIN IMMEDIATE")
            results = [self._run(kind, items) for kind, items, _ in lots]
            db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back(error)
            fault = StoreFault(str(error))
            fault.__cause__ = error
            return _everybody(lots, fault)
        self.commits += 1
        self.items += sum(len(items) for _, items, _ in lots)
        return results

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
        name = getattr(error, "sqlite_errorname", "")
        if not name.startswith(("SQLITE_FULL", "SQLITE_BUSY")):
            self._dead = error


def _everybody(lots: list[_Lot], fault: StoreFault) -> list[Sequence[Any]]:
    return [[fault] * len(items) for _, items, _ in lots]
