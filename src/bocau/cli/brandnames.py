"""`bocau brandname`: the sender names that an account may use."""

from typing import TYPE_CHECKING, Annotated

import typer

from bocau.cli.options import Config, Data, Json, Named
from bocau.cli.output import Trouble, listing, result, told, warn

if TYPE_CHECKING:
    from bocau.cli.desk import Desk
    from bocau.core.brandname import NameVerdict
    from bocau.core.directory import BrandnameRow

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Brandnames: the senders that an account may use.")

_Brandname = Annotated[str, typer.Argument(metavar="NAME", help="The brandname, spelled as registered.")]
_SmsType = Annotated[int, typer.Option("--type", help="SmsType it is for; only 2 has brandnames.")]


@app.command("list")
def list_brandnames(account: Named, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """List the brandnames of an account."""
    with told(as_json):
        from bocau.cli.desk import at_desk, find_account

        async def act(desk: "Desk") -> list[dict[str, object]]:
            rows = await desk.store.read_directory()
            owner = find_account(rows.accounts, account)
            return [
                {
                    "brandname": row.name,
                    "type": row.sms_type,
                    "state": row.state,
                    "templates": sum(
                        (t.account_id, t.sms_type, t.brandname) == (owner.id, row.sms_type, row.name)
                        for t in rows.templates
                    ),
                }
                for row in rows.brandnames
                if row.account_id == owner.id
            ]

        headings = {"brandname": "Brandname", "type": "Type", "state": "State", "templates": "Templates"}
        empty = f"Account {account} has no brandname yet. Register one: bocau brandname add {account} NAME"
        listing(as_json, at_desk(data, config, act), headings, empty)


@app.command("add")
def add(
    account: Named,
    name: _Brandname,
    sms_type: _SmsType = 2,
    force: Annotated[bool, typer.Option("--force", help="Register a name that most carriers refuse.")] = False,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Register a brandname."""
    with told(as_json):
        from bocau.cli.desk import at_desk, find_account
        from bocau.core.directory import BrandnameRow

        _check_type(sms_type)
        verdict = _check_name(name, force)

        async def act(desk: "Desk") -> list[str]:
            rows = await desk.store.read_directory()
            owner = find_account(rows.accounts, account)
            own = [row for row in rows.brandnames if (row.account_id, row.sms_type) == (owner.id, sms_type)]
            _refuse_disabled(own, account, name)
            await desk.store.put_brandname(BrandnameRow(owner.id, sms_type, name, "active"), desk.world.now_ms())
            return [row.name for row in own if row.name != name and row.name.casefold() == name.casefold()]

        twins = at_desk(data, config, act)
        for text in _doubts(name, verdict, twins):
            warn(text)
        following = f"bocau template add {account} {name} TEXT"
        sentence = f"Brandname {name} is registered for {account}. Register its texts: {following}"
        result(as_json, {"account": account, "brandname": name, "type": sms_type, "state": "active"}, sentence)


def _check_type(sms_type: int) -> None:
    from bocau.cli.desk import BRANDNAME_TYPE

    if sms_type != BRANDNAME_TYPE:
        raise Trouble(f"Only SmsType {BRANDNAME_TYPE} has brandnames; type {sms_type} does not need or know any.")


def _check_name(name: str, force: bool) -> "NameVerdict":
    """What no network takes is refused; what most refuse, unless it is insisted on (esms-api 8.5). Raises Trouble."""
    from bocau.core.brandname import judge_name

    verdict = judge_name(name)
    if verdict.impossible:
        raise Trouble(f'"{name}" cannot be a brandname: {"; ".join(verdict.impossible)}.')
    if verdict.unusual and not force:
        raise Trouble(
            f'"{name}" is an unusual brandname: {"; ".join(verdict.unusual)}. '
            "If your carriers take it all the same, register it with --force."
        )
    return verdict


def _refuse_disabled(own: "list[BrandnameRow]", account: str, name: str) -> None:
    """Registering again must not switch a disabled brandname on by the way."""
    if any(row.name == name and row.state != "active" for row in own):
        raise Trouble(
            f"Brandname {name} is registered and disabled. Switch it on with: bocau brandname enable {account} {name}"
        )


def _doubts(name: str, verdict: "NameVerdict", twins: list[str]) -> list[str]:
    """What some network may take amiss."""
    found = [f"{name}: {text}; ask each carrier first." for text in (*verdict.unusual, *verdict.doubtful)]
    found.extend(f"{name} and {twin} differ only in case: requests must now spell either exactly." for twin in twins)
    return found


@app.command("disable")
def disable(
    account: Named,
    name: _Brandname,
    sms_type: _SmsType = 2,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Disable a brandname: requests with it are answered 104. Its templates stay."""
    _set_state((account, name, sms_type), "disabled", as_json, data, config)


@app.command("enable")
def enable(
    account: Named,
    name: _Brandname,
    sms_type: _SmsType = 2,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Let a disabled brandname send again."""
    _set_state((account, name, sms_type), "active", as_json, data, config)


def _set_state(which: tuple[str, str, int], state: str, as_json: bool, data: Data, config: Config) -> None:
    account, name, sms_type = which
    with told(as_json):
        from bocau.cli.desk import at_desk, find_account, find_brandname

        async def act(desk: "Desk") -> None:
            rows = await desk.store.read_directory()
            found = find_brandname(rows, find_account(rows.accounts, account), name, sms_type)
            await desk.store.put_brandname(found._replace(state=state), desk.world.now_ms())

        at_desk(data, config, act)
        document = {"account": account, "brandname": name, "type": sms_type, "state": state}
        result(as_json, document, f"Brandname {name} of {account} is {state}.")
