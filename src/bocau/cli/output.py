"""What commands print: a table or sentences for a person, one JSON document for a program, and what went wrong."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

import typer

from bocau.core.money import vnd_number

__all__ = ["Trouble", "Vnd", "complain", "document", "facts", "listing", "plain", "result", "told", "warn"]

_FAILED: Final = 1
_UNBOUNDED: Final = 100_000
"""Columns of a table that goes to a file or a pipe, where a line may be of any length."""


class Trouble(Exception):  # noqa: N818 - not a fault: it is told to the person, with what to do next
    """What stops a command: sentences that say what is wrong and what to do next."""


class Vnd(NamedTuple):
    """An amount of money, in 1/10,000 VND. Printed in VND, exactly."""

    amount_e4: int

    def __str__(self) -> str:
        return vnd_number(self.amount_e4)


@contextmanager
def told(as_json: bool) -> Iterator[None]:
    """Turn Trouble into a message on standard error and exit code 1."""
    try:
        yield
    except Trouble as trouble:
        complain(str(trouble), as_json)
        raise typer.Exit(_FAILED) from None


def complain(text: str, as_json: bool) -> None:
    """Say on standard error what went wrong; a program gets the object `{"error": text}`."""
    print(_encoded({"error": text}) if as_json else plain(text), file=sys.stderr)


def warn(text: str) -> None:
    """Say on standard error what deserves a look. Not an error."""
    print(f"Warning: {plain(text)}", file=sys.stderr)


def document(value: object) -> None:
    """Print one JSON document, on one line."""
    print(_encoded(value))


def result(as_json: bool, value: Mapping[str, object], sentence: str) -> None:
    """Print what a command did."""
    if as_json:
        document(value)
    else:
        print(plain(sentence))


def facts(rows: Sequence[tuple[str, object]]) -> None:
    """Print labels with their values, one a line, never wrapped."""
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        print(f"{label:<{width}}  {plain(_shown(value))}".rstrip())


def listing(as_json: bool, rows: Sequence[Mapping[str, object]], columns: Mapping[str, str], empty: str) -> None:
    """Print rows: as a JSON array, or those members that `columns` gives a heading to as a table, or `empty`."""
    if as_json:
        document(list(rows))
    elif rows:
        _table(rows, columns)
    else:
        print(empty)


def plain(text: str) -> str:
    """Text without signs that a terminal would obey; line ends stay."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text)


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _table(rows: Sequence[Mapping[str, object]], columns: Mapping[str, str]) -> None:
    """A table that folds only its last column, and nothing where there is no terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=_UNBOUNDED)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    last = list(columns)[-1]
    for key, heading in columns.items():
        number = all(isinstance(row[key], int | Vnd) and not isinstance(row[key], bool) for row in rows)
        table.add_column(
            heading, justify="right" if number else "left", no_wrap=key != last, overflow="fold", header_style="bold"
        )
    for row in rows:
        table.add_row(*(Text(plain(_shown(row[key])).replace("\n", "\u21b5")) for key in columns))
    console.print(table)


def _encoded(value: object) -> str:
    import msgspec

    return msgspec.json.encode(_ready(value)).decode()


def _ready(value: object) -> object:
    """The value with money as exact number tokens."""
    import msgspec

    if isinstance(value, Vnd):
        return msgspec.Raw(str(value).encode())
    if isinstance(value, Mapping):
        return {key: _ready(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_ready(member) for member in value]
    return value
