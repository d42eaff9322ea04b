"""A stage: what is measured beside its budget, and how the measuring is done."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeVar

from bocau.store.contract import Done, StoreFault

__all__ = ["Effort", "Stage", "best", "best_later", "calm_collector", "put_lots", "time_each"]

I = TypeVar("I")  # noqa: E741 - item
R = TypeVar("R")


class Effort(NamedTuple):
    """How much is measured: the best of so many rounds of so many iterations counts."""

    iterations: int
    rounds: int


class Stage(NamedTuple):
    """One measured step."""

    name: str
    us: float
    """CPU microseconds per message, of this process alone."""
    budget: float | None
    """What the step may cost; None for a part of another stage that has no budget of its own."""
    part: bool = False
    """A part or a variant of the stage above it: not in the sum."""

    @property
    def above(self) -> bool:
        """Whether it costs more than it may."""
        return self.budget is not None and self.us > self.budget


def calm_collector() -> None:
    """Treat the garbage collector as the gateway does after its start."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def best(effort: Effort, once: Callable[[], float]) -> float:
    """The least of some rounds."""
    return round(min(once() for _ in range(effort.rounds)), 2)


async def best_later(effort: Effort, once: Callable[[], Awaitable[float]]) -> float:
    """The same of a coroutine."""
    return round(min([await once() for _ in range(effort.rounds)]), 2)


def time_each(work: Callable[[I], object], items: Sequence[I]) -> float:
    """CPU microseconds of one call."""
    began = time.process_time()
    for item in items:
        work(item)
    return (time.process_time() - began) / len(items) * 1e6


async def put_lots(put: Callable[[I, Done[R]], None], items: Sequence[I], lot: int) -> tuple[float, list[R]]:
    """Put items so that `lot` of them share a transaction: CPU microseconds for each, and the results.

    Raises StoreFault.
    """
    results: list[R] = []

    def done(result: R | StoreFault) -> None:
        if isinstance(result, StoreFault):
            raise result
        results.append(result)

    began = time.process_time()
    for start in range(0, len(items), lot):
        for item in items[start : start + lot]:
            put(item, done)
        while len(results) < min(start + lot, len(items)):  # noqa: ASYNC110 - the next turn has them
            await asyncio.sleep(0)
    return (time.process_time() - began) / len(items) * 1e6, results
