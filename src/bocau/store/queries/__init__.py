"""All SQL, in named statements, written with $1 parameters (guide: one text for both engines where it is the same).

A file holds blocks that start with `-- name: the_name` and a comment that says what the statement is for. `state IN
{from}` and `{to}` stand for the sources and the target of a lifecycle event, so that core/lifecycle.py stays the one
home of transitions; `{from:event}` and `{to:event}` name the event in place. `{repeated}` is the condition that a row
of `message` went out once more though an earlier try may have arrived.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from importlib import resources
from typing import Final

from bocau.core.lifecycle import ATTEMPT_TRANSITIONS, MESSAGE_TRANSITIONS, Transition

__all__ = ["Queries", "load"]

_BLOCK: Final = re.compile(r"^-- name: ([a-z_0-9]+)\n", re.MULTILINE)
_PLACE: Final = re.compile(r"(?P<column>[a-z.]+) IN \{from:(?P<source>[a-z_]+)\}|\{to:(?P<target>[a-z_]+)\}")
_REPEATED: Final = (
    "(message.tries > 1 AND (SELECT 1 FROM attempt AS a JOIN attempt AS b"
    " ON b.message_id = a.message_id AND b.number > a.number AND (b.part = a.part OR b.carrier <> a.carrier)"
    " WHERE a.message_id = message.id AND a.state <> 'refused' LIMIT 1) IS NOT NULL)"
)
"""Parts that were refused may always go again; another carrier may have cut the text otherwise."""
_OPEN_SOURCE: Final = re.compile(r"([a-z.]+) IN \{from\}")


def _stands_in(column: str, row: Transition) -> str:
    """The condition that a row's state is a source of the transition.

    Written out, because SQLite builds a table of more than two values of an IN each time it runs the statement.
    """
    return "(" + " OR ".join(f"{column} = '{state.value}'" for state in row.sources) + ")"


def _on(text: str, row: Transition) -> str:
    """The statement for one event."""
    condition = _OPEN_SOURCE.sub(lambda match: _stands_in(match[1], row), text)
    return condition.replace("{to}", f"'{row.target.value}'")


class Queries:
    """Named statements of one dialect, ready to run."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        events = {row.event.value: row for row in (*MESSAGE_TRANSITIONS, *ATTEMPT_TRANSITIONS)}

        def fill(match: re.Match[str]) -> str:
            if match["target"]:
                return f"'{events[match['target']].target.value}'"
            return _stands_in(match["column"], events[match["source"]])

        self._texts = {name: _PLACE.sub(fill, text.replace("{repeated}", _REPEATED)) for name, text in texts.items()}
        self._by_event = {
            (name, row.event): _on(text, row)
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
