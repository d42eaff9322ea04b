"""The Vietnamese mobile networks: their ids, their names, and how numbers were renumbered (esms-api 3.4, 8.2).

Whose a number is says core/numbering.py.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

__all__ = ["MOBILE_CODES", "RENUMBERED", "TELCOS", "Telco", "telco_named"]


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

MOBILE_CODES: Final[Mapping[str, int]] = MappingProxyType(
    {"45201": 2, "45202": 3, "45204": 1, "45205": 4, "45206": 1, "45207": 5, "45208": 6, "45209": 7}
)
"""MCC and MNC of the country's networks (ITU-T E.212), where a carrier or a lookup service names them so."""

_BY_NAME: Final[Mapping[str, int]] = MappingProxyType(
    {
        name.lower(): telco.id
        for telco in TELCOS.values()
        for name in (str(telco.id), telco.receiver_name, telco.callback_name)
    }
)


def telco_named(word: str, own: Mapping[str, int]) -> int:
    """The network that a word stands for: by the operator's own table, as MCC and MNC, by its id or name; 0 if none."""
    word = word.strip()
    digits = "".join(filter(str.isdecimal, word)) if word.isascii() else ""
    return own.get(word) or MOBILE_CODES.get(digits, 0) or _BY_NAME.get(word.lower(), 0)
