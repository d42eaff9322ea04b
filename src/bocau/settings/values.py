"""The small values that settings are made of: a secret, an origin, a problem."""

import hmac
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

__all__ = ["BadSettings", "Origin", "Path", "Problem", "Secret", "table_of"]

Path = tuple[str | int, ...]
"""Where a value lives: ("api", "port") or ("carrier", 0, "window")."""

_MASK: Final = "********"


class Secret:
    """A text that never shows itself: repr, str and format are masked. Only reveal() gives it out (promises S1)."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """The text. Hand it to its one user and to nothing that prints."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return _MASK if self._text else "(empty)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = (text.encode("utf-8", "surrogatepass") for text in (self._text, other._text))
        return hmac.compare_digest(mine, theirs)

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a secret is not pickled or copied into files")


class Origin(NamedTuple):
    """Where a value came from."""

    kind: Literal["flag", "environment", "file", "default"]
    name: str = ""
    """The flag, the environment variable, or the file as it was named."""
    line: int | None = None
    secret_file: str = ""
    """The file whose text a secret is, where it came through a `_file` variant."""

    def __str__(self) -> str:
        place = f"{self.name}:{self.line}" if self.line is not None else self.name or self.kind
        return f"{place} ({self.secret_file})" if self.secret_file else place


class Problem(NamedTuple):
    """One thing wrong with the settings, in a form that a person can act on."""

    origin: Origin
    table: str
    """The table as `[api]` or `[carrier.viettel]`; empty for the file as a whole."""
    key: str
    text: str
    """What is wrong and what was probably meant."""
    fatal: bool = True
    """False for a warning of check_production."""

    def __str__(self) -> str:
        subject = " ".join(part for part in (self.table, self.key) if part)
        return f"{self.origin}: {subject}: {self.text}" if subject else f"{self.origin}: {self.text}"


class BadSettings(Exception):  # noqa: N818 - the sentence reads better: read_settings raises BadSettings
    """The settings cannot be used. `problems` holds everything found, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def table_of(path: Path, names: Iterable[str] = ()) -> str:
    """The heading that a person knows a value by: [api], or [carrier.viettel] with the entry's own name."""
    if not path:
        return ""
    if len(path) == 1 or not isinstance(path[1], int):
        return f"[{path[0]}]"
    named = list(names)
    name = named[path[1]] if path[1] < len(named) else ""
    return f"[{path[0]}.{name}]" if name else f"[[{path[0]}]] #{path[1] + 1}"
