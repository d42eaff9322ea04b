"""What was learned of the networks of numbers outlives a restart."""

from tests.store.house import NOON, House

from bocau.core.learned import LOOKUP, Learning

FIRST = Learning(901234567, 1, "north", NOON)
SECOND = Learning(901234568, 3, LOOKUP, NOON + 5)


def test_what_was_learned_is_kept_the_newest_first(house: House) -> None:
    """And a number that was seen again has its newest network."""
    house.run(house.store.keep_networks([FIRST, SECOND]))
    house.crash()
    assert house.run(house.store.learned_networks(10)) == [SECOND, FIRST]
    again = FIRST._replace(telco=2, source="south", seen_ms=NOON + 9)
    house.run(house.store.keep_networks([again]))
    assert house.run(house.store.learned_networks(10)) == [again, SECOND]
    assert house.run(house.store.learned_networks(1)) == [again]
    assert house.run(house.store.learned_network(FIRST.phone)) == again


def test_network_0_forgets_a_number(house: House) -> None:
    """One that was never known is no matter."""
    house.run(house.store.keep_networks([FIRST, SECOND]))
    house.run(house.store.keep_networks([FIRST._replace(telco=0), Learning(999999999, 0, "", 0)]))
    assert house.run(house.store.learned_networks(10)) == [SECOND]
    assert house.run(house.store.learned_network(FIRST.phone)) is None
