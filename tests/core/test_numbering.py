"""Whose a number is: the shipped table held against open metadata, an operator's own, and numbers that moved."""

from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import carrier
from tests.core.test_phone import BLOCKS
from tools.render_numbering import FILE, table

from bocau.core.numbering import NumberingError, Ported, parse, shipped
from bocau.core.phone import normalise
from bocau.core.telcos import TELCOS

ROOT = Path(__file__).resolve().parents[2]
METADATA_NAMES = {
    "": 0,
    "Viettel": 1,
    "MobiFone": 2,
    "Vinaphone": 3,
    "Vietnamobile": 4,
    "G-Mobile": 5,
    "Indochina Telecom": 6,
    "Reddi": 7,
}
WHOLE_BLOCK = "the metadata leaves it unassigned; we name the holder of the whole block, for numbering outruns tables"
ITEL = "087 belongs to Itel by general knowledge (esms-api 8.1); the metadata files it under its host network"
KNOWN_DIFFERENCES = {
    "0520": (4, 0, WHOLE_BLOCK),
    "0521": (4, 0, WHOLE_BLOCK),
    "0524": (4, 0, WHOLE_BLOCK),
    "0525": (4, 0, WHOLE_BLOCK),
    "0526": (4, 0, WHOLE_BLOCK),
    "0527": (4, 0, WHOLE_BLOCK),
    "0529": (4, 0, WHOLE_BLOCK),
    "0550": (7, 0, WHOLE_BLOCK),
    "0551": (7, 0, WHOLE_BLOCK),
    "0552": (7, 0, WHOLE_BLOCK),
    "0553": (7, 0, WHOLE_BLOCK),
    "0554": (7, 0, WHOLE_BLOCK),
    "0555": (7, 0, WHOLE_BLOCK),
    "0556": (7, 0, WHOLE_BLOCK),
    "0557": (7, 0, WHOLE_BLOCK),
    "0558": (7, 0, WHOLE_BLOCK),
    "0870": (6, 3, ITEL),
    "0871": (6, 3, ITEL),
    "0872": (6, 3, ITEL),
    "0873": (6, 3, ITEL),
    "0874": (6, 3, ITEL),
    "0875": (6, 3, ITEL),
    "0876": (6, 3, ITEL),
    "0877": (6, 3, ITEL),
    "0878": (6, 3, ITEL),
    "0879": (6, 3, ITEL),
    "0890": (2, 0, WHOLE_BLOCK),
    "0891": (2, 0, WHOLE_BLOCK),
    "0892": (2, 0, WHOLE_BLOCK),
    "0893": (2, 0, WHOLE_BLOCK),
    "0894": (2, 0, WHOLE_BLOCK),
    "0895": (2, 0, WHOLE_BLOCK),
}
"""Ours, the metadata's, and why."""


def from_metadata(block: str) -> phonenumbers.PhoneNumber:
    return phonenumbers.PhoneNumber(country_code=84, national_number=int(block + "123456"))


def test_networks_agree_with_open_metadata_but_for_the_listed_differences() -> None:
    """A new release of the metadata that moves a range makes this fail, so that somebody looks."""
    found = {}
    for block in BLOCKS:
        ours = shipped().telco_of(block + "123456")
        theirs = METADATA_NAMES[carrier.name_for_number(from_metadata(block), "en")]
        if ours != theirs:
            found[block] = (ours, theirs)
    assert found == {block: (ours, theirs) for block, (ours, theirs, _) in KNOWN_DIFFERENCES.items()}


def test_ranges_in_use_are_those_of_open_metadata() -> None:
    """The strict rule is exactly the metadata's pattern, no block more or less."""
    for block in BLOCKS:
        in_use = normalise(block + "123456", assigned=shipped().assigned) is not None
        assert in_use == phonenumbers.is_valid_number(from_metadata(block)), block


