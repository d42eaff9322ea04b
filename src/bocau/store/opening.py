"""Opening the store that the settings name, on whichever engine. PostgreSQL's driver is loaded where it is used."""

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

from bocau.store.contract import Clerk, OutcomeDeadlines, StoreBroken
from bocau.store.rooms.store import RoomStore
from bocau.store.sqlite import SqliteStore

__all__ = ["Opening", "StorePlace", "open_beside", "open_gateway"]


class StorePlace(NamedTuple):
    """Where the store is."""

    path: str
    """The SQLite file; with a server, only the marks of this node lie beside it."""
    database_url: str = ""
    """The PostgreSQL server and database; empty: SQLite."""
    pooled: bool = False
    """A pooler in transaction mode stands before the server."""
    may_lose: bool = False
    """Take a server that forgets commits when it crashes: for tests alone."""

    def __str__(self) -> str:
        """For people and the log, without a password."""
        return str(_driver().Address(self.database_url)) if self.database_url else self.path


class Opening(NamedTuple):
    """What a gateway opens its store with."""

    node: int
    now_ms: int
    deadlines: OutcomeDeadlines
    on_fatal: Callable[[BaseException], None]
    tell_inbound: bool
    """Messages from subscribers are due to be told to the operator's address."""
    threaded: bool = True
    """On SQLite, commit on a thread; a simulation does not want it."""


async def open_gateway(place: StorePlace, opening: Opening) -> RoomStore:
    """Open for a gateway: brings the schema up to date, starts an epoch, rescues what the last start left.

    Raises StoreInUse, StoreBroken.
    """
    node, now_ms, deadlines, on_fatal, tell_inbound, threaded = opening
    if not place.database_url:
        return await SqliteStore.gateway(
            place.path,
            node=node,
            now_ms=now_ms,
            deadlines=deadlines,
            on_fatal=on_fatal,
            threaded=threaded,
            tell_inbound=tell_inbound,
        )
    driver = _driver()
    store: RoomStore = await driver.PostgresStore.gateway(
        driver.Address(place.database_url, place.pooled, place.may_lose),
        node=node,
        now_ms=now_ms,
        deadlines=deadlines,
        on_fatal=on_fatal,
        tell_inbound=tell_inbound,
    )
    return store


async def open_beside(place: StorePlace, clerk: Clerk) -> RoomStore:
    """Open beside running gateways, to read and to change the directory. Raises StoreBroken."""
    if not place.database_url:
        return await SqliteStore.administrate(place.path, clerk)
    driver = _driver()
    address = driver.Address(place.database_url, place.pooled, place.may_lose)
    store: RoomStore = await driver.PostgresStore.administrate(address, clerk)
    return store


def _driver() -> Any:  # noqa: ANN401 - a package that may not be there
    """The engine behind a socket. Raises StoreBroken if its driver is not installed."""
    try:
        return importlib.import_module("bocau.store.postgres")
    except ImportError as error:
        raise StoreBroken("PostgreSQL needs its driver: install bocau with `pip install 'bocau[postgres]'`") from error
