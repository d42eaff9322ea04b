"""`bocau version` and `bocau codes`: what this is, and what its answers mean."""

from typing import Annotated

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
    as_json: Json = False,
) -> None:
    """Explain the codes of the API: what each means, and what to do about it."""
    with told(as_json):
        from bocau.wire.esms.codes import CODES

        if code is None:
            headings = {"code": "Code", "name": "Name", "applies_to": "Applies to", "emitted": "Sent", "text": "Text"}
            listing(as_json, [row._asdict() for row in CODES.values()], headings, "")
            return
        row = CODES.get(code.strip())
        if row is None:
            raise Trouble(f"The API has no code {code}. `bocau codes` lists them all.")
        if as_json:
            document(row._asdict())
            return
        facts(
            [
                ("Code", row.code),
                ("Name", row.name),
                ("Text", row.text or None),
                ("Applies to", row.applies_to),
                ("Cause", row.cause),
                ("Fix", row.fix),
                ("Sent by bocau", row.emitted),
            ]
        )
