"""`bocau clock`: the clock of a running `bocau dev`."""

from typing import TYPE_CHECKING, Annotated, Any, cast
from urllib.parse import quote

import typer

from bocau.cli.options import Config, Data, Json
from bocau.cli.output import Trouble, result, told

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="The clock of a running `bocau dev`.")


@app.command("show")
def show(as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Show what it says."""
    with told(as_json):
        from bocau.cli.kit_calls import ask_kit

        now = cast("dict[str, Any]", ask_kit(data, config, "GET", "/clock"))
        result(as_json, now, _sentence(now))


@app.command("advance")
def advance(
    span: Annotated[str, typer.Argument(metavar="SPAN", help="30s, 90m, 24h or 2d.")],
    namespace: Annotated[
        str, typer.Option("--namespace", metavar="KEY", help="For one test alone: its ApiKey. Else for all.")
    ] = "",
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Move it ahead: scheduled messages go, callbacks are tried again, RequestIds are free, what waits expires.

    It does not go back. With --namespace the clock stays, and what one test waits for comes nearer.
    """
    with told(as_json):
        from bocau.cli.kit_calls import ask_kit
        from bocau.simulator.moments import read_span

        try:
            seconds = read_span(span)
        except ValueError as error:
            raise Trouble(f"{error}.") from None
        place = f"/namespaces/{quote(namespace, safe='')}/clock" if namespace else "/clock"
        done = cast("dict[str, Any]", ask_kit(data, config, "POST", place, {"advance_seconds": seconds}, 300.0))
        result(as_json, done, _sentence(done) if "now_ms" in done else f"{span} have passed for {namespace}.")


def _sentence(now: "Mapping[str, Any]") -> str:
    from datetime import datetime

    from bocau.simulator.moments import VIETNAM

    return f"{datetime.fromtimestamp(now['now_ms'] / 1000, VIETNAM):%Y-%m-%d %H:%M:%S} in Vietnam."
