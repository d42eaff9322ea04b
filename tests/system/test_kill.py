"""SIGKILL at random moments under load, again and again: nothing is lost, nothing is sent twice (promises F1).

`BOCAU_KILLS` sets how often, `BOCAU_SEED` what chance brings; a failing run is repeated with the seed that it prints,
though the machine's own timing is never the same twice.
"""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.store.engines import LOOKS, Inside, SqliteEngine, inside
from tests.store.sweep import violations
from tests.system.ends import FAST, WINDOW, assert_sound, drained
from tests.system.load import Client, Orders
from tests.system.processes import Stage, until

from bocau.core.lifecycle import AttemptState

_KILLS = int(os.environ.get("BOCAU_KILLS", "55"))
_SEED = int(os.environ.get("BOCAU_SEED", "20251122"))
_SWEEP_EVERY = max(1, _KILLS // 60)
"""A long run has a large store, and looking through all of it takes seconds."""
_BURST = (70, 170)
_CONNECTIONS = 24
_START_KILLS = 0.12
"""Share of the starts that are killed before they are done."""


class Killer:
    """Chooses the moments."""

    def __init__(self, stage: Stage, client: Client, chance: random.Random) -> None:
        self._stage = stage
        self._client = client
        self._chance = chance
        self._moments: list[Callable[[], Awaitable[None]]] = [
            self._in_the_burst,
            self._later,
            self._at_an_answer,
            lambda: self._at_a_line(stage.journal),
            lambda: self._at_a_line(stage.called),
        ]

    async def strike(self) -> None:
        """Wait for a moment and kill."""
        await self._chance.choice(self._moments)()
        self._stage.kill()

    async def restart(self) -> None:
        """Start again, with now and then a kill in the middle of the start."""
        stage = self._stage
        while self._chance.random() < _START_KILLS:
            stage.begin()
            await asyncio.sleep(self._chance.uniform(0.1, 0.8))
            stage.kill()
        await stage.start()

    async def _in_the_burst(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, 0.06))

    async def _later(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, 0.6))

    async def _at_an_answer(self) -> None:
        """Right after some answer came."""
        wanted = self._client.answered + self._chance.randint(1, 60)
        await until("some answers", lambda: self._client.answered >= wanted)

    async def _at_a_line(self, file: Path) -> None:
        """Right after the carrier got a part, or the receiver a call."""
        enough = _size(file) + self._chance.randint(1, 6_000)
        await until(f"{file.name} grows", lambda: _size(file) >= enough)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _sweep(stage: Stage) -> None:
    """What a kill left keeps the invariants of every moment, and at most one window of it is in doubt (P2, P6, P23)."""
    left = _left(stage)
    found = list(violations(left))
    assert not found, "\n".join(found[:40])
    submitting = sum(row.state is AttemptState.SUBMITTING for row in left.attempts)
    assert submitting <= WINDOW, f"{submitting} parts were begun and not answered"


def _left(stage: Stage) -> Inside:
    """The store as the killed gateway left it."""
    if stage.server is not None:
        return inside(dict(zip(LOOKS, stage.look(*LOOKS), strict=True)).__getitem__)
    snapshot = stage.snapshot(stage.folder / "snapshot")
    return SqliteEngine(snapshot.parent, threaded=False).inspect()


@pytest.mark.slow
@pytest.mark.timeout(120 + 8 * _KILLS)
def test_kills_at_random_moments_lose_nothing_and_send_nothing_twice(tmp_path: Path) -> None:
    """Client log, carrier log and receiver log agree with the store after 55 kills and thousands of messages."""

    async def scenario() -> None:
        chance = random.Random(_SEED)
        print(f"BOCAU_SEED={_SEED} BOCAU_KILLS={_KILLS}")
        async with Stage(tmp_path, FAST) as stage:
            await stage.start()
            orders = Orders(chance, stage)
            async with Client(stage, _CONNECTIONS) as client:
                killer = Killer(stage, client, chance)
                for _ in range(_KILLS):
                    client.put(orders.some(chance.randint(*_BURST)))
                    await killer.strike()
                    _sweep(stage)
                    await killer.restart()
                await client.settled()
            await drained(stage)
            assert await stage.stop() == 0, stage.gateway.said()
            finding = assert_sound(stage)
            assert finding.counts["kills"] >= _KILLS
            starts = sorted(stage.ready_seconds)
            print(f"start to ready: median {starts[len(starts) // 2]:.2f} s, longest {starts[-1]:.2f} s")

    asyncio.run(scenario())
