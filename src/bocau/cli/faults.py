"""`bocau fault`: what goes wrong at the simulated carrier and at callback hosts of a running `bocau dev`."""

import shlex
from pathlib import Path
from typing import Annotated, Any, Final, cast
from urllib.parse import quote

import typer

from bocau.cli.options import Config, Data, Json
from bocau.cli.output import listing, result, told

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="Faults of a running `bocau dev`: what its carrier and callback hosts do wrong."
)

Namespace = Annotated[
    str, typer.Option("--namespace", metavar="KEY", help="For the messages of one test: its ApiKey. Else for all.")
]

_COLUMNS: Final = {"number": "Fault", "seen": "About", "struck": "Struck", "line": "What goes wrong"}


@app.command("add")
def add(
    words: Annotated[
        list[str],
        typer.Argument(metavar="ACT [NAME=VALUE]...", help="As in: late seconds=40 network=viettel after_messages=2."),
    ],
    seed: Annotated[int, typer.Option("--seed", help="Makes chance (rate=0.3) another one.")] = 0,
    namespace: Namespace = "",
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Put one fault more in force.

    `bocau fault acts` lists what can go wrong, and what narrows it. The first fault that is about a message counts.
    """
    with told(as_json):
        line = words[0] if len(words) == 1 else shlex.join(words)
        members = {"faults": [line], "seed": seed, "keep": True}
        added = _ask("POST", _place(namespace), data, config, members)[-1]
        result(as_json, added, f"Fault {added['number']} is in force: {added['line']}")


@app.command("list")
def list_faults(namespace: Namespace = "", as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """List the faults in force, with how many messages each was about and how many it struck."""
    with told(as_json):
        listing(as_json, _ask("GET", _place(namespace), data, config), _COLUMNS, "No fault is in force.")


@app.command("remove")
def remove(
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="As `bocau fault list` has it.")],
    namespace: Namespace = "",
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Take one fault out of force."""
    with told(as_json):
        left = _ask("DELETE", f"{_place(namespace)}/{number}", data, config)
        result(as_json, {"removed": number, "left": len(left)}, f"Fault {number} is over; {len(left)} left.")


@app.command("clear")
def clear(namespace: Namespace = "", as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Take all faults out of force."""
    with told(as_json):
        _ask("DELETE", _place(namespace), data, config)
        result(as_json, {"left": 0}, "No fault is in force any more.")


@app.command("acts")
def acts(as_json: Json = False) -> None:
    """List what can go wrong, and the names that narrow it."""
    with told(as_json):
        from bocau.simulator.fault_lines import ACT_MEANINGS, NAME_MEANINGS

        rows = [
            *({"kind": "act", "name": name, "meaning": meaning} for name, meaning in ACT_MEANINGS.items()),
            *({"kind": "name", "name": f"{name}=", "meaning": meaning} for name, meaning in NAME_MEANINGS.items()),
        ]
        listing(as_json, rows, {"name": "Write", "meaning": "What it does"}, "")


def _place(namespace: str) -> str:
    return f"/namespaces/{quote(namespace, safe='')}/faults" if namespace else "/faults"


def _ask(method: str, path: str, data: Path | None, config: Path | None, body: object = None) -> list[dict[str, Any]]:
    from bocau.cli.kit_calls import ask_kit

    return cast("list[dict[str, Any]]", ask_kit(data, config, method, path, body))
