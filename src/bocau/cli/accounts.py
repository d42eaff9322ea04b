"""`bocau account`: who pays."""

from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from bocau.cli.options import Config, Data, Json, Named
from bocau.cli.output import Trouble, Vnd, listing, result, told

if TYPE_CHECKING:
    from bocau.cli.desk import Desk

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Accounts: who pays.")

_LONGEST: Final = 64
_SHARED_LIST: Final = "default"
"""The word that names the price list of all accounts, so no account may have it."""


@app.command("list")
def list_accounts(as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """List the accounts with their balances."""
    with told(as_json):
        from bocau.cli.desk import at_desk

        async def act(desk: "Desk") -> list[dict[str, object]]:
            rows = await desk.store.read_directory()
            return [
                {
                    "id": account.id,
                    "account": account.name,
                    "state": account.state,
                    "balance_vnd": Vnd(account.balance),
                    "credit_limit_vnd": Vnd(account.credit_limit),
                    "unicode_policy": account.unicode_policy or "default",
                    "active_keys": sum(key.account_id == account.id and key.state == "active" for key in rows.keys),
                }
                for account in rows.accounts
            ]

        headings = {
            "id": "Id",
            "account": "Account",
            "state": "State",
            "balance_vnd": "Balance, VND",
            "credit_limit_vnd": "Credit limit, VND",
            "active_keys": "Active keys",
        }
        listing(
            as_json,
            at_desk(data, config, act),
            headings,
            "There is no account yet. Make one: bocau account create NAME",
        )


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Unique; what the other commands call it by.")],
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Create an account. It has no key, no brandname, no price and no money yet."""
    with told(as_json):
        from bocau.cli.desk import at_desk

        _check_name(name)

        async def act(desk: "Desk") -> int:
            return await desk.store.create_account(name, desk.world.now_ms())

        number = at_desk(data, config, act)
        sentence = f"Account {name} is created. Give it a key next: bocau key create {_quoted(name)}"
        result(as_json, {"id": number, "account": name, "state": "active"}, sentence)


def _check_name(name: str) -> None:
    from bocau.settings import DEVELOPMENT_KEY

    if not name.isprintable() or name != name.strip() or not 1 <= len(name) <= _LONGEST or name.startswith("-"):
        raise Trouble(
            f"An account's name has 1 to {_LONGEST} printable signs, without a blank at either end or a dash in front."
        )
    if name == _SHARED_LIST:
        raise Trouble(f'"{_SHARED_LIST}" names the price list of all accounts; choose another name.')
    if name.startswith(DEVELOPMENT_KEY):
        raise Trouble(f'Names that begin with "{DEVELOPMENT_KEY}" are kept for `bocau dev`; choose another name.')


def _quoted(name: str) -> str:
    import shlex

    return shlex.quote(name)


@app.command("lock")
def lock(account: Named, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Lock an account: its requests are answered 143. What was accepted before still goes out."""
    _set_state(account, "locked", as_json, data, config)


@app.command("unlock")
def unlock(account: Named, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Let a locked account send again."""
    _set_state(account, "active", as_json, data, config)


def _set_state(name: str, state: str, as_json: bool, data: Data, config: Config) -> None:
    with told(as_json):
        from bocau.cli.desk import at_desk

        async def act(desk: "Desk") -> None:
            account = await desk.account(name)
            await desk.store.set_account_state(account.id, state)

        at_desk(data, config, act)
        result(as_json, {"account": name, "state": state}, f"Account {name} is {state}.")


@app.command("set")
def set_options(
    account: Named,
    unicode_policy: Annotated[
        Literal["strip", "auto", "reject", "default"],
        typer.Option(
            "--unicode-policy",
            help="Diacritics while IsUnicode is 0: strip them, send Unicode, answer 110, or as the settings say.",
        ),
    ],
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Set what is different for one account."""
    with told(as_json):
        from bocau.cli.desk import at_desk

        async def act(desk: "Desk") -> None:
            own = "" if unicode_policy == "default" else unicode_policy
            await desk.store.set_unicode_policy((await desk.account(account)).id, own)

        at_desk(data, config, act)
        sentence = f"Texts of {account} with diacritics and IsUnicode 0: {unicode_policy}."
        result(as_json, {"account": account, "unicode_policy": unicode_policy}, sentence)


@app.command("credit")
def credit(
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
