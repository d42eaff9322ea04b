"""SqliteStore: every room's contract on one file."""

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from bocau.core.directory import (
    AccountRow,
    BlockedRow,
    BrandnameRow,
    DirectoryRows,
    KeyRow,
    NetworkRow,
    PriceRow,
    TemplateRow,
)
from bocau.core.ids import first_id_at, head_of
from bocau.core.ledger import EntryKind, covers, day_of
from bocau.core.limits import LimitRow
from bocau.core.message import (
    Admission,
    Answer,
    CallbackDue,
    CallbackTry,
    Due,
    Duplicate,
    Intent,
    Message,
    ReceiptIn,
    ReceiptStored,
    Summary,
)
from bocau.core.money import vnd_number
from bocau.core.registration import Registration
from bocau.store.contract import (
    EVER,
    AdmitResult,
    AuditLine,
    Clerk,
    Done,
    KeyUse,
    LedgerLine,
    LedgerWindow,
    OutcomeDeadlines,
    Recorded,
    StateCounts,
    StoreFault,
    Turn,
    UseToday,
    Waking,
)
from bocau.store.queries import Queries, load
from bocau.store.sqlite.admitting import Admitting, find_duplicate, read_summary
from bocau.store.sqlite.calling import Calling
from bocau.store.sqlite.commit import GroupCommit, Kind
from bocau.store.sqlite.dispatching import Dispatching
from bocau.store.sqlite.finishing import Finishing
from bocau.store.sqlite.opening import Lock, StoreBroken, connect, migrate
from bocau.store.sqlite.receiving import Receiving
from bocau.store.sqlite.recording import Recording
from bocau.store.sqlite.registering import ask, decide
from bocau.store.sqlite.scheduling import Scheduling, rescue

__all__ = ["SqliteStore"]

T = TypeVar("T")


