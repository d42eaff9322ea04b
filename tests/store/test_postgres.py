"""What is PostgreSQL's own: what a server must promise, the schema, plans, two nodes on one store, lost connections."""

import asyncio
import itertools
import re
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import asyncpg
import pytest
from tests.postgres import Server, Unavailable, new_server, server
from tests.store.engines import DEADLINES, PostgresEngine
from tests.store.house import NOON, PRICE, House
from tests.store.sweep import sweep

from bocau.core.lifecycle import AttemptEvent, Event, State
from bocau.core.message import Admission, Admitted, AnswerKind, Duplicate, NoBalance
from bocau.store.contract import Clerk, StoreBroken, StoreFault
from bocau.store.gathering import Kind
from bocau.store.migrations import read_steps
from bocau.store.postgres import PostgresStore
from bocau.store.postgres.commit import Transactions
from bocau.store.postgres.link import Address, Link, connect
from bocau.store.postgres.opening import migrate
from bocau.store.queries import load
from bocau.store.work import Work

T = TypeVar("T")

CLERK: Final = Clerk("test", lambda: NOON)


@pytest.fixture(scope="session")
def postgres() -> Server:
    """The server of this session."""
    try:
        return server()
    except Unavailable as why:
        pytest.skip(f"no PostgreSQL: {why}")


@pytest.fixture
def engine(postgres: Server) -> Iterator[PostgresEngine]:
    """An empty store."""
    made = PostgresEngine()
    yield made
    made.close()


@pytest.fixture
def house(engine: PostgresEngine) -> Iterator[House]:
    """An open store, closed and swept after the test."""
    opened = House(engine)
    try:
        yield opened
        sweep(engine.inspect())
    finally:
        opened.close()


@pytest.fixture
def database(postgres: Server) -> Iterator[str]:
    """A database with nothing in it."""
    name = postgres.make()
    yield name
    postgres.drop(name)


async def node(engine: PostgresEngine, number: int) -> PostgresStore:
    """Another node on the same store."""
    return await PostgresStore.gateway(
        engine.address, node=number, now_ms=NOON, deadlines=DEADLINES, on_fatal=engine.faults.append
    )


def start(address: Address) -> None:
    """One start and a clean end."""

    async def go() -> None:
        store = await PostgresStore.gateway(
            address, node=1, now_ms=NOON, deadlines=DEADLINES, on_fatal=lambda error: None
        )
        await store.close(NOON)

    asyncio.run(go())


# Which servers are taken


def test_a_server_that_forgets_commits_is_refused(postgres: Server, database: str) -> None:
    """A 100 must survive a crash (promises P1); the servers of these tests run with fsync off."""
    with pytest.raises(StoreBroken, match=r"fsync is off: a crash would lose"):
        start(Address(postgres.url(database)))


@pytest.mark.parametrize("value", ["off", "local", "remote_write"])
def test_commits_that_are_not_waited_for_are_refused(postgres: Server, database: str, value: str) -> None:
    """Wherever it was set: for the server, the database, the role."""
    postgres.command("postgres", f"ALTER DATABASE {database} SET synchronous_commit = {value}")
    with pytest.raises(StoreBroken, match=f"synchronous_commit is {value}"):
        start(Address(postgres.url(database)))


def test_pages_that_may_be_torn_are_refused(postgres: Server, database: str) -> None:
    """A power cut may write half a page."""
    postgres.command("postgres", "ALTER SYSTEM SET full_page_writes = off")
    postgres.command("postgres", "SELECT pg_reload_conf()")
    try:
        with pytest.raises(StoreBroken, match="fsync is off and full_page_writes is off"):
            start(Address(postgres.url(database)))
    finally:
        postgres.command("postgres", "ALTER SYSTEM RESET full_page_writes")
        postgres.command("postgres", "SELECT pg_reload_conf()")


def test_where_there_is_no_server_the_start_says_so_without_the_password() -> None:
    """What stands in a log must not open the door."""
    with pytest.raises(StoreBroken) as refused:
        start(Address("postgresql://bocau:hunter2@127.0.0.1:1/bocau"))
    assert "127.0.0.1:1" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_database_that_is_not_there_is_named(postgres: Server) -> None:
    """It is not made."""
    with pytest.raises(StoreBroken, match="nowhere"):
        start(Address(postgres.url("nowhere"), may_lose=True))


