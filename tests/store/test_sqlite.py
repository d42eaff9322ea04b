"""What is SQLite's own: the file, its lock, its schema, its plans, a full disk, and a killed process."""

import asyncio
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.store.engines import SqliteEngine
from tests.store.house import HOUR, NOON, PRICE, House
from tests.store.sweep import sweep

from bocau.core.lifecycle import AttemptEvent, Event
from bocau.core.message import Admitted, Message
from bocau.store.contract import Clerk, StoreFault
from bocau.store.migrations import read_steps
from bocau.store.queries import load
from bocau.store.sqlite import SqliteStore, StoreBroken, StoreInUse
from bocau.store.sqlite.opening import connect, migrate
from bocau.store.sqlite.work import for_list

CLERK = Clerk("test", lambda: NOON)


@pytest.fixture
def engine(tmp_path: Path) -> SqliteEngine:
    """A file that does not exist yet."""
    return SqliteEngine(tmp_path, threaded=True)


@pytest.fixture
def house(engine: SqliteEngine) -> Iterator[House]:
    """An open store, closed and swept after the test."""
    opened = House(engine)
    try:
        yield opened
        sweep(engine.inspect())
    finally:
        opened.close()


def start(engine: SqliteEngine) -> None:
    """One start and a clean end."""

    async def go() -> None:
        store = await engine.open(NOON)
        await store.close(NOON)

    asyncio.run(go())


# Who may open it


def test_a_second_gateway_on_one_store_is_refused_by_name(house: House, engine: SqliteEngine) -> None:
    """It says which process is in the way (fault F35)."""
    with pytest.raises(StoreInUse, match=rf"process id {os.getpid()}\b"):
        house.run(engine.open(NOON))
    house.accept()


def test_a_second_gateway_by_another_name_of_the_file_is_refused(house: House, engine: SqliteEngine) -> None:
    """A link leads to the same lock."""
    link = Path(engine.path).with_name("link.db")
    link.symlink_to(engine.path)

    class Linked(SqliteEngine):
        @property
        def path(self) -> str:
            return str(link)

    with pytest.raises(StoreInUse):
        house.run(Linked(link.parent, threaded=False).open(NOON))


def test_a_store_is_free_after_its_gateway_ended(engine: SqliteEngine) -> None:
    """Again and again."""
    for _ in range(3):
        start(engine)


def test_a_start_that_fails_lets_go_of_the_lock(engine: SqliteEngine) -> None:
    """The next one finds the real reason, not a lock."""
    Path(engine.path).write_bytes(b"not a database, by any means" * 100)
    for _ in range(2):
        with pytest.raises(StoreBroken):
            start(engine)


def test_an_operators_command_runs_beside_the_gateway(house: House, engine: SqliteEngine) -> None:
    """Both see each other's commits."""

    async def command() -> None:
        store = await SqliteStore.administrate(engine.path, CLERK)
        await store.create_account("beside", house.now)
        await store.close(house.now)

    before = house.run(house.store.directory_version())
    house.run(command())
    assert house.run(house.store.directory_version()) == before + 1
    assert [row.name for row in house.run(house.store.accounts())] == ["beside", "shop"]


def test_an_operators_command_waits_for_nobody_and_claims_nothing(house: House, engine: SqliteEngine) -> None:
    """It has no epoch, and rescues nothing."""
    message = house.sending()

    async def command() -> int:
        store = await SqliteStore.administrate(engine.path, CLERK)
        await store.close(house.now)
        return store.epoch

    assert house.run(command()) == 0
    assert house.row(message).state == "sending"


# The file


@pytest.mark.parametrize("content", [b"plain text, no database at all\n" * 200, b"SQLite format 3\0" + b"\xff" * 4096])
def test_what_is_not_a_database_is_refused(engine: SqliteEngine, content: bytes) -> None:
    """And left as it is (fault F11)."""
    Path(engine.path).write_bytes(content)
    with pytest.raises(StoreBroken, match=re.escape(engine.path)):
        start(engine)
    assert Path(engine.path).read_bytes() == content


def test_the_database_of_another_program_is_refused(engine: SqliteEngine) -> None:
    """And left as it is."""
    db = sqlite3.connect(engine.path)
    db.execute("CREATE TABLE moz_places (id INTEGER PRIMARY KEY)")
    db.commit()
    db.close()
    before = Path(engine.path).read_bytes()
    with pytest.raises(StoreBroken, match="another program"):
        start(engine)
    assert Path(engine.path).read_bytes() == before


