"""The contract of moved numbers: what is kept of them, and when nodes are told."""

from tests.store.house import House


def versions(house: House) -> tuple[int, int]:
    """Of the moved numbers and of the directory."""
    return house.run(house.store.numbering_version()), house.run(house.store.directory_version())


def numbers(house: House) -> list[tuple[int, int]]:
    """All of them, in stretches of two."""
    found: list[tuple[int, int]] = []
    while rows := house.run(house.store.ported(found[-1][0] if found else 0, 2)):
        found += rows
    return found


def test_moved_numbers_come_back_in_order_and_a_stretch_at_a_time(house: House) -> None:
    """The last word on a number counts; 0 forgets it."""
    house.run(house.store.put_ported([(987654321, 2), (901234567, 1), (912345678, 4)], last=False))
    house.run(house.store.put_ported([(901234567, 3), (912345678, 0), (333333333, 7)], last=True))
    assert numbers(house) == [(333333333, 7), (901234567, 3), (987654321, 2)]
    house.run(house.store.clear_ported())
    house.run(house.store.put_ported([], last=True))
    assert numbers(house) == []


def test_nodes_are_told_once_when_the_last_of_them_is_there(house: House) -> None:
    """Each telling makes every node read them all again."""
    moved, directory = versions(house)
    house.run(house.store.clear_ported())
    house.run(house.store.put_ported([(901234567, 1)], last=False))
    assert versions(house) == (moved, directory)
    house.run(house.store.put_ported([(901234568, 1)], last=True))
    assert versions(house) == (moved + 1, directory + 1)
    house.run(house.store.set_account_state(house.account, "locked"))
    assert versions(house) == (moved + 1, directory + 2)
