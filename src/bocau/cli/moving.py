"""`bocau migrate`: from one machine's file to a server that several share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bocau.cli.options import Json
from bocau.cli.output import Trouble, document, told

if TYPE_CHECKING:
    from bocau.store.moving import Moved

__all__ = ["migrate"]

_FILE: Final = "sqlite:"
_SERVER: Final = ("postgresql://", "postgres://")


def migrate(
    source: Annotated[str, typer.Option("--from", metavar="sqlite:FILE", help="The store, whose gateway has stopped.")],
    target: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="URL",
            envvar="BOCAU_MIGRATE_TO",
            help="An empty database, as postgresql://...; prefer the variable: others see a password here.",
        ),
    ],
    as_json: Json = False,
) -> None:
    """Move everything of a store to PostgreSQL, each table counted and summed on both sides.

    All of it arrives, or nothing. The old store is kept, in quarantine, so that nobody sends from both.
    """
    with told(as_json):
        path = Path(source.removeprefix(_FILE))
        if not source.startswith(_FILE) or not path.is_file():
            raise Trouble(f'"{source}" is no store: it looks like sqlite:/var/lib/bocau/bocau.db, and must exist.')
        if not target.startswith(_SERVER):
            raise Trouble('The database looks like "postgresql://user@host/name".')
        moved = _move(path, target, as_json=as_json)
        if as_json:
            document({"tables": {one.table: one.rows for one in moved}, "from": str(path)})
        else:
            print(f"{len(moved)} tables are moved. {path} is kept, in quarantine: do not run a gateway on it again.")


def _move(path: Path, target: str, *, as_json: bool) -> "list[Moved]":
    try:
        import asyncpg  # noqa: F401
    except ImportError:
        raise Trouble("This needs the extra `postgres`: pip install 'bocau[postgres]'.") from None
    import asyncio
    import sqlite3

    from bocau.store.contract import StoreBroken, StoreInUse
    from bocau.store.moving import MoveRefused, move
    from bocau.store.postgres.link import Address, LinkLost
    from bocau.world import RealWorld

    moved: list[Moved] = []

    def hear(one: "Moved") -> None:
        moved.append(one)
        if not as_json:
            print(f"{one.table:<20} {one.rows:>12}")

    try:
        asyncio.run(move(path, Address(target), RealWorld().now_ms(), hear))
    except (MoveRefused, StoreBroken, StoreInUse, LinkLost, sqlite3.Error, OSError) as error:
        raise Trouble(f"Nothing was moved: {error}.") from error
    return moved
