"""Everything that can be wrong with a request, one fault or two at a time, and the golden table of which code wins."""

from collections.abc import Callable, Mapping
from itertools import combinations
from pathlib import Path
from typing import Final, NamedTuple

from tests.rooms.accept.shop import PHONES, TEXT, Stock

__all__ = [
    "ACCOUNT_FAULTS",
    "BLOCKED",
    "ELSEWHERE",
    "FAULTS",
    "LIMIT",
    "ORDER",
    "SINGLES",
    "STORE_FAULTS",
    "TAKEN",
    "Fault",
    "cases",
    "label",
    "members_of",
    "read_order",
    "stock_with",
    "table",
]

ORDER: Final = Path(__file__).with_name("golden") / "order.txt"
LIMIT: Final = 3
"""Receivers that the policy of these tests allows."""
BLOCKED: Final = "0977777777"
"""A number on the block list of each account."""
ELSEWHERE: Final = "203.0.113.0/24"
"""A network that nobody in these tests comes from."""
TAKEN: Final = "taken-1"
"""The RequestId that a request of each account has used."""


class Fault(NamedTuple):
    """One thing that is wrong."""

    name: str
    """The code it gets, with a letter where several fields get one code."""
    members: Mapping[str, str]
    """What it does to the request; nothing if it is a fault of the account."""


FAULTS: Final = (
    Fault("101", {"SecretKey": "wrong"}),
    Fault("143", {}),
    Fault("140", {}),
    Fault("160", {}),
    Fault("300", {"SmsType": ""}),
    Fault("118", {"SmsType": "9"}),
    Fault("108", {"Phone": "12345"}),
    Fault("163", {"SmsType": "8", "Phone": f"{PHONES[1]},{PHONES[2]}"}),
    Fault("120", {"Phone": ",".join(PHONES.values())}),
    Fault("110c", {"Content": ""}),
    Fault("110d", {"SendDate": "tomorrow"}),
    Fault("104", {"Brandname": "Nobody"}),
    Fault("159", {"RequestId": "r" * 121}),
    Fault("124", {"RequestId": TAKEN}),
    Fault("99", {"Phone": BLOCKED}),
    Fault("201", {"Content": "BOCAU cam on Sòng-Bạc"}),
    Fault("177", {}),
    Fault("146", {"Content": "no such template"}),
    Fault("102", {}),
    Fault("103", {}),
)
"""In the order of esms-api 5.2."""

SINGLES: Final = {fault.name: fault for fault in FAULTS}
ACCOUNT_FAULTS: Final = frozenset({"143", "140", "160", "177", "102", "103"})
"""Locked; closed to our address; too fast; no template on any network; no price for type 2; no money."""
STORE_FAULTS: Final = frozenset({"124", "103"})
"""What only the store can tell."""

_BOTH: Final[Mapping[frozenset[str], Mapping[str, str] | None]] = {
    frozenset({"300", "118"}): None,
    frozenset({"300", "163"}): None,
    frozenset({"118", "163"}): None,
    frozenset({"159", "124"}): None,
    frozenset({"108", "163"}): {"SmsType": "8", "Phone": "12345,12346"},
    frozenset({"108", "120"}): {"Phone": "12345,12346,12347,12348"},
    frozenset({"163", "120"}): {"SmsType": "8", "Phone": ",".join(PHONES.values())},
    frozenset({"110c", "146"}): {"Content": "no such template " * 50},
    frozenset({"108", "99"}): None,
    frozenset({"163", "99"}): {"SmsType": "8", "Phone": f"{BLOCKED},{PHONES[2]}"},
    frozenset({"120", "99"}): {"Phone": ",".join((*PHONES.values(), BLOCKED))},
    frozenset({"110c", "201"}): {"Content": "song bac " * 100},
    frozenset({"146", "201"}): {"Content": "no such song bac"},
    # Type 8 has neither brandname nor template, and a price of its own.
    **{frozenset({"163", other}): None for other in ("104", "177", "146", "102")},
    # An unknown brandname has no templates.
    frozenset({"104", "177"}): None,
    frozenset({"104", "146"}): None,
}
"""How two faults in one field go together; None if they cannot."""


def members_of(names: frozenset[str]) -> Mapping[str, str] | None:
    """What one or two faults do to a request; None if they exclude each other."""
    if names in _BOTH:
        return _BOTH[names]
    return {name: value for fault in FAULTS if fault.name in names for name, value in fault.members.items()}


def cases() -> list[frozenset[str]]:
    """Every fault alone, and every two that go together."""
    names = [fault.name for fault in FAULTS]
    pairs = [*((name,) for name in names), *combinations(names, 2)]
    return [pair for pair in map(frozenset, pairs) if members_of(pair) is not None]


def label(code: str, text: str) -> str:
    """The name of the fault that a code and its ErrorMessage tell of."""
    return {"Content is invalid": "110c", "SendDate is invalid": "110d"}.get(text, code)


def stock_with(names: frozenset[str]) -> Stock:
    """The account of a case."""
    stock = Stock(
        state="locked" if "143" in names else "active",
        networks=(ELSEWHERE,) if "140" in names else (),
        limits=(("requests-per-second", 1),) if "160" in names else (),
        blocked=(("number", BLOCKED), ("word", "song bac")),
    )
    if "177" in names:
        stock = stock._replace(templates=())
    if "102" in names:
        stock = stock._replace(prices=((8, 0, 600),))
    return stock


_HEAD: Final = f"""\
The order of checks (esms-api 5.2). Each cell is the code that a request gets which has both faults: that of its row and
that of its column; on the diagonal it has one. "-": the two cannot come together. Blank: see the mirrored cell.

The plain request is type 2, "{TEXT}"
to {PHONES[2]}, from a brandname with a template on each network. 110c: Content, 110d: SendDate.

"""


def table(winner: Callable[[frozenset[str]], str]) -> str:
    """The golden file: what wins in each case."""
    names = [fault.name for fault in FAULTS]
    width = max(map(len, names)) + 2
    lines = ["".join(f"{name:<{width}}" for name in ("", *names)).rstrip()]
    for at, row in enumerate(names):
        cells = ["" for _ in names[:at]]
        for column in names[at:]:
            pair = frozenset({row, column})
            cells.append("-" if members_of(pair) is None else winner(pair))
        lines.append("".join(f"{cell:<{width}}" for cell in (row, *cells)).rstrip())
    return _HEAD + "\n".join(lines) + "\n"


def read_order() -> dict[frozenset[str], str]:
    """The golden file as it stands: the winner of each case."""
    lines = ORDER.read_text("utf-8").removeprefix(_HEAD).splitlines()
    names = [fault.name for fault in FAULTS]
    width = max(map(len, names)) + 2
    found = {}
    for row, line in zip(names, lines[1:], strict=True):
        for at, column in enumerate(names, 1):
            cell = line[at * width : (at + 1) * width].strip()
            if cell not in ("", "-"):
                found[frozenset({row, column})] = cell
    return found
