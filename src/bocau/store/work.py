"""What the work of the rooms may do in the store: the few ways to run a statement, which every engine offers.

The work itself (`store/rooms`) is written once, as coroutines over this. On SQLite nothing in them ever waits, so they
run through at once (`at_once`); on PostgreSQL each call is one way to the server and back, however many rows it takes.
Statements are texts of `store.queries`, with their values in order.
"""

from collections.abc import Coroutine, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

__all__ = ["Asking", "Reading", "Row", "Values", "Work", "at_once"]

T = TypeVar("T")

Row = tuple[Any, ...]
Values = Sequence[Any]


class Asking(Protocol):
    """Questions."""

    async def rows(self, text: str, values: Values = ()) -> list[Row]:
        """Everything that a statement returns."""
        ...

    async def row(self, text: str, values: Values = ()) -> Row | None:
        """The first row of it."""
        ...

    async def each(self, text: str, many: Iterable[Values]) -> list[Row]:
        """The rows of a statement for each of many values, one after the other: they say themselves whose they are."""
        ...


class Work(Asking, Protocol):
    """An open transaction."""

    async def change(self, text: str, values: Values = ()) -> int:
        """Run a statement that returns nothing; how many rows it changed."""
        ...

    async def many(self, text: str, many: Iterable[Values]) -> None:
        """The same for many values, in order."""
        ...

    async def change_many(self, text: str, many: Iterable[Values]) -> int:
        """The same; how many rows all of them changed. Not for a statement with a RETURNING of its own."""
        ...

    async def all_or_none(self, *steps: tuple[str, Sequence[Values]]) -> bool:
        """Run statements for many values, each of which must change one row; if one does not, none has changed any."""
        ...


class Reading(Asking, Protocol):
    """The store outside any transaction: every question sees what is committed by then."""

    def snapshot(self) -> AbstractAsyncContextManager[Asking]:
        """Questions that all see the same moment."""
        ...


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """The result of work that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    raise RuntimeError("work on this engine must not wait")
