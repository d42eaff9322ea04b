"""The engines that the contract suite runs against, and what the suite may know of their insides."""

import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from bocau.core.lifecycle import AttemptState
from bocau.core.message import Message
from bocau.store.contract import (
    AcceptStore,
    AdminStore,
    CallbackStore,
    CallStore,
    ConsoleStore,
    ConsoleUserStore,
    DispatchStore,
    InboundStore,
    KitStore,
    OperatorStore,
    OutcomeDeadlines,
    ReceiptStore,
    ScheduleStore,
)
from bocau.store.sqlite import SqliteStore

__all__ = ["DEADLINES", "ENGINES", "Engine", "Inside", "Rooms", "SqliteEngine"]

DEADLINES: Final = OutcomeDeadlines(
    uncertain_otp_ms=10 * 60_000, uncertain_other_ms=48 * 3_600_000, receipt_ms=72 * 3_600_000
)


_MESSAGES: Final = f"SELECT {', '.join(Message.__struct_fields__)} FROM message"  # noqa: S608 - the names of our own fields


class Rooms(
    AcceptStore,
    ScheduleStore,
    DispatchStore,
    CallStore,
    ReceiptStore,
    CallbackStore,
    InboundStore,
    AdminStore,
    OperatorStore,
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

    def crash(self) -> None:
        """What is committed now is all that the next start finds; the store open now is cut off from it."""
        ...

    def inspect(self) -> Inside:
        """Everything that is committed."""
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

    def crash(self) -> None:
        """The next start sees the bytes of this moment: the file and its log, as a killed process leaves them."""
        old = self.path
        self._life += 1
        for tail in ("", "-wal"):
            if Path(old + tail).exists():
                shutil.copy(old + tail, self.path + tail)

    def inspect(self) -> Inside:
        """Everything that is committed."""
        db = sqlite3.connect(self.path)

        def rows(text: str) -> list[tuple[Any, ...]]:
            return db.execute(text).fetchall()

        try:
            return Inside(
                {row[0]: (row[1], row[2]) for row in rows("SELECT id, balance, credit_limit FROM account")},
                [LedgerRow(*row) for row in rows("SELECT account_id, subject_id, kind, amount FROM ledger")],
                {row[0]: Message(*row) for row in rows(_MESSAGES)},
                [
                    AttemptRow(row[0], row[1], row[2], row[3], AttemptState(row[4]), row[5], row[6])
                    for row in rows("SELECT message_id, part, number, parts, state, carrier_id, carrier FROM attempt")
                ],
                [(row[0], row[1], row[2]) for row in rows("SELECT account_id, request_id, head FROM request_key")],
                {row[0]: CallbackRow(*row) for row in rows("SELECT id, state, owner, tries, due_ms FROM callback")},
                [(row[0], row[1], row[2]) for row in rows("SELECT callback_id, number, http_status FROM callback_try")],
                [(row[0], row[1]) for row in rows("SELECT carrier_id, phone FROM orphan_receipt ORDER BY id")],
                [row[0] for row in rows("SELECT raw FROM inbound ORDER BY id")],
                {row[0]: (row[1], row[2]) for row in rows("SELECT id, state, callback_url FROM registration")},
            )
        finally:
            db.close()


def _sqlite_threaded(folder: Path) -> Engine:
    return SqliteEngine(folder, threaded=True)


def _sqlite_inline(folder: Path) -> Engine:
    return SqliteEngine(folder, threaded=False)


ENGINES: Final = {"sqlite-threaded": _sqlite_threaded, "sqlite-inline": _sqlite_inline}
"""Every engine that must keep the contract: name to a maker that is given an empty folder."""
