"""`bocau call-template`: what calls by template say."""

from typing import TYPE_CHECKING, Annotated

import typer

from bocau.cli.options import Config, Data, Json, Named
from bocau.cli.output import Trouble, listing, result, told

if TYPE_CHECKING:
    from bocau.cli.desk import Desk

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Call templates: what calls by template say.")


@app.command("list")
def list_call_templates(account: Named, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """List the call templates of an account."""
    with told(as_json):
        from bocau.cli.desk import at_desk, find_account

        async def act(desk: "Desk") -> list[dict[str, object]]:
            rows = await desk.store.read_directory()
            owner = find_account(rows.accounts, account)
            return [{"id": row.id, "text": row.content} for row in rows.call_templates if row.account_id == owner.id]

        empty = f"Account {account} has no call template yet. Register one: bocau call-template add {account} TEXT"
        listing(as_json, at_desk(data, config, act), {"id": "Id", "text": "Text"}, empty)


@app.command("add")
def add(
    account: Named,
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="With places for values in brackets: Ma cua ban la {code}.")
    ],
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Register a text. Its id is the TemplateId of MakeCallTemplate_V2."""
    with told(as_json):
        from bocau.cli.desk import at_desk, find_account
        from bocau.core.call_template import problem
        from bocau.core.directory import CallTemplateRow
        from bocau.core.text import has_forbidden_controls, nfc

        content = nfc(text.strip())
        trouble = "the text has signs that no message can carry" if has_forbidden_controls(text) else problem(content)
        if trouble:
            raise Trouble(f"This text cannot be a call template: {trouble}.")

        async def act(desk: "Desk") -> int:
            owner = find_account((await desk.store.read_directory()).accounts, account)
            return await desk.store.put_call_template(CallTemplateRow(0, owner.id, content), desk.world.now_ms())

        number = at_desk(data, config, act)
        value = {"account": account, "id": number, "text": content}
        result(as_json, value, f"Registered as call template {number} of {account}.")


@app.command("remove")
def remove(
    account: Named,
    number: Annotated[int, typer.Argument(metavar="ID", help="As `bocau call-template list` shows it.")],
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Remove a call template."""
    with told(as_json):
        from bocau.cli.desk import at_desk, find_account

        async def act(desk: "Desk") -> None:
            owner = find_account((await desk.store.read_directory()).accounts, account)
            if not await desk.store.delete_call_template(owner.id, number):
                raise Trouble(
                    f"Account {account} has no call template {number}. "
                    f"`bocau call-template list {account}` shows them all."
                )

        at_desk(data, config, act)
        result(as_json, {"account": account, "removed": number}, f"Removed from {account}: call template {number}.")
