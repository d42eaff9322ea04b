"""How a system test ends: all work done, everything stopped in good order, and the accounts agree."""

import asyncio
import json
import time
from typing import Any, Final

from tests.system.evidence import gather, open_work
from tests.system.processes import Stage, now_ms
from tests.system.reconcile import Finding, reconcile

__all__ = ["FAST", "WINDOW", "assert_sound", "drained", "run"]

WINDOW: Final = 64
"""Unanswered submits on the one link of `bocau dev`."""

FAST: Final = {
    # Failed callbacks are tried again soon, and what a kill left in doubt is closed while the test looks on.
    "BOCAU_CALLBACK__WAITS_SECONDS": "0,1,1,1,2",
    "BOCAU_SCHEDULE__UNCERTAIN_OTP_SECONDS": "10",
}


async def drained(stage: Stage, seconds: float = 150.0) -> None:
    """Wait until every message has ended and every callback is done. The store tells, the logs are asked later.

    Long, since throttled submits slow the whole link down, and the machine may have other work.
    """
    began = time.monotonic()
    while (left := open_work(stage)) != (0, 0):
        waited = time.monotonic() - began
        assert waited < seconds, f"{left} messages and callbacks are open after {waited:.0f} s: {_open(stage)}"
        await asyncio.sleep(0.1)
    print(f"drained in {time.monotonic() - began:.1f} s")


def _open(stage: Stage) -> list[tuple[Any, ...]]:
    """How many open messages of each kind, with whose they are and how far their next moment is."""
    (rows,) = stage.look(
        "SELECT state, route_class, owner, count(*), min(wake_ms), min(due_ms) FROM message WHERE wake_ms IS NOT NULL"
        " GROUP BY state, route_class, owner"
    )
    return [(*row[:4], row[4] - now_ms(), row[5] - now_ms()) for row in rows]


async def run(stage: Stage) -> None:
    """Wait until the work is done, then stop the gateway in good order."""
    await drained(stage)
    assert await stage.stop() == 0, stage.gateway.said()


def assert_sound(stage: Stage, *, may_be_open: frozenset[str] = frozenset(), window: int = WINDOW) -> Finding:
    """Reconcile; raises AssertionError with everything that is wrong. Prints the figures."""
    finding = reconcile(gather(stage), window=window, may_be_open=may_be_open)
    print(json.dumps(finding.counts))
    shown = "\n".join(finding.problems[:40])
    assert not finding.problems, f"{len(finding.problems)} problems; {finding.counts}\n{shown}"
    return finding