@pytest.mark.parametrize(
    ("block", "telco"),
    [
        ("096", 1),
        ("039", 1),
        ("093", 2),
        ("070", 2),
        ("030", 2),
        ("091", 3),
        ("081", 3),
        ("092", 4),
        ("056", 4),
        ("059", 5),
        ("0993", 5),
        ("0999", 6),
        ("087", 6),
        ("055", 7),
        ("095", 0),
        ("0991", 0),
        ("071", 0),
    ],
)
def test_a_network_is_found_by_the_longest_prefix(block: str, telco: int) -> None:
    """One line per kind of row in esms-api 8.1."""
    assert shipped().telco_of(block.ljust(10, "1")) == telco


def test_every_network_of_the_prefixes_has_its_names() -> None:
    """Ids 1 to 7 and nothing else, each under its own key."""
    assert set(shipped().prefixes.values()) == set(TELCOS) == set(range(1, 8))
    assert all(telco.id == key for key, telco in TELCOS.items())


def test_the_shipped_table_is_what_the_tool_writes() -> None:
    """New metadata, or a line changed by hand, makes this fail: run tools.render_numbering and look at what changed."""
    assert (ROOT / FILE).read_text("utf-8") == table()
    assert phonenumbers.__version__ in shipped().source


def test_an_operator_may_move_a_prefix() -> None:
    """The longer prefix wins, 0 takes it away, and our own table stays."""
    changed = parse('[prefixes]\n"0871" = 3\n"055" = 0\n"0952" = 5', shipped())
    found = {phone: changed.telco_of(phone) for phone in ("0871123456", "0872123456", "0559123456", "0952123456")}
    assert found == {"0871123456": 3, "0872123456": 6, "0559123456": 0, "0952123456": 5}
    assert shipped().telco_of("0871123456") == 6
    assert (changed.version, changed.assigned) == (shipped().version, shipped().assigned)


def test_an_operator_may_say_which_ranges_are_in_use() -> None:
    """A list replaces ours as a whole: ranges are also taken out of use."""
    changed = parse('version = "mine"\nassigned = ["090", "0711"]', shipped())
    assert changed.version == "mine"
    assert normalise("0711123456", assigned=changed.assigned) == "0711123456"
    assert normalise("0911123456", assigned=changed.assigned) is None


@pytest.mark.parametrize(
    "text",
    [
        "[prefixes",
        "prefix = 1",
        "prefixes = 3",
        "version = 3",
        'assigned = "090"',
        "assigned = [90]",
        'assigned = ["9090"]',
        *(f"[prefixes]\n{line}" for line in ('"87" = 3', '"0" = 1', '"1871" = 3', '"08712" = 3', '"08x" = 3')),
        *(f"[prefixes]\n{line}" for line in ('"087" = 8', '"087" = -1', '"087" = "3"', '"087" = true', '"०८७" = 3')),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(text: str) -> None:
    """At the start, not at the first message."""
    with pytest.raises(NumberingError):
        parse(text, shipped())


def test_a_number_that_moved_is_its_new_networks() -> None:
    """Portability comes before the prefix, for this number alone."""
    moved = shipped().with_ported(Ported.of([(901234566, 1), (901234567, 3), (987654321, 2)]))
    assert [moved.telco_of(f"090123456{digit}") for digit in range(5, 9)] == [2, 1, 3, 2]
    assert moved.telco_of("0987654321") == 2
    assert moved.telco_by_prefix("0987654321") == 1
    assert shipped().telco_of("0901234567") == 2


@given(st.dictionaries(st.integers(300_000_000, 999_999_999), st.integers(1, 7)), st.data())
def test_moved_numbers_are_found_and_no_others(moved: dict[int, int], data: st.DataObject) -> None:
    """Every one of them, and not their neighbours."""
    ported = Ported.of(sorted(moved.items()))
    asked = data.draw(st.lists(st.sampled_from(sorted(moved)))) if moved else []
    for number in (*moved, *(number + step for number in asked for step in (-1, 1))):
        assert ported.get(f"0{number}") == moved.get(number, 0)
    assert len(ported) == len(moved)
