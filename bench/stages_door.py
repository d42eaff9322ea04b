"""Stages of the door: the listener's socket, decoding, the checks, the rows of an admission."""

import asyncio
import pathlib
import time
from typing import NamedTuple

from bench.opposite import Opposite
from bench.process import Cores
from bench.requests import body, phone_of
from bench.stage import Effort, Stage, best, best_later, time_each
from bocau.accept.admit import admission
from bocau.accept.checks import Draft, Policy, check
from bocau.accept.counters import Counters
from bocau.accept.entry import Visit
from bocau.app import account_limits
from bocau.core import phone
from bocau.core.directory import Directory, DirectoryRows, Scope, build
from bocau.core.ids import Ids
from bocau.core.message import Admission
from bocau.core.numbering import shipped
from bocau.listener import Limits, Listener, Request
from bocau.provision import BENCH, provision
from bocau.settings import Settings, development
from bocau.store.sqlite import SqliteStore
from bocau.wire.esms import answers
from bocau.wire.esms.send import decode_send
from bocau.world import RealWorld

__all__ = ["Entrance", "door_stages"]

_PEPPER = b"bench" * 6
_SMSID = "0" * 35
_TTL_MS = {"otp": 300_000, "other": 86_400_000}
_BENCH_PORT = 8_080
_TRACKED = 200_000


class Entrance(NamedTuple):
    """What turns a body into an admission."""

    directory: Directory
    policy: Policy
    ids: Ids
    world: RealWorld
    visit: Visit
    """As the door has it, with counters."""
    rows: DirectoryRows
    pepper: bytes = _PEPPER

    @classmethod
    async def on(cls, store: SqliteStore) -> "Entrance":
        """Make the bench's account, and the checks of a `bocau dev`."""
        world = RealWorld()
        await provision(store, BENCH, _PEPPER, world.now_ms)
        accept = development(pathlib.Path()).accept
        policy = Policy(
            accept.unicode_policy,
            accept.strict_prefix,
            accept.max_receivers,
            accept.max_parts_gsm,
            accept.max_parts_ucs2,
            _TTL_MS["otp"],
            _TTL_MS["other"],
        )
        rows = await store.read_directory()
        directory = build(rows, _PEPPER)
        return cls(directory, policy, Ids(1, store.last_message_id), world, Visit(Scope.SEND, Counters(_TRACKED)), rows)

    def draft(self, content: bytes) -> Draft:
        """Decode and check. Raises ValueError if the request is refused."""
        draft = check(decode_send(content, b""), self.directory, self.policy, self.world.now_ms(), self.visit)
        if not isinstance(draft, Draft):
            raise ValueError(f"the bench's request was refused: {draft.reason}")
        return draft

    def admissions(self, count: int, series: str, epoch: int) -> list[Admission]:
        """So many requests of a series, ready for the store, owned by a node's start."""
        world, rows = self.world, []
        for number in range(count):
            content = body(number, _BENCH_PORT, series)
            draft, now_ms = self.draft(content), world.now_ms()
            rows.append(admission(decode_send(content), draft, self.ids, world.token(8), now_ms, _TTL_MS, epoch))
        return rows


async def door_stages(entrance: Entrance, effort: Effort, cores: Cores) -> list[Stage]:
    """All of them, in the order of a request."""
    bodies = [body(number, _BENCH_PORT) for number in range(effort.iterations)]
    return [
        Stage("HTTP listener: socket, parse, reply", await best_later(effort, lambda: _listen(effort, cores)), 26),
        Stage("decode the request, encode the answer", best(effort, lambda: time_each(_decode, bodies)), 2),
        *_checks(entrance, effort, bodies),
        Stage("admission: ids, rows", best(effort, lambda: _admit(entrance, bodies)), 3),
    ]


def _decode(content: bytes) -> None:
    decode_send(content, b"")
    answers.accepted(_SMSID)


def _checks(entrance: Entrance, effort: Effort, bodies: list[bytes]) -> list[Stage]:
    """The checks as a whole, and two parts that have budgets of their own."""
    directory, policy, now_ms, visit = entrance.directory, entrance.policy, entrance.world.now_ms(), entrance.visit
    entrance.draft(bodies[0])
    requests = [decode_send(content, b"") for content in bodies]
    numbers = [phone_of(number) for number in range(len(bodies))]
    keys = [(BENCH.api_key, BENCH.secret_key)] * len(bodies)
    whole = best(effort, lambda: time_each(lambda one: check(one, directory, policy, now_ms, visit), requests))
    key = best(effort, lambda: time_each(lambda pair: directory.sign_in(*pair, now_ms), keys))
    number = best(effort, lambda: time_each(_normalise, numbers))
    return [
        Stage("check(): all checks of the door", whole, 11),
        Stage("key look-up and compare", key, 1, part=True),
        Stage("limits of the settings, counted", best(effort, lambda: _count(entrance, numbers)), 2, part=True),
        Stage("phone, operator", number, 2, part=True),
    ]


def _count(entrance: Entrance, numbers: list[str]) -> float:
    """What the limits of a production gateway add to a message: its key's turn, its number looked up and counted."""
    limits = account_limits(Settings())._replace(requests_per_second=1_000_000, range_10_minutes=1_000_000)
    directory = build(entrance.rows, _PEPPER, limits=limits)
    key, now_ms = directory.sign_in(BENCH.api_key, BENCH.secret_key, 0), entrance.world.now_ms()
    assert key is not None
    counters, account = Counters(_TRACKED), key.account

    def each(number: str) -> None:
        counters.turn(key, now_ms, False)
        counters.crowded(account, (number,), now_ms)
        counters.count(account, number, now_ms)

    return time_each(each, numbers)


def _normalise(text: str) -> None:
    numbering = shipped()
    for given in phone.split_phones(text):
        numbering.telco_of(phone.normalise(given) or "")


def _admit(entrance: Entrance, bodies: list[bytes]) -> float:
    world, ids = entrance.world, entrance.ids
    pairs = [(decode_send(content, b""), entrance.draft(content)) for content in bodies]
    began = time.process_time()
    for request, draft in pairs:
        admission(request, draft, ids, world.token(8), world.now_ms(), _TTL_MS, 1)
    return (time.process_time() - began) / len(pairs) * 1e6


async def _listen(effort: Effort, cores: Cores) -> float:
    """A burst of the bench's requests, each answered at once with a constant body."""
    answer, seen, began, ended = answers.accepted(_SMSID), 0, 0.0, 0.0
    finished = asyncio.Event()

    def handle(request: Request) -> None:
        nonlocal seen, began, ended
        request.respond(200, answer)
        seen += 1
        if seen == 1:
            began = time.process_time()
        if seen == effort.iterations:
            ended = time.process_time()
            finished.set()

    def fault(error: BaseException) -> None:
        raise error

    listener = await Listener.start(RealWorld(), handle, "127.0.0.1", 0, Limits(), fault)
    with Opposite(["burst", str(listener.port), str(effort.iterations)], cores.others):
        await finished.wait()
    await listener.close(1.0)
    return (ended - began) / effort.iterations * 1e6
