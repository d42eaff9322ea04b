"""Writes core/numbering.toml from the open metadata of libphonenumber: `python -m tools.render_numbering [--check]`."""

import sys
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import phonenumbers
from phonenumbers import carrier
from tools.marked import ROOT

from bocau.core.telcos import TELCOS

__all__ = ["table"]

T = TypeVar("T", bool, int)

FILE: Final = "src/bocau/core/numbering.toml"
TELCO_OF_NAME: Final[Mapping[str, int]] = {
    "": 0,
    "Viettel": 1,
    "MobiFone": 2,
    "Vinaphone": 3,
    "Vietnamobile": 4,
    "G-Mobile": 5,
    "Indochina Telecom": 6,
    "Reddi": 7,
}
DECISIONS: Final[Mapping[str, tuple[int, str]]] = {
    "052": (4, "in the metadata only in parts; the whole block is Vietnamobile's, for numbering outruns tables"),
    "055": (7, "in the metadata only in parts; the whole block is Wintel's, for numbering outruns tables"),
    "087": (6, "filed under its host network in the metadata; Itel's by general knowledge"),
    "089": (2, "in the metadata only in parts; the whole block is MobiFone's, for numbering outruns tables"),
}
"""Where we depart from the metadata, and why."""
BLOCKS: Final = tuple(f"0{first}{second}" for first in "35789" for second in range(10))

HEAD: Final = """\
# Mobile numbers of Vietnam: whose a prefix is, and which ranges are in use. Written by tools/render_numbering.py from
# the open metadata of libphonenumber; lines with a remark depart from it. To change a line for one gateway, write a
# file of this form with the changed lines alone and name it in the setting accept.telco_table.
"""


def _number(prefix: str) -> phonenumbers.PhoneNumber:
    return phonenumbers.PhoneNumber(country_code=84, national_number=int(prefix.ljust(10, "1")))


def _telco(prefix: str) -> int:
    return TELCO_OF_NAME[carrier.name_for_number(_number(prefix), "en")]


def _in_use(prefix: str) -> bool:
    return phonenumbers.is_valid_number(_number(prefix))


def _gathered(block: str, ask: Callable[[str], T]) -> dict[str, T]:
    """What holds in a block of three digits: one entry if it holds everywhere, else one for each of four digits."""
    found = {f"{block}{digit}": ask(f"{block}{digit}") for digit in range(10)}
    return {block: found[f"{block}0"]} if len(set(found.values())) == 1 else found


def table() -> str:
    """The file."""
    prefixes: dict[str, str] = {}
    assigned: list[str] = []
    for block in BLOCKS:
        assigned += [prefix for prefix, used in _gathered(block, _in_use).items() if used]
        decided = DECISIONS.get(block)
        if decided is not None:
            prefixes[block] = f"{decided[0]}  # {TELCOS[decided[0]].receiver_name}: {decided[1]}"
            continue
        held = _gathered(block, _telco)
        prefixes |= {prefix: f"{telco}  # {TELCOS[telco].receiver_name}" for prefix, telco in held.items() if telco}
    lines = [
        HEAD,
        f'version = "{phonenumbers.__version__}"',
        f'source = "libphonenumber {phonenumbers.__version__}, carrier names and number pattern of VN"',
        "assigned = [",
        *(f'  "{prefix}",' for prefix in assigned),
        "]",
        "",
        "[prefixes]",
        *(f'"{prefix}" = {line}' for prefix, line in prefixes.items()),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the file, or check it."""
    path, text = ROOT / FILE, table()
    if path.exists() and path.read_text("utf-8") == text:
        return
    if sys.argv[1:] == ["--check"]:
        sys.exit(f"{FILE} is not what the metadata says; run: .venv/bin/python -m tools.render_numbering")
    path.write_text(text, "utf-8")
    print(f"{FILE} is written")


if __name__ == "__main__":
    main()
