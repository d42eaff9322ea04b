"""Whether the time of a 101 tells what was wrong with the keys (promises S4): Welch's t, class against class.

The whole way from a request at the door to its answer is timed, in one process, the classes in random order. Each try
comes from an address of its own, so that no answer is held back. What took longer than nine in ten tries of both
classes was mostly interrupted by something else, and is left out of both alike.
"""

import gc
import io
import ipaddress
import json
import math
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Final, NamedTuple

from bench.requests import PATH, body
from bench.stages_door import Entrance
from bench.stages_store import open_store
from bocau.accept.door import Door
from bocau.core.directory import build
from bocau.listener import JSON
from bocau.loops import MessageLane
from bocau.provision import BENCH
from bocau.store.sqlite import SqliteStore
from bocau.telemetry import AcceptMeters, Lines, make_log
from bocau.wire.esms import answers, codes

__all__ = ["CLASSES", "LEAKS_FROM", "Pair", "Probe", "probe_keys", "welch"]

LEAKS_FROM: Final = 4.5
"""|t| from which two classes can be told from each other."""
CLASSES: Final = ("wrong key", "wrong secret", "unknown key", "disabled key")
_KEPT: Final = 0.9
_SEED: Final = 4
_FIRST_ADDRESS: Final = 0x0A00_0000
"""10.0.0.0"""


class Pair(NamedTuple):
    """Two classes, and the statistic between them."""

    one: str
    other: str
    t: float

    @property
    def above(self) -> bool:
        """Whether the times tell the classes apart."""
        return abs(self.t) >= LEAKS_FROM


class Probe(NamedTuple):
    """What was measured."""

    microseconds: dict[str, float]
    """Median by class."""
    pairs: list[Pair]


class _Stranger:
    """A request from an address that never asked before."""

    def __init__(self, content: bytes, number: int) -> None:
        self.method, self.target, self.body = "POST", PATH.encode(), content
        self.headers: Sequence[tuple[bytes, bytes]] = ()
        self.peer = str(ipaddress.IPv4Address(_FIRST_ADDRESS + number))
        self.answer = b""

    def header(self, name: bytes) -> bytes:
        """None."""
        del name
        return b""

    def respond(
        self, status: int, body: bytes, content_type: bytes = JSON, headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> None:
        """Keep the answer."""
        del status, content_type, headers
        self.answer = body


async def probe_keys(tries: int, folder: Path | None) -> Probe:
    """So many tries of each class, at a door of its own."""
    with tempfile.TemporaryDirectory(prefix="bocau-bench-", dir=folder) as place:
        store, _ = open_store(f"{place}/bocau.db")
        entrance = await Entrance.on(store)
        door = await _door(store, entrance)
        times = _timed(door, tries)
        await store.close(entrance.world.now_ms())
    pairs = [Pair(one, other, welch(*_cropped(times[one], times[other]))) for one, other in combinations(CLASSES, 2)]
    return Probe({name: statistics.median(values) / 1000 for name, values in times.items()}, pairs)


async def _door(store: SqliteStore, entrance: Entrance) -> Door:
    """The real door, with a key beside the bench's that is switched off and else the same."""
    key = next(row for row in entrance.rows.keys if row.api_key == BENCH.api_key)
    await store.put_key(key._replace(api_key=_mirrored(BENCH.api_key), state="disabled"), entrance.world.now_ms())
    log = make_log(Lines(io.StringIO()), entrance.world.now_ms, "error")
    lane = MessageLane(1, lambda: None)
    door = Door(entrance.world, store, entrance.ids, entrance.policy, lane, AcceptMeters(), log)
    door.directory = build(await store.read_directory(), entrance.pepper)
    return door


def _bodies() -> dict[str, bytes]:
    """A request of each class, all of one length."""
    key, secret = BENCH.api_key, BENCH.secret_key
    pairs = ((f"{key[:-1]}~", secret), (key, f"{secret[:-1]}~"), ("~" * len(key), secret), (_mirrored(key), secret))
    plain = json.loads(body(1, 0))
    return {
        name: json.dumps({**plain, "ApiKey": api_key, "SecretKey": secret_key}).encode()
        for name, (api_key, secret_key) in zip(CLASSES, pairs, strict=True)
    }


def _mirrored(text: str) -> str:
    return text[::-1]


def _timed(door: Door, tries: int) -> dict[str, list[int]]:
    """Nanoseconds of each try, by class. Raises ValueError if an answer is another than the 101."""
    order = [name for name in CLASSES for _ in range(tries)]
    random.Random(_SEED).shuffle(order)
    times: dict[str, list[int]] = {name: [] for name in CLASSES}
    bodies, told = _bodies(), set()
    gc.disable()
    try:
        for number, name in enumerate(order):
            request = _Stranger(bodies[name], number)
            began = time.perf_counter_ns()
            door.handle(request)  # type: ignore[arg-type]  # as much of a request as the door looks at
            times[name].append(time.perf_counter_ns() - began)
            told.add(request.answer)
    finally:
        gc.enable()
    if told != {answers.refused(codes.AUTHORIZE_FAILED, codes.text(codes.AUTHORIZE_FAILED))}:
        raise ValueError("the door said something else than 101")
    return times


def _cropped(one: Sequence[int], other: Sequence[int]) -> tuple[list[int], list[int]]:
    """Both without what lies above the limit that they share."""
    limit = sorted((*one, *other))[int(_KEPT * (len(one) + len(other))) - 1]
    return [value for value in one if value <= limit], [value for value in other if value <= limit]


def welch(one: Sequence[int], other: Sequence[int]) -> float:
    """Welch's t of two samples of at least two values each; 0 if neither varies and both are equal."""
    difference = statistics.fmean(one) - statistics.fmean(other)
    spread = math.sqrt(statistics.variance(one) / len(one) + statistics.variance(other) / len(other))
    return difference / spread if spread else math.copysign(math.inf, difference) if difference else 0.0
