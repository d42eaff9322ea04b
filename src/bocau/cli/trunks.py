"""`bocau trunk`: the lines to voice carriers, and whether a call would go through."""

from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import typer

from bocau.cli.options import Config, Data, Json
from bocau.cli.output import Trouble, document, listing, told

if TYPE_CHECKING:
    from pathlib import Path

    from bocau.deliver.rehearsal import Step
    from bocau.deliver.voice.rehearsal import Ask
    from bocau.settings import Settings
    from bocau.wire.rtp.srtp import Aes

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Trunks: the lines that voice calls go over.")

_COLUMNS: Final = {
    "trunk": "Trunk",
    "address": "Address",
    "transport": "Transport",
    "from": "From",
    "calls": "Calls",
    "calls_per_second": "A second",
    "priority": "Priority",
    "registers": "Registers",
    "state": "State",
    "in_call": "In call",
    "answered": "Answered",
    "unanswered": "Not answered",
    "failed": "Failed",
    "setup_seconds": "Setup s",
    "lost": "RTP lost",
    "why": "Why",
}
_LIVE: Final = ("state", "in_call", "answered", "unanswered", "failed", "setup_seconds", "lost", "why")
"""What only a running gateway knows."""
_STEPS: Final = {"name": "Step", "ok": "Works", "milliseconds": "ms", "said": "What came of it"}


@app.command("list")
def list_trunks(as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """List the trunks of the settings in the order they are tried, and how they stand if the gateway runs."""
    with told(as_json):
        from bocau.cli.desk import read_file

        settings = read_file(config)[1]
        standing = _standing(data, config)
        rows: list[dict[str, object]] = [
            {
                "trunk": trunk.name,
                "address": f"{trunk.host}:{trunk.port}" if trunk.port else trunk.host,
                "transport": trunk.transport,
                "from": trunk.from_user or trunk.user or None,
                "calls": trunk.max_calls,
                "calls_per_second": trunk.calls_per_second,
                "priority": trunk.priority,
                "registers": trunk.register,
                **_figures(standing.get(trunk.name)),
            }
            for trunk in sorted(settings.trunk, key=lambda trunk: trunk.priority)
        ]
        # A gateway of other settings, such as `bocau dev`, may have others.
        known = {trunk.name for trunk in settings.trunk}
        rows += [
            {**dict.fromkeys(_COLUMNS), "trunk": name, **_figures(row)}
            for name, row in standing.items()
            if name not in known
        ]
        listing(as_json, rows, _COLUMNS, "There is no trunk in the settings.")


def _standing(data: "Path | None", config: "Path | None") -> "dict[str, dict[str, Any]]":
    """What the running gateway says of each trunk; nothing if none runs."""
    from bocau.cli.operating import ask

    try:
        rows = cast("list[dict[str, Any]]", ask(data, config, "trunk/list"))
    except Trouble:
        return {}
    return {row["trunk"]: row for row in rows}


def _figures(row: "dict[str, Any] | None") -> dict[str, object]:
    if row is None:
        return dict.fromkeys(_LIVE)
    ended = row["ended"]
    return {
        "state": row["state"],
        "in_call": row["in_call"],
        "answered": ended["ANSWERED"],
        "unanswered": ended["BUSY"] + ended["NO ANSWER"],
        "failed": ended["FAILED"] + ended["LOST"],
        "setup_seconds": row["setup_seconds"],
        "lost": row["packets_lost"] + row["far_packets_lost"],
        "why": row["why"],
    }


@app.command("test")
def rehearse(
    trunk: Annotated[str, typer.Argument(metavar="TRUNK", help="Name of the trunk in the settings.")],
    to: Annotated[
        str, typer.Option("--to", metavar="NUMBER", help="Call there, say a code, and look whether sound comes back.")
    ] = "",
    code: Annotated[str, typer.Option("--code", help="The code to say; an example, not a real one.")] = "123456",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Walk the way of a call: name, transport, REGISTER or OPTIONS; with a number a call, its prompt, sound both ways.

    It needs no running gateway, and the call is in no store. Exit code 0: every step worked.
    """
    with told(as_json):
        from bocau.cli.desk import read_file

        steps = _walk(read_file(config)[1], trunk, to, code)
        ok = all(step.ok for step in steps)
        rows = [dict(step._asdict()) for step in steps]
        if as_json:
            document({"trunk": trunk, "ok": ok, "steps": rows})
        else:
            listing(False, rows, _STEPS, "")
        if not ok:
            raise typer.Exit(1)


def _walk(settings: "Settings", name: str, to: str, code: str) -> "list[Step]":
    """The steps. Raises Trouble."""
    import asyncio
    import sys

    from bocau.core.nearest import did_you_mean
    from bocau.deliver.voice.rehearsal import TrunkRehearsal
    from bocau.settings import BadTls
    from bocau.telemetry import Lines, make_log
    from bocau.trunks import trunk_of
    from bocau.world import RealWorld

    found = {row.name: (number, row) for number, row in enumerate(settings.trunk)}
    if name not in found:
        raise Trouble(f'There is no trunk "{name}" in the settings{did_you_mean(name, found) or "."}')
    ask = _ask(settings, to, code)
    try:
        trunk = trunk_of(found[name][1], found[name][0], settings)
    except BadTls as bad:
        raise Trouble(f"{bad}.") from bad

    async def walk() -> "list[Step]":
        world = RealWorld()
        log = make_log(Lines(sys.stderr), world.now_ms, "error", "text")
        names = None
        if trunk.srv:
            from bocau.srv import DnsServices

            names = DnsServices()
        aes: Aes | None = None
        if trunk.srtp:
            from bocau.aes import blocks

            aes = blocks
        return await TrunkRehearsal(world, names, trunk, log, aes).play(ask)

    return asyncio.run(walk())


def _ask(settings: "Settings", to: str, code: str) -> "Ask | None":
    """The call that is asked for. Raises Trouble."""
    from bocau.core.phone import normalise, to_e164
    from bocau.deliver.voice.rehearsal import Ask
    from bocau.trunks import limits_of, speech_of

    if not to:
        return None
    number = normalise(to)
    if number is None:
        raise Trouble(f"{to} is no Vietnamese mobile number.")
    return Ask(to_e164(number), code, speech_of(settings), limits_of(settings))


@app.callback()
def _trunks() -> None:
    """Trunks: the lines that voice calls go over."""
