"""`bocau ledger` and `bocau audit`: what was done with money, and by whom with everything else."""

import csv
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bocau.cli.options import Config, Data, Json
from bocau.cli.output import Trouble, Vnd, listing, told

if TYPE_CHECKING:
    from bocau.cli.desk import Desk
    from bocau.core.directory import AccountRow
    from bocau.store.contract import LedgerLine, LedgerWindow

__all__ = ["audit", "ledger"]

_VIETNAM: Final = timezone(timedelta(hours=7))
_PAGE: Final = 10_000
_NEWEST: Final = 20
_KINDS: Final = ("hold", "capture", "release", "top_up")
_COLUMNS: Final = ("at", "account", "kind", "amount_vnd", "smsid_begins", "cause")


def ledger(
    account: Annotated[
        str | None, typer.Argument(metavar="[ACCOUNT]", help="Name of the account; else all, one after the other.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="Written on or after 2026-09-01, in Vietnam.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="DATE", help="Written before this day.")] = None,
    month: Annotated[
        str | None, typer.Option("--month", metavar="2026-09", help="A whole month: --since and --until in one.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="KIND", help="Only hold, capture, release or top_up.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="Most lines of each account; else 20, or all if dates or --csv are given."),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table for a spreadsheet.")] = False,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Show the ledger: every line of money, the newest message first. The sum of all lines is the balance.

    A line stands with its message, in the order in which messages were accepted; its date is when it was written.
    """
    with told(as_json):
        from bocau.cli.desk import at_desk, find_account

        window = _window(since, until, month)
        if kind is not None and kind not in _KINDS:
            raise Trouble(f'"{kind}" is no kind of line. Give one of {", ".join(_KINDS)}.')
        most = limit or (None if as_csv or since or until or month else _NEWEST)

        async def act(desk: "Desk") -> list[dict[str, object]]:
            accounts = await desk.store.accounts()
            wanted = accounts if account is None else [find_account(accounts, account)]
            found: list[dict[str, object]] = []
            writer = csv.writer(sys.stdout, lineterminator="\n")
            if as_csv:
                writer.writerow(_COLUMNS)
            for owner in wanted:
                left = most
                async for line in _lines(desk, owner, window):
                    if kind not in (None, line.kind):
                        continue
                    if left is not None:
                        if left == 0:
                            break
                        left -= 1
                    row = _row(owner, line)
                    if as_csv:
                        writer.writerow(_inert(row[column]) for column in _COLUMNS)
                    else:
                        found.append(row)
            return found

        lines = at_desk(data, config, act)
        if as_csv:
            return
        headings = {
            "at": "At",
            "account": "Account",
            "kind": "Kind",
            "amount_vnd": "VND",
            "smsid_begins": "SMSID begins",
            "cause": "Cause",
        }
        listing(as_json, lines, headings, "There is no such line.")


async def _lines(desk: "Desk", owner: "AccountRow", window: "LedgerWindow") -> AsyncIterator["LedgerLine"]:
    """The lines of one account, page by page, however many there are."""
    while page := await desk.store.ledger(owner.id, _PAGE, window):
        for line in page:
            yield line
        window = window._replace(last=(page[-1].subject_id, page[-1].kind))


def _row(owner: "AccountRow", line: "LedgerLine") -> dict[str, object]:
    return {
        "at": datetime.fromtimestamp(line.at_ms / 1000, UTC).isoformat(timespec="milliseconds"),
        "account": owner.name,
        "kind": line.kind,
        "amount_vnd": Vnd(line.amount),
        "smsid_begins": None if line.kind == "top_up" else f"{line.subject_id:016x}",
        "cause": line.cause,
    }


def _inert(value: object) -> str:
    """A cell that no spreadsheet takes for a formula; numbers stay numbers."""
    if value is None:
        return ""
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _window(since: str | None, until: str | None, month: str | None) -> "LedgerWindow":
    from bocau.store.contract import EVER

    if month is not None:
        if since is not None or until is not None:
            raise Trouble("--month names both ends; leave out --since and --until.")
        first = _day(f"{month}-01")
        following = (first + timedelta(days=31)).replace(day=1)
        return EVER._replace(since_ms=_ms(first), until_ms=_ms(following))
    begin = EVER.since_ms if since is None else _ms(_day(since))
    end = EVER.until_ms if until is None else _ms(_day(until))
    if begin >= end:
        raise Trouble("--since must be before --until.")
    return EVER._replace(since_ms=begin, until_ms=end)


def _day(text: str) -> datetime:
    """The beginning of a day in Vietnam. Raises Trouble."""
    try:
        if not text.isascii() or len(text) != len("2026-09-01"):
            raise ValueError
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=_VIETNAM)
    except ValueError:
        raise Trouble(f'"{text}" is no day: it looks like 2026-09-01, a month like 2026-09.') from None


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


def audit(
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Most lines, the newest first.")] = 20,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Show who changed what: every act of administration, the newest first."""
    with told(as_json):
        from bocau.cli.desk import at_desk

        async def act(desk: "Desk") -> list[dict[str, object]]:
            return [
                {
                    "at": datetime.fromtimestamp(line.at_ms / 1000, UTC).isoformat(timespec="milliseconds"),
                    "actor": line.actor,
                    "act": line.act,
                    "subject": line.subject,
                }
                for line in await desk.store.audit(limit)
            ]

        headings = {"at": "At", "actor": "Who", "act": "Act", "subject": "What"}
        listing(as_json, at_desk(data, config, act), headings, "Nothing was changed yet.")
