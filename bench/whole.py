"""End to end: one gateway process, and in this process the load, the carrier and the sink."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

from bench.carrier import Smsc
from bench.load import Load
from bench.process import Cores, CpuTime, GatewayProcess, pin
from bench.requests import body, http_request
from bench.sink import Sink
from bench.tally import Tally, quantile

__all__ = ["Broken", "Options", "measure"]

_BIND_SECONDS = 30.0
_SETTLE_SECONDS = 0.5
_LOOK_SECONDS = 0.02
_IDLE_SECONDS = 8.0
_RECORD_SECONDS = 0.2
"""After the last callback its record is still to be committed."""


class Broken(Exception):  # noqa: N818
    """The run came to nothing: the gateway did not start, or ended."""


class Options(NamedTuple):
    """What a run is to be."""

    messages: int
    connections: int
    receipt_delay: float
    """Seconds"""
    callbacks: bool
    window: int
    rate: float
    """Messages offered a second; 0: as many as the connections take."""
    folder: Path | None
    """Where the data folder is made; None: the system's place for temporary files."""


async def measure(options: Options, cores: Cores, profile: Path | None = None) -> dict[str, Any]:
    """One run on a fresh data folder. Raises Broken."""
    pin(cores.others)
    tally = Tally(options.messages)
    smsc, sink = Smsc(tally, options.receipt_delay), Sink(tally)
    smsc_port, sink_port = await smsc.start(), await sink.start()
    port = sink_port if options.callbacks else 0
    load = Load(tally, [http_request(body(number, port)) for number in range(options.messages)], options.rate)
    with tempfile.TemporaryDirectory(prefix="bocau-bench-", dir=options.folder) as folder:
        gateway = GatewayProcess(Path(folder), smsc_port, options.window, cores.gateway, profile)
        try:
            async with _started(gateway, smsc):
                await load.connect(gateway.api_port, options.connections)
                result = await _load(gateway, load, tally, options)
        finally:
            code = await asyncio.to_thread(gateway.stop)  # the carrier must still answer its unbind
            smsc.close()
            sink.close()
        if code:
            raise Broken(f"the gateway ended with {code}:\n{gateway.said()}")
    return {**result, "pinned": cores.pinned}


@contextlib.asynccontextmanager
async def _started(gateway: GatewayProcess, smsc: Smsc) -> AsyncIterator[None]:
    """From the bind on; what goes wrong inside is told with the gateway's own words."""
    end = time.monotonic() + _BIND_SECONDS
    while not smsc.bound.is_set():
        if not gateway.alive or time.monotonic() > end:
            raise Broken(f"the gateway did not bind:\n{gateway.said()}")
        await asyncio.sleep(_LOOK_SECONDS)
    await asyncio.sleep(_SETTLE_SECONDS)
    try:
        yield
    except OSError as error:
        raise Broken(f"{error}:\n{gateway.said()}") from error


async def _load(gateway: GatewayProcess, load: Load, tally: Tally, options: Options) -> dict[str, Any]:
    """Load it, wait until everything has ended, and add up."""
    idle_mb = gateway.memory_mb("VmRSS")
    gateway.begin()
    await asyncio.sleep(_LOOK_SECONDS)
    before, own_before = gateway.cpu(), time.process_time()
    running = asyncio.ensure_future(load.run())
    await _until_ended(gateway, running, tally, options)
    await asyncio.sleep(_RECORD_SECONDS)
    used, own = gateway.cpu().since(before), time.process_time() - own_before
    gateway.end()
    peak_mb = gateway.memory_mb("VmHWM")
    running.cancel()
    return {**_numbers(options, tally, used, own), "idle_rss_mb": idle_mb, "peak_rss_mb": peak_mb}


async def _until_ended(
    gateway: GatewayProcess, running: "asyncio.Future[None]", tally: Tally, options: Options
) -> None:
    """Wait for the last callback (or receipt), or until nothing has happened for some seconds."""
    steps, since = -1, time.monotonic()
    while not (running.done() and _all_told(tally, options)):
        await asyncio.sleep(_LOOK_SECONDS)
        now = time.monotonic()
        if tally.steps != steps:
            steps, since = tally.steps, now
        elif now - since > _IDLE_SECONDS + options.receipt_delay:
            return
        if not gateway.alive:
            raise Broken(f"the gateway ended under load:\n{gateway.said()}")


def _all_told(tally: Tally, options: Options) -> bool:
    accepted = tally.accepted_count
    return tally.receipts_taken >= accepted and (not options.callbacks or len(tally.tell_seconds) >= accepted)


def _numbers(options: Options, tally: Tally, used: CpuTime, own: float) -> dict[str, Any]:
    """What the tally and the CPU time say, for the JSON line."""
    accepted = tally.accepted_count
    ended = tally.last_call if options.callbacks else tally.last_submit + options.receipt_delay
    return {
        "messages": options.messages,
        "connections": options.connections,
        "window": options.window,
        "rate": options.rate,
        "receipt_delay_s": options.receipt_delay,
        "callbacks": options.callbacks,
        "accepted": accepted,
        "refused": tally.refused,
        "lost": tally.lost,
        "sent_twice": tally.sent_twice,
        "receipts_taken": tally.receipts_taken,
        "receipts_put_off": tally.receipts_put_off,
        "callback_lost": tally.callback_lost if options.callbacks else 0,
        "called_twice": tally.called_twice,
        "calls_astray": tally.calls_astray,
        "accept_per_s": _rate(accepted, tally.last_answer - tally.began),
        "submit_per_s": _rate(accepted, tally.last_submit - tally.began),
        "end_to_end_per_s": _rate(accepted, ended - tally.began - options.receipt_delay),
        "accept_ms": {"p50": quantile(tally.accept_seconds, 0.5), "p99": quantile(tally.accept_seconds, 0.99)},
        "tell_ms": {"p50": quantile(tally.tell_seconds, 0.5), "p99": quantile(tally.tell_seconds, 0.99)},
        "cpu_us": {
            "whole": _each(used.whole, accepted),
            "loop": _each(used.loop, accepted),
            "writer": _each(used.writer, accepted),
            "other": _each(used.other, accepted),
            "kernel": _each(used.kernel, accepted),
        },
        "bench_cpu_us": _each(own, accepted),
    }


def _rate(count: int, seconds: float) -> int:
    return round(count / seconds) if count and seconds > 0 else 0


def _each(seconds: float, count: int) -> float:
    return max(0.0, round(seconds / max(1, count) * 1e6, 1))
