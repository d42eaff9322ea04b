"""Group commit on PostgreSQL: one transaction after the other on one connection, and what happens when it breaks.

A deadlock or a conflict with another node is tried again; so is everything of a transaction whose connection was lost
before COMMIT was said. If it was lost while COMMIT was on its way, the server is asked what became of the transaction:
it remembers that by the transaction's number, so nothing is stored twice and nothing is told wrongly (promises 4.9).
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

import asyncpg

from bocau.store.contract import StoreBroken, StoreFault
from bocau.store.gathering import Gathering, Kind, Lot
from bocau.store.postgres.link import Link, LinkLost, is_lost
from bocau.store.postgres.work import PostgresWork

__all__ = ["Transactions"]

_CONFLICTS: Final = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)
_MOST_CONFLICTS: Final = 8
_CONFLICT_PAUSE_SECONDS: Final = 0.01
_PATIENCE_SECONDS: Final = 10.0
"""How long a transaction waits for a server that went away."""
_ASK_AGAIN_SECONDS: Final = 0.05
_UNHEARD_OF: Final = "in the future"


class TakenForDead(Exception):  # noqa: N818
    """This node's work is somebody else's: it must start anew."""


class _Undecided(Exception):  # noqa: N818
    """The connection was lost while COMMIT was on its way."""

    def __init__(self, number: int, results: list[Sequence[Any]]) -> None:
        super().__init__(f"transaction {number}")
        self.number = number
        self.results = results


class Transactions(Gathering):
    """The one writer of a node."""

    broken_rules = (asyncpg.IntegrityConstraintViolationError,)

    def __init__(self, link: Link, *, on_fatal: Callable[[BaseException], None], begin: str = "BEGIN") -> None:
        super().__init__(on_fatal)
        self._link = link
        self._begin = begin
        self._running: asyncio.Task[None] | None = None
        self.conflicts = 0
        """Transactions that were tried again because of another node's."""
        self.resolved = 0
        """Commits whose answer was lost, and that the server was asked about."""

    async def close(self) -> None:
        """Finish what waits, then let go of the connection."""
        await super().close()
        await self._link.close()

    def _transact(self, lots: list[Lot]) -> None:
        self._running = self._loop.create_task(self._carry_out(lots))

    async def _carry_out(self, lots: list[Lot]) -> None:
        try:
            results = await self._persist(lots, self._loop.time() + _PATIENCE_SECONDS)
        except Exception as error:  # noqa: BLE001 - the rim: whatever it is, everybody is told, and the next one is tried
            if isinstance(error, TakenForDead):
                self.give_up(error)
            self._fail(lots, error)
        else:
            self._settle(lots, results)

    async def _persist(self, lots: list[Lot], give_up_at: float) -> list[Sequence[Any]]:
        """Run a transaction until it is committed. Raises what stands in its way for good."""
        conflicts, carefully = 0, False
        while True:
            try:
                return await self._once(lots, give_up_at, carefully=carefully)
            except _Undecided as lost:
                if await self._was_committed(lost.number, give_up_at):
                    return lost.results
            except (StoreBroken, LinkLost, TakenForDead):
                raise
            except _CONFLICTS:
                conflicts += 1
                self.conflicts += 1
                if conflicts > _MOST_CONFLICTS:
                    raise
                await asyncio.sleep(_CONFLICT_PAUSE_SECONDS * conflicts)
            except Exception as error:
                if is_lost(error):
                    self._link.drop(error)
                elif carefully:
                    raise
                # Some item cannot be stored. The next time each kind, and then each item, stands for itself.
                carefully = carefully or not is_lost(error)

    async def _once(self, lots: list[Lot], give_up_at: float, *, carefully: bool) -> list[Sequence[Any]]:
        connection = await self._link.reopen(give_up_at)
        work = PostgresWork(connection)
        run = self._run_carefully if carefully else self._run
        try:
            await self._open(connection)
            results = [await run(work, kind, items) for kind, items, _ in lots]
            # None if nothing was written: then it does not matter whether the COMMIT arrives.
            ((number,),) = await work.rows("SELECT pg_current_xact_id_if_assigned()")
        except BaseException as error:
            await self._roll_back(connection, error)
            raise
        try:
            await connection.execute("COMMIT")
        except Exception as error:
            self._link.drop(error)
            if number is None or not is_lost(error):
                raise
            raise _Undecided(number, results) from error
        return results

    async def _open(self, connection: Any) -> None:  # noqa: ANN401 - asyncpg has no types
        try:
            await connection.execute(self._begin)
        except asyncpg.DivisionByZeroError as error:
            raise TakenForDead("another node took over from this one, which was silent for too long") from error

    async def _roll_back(self, connection: Any, error: BaseException) -> None:  # noqa: ANN401 - asyncpg has no types
        if is_lost(error) or connection.is_closed():
            self._link.drop(error)
            return
        try:
            await connection.execute("ROLLBACK")
        except Exception as second:  # noqa: BLE001 - whatever it is, this connection is not used again
            self._link.drop(second)

    async def _was_committed(self, number: int, give_up_at: float) -> bool:
        """What became of a transaction. Raises LinkLost if the server does not come back to say it."""
        self.resolved += 1
        while True:
            connection = await self._link.reopen(give_up_at)
            try:
                status = await connection.fetchval("SELECT pg_xact_status($1)", number)
            except Exception as error:
                if isinstance(error, asyncpg.PostgresError) and _UNHEARD_OF in str(error):
                    return False  # a standby took over that had never heard of it
                if not is_lost(error):
                    raise
                self._link.drop(error)
                continue
            if status != "in progress":
                return bool(status == "committed")
            if self._loop.time() > give_up_at:
                raise LinkLost("the server does not say what became of a transaction")
            await asyncio.sleep(_ASK_AGAIN_SECONDS)

    async def _run(self, work: PostgresWork, kind: Kind[Any, Any], items: list[Any]) -> Sequence[Any]:
        results: Sequence[Any] = await kind.run(work, items)
        return results

    async def _run_carefully(self, work: PostgresWork, kind: Kind[Any, Any], items: list[Any]) -> Sequence[Any]:
        """Run one kind; if an item of it cannot be stored, whatever the cause, the others still go through."""
        await work.mark("SAVEPOINT kind")
        try:
            results: Sequence[Any] = await kind.run(work, items)
        except Exception as error:
            if is_lost(error) or isinstance(error, _CONFLICTS):
                raise
            await work.mark("ROLLBACK TO SAVEPOINT kind")
            if len(items) > 1:
                results = [(await self._run_carefully(work, kind, [item]))[0] for item in items]
            else:
                fault = StoreFault(f"{kind.name}: {error}")
                fault.__cause__ = error
                results = [fault]
        await work.mark("RELEASE SAVEPOINT kind")
        return results
