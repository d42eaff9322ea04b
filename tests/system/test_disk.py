"""A disk that fills up under a running gateway, and has room again (promises P15, F7)."""

import asyncio
import contextlib
import json
import os
import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.system.ends import FAST, drained
from tests.system.load import Client, Orders, ask
from tests.system.processes import Stage, until
from tests.system.test_backup import _readiness, _submits
from tests.system.test_start_stop import play

_SIZE_MIB = 112
_RESERVE_MIB = 32
_SETTINGS = {
    **FAST,
    "BOCAU_STORE__RESERVE_MIB": str(_RESERVE_MIB),
    "BOCAU_CARRIER__SIMULATOR__THROUGHPUT_PER_SECOND": "40",
}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own for the store."""
    place = tmp_path / "data"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SIZE_MIB}m", "none", str(place)], capture_output=True)
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path, leave_mib: int) -> None:
    """Somebody else's file takes all but so much."""
    room = os.statvfs(place)
    size = room.f_bavail * room.f_frsize - (leave_mib << 20)
    with contextlib.suppress(OSError), (place / "somebody.else").open("ab", buffering=0) as file:
        for _ in range(max(0, size) >> 12):
            file.write(b"x" * 4096)


def whole(held: Path) -> bool:
    """Whether all of the reserve is held."""
    return held.exists() and held.stat().st_size == _RESERVE_MIB << 20


def journal(stage: Stage, event: str) -> list[dict[str, Any]]:
    """What the carrier wrote down."""
    lines = (json.loads(line) for line in stage.journal.read_bytes().splitlines())
    return [line for line in lines if line["event"] == event]


@pytest.mark.slow
def test_new_sends_are_refused_before_the_disk_is_full_and_what_runs_ends(tmp_path: Path, disk: Path) -> None:
    """503 while there still is room; then the disk is full to the last byte, the held room is given up, and everything
    accepted is sent once, reported and told; with room again it goes on without a restart."""

    async def scenario() -> None:
        async with Stage(tmp_path, _SETTINGS) as stage:
            await stage.start()
            held = disk / "bocau.db.reserve"
            await until("the reserve is held", lambda: whole(held))
            orders = Orders(random.Random(3), stage)
            async with Client(stage, 16) as client:
                client.put(orders.plain("ok", "0007") for _ in range(200))
                await client.settled()
            assert len(_submits(stage)) < 200, "a queue is left"

            fill(disk, leave_mib=_RESERVE_MIB - 2)
            await stage.gateway.says(re.compile('"event":"store.fill"'))
            assert (await ask(stage.api_port, orders.plain("ok", "0007"))).http == 503
            ready = await _readiness(stage)
            assert not ready["ready"]
            assert "MiB free" in ready["sends"]
            assert held.exists()
            fill(disk, leave_mib=0)
            await until("the reserve is given up", lambda: not held.exists())
            await drained(stage)
            assert len(_submits(stage)) == 200
            assert set(_submits(stage).values()) == {1}
            assert len({line["message_id"] for line in journal(stage, "acknowledge") if not line["status"]}) == 200

            await asyncio.to_thread((disk / "somebody.else").unlink)
            await stage.gateway.says(re.compile('"event":"store.room"'))
            assert (await ask(stage.api_port, orders.plain("ok", "0007"))).code == "100"
            await until(
                "the reserve is held again", lambda: held.exists() and held.stat().st_size == _RESERVE_MIB << 20
            )
            await drained(stage)
            assert await stage.stop() == 0

    play(scenario)


@pytest.mark.slow
def test_a_gateway_starts_on_a_full_disk(tmp_path: Path, disk: Path) -> None:
    """What is held is given up for the start; it takes nothing new, and says why."""

    async def scenario() -> None:
        async with Stage(tmp_path, _SETTINGS) as stage:
            await stage.start()
            held = disk / "bocau.db.reserve"
            await until("the reserve is held", lambda: whole(held))
            stage.kill()
            await asyncio.to_thread(fill, disk, 0)
            await stage.start()
            assert "MiB free" in (await _readiness(stage))["sends"]
            assert await stage.stop() == 0

    play(scenario)
