"""The sockets of the house: what a room needs from outside, as Protocols.

Everything that differs between production, tests and simulation enters through here.
"""

import asyncio
import random  # noqa: TID251 - the type only
import ssl
from collections.abc import Awaitable, Callable
from typing import Protocol

__all__ = ["World"]


class World(Protocol):
    """Time, chance and the network. Product code asks for these here and nowhere else."""

    random: random.Random
    """Chance that need not be secret: jitter, picks. Seeded in tests."""

    def now_ms(self) -> int:
        """The wall clock: milliseconds since 1970-01-01 UTC. May jump; use it only for dates that are stored."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back. Use it for waiting and time-outs."""
        ...

    def token(self, size: int) -> bytes:
        """So many unguessable bytes."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait on the monotonic clock."""
        ...

    async def dial(
        self,
        factory: Callable[[], asyncio.Protocol],
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
    ) -> asyncio.Transport:
        """Open a TCP connection. `host` is an address or a name. Raises OSError (ssl.SSLError included)."""
        ...

    async def listen(self, factory: Callable[[], asyncio.Protocol], host: str, port: int) -> "Listening":
        """Listen for TCP connections; port 0 picks a free one. Raises OSError."""
        ...

    def resolve(self, host: str, port: int) -> Awaitable[list[str]]:
        """All addresses of a name, as text, in the order to try them. Raises OSError."""
        ...


class Listening(Protocol):
    """A listening socket."""

    port: int
    """The port really bound."""

    async def close(self) -> None:
        """Stop listening; connections already open stay."""
        ...
