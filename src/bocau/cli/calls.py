"""`bocau call`: how the calls of a message went, and in development what the phone heard."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bocau.cli.options import Config, Data, Json
from bocau.cli.output import Trouble, document, facts, plain, result, told

if TYPE_CHECKING:
    from bocau.cli.desk import Desk
    from bocau.core.call import CallRecord, Rung

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Calls: how they went.")

_Smsid = Annotated[str, typer.Argument(metavar="SMSID", help="The SMSID that the request was answered with.")]


@app.command("show")
def show(smsid: _Smsid, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Show every call of a message: trunk, SIP answer, Q.850 cause, times, keys, RTP packets, who hung up."""
    with told(as_json):
        from bocau.console.call_words import call_facts

        records = _records(smsid, data, config)
        if as_json:
            document([record._asdict() for record in records])
            return
        for record in records:
            facts(call_facts(record, _moment))
            print()


@app.command("ladder")
def ladder(smsid: _Smsid, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Show what was said over SIP in every call of a message, of the last 7 days; numbers are hidden."""
    with told(as_json):
        calls = _ladders(smsid, data, config)
        if as_json:
            document([{"call": number, "messages": [rung._asdict() for rung in rungs]} for number, rungs in calls])
            return
        if not any(rungs for _, rungs in calls):
            raise Trouble("Nothing was said over SIP in this call, or it is older than 7 days.")
        for number, rungs in calls:
            for rung in rungs:
                arrow = f"---> {rung.trunk}" if rung.sent else f"<--- {rung.trunk}"
                print(f"Call {number}  {_moment(rung.at_ms)}  {arrow}")
                print("\n".join(f"    {plain(line)}" for line in rung.text.split("\n")), end="\n\n")


@app.command("listen")
def listen(
    smsid: _Smsid,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The WAV file to write.")] = Path("call.wav"),
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Write to a WAV file what the simulated phone of `bocau dev` heard in the last call of a message."""
    with told(as_json):
        from bocau.cli.desk import store_path
        from bocau.simulator.tape import CALLS_FOLDER, tape_file

        record = _records(smsid, data, config)[-1]
        folder = store_path(data, config).parent / CALLS_FOLDER
        try:
            sound = tape_file(folder, record.sip_call_id).read_bytes()
        except OSError:
            raise Trouble(
                f"Nothing was recorded of this call ({record.status}): only the simulated phone of `bocau dev` does, "
                "and only calls that it answers."
            ) from None
        try:
            out.write_bytes(sound)
        except OSError as error:
            raise Trouble(f"{out} cannot be written: {error.strerror}.") from error
        result(as_json, {"file": str(out), "status": record.status}, f"{out}: what the phone heard.")


def _records(smsid: str, data: Data, config: Config) -> "list[CallRecord]":
    """The calls of a message, at least one. Raises Trouble."""
    from bocau.cli.desk import at_desk

    async def read(desk: "Desk") -> "list[CallRecord]":
        return await desk.store.calls(None, smsid.strip())

    found = at_desk(data, config, read)
    if not found:
        raise Trouble("There is no call of this SMSID that has ended: a call is written down when it is over.")
    return found


def _ladders(smsid: str, data: Data, config: Config) -> "list[tuple[int, list[Rung]]]":
    """Number and SIP messages of each call of a message. Raises Trouble."""
    from bocau.cli.desk import at_desk

    records = _records(smsid, data, config)

    async def read(desk: "Desk") -> "list[tuple[int, list[Rung]]]":
        return [(one.number, await desk.store.ladder(one.message_id, one.number)) for one in records]

    return at_desk(data, config, read)


def _moment(at_ms: int | None) -> str | None:
    from datetime import UTC, datetime

    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


@app.callback()
def _calls() -> None:
    """Calls: how they went."""
