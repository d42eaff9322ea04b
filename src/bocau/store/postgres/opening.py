"""Bringing the schema on the server up to date: one node at a time, each step once, all or nothing."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import asyncpg

from bocau.store.contract import StoreBroken
from bocau.store.migrations import read_steps

__all__ = ["migrate"]

_TURN: Final = 0x626F636175
"""What nodes that start at the same time wait for."""
_MIGRATION_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS migration (number BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)"
)


async def migrate(connection: Any, steps: Mapping[int, tuple[str, str]] | None = None) -> int:  # noqa: ANN401
    """Bring the schema up to date in one transaction. Returns the version.

    Raises StoreBroken if a step that was applied differs from ours, the database is newer than this program or another
    program's, or a step fails; then the schema is as it was. `steps` are those of this version unless given.
    """
    steps = read_steps("postgresql") if steps is None else steps
    wanted = {number: hashlib.sha256(text.encode()).hexdigest() for number, (_, text) in steps.items()}
    try:
        if await _applied(connection) == wanted:
            return max(steps)
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _TURN)
            await _refuse_foreign(connection)
            await connection.execute(_MIGRATION_TABLE)
            applied = await _applied(connection)
            for number in sorted(set(applied) - set(steps)):
                raise StoreBroken(f"the store has schema step {number}, unknown to this version: run a newer bocau")
            for number, (name, text) in sorted(steps.items()):
                if number not in applied:
                    await connection.execute(text)
                    values = (number, name, wanted[number])
                    await connection.execute("INSERT INTO migration VALUES ($1, $2, $3)", *values)
                elif applied[number] != wanted[number]:
                    raise StoreBroken(f"schema step {number} ({name}) is not the one that was applied to this store")
    except asyncpg.PostgresError as error:
        raise StoreBroken(f"the schema could not be brought up to date: {error}") from error
    return max(steps)


async def _applied(connection: Any) -> dict[int, str]:  # noqa: ANN401 - asyncpg brings no types
    if await connection.fetchval("SELECT to_regclass('migration')") is None:
        return {}
    return dict(await connection.fetch("SELECT number, checksum FROM migration"))


async def _refuse_foreign(connection: Any) -> None:  # noqa: ANN401 - asyncpg brings no types
    """A schema of another program is left as it is."""
    names = {
        row[0] for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    }
    if names and "migration" not in names:
        raise StoreBroken("this is the database of another program")
