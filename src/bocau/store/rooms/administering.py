"""Administration: what the command line changes and looks up, each act with its line in the audit."""

from collections.abc import Awaitable, Callable, Sequence
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
    Quarantine,
    StateCounts,
    StoreFault,
    Unsent,
    UseToday,
)
from bocau.store.gathering import Gathering, Kind
from bocau.store.queries import Queries
from bocau.store.rooms.registering import decide
from bocau.store.work import Reading, Values, Work

__all__ = ["Administering", "changed_one", "nothing"]

T = TypeVar("T")


class Administering:
    """The AdminStore, which the whole store is built on."""

    def __init__(self, queries: Queries, read: Reading, commit: Gathering) -> None:
        self.clerk = Clerk("gateway", lambda: 0)
        """Who makes changes through this store, for the audit."""
        self._q = queries
        self._read = read
        self._commit = commit
        self._act = Kind("act", 15, self._run_acts)

    async def counts(self) -> StateCounts:
        """See AdminStore."""
        q = self._q
        ((queued, oldest, uncertain),) = await self._read.rows(q["count_open"])
        ((waiting,),) = await self._read.rows(q["count_callbacks"])
        ((orphans,),) = await self._read.rows(q["count_orphans"])
        return StateCounts(queued, oldest, uncertain, waiting, orphans)

    async def halts(self) -> dict[str, str]:
        """See OperatorStore."""
        return dict(await self._read.rows(self._q["halts"]))

    async def set_halt(self, carrier: str, halt: str, now_ms: int, actor: str = "") -> None:
        """See OperatorStore."""

        async def change(db: Work, q: Queries) -> None:
            if halt:
                await db.change(q["put_halt"], (carrier, halt, now_ms))
            else:
                await db.change(q["delete_halt"], (carrier,))

        await self._change("carrier.halt", f"{carrier}: {halt or 'running'}", change, tell=False, actor=actor)

    async def parked(self) -> dict[str, int]:
        """See OperatorStore."""
        return dict(await self._read.rows(self._q["count_parked"]))

    async def accounts(self) -> list[AccountRow]:
        """See AdminStore."""
        return [AccountRow(*row) for row in await self._read.rows(self._q["directory_accounts"])]

    async def ledger(self, account_id: int, limit: int, window: LedgerWindow = EVER) -> list[LedgerLine]:
        """See AdminStore."""
        values = (account_id, window.since_ms, window.until_ms, *window.last, limit)
        return [LedgerLine(*row) for row in await self._read.rows(self._q["read_ledger"], values)]

    async def use_today(self, account_id: int, now_ms: int) -> UseToday:
        """See AdminStore."""
        today = day_of(now_ms)
        ((_, _, _, day, spent),) = await self._read.rows(self._q["read_purse"], (account_id,))
        rows = await self._read.rows(self._q["read_keys"], (account_id, today))
        keys = tuple([KeyUse(*row) for row in rows])
        return UseToday(spent if day == today else 0, keys)

    async def audit(self, limit: int) -> list[AuditLine]:
        """See AdminStore."""
        return [AuditLine(*row) for row in await self._read.rows(self._q["read_audit"], (limit,))]

    async def note(self, act: str, subject: str) -> None:
        """See AdminStore."""
        await self._change(act, subject, nothing, tell=False)

    async def quarantine(self) -> Quarantine | None:
        """See AdminStore."""
        ((_, _, since_ms, why),) = await self._read.rows(self._q["read_identity"])
        return None if since_ms is None else Quarantine(since_ms, why)

    async def unsent(self) -> list[Unsent]:
        """See AdminStore."""
        return [Unsent._make(row) for row in await self._read.rows(self._q["unsent_groups"])]

    async def end_quarantine(self) -> bool:
        """See AdminStore."""

        async def change(db: Work, q: Queries) -> bool:
            return await db.change(q["leave_quarantine"]) == 1

        return await self._change("store.release", "", change, tell=False)

    async def create_account(self, name: str, now_ms: int) -> int:
        """See AdminStore."""
        if any(account.name == name for account in await self.accounts()):
            raise ValueError(f"there is an account {name!r} already")
        return await self._change(
            "account.create", name, lambda db, q: _number(db, q["insert_account"], (name, now_ms))
        )

    async def set_account_state(self, account_id: int, state: str) -> None:
        """See AdminStore."""
        await self._change(
            "account.state",
            f"account {account_id}: {state}",
            lambda db, q: db.change(q["set_account_state"], (account_id, state)),
        )

    async def set_unicode_policy(self, account_id: int, policy: str) -> None:
        """See AdminStore."""
        await self._change(
            "account.unicode_policy",
            f"account {account_id}: {policy or 'default'}",
            lambda db, q: db.change(q["set_unicode_policy"], (account_id, policy)),
        )

    async def set_type8_channel(self, account_id: int, channel: str) -> None:
        """See AdminStore."""
        await self._change(
            "account.type8_channel",
            f"account {account_id}: {channel or 'default'}",
            lambda db, q: db.change(q["set_type8_channel"], (account_id, channel)),
        )

    async def set_credit_limit(self, account_id: int, amount: int) -> None:
        """See AdminStore."""
        await self._change(
            "account.credit",
            f"account {account_id}: {vnd_number(amount)} VND",
            lambda db, q: db.change(q["set_credit_limit"], (account_id, amount)),
        )

    async def put_key(self, row: KeyRow, now_ms: int) -> None:
        """See AdminStore."""
        subject = f"account {row.account_id}: {_key_facts(row)}"
        await self._change("key.put", subject, lambda db, q: _put_key(db, q, row, now_ms))

    async def rotate_key(self, old: KeyRow, new: KeyRow, now_ms: int) -> None:
        """See AdminStore."""

        async def change(db: Work, q: Queries) -> None:
            await _put_key(db, q, old, now_ms)
            await _put_key(db, q, new, now_ms)

        await self._change("key.rotate", f"account {old.account_id}: {_key_facts(old)}; {_key_facts(new)}", change)

    async def put_limit(self, row: LimitRow) -> None:
        """See AdminStore."""
        subject = f"account {row.account_id}: {row.name} {row.value}"
        await self._change("limit.put", subject, lambda db, q: db.change(q["put_limit"], row))

    async def delete_limit(self, account_id: int, name: str) -> bool:
        """See AdminStore."""
        return await self._change(
            "limit.delete",
            f"account {account_id}: {name}",
            lambda db, q: changed_one(db, q["delete_limit"], (account_id, name)),
        )

    async def put_network(self, row: NetworkRow) -> None:
        """See AdminStore."""
        await self._change("network.put", _network_facts(row), lambda db, q: db.change(q["put_network"], row))

    async def delete_network(self, row: NetworkRow) -> bool:
        """See AdminStore."""
        return await self._change(
            "network.delete", _network_facts(row), lambda db, q: changed_one(db, q["delete_network"], row)
        )

    async def block(self, rows: Sequence[BlockedRow], now_ms: int) -> int:
        """See AdminStore."""
        return await self._change(
            "block.put",
            _blocked_facts(rows),
            lambda db, q: db.change_many(q["put_blocked"], [(*row, now_ms) for row in rows]),
        )

    async def unblock(self, rows: Sequence[BlockedRow]) -> int:
        """See AdminStore."""
        return await self._change(
            "block.delete", _blocked_facts(rows), lambda db, q: db.change_many(q["delete_blocked"], rows)
        )

    async def put_brandname(self, row: BrandnameRow, now_ms: int) -> None:
        """See AdminStore."""
        subject = f"account {row.account_id}: {row.name} for type {row.sms_type}, {row.state}"
        await self._change("brandname.put", subject, lambda db, q: db.change(q["put_brandname"], (*row, now_ms)))

    async def put_template(self, row: TemplateRow, now_ms: int) -> int:
        """See AdminStore."""
        return await self._change(
            "template.put",
            f"account {row.account_id}: {row.brandname} on network {row.telco}, {row.route_class}: {row.content}",
            lambda db, q: _number(db, q["put_template"], (*row[1:], now_ms)),
        )

    async def delete_template(self, account_id: int, template_id: int) -> bool:
        """See AdminStore."""
        return await self._change(
            "template.delete",
            f"account {account_id}: {template_id}",
            lambda db, q: _found(db, q["delete_template"], (account_id, template_id)),
        )

    async def pending_templates(self) -> list[Registration]:
        """See AdminStore."""
        return [Registration(*row) for row in await self._read.rows(self._q["pending_registrations"])]

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
            lambda db, q: _number(db, q["put_call_template"], (*row[1:], now_ms)),
        )

    async def delete_call_template(self, account_id: int, template_id: int) -> bool:
        """See AdminStore."""
        subject = f"account {account_id}: call template {template_id}"
        return await self._change(
            "call_template.delete",
            subject,
            lambda db, q: _found(db, q["delete_call_template"], (account_id, template_id)),
        )

    async def recordings(self, account_id: int) -> list[tuple[int, str, int]]:
        """See AdminStore."""
        return await self._read.rows(self._q["list_recordings"], (account_id,))

    async def put_recording(self, row: RecordingRow, sound: tuple[int, bytes], now_ms: int) -> int:
        """See AdminStore."""
        return await self._change(
            "recording.put",
            f"account {row.account_id}: {row.name}",
            lambda db, q: _number(db, q["put_recording"], (*row[1:], *sound, now_ms)),
        )

    async def delete_recording(self, account_id: int, recording_id: int) -> bool:
        """See AdminStore."""
        return await self._change(
            "recording.delete",
            f"account {account_id}: recording {recording_id}",
            lambda db, q: _found(db, q["delete_recording"], (account_id, recording_id)),
        )

    async def put_price(self, row: PriceRow) -> None:
        """See AdminStore."""
        subject = f"account {row.account_id}: type {row.sms_type} on network {row.telco}, {vnd_number(row.price)} VND"
        await self._change("price.put", subject, lambda db, q: db.change(q["put_price"], row))

    async def put_ported(self, rows: Sequence[tuple[int, int]], *, last: bool) -> None:
        """See AdminStore."""

        async def change(db: Work, q: Queries) -> None:
            await db.many(q["put_ported"], [row for row in rows if row[1]])
            await db.many(q["delete_ported"], [row[:1] for row in rows if not row[1]])
            if last:
                await db.change(q["touch_numbering"])

        await self._change("ported.put", f"{len(rows)} number(s)", change, tell=last)

    async def clear_ported(self) -> None:
        """See AdminStore."""
        await self._change("ported.clear", "all numbers", lambda db, q: db.change(q["clear_ported"]), tell=False)

    async def top_up(self, account_id: int, amount: int, cause: str, now_ms: int) -> int:
        """See AdminStore."""

        async def change(db: Work, q: Queries) -> int:
            found = await db.row(q["lock_purse"], (account_id,))
            if found is None:
                raise ValueError(f"there is no account {account_id}")
            _, balance, credit, _, _ = found
            if amount < 0 and not covers(balance, credit, -amount):
                raise ValueError("the account does not have that much")
            # The subject of a top-up is its own moment, in the order of message ids, made unique within the account.
            subject = first_id_at(now_ms)
            while await db.row(q["find_ledger"], (account_id, subject, EntryKind.TOP_UP.value)):
                subject += 1
            line = (account_id, subject, EntryKind.TOP_UP.value, amount, cause, now_ms)
            await db.change(q["insert_ledger"], line)
            await db.change(q["change_balance"], (account_id, amount))
            return int(balance) + amount

        return await self._change("balance.top_up", f"account {account_id}: {vnd_number(amount)} VND, {cause}", change)

    async def _change(
        self,
        act: str,
        subject: str,
        run: Callable[[Work, Queries], Awaitable[T]],
        *,
        tell: bool = True,
        actor: str = "",
    ) -> T:
        """Run one act of administration in its transaction, note it in the audit, tell every node of the change.

        An act that says False found nothing to change; then nothing is noted and nobody is told. It is the clerk's, if
        no other actor is named.
        """

        async def whole(db: Work) -> T:
            result = await run(db, self._q)
            if result is False:
                return result
            await db.change(self._q["insert_audit"], (self.clerk.now_ms(), actor or self.clerk.name, act, subject))
            if tell:
                await db.change(self._q["touch_directory"])
            return result

        try:
            outcome: T = await self._commit.call(self._act, whole)
        except StoreFault as fault:
            # An act that breaks a rule was rolled back on its own; that is its caller's mistake, not a fault of ours.
            if isinstance(fault.__cause__, (ValueError, *self._commit.broken_rules)):
                raise ValueError(str(fault.__cause__)) from fault
            raise
        return outcome

    async def _run_acts(self, db: Work, items: Sequence[Callable[[Work], Awaitable[Any]]]) -> list[Any]:
        return [await act(db) for act in items]


async def _number(db: Work, text: str, values: Values) -> int:
    """The one number that a statement returns."""
    ((number,),) = await db.rows(text, values)
    return int(number)


async def _found(db: Work, text: str, values: Values) -> bool:
    """Whether a statement returns anything."""
    return bool(await db.rows(text, values))


async def changed_one(db: Work, text: str, values: Values) -> bool:
    """Whether there was a row to change."""
    return await db.change(text, values) == 1


async def nothing(db: Work, q: Queries) -> None:
    """An act that changes nothing here, and is noted."""
    del db, q


async def _put_key(db: Work, q: Queries, row: KeyRow, now_ms: int) -> None:
    owner = await db.row(q["key_owner"], (row.api_key,))
    if owner is not None and owner[0] != row.account_id:
        raise ValueError("this ApiKey belongs to another account")
    await db.change(q["put_key"], (*row, now_ms))


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
