"""Group commit by itself: who is told what, once, and what a failed flush means."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from bocau.store.contract import StoreFault
from bocau.store.gathering import Kind
from bocau.store.sqlite.commit import GroupCommit
from bocau.store.work import Work


class Disk:
    """A connection whose commits fail when told to."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("CREATE TABLE item (value INTEGER PRIMARY KEY)")
        self.fail_with = ""
        self.writes = 0

    @property
    def in_transaction(self) -> bool:
        """As of sqlite3."""
        return self._db.in_transaction

    def execute(self, text: str, values: Sequence[int] = ()) -> sqlite3.Cursor:
        """As of sqlite3."""
        self.writes += 1
        if text == "COMMIT" and self.fail_with:
            error = sqlite3.OperationalError(self.fail_with)
            error.sqlite_errorname = self.fail_with
            raise error
        return self._db.execute(text, values)

    def stored(self) -> list[int]:
        """What is committed."""
        return [row[0] for row in self._db.execute("SELECT value FROM item ORDER BY value")]

    def close(self) -> None:
        """As of sqlite3."""
        self._db.close()


async def insert(db: Work, items: Sequence[int]) -> list[int]:
    """One row each."""
    for item in items:
        await db.change("INSERT INTO item VALUES (?)", (item,))
    return [item * 10 for item in items]


ITEMS = Kind("item", 1, insert)
Body = Callable[[Disk, GroupCommit, list[BaseException]], Coroutine[Any, Any, None]]


def run(path: Path, body: Body, *, threaded: bool) -> Disk:
    """Run a test's coroutine function on a fresh group commit."""
    disk = Disk(path / "items.db")

    async def go() -> None:
        fatal: list[BaseException] = []
        commit = GroupCommit(disk, threaded=threaded, on_fatal=fatal.append)  # type: ignore[arg-type]
        await body(disk, commit, fatal)
        await commit.close()

    asyncio.run(go())
    return disk


both = pytest.mark.parametrize("threaded", [True, False], ids=["threaded", "inline"])


@both
def test_items_of_one_turn_share_a_transaction(tmp_path: Path, threaded: bool) -> None:
    """However many there are."""

    async def body(disk: Disk, commit: GroupCommit, fatal: list[BaseException]) -> None:
        results = await asyncio.gather(*[commit.call(ITEMS, value) for value in range(100)])
        assert results == [value * 10 for value in range(100)]
        assert (commit.commits, commit.items) == (1, 100)

    run(tmp_path, body, threaded=threaded).close()


@both
def test_kinds_run_in_the_order_of_their_rank(tmp_path: Path, threaded: bool) -> None:
    """Whichever was put first."""
    ran: list[str] = []

    def note(name: str) -> Kind[int, None]:
        async def noting(db: Work, items: Sequence[int]) -> list[None]:
            ran.append(name)
            return [None] * len(items)

        return Kind(name, len(name), noting)

    async def body(disk: Disk, commit: GroupCommit, fatal: list[BaseException]) -> None:
        await asyncio.gather(commit.call(note("ccc"), 1), commit.call(note("a"), 1), commit.call(note("bb"), 1))

    run(tmp_path, body, threaded=threaded).close()
    assert ran == ["a", "bb", "ccc"]


@both
def test_a_failed_flush_is_fatal_once_and_never_tried_again(tmp_path: Path, threaded: bool) -> None:
    """Every item fails, then and later; the file is not touched any more (promises P16)."""

    async def body(disk: Disk, commit: GroupCommit, fatal: list[BaseException]) -> None:
        await commit.call(ITEMS, 1)
        disk.fail_with = "SQLITE_IOERR_FSYNC"
        for value in (2, 3, 4):
            with pytest.raises(StoreFault):
                await commit.call(ITEMS, value)
            if value == 2:
                disk.fail_with = ""
                disk.writes = 0
        assert disk.writes == 0
        assert [str(error) for error in fatal] == ["SQLITE_IOERR_FSYNC"]
        assert commit.dead

    disk = run(tmp_path, body, threaded=threaded)
    assert disk.stored() == [1]
    disk.close()


@both
@pytest.mark.parametrize("passing", ["SQLITE_FULL", "SQLITE_BUSY"])
def test_a_full_disk_or_a_lock_passes(tmp_path: Path, threaded: bool, passing: str) -> None:
    """The items of that transaction fail; the next ones are stored."""

    async def body(disk: Disk, commit: GroupCommit, fatal: list[BaseException]) -> None:
        disk.fail_with = passing
        with pytest.raises(StoreFault):
            await commit.call(ITEMS, 1)
        disk.fail_with = ""
        assert await commit.call(ITEMS, 2) == 20
        assert fatal == []
        assert not commit.dead

    disk = run(tmp_path, body, threaded=threaded)
    assert disk.stored() == [2]
    disk.close()


