"""`bocau account`: who pays."""

from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from bocau.cli.options import Config, Data, Json, Named
from bocau.cli.output import Trouble, Vnd, document, facts, listing, result, told

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
                    "type8_channel": account.type8_channel or "default",
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
        Literal["strip", "auto", "reject", "default"] | None,
        typer.Option(
            "--unicode-policy",
            help="Diacritics while IsUnicode is 0: strip them, send Unicode, answer 110, or as the settings say.",
        ),
    ] = None,
    type8_channel: Annotated[
        Literal["voice", "sms", "voice_then_sms", "default"] | None,
        typer.Option(
            "--type8-channel",
            help="SmsType 8: by a call, by a text, by a text if the call was not answered, or as the settings say.",
        ),
    ] = None,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Set what is different for one account."""
    with told(as_json):
        from bocau.cli.desk import at_desk

        if unicode_policy is None and type8_channel is None:
            raise Trouble("Nothing to set. Give --unicode-policy, --type8-channel, or both.")

        async def act(desk: "Desk") -> None:
            number = (await desk.account(account)).id
            if unicode_policy is not None:
                await desk.store.set_unicode_policy(number, _own(unicode_policy))
            if type8_channel is not None:
                await desk.store.set_type8_channel(number, _own(type8_channel))

        at_desk(data, config, act)
        given: dict[str, object] = {"unicode_policy": unicode_policy, "type8_channel": type8_channel}
        changed = {key: value for key, value in given.items() if value is not None}
        words = {"unicode_policy": "texts with diacritics and IsUnicode 0", "type8_channel": "SmsType 8"}
        sentence = "; ".join(f"{words[key]}: {value}" for key, value in changed.items())
        result(as_json, {"account": account, **changed}, f"Account {account}: {sentence}.")


def _own(choice: str) -> str:
    """A choice as it is stored."""
    return "" if choice == "default" else choice


@app.command("show")
def show(account: Named, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Show an account: its money, its limits, where requests may come from, and what was spent today."""
    with told(as_json):
        from bocau.cli.desk import at_desk

        value = at_desk(data, config, lambda desk: _whole(desk, account))
        if as_json:
            document(value)
            return
        limits, networks = value.pop("limits"), value.pop("allowed_networks")
        assert isinstance(limits, list) and isinstance(networks, list)  # noqa: S101, PT018 - made a few lines below
        facts([(name.replace("_vnd", ", VND").replace("_", " ").capitalize(), fact) for name, fact in value.items()])
        facts([("Requests from", ", ".join(networks) or "anywhere")])
        print()
        columns = {"limit": "Limit", "value": "Value", "from": "From", "about": "Of"}
        listing(False, [{**row, "value": row["value"] or "none"} for row in limits], columns, "")


async def _whole(desk: "Desk", name: str) -> dict[str, object]:
    from bocau.app import account_limits
    from bocau.cli.desk import find_account
    from bocau.core.limits import LIMITS, with_own

    rows = await desk.store.read_directory()
    found = find_account(rows.accounts, name)
    own = {row.name: row for row in rows.limits if row.account_id == found.id}
    limits = with_own(account_limits(desk.settings), own.values())
    today = await desk.store.use_today(found.id, desk.world.now_ms())
    return {
        "account": found.name,
        "id": found.id,
        "state": found.state,
        "balance_vnd": Vnd(found.balance),
        "credit_limit_vnd": Vnd(found.credit_limit),
        "spent_today_vnd": Vnd(today.spent),
        "allowed_networks": [
            f"{row.network}{f' ({row.api_key})' if row.api_key else ''}"
            for row in rows.networks
            if row.account_id == found.id
        ],
        "limits": [
            {
                "limit": limit,
                "value": getattr(limits, kind.field) // kind.unit,
                "from": "account" if limit in own else "settings",
                "about": kind.about,
            }
            for limit, kind in LIMITS.items()
        ],
    }


@app.command("limit")
def limit(
    account: Named,
    name: Annotated[str, typer.Argument(metavar="LIMIT", help="As `bocau account show` lists them.")],
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="A whole number; 0: no limit; default: what the settings say.")
    ],
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Give an account a limit of its own, or take it back."""
    with told(as_json):
        from bocau.cli.desk import at_desk
        from bocau.core.limits import LimitRow

        number = _read_limit(name, value)

        async def act(desk: "Desk") -> None:
            owner = await desk.account(account)
            if number is None:
                await desk.store.delete_limit(owner.id, name)
            else:
                await desk.store.put_limit(LimitRow(owner.id, name, number))

        at_desk(data, config, act)
        what = "what the settings say" if number is None else number or "no limit"
        result(as_json, {"account": account, "limit": name, "value": number}, f"{name} of {account}: {what}.")


def _read_limit(name: str, value: str) -> int | None:
    """The number of a limit; None for the settings'. Raises Trouble."""
    from bocau.core.limits import LIMITS
    from bocau.core.nearest import did_you_mean

    kind = LIMITS.get(name)
    if kind is None:
        raise Trouble(f'There is no limit "{name}"{did_you_mean(name, LIMITS) or "."} They are: {", ".join(LIMITS)}.')
    if value == "default":
        return None
    if not (value.isascii() and value.isdigit()) or int(value) > kind.most:
        raise Trouble(f'{name} is a whole number from 0 to {kind.most}, or "default"; not "{value}".')
    return int(value)


@app.command("allow-ip")
def allow_ip(
    account: Named,
    networks: Annotated[
        list[str], typer.Argument(metavar="NETWORK...", help="Addresses or networks, such as 203.0.113.0/24.")
    ],
    remove: Annotated[bool, typer.Option("--remove", help="Take them off the list.")] = False,
    api_key: Annotated[
        str | None, typer.Option("--api-key", metavar="KEY", help="For this key alone; else for all of the account.")
    ] = None,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Say where requests of an account may come from; from anywhere else they are answered 140.

    An account without a list takes requests from anywhere. A key may have networks of its own beside the account's.
    """
    with told(as_json):
        from bocau.cli.desk import at_desk
        from bocau.core.directory import NetworkRow

        wanted = [_read_network(text) for text in dict.fromkeys(networks)]

        async def act(desk: "Desk") -> list[str]:
            rows = await desk.store.read_directory()
            owner = await desk.account(account)
            if api_key is not None and not any(k.api_key == api_key and k.account_id == owner.id for k in rows.keys):
                raise Trouble(f"Account {account} has no key {api_key}. `bocau key list {account}` shows them.")
            for network in wanted:
                row = NetworkRow(owner.id, api_key or "", network)
                if not remove:
                    await desk.store.put_network(row)
                elif not await desk.store.delete_network(row):
                    raise Trouble(f"{network} is not on the list. `bocau account show {account}` shows it.")
            left = await desk.store.read_directory()
            return [row.network for row in left.networks if row.account_id == owner.id]

        listed = at_desk(data, config, act)
        sentence = f"Requests of {account} may come from {', '.join(listed) or 'anywhere'}."
        result(as_json, {"account": account, "api_key": api_key, "allowed_networks": listed}, sentence)


def _read_network(text: str) -> str:
    """A network in its usual form. Raises Trouble."""
    import ipaddress

    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise Trouble(f"{error}. Give an address such as 203.0.113.7, or a network such as 203.0.113.0/24.") from error
