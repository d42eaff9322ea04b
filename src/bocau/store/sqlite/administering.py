"""Administration: what the command line changes and looks up, each act with its line in the audit."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from bocau.core.directory import (
    AccountRow,
    BlockedRow,
    BrandnameRow,
    CallTemplateRow,
    KeyRow,
    NetworkRow,
    PriceRow,
    RecordingRow,
    TemplateRow,
)
from bocau.core.ids import first_id_at
from bocau.core.ledger import EntryKind, covers, day_of
from bocau.core.limits import LimitRow
from bocau.core.money import vnd_number
from bocau.core.registration import Registration
from bocau.store.contract import (
    EVER,
    AuditLine,
    Clerk,
    KeyUse,
    LedgerLine,
    LedgerWindow,
    StateCounts,
    StoreFault,
    UseToday,
)
from bocau.store.queries import Queries
from bocau.store.sqlite.commit import GroupCommit, Kind
from bocau.store.sqlite.registering import decide

__all__ = ["Administering"]

T = TypeVar("T")


class Administering:
    """The AdminStore of SQLite, which the whole store is built on."""

    def __init__(self, queries: Queries, reader: sqlite3.Connection, commit: GroupCommit) -> None:
        self.clerk = Clerk("gateway", lambda: 0)
        """Who makes changes through this store, for the audit."""
        self._q = queries
        self._reader = reader
        self._commit = commit
        self._act = Kind("act", 15, self._run_acts)

    async def counts(self) -> StateCounts:
        """See AdminStore."""
        read, q = self._reader.execute, self._q
        queued, oldest, uncertain = read(q["count_open"]).fetchone()
        waiting, orphans = read(q["count_callbacks"]).fetchone()[0], read(q["count_orphans"]).fetchone()[0]
        return StateCounts(queued, oldest, uncertain, waiting, orphans)

    async def halts(self) -> dict[str, str]:
        """See OperatorStore."""
        return dict(self._reader.execute(self._q["halts"]).fetchall())

    async def set_halt(self, carrier: str, halt: str, now_ms: int) -> None:
        """See OperatorStore."""

        def change(db: sqlite3.Connection, q: Queries) -> None:
            if halt:
                db.execute(q["put_halt"], (carrier, halt, now_ms))
            else:
                db.execute(q["delete_halt"], (carrier,))

        await self._change("carrier.halt", f"{carrier}: {halt or 'running'}", change, tell=False)

    async def parked(self) -> dict[str, int]:
        """See OperatorStore."""
        return dict(self._reader.execute(self._q["count_parked"]).fetchall())

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

    async def set_type8_channel(self, account_id: int, channel: str) -> None:
        """See AdminStore."""
        await self._change(
            "account.type8_channel",
            f"account {account_id}: {channel or 'default'}",
            lambda db, q: db.execute(q["set_type8_channel"], (account_id, channel)),
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

    async def put_call_template(self, row: CallTemplateRow, now_ms: int) -> int:
        """See AdminStore."""
        subject = f"account {row.account_id}: call template"
        return await self._change(
            "call_template.put",
            subject,
            lambda db, q: int(db.execute(q["put_call_template"], (*row[1:], now_ms)).fetchone()[0]),
        )

    async def delete_call_template(self, account_id: int, template_id: int) -> bool:
        """See AdminStore."""
        subject = f"account {account_id}: call template {template_id}"
        return await self._change(
            "call_template.delete",
            subject,
            lambda db, q: db.execute(q["delete_call_template"], (account_id, template_id)).fetchone() is not None,
        )

    async def recordings(self, account_id: int) -> list[tuple[int, str, int]]:
        """See AdminStore."""
        return self._reader.execute(self._q["list_recordings"], (account_id,)).fetchall()

    async def put_recording(self, row: RecordingRow, sound: tuple[int, bytes], now_ms: int) -> int:
        """See AdminStore."""
        return await self._change(
            "recording.put",
            f"account {row.account_id}: {row.name}",
            lambda db, q: int(db.execute(q["put_recording"], (*row[1:], *sound, now_ms)).fetchone()[0]),
        )

    async def delete_recording(self, account_id: int, recording_id: int) -> bool:
        """See AdminStore."""
        return await self._change(
            "recording.delete",
            f"account {account_id}: recording {recording_id}",
            lambda db, q: db.execute(q["delete_recording"], (account_id, recording_id)).fetchone() is not None,
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
        """Run one act of administration in its transaction, note it in the audit, tell every node of the change.

        An act that says False found nothing to change; then nothing is noted and nobody is told.
        """

        def whole(db: sqlite3.Connection) -> T:
            result = run(db, self._q)
            if result is False:
                return result
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
