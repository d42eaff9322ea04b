"""The Vietnamese mobile networks: their ids, their names, and the prefixes they were given (esms-api 3.4, 8.1, 8.2).

A prefix is only a default, since numbers move between networks (8.3): overrides and what carriers report come first.
Prefixes agree with the open metadata of libphonenumber 9.0.43 but for the differences that the tests list.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

__all__ = ["PREFIXES", "RENUMBERED", "TELCOS", "Telco", "is_assigned", "telco_of", "with_overrides"]


class Telco(NamedTuple):
    """A home network, with its three spellings on the wire, odd ones included."""

    id: int
    """telcoid and NetworkID, 1 to 7."""
    callback_name: str
    """In the table of callbacks."""
    receiver_name: str
    """NetworkName in receiver lists."""
    refusal_name: str
    """In the message of code 177."""


TELCOS: Final[Mapping[int, Telco]] = MappingProxyType(
    {
        1: Telco(1, "Viettel", "Viettel", "Viettel"),
        2: Telco(2, "Mobi", "Mobifone", "Mobifone"),
        3: Telco(3, "Vina", "Vinaphone", "VinaPhone"),
        4: Telco(4, "Vietnammobile", "Vietnamobile", "Vietnammoile"),
        5: Telco(5, "Gtel", "Gtel", "Gtel"),
        6: Telco(6, "Itel", "Itel", "Itel"),
        7: Telco(7, "Reddi", "Reddi", "Reddi"),
    }
)

_BLOCKS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "031 032 033 034 035 036 037 038 039 086 096 097 098",
        2: "030 051 070 076 077 078 079 089 090 093",
        3: "081 082 083 084 085 088 091 094",
        4: "052 056 058 092",
        5: "059 0993 0994 0995 0996 0997",
        6: "087 0998 0999",
        7: "055",
    }
)

PREFIXES: Final[Mapping[str, int]] = MappingProxyType(
    {prefix: telco for telco, block in _BLOCKS.items() for prefix in block.split()}
)
"""Network of each prefix of three or four digits, leading 0 included; the longer one wins."""

RENUMBERED: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{f"016{digit}": f"03{digit}" for digit in range(2, 10)},
        "0120": "070",
        "0121": "079",
        "0122": "077",
        "0126": "076",
        "0128": "078",
        "0123": "083",
        "0124": "084",
        "0125": "085",
        "0127": "081",
        "0129": "082",
        "0186": "056",
        "0188": "058",
        "0199": "059",
    }
)
"""Old prefixes of 11-digit numbers and the new ones of 2018; the last seven digits stayed (esms-api 8.2)."""

_ASSIGNED: Final = frozenset(
    {
        *(f"03{digit}" for digit in range(10)),
        *("051", "0522", "0523", "0528", "0559", "056", "058", "059"),
        *("070", "076", "077", "078", "079"),
        *(f"08{digit}" for digit in range(1, 9)),
        *("0896", "0897", "0898", "0899"),
        *(f"09{digit}" for digit in range(9)),
        *("0990", "0991", "0993", "0994", "0995", "0996", "0997", "0998", "0999"),
    }
)
"""Ranges in use, from the metadata's pattern of mobile numbers."""


def telco_of(phone: str, table: Mapping[str, int] = PREFIXES) -> int:
    """The network that a 10-digit number's prefix was given to: telcoid 1 to 7, or 0 if none."""
    found = table.get(phone[:4])
    return table.get(phone[:3], 0) if found is None else found


def is_assigned(phone: str) -> bool:
    """Whether a 10-digit number is in a range in use: the rule of the setting strict_prefix (esms-api 8.1)."""
    return phone[:3] in _ASSIGNED or phone[:4] in _ASSIGNED


def with_overrides(changes: Mapping[str, int]) -> Mapping[str, int]:
    """A table for `telco_of` with an operator's changes laid over ours; telcoid 0 takes a prefix away from all.

    Raises ValueError for a prefix that is not 0 and two or three more digits, or a telcoid outside 0 to 7.
    """
    for prefix, telco in changes.items():
        if not (len(prefix) in (3, 4) and prefix.isascii() and prefix.isdigit() and prefix[0] == "0"):
            raise ValueError(f"{prefix!r} is no prefix: 0, then two or three digits")
        if telco and telco not in TELCOS:
            raise ValueError(f"prefix {prefix}: no network has the id {telco}")
    return MappingProxyType({**PREFIXES, **changes})
