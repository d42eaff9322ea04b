"""A dispatcher between a store that does what it is told and a carrier that only counts."""

import io
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from tests.simulation.world import BEGIN_MS, Machine, Network, play

from bocau.core.message import Intent, Message, Past
from bocau.dispatch.loop import Dispatcher
from bocau.dispatch.outlet import Outlet
from bocau.dispatch.pace import Pace
from bocau.dispatch.plan import Choice, Route, RouteTable
from bocau.ports import Pulse, Submission
from bocau.store.contract import Claimed, Done, StoreFault
from bocau.telemetry import DispatchMeters, Lines, make_log
from bocau.wire.gsm.parts import Profile

LONG = "Khong dua ma nay cho bat ky ai. " * 20


def message(
    number: int,
    parts: int = 1,
    *,
    tries: int = 0,
    brandname: str = "BOCAU",
    telco: int = 1,
    account: int = 1,
    route_class: str = "otp",
    sms_type: int = 2,
) -> Message:
    """A message that is ours."""
    return Message(
        id=number,
        head=number,
        account_id=account,
        smsid=f"s{number}",
        receivers=1,
        dropped=0,
        request_id="",
        campaign_id="",
        sms_type=sms_type,
        route_class=route_class,
        brandname=brandname,
        phone=f"09{number:08d}",
        telco=telco,
        content="4821 la ma" if parts == 1 else LONG[: 153 * parts - 10],
        parts=parts,
        price=1,
        callback_url="",
        state="queued",
        reason="",
        owner=1,
        tries=tries,
        carrier="north" if tries else "",
        reference=0,
        created_ms=BEGIN_MS,
        release_ms=BEGIN_MS,
        expires_ms=BEGIN_MS + 300_000,
        wake_ms=BEGIN_MS,
        final_ms=None,
        due_ms=BEGIN_MS,
    )


class CountingCarrier:
    """`ports.Carrier` with a window. `log` gets what leaves."""

    def __init__(self, machine: Machine, name: str, window: int, log: list[str]) -> None:
        self.name = name
        self.window = window
        self.up = True
        self.pulse = Pulse()
        self.adapts = False
        self.reserved = 0
        self.used = 0
        self.sent: list[tuple[float, Submission]] = []
        self.least_room = window
        self.notify: Callable[[], None] = lambda: None
        self._log = log
        self._machine = machine

    @property
    def outstanding(self) -> int:
        return self.used

    @property
    def room(self) -> int:
        return self.window - self.used - self.reserved if self.up else 0

    @property
    def idle(self) -> bool:
        return self.up and not self.used and not self.reserved

    def reserve(self, parts: int) -> None:
        self.reserved += parts
        self.least_room = min(self.least_room, self.room)

    def release(self, parts: int) -> None:
        self.reserved -= parts
        self.notify()

    def submit(self, submission: Submission) -> None:
        self.reserved -= len(submission.parts)
        self.used += len(submission.parts)
        self.sent.append((self._machine.world.monotonic(), submission))
        self._log.append(f"{self.name} submits {submission.message_id}")

    def answer(self, parts: int = 1) -> None:
        """It took so many parts: slots come free."""
        self.used -= parts
        self.pulse.beat()
        self.notify()

    @property
    def numbers(self) -> list[int]:
        """The messages that left, in order."""
        return [submission.message_id for _, submission in self.sent]