def test_a_place_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """With the path in the message, not a stack of the engine's."""
    with pytest.raises(StoreBroken, match="nowhere"):
        start(SqliteEngine(tmp_path / "nowhere", threaded=False))


def test_a_folder_is_refused(engine: SqliteEngine) -> None:
    """It is no file."""
    Path(engine.path).mkdir()
    with pytest.raises(StoreBroken):
        start(engine)


def test_every_connection_flushes_before_it_says_done(house: House, engine: SqliteEngine) -> None:
    """synchronous = FULL on writer and reader, of gateway and command (promises P1, M1)."""

    async def command() -> SqliteStore:
        return await SqliteStore.administrate(engine.path, CLERK)

    beside = house.run(command())
    assert isinstance(house.store, SqliteStore)
    for store in (house.store, beside):
        for db in (store._writer, store._reader):
            assert db.execute("PRAGMA synchronous").fetchone() == (2,)
            assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert db.execute("PRAGMA foreign_keys").fetchone() == (1,)
    house.run(beside.close(house.now))


def test_the_reading_connection_cannot_write(house: House) -> None:
    """There is one writer."""
    assert isinstance(house.store, SqliteStore)
    with pytest.raises(sqlite3.OperationalError):
        house.store._reader.execute("UPDATE account SET balance = 0")


# The schema


def tables(path: str) -> set[str]:
    """Names of all tables and indexes."""
    db = sqlite3.connect(path)
    names = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")}
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    return names


def test_bringing_the_schema_up_to_date_twice_changes_nothing(engine: SqliteEngine) -> None:
    """Each step is applied once."""
    start(engine)
    db = connect(engine.path, writing=True)
    before = db.execute("SELECT * FROM migration").fetchall()
    assert migrate(db) == max(read_steps("sqlite"))
    assert db.execute("SELECT * FROM migration").fetchall() == before
    db.close()


def test_a_newer_store_is_refused(engine: SqliteEngine) -> None:
    """A program that does not know the schema must not write it (fault F36)."""
    start(engine)
    db = sqlite3.connect(engine.path)
    db.execute("INSERT INTO migration VALUES (9999, '9999_later.sql', 'x')")
    db.commit()
    db.close()
    with pytest.raises(StoreBroken, match=r"9999.*newer"):
        start(engine)


def test_a_step_that_was_changed_after_it_was_applied_is_refused(engine: SqliteEngine) -> None:
    """The store is not what the program thinks it is."""
    start(engine)
    db = sqlite3.connect(engine.path)
    db.execute("UPDATE migration SET checksum = 'other'")
    db.commit()
    db.close()
    with pytest.raises(StoreBroken, match="not the one"):
        start(engine)


NEXT = max(read_steps("sqlite")) + 1
STEP = (
    "CREATE TABLE one (id INTEGER PRIMARY KEY);\n"
    "INSERT INTO one SELECT id FROM account;\n"
    "ALTER TABLE account ADD COLUMN extra TEXT NOT NULL DEFAULT '';\n"
    "CREATE INDEX one_index ON one (id);\n"
)
NEXT = max(read_steps("sqlite")) + 1
"""The number of a step that this version does not have."""


@pytest.mark.parametrize("statements", range(5))
def test_a_step_that_fails_in_the_middle_leaves_the_old_schema(engine: SqliteEngine, statements: int) -> None:
    """Wherever it fails; and the step can be repeated once it is right."""
    start(engine)
    before = tables(engine.path)
    lines = STEP.splitlines(keepends=True)
    lines.insert(statements, "INSERT INTO nowhere VALUES (1);\n")
    broken = "".join(lines)
    db = connect(engine.path, writing=True)
    with pytest.raises(StoreBroken, match="nowhere"):
        migrate(db, {**read_steps("sqlite"), NEXT: ("next.sql", broken)})
    assert tables(engine.path) == before
    assert migrate(db, {**read_steps("sqlite"), NEXT: ("next.sql", STEP)}) == NEXT
    db.close()
    assert tables(engine.path) == before | {"one", "one_index"}


