"""`bocau staging`: a message that staging caught goes to a phone after all."""

from typing import Annotated, Any, cast

import typer

from bocau.cli.options import Config, Data, Json
from bocau.cli.output import document, told

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Messages that a staging gateway caught.")


@app.command("release")
def release(
    smsid: Annotated[str, typer.Argument(metavar="SMSID", help="Of a request that was caught; `bocau tail` shows it.")],
    phone: Annotated[str, typer.Option("--to", metavar="PHONE", help="To this phone instead of its own.")] = "",
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Send what staging caught to its phone: a copy, by the routes, for its price, without a callback."""
    with told(as_json):
        from bocau.cli.operating import ask

        copies = cast("list[dict[str, Any]]", ask(data, config, "staging/release", smsid=smsid.strip(), phone=phone))
        if as_json:
            document(copies)
            return
        for copy in copies:
            print(f"On its way to {copy['phone']}: bocau show {copy['smsid']}")


@app.callback()
def _staging() -> None:
    """Messages that a staging gateway caught."""
