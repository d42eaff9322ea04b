"""Where people look for messages: by what they have in hand, however many messages there are."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.store.engines import SqliteEngine
from tests.store.house import NOON, House

from bocau.core.ids import first_id_at
from bocau.core.message import Message
from bocau.store.contract import Search
from bocau.store.sqlite import SqliteStore


def found(house: House, limit: int = 50, **wanted: object) -> list[int]:
    """Ids of what a search finds."""
    return [line.id for line in house.run(house.store.search(Search(**wanted), limit)).lines]  # type: ignore[arg-type]


def test_a_page_has_the_newest_first_and_leads_on(house: House) -> None:
    """Nobody sees a message twice, and none is left out."""
    messages = [house.accept() for _ in range(7)]
    seen: list[int] = []
    rest: int | None = (1 << 63) - 1
    while rest is not None:
        page = house.run(house.store.search(Search(end_id=rest), 3))
        seen += [line.id for line in page.lines]
        rest = page.rest
    assert seen == [message.id for message in reversed(messages)]


@pytest.mark.parametrize("spelling", ["0907654321", "+84 907 654 321", "84907654321"])
def test_a_phone_is_found_in_every_spelling(house: House, spelling: str) -> None:
    """As it stands in a customer's mail."""
    message = house.accept(phone="0907654321")
    house.accept(phone="0912345678")
    assert found(house, needle=spelling) == [message.id]


def test_a_brandname_and_a_part_of_the_text_find(house: House) -> None:
    """The brandname as a whole, in any case; a text by any part of it."""
    message = house.accept()
    assert found(house, needle=message.brandname.upper()) == [message.id]
    assert found(house, needle=message.content[2:9]) == [message.id]
    assert found(house, needle=f"{message.content}!") == []


@pytest.mark.parametrize("sign", ["%", "_", "\\"])
def test_signs_of_patterns_mean_themselves(house: House, sign: str) -> None:
    """Else a search for 100% finds everything."""
    house.accept()
    assert found(house, needle=sign) == []


def test_texts_are_not_searched_for_those_who_may_not_read_them(house: House) -> None:
    """A search that finds tells what a text says."""
    message = house.accept()
    assert found(house, needle=message.content[2:9], in_texts=False) == []
    assert found(house, needle=message.phone, in_texts=False) == [message.id]


def test_state_account_and_time_narrow_it(house: House) -> None:
    """Each by itself."""
    first = house.accept()
    house.now += 60_000
    sent = house.sent("a1")
    assert found(house, state="sent") == [sent.id]
    assert found(house, account_id=house.account) == [sent.id, first.id]
    assert found(house, account_id=house.account + 1) == []
    assert found(house, first_id=first_id_at(NOON + 30_000)) == [sent.id]
    assert found(house, end_id=first_id_at(NOON + 30_000)) == [first.id]


def named(house: House, text: str) -> list[int]:
    """Ids of what an id names."""
    return [line.id for line in house.run(house.store.identified(text))]


def test_every_id_names_its_message(house: House) -> None:
    """Ours, the customer's and the carrier's, which is written in several ways."""
    message = house.sent("00AB12", request_id="order-7")
    house.accept(request_id="order-8")
    for text in (message.smsid, message.smsid.upper(), "order-7", "00AB12", "ab12", str(0xAB12)):
        assert named(house, text) == [message.id], text
    assert named(house, "nothing") == []
    assert named(house, f"{message.smsid[:16]}{'0' * 16}000") == []


def test_an_smsid_names_all_receivers(house: House) -> None:
    """A request with three receivers is three messages."""
    message = house.accept(receivers=3)
    assert len(named(house, message.smsid)) == 3


def test_traffic_is_counted_by_minute_and_network(house: House) -> None:
    """What came, what arrived and how long it took, what ended otherwise; of the newest only."""
    house.sent("a1")
    house.now += 4_000
    house.report("a1")
    house.now += 60_000
    house.accept()
    first, second = house.run(house.store.traffic(NOON, 100))
    assert (first.minute, first.accepted, first.delivered, first.failed) == (NOON // 60_000, 1, 1, 0)
    assert first.total_ms >= 4_000
    assert (second.minute, second.accepted, second.delivered, second.total_ms) == (NOON // 60_000 + 1, 1, 0, 0)
    assert [row.minute for row in house.run(house.store.traffic(NOON, 1))] == [second.minute]
    assert house.run(house.store.traffic(NOON + 120_000, 100)) == []


MANY = 110_000


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Message]]:
    """A store with more messages than one search walks past; the phone of the oldest is 0907654321."""
    engine = SqliteEngine(Path(tmp_path_factory.mktemp("crowded")), threaded=False)
    house = House(engine)
    try:
        old = house.accept(phone="0907654321")
        names = ", ".join(Message.__struct_fields__)
        changed = names.replace("id, head,", "id + n * 4194304, head + n * 4194304,", 1).replace(
            " phone,", " '0912345678',"
        )
        copied = f"INSERT INTO message ({names}) SELECT {changed} FROM message, numbers WHERE id = ?"  # noqa: S608
        with committed(house) as db:
            numbers = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?) "
            db.execute(numbers + copied, (MANY - 1, old.id))
        yield house, old
    finally:
        house.close()


@contextmanager
def committed(house: House) -> Iterator[sqlite3.Connection]:
    """The writing connection, by hand."""
    assert isinstance(house.store, SqliteStore)
    db = house.store._writer
    db.execute("BEGIN")
    yield db
    db.execute("COMMIT")


def work(house: House, wanted: Search) -> tuple[int, list[int]]:
    """Steps of SQLite's machine, in thousands, for a page of a search; and what it found."""
    assert isinstance(house.store, SqliteStore)
    steps = [0]

    def step() -> int:
        steps[0] += 1
        return 0

    house.store._reader.set_progress_handler(step, 1_000)
    lines = house.run(house.store.search(wanted, 50)).lines
    house.store._reader.set_progress_handler(None, 0)
    return steps[0], [line.id for line in lines]


def test_the_list_costs_the_same_however_many_there_are(crowded: tuple[House, Message]) -> None:
    """It reads a page and stops: a few thousand steps of SQLite's machine, a fraction of a millisecond."""
    house, _ = crowded
    steps, lines = work(house, Search())
    assert len(lines) == 50
    assert steps < 20


def test_a_search_for_what_is_rare_stops_and_leads_on(crowded: tuple[House, Message]) -> None:
    """It walks past a hundred thousand messages at a time, with some 25 steps for each, and finds the oldest."""
    house, old = crowded
    page = house.run(house.store.search(Search(needle="0907654321"), 50))
    assert page.lines == ()
    assert page.rest is not None
    steps, lines = work(house, Search(needle="0907654321"))
    assert lines == []
    assert steps < 4_000
    page = house.run(house.store.search(Search(needle="0907654321", end_id=page.rest), 50))
    assert [line.id for line in page.lines] == [old.id]
    assert page.rest is None
