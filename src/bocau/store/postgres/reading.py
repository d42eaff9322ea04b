"""Questions outside any transaction, on a few connections of their own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from bocau.store.contract import StoreBroken, StoreFault
from bocau.store.postgres.link import Address, Link, LinkLost, is_lost
from bocau.store.postgres.work import PostgresWork
from bocau.store.work import Asking, Row, Values

__all__ = ["PostgresReading"]

T = TypeVar("T")

_PLACES: Final = 4
_PATIENCE_SECONDS: Final = 5.0


class PostgresReading:
    """The store outside any transaction. A question whose connection is lost is put once more: it changes nothing.

    Raises StoreFault if the server does not come back within 5 s.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._idle: list[Link] = []
        self._places = asyncio.Semaphore(_PLACES)
        self.trouble = ""
        """Why the last question could not be put; empty if it could."""

    async def rows(self, text: str, values: Values = ()) -> list[Row]:
        """See Asking."""
        return await self._ask(lambda db: db.rows(text, values))

    async def row(self, text: str, values: Values = ()) -> Row | None:
        """See Asking."""
        return await self._ask(lambda db: db.row(text, values))

    async def each(self, text: str, many: Iterable[Values]) -> list[Row]:
        """See Asking."""
        asked = list(many)
        return await self._ask(lambda db: db.each(text, asked))

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Asking]:
        """See Reading."""
        async with self._places:
            link = self._idle.pop() if self._idle else Link(self._address)
            try:
                connection = await link.reopen(asyncio.get_running_loop().time() + _PATIENCE_SECONDS)
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    yield PostgresWork(connection)
            except BaseException as error:
                link.drop(error)
                if is_lost(error):
                    raise StoreFault(str(error)) from error
                raise
            self._idle.append(link)

    async def close(self) -> None:
        """Close the connections that nobody uses; who still asks gets his answer first."""
        for _ in range(_PLACES):
            await self._places.acquire()
        while self._idle:
            await self._idle.pop().close()

    async def _ask(self, question: Callable[[PostgresWork], Awaitable[T]]) -> T:
        give_up_at = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
        async with self._places:
            link = self._idle.pop() if self._idle else Link(self._address)
            while True:
                try:
                    answer = await question(PostgresWork(await link.reopen(give_up_at)))
                except BaseException as error:
                    link.drop(error)
                    if is_lost(error) and not isinstance(error, LinkLost):
                        continue
                    if isinstance(error, LinkLost | StoreBroken):
                        self.trouble = str(error)
                        raise StoreFault(str(error)) from error
                    raise
                self._idle.append(link)
                self.trouble = ""
                return answer
