"""A voice worker as a process: `python -m bocau.cli.voice_process FD`. The gateway starts it; nobody else has a use.

Standing in the command line's place, it may import what a process with trunks by SRV records needs only when it does.
"""

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import Callable
from typing import Final, cast

import msgspec

from bocau.deliver.voice.messages import Configure, LineReader, Up, line, read_down
from bocau.deliver.voice.worker import VoiceWorker
from bocau.ports import ServiceNames
from bocau.telemetry import Lines, Log, LogEvent, capture_process, loop_fault_handler, make_log
from bocau.wire.rtp.srtp import Aes
from bocau.world import RealWorld

__all__ = ["main"]

_DRAIN_SECONDS: Final = 95.0
"""More than the longest call."""


class _Pipe(asyncio.Protocol):
    """The stream to the gateway. When it ends the gateway is gone, and nobody is left to place calls for."""

    def __init__(self) -> None:
        self.worker: VoiceWorker
        self._reader = LineReader()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            for each in self._reader.feed(data):
                self.worker.take(read_down(each))
        except (ValueError, msgspec.DecodeError):
            # Its text could quote a code.
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.worker.gone.set()

    def send(self, message: Up) -> None:
        self._transport.write(line(message))

    def close(self) -> None:
        self._transport.close()


def main(descriptor: int) -> None:
    """Serve until the gateway says so, is gone, or SIGTERM has come and the calls under way have ended."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_serve(socket.socket(fileno=descriptor)))


async def _serve(end: socket.socket) -> None:
    world, pipe = RealWorld(), _Pipe()

    def log(configure: Configure) -> Log:
        made = make_log(Lines(sys.stdout), world.now_ms, configure.log_level, configure.log_style, process="voice")
        capture_process(made)
        asyncio.get_running_loop().set_exception_handler(loop_fault_handler(made))
        made.info(LogEvent.WORKER_START)
        _calm_the_collector()
        return made

    worker = pipe.worker = VoiceWorker(world, _names, log, pipe.send, _aes)
    loop = asyncio.get_running_loop()
    # A terminal sends Ctrl-C to every process of it: when to end is the gateway's to say.
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    loop.add_signal_handler(signal.SIGTERM, worker.leave, _DRAIN_SECONDS)
    end.setblocking(False)
    await loop.create_unix_connection(lambda: pipe, sock=end)
    await worker.gone.wait()
    await worker.close()
    pipe.close()
    await asyncio.sleep(0)


def _calm_the_collector() -> None:
    """The voice is prepared, and it and all code stay: to look them over for cycles holds up the sound of every call
    for as long as a packet lasts."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _names() -> ServiceNames:
    try:
        from bocau.srv import DnsServices
    except ImportError as error:
        raise OSError("a trunk with srv needs the extra `voice`: pip install 'bocau[voice]'") from error
    return DnsServices()


def _aes() -> Aes:
    try:
        from bocau.aes import blocks
    except ImportError as error:
        raise OSError("a trunk with srtp needs the extra `voice`: pip install 'bocau[voice]'") from error
    return blocks


if __name__ == "__main__":
    main(int(sys.argv[1]))
