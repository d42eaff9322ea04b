"""The customer's side of the callbacks: an HTTP server that says OK to every GET and notes whose it was."""

import asyncio
from typing import cast

from bench.requests import CALLBACK_PATH
from bench.tally import Tally

__all__ = ["Sink"]

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nOK"
_LEAD = b"GET " + CALLBACK_PATH.encode()
_DELIVERED = b"&SendStatus=5&"


class Sink:
    """Counts callbacks into the tally."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen; returns the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Called(self.tally), "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()


class _Called(asyncio.Protocol):
    """One connection of the gateway."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._transport: asyncio.Transport | None = None
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """A GET has no body, so the empty line ends it."""
        *requests, self._held = (self._held + data).split(b"\r\n\r\n")
        for request in requests:
            self._note(request)
        if requests and self._transport is not None:
            self._transport.write(_ANSWER * len(requests))

    def _note(self, request: bytes) -> None:
        digits = request[len(_LEAD) : len(_LEAD) + 7]
        line = request.partition(b"\r\n")[0]
        if request.startswith(_LEAD) and digits.isdigit() and _DELIVERED in line and int(digits) < self._tally.size:
            self._tally.told(int(digits))
        else:
            self._tally.astray()
