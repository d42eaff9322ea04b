"""`bocau check`, `bocau config show` and `bocau wait-ready`: is it set up well, and does it run?"""

from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import typer

from bocau.cli.options import Config, Data, Json
from bocau.cli.output import Trouble, document, listing, plain, result, told

if TYPE_CHECKING:
    from pathlib import Path

    from bocau.settings import Problem

__all__ = ["check", "config_app", "reload", "wait_ready"]

config_app = typer.Typer(no_args_is_help=True, help="Settings: what is in force, and why.")

_READY: Final = 200
_TRY_SECONDS: Final = 5.0


def check(
    config: Config = None,
    connect: Annotated[
        bool, typer.Option("--connect", help="Try to reach every carrier too, its certificate included; send nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check the settings file as a production start would: keys, routes, carriers, leftovers of development.

    Exit code 0: it would start; warnings do not count. 1: it would not, or with --connect a carrier is out of reach.
    """
    with told(as_json):
        from bocau.settings import SEARCH, find_file

        file = find_file(config)
        if file is None:
            raise Trouble(
                f"There is no settings file: looked for {' and '.join(map(str, SEARCH))}. Name one with --config."
            )
        problems = _problems(file, connect)
        fatal = [problem for problem in problems if problem.fatal]
        if as_json:
            document({"file": str(file), "ok": not fatal, "problems": [_entry(problem) for problem in problems]})
        else:
            for problem in problems:
                print(plain(f"{problem}" if problem.fatal else f"{problem} (warning)"))
            print(_verdict(file, len(fatal), len(problems) - len(fatal)))
        if fatal:
            raise typer.Exit(1)


def reload(as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Have the running gateway read its settings again: carriers and routes change at once, links that did not stay.

    Settings that cannot be used change nothing, and everything wrong with them is said.
    """
    with told(as_json):
        from bocau.cli.operating import ask

        found = cast("dict[str, Any]", ask(data, config, "reload"))
        result(as_json, found, " ".join(_changes(found)))


def _changes(found: "dict[str, Any]") -> list[str]:
    """What a reload did, in sentences."""
    carriers, restart = ", ".join(found["carriers"]), ", ".join(f"[{name}]" for name in found["restart"])
    said = [f"Carriers taken over: {carriers}." if carriers else "No carrier changed."]
    said.append("The routes changed." if found["routes"] else "The routes did not.")
    if restart:
        said.append(f"These count after a restart: {restart}.")
    return said


def _problems(file: "Path", connect: bool) -> list["Problem"]:
    import asyncio
    import os

    from bocau.cli.reaching import reach
    from bocau.settings import BadSettings, check_production, read_settings
    from bocau.world import RealWorld

    try:
        settings = read_settings(file, os.environ)
        found = check_production(settings)
        return found + asyncio.run(reach(settings, RealWorld())) if connect else found
    except BadSettings as bad:
        return list(bad.problems)


def _entry(problem: "Problem") -> dict[str, object]:
    return {
        "place": str(problem.origin),
        "table": problem.table,
        "key": problem.key,
        "text": problem.text,
        "fatal": problem.fatal,
    }


def _verdict(file: "Path", fatal: int, warnings: int) -> str:
    doubts = f" {warnings} warning{'s' if warnings > 1 else ''}." if warnings else ""
    if fatal:
        return f"{file}: {fatal} problem{'s' if fatal > 1 else ''} to put right before `bocau serve` starts.{doubts}"
    return f"{file} is fit for `bocau serve`.{doubts}"


@config_app.command("show")
def show(config: Config = None, as_json: Json = False) -> None:
    """Show every setting with its value and where it comes from. Secrets are masked."""
    with told(as_json):
        from bocau.cli.desk import read_file
        from bocau.settings import effective

        rows = [row._asdict() for row in effective(read_file(config)[1])]
        listing(as_json, rows, {"key": "Setting", "value": "Value", "source": "From"}, "")


@config_app.callback()
def _config() -> None:
    """Settings: what is in force, and why."""


def wait_ready(
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=0, help="Wait at most so long.")] = 20.0,
    url: Annotated[
        str, typer.Option("--url", envvar="BOCAU_ADMIN_URL", help="Address of the operator's listener.")
    ] = "http://127.0.0.1:8485",
    as_json: Json = False,
) -> None:
    """Wait until a gateway can accept and deliver.

    Exit code 0: it can; else the reason is printed.
    """
    with told(as_json):
        import time

        from bocau.cli.api_calls import Answer, NoAnswer, call, patiently

        def ask() -> Answer | NoAnswer:
            try:
                return call("GET", url, "/readyz", seconds=_TRY_SECONDS)
            except NoAnswer as nobody:
                return nobody

        def ready(answer: Answer | NoAnswer) -> bool:
            return isinstance(answer, Answer) and answer.status == _READY

        answer = patiently(ask, ready, timeout, time.monotonic, time.sleep)
        if isinstance(answer, NoAnswer):
            raise Trouble(f"Not ready after {timeout:g} s. {answer}")
        said = plain(answer.raw.decode("utf-8", "replace").strip())
        if not ready(answer):
            raise Trouble(f"Not ready after {timeout:g} s: {said}")
        print(said if as_json else f"Ready: {url}")
