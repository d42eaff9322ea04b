"""Statements on PostgreSQL: each call is one way to the server and back, however many rows it takes."""

from collections.abc import Iterable, Sequence
from typing import Any

from bocau.store.work import Row, Values

__all__ = ["PostgresWork"]


class PostgresWork:
    """An open transaction as the rooms' work sees it."""

    __slots__ = ("_db",)

    def __init__(self, db: Any) -> None:  # noqa: ANN401 - asyncpg brings no types
        self._db = db

    async def rows(self, text: str, values: Values = ()) -> list[Row]:
        """See Asking."""
        return [tuple(record) for record in await self._db.fetch(text, *values)]

    async def row(self, text: str, values: Values = ()) -> Row | None:
        """See Asking."""
        records = await self._db.fetch(text, *values)
        return tuple(records[0]) if records else None

    async def each(self, text: str, many: Iterable[Values]) -> list[Row]:
        """See Asking."""
        asked = list(many)
        return [tuple(record) for record in await self._db.fetchmany(text, asked)] if asked else []

    async def change(self, text: str, values: Values = ()) -> int:
        """See Work."""
        status: str = await self._db.execute(text, *values)
        return int(status.rpartition(" ")[2])

    async def many(self, text: str, many: Iterable[Values]) -> None:
        """See Work."""
        rows = list(many)
        if rows:
            await self._db.executemany(text, rows)

    async def change_many(self, text: str, many: Iterable[Values]) -> int:
        """See Work."""
        rows = list(many)
        return len(await self._db.fetchmany(_counted(text), rows)) if rows else 0

    async def mark(self, text: str) -> None:
        """Set a savepoint, go back to it, or let go of it."""
        await self._db.execute(text)

    async def all_or_none(self, *steps: tuple[str, Sequence[Values]]) -> bool:
        """See Work."""
        await self.mark("SAVEPOINT steps")
        for text, many in steps:
            if await self.change_many(text, many) != len(many):
                await self.mark("ROLLBACK TO SAVEPOINT steps")
                return False
        await self.mark("RELEASE SAVEPOINT steps")
        return True


def _counted(text: str) -> str:
    """A statement that says of each row that it was changed."""
    return f"{text.removesuffix(';')} RETURNING 1"