class ObedientStore:
    """`DispatchStore`. Intents commit after `commit_seconds`, or when `commit` is called if that is None."""

    epoch = 1

    def __init__(self, machine: Machine, log: list[str]) -> None:
        self.waiting: list[Message] = []
        self.commit_seconds: float | None = 0.001
        self.faults = 0
        """How many of the next acts fail."""
        self.refused: set[int] = set()
        """Messages that are not ours any more."""
        self.parts: dict[int, tuple[int, ...]] = {}
        self.intents: list[Intent] = []
        self.handed_back: list[tuple[int, str]] = []
        self.claims: list[tuple[int, frozenset[str]]] = []
        self.pasts: dict[int, Past] = {}
        self._pending: deque[Callable[[], None]] = deque()
        self._last_at = 0.0
        self._log = log
        self._machine = machine

    def _fault(self) -> StoreFault | None:
        if not self.faults:
            return None
        self.faults -= 1
        return StoreFault("disk full")

    async def claim(self, now_ms: int, room: Mapping[str, int], closed: frozenset[str]) -> Claimed:
        limit = room["otp"]
        self.claims.append((limit, closed))
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return Claimed(taken, frozenset((m.account_id, m.route_class) for m in self.waiting), whole=True)

    async def past(self, message_id: int) -> Past:
        await self._machine.world.sleep(self.commit_seconds or 0.001)
        fault = self._fault()
        if fault is not None:
            raise fault
        return self.pasts[message_id]

    async def open_parts(self, message_id: int) -> tuple[int, ...]:
        await self._machine.world.sleep(self.commit_seconds or 0.001)
        fault = self._fault()
        if fault is not None:
            raise fault
        return self.parts[message_id]

    def begin(self, intent: Intent, done: Done[int | None]) -> None:
        self.intents.append(intent)

        def commit() -> None:
            fault = self._fault()
            self._log.append(f"intent {intent.message_id}" if fault is None else f"fault {intent.message_id}")
            reference = None if intent.message_id in self.refused else 7 if intent.total > 1 else 0
            done(reference if fault is None else fault)

        self._after(commit)

    def hand_back(self, message_id: int, due_ms: int, parked: str, done: Done[None]) -> None:
        def commit() -> None:
            fault = self._fault()
            if fault is None:
                self.handed_back.append((message_id, parked))
            done(fault)

        self._after(commit)

    def _after(self, commit: Callable[[], None]) -> None:
        self._pending.append(commit)
        if self.commit_seconds is not None:
            loop = self._machine.network.loop
            self._last_at = max(self._last_at, loop.time() + self.commit_seconds)
            loop.call_at(self._last_at, self._commit_one)

    def _commit_one(self) -> None:
        # In the order of asking: equal timers do not keep theirs.
        self._pending.popleft()()

    def commit(self) -> None:
        """What waits is stored now."""
        for _ in range(len(self._pending)):
            self._commit_one()


class Desk:
    """Everything together. Routes: `all` goes to `north`, the brandname SOUTH to `south`, NOWHERE to a carrier that is
    not there, BOTH to `north` and then `south`.
    """

    def __init__(
        self, machine: Machine, *, window: int = 10, per_second: int = 0, ready: int = 100, kept: int = 0
    ) -> None:
        self.machine = machine
        self.log: list[str] = []
        self.said = io.StringIO()
        self.store = ObedientStore(machine, self.log)
        self.north = CountingCarrier(machine, "north", window, self.log)
        self.south = CountingCarrier(machine, "south", window, self.log)
        self.outlets = {
            carrier.name: Outlet(carrier, Pace(per_second), Profile(), kept=kept)
            for carrier in (self.north, self.south)
        }
        routes = [
            Route("south", (Choice("south"),), brandnames=("SOUTH",)),
            Route("nowhere", (Choice("west"),), brandnames=("NOWHERE",)),
            Route("both", (Choice("north"), Choice("south")), brandnames=("BOTH",)),
            Route("all", (Choice("north"),), telcos=(1,)),
        ]
        self.meters = DispatchMeters()
        log = make_log(Lines(self.said), machine.world.now_ms)
        self.dispatcher = Dispatcher(machine.world, self.store, ready, self.meters, log)
        self.table = RouteTable(routes)
        self.dispatcher.equip(self.table, self.outlets)
        self.north.notify = self.south.notify = self.dispatcher.notify

    def accept(self, *messages: Message) -> bool:
        """As the door does with one request; False if the lane takes none."""
        first = messages[0]
        if not self.dispatcher.lane.reserve(first.account_id, first.route_class, len(messages)):
            return False
        for one in messages:
            self.dispatcher.lane.fill(one)
        return True

    async def pass_time(self, seconds: float) -> None:
        """Virtual seconds."""
        await self.machine.world.sleep(seconds)


def run(scenario: Callable[[Desk], Coroutine[Any, Any, None]], **values: int) -> Desk:
    """A scenario at a desk whose loop runs."""

    async def whole(network: Network) -> Desk:
        desk = Desk(network.machine("us", "10.0.0.1"), **values)
        desk.dispatcher.loop.start()
        await scenario(desk)
        await desk.dispatcher.loop.stop()
        return desk

    return play(whole)
