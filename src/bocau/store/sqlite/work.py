"""Statements on SQLite: each answers at once, on the thread that asks."""

import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from bocau.store.work import Asking, Row, Values

__all__ = ["SqliteWork"]


class SqliteWork:
    """A connection as the rooms' work sees it: an open transaction of the writer, or the reader."""

    __slots__ = ("_db",)

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    async def rows(self, text: str, values: Values = ()) -> list[Row]:
        """See Asking."""
        return self._db.execute(text, values).fetchall()

    async def row(self, text: str, values: Values = ()) -> Row | None:
        """See Asking."""
        row: Row | None = self._db.execute(text, values).fetchone()
        return row

    async def each(self, text: str, many: Iterable[Values]) -> list[Row]:
        """See Asking."""
        execute = self._db.execute
        return [row for values in many for row in execute(text, values)]

    async def change(self, text: str, values: Values = ()) -> int:
        """See Work."""
        return self._db.execute(text, values).rowcount

    async def many(self, text: str, many: Iterable[Values]) -> None:
        """See Work."""
        self._db.executemany(text, many)

    async def change_many(self, text: str, many: Iterable[Values]) -> int:
        """See Work."""
        return max(0, self._db.executemany(text, many).rowcount)

    async def all_or_none(self, *steps: tuple[str, Sequence[Values]]) -> bool:
        """See Work."""
        db = self._db
        db.execute("SAVEPOINT steps")
        whole = all(db.executemany(text, many).rowcount == len(many) for text, many in steps if many)
        if not whole:
            db.execute("ROLLBACK TO steps")
        db.execute("RELEASE steps")
        return whole

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Asking]:
        """See Reading."""
        self._db.execute("BEGIN")
        try:
            yield self
        finally:
            self._db.execute("COMMIT")
