"""`bocau link`: the links to carriers of a running gateway."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from bocau.cli.options import Config, Data, Json
from bocau.cli.output import Trouble, document, facts, listing, result, told

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Links: the connections to carriers of a running gateway.")

Named = Annotated[str, typer.Argument(metavar="LINK", help="Name of the carrier in the settings.")]

_COLUMNS = {
    "link": "Link",
    "kind": "Kind",
    "address": "Address",
    "state": "State",
    "binds": "Binds",
    "window": "Window",
    "halt": "Halt",
    "breaker": "Breaker",
    "why": "Why",
}
_BINDS = {
    "bind": "Bind",
    "mode": "Mode",
    "state": "State",
    "outstanding": "Unanswered",
    "connections": "Connections",
    "stray_answers": "Stray answers",
    "bad_bodies": "Unreadable",
    "why": "Why",
}
_STEPS = {"name": "Step", "ok": "Works", "milliseconds": "ms", "said": "What came of it"}
_TEST_SECONDS = 150.0


@app.command("list")
def list_links(as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """List the links with how they stand."""
    with told(as_json):
        from bocau.cli.operating import ask

        rows = cast("list[dict[str, object]]", ask(data, config, "link/list"))
        listing(as_json, rows, _COLUMNS, "There is no carrier in the settings.")


@app.command("show")
def show(link: Named, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Show one link: its binds, its window, its speed, what it answers, how it writes ids."""
    with told(as_json):
        from bocau.cli.operating import ask

        found = cast("dict[str, Any]", ask(data, config, "link/show", link=link))
        if as_json:
            document(found)
            return
        facts([(label, found[key]) for key, label in _COLUMNS.items()] + _figures(found))
        if "bind" in found:
            print()
            listing(False, found["bind"], _BINDS, "")


def _figures(found: "Mapping[str, Any]") -> list[tuple[str, object]]:
    took = found["answer_ms"]
    answers = ", ".join(f"{count} {kind}" for kind, count in sorted(found["answers"].items()) if count)
    times = f"half within {took['p50']} ms, 99 of 100 within {took['p99']} ms"
    return [
        ("Breaker, why", found["breaker_why"]),
        ("Waiting", f"{found['waiting_otp']} codes, {found['waiting_bulk']} others"),
        ("Submitted", found["submitted"]),
        ("Answers", answers or "none yet"),
        ("Answer time", "-" if took["p50"] is None else times),
        ("Too fast", f"{found['throttled']} answers"),
        ("Late answers", found["late_answers"]),
        ("Sent once more", f"{found['sent_once_more']} possible duplicates"),
        ("Receipts", found["receipts"]),
        *(_smpp_figures(found) if "bind" in found else ()),
    ]


def _smpp_figures(found: "Mapping[str, Any]") -> list[tuple[str, object]]:
    limit, ids = found["limit_per_second"], found["receipt_ids"]
    odd = f"; {ids['contradicting_rows']} times it looked otherwise" if ids["contradicting_rows"] else ""
    slowed = f"slowed to {limit} parts a second, the carrier asked for less"
    return [
        ("Speed", "as contracted" if limit is None else slowed),
        ("Receipt ids", f"{ids['form'] or 'tried in every form'} ({ids['from']}){odd}"),
    ]


@app.command("pause")
def pause(link: Named, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Give a carrier nothing new; messages that wait for it go to the others of their route. It stays bound."""
    _halt("pause", link, as_json, data, config)


@app.command("drain")
def drain(link: Named, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Pause, to take the carrier away: says how much is unanswered, and keeps taking receipts."""
    _halt("drain", link, as_json, data, config)


@app.command("resume")
def resume(link: Named, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Let a paused or draining carrier go on."""
    _halt("resume", link, as_json, data, config)


def _halt(act: str, link: str, as_json: bool, data: Path | None, config: Path | None) -> None:
    with told(as_json):
        from bocau.cli.operating import ask

        found = cast("dict[str, Any]", ask(data, config, f"link/{act}", link=link))
        waiting = f"{found['waiting_otp']} codes and {found['waiting_bulk']} other messages wait for it"
        text = f"{link} is {found['state']}: {found['outstanding']} parts are unanswered, {waiting}."
        result(as_json, found, text)


@app.command("trace")
def trace(
    link: Named,
    last: Annotated[int | None, typer.Option("--last", min=1, help="No more than so many PDUs of each bind.")] = None,
    pcap: Annotated[
        Path | None, typer.Option("--pcap", metavar="FILE", help="Write a capture file for Wireshark or tshark.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Hide nothing: texts, passwords, whole numbers. The log notes it.")
    ] = False,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Show the last PDUs of a link. Texts, passwords and the middle of numbers are hidden."""
    with told(as_json):
        from bocau.cli.operating import ask

        act = "link/trace-full" if full else "link/trace"
        if pcap is not None:
            whole = cast("dict[str, str]", ask(data, config, act, link=link, last=last, form="pcap"))
            _write(pcap, whole["pcap"])
            return
        rows = cast("list[dict[str, Any]]", ask(data, config, act, link=link, last=last))
        if as_json:
            document(rows)
            return
        for row in rows:
            print(_line(row))
        if not rows:
            print("No PDU has passed yet, or trace_pdus is 0.")


def _write(file: Path, encoded: str) -> None:
    import base64
    import os

    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(base64.b64decode(encoded))
    except OSError as error:
        raise Trouble(f"{file} cannot be written: {error.strerror}.") from error


def _line(row: "Mapping[str, Any]") -> str:
    from datetime import UTC, datetime

    from bocau.cli.output import plain
    from bocau.console.pdus import fields_of

    at = datetime.fromtimestamp(row["at_ms"] / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    arrow = "->" if row["from"] == "us" else "<-"
    status = "" if row["status"] == "ESME_ROK" else f" {row['status']}"
    return plain(f"{at} {row['bind']} {arrow} {row['command']}{status} #{row['sequence']} {fields_of(row)}".rstrip())


@app.command("test")
def rehearse(
    link: Named,
    to: Annotated[
        str, typer.Option("--to", metavar="PHONE", help="Send one SMS there, and wait for its receipt.")
    ] = "",
    sender: Annotated[str, typer.Option("--sender", help="Its brandname.")] = "",
    text: Annotated[str, typer.Option("--text", help="Its text, of one part.")] = "",
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Walk the way of a message on a connection of its own: name, TCP, TLS, bind, enquire_link, SMS, receipt.

    The SMS is not in the store and costs no balance. Exit code 0: every step worked.
    """
    with told(as_json):
        from bocau.cli.operating import ask

        act = cast(
            "dict[str, Any]",
            ask(data, config, "link/test", _TEST_SECONDS, link=link, to=to, sender=sender, text=text),
        )
        if as_json:
            document(act)
        else:
            listing(False, act["steps"], _STEPS, "")
        if not act["ok"]:
            raise typer.Exit(1)


@app.callback()
def _links() -> None:
    """Links: the connections to carriers of a running gateway."""
