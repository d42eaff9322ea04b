"""Settings for people: what is in force and why, and the reference page."""

from typing import Final, NamedTuple

from bocau.settings.fields import Field, fields_of, many, sections, shown
from bocau.settings.read import environment_name
from bocau.settings.rules import entries
from bocau.settings.sections import Settings
from bocau.settings.values import Origin

__all__ = ["Row", "effective", "reference"]


class Row(NamedTuple):
    """One line of `bocau config show`."""

    key: str
    """Dotted, as a flag takes it: api.port, carrier.viettel.window."""
    value: str
    """As it would stand in the file; a secret is masked."""
    source: str
    """default, a file with its line, a variable or a flag."""


def effective(settings: Settings) -> list[Row]:
    """Every setting with the value in force and where it came from. Secrets are masked."""
    rows = []
    for path, section in entries(settings):
        words = [getattr(section, "name", "") if isinstance(word, int) else word for word in path]
        for name in section.__struct_fields__:
            origin = settings.origins.get((*path, name), Origin("default"))
            rows.append(Row(".".join([*words, name]), shown(getattr(section, name)), str(origin)))
    return rows


_INTRODUCTION: Final = """\
# Settings

This page is rendered from the types in `src/bocau/settings/sections.py`; do not edit it by hand.

bocau reads one file: `bocau.toml` in the working folder, else `/etc/bocau/bocau.toml`. A flag goes before an
environment variable, that before the file, that before the default. `bocau config show` tells what is in force and
where it came from. Unknown keys, wrong kinds and values out of bounds stop the start; all of them are named at once,
with file and line.

An environment variable is `BOCAU_`, the table, two underscores, the key: `BOCAU_API__PORT=8484`. Lists are written with
commas. For `[[carrier]]`, `[[route]]` and `[[trunk]]` the entry's name stands between:
`BOCAU_CARRIER__VIETTEL_1__WINDOW` belongs to the carrier `viettel-1`, which must stand in the file.

A secret may be kept in a file of its own: add `_file` to its key, or `_FILE` to its variable, and give the file's name
(in `bocau.toml` relative to that file). Line ends at its end are dropped. In production a file that holds a secret must
not be readable by every user.
"""


def reference() -> str:
    """The page docs/reference/settings.md, in Markdown."""
    pages = [_INTRODUCTION]
    for name, cls in sections().items():
        heading = f"[[{name}]]" if many(name) else f"[{name}]"
        about = (cls.__doc__ or "").strip()
        lines = [
            f"## `{heading}`\n",
            f"{about}\n",
            "| key | takes | default | meaning | environment |",
            "|---|---|---|---|---|",
            *(_line(name, field) for field in fields_of(cls).values()),
        ]
        pages.append("\n".join(lines) + "\n")
    return "\n".join(pages)


def _line(section: str, field: Field) -> str:
    path = (section, 0, field.name) if many(section) else (section, field.name)
    variable = environment_name(path, ["<NAME>"])
    takes = "secret text" if field.secret else field.expected()
    default = "required" if field.required else "empty" if field.secret else f"`{shown(field.default)}`"
    variables = f"`{variable}`, `{variable}_FILE`" if field.secret else f"`{variable}`"
    return f"| `{field.name}` | {takes} | {default} | {field.description} | {variables} |"