class SqliteStore:
    """One machine's store. Open it with `gateway` to run on it, or with `administrate` beside a running gateway."""

    def __init__(
        self,
        writer: sqlite3.Connection,
        reader: sqlite3.Connection,
        lock: Lock | None,
        epoch: int,
        commit: GroupCommit,
    ) -> None:
        self.epoch = epoch
        self.clerk = Clerk("gateway", lambda: 0)
        """Who makes changes of the directory through this store, for the audit."""
        self.rescued = (0, 0, 0)
        """Messages given back, messages now uncertain, callbacks due again, found at this start."""
        self._q = q = load("sqlite")
        self.last_message_id: int = writer.execute(q["last_message_id"]).fetchone()[0] or 0
        self._reader = reader
        self._writer = writer
        self._lock = lock
        self._commit = commit
        finishing = Finishing(q, epoch)
        receiving = Receiving(q, finishing)
        dispatching, scheduling, calling = Dispatching(q, epoch), Scheduling(q, finishing), Calling(q, epoch)
        # The order inside a transaction follows a message through the house.
        self._admitting = Admitting(q)
        self._admit = Kind("admit", 1, self._admitting.run)
        self._begin = Kind("begin", 2, dispatching.begin)
        self._record = Kind("record", 3, Recording(q, finishing, receiving).run)
        self._receive = Kind("receipt", 4, receiving.run)
        self._tried = Kind("tried", 5, calling.tried)
        self._inbound = Kind("inbound", 6, self._insert_inbound)
        self._hand_back = Kind("hand_back", 7, dispatching.hand_back)
        self._turn = Kind("turn", 8, scheduling.turn)
        self._claim = Kind("claim", 9, dispatching.claim)
        self._claim_callbacks = Kind("claim_callbacks", 10, calling.claim)
        self._waking = Kind("waking", 11, scheduling.waking)
        self._open_parts = Kind("open_parts", 12, dispatching.open_parts)
        self._prune = Kind("prune", 13, scheduling.prune)
        self._used = Kind("used", 14, self._note_used)
        self._act = Kind("act", 15, self._run_acts)

    @classmethod
    async def gateway(
        cls,
        path: str,
        *,
        node: int,
        now_ms: int,
        deadlines: OutcomeDeadlines,
        on_fatal: Callable[[BaseException], None],
        threaded: bool = True,
    ) -> "SqliteStore":
        """Open for a gateway: takes the lock, migrates, starts an epoch, rescues what the last start left.

        Raises StoreInUse, StoreBroken.
        """
        with contextlib.ExitStack() as opened:
            lock = Lock(path)
            opened.callback(lock.close)
            writer = connect(path, writing=True)
            opened.callback(writer.close)
            migrate(writer)
            q = load("sqlite")
            try:
                writer.execute("BEGIN IMMEDIATE")
                rescued = rescue(writer, q, now_ms, deadlines)
                epoch: int = writer.execute(q["start_node"], (node, now_ms)).fetchone()[0]
                writer.execute("COMMIT")
            except sqlite3.Error as error:
                raise StoreBroken(f"{path}: {error}") from error
            reader = connect(path, writing=False)
            store = cls(writer, reader, lock, epoch, GroupCommit(writer, threaded=threaded, on_fatal=on_fatal))
            store.rescued = rescued
            opened.pop_all()
            return store

    @classmethod
    async def administrate(cls, path: str, clerk: Clerk) -> "SqliteStore":
        """Open beside a running gateway, to read and to change the directory. Raises StoreBroken."""
        writer = connect(path, writing=True)
        try:
            migrate(writer)
            reader = connect(path, writing=False)
        except StoreBroken:
            writer.close()
            raise
        store = cls(writer, reader, None, 0, GroupCommit(writer, threaded=False, on_fatal=_ignore))
        store.clerk = clerk
        return store

    async def close(self, now_ms: int) -> None:
        """Commit what waits and let go of the file. After a fatal error nothing is written to it here."""
        await self._commit.close()
        if self.epoch and not self._commit.dead:
            with contextlib.suppress(sqlite3.Error):
                self._writer.execute(self._q["stop_node"], (self.epoch, now_ms))
        self._reader.close()
        self._writer.close()
        if self._lock is not None:
            self._lock.close()

    @property
    def commits(self) -> tuple[int, int, int]:
        """Transactions so far, items in them, and transactions that failed."""
        return self._commit.commits, self._commit.items, self._commit.failures

    # Room 1

    def admit(self, admission: Admission, done: Done[AdmitResult]) -> None:
        """See AcceptStore."""
        self._commit.put(self._admit, admission, done)

    async def rehearse(self, admission: Admission) -> AdmitResult:
        """See AcceptStore."""
        return self._admitting.rehearse(self._reader, admission)

    async def used(self, keys: Sequence[tuple[str, int]]) -> None:
        """See AcceptStore."""
        await self._commit.call(self._used, keys)

    def _note_used(self, db: sqlite3.Connection, items: Sequence[Sequence[tuple[str, int]]]) -> list[None]:
        db.executemany(self._q["key_used"], [key for keys in items for key in keys])
        return [None] * len(items)

    async def recent(self, since_ms: int, limit: int) -> list[tuple[int, str, int]]:
        """See AcceptStore."""
        return self._reader.execute(self._q["recent_receivers"], (first_id_at(since_ms), limit)).fetchall()

    async def read_directory(self) -> DirectoryRows:
        """See AcceptStore."""
        q, read = self._q, self._reader.execute
        read("BEGIN")
        try:
            return DirectoryRows(
                read(q["directory_version"]).fetchone()[0],
                tuple(AccountRow(*row) for row in read(q["directory_accounts"])),
                tuple(KeyRow(*row) for row in read(q["directory_keys"])),
                tuple(BrandnameRow(*row) for row in read(q["directory_brandnames"])),
                tuple(TemplateRow(*row) for row in read(q["directory_templates"])),
                tuple(PriceRow(*row) for row in read(q["directory_prices"])),
                tuple(LimitRow(*row) for row in read(q["directory_limits"])),
                tuple(NetworkRow(*row) for row in read(q["directory_networks"])),
                tuple(BlockedRow(*row) for row in read(q["directory_blocked"])),
            )
        finally:
            read("COMMIT")

    async def directory_version(self) -> int:
        """See AcceptStore."""
        version: int = self._reader.execute(self._q["directory_version"]).fetchone()[0]
        return version

    async def ask_template(self, asked: Registration, templates: Sequence[TemplateRow] | None) -> int | None:
        """See AcceptStore."""

        def change(db: sqlite3.Connection, q: Queries) -> int | None:
            number = ask(db, q, asked)
            if number is not None and templates is not None:
                decide(db, q, number, templates, "", asked.created_ms)
            return number

        subject = f"account {asked.account_id}: {asked.brandname}, by the customer"
        return await self._change("template.ask", subject, change, tell=templates is not None)

    async def numbering_version(self) -> int:
        """See AcceptStore."""
        version: int = self._reader.execute(self._q["numbering_version"]).fetchone()[0]
        return version

    async def ported(self, after: int, limit: int) -> list[tuple[int, int]]:
        """See AcceptStore."""
        return self._reader.execute(self._q["read_ported"], (after, limit)).fetchall()

    async def seen(self, account_id: int, request_id: str, now_ms: int) -> Duplicate | None:
        """See AcceptStore."""
        return find_duplicate(self._reader, self._q, account_id, request_id, now_ms)

    async def balance(self, account_id: int) -> tuple[int, int]:
        """See AcceptStore."""
        row: tuple[int, int] = self._reader.execute(self._q["read_balance"], (account_id,)).fetchone()
        return row

    async def summary(self, account_id: int, smsid: str, since_ms: int) -> Summary | None:
        """See AcceptStore."""
        head = head_of(smsid)
        found = None if head is None else read_summary(self._reader, self._q, account_id, head, since_ms)
        return found if found is not None and found.smsid == smsid.lower() else None

    # Room 2

    async def waking(self, now_ms: int, limit: int) -> list[Waking]:
        """See ScheduleStore."""
        return await self._commit.call(self._waking, (now_ms, limit))

    async def turn(self, turns: Sequence[Turn], now_ms: int) -> list[CallbackDue]:
        """See ScheduleStore."""
        return await self._commit.call(self._turn, (turns, now_ms))

    async def prune(self, now_ms: int, limit: int) -> int:
        """See ScheduleStore."""
        return await self._commit.call(self._prune, (now_ms, limit))

    # Room 3

    async def claim(self, now_ms: int, limit: int) -> list[Message]:
        """See DispatchStore."""
        return await self._commit.call(self._claim, (now_ms, limit))

    async def open_parts(self, message_id: int) -> tuple[int, ...]:
        """See DispatchStore."""
        return await self._commit.call(self._open_parts, message_id)

    def begin(self, intent: Intent, done: Done[int | None]) -> None:
        """See DispatchStore."""
        self._commit.put(self._begin, intent, done)

    def hand_back(self, message_id: int, due_ms: int, done: Done[None]) -> None:
        """See DispatchStore."""
        self._commit.put(self._hand_back, (message_id, due_ms), done)

    # Room 4

    def record(self, answer: Answer, done: Done[Recorded]) -> None:
        """See DeliverStore."""
        self._commit.put(self._record, answer, done)

    def inbound(self, carrier: str, raw: bytes, at_ms: int, done: Done[None]) -> None:
        """See DeliverStore."""
        self._commit.put(self._inbound, (carrier, at_ms, raw), done)

    def _insert_inbound(self, db: sqlite3.Connection, items: Sequence[tuple[str, int, bytes]]) -> list[None]:
        db.executemany(self._q["insert_inbound"], items)
        return [None] * len(items)

    # Room 5

    def receipt(self, receipt: ReceiptIn, done: Done[ReceiptStored]) -> None:
        """See ReceiptStore."""
        self._commit.put(self._receive, receipt, done)

    async def claim_callbacks(self, now_ms: int, limit: int) -> list[Due]:
        """See CallbackStore."""
        return await self._commit.call(self._claim_callbacks, (now_ms, limit))

    def tried(self, attempt: CallbackTry, done: Done[None]) -> None:
        """See CallbackStore."""
        self._commit.put(self._tried, attempt, done)

    # Administration

    async def counts(self) -> StateCounts:
        """See AdminStore."""
        read, q = self._reader.execute, self._q
        queued, oldest, uncertain = read(q["count_open"]).fetchone()
        waiting, orphans = read(q["count_callbacks"]).fetchone()[0], read(q["count_orphans"]).fetchone()[0]
        return StateCounts(queued, oldest, uncertain, waiting, orphans)

    async def accounts(self) -> list[AccountRow]:
        """See AdminStore."""
        return [AccountRow(*row) for row in self._reader.execute(self._q["directory_accounts"])]

    async def ledger(self, account_id: int, limit: int, window: LedgerWindow = EVER) -> list[LedgerLine]:
        """See AdminStore."""
        values = (account_id, window.since_ms, window.until_ms, *window.last, limit)
        return [LedgerLine(*row) for row in self._reader.execute(self._q["read_ledger"], values)]

    async def use_today(self, account_id: int, now_ms: int) -> UseToday:
        """See AdminStore."""
        read, today = self._reader.execute, day_of(now_ms)
        _, _, day, spent = read(self._q["read_purse"], (account_id,)).fetchone()
        keys = tuple(KeyUse(*row) for row in read(self._q["read_keys"], (account_id, today)))
        return UseToday(spent if day == today else 0, keys)

    async def audit(self, limit: int) -> list[AuditLine]:
        """See AdminStore."""
        return [AuditLine(*row) for row in self._reader.execute(self._q["read_audit"], (limit,))]

    async def create_account(self, name: str, now_ms: int) -> int:
        """See AdminStore."""
        if any(account.name == name for account in await self.accounts()):
            raise ValueError(f"there is an account {name!r} already")
        return await self._change(
            "account.create", name, lambda db, q: int(db.execute(q["insert_account"], (name, now_ms)).fetchone()[0])
        )

    async def set_account_state(self, account_id: int, state: str) -> None:
        """See AdminStore."""
        await self._change(
            "account.state",
            f"account {account_id}: {state}",
            lambda db, q: db.execute(q["set_account_state"], (account_id, state)),
        )

    async def set_unicode_policy(self, account_id: int, policy: str) -> None:
        """See AdminStore."""
        await self._change(
            "account.unicode_policy",
            f"account {account_id}: {policy or 'default'}",
            lambda db, q: db.execute(q["set_unicode_policy"], (account_id, policy)),
        )

    async def set_credit_limit(self, account_id: int, amount: int) -> None:
        """See AdminStore."""
        await self._change(
            "account.credit",
            f"account {account_id}: {vnd_number(amount)} VND",
            lambda db, q: db.execute(q["set_credit_limit"], (account_id, amount)),
        )

    async def put_key(self, row: KeyRow, now_ms: int) -> None:
        """See AdminStore."""
        subject = f"account {row.account_id}: {_key_facts(row)}"
        await self._change("key.put", subject, lambda db, q: _put_key(db, q, row, now_ms))

    async def rotate_key(self, old: KeyRow, new: KeyRow, now_ms: int) -> None:
        """See AdminStore."""

        def change(db: sqlite3.Connection, q: Queries) -> None:
            _put_key(db, q, old, now_ms)
            _put_key(db, q, new, now_ms)

        await self._change("key.rotate", f"account {old.account_id}: {_key_facts(old)}; {_key_facts(new)}", change)

    async def put_limit(self, row: LimitRow) -> None:
        """See AdminStore."""
        subject = f"account {row.account_id}: {row.name} {row.value}"
        await self._change("limit.put", subject, lambda db, q: db.execute(q["put_limit"], row))

    async def delete_limit(self, account_id: int, name: str) -> bool:
        """See AdminStore."""
        return await self._change(
            "limit.delete",
            f"account {account_id}: {name}",
            lambda db, q: db.execute(q["delete_limit"], (account_id, name)).rowcount == 1,
        )

    async def put_network(self, row: NetworkRow) -> None:
        """See AdminStore."""
        await self._change("network.put", _network_facts(row), lambda db, q: db.execute(q["put_network"], row))

    async def delete_network(self, row: NetworkRow) -> bool:
        """See AdminStore."""
        return await self._change(
            "network.delete", _network_facts(row), lambda db, q: db.execute(q["delete_network"], row).rowcount == 1
        )

    async def block(self, rows: Sequence[BlockedRow], now_ms: int) -> int:
        """See AdminStore."""
        return await self._change(
            "block.put",
            _blocked_facts(rows),
            lambda db, q: db.executemany(q["put_blocked"], [(*row, now_ms) for row in rows]).rowcount,
        )

    async def unblock(self, rows: Sequence[BlockedRow]) -> int:
        """See AdminStore."""
        return await self._change(
            "block.delete", _blocked_facts(rows), lambda db, q: db.executemany(q["delete_blocked"], rows).rowcount
        )

    async def put_brandname(self, row: BrandnameRow, now_ms: int) -> None:
        """See AdminStore."""
        subject = f"account {row.account_id}: {row.name} for type {row.sms_type}, {row.state}"
        await self._change("brandname.put", subject, lambda db, q: db.execute(q["put_brandname"], (*row, now_ms)))

    async def put_template(self, row: TemplateRow, now_ms: int) -> int:
        """See AdminStore."""
        return await self._change(
            "template.put",
            f"account {row.account_id}: {row.brandname} on network {row.telco}, {row.route_class}: {row.content}",
            lambda db, q: int(db.execute(q["put_template"], (*row[1:], now_ms)).fetchone()[0]),
        )

    async def delete_template(self, account_id: int, template_id: int) -> bool:
        """See AdminStore."""
        return await self._change(
            "template.delete",
            f"account {account_id}: {template_id}",
            lambda db, q: db.execute(q["delete_template"], (account_id, template_id)).fetchone() is not None,
        )

    async def pending_templates(self) -> list[Registration]:
        """See AdminStore."""
        return [Registration(*row) for row in self._reader.execute(self._q["pending_registrations"])]

    async def decide_template(
        self, registration_id: int, templates: Sequence[TemplateRow] | None, reason: str, now_ms: int
    ) -> bool:
        """See AdminStore."""
        subject = f"registration {registration_id}: {'rejected' if templates is None else 'approved'}"
        return await self._change(
            "template.decide", subject, lambda db, q: decide(db, q, registration_id, templates, reason, now_ms)
        )

    async def put_price(self, row: PriceRow) -> None:
        """See AdminStore."""
        subject = f"account {row.account_id}: type {row.sms_type} on network {row.telco}, {vnd_number(row.price)} VND"
        await self._change("price.put", subject, lambda db, q: db.execute(q["put_price"], row))

    async def put_ported(self, rows: Sequence[tuple[int, int]], *, last: bool) -> None:
        """See AdminStore."""

        def change(db: sqlite3.Connection, q: Queries) -> None:
            db.executemany(q["put_ported"], [row for row in rows if row[1]])
            db.executemany(q["delete_ported"], [row[:1] for row in rows if not row[1]])
            if last:
                db.execute(q["touch_numbering"])

        await self._change("ported.put", f"{len(rows)} number(s)", change, tell=last)

    async def clear_ported(self) -> None:
        """See AdminStore."""
        await self._change("ported.clear", "all numbers", lambda db, q: db.execute(q["clear_ported"]), tell=False)

    async def top_up(self, account_id: int, amount: int, cause: str, now_ms: int) -> int:
        """See AdminStore."""

        def change(db: sqlite3.Connection, q: Queries) -> int:
            found = db.execute(q["read_balance"], (account_id,)).fetchone()
            if found is None:
                raise ValueError(f"there is no account {account_id}")
            balance, credit = found
            if amount < 0 and not covers(balance, credit, -amount):
                raise ValueError("the account does not have that much")
            # The subject of a top-up is its own moment, in the order of message ids, made unique within the account.
            subject = first_id_at(now_ms)
            while db.execute(q["find_ledger"], (account_id, subject, EntryKind.TOP_UP.value)).fetchone():
                subject += 1
            db.execute(q["insert_ledger"], (account_id, subject, EntryKind.TOP_UP.value, amount, cause, now_ms))
            db.execute(q["change_balance"], (account_id, amount))
            return int(balance) + amount

        return await self._change("balance.top_up", f"account {account_id}: {vnd_number(amount)} VND, {cause}", change)

    async def _change(
        self, act: str, subject: str, run: Callable[[sqlite3.Connection, Queries], T], *, tell: bool = True
    ) -> T:
        """Run one act of administration in its transaction, note it in the audit, tell every node of the change."""

        def whole(db: sqlite3.Connection) -> T:
            result = run(db, self._q)
            db.execute(self._q["insert_audit"], (self.clerk.now_ms(), self.clerk.name, act, subject))
            if tell:
                db.execute(self._q["touch_directory"])
            return result

        try:
            outcome: T = await self._commit.call(self._act, whole)
        except StoreFault as fault:
            # An act that breaks a rule was rolled back on its own; that is its caller's mistake, not a fault of ours.
            if isinstance(fault.__cause__, ValueError | sqlite3.IntegrityError):
                raise ValueError(str(fault.__cause__)) from fault
            raise
        return outcome

    def _run_acts(self, db: sqlite3.Connection, items: Sequence[Callable[[sqlite3.Connection], Any]]) -> list[Any]:
        return [act(db) for act in items]


