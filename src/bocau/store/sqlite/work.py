"""Statements on SQLite: each answers at once, on the thread that asks."""

import re
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Final

from msgspec import json

from bocau.store.work import Asking, Row, Values

__all__ = ["SqliteWork", "for_list"]

_LIST_FROM: Final = 6
"""From so many rows on, a list of them is cheaper than a statement for each: making it costs as much as two rows."""
_ONE_MESSAGE: Final = re.compile(
    r"^(UPDATE message SET .*)\bWHERE id = \?1\b((?:(?!\?1\b|RETURNING).)*)\Z", re.MULTILINE | re.DOTALL
)


@cache
def for_list(text: str) -> str | None:
    """The statement that changes a list of messages, as JSON, where `text` changes one; None for any other statement.

    A message has the widest row there is. Statements of one each would open and leave its table for every one of them.
    """
    listed, found = _ONE_MESSAGE.subn(r"\1WHERE id IN (SELECT value FROM json_each(?1))\2", text)
    return listed if found else None


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
        return self._change_each(text, many if isinstance(many, Sequence) else list(many))

    def _change_each(self, text: str, many: Sequence[Values]) -> int:
        """Run a statement for many values, messages that change alike together; how many rows changed."""
        listed = for_list(text) if len(many) >= _LIST_FROM else None
        if listed is None:
            return max(0, self._db.executemany(text, many).rowcount)
        alike: dict[tuple[Any, ...], list[int]] = {}
        for values in many:
            alike.setdefault(tuple(values[1:]), []).append(values[0])
        changed = 0
        for rest, ids in alike.items():
            if len(ids) < _LIST_FROM:
                changed += self._db.executemany(text, [(one, *rest) for one in ids]).rowcount
            else:
                changed += self._db.execute(listed, (json.encode(ids).decode(), *rest)).rowcount
        return changed

    async def all_or_none(self, *steps: tuple[str, Sequence[Values]]) -> bool:
        """See Work."""
        db = self._db
        db.execute("SAVEPOINT steps")
        whole = all(self._change_each(text, many) == len(many) for text, many in steps if many)
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
