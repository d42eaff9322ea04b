"""The loop of room 3: from the lane and the store to carriers, intent first."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from bocau.core.message import Intent, Message
from bocau.dispatch.pace import Pace
from bocau.dispatch.plan import Route, choose, cut_for
from bocau.loops import ClaimLoop, Lane
from bocau.ports import Carrier, PartOut, Submission, World
from bocau.store.contract import DispatchStore, StoreFault
from bocau.telemetry import DispatchMeters, Log, LogEvent
from bocau.wire.gsm.parts import Profile

__all__ = ["Dispatcher", "Outlet"]

_POLL_SECONDS: Final = 0.25
_NO_ROUTE_WAIT_MS: Final = 30_000
_CROWDED_WAIT_MS: Final = 2_000
_FAULT_SECONDS: Final = 1.0


class Outlet:
    """A carrier account as dispatch sees it: where parts go, how fast, in what shape, and what waits for it."""

    __slots__ = ("carrier", "pace", "profile", "queue", "timer")

    def __init__(self, carrier: Carrier, pace: Pace, profile: Profile) -> None:
        self.carrier = carrier
        self.pace = pace
        self.profile = profile
        self.queue: deque[Message] = deque()
        self.timer: asyncio.TimerHandle | None = None

    def let_go(self, parts: int) -> None:
        """So many parts that had their slots and their turn will not leave."""
        self.pace.let_go(parts)
        self.carrier.release(parts)


class Dispatcher:
    """Feeds carriers with as many messages as they have free window slots, and no more."""

    def __init__(
        self,
        world: World,
        store: DispatchStore,
        outlets: Mapping[str, Outlet],
        routes: Sequence[Route],
        ready_messages: int,
        meters: DispatchMeters,
        log: Log,
    ) -> None:
        self.lane: Lane[Message] = Lane(ready_messages, self.notify)
        """Messages accepted just now come in here, straight from their commit."""
        self.loop = ClaimLoop(world, self._claim, _POLL_SECONDS, log)
        self.stopping = False
        self._world = world
        self._store = store
        self._outlets = outlets
        self._routes = routes
        self._share = max(1, ready_messages // max(1, len(outlets)))
        self._meters = meters
        self._log = log
        self._notified = False
        self._beginning = 0

    @property
    def waiting(self) -> int:
        """Messages in memory that no carrier has been offered yet."""
        return len(self.lane) + sum(len(outlet.queue) for outlet in self._outlets.values())

    @property
    def quiet(self) -> bool:
        """Nothing is between its claim and its submission."""
        return not self._beginning

    def notify(self) -> None:
        """There may be messages or free slots: look once, at the end of this turn of the loop."""
        if not self._notified:
            self._notified = True
            asyncio.get_running_loop().call_soon(self._pump)

    async def _claim(self) -> bool:
        """Take due messages from the store; a claim that brings less than asked for opens the lane again."""
        room = self.lane.room
        if self.stopping or room <= 0:
            return False
        claimed = await self._store.claim(self._world.now_ms(), room)
        self._meters.claimed += len(claimed)
        for message in claimed:
            self.lane.put(message)
        if len(claimed) < room:
            self.lane.open = True
        return False

    def _pump(self) -> None:
        self._notified = False
        if self.stopping:
            return
        while self.lane.items:
            self._sort(self.lane.take())
        for outlet in self._outlets.values():
            if outlet.queue:
                self._feed(outlet)

    def _sort(self, message: Message) -> None:
        """Put a message behind its carrier; one that has no route or no place there goes back to the store."""
        route = choose(message, self._routes)
        outlet = None if route is None else self._outlets.get(route.carrier)
        if outlet is None:
            self._meters.unroutable += 1
            self._hand_back(message, _NO_ROUTE_WAIT_MS)
        elif len(outlet.queue) >= self._share:
            self._hand_back(message, _CROWDED_WAIT_MS)
        else:
            outlet.queue.append(message)

    def _hand_back(self, message: Message, wait_ms: int) -> None:
        self.lane.let_go()
        self._store.hand_back(message.id, self._world.now_ms() + wait_ms, partial(self._handed_back, message))

    def _handed_back(self, message: Message, result: StoreFault | None) -> None:
        """A message that the store could not take back is still ours there: it waits here."""
        if result is not None:
            self._later(message, result)

    def _feed(self, outlet: Outlet) -> None:
        """Begin as many messages as the carrier has room for and its pace allows."""
        now, now_ms = self._world.monotonic(), self._world.now_ms()
        room, queue = outlet.carrier.room, outlet.queue
        while queue and _has_room(outlet.carrier, queue[0], room) and outlet.pace.fits(queue[0].parts, now):
            message = queue.popleft()
            self.lane.let_go()
            room -= self._begin(outlet, message, now, now_ms)
        if queue and _has_room(outlet.carrier, queue[0], room) and outlet.timer is None:
            self._again_at(outlet, outlet.pace.next_at(queue[0].parts, now) - now)

    def _again_at(self, outlet: Outlet, seconds: float) -> None:
        def again() -> None:
            outlet.timer = None
            self.notify()

        outlet.timer = asyncio.get_running_loop().call_later(max(0.001, seconds), again)

    def _begin(self, outlet: Outlet, message: Message, now: float, now_ms: int) -> int:
        """Store the intent; only its commit lets bytes leave. Returns how many slots are reserved for it."""
        total = message.parts if message.parts == 1 else len(cut_for(message, 0, outlet.profile))
        outlet.carrier.reserve(total)
        outlet.pace.hold(total, now)
        if message.tries:
            # Its slots are reserved before the store is asked which parts are left: others look for room meanwhile.
            task = asyncio.ensure_future(self._begin_again(outlet, message, total))
            self._beginning += 1
            task.add_done_callback(self._begun_again)
        else:
            self._intend(outlet, message, tuple(range(1, total + 1)), total, now_ms)
        return total

    async def _begin_again(self, outlet: Outlet, message: Message, total: int) -> None:
        """A message tried before: only the parts that no carrier has."""
        try:
            parts = await self._store.open_parts(message.id)
        except StoreFault as fault:
            self._not_begun(outlet, message, total, fault)
            return
        if len(parts) != total:
            outlet.let_go(total - len(parts))
        if parts:
            self._intend(outlet, message, parts, total, self._world.now_ms())

    def _begun_again(self, task: "asyncio.Task[None]") -> None:
        self._beginning -= 1
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._log.error(LogEvent.FAULT, exc_info=error)

    def _intend(self, outlet: Outlet, message: Message, parts: tuple[int, ...], total: int, now_ms: int) -> None:
        """Have the intent stored; as many slots as it has parts are reserved."""
        self._beginning += 1
        intent = Intent(message.id, parts, total, message.tries + 1, outlet.carrier.name, message.phone, now_ms)
        self._store.begin(intent, partial(self._begun, outlet, message, intent))

    def _begun(self, outlet: Outlet, message: Message, intent: Intent, reference: int | StoreFault | None) -> None:
        """The intent is stored, or it is not: then nothing leaves."""
        self._beginning -= 1
        if isinstance(reference, StoreFault):
            self._not_begun(outlet, message, len(intent.parts), reference)
            return
        if reference is None:
            outlet.let_go(len(intent.parts))
            return
        self._meters.planned += 1
        self._meters.wait_seconds.observe((intent.at_ms - message.release_ms) / 1000)
        cuts = cut_for(message, reference, outlet.profile)
        outlet.pace.spend(len(intent.parts), self._world.monotonic())
        outlet.carrier.submit(
            Submission(
                message.id,
                message.account_id,
                intent.number,
                intent.total,
                message.brandname,
                message.phone,
                message.route_class,
                tuple(
                    PartOut(part, cut.data, cut.data_coding, cut.esm_class, cut.tlvs)
                    for part in intent.parts
                    for cut in (cuts[part - 1],)
                ),
                message,
            )
        )

    def _not_begun(self, outlet: Outlet, message: Message, parts: int, fault: StoreFault) -> None:
        """The store could not say or keep it: nothing leaves, and it is tried again soon."""
        outlet.let_go(parts)
        self._later(message, fault)

    def _later(self, message: Message, fault: StoreFault) -> None:
        self._log.error(LogEvent.STORE_FAIL, exc_info=fault)
        asyncio.get_running_loop().call_later(_FAULT_SECONDS, self._put_back, message)

    def _put_back(self, message: Message) -> None:
        """After a fault of the store: the message is still ours in the store, so it waits here again."""
        if not self.stopping:
            self.lane.put(message)


def _has_room(carrier: Carrier, message: Message, room: int) -> bool:
    """Whether a message may begin. One with more parts than there will ever be slots goes to an idle carrier, which
    puts off what it cannot take: otherwise it would wait for ever, and everything behind it."""
    return message.parts <= room or carrier.idle
