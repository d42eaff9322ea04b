"""Stages of the callback: its URL and signature, the GET over a socket, the whole of it."""

import asyncio
import ipaddress
import time
from collections.abc import Sequence

from msgspec.structs import replace

from bench.opposite import Opposite
from bench.process import Cores
from bench.requests import CALLBACK_PATH
from bench.stage import Effort, Stage, best, best_later, time_each
from bench.stages_carrier import quiet_log
from bocau.caller.client import GuardedHttp, HttpLimits
from bocau.caller.guard import parse_target
from bocau.core.message import CallbackDue, CallbackTry
from bocau.report.callbacks import CallbackPolicy, Callbacks, url_of
from bocau.report.signature import Signer, signature_headers
from bocau.store.contract import Done
from bocau.telemetry import ReportMeters
from bocau.world import RealWorld

__all__ = ["callback_stages"]

_SECRET = b"bench-callback-signing-key"
_LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
_IN_FLIGHT = 64
_PER_HOST = 32
_POLICY = CallbackPolicy((0, 30), 20, 10.0, _IN_FLIGHT, _IN_FLIGHT, (_SECRET,))


async def callback_stages(given: Sequence[CallbackDue], effort: Effort, cores: Cores) -> list[Stage]:
    """The whole GET, then its parts."""
    with Opposite(["sink"], cores.others) as opposite:
        port = int(opposite.line())
        dues = [
            replace(due, url=f"http://127.0.0.1:{port}{CALLBACK_PATH}{number % 10_000_000:07d}?from=bench")
            for number, due in enumerate(given)
        ]
        whole = await best_later(effort, lambda: _tell(dues))
        urls = [url_of(due, _POLICY) for due in dues]
        get = await best_later(effort, lambda: _get(urls))
    signers = [Signer(_SECRET)]
    events = [(due.summary.smsid, url.encode()) for due, url in zip(dues, urls, strict=True)]
    sign = best(effort, lambda: time_each(lambda event: signature_headers(signers, event[0], 1, event[1]), events))
    return [
        Stage("callback: URL, signature, GET, verdict", whole, 50),
        Stage(
            "URL with its query",
            best(effort, lambda: time_each(lambda due: url_of(due, _POLICY), dues)),
            None,
            part=True,
        ),
        Stage("signature", sign, None, part=True),
        Stage("target through the guard", best(effort, lambda: time_each(parse_target, urls)), None, part=True),
        Stage("GET over a kept connection, guard included", get, None, part=True),
    ]


class _Store:
    """Takes every try."""

    def __init__(self, expected: int) -> None:
        self._left = expected
        self.finished = asyncio.Event()
        self.failed = 0

    async def claim_callbacks(self, now_ms: int, limit: int) -> list[CallbackDue]:
        del now_ms, limit
        return []

    def tried(self, attempt: CallbackTry, done: Done[None]) -> None:
        self.failed += attempt.verdict != "done"
        done(None)
        self._left -= 1
        if not self._left:
            self.finished.set()


async def _tell(dues: Sequence[CallbackDue]) -> float:
    """As after receipts: they fall due in lots and as many GETs go on as the settings allow."""
    world, store = RealWorld(), _Store(len(dues))
    http = GuardedHttp(world, (_LOOPBACK,), HttpLimits(_PER_HOST))
    policy = _POLICY._replace(waiting=len(dues))
    callbacks = Callbacks(world, store, http, policy, ReportMeters(), quiet_log(world))
    began = time.process_time()
    for due in dues:
        callbacks.lane.reserve(1)
        callbacks.lane.fill(due)
    await store.finished.wait()
    used = time.process_time() - began
    http.close()
    if store.failed:
        raise ValueError(f"{store.failed} callbacks failed")
    return used / len(dues) * 1e6


async def _get(urls: Sequence[str]) -> float:
    """GETs without their signature, by as many tasks as there are connections."""
    http = GuardedHttp(RealWorld(), (_LOOPBACK,), HttpLimits(_PER_HOST))
    waiting = iter(urls)

    async def work() -> None:
        for url in waiting:
            answer = await http.get(url, _no_headers, 10.0)
            if answer.status != 200:
                raise ValueError(f"the sink said {answer.status}")

    began = time.process_time()
    await asyncio.gather(*(work() for _ in range(_PER_HOST)))
    used = time.process_time() - began
    http.close()
    return used / len(urls) * 1e6


def _no_headers(sent: str) -> Sequence[tuple[str, str]]:
    del sent
    return ()
