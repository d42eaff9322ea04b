"""A store of the version before is taken over while customers send (promises F36)."""

import asyncio
import random
import re
import sqlite3
from pathlib import Path

import pytest
from tests.cli.shell import Shell
from tests.store.older import as_older, counted
from tests.system.ends import FAST, assert_sound, drained
from tests.system.load import Client, Orders
from tests.system.processes import Stage, until
from tests.system.test_backup import _submits
from tests.system.test_start_stop import play

from bocau.store.migrations import read_steps

_SLOW = {**FAST, "BOCAU_CARRIER__SIMULATOR__THROUGHPUT_PER_SECOND": "60"}


@pytest.mark.slow
def test_a_store_of_the_version_before_is_upgraded_under_load(tmp_path: Path) -> None:
    """With a queue in it, customers who go on asking, and a kill in the middle of the start: nothing is lost, nothing
    is sent twice."""

    async def scenario() -> None:
        async with Stage(tmp_path, _SLOW) as stage:
            await stage.start()
            orders = Orders(random.Random(5), stage, hurry=True)
            async with Client(stage, 16) as client:
                client.put(orders.some(250))
                await until("some were sent", lambda: len(_submits(stage)) >= 40)
                stage.kill()
                # The store as the version before would have left it.
                last = sorted(read_steps("sqlite"))[-2]
                kept = stage.snapshot(tmp_path / "kept")
                for tail in ("", "-wal", "-shm"):
                    stage.store.with_name(f"bocau.db{tail}").unlink(missing_ok=True)
                await asyncio.to_thread(as_older, kept, stage.store, last)
                before = counted(stage.store)["migration"]
                shell = Shell(tmp_path / "data")
                told = await asyncio.to_thread(shell.json, "upgrade-check")
                assert len(told["steps"]) == 1
                assert not told["gateway_runs"]
                assert counted(stage.store)["migration"] == before, "a check changes nothing"
                client.put(orders.some(100))
                stage.begin()
                await asyncio.sleep(0.3)
                stage.kill()
                await stage.start()
                await client.settled()
            await drained(stage)
            assert await stage.stop() == 0
            assert counted(stage.store)["migration"] == len(read_steps("sqlite"))
            assert_sound(stage)
            assert "up to date" in shell.ok("upgrade-check")

    play(scenario)


@pytest.mark.slow
def test_a_newer_store_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """By a start and by the check before it."""

    async def scenario() -> None:
        async with Stage(tmp_path, FAST) as stage:
            await stage.start()
            assert await stage.stop() == 0
            await asyncio.to_thread(_make_newer, stage.store)
            stage.begin()
            assert await stage.gateway.ended() == 1
            await stage.gateway.says(re.compile("unknown to this version: run a newer bocau"))
            said = await asyncio.to_thread(Shell(tmp_path / "data").fails, "upgrade-check")
            assert "would be refused" in said

    play(scenario)


def _make_newer(store: Path) -> None:
    db = sqlite3.connect(store)
    db.execute("INSERT INTO migration VALUES (9999, '9999_later.sql', 'x')")
    db.commit()
    db.close()
