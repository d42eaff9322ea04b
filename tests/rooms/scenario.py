"""How tests of rooms run asyncio scenarios, with a clock they can turn and raw sockets on loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast

import uvloop

from bocau.world import RealWorld

PATIENCE_SECONDS = 20.0


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario on the standard loop and again on uvloop: their transports differ in small ways."""

    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await scenario()

    asyncio.run(bounded())
    uvloop.run(bounded())


class TurnedWorld(RealWorld):
    """The real network with a monotonic clock that moves only by hand, and a resolver with scripted answers."""

    def __init__(self, names: dict[str, list[list[str]]] | None = None) -> None:
        super().__init__()
        self.seconds = 1000.0
        self.names = names or {}
        self.asked: list[str] = []

    def monotonic(self) -> float:
        """The time set by the test."""
        return self.seconds

    async def resolve(self, host: str, port: int) -> list[str]:
        """The next scripted answer for a name; the last one repeats. Raises OSError for a name without a script."""
        self.asked.append(host)
        answers = self.names.get(host)
        if not answers:
            raise OSError("no such name")
        return answers.pop(0) if len(answers) > 1 else answers[0]


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Host:
    """A scripted TCP server: what it heard and how often it was called."""

    def __init__(self) -> None:
        self.port = 0
        self.calls = 0
        self.heard: list[bytes] = []
        self.called = asyncio.Event()
        self.hung_up = asyncio.Event()
        """Set when a peer has closed its side."""
        self.release = asyncio.Event()
        """For scripts that wait for the test."""


@asynccontextmanager
async def host(
    talk: Callable[[Host, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[Host]:
    """Serve a script on a free loopback port."""
    stage = Host()
    tasks: set[asyncio.Task[None]] = set()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(cast("asyncio.Task[None]", asyncio.current_task()))
        stage.calls += 1
        stage.called.set()
        try:
            await talk(stage, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the peer has gone, or the test is over
        finally:
            stage.hung_up.set()
            writer.close()

    server = await asyncio.start_server(play, "127.0.0.1", 0)
    stage.port = server.sockets[0].getsockname()[1]
    try:
        yield stage
    finally:
        stage.release.set()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the transports' closing callbacks


async def read_head(stage: Host, reader: asyncio.StreamReader) -> bytes:
    """One request without a body, noted on the stage."""
    head = await reader.readuntil(b"\r\n\r\n")
    stage.heard.append(head)
    return head
