"""What waits to be stored, from whatever room: everything that waits at one time goes into one transaction.

Items collect by kind while a transaction is under way; the busier the gateway, the larger the transactions. While there
is work, transactions begin at most every 3 ms, which saves a quarter of the processor time at 1,000 messages a second;
a quiet gateway waits for nothing. How a transaction is run is the engine's business.
"""

import abc
import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, Generic, TypeVar

from bocau.store.contract import Done, StoreFault
from bocau.store.work import Work

__all__ = ["Gathering", "Kind", "Lot", "everybody"]

I = TypeVar("I")  # noqa: E741 - item
R = TypeVar("R")

Lot = tuple["Kind[Any, Any]", list[Any], list[Done[Any]]]
"""One kind's waiting items with their callbacks."""

_BUSY_ITEMS: Final = 4
_TICK_SECONDS: Final = 0.003


class Kind(Generic[I, R]):
    """A kind of work: how to run many items of it inside an open transaction, giving one result each, in order."""

    __slots__ = ("name", "rank", "run")

    def __init__(
        self, name: str, rank: int, run: Callable[[Work, Sequence[I]], Coroutine[Any, Any, Sequence[R]]]
    ) -> None:
        self.name = name
        self.rank = rank
        self.run = run


class Gathering(abc.ABC):
    """The one writer of a store, but for the transactions themselves.

    `on_fatal` is told, once, of an error after which the store must not be written any more; every item of that
    transaction fails, and every later one.
    """

    broken_rules: tuple[type[Exception], ...] = ()
    """What the engine raises if a row breaks a rule of the schema."""

    def __init__(self, on_fatal: Callable[[BaseException], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[str, Lot] = {}
        self._busy = False
        self._began = 0.0
        self._idle: asyncio.Event | None = None
        self._dead: BaseException | None = None
        self._told_fatal = False
        self._closed = False
        self._on_fatal = on_fatal
        self.commits = 0
        self.items = 0
        self.failures = 0

    @abc.abstractmethod
    def _transact(self, lots: list[Lot]) -> None:
        """Run the lots, in order, as one transaction, then call `_settle` or `_fail`, now or later."""

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
        """Whether the store must not be written any more."""
        return self._dead is not None

    def give_up(self, error: BaseException) -> None:
        """Nothing may be written any more, and everybody is told."""
        if self._dead is None:
            self._dead = error
        if not self._told_fatal:
            self._told_fatal = True
            self._on_fatal(self._dead)

    async def close(self) -> None:
        """Finish what waits, and what that brings with it. What comes later gets a StoreFault."""
        while self._busy:
            self._idle = asyncio.Event()
            await self._idle.wait()
        self._closed = True

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
        if self._dead is not None or self._closed:
            self._finish(lots, everybody(lots, StoreFault("the store has stopped")))
        else:
            self._transact(lots)

    def _settle(self, lots: list[Lot], results: list[Sequence[Any]]) -> None:
        """After the commit."""
        self.commits += 1
        self.items += sum(len(items) for _, items, _ in lots)
        self._finish(lots, results)

    def _fail(self, lots: list[Lot], error: BaseException) -> None:
        """It could not be committed: every item gets the fault and nothing of it is stored."""
        self.failures += 1
        fault = StoreFault(str(error))
        fault.__cause__ = error
        self._finish(lots, everybody(lots, fault))

    def _finish(self, lots: list[Lot], results: list[Sequence[Any]]) -> None:
        """Tell everybody; what they put meanwhile is in the next transaction."""
        if self._dead is not None:
            self.give_up(self._dead)
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


def everybody(lots: list[Lot], fault: StoreFault) -> list[Sequence[Any]]:
    """The same fault for every item."""
    return [[fault] * len(items) for _, items, _ in lots]
