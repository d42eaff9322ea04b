"""`bocau magic`: the numbers of `bocau dev` whose last four digits decide what happens."""

import sys
from collections.abc import Sequence

from bocau.cli.options import Json
from bocau.cli.output import document

__all__ = ["magic"]

_BEGINNING = "090123"
"""Any number of a network will do."""


def magic(as_json: Json = False) -> None:
    """Show the numbers that say what happens: the last four digits decide, at the simulated carrier and phone."""
    from bocau.simulator.phone_rules import phone_table
    from bocau.simulator.rules import magic_table

    tables = {"sms": magic_table(), "call": phone_table()}
    if as_json:
        rows = [
            {"channel": channel, "ending": ending, "number": _number(ending), "meaning": meaning}
            for channel, table in tables.items()
            for ending, meaning in table
        ]
        document(rows)
        return
    _print("An SMS (SmsType 2) to a number that ends in", tables["sms"])
    print()
    _print("A call (SmsType 8) to a number that ends in", tables["call"])
    print()
    print(f"Any number of a network may stand before them: {_BEGINNING}0002 is not delivered.")


def _number(ending: str) -> str:
    return f"{_BEGINNING}{ending}" if ending.isdecimal() else ""


def _print(title: str, table: Sequence[tuple[str, str]]) -> None:
    """A title, then an ending and its meaning in each line; long meanings go on below themselves."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    width = None if sys.stdout.isatty() else 1_000
    console = Console(highlight=False, width=width)
    console.print(Text(title, style="bold"))
    grid = Table.grid(padding=(0, 2), pad_edge=True)
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column()
    for ending, meaning in table:
        others = not ending.isdecimal()
        head, colon, rest = meaning.partition(": ")
        words = Text.assemble(head, (f"{colon}{rest}", "dim"), style="dim" if others else "")
        grid.add_row(Text("any other" if others else ending, style="dim" if others else ""), words)
    console.print(grid)
