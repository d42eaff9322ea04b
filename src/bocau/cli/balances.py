"""`bocau balance`: the money of an account."""

from typing import TYPE_CHECKING, Annotated

import typer

from bocau.cli.options import Config, Data, Json, Named
from bocau.cli.output import Trouble, Vnd, document, facts, result, told

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


@app.command("set-credit")
def set_credit(
    account: Named,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="VND, such as 500000 or 850.5; 0: none.")],
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Set how far the balance of an account may sink below zero."""
    with told(as_json):
        from bocau.cli.desk import at_desk, read_amount

        limit = read_amount(amount)

        async def act(desk: "Desk") -> None:
            await desk.store.set_credit_limit((await desk.account(account)).id, limit)

        at_desk(data, config, act)
        sentence = f"The balance of {account} may sink {Vnd(limit)} VND below zero."
        result(as_json, {"account": account, "credit_limit_vnd": Vnd(limit)}, sentence)