@both
@pytest.mark.parametrize("error", [TypeError, AttributeError, OverflowError, KeyError, ZeroDivisionError])
def test_an_item_that_breaks_the_program_breaks_alone(tmp_path: Path, threaded: bool, error: type[Exception]) -> None:
    """The writer goes on, the other items are stored."""

    async def choosy(db: Work, items: Sequence[int]) -> list[int]:
        results = await insert(db, items)
        if 2 in items:
            raise error("no twos")
        return results

    async def body(disk: Disk, commit: GroupCommit, fatal: list[BaseException]) -> None:
        kind = Kind("choosy", 1, choosy)
        results = await asyncio.gather(*[commit.call(kind, value) for value in (1, 2, 3)], return_exceptions=True)
        assert [results[0], results[2]] == [10, 30]
        assert isinstance(results[1], StoreFault)
        assert isinstance(results[1].__cause__, error)
        assert fatal == []

    disk = run(tmp_path, body, threaded=threaded)
    assert disk.stored() == [1, 3]
    disk.close()


@both
def test_a_listener_that_fails_does_not_cost_the_others_their_answer(tmp_path: Path, threaded: bool) -> None:
    """Its error goes to the loop."""
    told: list[object] = []
    reported: list[object] = []

    def broken(result: int | StoreFault) -> None:
        raise RuntimeError("a room is broken")

    async def body(disk: Disk, commit: GroupCommit, fatal: list[BaseException]) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))
        commit.put(ITEMS, 1, told.append)
        commit.put(ITEMS, 2, broken)
        commit.put(ITEMS, 3, told.append)
        await commit.call(ITEMS, 4)

    run(tmp_path, body, threaded=threaded).close()
    assert told == [10, 30]
    assert [str(error) for error in reported] == ["a room is broken"]


@both
def test_closing_finishes_what_waits_and_what_that_brings_with_it(tmp_path: Path, threaded: bool) -> None:
    """A listener that puts the next item while the store closes is heard."""
    told: list[object] = []

    async def body(disk: Disk, commit: GroupCommit, fatal: list[BaseException]) -> None:
        def again(result: int | StoreFault) -> None:
            told.append(result)
            if len(told) < 4:
                commit.put(ITEMS, len(told) + 1, again)

        commit.put(ITEMS, 1, again)

    disk = run(tmp_path, body, threaded=threaded)
    assert told == [10, 20, 30, 40]
    assert disk.stored() == [1, 2, 3, 4]
    disk.close()


@both
def test_an_item_after_the_end_is_refused(tmp_path: Path, threaded: bool) -> None:
    """With a fault, not with silence; and that is not fatal."""
    told: list[object] = []
    reported: list[BaseException] = []

    async def body(disk: Disk, commit: GroupCommit, fatal: list[BaseException]) -> None:
        await commit.close()
        with pytest.raises(StoreFault):
            await commit.call(ITEMS, 1)
        reported.extend(fatal)

    disk = run(tmp_path, body, threaded=threaded)
    assert disk.stored() == []
    assert reported == []
    assert told == []
    disk.close()


def test_another_process_that_writes_is_waited_for(tmp_path: Path) -> None:
    """The loop goes on meanwhile, and nothing fails."""

    async def body(disk: Disk, commit: GroupCommit, fatal: list[BaseException]) -> None:
        other = sqlite3.connect(tmp_path / "items.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        turns = 0

        def turn() -> None:
            nonlocal turns
            turns += 1
            if turns < 50:
                asyncio.get_running_loop().call_soon(turn)
            else:
                other.execute("ROLLBACK")

        waiting = commit.call(ITEMS, 1)
        asyncio.get_running_loop().call_soon(turn)
        assert await waiting == 10
        assert turns == 50
        other.close()

    disk = run(tmp_path, body, threaded=True)
    assert disk.stored() == [1]
    disk.close()


def test_while_one_transaction_is_written_the_next_one_collects(tmp_path: Path) -> None:
    """The busier, the larger; nothing waits for a timer."""

    async def body(disk: Disk, commit: GroupCommit, fatal: list[BaseException]) -> None:
        waiting = [commit.call(ITEMS, 0)]
        await asyncio.sleep(0)
        waiting += [commit.call(ITEMS, value) for value in range(1, 50)]
        await asyncio.gather(*waiting)
        assert commit.commits == 2

    run(tmp_path, body, threaded=True).close()
