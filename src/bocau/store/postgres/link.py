"""Connections to the server: opened with what our promises hang on read back, and told apart when they break.

A connection that is lost is opened again with a growing pause; who waits for it waits no longer than it can afford.
"""

import asyncio
from typing import Any, Final, NamedTuple

import asyncpg

from bocau.store.contract import StoreBroken

__all__ = ["Address", "Link", "LinkLost", "connect", "is_lost"]

_CONNECT_SECONDS: Final = 5.0
_COMMAND_SECONDS: Final = 30.0
_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 2.0
_OLDEST_VERSION: Final = 150000

_CONNECTION_CLASSES: Final = ("08", "57P0")
"""SQLSTATEs that end a connection: connection exceptions, and a server that shuts down or is not ready."""

_FACTS: Final = """
SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), pg_is_in_recovery(),
    current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit')
"""


class LinkLost(Exception):  # noqa: N818
    """The server cannot be reached just now, or went away in the middle of something. The cause is chained."""


class Address(NamedTuple):
    """Where the server is, and what stands between."""

    url: str
    pooled: bool = False
    """A pooler gives every transaction another session (PgBouncer in transaction mode): no statement stays prepared."""
    may_lose: bool = False
    """Take a server that forgets commits when it crashes: for tests alone."""

    def __str__(self) -> str:
        """Without the password."""
        head, at, tail = self.url.rpartition("@")
        scheme, slashes, user = head.partition("://")
        return f"{scheme}{slashes}{user.partition(':')[0]}{at}{tail}"


async def connect(address: Address) -> Any:  # noqa: ANN401 - asyncpg brings no types
    """Open a connection. Raises LinkLost if there is no way now, StoreBroken if the server would break promises."""
    try:
        connection = await asyncpg.connect(
            address.url,
            timeout=_CONNECT_SECONDS,
            command_timeout=_COMMAND_SECONDS,
            statement_cache_size=0 if address.pooled else 512,
            server_settings={"application_name": "bocau"},
        )
    except (ValueError, asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as error:
        raise StoreBroken(f"{address}: {error}") from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise LinkLost(f"{address}: {error or type(error).__name__}") from error
    try:
        _refuse(address, await connection.fetchrow(_FACTS))
    except StoreBroken:
        connection.terminate()
        raise
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        connection.terminate()
        raise LinkLost(f"{address}: {error or type(error).__name__}") from error
    return connection


def _refuse(address: Address, facts: Any) -> None:  # noqa: ANN401 - asyncpg brings no types
    """A commit must mean what a 100 promises (promises P1)."""
    version, encoding, standby, fsync, full_page_writes, synchronous_commit = facts
    if version < _OLDEST_VERSION:
        raise StoreBroken(f"{address}: PostgreSQL {version // 10000} is too old, 15 is the oldest that is supported")
    if encoding != "UTF8":
        raise StoreBroken(f"{address}: the database's encoding is {encoding}, it must be UTF8")
    if standby:
        raise LinkLost(f"{address}: this server is a standby, which cannot be written")
    unsafe = [
        f"{name} is {value}"
        for name, value, enough in (
            ("fsync", fsync, ("on",)),
            ("full_page_writes", full_page_writes, ("on",)),
            ("synchronous_commit", synchronous_commit, ("on", "remote_apply")),
        )
        if value not in enough
    ]
    if unsafe and not address.may_lose:
        cure = "a crash would lose messages that were accepted; put it right on the server, or for this database"
        raise StoreBroken(f"{address}: {' and '.join(unsafe)}: {cure}")


def is_lost(error: BaseException) -> bool:
    """Whether an error of asyncpg says that the connection is gone, and not that a statement is wrong."""
    if isinstance(error, LinkLost | OSError | TimeoutError | asyncpg.ConnectionDoesNotExistError):
        return True
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate or "").startswith(_CONNECTION_CLASSES)
    return isinstance(error, asyncpg.InterfaceError) and "clos" in str(error)


class Link:
    """One connection that is opened again when it is lost. One user at a time."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection: Any = None
        self._pause = _FIRST_PAUSE_SECONDS
        self.trouble: str = ""
        """Why there is no connection; empty while there is one."""

    async def open(self) -> Any:  # noqa: ANN401 - asyncpg brings no types
        """The connection, opened if need be. Raises LinkLost, StoreBroken."""
        if self._connection is None or self._connection.is_closed():
            try:
                self._connection = await connect(self._address)
            except (LinkLost, StoreBroken) as error:
                self.trouble = str(error)
                raise
            self.trouble, self._pause = "", _FIRST_PAUSE_SECONDS
        return self._connection

    async def reopen(self, give_up_at: float) -> Any:  # noqa: ANN401 - asyncpg brings no types
        """The same, tried again and again until a moment of the loop's clock. Raises LinkLost, StoreBroken."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return await self.open()
            except LinkLost:
                if loop.time() + self._pause > give_up_at:
                    raise
            await asyncio.sleep(self._pause)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)

    def drop(self, error: BaseException) -> None:
        """Something went wrong on it: the next user gets a new one."""
        self.trouble = str(error) or type(error).__name__
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        """A clean end, if the server is there for it."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            try:
                await connection.close(timeout=1.0)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.terminate()
