"""Settings from bocau.toml, the environment and flags, with everything that is wrong found at once.

Order: flag, then environment, then file, then default (experience, "Configuration").
"""

import pathlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from bocau.core.nearest import did_you_mean
from bocau.settings.fields import Field, Unfit, fields_of, many, sections
from bocau.settings.lines import lines_of
from bocau.settings.rules import broken_rules
from bocau.settings.sections import Section, Settings
from bocau.settings.values import BadSettings, Origin, Path, Problem, Secret, table_of

__all__ = ["SEARCH", "environment_name", "find_file", "read_settings"]

SEARCH: Final = (pathlib.Path("bocau.toml"), pathlib.Path("/etc/bocau/bocau.toml"))
"""Where a file is looked for that was not named."""

_PREFIX: Final = "BOCAU_"
_INCLUDE: Final = "include"
_TOML_PLACE: Final = re.compile(r" ?\(at (?:line ([0-9]+), column [0-9]+|end of document)\)")
_MOST_SECRET_BYTES: Final = 65_536


class _Given(NamedTuple):
    """A value that some source gives to a field, converted."""

    value: object
    origin: Origin


class _Entry(NamedTuple):
    """A value as a source gives it, before anything is known about it."""

    path: Path
    value: object
    origin: Origin
    said: str
    """The key in the words of its source; empty where the origin already is the key."""


def find_file(named: pathlib.Path | None = None, search: Sequence[pathlib.Path] = SEARCH) -> pathlib.Path | None:
    """The settings file: the one named, else the first that exists in `search`, else None."""
    return named or next((path for path in search if path.is_file()), None)


def read_settings(
    file: pathlib.Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
    base: Settings | None = None,
) -> Settings:
    """Read and check everything.

    `environment` holds variables such as BOCAU_API__PORT (others are ignored), `flags` dotted keys such as "api.port"
    or "carrier.viettel.window", and `base` what holds where no source speaks (`bocau dev`). Raises BadSettings with
    every problem found.
    """
    reader = _Reader(base or Settings())
    if file is not None:
        reader.read_file(file)
    reader.read_environment(environment or {})
    reader.read_flags(flags or {})
    return reader.finish()


def environment_name(path: Path, names: Sequence[str] = ()) -> str:
    """The variable of a key: BOCAU_API__PORT, BOCAU_CARRIER__VIETTEL_1__WINDOW."""
    words = [names[word] if isinstance(word, int) else word for word in path]
    return _PREFIX + "__".join(word.upper().replace("-", "_") for word in words)


