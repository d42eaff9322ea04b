"""The listening socket: accepts, sweeps deadlines with one timer, and closes without losing a request under way."""

import asyncio
from collections.abc import Callable
from typing import Final

from bocau.listener.connection import Connection, Floor, Handler, Limits
from bocau.ports import Listening, World

__all__ = ["Listener"]

SWEEP_SECONDS: Final = 0.5


class Listener:
    """A listening socket with its connections. Make one with `start`."""

    def __init__(self, world: World, handler: Handler, limits: Limits, on_fault: Callable[[Exception], None]) -> None:
        self._world = world
        self._floor = Floor(handler, limits, on_fault, world.monotonic())
        self._listening: Listening | None = None
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    async def start(
        cls,
        world: World,
        handler: Handler,
        host: str,
        port: int,
        limits: Limits,
        on_fault: Callable[[Exception], None],
    ) -> "Listener":
        """Listen on an address; port 0 picks a free one.

        `handler` gets every whole request in the loop's thread; an exception out of it becomes a 500 and is given to
        `on_fault`. Raises OSError if the address cannot be had.
        """
        listener = cls(world, handler, limits, on_fault)
        listener._listening = await world.listen(lambda: Connection(listener._floor), host, port)
        listener._tick()
        return listener

    @property
    def port(self) -> int:
        """The port really bound, 0 before the start."""
        return self._listening.port if self._listening is not None else 0

    @property
    def connections(self) -> int:
        """Connections open now."""
        return len(self._floor.connections)

    @property
    def refused(self) -> int:
        """Connections turned away with a 503 since the start, because too many were open."""
        return self._floor.refused

    async def close(self, grace_seconds: float) -> None:
        """Stop accepting, close the quiet, let requests under way finish for so long, then cut the rest."""
        floor = self._floor
        if self._listening is not None:
            await self._listening.close()
        floor.draining = True
        for connection in list(floor.connections):
            connection.special = True  # answers leave the fast path and say that the connection closes
            if connection.quiet:
                connection.dismiss()
        try:
            async with asyncio.timeout(grace_seconds):
                await floor.empty.wait()
        except TimeoutError:
            for connection in list(floor.connections):
                connection.cut()
            await floor.empty.wait()
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def sweep(self) -> None:
        """End every connection whose time is up. The timer calls it; a test may."""
        floor = self._floor
        now = self._world.monotonic()
        floor.set_clock(now)
        for connection in list(floor.connections):
            if now >= connection.deadline or now >= connection.write_deadline:
                connection.expire()

    def _tick(self) -> None:
        self.sweep()
        self._timer = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._tick)
