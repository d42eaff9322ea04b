"""PostgresStore: every room's contract on a server that several nodes share."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Final

from bocau.store.contract import Clerk, OutcomeDeadlines, StoreBroken, StoreFault
from bocau.store.gathering import Kind
from bocau.store.postgres.commit import Transactions
from bocau.store.postgres.link import Address, Link, LinkLost
from bocau.store.postgres.living import Living, beginning
from bocau.store.postgres.opening import migrate
from bocau.store.postgres.reading import PostgresReading
from bocau.store.postgres.work import PostgresWork
from bocau.store.queries import load
from bocau.store.rooms.scheduling import Start, start_epoch
from bocau.store.rooms.store import RoomStore
from bocau.store.work import Work

__all__ = ["PostgresStore"]

_NO_START: Final = Start(0, 0, (0, 0, 0))
_FIRST: Final = 0
_LAST: Final = 99
"""The rank of what ends a node: after everything else of its last transaction."""


class PostgresStore(RoomStore):
    """One node's way to the store. Open it with `gateway` to run on it, or with `administrate` beside gateways."""

    def __init__(
        self,
        address: Address,
        link: Link,
        commit: Transactions,
        start: Start = _NO_START,
        *,
        tell_inbound: bool = False,
    ) -> None:
        self._reading = PostgresReading(address)
        super().__init__(load("postgresql"), self._reading, commit, start, tell_inbound=tell_inbound)
        self._link = link
        self._end = Kind("end", _LAST, self._stop_node)
        self._living: Living | None = None
        self._tending: Kind[int, tuple[int, int, int]] | None = None

    @classmethod
    async def gateway(
        cls,
        address: Address,
        *,
        node: int,
        now_ms: int,
        deadlines: OutcomeDeadlines,
        on_fatal: Callable[[BaseException], None],
        tell_inbound: bool = False,
    ) -> "PostgresStore":
        """Open for a node: brings the schema up to date, starts an epoch, rescues what its last start left.

        Raises StoreBroken.
        """
        link = Link(address)
        try:
            connection = await link.open()
            await migrate(connection)
            async with connection.transaction():
                work = PostgresWork(connection)
                start = await start_epoch(work, load("postgresql"), node, now_ms, deadlines)
        except LinkLost as lost:
            raise StoreBroken(str(lost)) from lost
        except BaseException:
            await link.close()
            raise
        commit = Transactions(link, on_fatal=on_fatal, begin=beginning(start.epoch))
        store = cls(address, link, commit, start, tell_inbound=tell_inbound)
        store._living = living = Living(store._q, start.epoch, deadlines)
        store._tending = Kind("tend", _FIRST, living.tend)
        return store

    @classmethod
    async def administrate(cls, address: Address, clerk: Clerk) -> "PostgresStore":
        """Open beside gateways, to read and to change the directory. Raises StoreBroken."""
        link = Link(address)
        try:
            await migrate(await link.open())
        except LinkLost as lost:
            raise StoreBroken(str(lost)) from lost
        except BaseException:
            await link.close()
            raise
        store = cls(address, link, Transactions(link, on_fatal=_ignore, begin=beginning(0)))
        store.clerk = clerk
        return store

    @property
    def trouble(self) -> str:
        """Why the server cannot be reached just now; empty while it can."""
        return self._link.trouble or self._reading.trouble

    async def tend(self, now_ms: int) -> tuple[int, int, int]:
        """See NodeStore."""
        return (0, 0, 0) if self._tending is None else await self._commit.call(self._tending, now_ms)

    async def close(self, now_ms: int) -> None:
        """Commit what waits and let go of the server."""
        if self.epoch and not self._link.trouble:
            with contextlib.suppress(StoreFault):
                await self._commit.call(self._end, now_ms)
        await self._commit.close()
        await self._reading.close()

    async def _stop_node(self, db: Work, items: Sequence[int]) -> list[None]:
        await db.many(self._q["stop_node"], [(self.epoch, now_ms) for now_ms in items])
        if self._living is not None:
            # What is still in hand is the others' at once.
            await self._living.rescue(db, items[0])
        return [None] * len(items)


def _ignore(error: BaseException) -> None:
    """A command beside the gateways ends anyway; its caller gets the fault."""
    del error