def test_a_process_that_dies_inside_a_step_leaves_the_old_schema_or_the_new_one(house: House, tmp_path: Path) -> None:
    """Images of the file at many moments of the step: each opens, each has the queued message (fault F36)."""
    message = house.accept()
    assert isinstance(house.engine, SqliteEngine)
    house.engine.crash()
    path = house.engine.path
    start(house.engine)
    old = tables(path)
    images: list[str] = []

    def snapshot() -> int:
        image = str(tmp_path / f"image{len(images)}.db")
        for tail in ("", "-wal"):
            if Path(path + tail).exists():
                shutil.copy(path + tail, image + tail)
        images.append(image)
        return 0

    db = connect(path, writing=True)
    db.set_progress_handler(snapshot, 25)
    migrate(db, {**read_steps("sqlite"), NEXT: ("next.sql", STEP)})
    snapshot()
    db.close()
    found = [tables(image) for image in images]
    assert len(found) > 5
    assert all(names in (old, old | {"one", "one_index"}) for names in found)
    assert found[-1] != old
    for image in images:
        copy = sqlite3.connect(image)
        assert copy.execute("SELECT id FROM message").fetchall() == [(message.id,)]
        copy.close()


def test_two_processes_may_bring_the_schema_up_to_date_at_once(engine: SqliteEngine) -> None:
    """The second one finds the step done and goes on."""
    start(engine)
    steps = {**read_steps("sqlite"), NEXT: ("next.sql", STEP)}
    first, second = connect(engine.path, writing=True), connect(engine.path, writing=True)
    raced: list[int] = []

    def after(statement: str) -> None:
        if statement.startswith("BEGIN IMMEDIATE") and not raced:
            raced.append(migrate(second, steps))

    first.set_trace_callback(after)
    assert migrate(first, steps) == NEXT
    assert raced == [NEXT]
    first.close()
    second.close()


# Plans

EVENTS = {
    "finish_message": Event.CLOSE,
    "hold_message": Event.HOLD,
    "requeue_message": Event.POSTPONE,
    "settle_attempt": AttemptEvent.DELIVER,
}
ONE_ROW = "SCAN CONSTANT ROW"
"""Values of the statement itself."""
SMALL = {
    "account",
    "account_limit",
    "allowed_network",
    "call_template",
    "api_key",
    "blocked",
    "brandname",
    "carrier_halt",
    "console_user",
    "directory_version",
    "id_form",
    "node",
    "numbering_version",
    "price",
    "recording",
    "registration",
    "store_identity",
    "ahead",
    "retention_walk",
    "template",
    "first",
}
SCANS = {
    "oldest_audit": "reads the oldest rows and stops",
    "oldest_inbound": "reads the oldest rows and stops",
    "any_orphan": "reads one row and stops",
    "count_orphans": "reads 10,000 rows at most",
    "count_parked": "reads 20,000 rows of an index at most",
    "newest_messages": "reads the newest rows and stops",
    "read_learned": "reads the newest rows and stops",
    "read_audit": "reads the newest rows and stops",
}
WALKS = {
    "count_callbacks": "10,000 open callbacks at most",
    **dict.fromkeys(
        ("age_attempts", "age_messages", "age_callbacks", "drop_callbacks"),
        "development only: one namespace's open work",
    ),
    "count_open": "20,000 open messages at most",
    "rescue_callbacks": "once at the start, the open callbacks",
    "rescue_queued": "once at the start, the open messages",
    "rescue_sending": "once at the start, the open messages",
    "unsent_groups": "an operator's question to a store in quarantine",
    "unsent_messages": "the same, a few at a time",
    "unreported": "once at the start, the open messages",
}


