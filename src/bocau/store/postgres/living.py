"""Which nodes live: each says so every few seconds, and from one that is silent for 15 s the others take over.

Every transaction of a node begins by asking whether it is still taken to live, under a lock that who takes over from it
waits for. So nothing that a frozen node thinks it holds is written once its work is somebody else's, whenever it thaws;
a transaction that froze half-way is ended by the server (promises 4.10).
"""

from collections.abc import Sequence
from typing import Final

from bocau.store.contract import OutcomeDeadlines
from bocau.store.queries import Queries
from bocau.store.rooms.scheduling import rescue
from bocau.store.work import Work

__all__ = ["LEASE_MS", "Living", "beginning"]

LEASE_MS: Final = 15_000
_OWN_SILENCE_MS: Final = 10_000
"""Who was away for so long himself does not judge others: it may have been the server that was away."""
_HALF_WAY_MS: Final = 10_000
_LOCK: Final = 1_651_466_081


def beginning(epoch: int) -> str:
    """How a transaction of a node begins; it fails with a division by zero once the node is taken for dead."""
    begin = f"BEGIN; SET LOCAL idle_in_transaction_session_timeout = {_HALF_WAY_MS}"
    if not epoch:
        return begin
    # A script of several statements takes no values; these are numbers of our own.
    alive = f"SELECT 1 / count(*) FROM node WHERE epoch = {epoch:d} AND stopped_ms IS NULL"  # noqa: S608
    return f"{begin}; SELECT pg_advisory_xact_lock_shared({_LOCK}, {epoch:d}); {alive}"


class Living:
    """Tells the others that this node lives, and takes over from those that do not."""

    def __init__(self, queries: Queries, epoch: int, deadlines: OutcomeDeadlines) -> None:
        self._q = queries
        self._epoch = epoch
        self._deadlines = deadlines

    async def tend(self, db: Work, items: Sequence[int]) -> list[tuple[int, int, int]]:
        """Each item: now. What was taken over: messages given back, messages now uncertain, callbacks due again."""
        return [await self._tend(db, now_ms) for now_ms in items]

    async def _tend(self, db: Work, now_ms: int) -> tuple[int, int, int]:
        q = self._q
        ((age_ms,),) = await db.rows(q["node_age"], (self._epoch,))
        await db.change(q["node_beat"], (self._epoch,))
        if age_ms > _OWN_SILENCE_MS:
            return 0, 0, 0
        ended = 0
        for (epoch,) in await db.rows(q["silent_nodes"], (LEASE_MS,)):
            await db.rows(q["await_node"], (epoch,))
            ended += await db.change(q["end_silent"], (epoch, LEASE_MS))
        return await self.rescue(db, now_ms) if ended else (0, 0, 0)

    async def rescue(self, db: Work, now_ms: int) -> tuple[int, int, int]:
        """Take over what nodes held that have ended."""
        return await rescue(db, self._q, now_ms, self._deadlines)
