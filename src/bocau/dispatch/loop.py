"""The loop of room 3: from the lane and the store to carriers, intent first."""

import asyncio
from collections.abc import Coroutine, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from bocau.core.message import Intent, Message, Recourse, RouteClass
from bocau.dispatch.breaker import Phase
from bocau.dispatch.lookup import NetworkLookup
from bocau.dispatch.outlet import Halt, Outlet, OutletState
from bocau.dispatch.plan import RouteTable, Way, cut_for, order_again
from bocau.dispatch.queue import FairQueue, Waiting
from bocau.loops import ClaimLoop, MessageLane
from bocau.ports import PartOut, Submission, World
from bocau.store.contract import DispatchStore, StoreFault
from bocau.telemetry import DispatchMeters, Log, LogEvent
from bocau.wire.gsm.parts import Part

__all__ = ["NO_ROUTE", "Dispatcher", "Moved"]

NO_ROUTE: Final = "(no route)"
"""Where messages are parked that no route takes; no route can have this name."""

_OTP: Final = RouteClass.OTP.value
_ALONE: Final = (1,)
"""The parts of most messages."""
_CALLED: Final = 8
"""The SmsType that goes by a call or by a text."""
_POLL_SECONDS: Final = 0.25
_FAULT_SECONDS: Final = 1.0


class Moved(NamedTuple):
    """How many messages were taken from a carrier's queue and given to others."""

    urgent: int
    bulk: int
    to: tuple[str, ...]
    """Whom they were given to."""