# The schema


def test_a_database_of_another_program_is_left_as_it_is(postgres: Server, database: str) -> None:
    """A slip in the settings must not mix two programs."""
    postgres.command(database, "CREATE TABLE something (id int)")
    with pytest.raises(StoreBroken, match="another program"):
        start(Address(postgres.url(database), may_lose=True))
    assert postgres.ask(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [[("something",)]]


def test_a_newer_store_is_refused(engine: PostgresEngine) -> None:
    """A program that does not know the schema must not write it (fault F36)."""
    engine.change("INSERT INTO migration VALUES (9999, '9999_later.sql', 'x')")
    with pytest.raises(StoreBroken, match=r"9999.*newer"):
        start(engine.address)
    engine.change("DELETE FROM migration WHERE number = 9999")


def test_a_step_that_was_changed_after_it_was_applied_is_refused(postgres: Server, database: str) -> None:
    """The store is not what the program thinks it is."""
    start(Address(postgres.url(database), may_lose=True))
    postgres.command(database, "UPDATE migration SET checksum = 'other' WHERE number = 3")
    with pytest.raises(StoreBroken, match="not the one"):
        start(Address(postgres.url(database), may_lose=True))


def test_a_step_that_fails_leaves_the_old_schema(postgres: Server, database: str) -> None:
    """All of them or none, and it can be repeated once it is right."""
    steps = read_steps("postgresql")
    number = max(steps) + 1
    broken = "CREATE TABLE one (id int); INSERT INTO nowhere VALUES (1);"

    async def go(text: str) -> int:
        connection = await connect(Address(postgres.url(database), may_lose=True))
        try:
            return await migrate(connection, {**steps, number: ("next.sql", text)})
        finally:
            await connection.close()

    with pytest.raises(StoreBroken, match="nowhere"):
        asyncio.run(go(broken))
    assert postgres.ask(database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [[(0,)]]
    assert asyncio.run(go("CREATE TABLE one (id int);")) == number


def test_nodes_that_start_at_the_same_time_wait_for_each_other(postgres: Server, database: str) -> None:
    """One of them makes the schema, the others find it made."""
    address = Address(postgres.url(database), may_lose=True)

    async def go() -> list[int]:
        connections = [await connect(address) for _ in range(4)]
        try:
            return await asyncio.gather(*map(migrate, connections))
        finally:
            for connection in connections:
                await connection.close()

    assert asyncio.run(go()) == [max(read_steps("postgresql"))] * 4


# Plans

EVENTS: Final = {
    "finish_message": Event.CLOSE,
    "hold_message": Event.HOLD,
    "requeue_message": Event.POSTPONE,
    "settle_attempt": AttemptEvent.DELIVER,
}
GROWING: Final = {
    *("message", "attempt", "ledger", "request_key", "content_key", "generated_code", "call_record", "call_order"),
    *("callback", "callback_try", "orphan_receipt", "inbound", "part_reference", "audit", "ported_number"),
}
WALKS: Final = {
    "any_orphan": "reads one row and stops",
    "clear_ported": "an operator's act that wants all of them",
    "count_callbacks": "10,000 open callbacks at most",
    "count_open": "20,000 open messages at most",
    "count_orphans": "reads 10,000 rows at most",
    "count_parked": "reads 20,000 rows of an index at most",
    "last_message_id": "reads one row and stops",
    "newest_messages": "reads the newest rows and stops",
    "oldest_audit": "reads the first rows and stops",
    "oldest_inbound": "reads the first rows and stops",
    "read_audit": "reads the newest rows and stops",
    "rescue_sending": "the open messages, when a node is gone",
    "search_carrier_ids": "an operator's search; of an empty table the planner prefers the order to the look-up",
    "unsent_groups": "the open messages, when an operator asks what a restored store would send",
    "unreported": "once at the start, the open messages",
}
"""Statements that go along an index or a table without a place to begin at, and how far."""


def walks(plan: Sequence[str]) -> set[str]:
    """Tables that grow with traffic, of which a plan reads rows without looking for them."""
    found = set()
    for place, line in enumerate(plan):
        match = re.search(r"(Seq Scan|Index Scan|Index Only Scan|Bitmap Index Scan)(?: Backward)?(.*)", line)
        if match is None:
            continue
        name = re.search(r" on (\w+)", match[2])
        sought = any(
            "Index Cond" in later for later in itertools.takewhile(lambda one: "->" not in one, plan[place + 1 :])
        )
        if not sought and name is not None:
            found.add(name[1])
    return {name for name in found if name in GROWING or name.startswith(tuple(GROWING))}


@pytest.mark.parametrize("name", load("postgresql").names())
def test_every_statement_finds_its_rows_by_an_index(engine: PostgresEngine, postgres: Server, name: str) -> None:
    """No table that grows with traffic is read from end to end, however large it gets."""
    queries = load("postgresql")
    text = queries.on(name, EVENTS[name]) if name in EVENTS else queries[name]
    count = max((int(number) for number in re.findall(r"\$([0-9]+)", text)), default=0)
    values = f"({', '.join(['NULL'] * count)})" if count else ""
    postgres.command(
        engine.database,
        "SET enable_seqscan = off; SET enable_bitmapscan = off; SET plan_cache_mode = force_generic_plan",
    )
    postgres.command(engine.database, f"PREPARE looked_at AS {text}")
    (lines,) = postgres.ask(engine.database, f"EXPLAIN EXECUTE looked_at{values}")
    postgres.command(engine.database, "DEALLOCATE looked_at")
    assert bool(walks([line for (line,) in lines])) == (name in WALKS), "\n".join(line for (line,) in lines)


# Two nodes


def offer(store: PostgresStore, *admissions: Admission) -> "list[asyncio.Future[Any]]":
    """Requests that one node takes at the same time."""
    loop = asyncio.get_running_loop()
    futures: list[asyncio.Future[Any]] = [loop.create_future() for _ in admissions]
    for admission, future in zip(admissions, futures, strict=True):
        store.admit(admission, future.set_result)
    return futures


def test_one_request_id_is_accepted_once_by_two_nodes(house: House, engine: PostgresEngine) -> None:
    """Of fifty calls at the same time, one is a 100 (promises P3)."""

    async def go() -> list[Any]:
        second = await node(engine, 8)
        drafts = [house.draft(request_id="once") for _ in range(50)]
        assert isinstance(house.store, PostgresStore)
        waiting = [*offer(house.store, *drafts[::2]), *offer(second, *drafts[1::2])]
        results = await asyncio.gather(*waiting)
        await second.close(NOON)
        return results

    results = house.run(go())
    assert sum(isinstance(one, Admitted) for one in results) == 1
    assert sum(isinstance(one, Duplicate) for one in results) == 49


def test_two_nodes_spend_the_last_unit_once(house: House, engine: PostgresEngine) -> None:
    """A balance is never negative, whoever spends it (promises P23)."""

    async def go() -> list[Any]:
        second = await node(engine, 8)
        results: list[Any] = []
        for name in range(5):
            account = await house.store.create_account(f"last{name}", NOON)
            await house.store.top_up(account, 3 * PRICE, "test", NOON)
            drafts = [house.draft(account=account) for _ in range(10)]
            assert isinstance(house.store, PostgresStore)
            waiting = [*offer(house.store, *drafts[::2]), *offer(second, *drafts[1::2])]
            results.append(await asyncio.gather(*waiting))
        await second.close(NOON)
        return results

    for results in house.run(go()):
        assert sum(isinstance(one, Admitted) for one in results) == 3
        assert sum(isinstance(one, NoBalance) for one in results) == 7


def test_a_message_is_claimed_by_one_node(house: House, engine: PostgresEngine) -> None:
    """Both look at the same moment; nothing is left and nothing is taken twice."""
    accepted = {house.accept(account=house.new_account(f"a{n % 3}{n}", PRICE)).id for n in range(40)}

    async def go() -> list[int]:
        second = await node(engine, 8)
        found: list[int] = []
        for _ in range(10):
            claims = [store.claim(house.now, {"otp": 5, "other": 5}, frozenset()) for store in (house.store, second)]
            for claimed in await asyncio.gather(*claims):
                found += [message.id for message in claimed.messages]
        await second.close(NOON)
        return found

    found = house.run(go())
    assert sorted(found) == sorted(accepted)


def test_the_start_of_a_node_leaves_alone_what_a_living_one_holds(house: House, engine: PostgresEngine) -> None:
    """It does not know what the other is doing with it."""
    held, flying = house.accept(ours=True), house.sending()
    second = house.run(node(engine, 8))
    assert second.rescued == (0, 0, 0)
    assert house.begin(held) == 0
    assert house.take(flying).state is State.SENT
    house.run(second.close(NOON))


def test_a_new_start_of_a_node_takes_over_from_its_last(house: House, engine: PostgresEngine) -> None:
    """What was claimed goes back, what was begun is uncertain; the old start, if it lives, writes nothing more."""
    held, flying = house.accept(ours=True), house.sending()
    second = house.run(node(engine, 7))
    assert second.rescued == (1, 1, 0)
    with pytest.raises(StoreFault):
        house.begin(held)
    assert house.state(flying) is State.UNCERTAIN
    house.run(second.close(NOON))


def test_what_a_node_holds_at_its_clean_end_is_the_others_at_once(house: House, engine: PostgresEngine) -> None:
    """They need not wait until it is missed."""

    async def go() -> list[int]:
        second = await node(engine, 8)
        (accepted,) = offer(second, house.draft(ours=False))
        await accepted
        assert len((await second.claim(house.now, {"otp": 5}, frozenset())).messages) == 1
        await second.close(NOON)
        claimed = await house.store.claim(house.now, {"otp": 5}, frozenset())
        return [message.owner for message in claimed.messages]

    assert house.run(go()) == [house.store.epoch]


def test_of_two_messages_that_end_on_two_nodes_at_once_one_tells(house: House, engine: PostgresEngine) -> None:
    """The callback of a request with several receivers is made by the last one, and there always is a last one."""

    async def go() -> None:
        second = await node(engine, 8)
        assert isinstance(house.store, PostgresStore)
        for number in range(10):
            draft = house.draft(receivers=2, ours=True)
            await asyncio.gather(*offer(house.store, draft))
            loop = asyncio.get_running_loop()
            for message in draft.messages:
                begun = loop.create_future()
                house.store.begin(house.intent(message), begun.set_result)
                await begun
            waiting = []
            for index, (store, message) in enumerate(zip((house.store, second), draft.messages, strict=True)):
                answer, told = loop.create_future(), loop.create_future()
                carrier_id = f"{number}.{index}"
                house.store.record(house.answer(message, AnswerKind.TAKEN, carrier_id), answer.set_result)
                await answer
                receipt = house.receipt(carrier_id, phone=message.phone)
                waiting.append((store, receipt, told))
            for store, receipt, told in waiting:
                store.receipt(receipt, told.set_result)
            stored = [await told for _, _, told in waiting]
            assert sum(one.callback is not None for one in stored) == 1
        await second.close(NOON)

    house.run(go())


# Nodes that die


def silence(engine: PostgresEngine, number: int, seconds: int) -> None:
    """A node said its last word so long ago, by the database's clock."""
    engine.change(f"UPDATE node SET seen_ms = seen_ms - {seconds * 1000} WHERE node = {number}")  # noqa: S608


def test_a_node_that_was_silent_too_long_is_taken_over_by_the_others(house: House, engine: PostgresEngine) -> None:
    """What it held goes back, what it had begun becomes uncertain; a living node's is left alone (promises P14)."""

    async def go() -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        second = await node(engine, 8)
        before = await second.tend(NOON)
        silence(engine, 7, 16)
        after = await second.tend(NOON)
        await second.close(NOON)
        return before, after

    held, flying = house.accept(ours=True), house.sending()
    assert house.run(go()) == ((0, 0, 0), (1, 1, 0))
    assert house.row(held).owner == 0
    assert house.state(flying) is State.UNCERTAIN


def test_a_node_that_thaws_writes_nothing_more(house: House, engine: PostgresEngine) -> None:
    """Not one statement of it: its work is somebody else's, and it must start anew."""
    held, flying = house.accept(ours=True), house.sending()

    async def take_over() -> None:
        second = await node(engine, 8)
        silence(engine, 7, 16)
        await second.tend(NOON)
        claimed = await second.claim(house.now, {"otp": 5}, frozenset())
        assert [message.id for message in claimed.messages] == [held.id]
        await second.close(NOON)

    house.run(take_over())
    for put in (partial(house.begin, held), partial(house.take, flying), partial(house.accept)):
        with pytest.raises(StoreFault):
            put()
    assert [str(error) for error in engine.faults] == [
        "another node took over from this one, which was silent for too long"
    ]
    assert house.state(flying) is State.UNCERTAIN


def test_a_node_that_tends_itself_is_not_taken_over(house: House, engine: PostgresEngine) -> None:
    """Its word counts up to the last moment."""

    async def go() -> tuple[int, int, int]:
        second = await node(engine, 8)
        silence(engine, 7, 14)
        await house.store.tend(NOON)
        silence(engine, 7, 14)
        taken = await second.tend(NOON)
        await second.close(NOON)
        return taken

    held = house.accept(ours=True)
    assert house.run(go()) == (0, 0, 0)
    assert house.begin(held) == 0


def test_who_was_away_himself_does_not_judge_others(house: House, engine: PostgresEngine) -> None:
    """After a restart of the server every node was silent; none of them is dead."""

    async def go() -> tuple[int, int, int]:
        second = await node(engine, 8)
        silence(engine, 7, 40)
        silence(engine, 8, 40)
        taken = await second.tend(NOON)
        await house.store.tend(NOON)
        await second.close(NOON)
        return taken

    held = house.accept(ours=True)
    assert house.run(go()) == (0, 0, 0)
    assert house.begin(held) == 0


# Conflicts and lost connections


class FaultyLink(Link):
    """A connection that is lost at a named moment, once."""

    def __init__(self, address: Address, moment: str) -> None:
        super().__init__(address)
        self.moment = moment

    async def open(self) -> Any:  # noqa: ANN401 - asyncpg brings no types
        """A connection with a fault before it."""
        return FaultyConnection(await super().open(), self)


class FaultyConnection:
    """Passes everything on."""

    def __init__(self, real: Any, link: FaultyLink) -> None:  # noqa: ANN401 - asyncpg brings no types
        self._real = real
        self._link = link

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - asyncpg brings no types
        return getattr(self._real, name)

    async def execute(self, text: str, *values: object) -> str:
        """COMMIT is where it is hard."""
        moment = self._link.moment if text == "COMMIT" else ""
        if moment:
            self._link.moment = ""
        if moment == "before COMMIT":
            self._real.terminate()
        status: str = await self._real.execute(text, *values)
        if moment == "after COMMIT":
            self._real.terminate()
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        return status


async def insert(db: Work, items: Sequence[int]) -> list[int]:
    """One row each."""
    await db.many("INSERT INTO item VALUES ($1)", [(item,) for item in items])
    return [item * 10 for item in items]


ITEMS: Final = Kind("item", 1, insert)


@pytest.fixture
def items(postgres: Server, database: str) -> Address:
    """A database with a table of numbers."""
    postgres.command(database, "CREATE TABLE item (value bigint PRIMARY KEY)")
    return Address(postgres.url(database), may_lose=True)


def with_commit(link: Link, body: Callable[[Transactions], Coroutine[Any, Any, T]]) -> T:
    """Run a test's coroutine function on a fresh group commit."""

    async def go() -> T:
        commit = Transactions(link, on_fatal=lambda error: None)
        result: T = await body(commit)
        await commit.close()
        return result

    return asyncio.run(go())


@pytest.mark.parametrize("moment", ["before COMMIT", "after COMMIT"])
def test_a_commit_whose_answer_was_lost_is_stored_once(
    postgres: Server, database: str, items: Address, moment: str
) -> None:
    """The server is asked what became of it, and it is run again only if nothing did (promises 4.9)."""

    async def body(commit: Transactions) -> tuple[list[int], int]:
        results = await asyncio.gather(*[commit.call(ITEMS, value) for value in (1, 2, 3)])
        return results, commit.resolved

    assert with_commit(FaultyLink(items, moment), body) == ([10, 20, 30], 1)
    assert postgres.ask(database, "SELECT value FROM item ORDER BY value") == [[(1,), (2,), (3,)]]


def test_a_connection_that_is_lost_between_statements_costs_nothing(
    postgres: Server, database: str, items: Address
) -> None:
    """The transaction is run again on a new one."""
    cuts = iter([True])

    async def cut(db: Work, values: Sequence[int]) -> list[int]:
        results = await insert(db, values)
        if next(cuts, False):
            await db.rows("SELECT pg_terminate_backend(pg_backend_pid())")
        return results

    async def body(commit: Transactions) -> int:
        return await commit.call(Kind("cut", 1, cut), 7)

    assert with_commit(Link(items), body) == 70
    assert postgres.ask(database, "SELECT value FROM item") == [[(7,)]]


def test_a_deadlock_is_tried_again(postgres: Server, database: str, items: Address) -> None:
    """Two nodes that lock two rows in opposite order both get through."""
    postgres.command(database, "INSERT INTO item VALUES (1), (2); ALTER TABLE item ADD COLUMN hits bigint DEFAULT 0")

    async def cross(db: Work, rows: Sequence[tuple[int, int]]) -> list[None]:
        for first, then in rows:
            await db.change("UPDATE item SET hits = hits + 1 WHERE value = $1", (first,))
            await asyncio.sleep(0)
            await db.rows("SELECT pg_sleep(0.1)")
            await db.change("UPDATE item SET hits = hits + 1 WHERE value = $1", (then,))
        return [None] * len(rows)

    async def body(one: Transactions) -> int:
        other = Transactions(Link(items), on_fatal=lambda error: None)
        kind = Kind("cross", 1, cross)
        await asyncio.gather(one.call(kind, (1, 2)), other.call(kind, (2, 1)))
        await other.close()
        return one.conflicts + other.conflicts

    assert with_commit(Link(items), body) == 1
    assert postgres.ask(database, "SELECT hits FROM item") == [[(2,), (2,)]]


def test_one_bad_item_does_not_sink_the_others(postgres: Server, database: str, items: Address) -> None:
    """Whatever is wrong with it: a broken rule, or no value of that kind at all."""

    async def body(commit: Transactions) -> list[Any]:
        values: list[Any] = [1, 1, "no number", 2]
        return await asyncio.gather(*[commit.call(ITEMS, value) for value in values], return_exceptions=True)

    results = with_commit(Link(items), body)
    assert [isinstance(one, StoreFault) for one in results] == [False, True, True, False]
    assert postgres.ask(database, "SELECT value FROM item ORDER BY value") == [[(1,), (2,)]]


def test_a_server_that_restarts_is_waited_for(postgres: Server) -> None:
    """It stops like a power cut in the middle of the traffic: what was acknowledged is there, and nothing fails."""
    own = new_server()
    database = own.make()
    address = Address(own.url(database), may_lose=True)
    numbers = itertools.count(1)
    acknowledged: list[int] = []

    async def go() -> PostgresStore:
        store = await PostgresStore.gateway(
            address, node=7, now_ms=NOON, deadlines=DEADLINES, on_fatal=lambda error: None
        )
        loop = asyncio.get_running_loop()
        warm, done = asyncio.Event(), asyncio.Event()

        async def customer() -> None:
            while not done.is_set():
                number = next(numbers)
                assert await store.create_account(f"a{number}", NOON)
                acknowledged.append(number)
                if len(acknowledged) > 20:
                    warm.set()

        customers = [loop.create_task(customer()) for _ in range(4)]
        await warm.wait()
        await loop.run_in_executor(None, own.kill)
        await loop.run_in_executor(None, own.start)
        warm.clear()
        await warm.wait()
        done.set()
        await asyncio.gather(*customers)
        assert store.trouble == ""
        await store.close(NOON)
        return store

    asyncio.run(go())
    ((rows),) = own.ask(database, "SELECT name FROM account")
    assert {f"a{number}" for number in acknowledged} <= {name for (name,) in rows}
    own.stop()


def test_while_the_server_is_away_the_store_says_so_and_fails_in_time() -> None:
    """Nobody waits for ever, and nothing is told to be stored."""
    own = new_server()
    database = own.make()

    async def go() -> tuple[Any, str]:
        store = await PostgresStore.gateway(
            Address(own.url(database), may_lose=True),
            node=7,
            now_ms=NOON,
            deadlines=DEADLINES,
            on_fatal=lambda error: None,
        )
        own.kill()
        (result,) = await asyncio.gather(store.directory_version(), return_exceptions=True)
        trouble = store.trouble
        await store.close(NOON)
        return result, trouble

    result, trouble = asyncio.run(go())
    assert isinstance(result, StoreFault)
    assert trouble
    own.stop()
