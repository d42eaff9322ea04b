"""Every stage of a message in this process, with the real functions, in the order of a message's life."""

import tempfile
from pathlib import Path

from bench.process import Cores, pin
from bench.stage import Effort, Stage, calm_collector
from bench.stages_callback import callback_stages
from bench.stages_carrier import carrier_stages
from bench.stages_door import Entrance, door_stages
from bench.stages_store import StoreStages, open_store

__all__ = ["WHOLE_BUDGET", "measure_stages"]

WHOLE_BUDGET = 160.0
"""Microseconds of CPU for a message with its callback: the sum of the stages' budgets."""


async def measure_stages(effort: Effort, cores: Cores, folder: Path | None) -> list[Stage]:
    """Measure all of them, on the gateway's core."""
    pin(cores.gateway)
    with tempfile.TemporaryDirectory(prefix="bocau-bench-", dir=folder) as place:
        store, commit = open_store(f"{place}/bocau.db")
        entrance = await Entrance.on(store)
        calm_collector()
        door = await door_stages(entrance, effort, cores)
        walk = StoreStages(store, commit, entrance, effort)
        await walk.run()
        written = walk.stages()
        carrier = await carrier_stages(entrance.admissions(effort.iterations, "carrier", store.epoch), effort)
        callback = await callback_stages(walk.callbacks, effort, cores)
        await store.close(entrance.world.now_ms())
    return [
        *door,
        *written["admit"],
        carrier["hand-over"],
        *written["begin"],
        carrier["submit"],
        carrier["session"],
        *written["record"],
        carrier["receipt"],
        *written["receipt"],
        *callback,
        *written["tried"],
        *written["together"],
    ]
