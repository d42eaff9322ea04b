"""The load: requests made ready beforehand, on connections that are kept, one at a time on each."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import cast

from bench.requests import ACCEPTED
from bench.tally import Tally

__all__ = ["Load"]

_PACE_SECONDS = 0.001
_LENGTH = b"Content-Length: "


class Load:
    """Sends every request once.

    With `rate` 0 each connection asks again as soon as it is answered, and latency counts from the asking. Else
    requests fall due at `rate` a second whether or not the gateway keeps up, and latency counts from when each was due.
    """

    def __init__(self, tally: Tally, requests: Sequence[bytes], rate: float = 0.0) -> None:
        self._tally = tally
        self._requests = requests
        self._rate = rate
        self._next = 0
        self._open = len(requests)
        self._idle: deque[_Caller] = deque()
        self._callers: list[_Caller] = []
        self._done = asyncio.Event()

    async def connect(self, port: int, connections: int) -> None:
        """Open the connections. Raises OSError."""
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            _, caller = await loop.create_connection(lambda: _Caller(self), "127.0.0.1", port)
            self._callers.append(caller)
        self._idle.extend(self._callers)

    async def run(self) -> None:
        """Send everything and wait for the last answer."""
        self._tally.began = time.monotonic()
        while self._idle and self._due():
            self._ask(self._idle.popleft())
        while self._rate and self._next < len(self._requests):
            await asyncio.sleep(_PACE_SECONDS)
            while self._idle and self._due():
                self._ask(self._idle.popleft())
        await self._done.wait()
        for caller in self._callers:
            caller.close()

    def _due_at(self) -> float:
        return self._tally.began + self._next / self._rate if self._rate else time.monotonic()

    def _due(self) -> bool:
        if self._next >= len(self._requests):
            return False
        return not self._rate or self._due_at() <= time.monotonic()

    def _ask(self, caller: "_Caller") -> None:
        number, due_at = self._next, self._due_at()
        self._next += 1
        caller.ask(number, due_at, self._requests[number])

    def answered(self, caller: "_Caller", number: int, due_at: float, *, accepted: bool, usable: bool) -> None:
        """A request has its answer, or will never have one."""
        self._tally.answered(number, due_at, accepted=accepted)
        self._open -= 1
        if not self._open:
            self._done.set()
        elif usable and self._due():
            self._ask(caller)
        elif usable:
            self._idle.append(caller)
        elif not self._idle and all(not one.usable for one in self._callers):
            self._done.set()  # nobody is left to send the rest


class _Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._transport: asyncio.Transport | None = None
        self._held = b""
        self._number = -1
        self._due_at = 0.0

    @property
    def usable(self) -> bool:
        """Whether it is still connected."""
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open."""
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, number: int, due_at: float, request: bytes) -> None:
        """Send a request."""
        self._number, self._due_at = number, due_at
        if self._transport is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """A piece of an answer."""
        data = self._held + data
        head = data.find(b"\r\n\r\n")
        at = data.find(_LENGTH)
        if head < 0 or at < 0 or len(data) < head + 4 + int(data[at + len(_LENGTH) : data.index(b"\r", at)]):
            self._held = data
            return
        self._held = b""
        number, self._number = self._number, -1
        self._load.answered(self, number, self._due_at, accepted=ACCEPTED in data, usable=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed; what it waited for stays without an answer."""
        del exc
        self._transport = None
        if self._number >= 0:
            self._load.answered(self, self._number, self._due_at, accepted=False, usable=False)

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.close()
