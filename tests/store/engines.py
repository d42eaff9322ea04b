"""The engines that the contract suite runs against, and what the suite may know of their insides."""

import contextlib
import functools
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import pytest
from tests.postgres import Unavailable, server

from bocau.core.lifecycle import AttemptState
from bocau.core.message import Message
from bocau.store.contract import (
    AcceptStore,
    AdminStore,
    CallbackDeskStore,
    CallbackStore,
    CallStore,
    Clerk,
    ConsoleStore,
    ConsoleUserStore,
    DispatchStore,
    ForgetStore,
    InboundStore,
    KitStore,
    NetworkStore,
    NodeStore,
    OperatorStore,
    OutcomeDeadlines,
    ReceiptStore,
    ScheduleStore,
)
from bocau.store.postgres import PostgresStore
from bocau.store.postgres.link import Address, connect
from bocau.store.postgres.opening import migrate
from bocau.store.sqlite import SqliteStore

__all__ = ["DEADLINES", "ENGINES", "LOOKS", "Engine", "Inside", "PostgresEngine", "Rooms", "SqliteEngine", "inside"]

DEADLINES: Final = OutcomeDeadlines(
    uncertain_otp_ms=10 * 60_000, uncertain_other_ms=48 * 3_600_000, receipt_ms=72 * 3_600_000
)


_MESSAGES: Final = f"SELECT {', '.join(Message.__struct_fields__)} FROM message"  # noqa: S608 - the names of our own fields


class Rooms(
    AcceptStore,
    ScheduleStore,
    ForgetStore,
    DispatchStore,
    CallStore,
    ReceiptStore,
    CallbackStore,
    CallbackDeskStore,
    InboundStore,
    AdminStore,
    OperatorStore,
    NetworkStore,
    NodeStore,
    KitStore,
    ConsoleStore,
    ConsoleUserStore,
    Protocol,
):
    """An open store: every room's contract at once."""

    epoch: int
    rescued: tuple[int, int, int]
    last_message_id: int

    async def close(self, now_ms: int) -> None:
        """A clean end."""
        ...


class LedgerRow(NamedTuple):
    """A line of money."""

    account_id: int
    subject_id: int
    kind: str
    amount: int


class AttemptRow(NamedTuple):
    """One try to hand one part to a carrier."""

    message_id: int
    part: int
    number: int
    parts: int
    state: AttemptState
    carrier_id: str
    carrier: str


class CallbackRow(NamedTuple):
    """The duty to tell."""

    id: int
    state: str
    owner: int
    tries: int
    due_ms: int | None


class Inside(NamedTuple):
    """Everything the sweep looks at."""

    balances: Mapping[int, tuple[int, int]]
    """Balance and credit limit by account."""
    ledger: list[LedgerRow]
    messages: dict[int, Message]
    attempts: list[AttemptRow]
    request_keys: list[tuple[int, str, int]]
    """Account, RequestId, head."""
    callbacks: dict[int, CallbackRow]
    tries: list[tuple[int, int, int]]
    """Callback, number, HTTP status."""
    orphans: list[tuple[str, str]]
    """Id and phone of each receipt that matched nothing."""
    inbound: list[bytes]
    registrations: dict[int, tuple[str, str]]
    """State and callback URL by id."""


class Engine(Protocol):
    """A kind of store, with the data of one test."""

    async def open(self, now_ms: int) -> Rooms:
        """A gateway's start on the data."""
        ...

    async def beside(self, clerk: Clerk) -> Rooms:
        """A command's way in, beside the gateway."""
        ...

    def crash(self) -> None:
        """What is committed now is all that the next start finds; the store open now is cut off from it."""
        ...

    def inspect(self) -> Inside:
        """Everything that is committed."""
        ...

    def change(self, text: str) -> None:
        """Run a statement that no room would."""
        ...

    def close(self) -> None:
        """Nobody opens it again."""
        ...


class SqliteEngine:
    """SQLite on a file of a temporary folder."""

    def __init__(self, folder: Path, *, threaded: bool, tell_inbound: bool = False) -> None:
        self._tell_inbound = tell_inbound
        self._folder = folder
        self._threaded = threaded
        self._life = 0
        self.faults: list[BaseException] = []
        """What the store reported as fatal."""

    @property
    def path(self) -> str:
        """The file now in use."""
        return str(self._folder / f"life{self._life}.db")

    async def open(self, now_ms: int) -> SqliteStore:
        """A gateway's start on the file."""
        return await SqliteStore.gateway(
            self.path,
            node=7,
            now_ms=now_ms,
            deadlines=DEADLINES,
            on_fatal=self.faults.append,
            threaded=self._threaded,
            tell_inbound=self._tell_inbound,
        )

    async def beside(self, clerk: Clerk) -> SqliteStore:
        """A command's way in, beside the gateway."""
        return await SqliteStore.administrate(self.path, clerk)

    def crash(self) -> None:
        """The next start sees the bytes of this moment: the file and its log, as a killed process leaves them."""
        old = self.path
        self._life += 1
        for tail in ("", "-wal"):
            if Path(old + tail).exists():
                shutil.copy(old + tail, self.path + tail)

    def inspect(self) -> Inside:
        """Everything that is committed."""
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            return inside(lambda text: db.execute(text).fetchall())

    def change(self, text: str) -> None:
        """What no room would do."""
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            db.execute(text)
            db.commit()

    def close(self) -> None:
        """The folder is somebody else's."""


