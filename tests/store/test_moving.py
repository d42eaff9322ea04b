"""From one machine's file to a server: everything arrives, or nothing does."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.postgres import Unavailable, server
from tests.store.engines import PostgresEngine, SqliteEngine
from tests.store.house import HOUR, NOON, House
from tests.store.sweep import sweep

from bocau.core.lifecycle import State
from bocau.store.moving import Moved, MoveRefused, move
from bocau.store.sqlite import StoreInUse


@pytest.fixture
def there() -> Iterator[PostgresEngine]:
    """An empty database."""
    try:
        server()
    except Unavailable as why:
        pytest.skip(str(why))
    engine = PostgresEngine()
    try:
        yield engine
    finally:
        engine.close()


@pytest.fixture
def here(tmp_path: Path) -> SqliteEngine:
    """A store with work under way and rows in most tables."""
    engine = SqliteEngine(tmp_path, threaded=False)
    house = House(engine)
    house.accept(request_id="waiting")
    house.accept(send_in=2 * HOUR, state=State.SCHEDULED)
    house.sending(parts=2)
    house.sent("on-its-way")
    house.sent("done")
    house.report("done")
    house.report("of-nobody")
    for _ in range(30):
        house.accept(price=0)
    house.close()
    return engine


def go(here: SqliteEngine, there: PostgresEngine) -> list[Moved]:
    """Move; what was told."""
    told: list[Moved] = []
    asyncio.run(move(Path(here.path), there.address, NOON + 60_000, told.append))
    return told


def test_everything_arrives_and_goes_on(here: SqliteEngine, there: PostgresEngine) -> None:
    """Rows, money and duties are the same; what waits is sent there, and receipts find what was sent here."""
    before = here.inspect()
    told = dict(go(here, there))
    assert told["message"] == len(before.messages)
    assert told["ledger"] == len(before.ledger)
    after = there.inspect()
    assert after.messages == before.messages
    assert sorted(after.ledger) == sorted(before.ledger)
    assert after.balances == before.balances
    assert after.callbacks == before.callbacks
    house = House(there, NOON + 60_000)
    waiting = [message.request_id for message in house.claim() if message.request_id]
    assert waiting == ["waiting"]
    house.report("on-its-way")
    house.new_account("numbered behind those that came", 5)
    sweep(there.inspect())
    house.close()


def test_the_old_store_sends_nothing_any_more(here: SqliteEngine, there: PostgresEngine) -> None:
    """Somebody may start it by habit."""
    go(here, there)
    house = House(here, NOON + HOUR)
    held = house.run(house.store.quarantine())
    assert held is not None
    assert held.why == "it was moved to PostgreSQL"
    house.close()


def test_a_store_that_runs_is_not_moved(here: SqliteEngine, there: PostgresEngine) -> None:
    """It would go on behind our back."""
    house = House(here, NOON + HOUR)
    with pytest.raises(StoreInUse):
        go(here, there)
    house.close()
    assert not there.inspect().messages


def test_a_database_with_something_in_it_is_left_as_it_is(here: SqliteEngine, there: PostgresEngine) -> None:
    """Two stores cannot be one."""
    house = House(there)
    house.accept()
    house.close()
    with pytest.raises(MoveRefused, match="not empty"):
        go(here, there)
    assert len(there.inspect().messages) == 1


@pytest.mark.parametrize("act", ["RETURN NULL", "NEW.price := NEW.price + 1; RETURN NEW"], ids=["a row", "a number"])
def test_what_is_not_the_same_at_its_new_place_is_noticed(here: SqliteEngine, there: PostgresEngine, act: str) -> None:
    """A row that the server drops, or a number that it changes, without a word."""
    there.change(
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF NEW.request_id = 'waiting' THEN {act}; END IF; RETURN NEW; END $$"
    )
    there.change("CREATE TRIGGER spoil BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION spoil()")
    try:
        with pytest.raises(MoveRefused, match="message did not arrive whole"):
            go(here, there)
    finally:
        there.change("DROP FUNCTION spoil CASCADE")
    assert not there.inspect().messages


def test_what_does_not_fit_leaves_nothing_behind(here: SqliteEngine, there: PostgresEngine) -> None:
    """One row that the server cannot take, in one of the last tables, undoes all of it."""
    db = sqlite3.connect(here.path)
    db.execute("UPDATE audit SET subject = 'a' || char(0) || 'b' WHERE id = 1")
    db.commit()
    db.close()
    with pytest.raises(MoveRefused, match="did not take it"):
        go(here, there)
    assert not there.inspect().messages
    house = House(here, NOON + HOUR)
    assert house.run(house.store.quarantine()) is None, "and the old one goes on"
    house.close()