class Dispatcher:
    """Feeds carriers with as many messages as they have free window slots, and no more."""

    def __init__(
        self,
        world: World,
        store: DispatchStore,
        ready_messages: int,
        meters: DispatchMeters,
        log: Log,
    ) -> None:
        self.lane = MessageLane(ready_messages, self.notify)
        """Messages accepted just now come in here, straight from their commit."""
        self.loop = ClaimLoop(world, self._claim, _POLL_SECONDS, log)
        self.stopping = False
        self.outlets: dict[str, Outlet] = {}
        """By carrier; change it with `equip`."""
        self.lookup: NetworkLookup | None = None
        """Whom to ask for networks of numbers, if anybody."""
        self._table = RouteTable()
        self._parked: set[str] = set()
        self._behind = False
        self._world = world
        self._store = store
        self._ready_messages = ready_messages
        self._meters = meters
        self._log = log
        self._notified = False
        self._beginning = 0

    # What the gateway and the operator ask for

    def equip(self, table: RouteTable, outlets: Mapping[str, Outlet]) -> None:
        """Take new routes and carriers. What waits for a carrier is chosen for anew; of those that stay, the queues
        do, and so do the halts of an operator."""
        share = max(1, self._ready_messages // max(1, len(outlets)))
        waiting = [one for outlet in self.outlets.values() for one in outlet.queue.empty()]
        self.outlets = dict(outlets)
        self._table = table
        for outlet in self.outlets.values():
            outlet.queue = FairQueue(share)
        self._parked.clear()
        for message, _, _ in waiting:
            self._sort(message)
        self.loop.wakeup.set()
        self.notify()

    def halt(self, name: str, halt: Halt) -> Moved:
        """Give a carrier no new submits, or let it have them again. Its window, links and receipts go on.

        What waited for it goes to other carriers of its routes; the rest waits. Raises KeyError.
        """
        outlet = self.outlets[name]
        outlet.halt = halt
        outlet.settle()
        moved = self._move(outlet) if halt else Moved(0, 0, ())
        self.loop.wakeup.set()
        self.notify()
        return moved

    def states(self) -> list[OutletState]:
        """How every carrier stands."""
        return [outlet.state for outlet in self.outlets.values()]

    @property
    def waiting(self) -> int:
        """Messages in memory that no carrier has been offered yet."""
        asking = 0 if self.lookup is None else self.lookup.waiting
        return asking + len(self.lane) + sum(len(outlet.queue) for outlet in self.outlets.values())

    @property
    def quiet(self) -> bool:
        """Nothing is between its claim and its submission."""
        return not self._beginning

    def notify(self) -> None:
        """There may be messages or free slots: look once, at the end of this turn of the loop."""
        if not self._notified:
            self._notified = True
            asyncio.get_running_loop().call_soon(self._pump)

    # Claims

    async def _claim(self) -> bool:
        """Look how the carriers stand, then take due messages of whom memory has room for."""
        self._look()
        lane = self.lane
        room = {route_class.value: lane.room(route_class) for route_class in RouteClass}
        if self.stopping or not any(room.values()):
            return False
        claimed = await self._store.claim(self._world.now_ms(), room, self._closed())
        self._meters.claimed += len(claimed.messages)
        for message in claimed.messages:
            lane.put(message)
        if claimed.whole:
            lane.reopen(claimed.left)
        self._behind = bool(claimed.left) or not claimed.whole
        return not claimed.whole

    def _closed(self) -> frozenset[str]:
        """Where messages are parked that could not be placed now either: they are not worth a claim."""
        self._parked = {name for name in self._parked if not self._has_place(name)}
        return frozenset(self._parked)

    def _has_place(self, parked: str) -> bool:
        """Whether what is parked for a route may go on. What has no route waits for new routes."""
        if parked == NO_ROUTE:
            return False
        ways = [self.outlets[name] for name in self._table.carriers(parked) if name in self.outlets]
        return not ways or any(outlet.usable and len(outlet.queue) * 2 <= outlet.queue.limit for outlet in ways)

    # Carriers

    def _look(self) -> None:
        """See which carriers are to be trusted; what waits for one that is not goes elsewhere."""
        now = self._world.monotonic()
        for outlet in self.outlets.values():
            self._judge(outlet, now)

    def _judge(self, outlet: Outlet, now: float) -> None:
        phase = outlet.look(now)
        if phase is None:
            return
        name, why = outlet.carrier.name, outlet.breaker.why
        self._meters.breaker[phase.value] += 1
        if phase is Phase.OPEN:
            moved = self._move(outlet)
            moved_to = ", ".join(moved.to) or "nobody"
            self._log.warning(
                LogEvent.CARRIER_OPEN,
                carrier=name,
                reason=why,
                otp_moved=moved.urgent,
                bulk_moved=moved.bulk,
                moved_to=moved_to,
            )
        elif phase is Phase.HALF_OPEN:
            self._log.info(LogEvent.CARRIER_PROBE, carrier=name, messages=outlet.probes)
        else:
            self._log.info(LogEvent.CARRIER_CLOSE, carrier=name)
        self.notify()

    def _move(self, outlet: Outlet) -> Moved:
        """Give what waits for a carrier to others that may take it now; the rest stays."""
        counts = {True: 0, False: 0}
        to: dict[str, None] = {}
        for waiting in outlet.queue.empty():
            message, way, _ = waiting
            if message.tries:
                self._sort(message)
                continue
            found = self._first(way.carriers)
            if found is None or not found.usable or not found.queue.put(waiting):
                outlet.queue.put(waiting)
                continue
            counts[message.route_class == RouteClass.OTP] += 1
            to[found.carrier.name] = None
        moved = Moved(counts[True], counts[False], tuple(to))
        self._meters.moved["otp"] += moved.urgent
        self._meters.moved["other"] += moved.bulk
        return moved

    # Messages

    def _pump(self) -> None:
        self._notified = False
        if self.stopping:
            return
        items = self.lane.items
        while items:
            self._sort(items.popleft())
        for outlet in self.outlets.values():
            if outlet.carrier.pulse.failures >= outlet.trip:
                self._judge(outlet, self._world.monotonic())
            if outlet.queue.urgent.size or outlet.queue.bulk.size:
                self._feed(outlet)
        if self._behind and self.lane.spacious:
            self._behind = False
            self.loop.wakeup.set()

    def _sort(self, message: Message) -> None:
        """Put a message behind its carrier, once it is known how much there is to know of its network."""
        telco = 0
        if self.lookup is not None and self._table.by_telco:
            telco = self.lookup.known(message.phone)
            if not telco and not message.tries and self.lookup.ask(message.phone, partial(self._looked_up, message)):
                return
        self._route(message, telco)

    def _looked_up(self, message: Message, telco: int) -> None:
        """The network was told, or it is not to be had in time. While we stop the message stays as it is stored."""
        if not self.stopping:
            self._route(message, telco)
            self.notify()

    def _route(self, message: Message, telco: int) -> None:
        """One that has no route or no place there goes back to the store."""
        way = self._table.choose(message, telco)
        if way is None:
            self._meters.unroutable += 1
            self._park(message, NO_ROUTE)
        elif message.tries and way.carriers != (message.carrier,):
            self._run(self._sort_again(message, way))
        else:
            self._place(message, way, way.carriers, anew=False)

    async def _sort_again(self, message: Message, way: Way) -> None:
        """A message tried before: what came of it says who may have it."""
        try:
            past = await self._store.past(message.id)
        except StoreFault as fault:
            self._later(message, fault)
            return
        carriers, left = order_again(way, past)
        found = self._first(carriers)
        if found is None:
            self._meters.unroutable += 1
            self._park(message, NO_ROUTE)
            return
        name = found.carrier.name
        way = way._replace(recourse=Recourse(bool(left - {name}), way.recourse.uncertain))
        self._place(message, way, (name,), anew=name != past.carrier)
        self.notify()

    def _first(self, carriers: tuple[str, ...]) -> Outlet | None:
        """The first carrier that may be given messages now; if there is none, the first that exists."""
        first = None
        for name in carriers:
            outlet = self.outlets.get(name)
            if outlet is None:
                continue
            if outlet.usable:
                return outlet
            first = first or outlet
        return first

    def _place(self, message: Message, way: Way, carriers: tuple[str, ...], *, anew: bool) -> None:
        outlet = self._first(carriers)
        if outlet is None:
            self._meters.unroutable += 1
            self._park(message, NO_ROUTE)
        elif not outlet.queue.put((message, way, anew)):
            self._park(message, way.route.name)

    def _park(self, message: Message, place: str) -> None:
        """Back to the store, to be claimed when `place` has room again: until then it costs nothing."""
        self._parked.add(place)
        self._meters.parked += 1
        self.lane.let_go(message.account_id)
        self._store.hand_back(message.id, self._world.now_ms(), place, partial(self._handed_back, message))

    def _handed_back(self, message: Message, result: StoreFault | None) -> None:
        """A message that the store could not take back is still ours there: it waits here."""
        if result is not None:
            self._log.error(LogEvent.STORE_FAIL, exc_info=result)
            asyncio.get_running_loop().call_later(_FAULT_SECONDS, self._take_again, message)

    def _take_again(self, message: Message) -> None:
        if not self.stopping:
            self.lane.put(message)

    def _feed(self, outlet: Outlet) -> None:
        """Begin as many messages as the carrier has room for and its pace allows."""
        if not outlet.usable:
            return
        now, now_ms = self._world.monotonic(), self._world.now_ms()
        carrier, queue, pace = outlet.carrier, outlet.queue, outlet.pace
        room = carrier.room
        if outlet.rests(now):
            self._again_at(outlet, outlet.rest_until - now)
            return
        while (waiting := queue.head(room - outlet.kept)) is not None:
            message = waiting[0]
            kept = 0 if message.route_class == _OTP else outlet.kept
            if message.parts > room - kept and not carrier.idle:
                return
            if not pace.fits(message.parts, now):
                self._again_at(outlet, pace.next_at(message.parts, now) - now)
                return
            queue.pop()
            self.lane.let_go(message.account_id)
            room -= self._begin(outlet, waiting, now, now_ms)
            outlet.probes -= 1
            if not outlet.probes:
                outlet.settle()
                return

    def _again_at(self, outlet: Outlet, seconds: float) -> None:
        def again() -> None:
            outlet.timer = None
            self.notify()

        if outlet.timer is None:
            outlet.timer = asyncio.get_running_loop().call_later(max(0.001, seconds), again)

    def _begin(self, outlet: Outlet, waiting: Waiting, now: float, now_ms: int) -> int:
        """Store the intent; only its commit lets bytes leave. Returns how many slots are reserved for it."""
        message, _, anew = waiting
        whole = message.parts == 1 or outlet.profile is None
        total = 1 if whole else len(cut_for(message, 0, outlet.profile))
        outlet.carrier.reserve(total)
        outlet.pace.hold(total, now)
        if message.tries and not anew:
            # Its slots are reserved before the store is asked which parts are left: others look for room meanwhile.
            self._run(self._begin_again(outlet, waiting, total))
        else:
            self._intend(outlet, waiting, _ALONE if total == 1 else tuple(range(1, total + 1)), total, now_ms)
        return total

    async def _begin_again(self, outlet: Outlet, waiting: Waiting, total: int) -> None:
        """A message tried before: only the parts that no carrier has."""
        try:
            parts = await self._store.open_parts(waiting[0].id)
        except StoreFault as fault:
            self._not_begun(outlet, waiting[0], total, fault)
            return
        if len(parts) != total:
            outlet.let_go(total - len(parts))
        if parts:
            self._intend(outlet, waiting, parts, total, self._world.now_ms())

    def _intend(self, outlet: Outlet, waiting: Waiting, parts: tuple[int, ...], total: int, now_ms: int) -> None:
        """Have the intent stored; as many slots as it has parts are reserved."""
        self._beginning += 1
        message, _, anew = waiting
        as_text = message.sms_type == _CALLED and not outlet.calls
        name, number = outlet.carrier.name, message.tries + 1
        intent = Intent(message.id, parts, total, number, name, message.phone, now_ms, anew, as_text)
        self._store.begin(intent, partial(self._begun, outlet, waiting, intent))

    def _begun(self, outlet: Outlet, waiting: Waiting, intent: Intent, reference: int | StoreFault | None) -> None:
        """The intent is stored, or it is not: then nothing leaves."""
        self._beginning -= 1
        message, way, _ = waiting
        if isinstance(reference, StoreFault):
            self._not_begun(outlet, message, len(intent.parts), reference)
            return
        if reference is None:
            outlet.let_go(len(intent.parts))
            return
        self._meters.planned += 1
        self._meters.wait_seconds.observe((intent.at_ms - message.release_ms) / 1000)
        cuts = cut_for(message, reference, outlet.profile)
        if outlet.pace.limited:
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
                tuple([_part_out(part, cuts[part - 1]) for part in intent.parts]),
                message,
                way.recourse,
                way.route.press,
            )
        )

    def _not_begun(self, outlet: Outlet, message: Message, parts: int, fault: StoreFault) -> None:
        """The store could not say or keep it: nothing leaves, and it is tried again soon."""
        outlet.let_go(parts)
        self._log.error(LogEvent.STORE_FAIL, exc_info=fault)
        asyncio.get_running_loop().call_later(_FAULT_SECONDS, self._take_again, message)

    def _later(self, message: Message, fault: StoreFault) -> None:
        """A fault of the store before the message left its place: it waits on it."""
        self._log.error(LogEvent.STORE_FAIL, exc_info=fault)
        asyncio.get_running_loop().call_later(_FAULT_SECONDS, self._put_back, message)

    def _put_back(self, message: Message) -> None:
        if not self.stopping:
            self.lane.put_back(message)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that has to ask the store first; it counts as between claim and submission."""
        self._beginning += 1
        asyncio.ensure_future(work).add_done_callback(self._ran)

    def _ran(self, task: "asyncio.Task[None]") -> None:
        self._beginning -= 1
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._log.error(LogEvent.FAULT, exc_info=error)


def _part_out(part: int, cut: Part) -> PartOut:
    return tuple.__new__(PartOut, (part, cut.data, cut.data_coding, cut.esm_class, cut.tlvs))  # at half its cost
