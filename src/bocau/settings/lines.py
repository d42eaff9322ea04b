"""Where things stand in a TOML text: tomllib tells values, this tells their lines.

The text must already have passed tomllib: the walk trusts its grammar and only keeps track of places. TOML 1.0.
"""

import re
from typing import Final

from bocau.settings.values import Path

__all__ = ["lines_of"]

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_SPACE: Final = re.compile(r"[ \t]*")
_FILLER: Final = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_STRING: Final = re.compile(
    r'"""(?>[^"\\]++|\\.|"{1,2}+(?!"))*+"{3,5}+|\'\'\'(?>[^\']++|\'{1,2}+(?!\'))*+\'{3,5}+'
    r'|"(?>[^"\\\n]++|\\.)*+"|\'[^\'\n]*+\'',
    re.DOTALL,
)
_SCALAR: Final = re.compile(r"[^,\]}\n#]+")
_ESCAPE: Final = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(["\\bfnrt]))')
_NAMED_ESCAPES: Final = {'"': '"', "\\": "\\", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def lines_of(text: str) -> dict[Path, int]:
    """The line (from 1) of every key, table and table of an array, by its path from the root.

    A table's line is its header's; one that is only implied by a longer header has the line of the first such header.
    """
    return _Walk(text).run()


class _Walk:
    """One pass over a text."""

    __slots__ = ("_at", "_counts", "_found", "_line", "_line_at", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._line_at = 0  # the offset that _line belongs to
        self._found: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}  # array of tables: how many so far

    def run(self) -> dict[Path, int]:
        """Walk the whole text."""
        table: Path = ()
        while True:
            self._skip(_FILLER)
            if self._at >= len(self._text):
                return self._found
            before = self._at
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            if self._at == before:  # not TOML after all: better no lines than a walk that never ends
                return self._found

    def _header(self) -> Path:
        """[a.b] or [[a.b]]."""
        several = self._text.startswith("[[", self._at)
        self._at += 2 if several else 1
        keys = self._keys()
        *outer, last = keys
        path: Path = ()
        for key in outer:
            path = self._enter((*path, key))
        path = (*path, last)
        self._note(path)
        if several:
            number = self._counts.get(path, 0)
            self._counts[path] = number + 1
            path = (*path, number)
            self._note(path)
        closing = self._text.find("]", self._at)
        self._at = len(self._text) if closing < 0 else closing + (2 if several else 1)
        return path

    def _enter(self, path: Path) -> Path:
        """Go into a table; of an array of tables, into its newest one."""
        self._note(path)
        count = self._counts.get(path, 0)
        return (*path, count - 1) if count else path

    def _pair(self, table: Path) -> None:
        """key = value, where the key may be dotted."""
        path = table
        for key in self._keys():
            path = (*path, key)
            self._note(path)
        if self._text.startswith("=", self._at):
            self._at += 1
            self._value(path)

    def _keys(self) -> list[str]:
        """a."b".c, up to the sign that ends it."""
        keys: list[str] = []
        while True:
            self._skip(_SPACE)
            found = _STRING.match(self._text, self._at)
            if found is not None:
                keys.append(_unquoted(found[0]))
            else:
                found = _BARE_KEY.match(self._text, self._at)
                keys.append("" if found is None else found[0])
            self._at = self._at if found is None else found.end()
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _value(self, path: Path) -> None:
        self._skip(_SPACE)
        opening = self._text[self._at : self._at + 1]
        if opening == "[":
            self._inside(path, "]")
        elif opening == "{":
            self._inside(path, "}")
        else:
            self._skip(_STRING if opening in ("'", '"') else _SCALAR)

    def _inside(self, path: Path, closing: str) -> None:
        """The items of an array, or the pairs of an inline table."""
        self._at += 1
        number = 0
        while True:
            self._skip(_FILLER)
            before = self._at
            if self._text.startswith(closing, self._at) or self._at >= len(self._text):
                self._at += 1
                return
            if closing == "}":
                self._pair(path)
            else:
                self._note((*path, number))
                self._value((*path, number))
                number += 1
            self._skip(_FILLER)
            if self._text.startswith(",", self._at):
                self._at += 1
            if self._at == before:
                return

    def _note(self, path: Path) -> None:
        """Remember the line of a path, the first time it is met."""
        if path not in self._found:
            self._line += self._text.count("\n", self._line_at, self._at)
            self._line_at = self._at
            self._found[path] = self._line

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        self._at = self._at if found is None else found.end()


def _unquoted(text: str) -> str:
    """The key inside quotation marks."""
    inner = text[1:-1]
    return inner if text[0] == "'" else _ESCAPE.sub(_escaped, inner)


def _escaped(match: re.Match[str]) -> str:
    short, long, named = match.groups()
    return _NAMED_ESCAPES[named] if named else chr(int(short or long, 16))