class PostgresEngine:
    """PostgreSQL, with a database for each life of a test."""

    def __init__(self, *, tell_inbound: bool = False) -> None:
        self._tell_inbound = tell_inbound
        self._server = server()
        self.database = _EMPTY.pop() if _EMPTY else self._server.make(template())
        self._old: list[str] = []
        self.faults: list[BaseException] = []
        """What the store reported as fatal."""

    @property
    def address(self) -> Address:
        """The database now in use."""
        return Address(self._server.url(self.database), may_lose=True)

    async def open(self, now_ms: int) -> PostgresStore:
        """A gateway's start on the database."""
        return await PostgresStore.gateway(
            self.address,
            node=7,
            now_ms=now_ms,
            deadlines=DEADLINES,
            on_fatal=self.faults.append,
            tell_inbound=self._tell_inbound,
        )

    async def beside(self, clerk: Clerk) -> PostgresStore:
        """A command's way in, beside the gateway."""
        return await PostgresStore.administrate(self.address, clerk)

    def crash(self) -> None:
        """The next start sees what is committed now."""
        self._old.append(self.database)
        self._server.cut_off(self.database)
        self.database = self._server.make(self.database)

    def inspect(self) -> Inside:
        """Everything that is committed."""
        return inside(dict(zip(LOOKS, self._server.ask(self.database, *LOOKS), strict=True)).__getitem__)

    def change(self, text: str) -> None:
        """What no room would do."""
        self._server.command(self.database, text)

    def close(self) -> None:
        """The next test may have an empty database, which is quicker emptied than made."""
        for name in self._old:
            self._server.drop(name)
        self._server.command(self.database, _emptying())
        _EMPTY.append(self.database)


_EMPTY: Final[list[str]] = []


@functools.cache
def _emptying() -> str:
    """What makes a database as `template` is."""
    (tables,) = server().ask(template(), "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    kept = {"migration", "directory_version", "numbering_version"}
    names = sorted({name for (name,) in tables} - kept)
    return "; ".join(
        [
            "SET session_replication_role = replica",
            *[f"DELETE FROM {name}" for name in names],  # noqa: S608 - names of our own tables
            "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'",
            "UPDATE directory_version SET version = 1",
            "UPDATE numbering_version SET version = 1",
        ]
    )


@functools.cache
def template() -> str:
    """A database with the schema and nothing in it."""
    name = server().make()

    async def go() -> None:
        connection = await connect(Address(server().url(name), may_lose=True))
        await migrate(connection)
        await connection.close()

    server().run(go())
    return name


LOOKS: Final = (
    _ACCOUNTS := "SELECT id, balance, credit_limit FROM account",
    _LEDGER := "SELECT account_id, subject_id, kind, amount FROM ledger",
    _MESSAGES,
    _ATTEMPTS := "SELECT message_id, part, number, parts, state, carrier_id, carrier FROM attempt",
    _REQUEST_KEYS := "SELECT account_id, request_id, head FROM request_key",
    _CALLBACKS := "SELECT id, state, owner, tries, due_ms FROM callback",
    _TRIES := "SELECT callback_id, number, http_status FROM callback_try",
    _ORPHANS := "SELECT carrier_id, phone FROM orphan_receipt ORDER BY id",
    _INBOUND := "SELECT raw FROM inbound ORDER BY id",
    _REGISTRATIONS := "SELECT id, state, callback_url FROM registration",
)
"""Questions that `inside` puts."""


def inside(rows: Callable[[str], list[tuple[Any, ...]]]) -> Inside:
    """What the answers to the looks amount to."""
    return Inside(
        {row[0]: (row[1], row[2]) for row in rows(_ACCOUNTS)},
        [LedgerRow(*row) for row in rows(_LEDGER)],
        {row[0]: Message(*row) for row in rows(_MESSAGES)},
        [AttemptRow(row[0], row[1], row[2], row[3], AttemptState(row[4]), row[5], row[6]) for row in rows(_ATTEMPTS)],
        [(row[0], row[1], row[2]) for row in rows(_REQUEST_KEYS)],
        {row[0]: CallbackRow(*row) for row in rows(_CALLBACKS)},
        [(row[0], row[1], row[2]) for row in rows(_TRIES)],
        [(row[0], row[1]) for row in rows(_ORPHANS)],
        [row[0] for row in rows(_INBOUND)],
        {row[0]: (row[1], row[2]) for row in rows(_REGISTRATIONS)},
    )


def _sqlite_threaded(folder: Path) -> Engine:
    return SqliteEngine(folder, threaded=True)


def _sqlite_inline(folder: Path) -> Engine:
    return SqliteEngine(folder, threaded=False)


def _postgres(folder: Path) -> Engine:
    try:
        return PostgresEngine()
    except Unavailable as why:
        pytest.skip(f"no PostgreSQL: {why}")


ENGINES: Final = {"postgres": _postgres, "sqlite-threaded": _sqlite_threaded, "sqlite-inline": _sqlite_inline}
"""Every engine that must keep the contract: name to a maker that is given an empty folder."""
