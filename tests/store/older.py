"""Stores as versions before this one left them."""

import sqlite3
from pathlib import Path

from bocau.store.migrations import read_steps
from bocau.store.sqlite.opening import migrate

__all__ = ["as_older", "counted"]


def as_older(store: Path, target: Path, last: int) -> None:
    """A store with the schema up to a step, and whatever of another one's rows fits into it."""
    steps = {number: step for number, step in read_steps("sqlite").items() if number <= last}
    db = sqlite3.connect(target, isolation_level=None)
    migrate(db, steps)
    db.execute("ATTACH ? AS donor", (str(store),))
    db.execute("BEGIN")
    for table in _tables(db, "main"):
        if table == "migration":
            continue
        there, here = _columns(db, "donor", table), _columns(db, "main", table)
        names = ", ".join(name for name in here if name in there)
        db.execute(f"DELETE FROM main.{table}")  # noqa: S608 - the names of our own tables
        db.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM donor.{table}")  # noqa: S608
    db.execute("COMMIT")
    db.execute("DETACH donor")
    db.execute("PRAGMA journal_mode = WAL")
    db.close()


def counted(store: Path) -> dict[str, int]:
    """Rows of every table."""
    db = sqlite3.connect(store)
    found = {
        table: int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608
        for table in _tables(db, "main")
    }
    db.close()
    return found


def _tables(db: sqlite3.Connection, schema: str) -> list[str]:
    text = f"SELECT name FROM {schema}.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"  # noqa: S608
    return [row[0] for row in db.execute(text)]


def _columns(db: sqlite3.Connection, schema: str, table: str) -> list[str]:
    return [row[1] for row in db.execute(f"PRAGMA {schema}.table_info({table})")]
