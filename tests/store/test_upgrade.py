"""From every version before to this one, with work under way; and what an upgrade may do beside a running gateway."""

import sqlite3
from pathlib import Path

import pytest
from tests.store.engines import SqliteEngine
from tests.store.house import HOUR, NOON, House
from tests.store.older import as_older, counted
from tests.store.sweep import sweep

from bocau.core.lifecycle import State
from bocau.store.contract import Clerk
from bocau.store.migrations import expands, read_steps
from bocau.store.sqlite import SqliteStore, StoreBroken
from bocau.store.sqlite.opening import Lock, gateway_runs

STEPS = read_steps("sqlite")


@pytest.fixture(scope="module")
def donor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of this version with messages in every state of their way."""
    engine = SqliteEngine(tmp_path_factory.mktemp("donor"), threaded=False)
    house = House(engine)
    house.accept(request_id="waiting")
    house.accept(send_in=2 * HOUR, state=State.SCHEDULED)
    house.sending(parts=2)
    house.sent("on-its-way")
    house.sent("done")
    house.report("done")
    house.refuse(house.sending())
    house.report("of-nobody")
    house.close()
    return Path(engine.path)


@pytest.mark.parametrize("last", sorted(STEPS)[:-1])
def test_a_store_of_every_version_before_comes_up_whole(donor: Path, tmp_path: Path, last: int) -> None:
    """Every row is there, every invariant holds, and its messages go on."""
    engine = SqliteEngine(tmp_path, threaded=False)
    as_older(donor, Path(engine.path), last)
    before = counted(Path(engine.path))
    house = House(engine, NOON + 60_000)
    after = counted(Path(engine.path))
    grown = {"account", "audit", "ledger", "migration", "node"}
    assert {name: after[name] for name in before if name not in grown} == {
        name: count for name, count in before.items() if name not in grown
    }
    assert after["migration"] == len(STEPS)
    states = sorted(message.state for message in engine.inspect().messages.values())
    assert states == ["delivered", "failed", "queued", "scheduled", "sent", "uncertain"]
    (waiting,) = house.claim()
    assert waiting.request_id == "waiting"
    house.report("on-its-way")
    sweep(engine.inspect())
    house.close()
    db = sqlite3.connect(engine.path)
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


@pytest.mark.parametrize(
    ("text", "only_adds"),
    [
        ("CREATE TABLE one (id INTEGER); INSERT INTO one VALUES (1); CREATE UNIQUE INDEX x ON one (id);", True),
        ("-- DROP TABLE account;\nCREATE INDEX x ON message (phone);", True),
        ("ALTER TABLE message ADD COLUMN a TEXT NOT NULL DEFAULT '';", True),
        ("ALTER TABLE message ADD COLUMN a BIGINT;", True),
        ("ALTER TABLE message ADD COLUMN a BIGINT NOT NULL;", False),
        ("CREATE UNIQUE INDEX x ON message (phone);", False),
        ("INSERT INTO account (name) VALUES ('x');", False),
        ("UPDATE inbound SET head = id;", False),
        ("DROP INDEX message_due;", False),
        ("ALTER TABLE message DROP COLUMN phone;", False),
        ("ALTER TABLE message RENAME COLUMN phone TO number;", False),
        ("CREATE TRIGGER t AFTER INSERT ON message BEGIN SELECT 1; END;", False),
    ],
)
def test_a_step_that_only_adds_is_told_from_one_that_changes(text: str, only_adds: bool) -> None:
    """Whatever is not known to be harmless counts as a change."""
    assert expands(text) == only_adds


def test_steps_since_the_first_release_are_judged_by_what_they_do() -> None:
    """Those that move rows or take an index away are not for running beside the version before."""
    changing = {name for name, text in STEPS.values() if not expands(text)}
    assert changing == {"0006_inbound.sql", "0009_parked.sql", "0013_callback_check.sql"}


async def _administrate(path: Path) -> None:
    store = await SqliteStore.administrate(str(path), Clerk("test", lambda: NOON))
    await store.close(NOON)


def test_a_command_does_not_upgrade_the_store_under_a_running_gateway(donor: Path, tmp_path: Path) -> None:
    """The gateway of the version before could not start again; without it, the command does."""
    path = tmp_path / "old.db"
    as_older(donor, path, sorted(STEPS)[-2])
    before = counted(path)["migration"]
    house = House(SqliteEngine(tmp_path, threaded=False))
    lock = Lock(str(path))
    assert gateway_runs(str(path))
    with pytest.raises(StoreBroken, match="older version runs"):
        house.run(_administrate(path))
    assert counted(path)["migration"] == before
    lock.close()
    assert not gateway_runs(str(path))
    house.run(_administrate(path))
    assert counted(path)["migration"] == before + 1
    house.close()
