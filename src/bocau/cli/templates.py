"""`bocau template`: the texts that a brandname may send."""

from typing import TYPE_CHECKING, Annotated

import typer

from bocau.cli.exchange import export_templates, import_templates
from bocau.cli.options import Config, Data, Json, Named, RouteClass, Telco
from bocau.cli.output import Trouble, document, listing, plain, result, told, warn
from bocau.cli.registrations import approve, pending, refuse

if TYPE_CHECKING:
    from bocau.cli.desk import Desk

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Templates: the texts that a brandname may send.")

_Brandname = Annotated[str, typer.Argument(metavar="BRANDNAME", help="The brandname, spelled as registered.")]


@app.command("list")
def list_templates(account: Named, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """List the templates of an account, one line for each network."""
    with told(as_json):
        from bocau.cli.desk import at_desk, find_account, network

        async def act(desk: "Desk") -> list[dict[str, object]]:
            rows = await desk.store.read_directory()
            owner = find_account(rows.accounts, account)
            return [
                {
                    "id": row.id,
                    "brandname": row.brandname,
                    "type": row.sms_type,
                    "telco": row.telco,
                    "network": network(row.telco),
                    "class": row.route_class,
                    "text": row.content,
                }
                for row in rows.templates
                if row.account_id == owner.id
            ]

        headings = {"id": "Id", "brandname": "Brandname", "network": "Network", "class": "Class", "text": "Text"}
        empty = f"Account {account} has no template yet. Register one: bocau template add {account} BRANDNAME TEXT"
        listing(as_json, at_desk(data, config, act), headings, empty)


@app.command("add")
def add(
    account: Named,
    brandname: _Brandname,
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="With placeholders: {P1,n} a code, {P2,n} any text, of 1 to n signs.")
    ],
    telco: Telco = "all",
    route_class: RouteClass = None,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Register a text. An equal one only takes the new class."""
    with told(as_json):
        from bocau.cli.desk import BRANDNAME_TYPE, at_desk, find_account, find_brandname, network, read_telcos
        from bocau.console.linting import warnings
        from bocau.core.directory import TemplateRow
        from bocau.core.telcos import TELCOS
        from bocau.core.template import is_otp

        content = _read_text(text)
        for doubt in warnings(content):
            warn(doubt)
        chosen = route_class or ("otp" if is_otp(content) else "other")
        telcos = tuple(TELCOS) if read_telcos(telco) == (0,) else read_telcos(telco)

        async def act(desk: "Desk") -> list[int]:
            rows = await desk.store.read_directory()
            owner = find_account(rows.accounts, account)
            find_brandname(rows, owner, brandname, BRANDNAME_TYPE)
            made = (TemplateRow(0, owner.id, BRANDNAME_TYPE, brandname, number, content, chosen) for number in telcos)
            return [await desk.store.put_template(row, desk.world.now_ms()) for row in made]

        ids = at_desk(data, config, act)
        value = {
            "account": account,
            "brandname": brandname,
            "text": content,
            "class": chosen,
            "templates": [{"id": i, "telco": number} for i, number in zip(ids, telcos, strict=True)],
        }
        where = ", ".join(f"{i} on {network(number)}" for i, number in zip(ids, telcos, strict=True))
        result(as_json, value, f"Registered for {brandname} as {chosen}: {where}.")


def _read_text(text: str) -> str:
    """The template as it is compared, so that equal ones are stored once. Raises Trouble."""
    from bocau.core.template import Template, TemplateError
    from bocau.core.text import has_forbidden_controls

    if has_forbidden_controls(text):
        raise Trouble("The text has signs that no message can carry.")
    try:
        return Template.parse(text).text
    except TemplateError as error:
        raise Trouble(f"This text cannot be a template: {error}.") from error


@app.command("lint")
def lint_template(
    text: Annotated[str, typer.Argument(metavar="[TEXT]", help="A template; else --id.")] = "",
    number: Annotated[int, typer.Option("--id", help="A registered template, as `bocau template list` shows it.")] = 0,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Say what a template costs, and which of its signs and placeholders deserve a second look.

    Exit code 0, whatever is found: it is advice. A text that cannot be a template is an error.
    """
    with told(as_json):
        from bocau.console.linting import lint

        if bool(text) == bool(number):
            raise Trouble("Give a TEXT, or the --id of a registered template.")
        value, sentences = lint(_read_text(text or _registered_text(number, data, config)))
        if as_json:
            document(value)
        else:
            print("\n".join(map(plain, sentences)))


def _registered_text(number: int, data: Data, config: Config) -> str:
    from bocau.cli.desk import at_desk

    async def act(desk: "Desk") -> str:
        rows = (await desk.store.read_directory()).templates
        found = next((row.content for row in rows if row.id == number), None)
        if found is None:
            raise Trouble(f"There is no template {number}. `bocau template list ACCOUNT` shows them.")
        return found

    return at_desk(data, config, act)


@app.command("remove")
def remove(
    account: Named,
    ids: Annotated[list[int], typer.Argument(metavar="ID...", help="As `bocau template list` shows them.")],
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Remove templates. All of them are there, or none is removed."""
    with told(as_json):
        from bocau.cli.desk import at_desk, find_account

        wanted = tuple(dict.fromkeys(ids))

        async def act(desk: "Desk") -> None:
            rows = await desk.store.read_directory()
            owner = find_account(rows.accounts, account)
            own = {row.id for row in rows.templates if row.account_id == owner.id}
            missing = [str(number) for number in wanted if number not in own]
            if missing:
                raise Trouble(
                    f"Account {account} has no template {', '.join(missing)}; nothing was removed. "
                    f"`bocau template list {account}` shows them all."
                )
            for number in wanted:
                await desk.store.delete_template(owner.id, number)

        at_desk(data, config, act)
        sentence = f"Removed from {account}: template {', '.join(map(str, wanted))}."
        result(as_json, {"account": account, "removed": wanted}, sentence)


@app.command("test")
def try_text(
    account: Named,
    brandname: _Brandname,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The Content of a request.")],
    phone: Annotated[str, typer.Option("--phone", help="The receiver; its network decides which templates count.")],
    unicode: Annotated[bool, typer.Option("--unicode", help="As with IsUnicode 1: diacritics stay.")] = False,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Say what the API would answer to a text, and which template it follows or where it leaves the nearest one.

    Nothing is sent, and the balance does not count. Exit code 0: the text would be accepted.
    """
    with told(as_json):
        from bocau.cli.desk import at_desk
        from bocau.cli.rehearsal import Trial, rehearse, sentences

        trial = Trial(account, brandname, text, phone, unicode)

        async def act(desk: "Desk") -> dict[str, object]:
            rows, numbering = await desk.store.read_directory(), await desk.numbering()
            return rehearse(trial, rows, desk.settings, numbering, desk.world.now_ms())

        verdict = at_desk(data, config, act)
        if as_json:
            document(verdict)
        else:
            print("\n".join(sentences(verdict)))
        if not verdict["accepted"]:
            raise typer.Exit(1)


app.command("pending")(pending)
app.command("approve")(approve)
app.command("refuse")(refuse)
app.command("import")(import_templates)
app.command("export")(export_templates)
