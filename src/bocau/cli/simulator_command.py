"""The simulated carrier as a program of its own: `python -m bocau.cli.simulator_command --port 2775`."""

import argparse
import asyncio
import random
import signal
import ssl
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final

from bocau.console.informant import Informant
from bocau.core.numbering import shipped
from bocau.simulator.journal import Journal
from bocau.simulator.rules import MAGIC, PLAIN, Rules, magic_table
from bocau.simulator.script import BadScript, Script
from bocau.simulator.smsc import Smsc, SmscSettings
from bocau.world import RealWorld

__all__ = ["main"]

_UNBIND_SECONDS: Final = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; the first line out is `listening on HOST:PORT`. Returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        _runner()(_serve(options))
    except BadScript as bad:
        print(f"cannot start: {bad}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    table = "\n".join(f"  {ending:>5}  {meaning}" for ending, meaning in magic_table())
    parser = argparse.ArgumentParser(
        prog="python -m bocau.cli.simulator_command",
        description="A simulated carrier that speaks SMPP 3.4.",
        epilog=f"The last four digits of a receiver decide what happens to its messages:\n{table}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    add("--port", type=int, default=2775, help="port to listen on, 0 for a free one (default %(default)s)")
    add("--journal", type=Path, metavar="FILE", help="append one JSON line per event")
    add("--full-text", action="store_true", help="write texts to the journal, not only their digests")
    add("--delay", type=_seconds, default=0.3, metavar="SECONDS", help="from submit to receipt (default %(default)s)")
    add(
        "--account",
        type=_account,
        action="extend",
        nargs="+",
        metavar="ID:PASSWORD",
        help="who may bind; without any, everybody may",
    )
    add("--plain", action="store_true", help="no number is special: every message is delivered")
    add("--system-errors", type=_share, default=0.0, metavar="P", help="share of submits that get ESME_RSYSERR, 0 to 1")
    add(
        "--window",
        type=int,
        default=SmscSettings().window,
        help="unacknowledged receipts per bind (default %(default)s)",
    )
    add("--script", type=Path, metavar="FILE", help="faults that go before the rules: a TOML file of [[fault]] tables")
    add("--tls", type=Path, metavar="FILE", help="speak TLS with the certificate and key of this PEM file")
    add("--seed", type=int, metavar="N", help="make chance repeatable")
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1e6:
        raise argparse.ArgumentTypeError("not between 0 and 1000000")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("not between 0 and 1")
    return value


def _account(text: str) -> tuple[str, str]:
    system_id, colon, password = text.partition(":")
    if not system_id or not colon:
        raise argparse.ArgumentTypeError("not of the form ID:PASSWORD")
    return system_id, password


def _runner() -> Callable[[Coroutine[Any, Any, None]], None]:
    """The faster loop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run


def _tls(file: Path) -> ssl.SSLContext:
    """Raises OSError for a file that is none or has no key in it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def _serve(options: argparse.Namespace) -> None:
    """Run until a signal. Raises OSError if the port or the journal cannot be had."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    world = RealWorld(None if options.tls is None else _tls(options.tls))
    script = None if options.script is None else Script.read(options.script, Informant(shipped))
    if options.seed is not None:
        world.random = random.Random(options.seed)  # noqa: S311 - faults, not secrets
    journal = Journal(options.journal, options.full_text) if options.journal else None
    try:
        accounts = dict(options.account) if options.account else None
        settings = SmscSettings(accounts=accounts, window=options.window)
        rules = Rules(options.delay, options.system_errors, PLAIN if options.plain else MAGIC)
        smsc = await Smsc.start(
            world, options.host, options.port, rules, settings=settings, journal=journal, script=script
        )
        print(f"listening on {options.host}:{smsc.port}", flush=True)
        await stop.wait()
        await smsc.close(_UNBIND_SECONDS)
    finally:
        if journal is not None:
            journal.close()


if __name__ == "__main__":
    sys.exit(main())
