"""Calls at once: what they cost in CPU, how even their sound is at the far end, what they do to the accept path.

A gateway with one voice worker, the far end (bench.callee), and here a customer who asks for the calls, all the while
sending messages of type 2 at a steady rate.
"""

import asyncio
import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from bench.carrier import Smsc
from bench.load import Load
from bench.process import children_of, cpu_seconds, spawn
from bench.requests import body, call_body, http_request
from bench.tally import Tally, quantile

__all__ = ["BrokenCalls", "CallOptions", "measure_calls"]

_CALLS_PER_SECOND = 25.0
_QUIET_SECONDS = 8.0
_BUSY_SECONDS = 16.0
"""Beyond the starts: so long all calls are up at once."""
_LOOK_SECONDS = 0.1
_LONGEST_SECONDS = 120.0
_RECEIPT_SECONDS = 0.5
_CONNECTIONS = 16
_LOGGED = b'{"ts":'


class CallOptions(NamedTuple):
    """What a run is to be."""

    calls: int
    rate: float
    """Messages of type 2 a second beside the calls."""
    folder: Path | None


class BrokenCalls(Exception):  # noqa: N818
    """The run came to nothing."""


class _Used(NamedTuple):
    """CPU seconds since the start of a process."""

    worker: float
    gateway: float


async def measure_calls(options: CallOptions) -> dict[str, Any]:
    """One run on a fresh data folder. Raises BrokenCalls."""
    smsc = Smsc(Tally(1_000_000), _RECEIPT_SECONDS)
    with tempfile.TemporaryDirectory(prefix="bocau-bench-", dir=options.folder) as folder:
        callee = spawn(["bench.callee"], frozenset(), subprocess.PIPE)
        words = [folder, _line(callee), str(await smsc.start()), str(options.calls)]
        gateway = spawn(["bench.calling", *words], frozenset(), subprocess.PIPE)
        try:
            port = await asyncio.to_thread(_line, gateway)
            if not port:
                raise BrokenCalls("the gateway did not start")
            result = await _Run(options, int(port), gateway.pid).play()
            ended = await asyncio.to_thread(_last_word, gateway)
            heard = await asyncio.to_thread(_last_word, callee)
        finally:
            smsc.close()
            for process in (gateway, callee):
                process.kill()
                process.wait()
    return _numbers(options, result, ended, heard)


class _Run:
    """The customer's side."""

    def __init__(self, options: CallOptions, port: int, gateway: int) -> None:
        self._options = options
        self._port = port
        self._gateway = gateway
        [self._worker] = children_of(gateway)
        self._sent = 0

    async def play(self) -> dict[str, Any]:
        """Texts alone, then texts beside calls; and what the calls cost."""
        quiet = await self._texts(_QUIET_SECONDS)
        before = self._used()
        calls = Tally(self._options.calls)
        requests = [http_request(call_body(number)) for number in range(self._options.calls)]
        asking = Load(calls, requests, _CALLS_PER_SECOND)
        await asking.connect(self._port, _CONNECTIONS)
        begun = asyncio.ensure_future(asking.run())
        busy = await self._texts(self._options.calls / _CALLS_PER_SECOND + _BUSY_SECONDS)
        await begun
        await self._quiet_worker()
        after = self._used()
        return {
            "asked": calls.accepted_count,
            "accept_quiet_ms": _spread(quiet),
            "accept_busy_ms": _spread(busy),
            "worker_cpu_s": round(after.worker - before.worker, 2),
            "gateway_cpu_s": round(after.gateway - before.gateway, 2),
        }

    async def _texts(self, seconds: float) -> Tally:
        count = round(seconds * self._options.rate)
        requests = [http_request(body(number, 0)) for number in range(self._sent, self._sent + count)]
        self._sent += count
        tally = Tally(count)
        load = Load(tally, requests, self._options.rate)
        await load.connect(self._port, _CONNECTIONS)
        await load.run()
        return tally

    def _used(self) -> _Used:
        return _Used(cpu_seconds(self._worker), cpu_seconds(self._gateway))

    async def _quiet_worker(self) -> None:
        """Until the last call has ended: the worker rests then. Raises BrokenCalls."""
        give_up, last = time.monotonic() + _LONGEST_SECONDS, -1.0
        while (now := cpu_seconds(self._worker)) - last > 0.02:
            if time.monotonic() > give_up:
                raise BrokenCalls("calls do not end")
            last = now
            await asyncio.sleep(2.0)


def _spread(tally: Tally) -> dict[str, float]:
    return {"p50": quantile(tally.accept_seconds, 0.5), "p99": quantile(tally.accept_seconds, 0.99)}


def _line(process: "subprocess.Popen[bytes]") -> str:
    """What a process says next, but for its log."""
    for line in process.stdout or ():
        if not line.startswith(_LOGGED):
            return line.decode().strip()
    return ""


def _last_word(process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """Tell a process to end, and take its figures. Raises BrokenCalls."""
    if process.stdin is not None:
        process.stdin.close()
    said = _line(process)
    if not said:
        raise BrokenCalls("a process ended without a word")
    figures: dict[str, Any] = json.loads(said)
    return figures


def _numbers(
    options: CallOptions, result: dict[str, Any], ended: dict[str, Any], heard: dict[str, Any]
) -> dict[str, Any]:
    seconds = float(heard["call_seconds"]) or 1.0
    return {
        "calls": options.calls,
        "text_rate": options.rate,
        **result,
        "ended": ended,
        "heard": heard,
        "cpu_ms_per_call_second": round(result["worker_cpu_s"] / seconds * 1000, 3),
        "lost_calls": options.calls - min(int(ended.get("ANSWERED", 0)), int(heard["hung_up"])),
    }
