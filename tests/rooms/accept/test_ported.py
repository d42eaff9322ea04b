"""Moved numbers on their way from the store to the door."""

from pathlib import Path

from tests.rooms.accept.doorway import Doorway, doorway
from tests.rooms.accept.shop import PEPPER, PHONES, Stock

from bocau.accept.ported import read_ported
from bocau.core.directory import build
from bocau.core.numbering import shipped


def test_a_message_goes_to_the_network_its_number_moved_to(tmp_path: Path) -> None:
    """Price and templates are those of the new network, and the callback will name it."""

    async def scenario(place: Doorway) -> None:
        store = place.store
        await store.put_ported(
            [(int(PHONES[2]), 1), *((number, 4) for number in range(300_000_000, 300_012_000))], last=True
        )
        ported = await read_ported(store, place.world)
        assert len(ported) == 12_001
        assert {ported.get("0300000000"), ported.get("0300011999"), ported.get("0300012000")} == {4, 0}
        place.door.directory = build(await store.read_directory(), PEPPER, shipped().with_ported(ported))
        assert (await place.send()).code == "100"
        (message,) = place.rows()
        assert (message.telco, message.price) == (1, 7_000_000)

    doorway(tmp_path, scenario, Stock(prices=((2, 0, 850), (2, 1, 700))))


def test_nothing_moved_is_nothing_to_read(tmp_path: Path) -> None:
    """The usual case."""

    async def scenario(place: Doorway) -> None:
        assert not await read_ported(place.store, place.world)

    doorway(tmp_path, scenario)
