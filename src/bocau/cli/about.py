"""`bocau version` and `bocau codes`: what this is, and what its answers mean."""

from typing import Annotated, Literal

import typer

from bocau import __version__
from bocau.cli.options import Json
from bocau.cli.output import Trouble, document, facts, listing, told

__all__ = ["codes", "version"]


def version(as_json: Json = False) -> None:
    """Print the version."""
    if as_json:
        document({"version": __version__})
    else:
        print(f"bocau {__version__}")


def codes(
    code: Annotated[str | None, typer.Argument(metavar="[CODE]", help="One code in full; else all of them.")] = None,
    language: Annotated[
        Literal["en", "vi"], typer.Option("--lang", help="Language of names, causes and fixes.")
    ] = "en",
    as_json: Json = False,
) -> None:
    """Explain the codes of the API: what each means, and what to do about it."""
    with told(as_json):
        from bocau.console.errors import entry
        from bocau.wire.esms.codes import CODES

        if code is None:
            headings = {"code": "Code", "name": "Name", "applies_to": "Applies to", "answered": "Sent", "text": "Text"}
            rows = [entry(row) for row in CODES.values()]
            listing(as_json, [row if as_json else _in(row, language) for row in rows], headings, "")
            return
        row = CODES.get(code.strip())
        if row is None:
            raise Trouble(f"The API has no code {code}. `bocau codes` lists them all.")
        if as_json:
            document(entry(row))
            return
        told_in = _in(entry(row), language)
        facts(
            [
                ("Code", row.code),
                ("Name", told_in["name"]),
                ("Text", row.text or None),
                ("Applies to", row.applies_to),
                ("Cause", told_in["cause"]),
                ("Fix", told_in["fix"]),
                ("Sent by bocau", row.emitted),
            ]
        )


def _in(row: dict[str, object], language: str) -> dict[str, object]:
    """An entry with the words of one language."""
    words = row[language]
    return {**row, **words} if isinstance(words, dict) else row
