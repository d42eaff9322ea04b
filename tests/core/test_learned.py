"""What is learned of the networks of numbers: bounded, newest first, and weaker than the operator's table."""

from hypothesis import given
from hypothesis import strategies as st

from bocau.core.learned import LOOKUP, NOTHING_LEARNED, Learned, Learning
from bocau.core.numbering import Ported, shipped

PHONE, OTHER, THIRD = "0901234567", "0901234568", "0901234569"
NOW = 1_800_000_000_000


def test_a_number_that_moved_is_remembered() -> None:
    """Until it is seen in another network; what is asked about it is a look in memory."""
    learned = Learned(10)
    assert learned.get(PHONE) == 0
    learned.note(PHONE, 1, 2, "north", NOW)
    assert learned.get(PHONE) == 1
    learned.note(PHONE, 3, 2, "north", NOW + 1)
    assert learned.get(PHONE) == 3


def test_what_the_prefix_says_anyhow_takes_no_room() -> None:
    """But a number that moved back is known to have, and an answer that was asked for is not asked for again."""
    learned = Learned(10)
    learned.note(PHONE, 2, 2, "north", NOW)
    assert len(learned) == 0
    learned.note(OTHER, 2, 2, LOOKUP, NOW)
    assert learned.get(OTHER) == 2
    learned.note(PHONE, 1, 2, "north", NOW)
    learned.note(PHONE, 2, 2, "north", NOW + 1)
    assert learned.get(PHONE) == 2


def test_the_numbers_seen_last_are_kept() -> None:
    """And what is forgotten is forgotten in the store too."""
    learned = Learned(2)
    for at, phone in enumerate((PHONE, OTHER, PHONE, THIRD)):
        learned.note(phone, 1, 2, "north", NOW + at)
    assert [learned.get(phone) for phone in (PHONE, OTHER, THIRD)] == [1, 0, 1]
    assert sorted(learned.take_unsaved()) == [
        Learning(901234567, 1, "north", NOW + 2),
        Learning(901234568, 0, "", 0),
        Learning(901234569, 1, "north", NOW + 3),
    ]
    assert learned.take_unsaved() == []


def test_what_was_not_seen_for_long_is_forgotten() -> None:
    """Numbers move back."""
    learned = Learned(10)
    learned.note(PHONE, 1, 2, "north", NOW)
    learned.note(OTHER, 1, 2, "north", NOW + 5)
    learned.take_unsaved()
    assert learned.forget_before(NOW + 1) == 1
    assert [learned.get(phone) for phone in (PHONE, OTHER)] == [0, 1]
    assert learned.take_unsaved() == [Learning(901234567, 0, "", 0)]


def test_what_was_stored_is_taken_at_the_next_start() -> None:
    """As much as there is room for; the rest is forgotten in the store."""
    learned = Learned(1)
    learned.load([Learning(901234567, 1, "north", NOW), Learning(901234568, 3, LOOKUP, NOW + 1)])
    assert [learned.get(phone) for phone in (PHONE, OTHER)] == [0, 3]
    assert learned.take_unsaved() == [Learning(901234567, 0, "", 0)]


def test_the_table_of_moved_numbers_overrides_what_was_learned() -> None:
    """The operator knows better; behind both stands the prefix."""
    learned = Learned(10)
    learned.note(PHONE, 1, 2, "north", NOW)
    learned.note(OTHER, 3, 2, "north", NOW)
    numbering = shipped().with_learned(learned).with_ported(Ported.of([(901234567, 5)]))
    assert [numbering.telco_of(phone) for phone in (PHONE, OTHER, THIRD)] == [5, 3, 2]
    assert [numbering.known(phone) for phone in (PHONE, OTHER, THIRD)] == [5, 3, 0]


def test_nothing_is_learned_where_nothing_is_to_be() -> None:
    """The value that every table begins with never changes."""
    NOTHING_LEARNED.note(PHONE, 1, 2, "north", NOW)
    assert not NOTHING_LEARNED
    assert NOTHING_LEARNED.take_unsaved() == []


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 7), st.booleans()), max_size=40), st.integers(1, 4))
def test_memory_and_store_say_the_same(seen: list[tuple[int, int, bool]], most: int) -> None:
    """Whatever is seen: what is stored is exactly what memory knows, and never more than it may."""
    learned, store = Learned(most), dict[int, int]()
    for at, (number, telco, asked) in enumerate(seen):
        learned.note(f"090123456{number}", telco, 2, LOOKUP if asked else "north", NOW + at)
        for row in learned.take_unsaved():
            store[row.phone] = row.telco
            if not row.telco:
                del store[row.phone]
        assert len(learned) == len(store) <= most
        assert all(learned.get(f"0{phone}") == telco for phone, telco in store.items())
