"""A gateway whose store is on PostgreSQL: both are killed in turn, and the logs of the others say what became of it."""

import asyncio
import os
import random
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.postgres import Server, Unavailable, new_server
from tests.store.engines import LOOKS, inside
from tests.store.sweep import violations
from tests.system.ends import FAST, assert_sound, drained
from tests.system.load import Client, Orders
from tests.system.processes import Stage, free_port, now_ms, until

_ROUNDS = 6
_BURST = 120
_CONNECTIONS = 24
_SLOW_MACHINE_MS = 3_000
"""A log line is looked for, on a machine that runs other tests."""


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    """A server that may be killed."""
    try:
        made = new_server()
    except Unavailable as why:
        pytest.skip(f"no PostgreSQL: {why}")
    yield made
    made.stop()


def _sweep(stage: Stage) -> None:
    """What holds at every moment holds now."""
    found = list(violations(inside(dict(zip(LOOKS, stage.look(*LOOKS), strict=True)).__getitem__)))
    assert not found, "\n".join(found[:40])


async def client_has(client: Client, answers: int) -> None:
    """Wait until so many calls were answered."""
    await until("some answers", lambda: client.answered >= answers)


@pytest.mark.slow
@pytest.mark.timeout(360)
def test_kills_of_gateway_and_server_lose_nothing_and_send_nothing_twice(tmp_path: Path, own: Server) -> None:
    """In the middle of a burst the gateway dies, or the server loses its memory; every log agrees with the store."""

    async def scenario() -> None:
        chance = random.Random(20261124)
        loop = asyncio.get_running_loop()
        async with Stage(tmp_path, FAST, server=own) as stage:
            await stage.start()
            orders = Orders(chance, stage)
            async with Client(stage, _CONNECTIONS) as client:
                for number in range(_ROUNDS):
                    client.put(orders.some(_BURST))
                    await client_has(client, client.answered + chance.randint(1, _BURST // 2))
                    if number % 2:
                        await loop.run_in_executor(None, own.kill)
                        await asyncio.sleep(chance.uniform(0, 0.5))
                        await loop.run_in_executor(None, own.start)
                    else:
                        stage.kill()
                        _sweep(stage)
                        await stage.start()
                await client.settled()
            await drained(stage)
            assert await stage.stop() == 0, stage.gateway.said()
            _sweep(stage)
            finding = assert_sound(stage)
            assert finding.counts["kills"] == _ROUNDS // 2

    asyncio.run(scenario())


@pytest.mark.slow
@pytest.mark.timeout(360)
def test_a_frozen_gateway_is_taken_over_and_ends_when_it_thaws(tmp_path: Path, own: Server) -> None:
    """Another one has its work within 20 s, and the thawed one stores nothing more (promises P14)."""

    async def scenario() -> None:
        chance = random.Random(20261125)
        async with Stage(tmp_path, FAST, server=own) as stage:
            await stage.start()
            other = stage.another_gateway("other", free_port(), {"BOCAU_STORE__NODE": "8"})
            other.start()
            try:
                await other.says(re.compile("gateway.ready"))
                orders = Orders(chance, stage)
                async with Client(stage, _CONNECTIONS) as client:
                    client.put(orders.some(4 * _BURST))
                    await client_has(client, 2 * _BURST)
                    frozen = stage.freeze()
                    await other.says(re.compile("message.rescue"), 25.0)
                    assert now_ms() - frozen <= 20_000 + _SLOW_MACHINE_MS
                    os.kill(stage.gateway.pid, signal.SIGCONT)
                    assert await stage.gateway.ended() != 0
                    assert "TakenForDead" in stage.gateway.said()
                    await stage.start()
                    await client.settled()
                assert await stage.stop() == 0, stage.gateway.said()
                assert await other.stop() == 0, other.said()
            finally:
                if other.running:
                    other.kill()
            _sweep(stage)

    asyncio.run(scenario())
