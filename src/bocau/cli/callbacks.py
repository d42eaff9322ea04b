"""`bocau callback`: a customer is told again, and an address is tried."""

from typing import TYPE_CHECKING, Annotated, cast

import typer

from bocau.cli.options import Config, Data, Json
from bocau.cli.output import facts, result, told

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Callbacks of a running gateway.")

_SAMPLE_SECONDS = 60.0


@app.command("resend")
def resend(
    smsid: Annotated[str, typer.Argument(metavar="SMSID", help="From the answer to the send.")],
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Call the customer again now, also where the tries were given up or one was answered."""
    with told(as_json):
        from bocau.cli.operating import ask

        found = cast("Mapping[str, object]", ask(data, config, "callback/resend", smsid=smsid))
        result(as_json, found, f"It is called now; `bocau show {smsid}` tells what came of it.")


@app.command("sample")
def sample(
    url: Annotated[str, typer.Argument(metavar="URL", help="A customer's CallbackUrl.")],
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Call an address once, with made-up values of a delivered message, and show what it answers."""
    with told(as_json):
        from bocau.cli.operating import ask

        found = cast("Mapping[str, object]", ask(data, config, "callback/sample", _SAMPLE_SECONDS, url=url))
        if as_json:
            result(True, found, "")
        else:
            status = f"HTTP {found['status']}" if found["status"] else "none"
            rows = [("Called", found["url"]), ("Answer", status), ("Said", found["answer"])]
            facts([*rows, ("Took", f"{found['milliseconds']} ms")])
