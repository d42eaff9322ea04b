"""`bocau route`: which rule picks which carrier, and why."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bocau.cli.options import Config, Data, Json
from bocau.cli.output import document, plain, told

if TYPE_CHECKING:
    from bocau.cli.desk import Desk
    from bocau.dispatch.plan import RouteTable, Traits

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Routes: which rule picks which carrier, and why.")


@app.callback()
def _route() -> None:
    """Routes: which rule picks which carrier, and why."""


@app.command("explain")
def explain(
    phone: Annotated[str, typer.Option("--phone", metavar="NUMBER", help="The receiver.")],
    sms_type: Annotated[int, typer.Option("--type", help="SmsType: 2 or 8.")] = 2,
    brandname: Annotated[str, typer.Option("--brandname", help="The sender.")] = "",
    account: Annotated[str, typer.Option("--account", help="Whose message; else one of nobody in particular.")] = "",
    route_class: Annotated[
        Literal["otp", "other"], typer.Option("--class", help="A one-time code, or anything else.")
    ] = "otp",
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Show what every route says about a message, in the order they are asked, and which one counts.

    Exit code 0: a route takes it; 1: none does.
    """
    with told(as_json):
        from bocau.cli.desk import at_desk

        async def act(desk: "Desk") -> dict[str, object]:
            return await _explained(desk, phone, (sms_type, route_class, account, brandname))

        found = at_desk(data, config, act)
        if as_json:
            document(found)
        else:
            _print(found)
        if not found["route"]:
            raise typer.Exit(1)


async def _explained(desk: "Desk", phone: str, asked: tuple[int, str, str, str]) -> dict[str, object]:
    """Everything about it, as a document. Raises Trouble for a number or an account that is none."""
    from bocau.cli.desk import network
    from bocau.cli.output import Trouble
    from bocau.core.phone import normalise
    from bocau.dispatch.plan import Traits
    from bocau.fleet import routes_of, table_of

    number = normalise(phone)
    if number is None:
        raise Trouble(f"{phone} is no Vietnamese mobile number.")
    sms_type, route_class, account, brandname = asked
    accounts = {row.name: row.id for row in await desk.store.accounts()}
    account_id = (await desk.account(account)).id if account else 0
    telco = (await desk.numbering()).telco_of(number)
    costs = {row.name: row.part_cost for row in desk.settings.carrier}
    table = table_of(routes_of(desk.settings.route, costs, accounts), desk.settings.staging)
    halts = await desk.store.halts()
    return {
        "phone": number,
        "telco": telco,
        "network": network(telco),
        **_verdicts(table, Traits(sms_type, route_class, account_id, brandname, telco), number),
        "halted": halts,
    }


def _verdicts(table: "RouteTable", traits: "Traits", phone: str) -> dict[str, object]:
    routes: list[dict[str, object]] = []
    picked, carriers = "", [""]
    for verdict in table.explain(traits, phone):
        ways = table.ways(verdict.route)
        if verdict.picked:
            picked = verdict.route.name
            carriers = list(ways[0].carriers)
        routes.append(
            {
                "route": verdict.route.name,
                "priority": verdict.route.priority,
                "picked": verdict.picked,
                "why": verdict.why or ("takes it" if verdict.picked else "would take it too, but comes later"),
                "order": verdict.route.order.value,
                "shares": _shares([way.carriers[0] for way in ways]),
            }
        )
    return {"route": picked, "carriers": carriers if picked else [], "routes": routes}


def _shares(firsts: list[str]) -> dict[str, float]:
    """For which share of the messages each carrier comes first."""
    return {name: round(firsts.count(name) / len(firsts), 3) for name in dict.fromkeys(firsts)}


def _print(found: dict[str, object]) -> None:
    print(plain(f"{found['phone']}: network {found['network']}"))
    routes = found["routes"]
    assert isinstance(routes, list)  # noqa: S101 - we made it
    for row in routes:
        mark = "->" if row["picked"] else "  "
        print(plain(f"{mark} {row['route']}: {row['why']}"))
        if row["picked"] and row["order"] == "weight":
            shares = ", ".join(f"{name} {share:.0%}" for name, share in row["shares"].items())
            print(plain(f"     shares: {shares}"))
    carriers, halts = found["carriers"], found["halted"]
    assert isinstance(carriers, list)  # noqa: S101 - we made it
    assert isinstance(halts, dict)  # noqa: S101 - we made it
    if not found["route"]:
        print("No route takes it: it would wait until a route does, or expire.")
        return
    named = [f"{name} ({halts[name]})" if name in halts else name for name in carriers]
    print(plain(f"Carriers, in the order they are tried: {', '.join(named)}"))
