"""Options and arguments that several commands share, so that they are spelled and explained the same everywhere."""

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["ApiKey", "ApiUrl", "Config", "Data", "Json", "Named", "RouteClass", "SecretKey", "Telco", "Wait"]

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text for people.")]
Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Folder of the store, as given to `bocau dev`.")
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Settings file. Else ./bocau.toml, then /etc/bocau/bocau.toml, if there is one.",
    ),
]
Named = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Name of the account.")]
ApiUrl = Annotated[str, typer.Option("--url", envvar="BOCAU_URL", help="Address of the customers' API.")]
ApiKey = Annotated[str | None, typer.Option("--api-key", envvar="BOCAU_API_KEY", help="Else the key of `bocau dev`.")]
SecretKey = Annotated[
    str | None,
    typer.Option(
        "--secret-key",
        envvar="BOCAU_SECRET_KEY",
        help="Else the secret of `bocau dev`. Others on the machine can see it here: prefer the variable.",
    ),
]
Wait = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", min=0, help="Wait so long for the outcome, and print it.")
]
Telco = Annotated[str, typer.Option("--telco", help="Networks by id or name, with commas, or all.")]
RouteClass = Annotated[Literal["otp", "other"] | None, typer.Option("--class", help="Else found out from the text.")]
