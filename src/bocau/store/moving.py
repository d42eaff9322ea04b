"""Moving house: everything of an SQLite store into an empty database on PostgreSQL, table by table, counted and summed.

All of it is one transaction there: it is complete and equal, or nothing. The old store is in quarantine afterwards, so
that nobody sends from both.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg

from bocau.store.postgres.link import Address, connect
from bocau.store.postgres.opening import migrate
from bocau.store.queries import load
from bocau.store.sqlite.opening import Lock, pending_steps
from bocau.store.sqlite.opening import connect as open_file

__all__ = ["MoveRefused", "Moved", "move"]

_BATCH: Final = 5_000
_OWN: Final = "migration"
"""Each engine's own table of steps."""
_MOVED: Final = "it was moved to PostgreSQL"


class MoveRefused(Exception):  # noqa: N818 - an answer, not a fault
    """It cannot be done, or would not be whole; nothing was moved. The text says why, without its full stop."""


class Moved(NamedTuple):
    """One table that is whole at its new place."""

    table: str
    rows: int


class _Table(NamedTuple):
    name: str
    columns: tuple[str, ...]

    def listed(self) -> str:
        """Its columns, for a statement."""
        return ", ".join(self.columns)


async def move(path: Path, address: Address, now_ms: int, told: Callable[[Moved], None]) -> None:
    """Move the store whose gateway has stopped. `told` hears of each table.

    Raises MoveRefused, StoreInUse, StoreBroken, LinkLost, sqlite3.Error, OSError.
    """
    with contextlib.closing(Lock(str(path))), contextlib.closing(open_file(str(path), writing=True)) as source:
        if pending_steps(source):
            raise MoveRefused("the store is of an older version: start a gateway of this version on it once")
        target = await connect(address)
        try:
            await migrate(target)
            async with target.transaction():
                await _move_all(source, target, told)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise MoveRefused(f"the server did not take it: {error}") from error
        finally:
            await target.close()
        q = load("sqlite")
        source.execute("BEGIN IMMEDIATE")
        source.execute(q["enter_quarantine"], (now_ms, _MOVED))
        source.execute(q["insert_audit"], (now_ms, "bocau migrate", "store.move", str(address)))
        source.execute("COMMIT")


async def _move_all(source: sqlite3.Connection, target: Any, told: Callable[[Moved], None]) -> None:  # noqa: ANN401
    tables = _in_order(source)
    await _refuse_other_tables(target, tables)
    await _refuse_full(target)
    for table in tables:
        # What a new schema brings along, such as the first version of the directory.
        await target.execute(f"DELETE FROM {table.name}")  # noqa: S608 - the names of our own tables
        for rows in _batches(source, table):
            await target.copy_records_to_table(table.name, records=rows, columns=table.columns)
        told(Moved(table.name, await _compare(source, target, table)))
    await _count_on(target)


def _in_order(source: sqlite3.Connection) -> list[_Table]:
    """Every table, those that others point to before them."""
    names = [
        row[0]
        for row in source.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        if row[0] != _OWN
    ]
    needs = {name: {row[2] for row in source.execute(f"PRAGMA foreign_key_list({name})")} - {name} for name in names}
    ordered: list[str] = []
    while len(ordered) < len(names):
        ordered += [name for name in names if name not in ordered and needs[name] <= set(ordered)]
    return [_Table(name, tuple([row[1] for row in source.execute(f"PRAGMA table_info({name})")])) for name in ordered]


async def _refuse_other_tables(target: Any, tables: Sequence[_Table]) -> None:  # noqa: ANN401 - asyncpg has no types
    """Both must be able to hold the same."""
    rows = await target.fetch(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
    )
    there = {(row[0], row[1]) for row in rows}
    missing = [f"{table.name}.{name}" for table in tables for name in table.columns if (table.name, name) not in there]
    if missing:
        raise MoveRefused(f"the database has no place for {', '.join(missing)}")


async def _refuse_full(target: Any) -> None:  # noqa: ANN401
    """A gateway has run there, or accounts were made."""
    for name in ("account", "node", "message", "audit"):
        if await target.fetchval(f"SELECT EXISTS (SELECT 1 FROM {name})"):  # noqa: S608 - the names of our own tables
            raise MoveRefused(f"the database is not empty: there are rows in {name}")


def _batches(source: sqlite3.Connection, table: _Table) -> Iterator[list[tuple[Any, ...]]]:
    found = source.execute(f"SELECT {table.listed()} FROM {table.name}")  # noqa: S608 - the names of our own tables
    while rows := found.fetchmany(_BATCH):
        yield rows


async def _compare(source: sqlite3.Connection, target: Any, table: _Table) -> int:  # noqa: ANN401
    """The rows of a table, which must be as many on both sides, with the same sum of every number and of every length.

    Raises MoveRefused.
    """
    kinds = {row[1]: row[2] for row in source.execute(f"PRAGMA table_info({table.name})")}
    here, there = ["count(*)"], ["count(*)"]
    for name in table.columns:
        if kinds[name] in ("TEXT", "BLOB"):
            here.append(f"coalesce(sum(length(CAST({name} AS BLOB))), 0)")
            there.append(f"coalesce(sum(octet_length({name})), 0)")
        else:
            # An id has 63 bits: sums of halves stay within what SQLite counts exactly.
            here += [f"coalesce(sum({name} >> 32), 0)", f"coalesce(sum({name} & 4294967295), 0)"]
            there += [f"coalesce(sum({name} >> 32), 0)", f"coalesce(sum({name} & 4294967295), 0)"]
    ours = source.execute(f"SELECT {', '.join(here)} FROM {table.name}").fetchone()  # noqa: S608
    theirs = await target.fetchrow(f"SELECT {', '.join(there)} FROM {table.name}")  # noqa: S608
    if [int(one) for one in ours] != [int(one) for one in theirs]:
        raise MoveRefused(f"{table.name} did not arrive whole: {ours[0]} rows here, {theirs[0]} there")
    return int(ours[0])


async def _count_on(target: Any) -> None:  # noqa: ANN401
    """New rows get numbers behind those that came."""
    columns = await target.fetch(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND is_identity = 'YES'"
    )
    for table, column in columns:
        await target.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), "  # noqa: S608 - the names of our own tables
            f"(SELECT greatest(max({column}), 1) FROM {table}), (SELECT max({column}) IS NOT NULL FROM {table}))"
        )
