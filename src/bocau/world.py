"""The real world: the only file that reads a clock, draws random bytes or opens a socket."""

import asyncio
import os
import random
import socket
import ssl
import sys
import time
from collections.abc import Callable
from typing import Final

__all__ = ["RealChildren", "RealWorld"]


_POOL_BYTES: Final = 4_096
_DISCARD_PORT: Final = 9


class RealWorld:
    """`ports.World` on the machine's own clock, entropy and network. Needs a running event loop to dial or listen."""

    def __init__(self, listening_tls: ssl.SSLContext | None = None) -> None:
        """`listening_tls` is spoken on every connection that is accepted; by itself a listener is plain."""
        self._listening_tls = listening_tls
        self._pool = b""
        self._drawn = 0
        self.random = random.Random()  # noqa: S311 - jitter only; secrets come from token()

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1_000_000

    monotonic = staticmethod(time.monotonic)
    """Seconds of the monotonic clock. The function itself: it is asked several times for every message."""

    def token(self, size: int) -> bytes:
        """Bytes from the operating system's generator, drawn a page at a time; each is given out once."""
        begin, end = self._drawn, self._drawn + size
        if end > len(self._pool):
            self._pool = os.urandom(max(_POOL_BYTES, size))
            begin, end = 0, size
        self._drawn = end
        return self._pool[begin:end]

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def dial(
        self,
        factory: Callable[[], asyncio.Protocol],
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
    ) -> asyncio.Transport:
        """Open a TCP connection. Raises OSError."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(factory, host, port, ssl=tls, server_hostname=server_hostname)
        return transport

    async def listen(self, factory: Callable[[], asyncio.Protocol], host: str, port: int) -> "RealListening":
        """Listen for TCP connections. Raises OSError."""
        loop = asyncio.get_running_loop()
        return RealListening(await loop.create_server(factory, host, port, backlog=1024, ssl=self._listening_tls))

    async def open_datagram(
        self, factory: Callable[[], asyncio.DatagramProtocol], host: str, port: int, *, towards: str | None = None
    ) -> asyncio.DatagramTransport:
        """Open a UDP socket. Raises OSError."""
        loop = asyncio.get_running_loop()
        local = host or await self._address_towards(towards or "127.0.0.1")
        transport, _ = await loop.create_datagram_endpoint(factory, local_addr=(local, port))
        return transport

    async def _address_towards(self, peer: str) -> str:
        """Our own address on the way to a peer: what the system would send from. Nothing is sent."""
        loop = asyncio.get_running_loop()
        probe, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=(peer, _DISCARD_PORT))
        try:
            return str(probe.get_extra_info("sockname")[0])
        finally:
            probe.close()

    async def resolve(self, host: str, port: int) -> list[str]:
        """All addresses of a name, by the system's resolver, in a thread. Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class RealListening:
    """A listening socket of the machine."""

    def __init__(self, server: asyncio.Server) -> None:
        self._server = server
        self.port: int = server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening. Open connections are their owners' business."""
        self._server.close()


class RealChildren:
    """`ports.Children` as processes of the machine. They inherit standard output and error, and no other descriptor."""

    async def start(self, module: str, factory: Callable[[], asyncio.Protocol]) -> asyncio.subprocess.Process:
        """Start one. Raises OSError."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    module,
                    str(theirs.fileno()),
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                )
            ours.setblocking(False)
            await asyncio.get_running_loop().create_unix_connection(factory, sock=ours)
        except BaseException:
            ours.close()
            raise
        return process
