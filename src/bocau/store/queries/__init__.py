"""All SQL, in named statements, written with $1 parameters (guide: one text for both engines where it is the same).

A file holds blocks that start with `-- name: the_name` and a comment that says what the statement is for. `{from}` and
`{to}` stand for the sources and the target of a lifecycle event, so that core/lifecycle.py stays the one home of
transitions; `{from:event}` and `{to:event}` name the event in place.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from importlib import resources
from typing import Final

from bocau.core.lifecycle import ATTEMPT_TRANSITIONS, MESSAGE_TRANSITIONS, Transition

__all__ = ["Queries", "load"]

_BLOCK: Final = re.compile(r"^-- name: ([a-z_0-9]+)\n", re.MULTILINE)
_PLACE: Final = re.compile(r"\{(from|to):([a-z_]+)\}")


def _sql_list(row: Transition) -> str:
    return "(" + ", ".join(f"'{state.value}'" for state in row.sources) + ")"


class Queries:
    """Named statements of one dialect, ready to run."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        events = {row.event.value: row for row in (*MESSAGE_TRANSITIONS, *ATTEMPT_TRANSITIONS)}

        def fill(match: re.Match[str]) -> str:
            row = events[match[2]]
            return _sql_list(row) if match[1] == "from" else f"'{row.target.value}'"

        self._texts = {name: _PLACE.sub(fill, text) for name, text in texts.items()}
        self._by_event = {
            (name, row.event): text.replace("{from}", _sql_list(row)).replace("{to}", f"'{row.target.value}'")
            for name, text in self._texts.items()
            if "{from}" in text
            for row in events.values()
        }

    def __getitem__(self, name: str) -> str:
        """The statement of that name. Raises KeyError."""
        return self._texts[name]

    def on(self, name: str, event: StrEnum) -> str:
        """The statement of that name for one lifecycle event. Raises KeyError."""
        return self._by_event[name, event]

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._texts)


def load(dialect: str) -> Queries:
    """Read every .sql file of this folder; `dialect` is sqlite or postgresql.

    A block in NAME.DIALECT.sql replaces the block of the same name in the common files. For SQLite, $1 becomes ?1.
    """
    common: dict[str, str] = {}
    special: dict[str, str] = {}
    for file in sorted(resources.files("bocau.store.queries").iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".sql"):
            continue
        into = special if file.name.endswith(f".{dialect}.sql") else common if file.name.count(".") == 1 else None
        if into is None:
            continue
        pieces = _BLOCK.split(file.read_text("utf-8"))
        into.update(zip(pieces[1::2], (text.strip() for text in pieces[2::2]), strict=True))
    texts = {**common, **special}
    if dialect == "sqlite":
        texts = {name: re.sub(r"\$([0-9]+)", r"?\1", text) for name, text in texts.items()}
    return Queries(texts)
