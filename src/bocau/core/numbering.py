"""Which network a number belongs to: prefixes, and numbers that moved to another network (esms-api 8.1, 8.3).

A prefix is only a default: since 2018 subscribers keep their number when they change the network, so what is known of
a single number comes first. The prefixes are data, numbering.toml beside this file; an operator may lay a table of his
own over them.
"""

import tomllib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any, Final

from bocau.core.learned import NOTHING_LEARNED, Learned
from bocau.core.telcos import TELCOS

__all__ = ["NOBODY_MOVED", "Numbering", "NumberingError", "Ported", "parse", "shipped"]

_FILE: Final = "numbering.toml"
_KEYS: Final = frozenset({"version", "source", "assigned", "prefixes"})


class NumberingError(ValueError):
    """A table of prefixes that cannot be used. The text says where it is wrong."""


class Ported:
    """Numbers whose network is known one by one. Five bytes a number, found by halving: about 1 us among a million."""

    __slots__ = ("_phones", "_telcos")

    def __init__(self, phones: "array[int]", telcos: bytearray) -> None:
        """`phones` are numbers without their leading 0, rising, as array("I"); `telcos` the network of each."""
        self._phones = phones
        self._telcos = telcos

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> "Ported":
        """From pairs of a number without its leading 0 and a telcoid, in rising order."""
        phones, telcos = array("I"), bytearray()
        for phone, telco in pairs:
            phones.append(phone)
            telcos.append(telco)
        return cls(phones, telcos)

    def __len__(self) -> int:
        return len(self._phones)

    def get(self, phone: str) -> int:
        """The network of a ten-digit number; 0 if nothing is known of it."""
        number = int(phone)
        at = bisect_left(self._phones, number)
        return self._telcos[at] if at < len(self._phones) and self._phones[at] == number else 0


NOBODY_MOVED: Final = Ported.of(())
"""No number is known to have moved."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """The numbering of the country as it stands now."""

    version: str
    source: str
    prefixes: Mapping[str, int]
    """Network of each prefix of three or four digits, leading 0 included; the longer one wins."""
    assigned: frozenset[str]
    """Ranges in use, by three or four digits: the rule of the setting strict_prefix."""
    ported: Ported = NOBODY_MOVED
    learned: Learned = NOTHING_LEARNED
    """Changes while it is used."""

    def telco_of(self, phone: str) -> int:
        """The network of a ten-digit number: telcoid 1 to 7, or 0 if nobody has its prefix."""
        if self.ported is not NOBODY_MOVED or self.learned:
            found = self.known(phone)
            if found:
                return found
        return self.telco_by_prefix(phone)

    def known(self, phone: str) -> int:
        """The network that is known of this very number, by the table of moved ones or else learned; 0 if none is."""
        found = self.ported.get(phone) if self.ported else 0
        return found or (self.learned.get(phone) if self.learned else 0)

    def telco_by_prefix(self, phone: str) -> int:
        """The network that the prefix was given to, wherever the number moved; 0 if none."""
        found = self.prefixes.get(phone[:4])
        return self.prefixes.get(phone[:3], 0) if found is None else found

    def with_ported(self, ported: Ported) -> "Numbering":
        """The same with other moved numbers."""
        return replace(self, ported=ported)

    def with_learned(self, learned: Learned) -> "Numbering":
        """The same with what was learned."""
        return replace(self, learned=learned)


@cache
def shipped() -> Numbering:
    """The table that comes with the package."""
    text = resources.files("bocau.core").joinpath(_FILE).read_text("utf-8")
    return parse(text, Numbering("", "", {}, frozenset()))


def parse(text: str, base: Numbering) -> Numbering:
    """A table in TOML, laid over another: `prefixes` adds and changes (0 takes one away), `assigned` replaces.

    Raises NumberingError.
    """
    try:
        table: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NumberingError(f"not TOML: {error}") from error
    unknown = sorted(set(table) - _KEYS)
    if unknown:
        raise NumberingError(f'unknown key "{unknown[0]}"; known are {", ".join(sorted(_KEYS))}')
    changes, assigned = table.get("prefixes", {}), table.get("assigned")
    _check_prefixes(changes)
    if assigned is not None and not isinstance(assigned, list):
        raise NumberingError("assigned is no list of prefixes")
    for prefix in assigned or ():
        _check_prefix(prefix)
    return replace(
        base,
        version=_text(table, "version") or base.version,
        source=_text(table, "source") or base.source,
        prefixes={**base.prefixes, **changes},
        assigned=base.assigned if assigned is None else frozenset(assigned),
    )


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise NumberingError(f"{key} is no text")
    return value


def _check_prefixes(changes: object) -> None:
    if not isinstance(changes, dict):
        raise NumberingError("prefixes is no table")
    for prefix, telco in changes.items():
        _check_prefix(prefix)
        if type(telco) is not int or (telco and telco not in TELCOS):
            raise NumberingError(f"prefix {prefix}: a network is a number from 0 to {max(TELCOS)}, 0 for none")


def _check_prefix(prefix: object) -> None:
    if not (isinstance(prefix, str) and len(prefix) in (3, 4) and prefix.isascii() and prefix.isdigit()):
        raise NumberingError(f"{prefix!r} is no prefix: 0, then two or three digits, in quotes")
    if prefix[0] != "0":
        raise NumberingError(f"{prefix!r} is no prefix: it begins with 0")
