"""SqliteStore: every room's contract on one file."""

import contextlib
import sqlite3
from collections.abc import Callable, Sequence

from bocau.store.contract import Clerk, OutcomeDeadlines
from bocau.store.gathering import Kind
from bocau.store.queries import load
from bocau.store.rooms.scheduling import Start, start_epoch
from bocau.store.rooms.store import RoomStore
from bocau.store.sqlite.commit import GroupCommit
from bocau.store.sqlite.identity import MarkFile, settle
from bocau.store.sqlite.opening import Lock, StoreBroken, connect, gateway_runs, is_older, migrate
from bocau.store.sqlite.work import SqliteWork
from bocau.store.work import Work, at_once

__all__ = ["SqliteStore"]

_NO_START = Start(0, 0, (0, 0, 0))


class SqliteStore(RoomStore):
    """One machine's store. Open it with `gateway` to run on it, or with `administrate` beside a running gateway."""

    def __init__(
        self,
        writer: sqlite3.Connection,
        reader: sqlite3.Connection,
        lock: Lock | None,
        commit: GroupCommit,
        start: Start = _NO_START,
        *,
        tell_inbound: bool = False,
    ) -> None:
        super().__init__(load("sqlite"), SqliteWork(reader), commit, start, tell_inbound=tell_inbound)
        self._writer = writer
        self._reader = reader
        self._lock = lock
        self._commit: GroupCommit = commit
        self._mark: MarkFile | None = None
        self._store_id = ""
        self._shred = Kind("shred", 24, self._empty_log)

    @classmethod
    async def gateway(
        cls,
        path: str,
        *,
        node: int,
        now_ms: int,
        deadlines: OutcomeDeadlines,
        on_fatal: Callable[[BaseException], None],
        threaded: bool = True,
        tell_inbound: bool = False,
    ) -> "SqliteStore":
        """Open for a gateway: takes the lock, migrates, starts an epoch, rescues what the last start left.

        With `tell_inbound`, messages from subscribers are due to be told to the operator's address.

        Raises StoreInUse, StoreBroken.
        """
        with contextlib.ExitStack() as opened:
            lock = Lock(path)
            opened.callback(lock.close)
            writer = connect(path, writing=True)
            opened.callback(writer.close)
            migrate(writer)
            work, q, mark = SqliteWork(writer), load("sqlite"), MarkFile(path)
            opened.callback(mark.close)
            try:
                writer.execute("BEGIN IMMEDIATE")
                start = at_once(start_epoch(work, q, node, now_ms, deadlines))
                identity, first = at_once(settle(work, q, mark.read(), now_ms))
                if first:
                    mark.write(identity.store_id, 0, now_ms, flushed=True)
                writer.execute("COMMIT")
                mark.write(identity.store_id, identity.beat, now_ms, flushed=True)
            except (sqlite3.Error, OSError) as error:
                raise StoreBroken(f"{path}: {error}") from error
            reader = connect(path, writing=False)
            commit = GroupCommit(writer, threaded=threaded, on_fatal=on_fatal)
            store = cls(writer, reader, lock, commit, start, tell_inbound=tell_inbound)
            store._mark, store._store_id = mark, identity.store_id
            opened.pop_all()
            return store

    @classmethod
    async def administrate(cls, path: str, clerk: Clerk) -> "SqliteStore":
        """Open beside a running gateway, to read and to change the directory. Raises StoreBroken.

        The schema is not changed under a gateway of an older version: it could not start again.
        """
        writer = connect(path, writing=True)
        try:
            if is_older(writer) and gateway_runs(path):
                raise StoreBroken(
                    "a gateway of an older version runs on it; start that one anew with this version first, "
                    "see `bocau upgrade-check`"
                )
            migrate(writer)
            reader = connect(path, writing=False)
        except StoreBroken:
            writer.close()
            raise
        store = cls(writer, reader, None, GroupCommit(writer, threaded=False, on_fatal=_ignore))
        store.clerk = clerk
        return store

    async def close(self, now_ms: int) -> None:
        """Commit what waits and let go of the file. After a fatal error nothing is written to it here."""
        await self._commit.close()
        if self.epoch and not self._commit.dead:
            with contextlib.suppress(sqlite3.Error):
                self._writer.execute(self._q["stop_node"], (self.epoch, now_ms))
        self._reader.close()
        self._writer.close()
        for file in (self._mark, self._lock):
            if file is not None:
                file.close()

    async def shred(self) -> bool:
        """See ForgetStore. Freed places are overwritten as they are freed; what is left are old pages in the log."""
        await self._commit.call(self._shred, None)
        return self._commit.log_is_empty

    async def _empty_log(self, _db: Work, items: Sequence[None]) -> list[None]:
        self._commit.empty_log()
        return [None] * len(items)

    async def beat(self, now_ms: int) -> None:
        """See OperatorStore. The mark is written after the commit, so it never runs ahead of its own store."""
        count = await self._commit.call(self._beat, None)
        if self._mark is not None:
            self._mark.write(self._store_id, count, now_ms, flushed=False)


def _ignore(error: BaseException) -> None:
    """A command beside the gateway ends anyway; its caller gets the fault."""
    del error
