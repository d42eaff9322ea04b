"""A gateway whose store is on PostgreSQL: both are killed in turn, and the logs of the others say what became of it."""

import asyncio
import random
from pathlib import Path

import pytest
from tests.postgres import Server, Unavailable, new_server
from tests.store.engines import LOOKS, inside
from tests.store.sweep import violations
from tests.system.ends import FAST, assert_sound, drained
from tests.system.load import Client, Orders
from tests.system.processes import Stage, until

_ROUNDS = 6
_BURST = 120
_CONNECTIONS = 24


@pytest.fixture(scope="module")
def own() -> Server:
    """A server that may be killed."""
    try:
        return new_server()
    except Unavailable as why:
        pytest.skip(f"no PostgreSQL: {why}")


def _sweep(stage: Stage) -> None:
    """What holds at every moment holds now."""
    found = list(violations(inside(dict(zip(LOOKS, stage.look(*LOOKS), strict=True)).__getitem__)))
    assert not found, "\n".join(found[:40])


async def client_has(client: Client, answers: int) -> None:
    """Wait until so many calls were answered."""
    await until("some answers", lambda: client.answered >= answers)


@pytest.mark.slow
@pytest.mark.timeout(240)
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

    try:
        asyncio.run(scenario())
    finally:
        own.stop()
