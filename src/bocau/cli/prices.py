"""`bocau price`: what a part of a message costs."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from bocau.cli.options import Config, Data, Json
from bocau.cli.output import Trouble, Vnd, listing, result, told, warn

if TYPE_CHECKING:
    from bocau.cli.desk import Desk
    from bocau.core.directory import DirectoryRows

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Prices: what a part of a message costs.")

_SHARED: Final = "default"
_TYPES: Final = (2, 8)


@app.command("list")
def list_prices(
    account: Annotated[
        str | None, typer.Argument(metavar="[ACCOUNT|default]", help="The list in force for it; else all lists.")
    ] = None,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """List prices. An account with prices of its own does not look at the default list."""
    with told(as_json):
        from bocau.cli.desk import at_desk, network

        async def act(desk: "Desk") -> list[dict[str, object]]:
            rows = await desk.store.read_directory()
            names = {0: _SHARED, **{row.id: row.name for row in rows.accounts}}
            wanted = _lists_of(rows, account)
            return [
                {
                    "list": names[row.account_id],
                    "type": row.sms_type,
                    "telco": row.telco,
                    "network": network(row.telco),
                    "price_vnd": Vnd(row.price),
                }
                for row in rows.prices
                if row.account_id in wanted
            ]

        headings = {"list": "List", "type": "Type", "network": "Network", "price_vnd": "VND a part"}
        empty = "There is no price yet, so sends are answered 102. Set one: bocau price set default 2 all 850"
        listing(as_json, at_desk(data, config, act), headings, empty)


def _lists_of(rows: "DirectoryRows", account: str | None) -> set[int]:
    """The owners of the lists to show: all, the shared one, or whichever counts for the account."""
    if account is None:
        return {row.account_id for row in rows.prices}
    owner = _owner(rows, account)
    own = any(row.account_id == owner for row in rows.prices)
    return {owner if own else 0}


def _owner(rows: "DirectoryRows", name: str) -> int:
    from bocau.cli.desk import find_account

    return 0 if name == _SHARED else find_account(rows.accounts, name).id


@app.command("set")
def set_price(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT|default", help="Whose list; default: all accounts'.")],
    sms_type: Annotated[int, typer.Argument(metavar="TYPE", help="SmsType: 2 or 8.")],
    telco: Annotated[
        str,
        typer.Argument(metavar="TELCO|all", help="Networks by id or name; all: those without a price of their own."),
    ],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="VND a part, such as 850 or 850.5.")],
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Set the price of one part."""
    with told(as_json):
        from bocau.cli.desk import at_desk, network, read_amount, read_telcos
        from bocau.core.directory import PriceRow

        if sms_type not in _TYPES:
            raise Trouble(f"SmsType {sms_type} is not served; prices are for types 2 and 8.")
        price, telcos = read_amount(amount), read_telcos(telco)

        async def act(desk: "Desk") -> bool:
            rows = await desk.store.read_directory()
            owner = _owner(rows, account)
            lists = {row.account_id for row in rows.prices}
            for number in telcos:
                await desk.store.put_price(PriceRow(owner, sms_type, number, price))
            return owner != 0 and owner not in lists and 0 in lists

        if at_desk(data, config, act):
            warn(f"{account} has a list of its own from now on; the default list does not count for it any more.")
        where = ", ".join(network(number) for number in telcos)
        document = {"list": account, "type": sms_type, "telcos": telcos, "price_vnd": Vnd(price)}
        result(as_json, document, f"A part of type {sms_type} costs {account} {Vnd(price)} VND (network: {where}).")
