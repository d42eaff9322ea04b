"""`bocau template pending`, `approve` and `refuse`: templates that customers ask for."""

from typing import TYPE_CHECKING, Annotated

import typer

from bocau.cli.options import Config, Data, Json, RouteClass, Telco
from bocau.cli.output import Trouble, listing, result, told

if TYPE_CHECKING:
    from bocau.cli.desk import Desk
    from bocau.core.directory import TemplateRow
    from bocau.core.registration import Registration

__all__ = ["approve", "pending", "refuse"]

_Asked = Annotated[int, typer.Argument(metavar="ID", help="As `bocau template pending` shows it.")]


def pending(as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """List the templates that customers asked for and that wait for a decision."""
    with told(as_json):
        from bocau.cli.desk import at_desk

        async def act(desk: "Desk") -> list[dict[str, object]]:
            names = {account.id: account.name for account in await desk.store.accounts()}
            return [
                {
                    "id": row.id,
                    "account": names[row.account_id],
                    "brandname": row.brandname,
                    "type": row.sms_type,
                    "text": row.content,
                }
                for row in await desk.store.pending_templates()
            ]

        headings = {"id": "Id", "account": "Account", "brandname": "Brandname", "type": "Type", "text": "Text"}
        listing(as_json, at_desk(data, config, act), headings, "No template waits for a decision.")


def approve(
    number: _Asked,
    telco: Telco = "all",
    route_class: RouteClass = None,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Register a template that a customer asked for, and tell him. Type 8 needs no template: he is only told."""
    with told(as_json):
        from bocau.cli.desk import at_desk, network, read_telcos
        from bocau.core.registration import templates_of
        from bocau.core.telcos import TELCOS

        telcos = tuple(TELCOS) if read_telcos(telco) == (0,) else read_telcos(telco)

        async def act(desk: "Desk") -> tuple[str, list[int]]:
            asked = await _waiting(desk, number)
            made = templates_of(asked, telcos, route_class or "")
            await _decide(desk, number, made, "")
            return asked.brandname, [row.telco for row in made]

        brandname, where = at_desk(data, config, act)
        value = {"id": number, "state": "approved", "brandname": brandname, "telcos": where}
        named = ", ".join(map(network, where)) or "nowhere, for type 8 needs no template"
        result(as_json, value, f"Template {number} is registered for {brandname}: {named}.")


def refuse(
    number: _Asked,
    reason: Annotated[str, typer.Option("--reason", help="Kept in the store; the customer is told only the no.")] = "",
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Refuse a template that a customer asked for, and tell him."""
    with told(as_json):
        from bocau.cli.desk import at_desk

        async def act(desk: "Desk") -> None:
            await _waiting(desk, number)
            await _decide(desk, number, None, reason)

        at_desk(data, config, act)
        result(as_json, {"id": number, "state": "refused"}, f"Template {number} is refused.")


async def _waiting(desk: "Desk", number: int) -> "Registration":
    """A template that waits for a decision. Raises Trouble."""
    found = next((row for row in await desk.store.pending_templates() if row.id == number), None)
    if found is None:
        raise Trouble(f"No template {number} waits for a decision. `bocau template pending` shows those that do.")
    return found


async def _decide(desk: "Desk", number: int, templates: "tuple[TemplateRow, ...] | None", reason: str) -> None:
    if not await desk.store.decide_template(number, templates, reason, desk.world.now_ms()):
        raise Trouble(f"Somebody else has decided about template {number} just now.")
