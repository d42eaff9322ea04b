"""The other end of a socket stage, as a process of its own: `python -m bench.opposite burst PORT N` or `... sink`."""

import asyncio
import subprocess
import sys
from types import TracebackType

import uvloop

from bench.load import Load
from bench.process import spawn
from bench.requests import body, http_request
from bench.sink import Sink
from bench.tally import Tally

__all__ = ["Opposite"]

_CONNECTIONS = 64
_SINK_PORT = 8_080


class Opposite:
    """A process that ends with the block. `line` is what it has to tell: the port of a sink."""

    def __init__(self, arguments: list[str], cores: frozenset[int]) -> None:
        self._process = spawn(["bench.opposite", *arguments], cores, subprocess.PIPE)

    def line(self) -> str:
        """Its next line."""
        out = self._process.stdout
        return "" if out is None else out.readline().decode().strip()

    def __enter__(self) -> "Opposite":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()


async def burst(port: int, count: int) -> None:
    """Send so many requests as fast as they are answered."""
    load = Load(Tally(count), [http_request(body(number, _SINK_PORT)) for number in range(count)])
    await load.connect(port, _CONNECTIONS)
    await load.run()


async def sink() -> None:
    """Take callbacks until standard input closes."""
    print(await Sink(Tally(10_000_000)).start(), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Run one of the two."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(burst(int(sys.argv[2]), int(sys.argv[3])) if sys.argv[1] == "burst" else sink())


if __name__ == "__main__":
    main()
