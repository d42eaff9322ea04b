"""`bocau balance`: the money of an account."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bocau.cli.options import Config, Data, Json, Named
from bocau.cli.output import Trouble, Vnd, document, facts, listing, result, told

if TYPE_CHECKING:
    from bocau.cli.desk import Desk

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Balances: the money of an account.")


@app.command("show")
def show(account: Named, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Show the balance of an account."""
    with told(as_json):
        from bocau.cli.desk import at_desk

        async def act(desk: "Desk") -> tuple[int, int]:
            return await desk.store.balance((await desk.account(account)).id)

        balance, limit = at_desk(data, config, act)
        if as_json:
            amounts = {
                "balance_vnd": Vnd(balance),
                "credit_limit_vnd": Vnd(limit),
                "available_vnd": Vnd(balance + limit),
            }
            document({"account": account, **amounts})
            return
        facts(
            [
                ("Balance", f"{Vnd(balance)} VND"),
                ("Credit limit", f"{Vnd(limit)} VND"),
                ("Available", f"{Vnd(balance + limit)} VND"),
            ]
        )


# A negative amount looks like an option.
@app.command("top-up", context_settings={"ignore_unknown_options": True})
def top_up(
    account: Named,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="VND, such as 500000; negative: take it out.")],
    cause: Annotated[str, typer.Option("--cause", help="What the ledger says about it.")] = "top-up",
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Add money to an account, or take it out."""
    with told(as_json):
        from bocau.cli.desk import at_desk, read_amount

        change = read_amount(amount, signed=True)
        if not change:
            raise Trouble("The amount is 0, so there is nothing to do.")
        if not cause.isprintable():
            raise Trouble("The cause is one line of printable text.")

        async def act(desk: "Desk") -> int:
            found = await desk.account(account)
            return await desk.store.top_up(found.id, change, cause, desk.world.now_ms())

        balance = at_desk(data, config, act)
        value = {"account": account, "change_vnd": Vnd(change), "balance_vnd": Vnd(balance), "cause": cause}
        result(as_json, value, f"The balance of {account} is {Vnd(balance)} VND.")


@app.command("ledger")
def ledger(
    account: Named,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Most lines, the newest first.")] = 20,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Show the newest lines of an account's ledger. The sum of all lines is the balance."""
    with told(as_json):
        from bocau.cli.desk import at_desk

        async def act(desk: "Desk") -> list[dict[str, object]]:
            lines = await desk.store.ledger((await desk.account(account)).id, limit)
            return [
                {
                    "at": datetime.fromtimestamp(line.at_ms / 1000, UTC).isoformat(timespec="milliseconds"),
                    "kind": line.kind,
                    "amount_vnd": Vnd(line.amount),
                    "smsid_begins": None if line.kind == "top_up" else f"{line.subject_id:016x}",
                    "cause": line.cause,
                }
                for line in lines
            ]

        headings = {"at": "At", "kind": "Kind", "amount_vnd": "VND", "smsid_begins": "SMSID begins", "cause": "Cause"}
        listing(as_json, at_desk(data, config, act), headings, f"The ledger of {account} is empty.")
