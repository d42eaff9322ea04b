"""A copy of the store made under load, put back after the store went on: nothing is sent twice (promises P17, F37)."""

import asyncio
import json
import random
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.cli.shell import Shell
from tests.system.ends import FAST, drained
from tests.system.load import Client, Orders, ask
from tests.system.processes import Stage, until
from tests.system.test_start_stop import play

_SLOW = {**FAST, "BOCAU_CARRIER__SIMULATOR__THROUGHPUT_PER_SECOND": "60"}
"""A carrier that leaves a queue behind, part of which the copy still has."""


def _submits(stage: Stage) -> Counter[tuple[str, str]]:
    """How often each part reached the carrier, by phone and content."""
    if not stage.journal.exists():
        return Counter()
    lines = (json.loads(line) for line in stage.journal.read_bytes().splitlines(keepends=True) if line.endswith(b"\n"))
    return Counter((line["phone"], line["sha256"]) for line in lines if line["event"] == "submit")


async def _command(stage: Stage, *words: str) -> Any:  # noqa: ANN401 - whatever the command prints
    """A command beside the gateway: its exit code, and what it printed."""
    shell = Shell(stage.folder / "data")
    done = await asyncio.to_thread(shell.run, *words, "--json")
    return done.exit_code, json.loads(done.stdout or done.stderr.splitlines()[-1])


async def _readiness(stage: Stage) -> dict[str, Any]:
    """What /readyz says."""
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.admin_port)
    writer.write(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    body = (await reader.read()).partition(b"\r\n\r\n")[2]
    writer.close()
    found: dict[str, Any] = json.loads(body)
    return found


@pytest.mark.slow
def test_a_restored_store_sends_nothing_until_it_is_released(tmp_path: Path) -> None:
    """Messages that wait in the copy were sent after it was made; all of them are held, shown, and taken back."""

    async def scenario() -> None:
        copy = tmp_path / "copy.db"
        async with Stage(tmp_path, _SLOW) as stage:
            await stage.start()
            orders = Orders(random.Random(7), stage)
            async with Client(stage, 16) as client:
                client.put(orders.plain("ok", "0007") for _ in range(400))
                await until("some were sent", lambda: len(_submits(stage)) >= 60)
                code, made = await _command(stage, "backup", str(copy))
                assert (code, made["file"]) == (0, str(copy))
                sent_at_copy = len(_submits(stage))
                await client.settled()
            await drained(stage)
            before = _submits(stage)
            assert len(before) == 400 > sent_at_copy + 100
            stage.kill()

            code, restored = await _command(stage, "restore", str(copy))
            assert code == 0, restored
            await stage.start()
            ready = await _readiness(stage)
            assert not ready["ready"]
            assert "in quarantine" in ready["sends"]
            assert "`bocau release`" in ready["sends"]
            await stage.gateway.says(re.compile('"event":"store.quarantine"'))
            await until("the link is bound", lambda: "link.bind" in stage.gateway.said())
            refused = await ask(stage.api_port, orders.plain())
            assert refused.http == 503
            code, shown = await _command(stage, "release")
            assert (code, shown["released"]) == (1, False)
            (group,) = shown["waiting"]
            assert (group["class"], group["state"]) == ("otp", "queued")
            assert group["messages"] >= 100

            # Another start in between changes nothing.
            assert await stage.stop() == 0
            await stage.start()
            await until("the link is bound", lambda: "link.bind" in stage.gateway.said())
            assert _submits(stage) == before

            code, done = await _command(stage, "release", "--cancel")
            assert (code, done["released"], done["cancelled"]) == (0, True, group["messages"])
            await stage.gateway.says(re.compile('"event":"store.release"'))
            fresh = orders.plain("ok", "0007")
            assert (await ask(stage.api_port, fresh)).code == "100"
            await until("it is sent", lambda: len(_submits(stage)) == 401)
            assert (await _readiness(stage))["sends"] == "accepted"
            await drained(stage)
            assert await stage.stop() == 0
            assert set(_submits(stage).values()) == {1}, "something was sent twice"

    play(scenario)


@pytest.mark.slow
def test_a_store_put_back_by_hand_is_noticed_too(tmp_path: Path) -> None:
    """Without our commands: the file of a moment before, copied over the one that went on."""

    async def scenario() -> None:
        async with Stage(tmp_path, _SLOW) as stage:
            await stage.start()
            orders = Orders(random.Random(8), stage)
            async with Client(stage, 16) as client:
                client.put(orders.plain("", "0007") for _ in range(200))
                await until("some were sent", lambda: len(_submits(stage)) >= 30)
                snapshot = stage.snapshot(tmp_path / "snapshot")
                await client.settled()
            await drained(stage)
            before = _submits(stage)
            stage.kill()
            for tail in ("", "-wal"):
                shutil.copy(f"{snapshot}{tail}", f"{stage.store}{tail}")
            await stage.start()
            assert "older than the store that ran here last" in (await _readiness(stage))["sends"]
            await until("the link is bound", lambda: "link.bind" in stage.gateway.said())
            assert _submits(stage) == before
            code, done = await _command(stage, "release", "--send")
            assert (code, done["released"]) == (0, True)
            await drained(stage)
            assert len(_submits(stage)) == 200
            assert max(_submits(stage).values()) == 2, "what the operator has sent again goes again"
            assert await stage.stop() == 0

    play(scenario)