class _Reader:
    """Gathers values and problems, then builds."""

    def __init__(self, base: Settings) -> None:
        self._base = base
        self._sections = sections()
        self._fields = {name: fields_of(cls) for name, cls in self._sections.items()}
        self._given: dict[Path, _Given] = {}
        self._failed: set[Path] = set()
        self._problems: list[Problem] = []
        self._file = ""
        self._lines: Mapping[Path, int] = {}
        self._names: dict[str, list[str]] = {
            name: [entry.name for entry in getattr(base, name)] for name in self._sections if many(name)
        }
        self._unread = False
        self._main: pathlib.Path | None = None
        self._read = False
        """All files are read: a place is looked up, not read off."""
        self._places: dict[Path, Origin] = {}
        self._from_file: set[str] = set()  # arrays of tables that the file gives, in place of the base's

    # The file

    def read_file(self, file: pathlib.Path) -> None:
        """Take the file in. What is wrong with it becomes problems."""
        self._main = self._main or file
        self._file = str(file)
        unread, self._unread = self._unread, True
        try:
            text = file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
            tree = tomllib.loads(text)
        except OSError as error:
            self._problem(Origin("file", self._file), (), "", f"cannot be read: {error.strerror or error}")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            self._problem(Origin("file", self._file, line), (), "", "is not UTF-8 text here; save the file as UTF-8")
        except tomllib.TOMLDecodeError as error:
            self._not_toml(str(error), text.count("\n") + 1)
        else:
            self._unread = unread
            self._lines = lines_of(text)
            included = tree.pop(_INCLUDE, [])
            for name, value in tree.items():
                self._take_table(name, value)
            self._include(file, included)

    def _include(self, file: pathlib.Path, patterns: object) -> None:
        """Read the files that the first one includes, by name; those may not include others."""
        names = [patterns] if isinstance(patterns, str) else patterns
        origin = self._here((_INCLUDE,))
        if not (isinstance(names, list) and all(isinstance(name, str) and name for name in names)):
            self._problem(origin, (), _INCLUDE, 'must be a pattern such as "conf.d/*.toml", or a list of them')
        elif names and file != self._main:
            self._problem(origin, (), _INCLUDE, f"stands only in {self._main}")
        else:
            for name in names:
                found = sorted(file.parent.glob(name)) if not pathlib.Path(name).is_absolute() else []
                if not found:
                    self._problem(origin, (), _INCLUDE, f'"{name}" names no file in {file.parent}')
                lines = self._lines
                for path in found:
                    self.read_file(path)
                self._file, self._lines = str(file), lines

    def _not_toml(self, message: str, lines: int) -> None:
        place = _TOML_PLACE.search(message)
        line = int(place[1]) if place is not None and place[1] else lines
        said = _TOML_PLACE.sub("", message)
        self._problem(Origin("file", self._file, line), (), "", f"is not TOML: {said}")

    def _take_table(self, name: str, value: object) -> None:
        path: Path = (name,)
        if name not in self._sections:
            self._problem(self._here(path), path, "", f"unknown table{self._meant(name)}")
        elif not many(name):
            if isinstance(value, dict):
                self._take_pairs(path, value)
            else:
                self._problem(self._here(path), (), name, f"is a table; write [{name}] and its keys below")
        elif isinstance(value, list) and all(isinstance(item, dict) for item in value):
            if name not in self._from_file:
                self._from_file.add(name)
                self._names[name] = []
            before = len(self._names[name])
            self._names[name] += [item["name"] if isinstance(item.get("name"), str) else "" for item in value]
            for number, item in enumerate(value):
                self._places[name, before + number] = self._here((name, number))
                self._take_pairs((name, before + number), item, (name, number))
        else:
            text = f"there may be several; write [[{name}]] with double brackets and its name below"
            self._problem(self._here(path), path, "", text)

    def _take_pairs(self, table: Path, pairs: Mapping[str, Any], there: Path = ()) -> None:
        """Take the keys of a table in; `there` is its path in its own file, if that differs."""
        for key, value in pairs.items():
            path = (*table, key)
            self._take(_Entry(path, value, self._here((*(there or table), key)), key))

    def _here(self, path: Path) -> Origin:
        """The place of a path in the file that is read now; of an entry of several files, where it stands."""
        if self._read and path[:2] in self._places:
            return self._places[path[:2]]
        while path and path not in self._lines:
            path = path[:-1]
        return Origin("file", self._file, self._lines.get(path))

    # Environment and flags

    def read_environment(self, environment: Mapping[str, str]) -> None:
        """Take BOCAU_SECTION__KEY variables in. Variables without a double underscore are somebody else's."""
        for variable in sorted(environment):
            head, several, _ = variable.partition("__")
            if several and head.startswith(_PREFIX):
                words = variable.removeprefix(_PREFIX).lower().split("__")
                self._take_words(words, environment[variable], Origin("environment", variable))

    def read_flags(self, flags: Mapping[str, object]) -> None:
        """Take dotted keys in."""
        for flag, value in flags.items():
            self._take_words(flag.split("."), value, Origin("flag", f"flag {flag}"))

    def _take_words(self, words: list[str], value: object, origin: Origin) -> None:
        """A value from outside the file: its key is words, a text is read in the field's own way."""
        section, *rest = words
        if section not in self._sections:
            return self._problem(origin, (), "", f"unknown table{self._meant(section)}")
        if len(rest) != 1 + many(section):
            shape = f"{section}.<name>.<key>" if many(section) else f"{section}.<key>"
            return self._problem(origin, (), "", f"has the wrong number of parts; it is {shape}")
        path: Path = (section, rest[0])
        if many(section) and self._unread:
            return None  # nobody knows which entries the file would have
        if many(section):
            known = [name.replace("-", "_") for name in self._names[section]]
            name = rest[0].replace("-", "_")
            if name not in known or not name:
                meant = did_you_mean(rest[0], filter(None, self._names[section]))
                return self._problem(origin, (), "", f'no [[{section}]] in the file is called "{rest[0]}"{meant}')
            path = (section, known.index(name), rest[1])
        return self._take(_Entry(path, value, origin, ""))

    # Any source

    def _take(self, entry: _Entry) -> None:
        """Convert one value and keep it, or say what is wrong with it."""
        key = str(entry.path[-1])
        known = self._fields[str(entry.path[0])]
        field = known.get(key)
        from_file = field is None and key.endswith("_file") and known.get(key.removesuffix("_file"))
        if from_file and from_file.secret:
            self._take_secret(entry, from_file)
        elif field is None:
            self._wrong(entry, f"unknown key{self._meant_key(entry, known)}")
        else:
            self._keep(entry, field, entry.path)

    def _keep(self, entry: _Entry, field: Field, path: Path) -> None:
        outside = entry.origin.kind in ("environment", "flag") and isinstance(entry.value, str)
        earlier = self._given.get(path)
        if earlier is not None and entry.origin.kind == "file" and earlier.origin.name != entry.origin.name:
            self._wrong(entry, f"is given in {earlier.origin} too; keep one")
            return
        if earlier is not None and earlier.origin.kind == entry.origin.kind and field.secret:
            self._wrong(entry, f"{field.name} and {field.name}_file are both given; keep one")
            return
        try:
            value = field.parse(str(entry.value)) if outside else field.convert(entry.value)
        except Unfit as error:
            self._failed.add(path)
            self._wrong(entry, str(error))
        else:
            self._given[path] = _Given(value, entry.origin)

    def _take_secret(self, entry: _Entry, field: Field) -> None:
        """The text of the named file is the secret; line ends at its end are dropped."""
        path = (*entry.path[:-1], field.name)
        if not isinstance(entry.value, str) or not entry.value:
            self._failed.add(path)
            return self._wrong(entry, "must be the name of a file")
        file = pathlib.Path(entry.value)
        if entry.origin.kind == "file":
            file = pathlib.Path(self._file).parent / file
        try:
            with file.open("rb") as stream:
                text = stream.read(_MOST_SECRET_BYTES).decode("utf-8-sig").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            self._failed.add(path)
            why = error.strerror or str(error) if isinstance(error, OSError) else "is not UTF-8 text"
            return self._wrong(entry, f"{file}: {why}")
        origin = entry.origin._replace(secret_file=str(file))
        return self._keep(entry._replace(value=text, origin=origin), field, path)

    def _wrong(self, entry: _Entry, text: str) -> None:
        self._problem(entry.origin, entry.path[:-1] if entry.said else (), entry.said, text)

    def _problem(self, origin: Origin, table: Path, key: str, text: str) -> None:
        names = self._names.get(str(table[0]), []) if table else []
        self._problems.append(Problem(origin, table_of(table, names), key, text))

    def _meant(self, name: str) -> str:
        """The end of a sentence about an unknown table: the table, or the table that has such a key."""
        meant = did_you_mean(name, self._sections)
        owners = [section for section, fields in self._fields.items() if name in fields]
        return meant or (f'; "{name}" is a key of [{owners[0]}]' if owners else "")

    def _meant_key(self, entry: _Entry, known: Mapping[str, Field]) -> str:
        key = str(entry.path[-1])
        plain = key.removesuffix("_file")
        if key != plain and plain in known:
            return f"; {plain} is not a secret, give its value"
        owners = [table_of((section,)) for section, fields in self._fields.items() if key in fields]
        return f"; it belongs to {owners[0]}" if owners else did_you_mean(key, known)

    # The end

    def finish(self) -> Settings:
        """Build the settings. Raises BadSettings."""
        self._read = True
        parts: dict[str, Any] = {}
        for name, cls in self._sections.items():
            if not many(name):
                parts[name] = self._build((name,), cls, getattr(self._base, name))
                continue
            given = self._names[name]
            bases = [None] * len(given) if name in self._from_file else getattr(self._base, name)
            built = [self._build((name, number), cls, base) for number, base in enumerate(bases)]
            parts[name] = tuple(built)
        settings = Settings(**parts, origins=self._origins())
        for path, text in broken_rules(settings, self._failed):
            key = str(path[-1])
            table = path[:-1]
            origin = self._given[path].origin if path in self._given else self._here(path)
            self._problem(origin, table, key, text)
        if self._problems:
            raise BadSettings(sorted(self._problems, key=_place))
        return settings

    def _build(self, path: Path, cls: type[Section], base: Section | None) -> Section:
        values: dict[str, object] = {}
        for name, field in self._fields[str(path[0])].items():
            place = (*path, name)
            if place in self._given:
                values[name] = self._given[place].value
            elif base is not None:
                values[name] = getattr(base, name)
            elif not field.required:
                values[name] = field.default
            else:
                values[name] = Secret() if field.secret else ""
                if place not in self._failed:
                    self._missing(path, field)
        return cls(**values)

    def _missing(self, path: Path, field: Field) -> None:
        self._failed.add((*path, field.name))
        meaning = field.description[0].lower() + field.description[1:].rstrip(".")
        self._problem(self._here(path), path, field.name, f"is missing: {meaning}")

    def _origins(self) -> Mapping[Path, Origin]:
        inherited = {path: origin for path, origin in self._base.origins.items() if path[0] not in self._from_file}
        return inherited | {path: given.origin for path, given in self._given.items()}


def _place(problem: Problem) -> tuple[int, int]:
    """Problems of the file first, by line."""
    return (problem.origin.kind != "file", problem.origin.line or 0)