def _ignore(error: BaseException) -> None:
    """A command beside the gateway ends anyway; its caller gets the fault."""
    del error


def _put_key(db: sqlite3.Connection, q: Queries, row: KeyRow, now_ms: int) -> None:
    owner = db.execute(q["key_owner"], (row.api_key,)).fetchone()
    if owner is not None and owner[0] != row.account_id:
        raise ValueError("this ApiKey belongs to another account")
    db.execute(q["put_key"], (*row, now_ms))


def _key_facts(row: KeyRow) -> str:
    """What the audit says of a key; never its hash."""
    brandname = f", only {row.brandname}" if row.brandname else ""
    expiry = "" if row.expires_ms is None else f", until {row.expires_ms}"
    return f"{row.api_key} {row.state} for {row.scopes}{brandname}{expiry}"


def _network_facts(row: NetworkRow) -> str:
    return f"account {row.account_id}: {row.network}{f' for {row.api_key}' if row.api_key else ''}"


def _blocked_facts(rows: Sequence[BlockedRow]) -> str:
    """What the audit says of a list: whose, what kind, how many; numbers stay out of it."""
    whose = {f"account {row.account_id}" if row.account_id else "everybody" for row in rows}
    return f"{', '.join(sorted(whose))}: {len(rows)} {rows[0].kind if rows else 'value'}(s)"
