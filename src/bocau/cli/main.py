"""The command `bocau`: every command by name. What a command needs is imported when it runs, so help comes at once."""

import io
import os
import re
import sys
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from bocau import __version__
from bocau.cli import (
    about,
    accounts,
    balances,
    blocks,
    books,
    brandnames,
    call_templates,
    callbacks,
    calls,
    checking,
    clocks,
    console_users,
    copies,
    faults,
    inbounds,
    keys,
    links,
    magic_numbers,
    moving,
    portability,
    prices,
    recordings,
    retention,
    routes,
    sending,
    staging,
    stories,
    templates,
    trunks,
    upgrading,
    voices,
)
from bocau.cli.output import complain

__all__ = ["app", "run"]

_FAULT: Final = 70
"""Exit code of a fault of our own (EX_SOFTWARE of sysexits.h)."""
_CARRIER: Final = re.compile(r"[^\s:]+:[0-9]{1,5}|\[[0-9A-Fa-f:.]+\]:[0-9]{1,5}")

_RUN: Final = "Run"
_MESSAGES: Final = "Messages"
_DIRECTORY: Final = "Who may send what"
_VOICE: Final = "Voice calls"
_REFERENCE: Final = "Reference"

_Port = Annotated[int, typer.Option(min=0, max=65_535, help="0 picks a free one.")]

app = typer.Typer(
    name="bocau",
    help="A self-hosted SMS gateway that speaks the eSMS HTTP API.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"bocau {__version__}")
        raise typer.Exit


@app.callback()
def _bocau(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> None:
    """A self-hosted SMS gateway that speaks the eSMS HTTP API."""
    del version


@app.command("dev", rich_help_panel=_RUN)
def _dev(
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Folder of the store; else .bocau.")
    ] = None,
    ephemeral: Annotated[bool, typer.Option("--ephemeral", help="Keep nothing after the end.")] = False,
    api_port: _Port = 8484,
    admin_port: _Port = 8485,
    smsc_port: _Port = 2775,
    host_carrier: Annotated[
        str, typer.Option("--host-carrier", metavar="HOST:PORT", help="An SMSC elsewhere instead of the simulated one.")
    ] = "",
    database_url: Annotated[
        str,
        typer.Option("--database-url", metavar="URL", help="Keep the store on PostgreSQL: postgresql://HOST/DATABASE."),
    ] = "",
    profile: Annotated[Literal["dev", "bench"], typer.Option(help="The account that is ready made.")] = "dev",
    first_message: Annotated[bool, typer.Option(help="Send one message through everything at the start.")] = True,
    clock: Annotated[
        str,
        typer.Option("--clock", metavar="WHEN", help="What its clock shows at first: 14:30, 2026-09-01T08:00, +24h."),
    ] = "",
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], typer.Option(help="The least important lines that are written.")
    ] = "info",
) -> None:
    """Run a gateway with a simulated carrier on this machine, with nothing to set up."""
    from bocau.cli.running import dev

    if host_carrier and _CARRIER.fullmatch(host_carrier) is None:
        raise typer.BadParameter("it looks like smsc.example.net:2775", param_hint="--host-carrier")
    if ephemeral and data is not None:
        raise typer.BadParameter("--ephemeral keeps nothing, so --data has no use", param_hint="--data")
    code = dev(
        data=data,
        ephemeral=ephemeral,
        api_port=api_port,
        admin_port=admin_port,
        smsc_port=smsc_port,
        carrier_at=host_carrier,
        database_url=database_url,
        profile=profile,
        first_message=first_message,
        log_level=log_level,
        clock=clock,
    )
    raise typer.Exit(code)


@app.command("serve", rich_help_panel=_RUN)
def _serve(
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Else ./bocau.toml, then /etc/bocau/bocau.toml."),
    ] = None,
) -> None:
    """Run a gateway in production, with the settings of a file."""
    from bocau.cli.running import serve

    raise typer.Exit(serve(config=config))


app.command("check", rich_help_panel=_RUN)(checking.check)
app.add_typer(checking.config_app, name="config", rich_help_panel=_RUN)
app.command("wait-ready", rich_help_panel=_RUN)(checking.wait_ready)
app.command("reload", rich_help_panel=_RUN)(checking.reload)
app.add_typer(links.app, name="link", rich_help_panel=_RUN)
app.add_typer(callbacks.app, name="callback", rich_help_panel=_MESSAGES)
app.add_typer(console_users.app, name="console-user", rich_help_panel=_RUN)
app.add_typer(faults.app, name="fault", rich_help_panel=_RUN)
app.command("upgrade-check", rich_help_panel=_RUN)(upgrading.upgrade_check)
app.command("migrate", rich_help_panel=_RUN)(moving.migrate)
app.command("backup", rich_help_panel=_RUN)(copies.backup)
app.command("restore", rich_help_panel=_RUN)(copies.restore)
app.command("retention", rich_help_panel=_RUN)(retention.retention)
app.command("release", rich_help_panel=_RUN)(copies.release)
app.add_typer(clocks.app, name="clock", rich_help_panel=_RUN)
app.command("send", rich_help_panel=_MESSAGES)(sending.send)
app.add_typer(staging.app, name="staging", rich_help_panel=_MESSAGES)
app.command("inbound", rich_help_panel=_MESSAGES)(inbounds.inbound)
app.command("status", rich_help_panel=_MESSAGES)(sending.status)
app.command("show", rich_help_panel=_MESSAGES)(stories.show)
app.command("tail", rich_help_panel=_MESSAGES)(stories.tail)
app.add_typer(routes.app, name="route", rich_help_panel=_RUN)
app.add_typer(accounts.app, name="account", rich_help_panel=_DIRECTORY)
app.add_typer(keys.app, name="key", rich_help_panel=_DIRECTORY)
app.add_typer(brandnames.app, name="brandname", rich_help_panel=_DIRECTORY)
app.add_typer(templates.app, name="template", rich_help_panel=_DIRECTORY)
app.add_typer(call_templates.app, name="call-template", rich_help_panel=_DIRECTORY)
app.add_typer(recordings.app, name="call-recording", rich_help_panel=_DIRECTORY)
app.add_typer(prices.app, name="price", rich_help_panel=_DIRECTORY)
app.add_typer(portability.app, name="portability", rich_help_panel=_DIRECTORY)
app.add_typer(balances.app, name="balance", rich_help_panel=_DIRECTORY)
app.add_typer(blocks.app, name="block", rich_help_panel=_DIRECTORY)
app.command("ledger", rich_help_panel=_DIRECTORY)(books.ledger)
app.command("audit", rich_help_panel=_DIRECTORY)(books.audit)
app.add_typer(voices.app, name="voice", rich_help_panel=_VOICE)
app.add_typer(calls.app, name="call", rich_help_panel=_VOICE)
app.add_typer(trunks.app, name="trunk", rich_help_panel=_VOICE)
app.command("codes", rich_help_panel=_REFERENCE)(about.codes)
app.command("magic", rich_help_panel=_REFERENCE)(magic_numbers.magic)
app.command("version", rich_help_panel=_REFERENCE)(about.version)


def run() -> None:
    """Run the command line and end the process. A fault of our own is told in a sentence, not in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except Exception as error:
        if os.environ.get("BOCAU_TRACEBACK"):
            raise
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        complain(
            f"bocau met a fault of its own ({what}). Run it again with BOCAU_TRACEBACK=1 to see where, and report it.",
            "--json" in sys.argv,
        )
        sys.exit(_FAULT)