def plan(db: sqlite3.Connection, text: str) -> list[str]:
    """What SQLite would do, one line per step."""
    count = max((int(number) for number in re.findall(r"\?([0-9]+)", text)), default=0)
    return [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {text}", (1,) * count)]


@pytest.mark.parametrize("name", load("sqlite").names())
def test_every_statement_finds_its_rows_by_an_index(engine: SqliteEngine, name: str) -> None:
    """No table that grows with traffic is read from end to end, and nothing of it is sorted, however large it gets."""
    db = connect(engine.path, writing=True)
    migrate(db)
    queries = load("sqlite")
    text = queries.on(name, EVENTS[name]) if name in EVENTS else queries[name]
    lines = plan(db, text)
    db.close()
    scans = [line for line in lines if line.startswith("SCAN") and line.split()[1] not in SMALL and line != ONE_ROW]
    assert bool(scans) == (name in SCANS), lines
    walks = [line for line in lines if "(wake_ms>?)" in line or "(due_ms>?)" in line]
    assert bool(walks) == (name in WALKS), lines


@pytest.mark.parametrize("name", ["begin_message", "message_taken", "deliver_message", "hand_back"])
def test_a_list_of_messages_is_found_by_their_ids(engine: SqliteEngine, name: str) -> None:
    """The form that a statement takes for many messages at once reads no more of the table than they are."""
    db = connect(engine.path, writing=True)
    migrate(db)
    text = for_list(load("sqlite")[name])
    assert text is not None
    lines = plan(db, text)
    db.close()
    assert any("SEARCH message USING INTEGER PRIMARY KEY" in line for line in lines), lines


@pytest.mark.parametrize("name", ["claim_messages", "message_state", "answer_taken", "insert_message"])
def test_no_other_statement_takes_a_list(name: str) -> None:
    """What returns rows, or is not about one message by its id, is run as it is written."""
    assert for_list(load("sqlite")[name]) is None


SORTS = {
    "newest_attempts": "a few rows of one message",
    "find_orphans": "a few rows of one id",
}


@pytest.mark.parametrize(
    "name",
    sorted(
        {
            "claim_messages",
            "waking_messages",
            "claim_callbacks",
            "next_group",
            "request_rows",
            "receiver_rows",
            "sent_rows",
            *SORTS,
        }
    ),
)
def test_limited_statements_read_in_the_order_they_return(engine: SqliteEngine, name: str) -> None:
    """A limit saves nothing if everything is sorted first."""
    db = connect(engine.path, writing=True)
    migrate(db)
    lines = plan(db, load("sqlite")[name])
    db.close()
    assert name in SORTS or not [line for line in lines if "TEMP B-TREE FOR ORDER BY" in line], lines


def test_the_claim_walks_the_index_of_due_messages(engine: SqliteEngine) -> None:
    """Of one class, place and account, in the order of their moments."""
    db = connect(engine.path, writing=True)
    migrate(db)
    lines = plan(db, load("sqlite")["claim_messages"])
    db.close()
    assert any(
        "USING INDEX message_due (route_class=? AND parked=? AND account_id=? AND due_ms<?)" in line for line in lines
    ), lines


FOR_EVERY_MESSAGE = (
    "take_free_request_key",
    "insert_message",
    "insert_ledger",
    "begin_message",
    "insert_attempt",
    "answer_taken",
    "message_taken",
    "deliver_known_attempt",
    "deliver_message",
    "insert_callback",
    "callback_tried",
    "insert_callback_try",
)


@pytest.mark.parametrize("name", FOR_EVERY_MESSAGE)
def test_the_way_of_a_message_makes_no_tables(engine: SqliteEngine, name: str) -> None:
    """A list of more than two values, in a statement or in a CHECK of its table, is a table that SQLite makes and drops
    each time: it costs more than the row that is written."""
    db = connect(engine.path, writing=True)
    migrate(db)
    text = load("sqlite")[name]
    count = max(int(number) for number in re.findall(r"\?([0-9]+)", text))
    steps = [row[1] for row in db.execute(f"EXPLAIN {text}", (1,) * count)]
    db.close()
    assert "OpenEphemeral" not in steps


# A full disk


def limit_pages(house: House, extra: int | None) -> None:
    """Let the file grow by so many pages, or without limit."""
    assert isinstance(house.store, SqliteStore)
    db = house.store._writer
    pages: int = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {1 << 30 if extra is None else pages + extra}")


def test_a_full_disk_refuses_and_recovers(house: House, engine: SqliteEngine) -> None:
    """Acknowledged is stored, refused is not, and it works again without a restart (promises P15, M3)."""
    limit_pages(house, 8)
    acknowledged: list[Message] = []
    refused: list[Message] = []
    for _ in range(40):
        lot = [house.draft(request_id=f"r{house.now}-{index}") for index in range(5)]
        for admission, result in zip(lot, house.admit_together(*lot), strict=True):
            (refused if isinstance(result, StoreFault) else acknowledged).append(admission.messages[0])
        house.later(1)
    assert acknowledged
    assert refused
    inside = engine.inspect()
    assert set(inside.messages) == {message.id for message in acknowledged}
    assert len(inside.request_keys) == len(acknowledged)
    assert house.balance() == (1000 - len(acknowledged)) * PRICE
    limit_pages(house, None)
    assert isinstance(house.admit(house.draft(request_id=refused[0].request_id)), Admitted)
    assert engine.faults == []


def test_a_full_disk_in_the_middle_of_a_delivery_loses_nothing(house: House, engine: SqliteEngine) -> None:
    """The intent is stored or it is not; afterwards everything goes on."""
    messages = [house.accept(ours=True, parts=20) for _ in range(20)]
    limit_pages(house, 1)
    begun = house.together(house.store.begin, [house.intent(m) for m in messages])
    assert all(isinstance(result, StoreFault) for result in begun)
    assert engine.inspect().attempts == []
    limit_pages(house, None)
    assert house.begin(messages[0]) == 1


# Items that cannot be stored

BAD = {
    "text with half a letter": lambda m: replace(m, content="\ud800"),
    "a number beyond 64 bits": lambda m: replace(m, price=1 << 70),
    "a value of no kind": lambda m: replace(m, content=object()),
    "a missing field": lambda m: replace(m, smsid=None),
}


@pytest.mark.parametrize("name", sorted(BAD))
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_bad_item_does_not_sink_the_others(house: House, name: str, place: int) -> None:
    """Its transaction goes through without it, and nothing of it is left."""
    lot = [house.draft(request_id=f"r{index}") for index in range(3)]
    bad = lot[place]
    lot[place] = replace(bad, messages=(BAD[name](bad.messages[0]),))
    results = house.admit_together(*lot)
    assert [isinstance(result, StoreFault) for result in results] == [index == place for index in range(3)]
    house.admit(bad)


def test_the_same_id_twice_is_a_fault_of_the_second(house: House) -> None:
    """Its hold is not taken."""
    draft = house.draft()
    first, second = house.admit_together(draft, draft)
    assert first == Admitted(draft)
    assert isinstance(second, StoreFault)
    assert house.balance() == 999 * PRICE


def test_a_callback_whose_request_is_gone_does_not_hold_up_the_others(house: House, engine: SqliteEngine) -> None:
    """It is passed over."""
    for index in range(2):
        house.sent(f"a{index}", price=0)
        house.report(f"a{index}")
    gone, kept = sorted(engine.inspect().callbacks)
    db = sqlite3.connect(engine.path)
    for table, column in (("message", "id"), ("attempt", "message_id"), ("ledger", "subject_id")):
        db.execute(f"DELETE FROM {table} WHERE {column} = ?", (gone,))  # noqa: S608
    db.commit()
    assert [due.id for due in house.claim_callbacks()] == [kept]
    db.execute("DELETE FROM callback WHERE id = ?", (gone,))
    db.commit()
    db.close()


def test_the_reference_counter_wraps_behind_65535(house: House, engine: SqliteEngine) -> None:
    """To 1: 0 says that there is nothing to concatenate."""
    assert house.begin(house.accept(ours=True, parts=2)) == 1
    db = sqlite3.connect(engine.path)
    db.execute("UPDATE part_reference SET reference = 65534")
    db.commit()
    db.close()
    assert [house.begin(house.accept(ours=True, parts=2)) for _ in range(3)] == [65535, 1, 2]


# A killed process


def child(folder: Path, life: int) -> "subprocess.Popen[str]":
    """A gateway that accepts for ever and prints what was acknowledged."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.accept_for_ever", str(folder), str(NOON + life * HOUR)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )


def test_what_was_acknowledged_survives_ten_kills(tmp_path: Path) -> None:
    """A process is killed in the middle of its work, again and again, on one store (promises P1, P2, M2)."""
    engine = SqliteEngine(tmp_path, threaded=True)
    acknowledged: set[int] = set()
    for life in range(10):
        with child(tmp_path, life) as process:
            assert process.stdout is not None
            for _ in range(7 + 31 * life % 97):
                acknowledged.add(int(process.stdout.readline()))
            process.send_signal(signal.SIGKILL)
            acknowledged.update(int(line) for line in process.stdout if line.endswith("\n"))
        inside = engine.inspect()
        sweep(inside)
        assert acknowledged <= set(inside.messages)
    start(engine)
    assert tables(engine.path)
