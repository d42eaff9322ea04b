"""Messages from subscribers in the store: kept whole, joined, told once they are whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.store.engines import SqliteEngine
from tests.store.house import HOUR, House

from bocau.core.message import InboundIn, InboundTry


@pytest.fixture(params=[False, True], ids=["kept", "told"])
def desk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    """A store that tells the operator's address, or does not."""
    house = House(SqliteEngine(tmp_path, threaded=False, tell_inbound=request.param))
    yield house
    house.close()


def tells(house: House) -> bool:
    """Which of the two it is."""
    assert isinstance(house.engine, SqliteEngine)
    return house.engine._tell_inbound


def write(house: House, raw: bytes, part: int = 1, parts: int = 1, reference: str = "", sender: str = "84901") -> None:
    """Something comes from a subscriber."""
    house.one(house.store.inbound, InboundIn("north", raw, house.now, sender, "1900", reference, part, parts))


def due(house: House, limit: int = 10) -> list[tuple[bytes, ...]]:
    """What is claimed to be told."""
    return [message.raws for message in house.run(house.store.claim_inbound(house.now, limit))]


def listed(house: House) -> list[tuple[bool, str, tuple[bytes, ...]]]:
    """What an operator sees."""
    return [(line.whole, line.state, line.raws) for line in house.run(house.store.inbounds(10))]


def test_a_message_in_one_part_is_whole_at_once(desk: House) -> None:
    """And is told only where an address was set."""
    write(desk, b"a")
    state = "waiting" if tells(desk) else "kept"
    assert listed(desk) == [(True, state, (b"a",))]
    assert due(desk) == ([(b"a",)] if tells(desk) else [])


def test_parts_are_joined_in_their_order_whenever_they_come(desk: House) -> None:
    """The last one makes it whole; nothing is told before."""
    write(desk, b"three", 3, 3, "8:07")
    write(desk, b"one", 1, 3, "8:07")
    write(desk, b"other", 2, 3, "8:08")
    assert [line[0] for line in listed(desk)] == [False, False, False]
    assert due(desk) == []
    desk.later(1000)
    write(desk, b"two", 2, 3, "8:07")
    assert [line[2] for line in listed(desk) if line[0]] == [(b"one", b"two", b"three")]
    assert due(desk) == ([(b"one", b"two", b"three")] if tells(desk) else [])


def test_a_part_that_comes_again_counts_once(desk: House) -> None:
    """The newest one; the carrier had not heard our acknowledgement."""
    write(desk, b"one", 1, 2, "8:07")
    write(desk, b"one again", 1, 2, "8:07")
    write(desk, b"two", 2, 2, "8:07")
    assert [line[2] for line in listed(desk) if line[0]] == [(b"one again", b"two")]


@pytest.mark.parametrize("other", [{"sender": "84902"}, {"reference": "16:0007"}, {"parts": 3}])
def test_parts_of_another_message_are_not_taken(desk: House, other: dict[str, object]) -> None:
    """Sender, reference and number of parts must be the same."""
    write(desk, b"one", 1, 2, "8:07")
    write(desk, b"two", **{"part": 2, "parts": 2, "reference": "8:07", **other})  # type: ignore[arg-type]
    assert [line[0] for line in listed(desk)] == [False, False]


def test_a_reference_that_comes_round_after_a_day_begins_anew(desk: House) -> None:
    """Eight bits are soon used up."""
    write(desk, b"old", 1, 2, "8:07")
    desk.later(25 * HOUR)
    write(desk, b"two", 2, 2, "8:07")
    assert [line[0] for line in listed(desk)] == [False, False]
    write(desk, b"one", 1, 2, "8:07")
    assert [line[2] for line in listed(desk) if line[0]] == [(b"one", b"two")]


def test_a_claim_holds_for_two_minutes_and_a_try_decides(tmp_path: Path) -> None:
    """A process that died while it told tells again."""
    house = House(SqliteEngine(tmp_path, threaded=False, tell_inbound=True))
    write(house, b"a")
    assert due(house) == [(b"a",)]
    assert due(house) == []
    house.later(121_000)
    (message,) = house.run(house.store.claim_inbound(house.now, 1))
    house.one(house.store.inbound_told, InboundTry(message.id, 1, "waiting", house.now + 30_000))
    house.later(29_000)
    assert due(house) == []
    house.later(1_000)
    (again,) = house.run(house.store.claim_inbound(house.now, 1))
    assert again.tries == 1
    house.one(house.store.inbound_told, InboundTry(message.id, 2, "done", None))
    house.later(HOUR)
    assert due(house) == []
    assert listed(house) == [(True, "done", (b"a",))]
    house.close()
