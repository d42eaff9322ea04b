"""The gateway's side of its voice workers: starts them, spreads calls over them, knows what it lent to whom.

A worker that dies takes its calls along. What the gateway had heard of each by then decides what may be done: one that
was answered is never placed again.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple, cast

import msgspec
from msgspec.structs import replace

from bocau.core.retry import backoff_seconds
from bocau.deliver.voice.messages import (
    Cancel,
    Configure,
    Down,
    Drain,
    Forget,
    Keep,
    Key,
    Leaving,
    LineReader,
    Over,
    Picked,
    Place,
    Rang,
    Ready,
    Standing,
    TrunkStanding,
    Unfit,
    Up,
    line,
    read_up,
)
from bocau.ports import Child, Children, World
from bocau.telemetry import Log, LogEvent

__all__ = ["Crew", "Heard", "Lost"]

_MODULE: Final = "bocau.cli.voice_process"
_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 30.0
_SETTLED_SECONDS: Final = 60.0
"""A worker that lived so long has not failed at its start."""
_EXIT_SECONDS: Final = 5.0
_MOST_KEPT: Final = 32
"""Recordings that each worker keeps, a megabyte each."""
_OVERDUE_SECONDS: Final = 30.0
"""Beyond the longest that a call may take by its own limits."""


class Lost(NamedTuple):
    """The worker died with the call."""

    call_id: str
    answered: bool
    """The callee had taken it: it must not be placed again."""
    ringing: bool
    trunk: str
    """Empty if not known."""


Heard = Rang | Picked | Key | Over | Lost
"""What is told about a call. Over or Lost is the last word, exactly once."""


class _Lease:
    """A call that a worker has."""

    __slots__ = ("answered", "hear", "ringing", "since", "trunk")

    def __init__(self, hear: Callable[[Heard], None], since: float) -> None:
        self.hear = hear
        self.since = since
        self.ringing = self.answered = False
        self.trunk = ""


class _Seat(asyncio.Protocol):
    """One worker, and the next one when it dies: the stream to it, and its calls."""

    def __init__(self, crew: "Crew", number: int) -> None:
        self.number = number
        self.leases: dict[str, _Lease] = {}
        self.ready: Ready | None = None
        self.trunks: tuple[TrunkStanding, ...] = ()
        self.why = "the worker has not started"
        self.child: Child | None = None
        self.ended = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self._crew = crew
        self._reader = LineReader()
        self._kept: OrderedDict[str, None] = OrderedDict()
        """Digests of the recordings that the worker has, the one played last at the end."""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._reader = LineReader()
        self._kept.clear()
        self.ended.clear()

    def data_received(self, data: bytes) -> None:
        try:
            for each in self._reader.feed(data):
                self._crew.on_up(self, read_up(each))
        except (ValueError, msgspec.DecodeError):
            self.why = "the worker said something that is no message"
            if self._transport is not None:
                self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.ready = None
        self.trunks = ()
        self._transport = None
        self.ended.set()

    def lend(self, place: Place) -> Place:
        """The call as it is told to this worker: a recording goes ahead of it once, and is named by its digest."""
        playing = place.manner.playing
        if playing is None:
            return place
        digest = hashlib.blake2b(b"%d " % playing.rate + playing.samples, digest_size=16).hexdigest()
        if digest not in self._kept:
            self.send(Keep(digest, playing))
            self._kept[digest] = None
            if len(self._kept) > _MOST_KEPT:
                self.send(Forget(self._kept.popitem(last=False)[0]))
        self._kept.move_to_end(digest)
        return replace(place, manner=place.manner._replace(playing=None), recording=digest)

    def send(self, message: Down) -> None:
        """Say something to the worker; nobody hears it if it has just died, and then its calls are lost anyway."""
        if self._transport is not None:
            self._transport.write(line(message))


class Crew:
    """So many workers with the same trunks. `on_room` is called when there is more room, or none any more."""

    def __init__(
        self,
        world: World,
        children: Children,
        configures: tuple[Configure, ...],
        log: Log,
        on_room: Callable[[], None],
    ) -> None:
        """One worker for each of `configures`. Nothing is started before `start`."""
        self.restarts = 0
        """Workers that died, all in all."""
        self._world = world
        self._children = children
        self._configures = configures
        self._log = log
        self._on_room = on_room
        self._seats = [_Seat(self, number) for number in range(len(configures))]
        self._stopping = False
        self._warned = ""
        self._reaper: asyncio.Task[None] | None = None

    # What the carrier asks for

    @property
    def active(self) -> int:
        """Calls that have not ended."""
        return sum(len(seat.leases) for seat in self._seats)

    @property
    def size(self) -> int:
        """Calls that all workers and trunks together can carry."""
        return sum(_most(configure) for configure in self._configures)

    @property
    def workers(self) -> int:
        """Workers there should be."""
        return len(self._seats)

    @property
    def room(self) -> int:
        """Calls that would not have to wait. 0 while no worker has a trunk that is up."""
        return sum(self._room(seat) for seat in self._seats)

    @property
    def working(self) -> int:
        """Workers that have a trunk that is up."""
        return sum(any(trunk.up for trunk in seat.trunks) for seat in self._seats)

    @property
    def why(self) -> str:
        """Why there is no room at all, or less than there should be; empty if nothing is wrong."""
        for seat in self._seats:
            if seat.ready is None:
                return seat.why
        downs = [f"{trunk.name}: {trunk.why}" for seat in self._seats for trunk in seat.trunks if not trunk.up]
        return "; ".join(dict.fromkeys(downs))

    @property
    def voice(self) -> Ready | None:
        """Who speaks; None before a worker is ready."""
        return next((seat.ready for seat in self._seats if seat.ready is not None), None)

    def standing(self) -> list[TrunkStanding]:
        """How each trunk does over all workers."""
        found: dict[str, TrunkStanding] = {}
        for trunk in (trunk for seat in self._seats for trunk in seat.trunks):
            before = found.get(trunk.name, trunk._replace(active=0))
            found[trunk.name] = TrunkStanding(
                trunk.name, before.up and trunk.up, before.why or trunk.why, before.active + trunk.active
            )
        return list(found.values())

    def _room(self, seat: _Seat) -> int:
        if seat.ready is None or self._stopping or not any(trunk.up for trunk in seat.trunks):
            return 0
        return max(0, _most(self._configures[seat.number]) - len(seat.leases))

    def place(self, place: Place, hear: Callable[[Heard], None]) -> None:
        """Have a call placed by the worker with most room. `hear` is told about it after this has returned, and must
        not raise. Raises LookupError if no worker can."""
        seat = max(self._seats, key=self._room)
        if not self._room(seat):
            raise LookupError("no worker has room")
        seat.leases[place.call_id] = _Lease(hear, self._world.monotonic())
        seat.send(seat.lend(place))

    def cancel(self, call_id: str) -> None:
        """A call is not wanted any more. It is still told how it ended."""
        for seat in self._seats:
            if call_id in seat.leases:
                seat.send(Cancel(call_id))

    # Workers

    def start(self) -> None:
        """Start every worker; each is started again when it dies, after a growing wait."""
        for seat in self._seats:
            seat.task = asyncio.ensure_future(self._keep(seat))
        self._reaper = asyncio.ensure_future(self._reap())

    async def stop(self, seconds: float) -> None:
        """Take no more calls, let those under way end for so long. Every call was told its end after this."""
        self._stopping = True
        for seat in self._seats:
            seat.send(Drain(seconds))
        if self._reaper is not None:
            self._reaper.cancel()
        tasks = [seat.task for seat in self._seats if seat.task is not None]
        _, late = await asyncio.wait(tasks, timeout=seconds + 2 * _EXIT_SECONDS) if tasks else ((), ())
        for seat in self._seats:
            if seat.task in late and seat.child is not None:
                seat.child.kill()
        for task in late:
            task.cancel()
        for seat in self._seats:
            self._bury(seat)

    async def _keep(self, seat: _Seat) -> None:
        failures = 0
        while True:
            begun = self._world.monotonic()
            try:
                seat.child = await self._children.start(_MODULE, lambda: seat)
            except OSError as error:
                seat.why = f"the worker cannot be started: {error}"
                self._log.error(LogEvent.WORKER_DIE, worker=seat.number, reason=seat.why)
            else:
                await self._serve(seat, seat.child)
            if self._stopping:
                return
            failures = 1 if self._world.monotonic() - begun > _SETTLED_SECONDS else failures + 1
            chance = self._world.random.random()
            await self._world.sleep(backoff_seconds(failures, chance, _FIRST_WAIT, _LONGEST_WAIT))

    async def _serve(self, seat: _Seat, child: Child) -> None:
        """One worker's life."""
        seat.why = "the worker is starting"
        seat.send(self._configures[seat.number])
        if self._stopping:
            seat.send(Drain(0.0))
        await seat.ended.wait()
        seat.child = None
        code = await self._ended(child)
        lost = self._bury(seat)
        if not self._stopping:
            self.restarts += 1
            if seat.why == "":
                seat.why = f"the worker died ({code})"
            self._log.error(LogEvent.WORKER_DIE, worker=seat.number, status=code, calls=lost, reason=seat.why)
        self._on_room()

    async def _ended(self, child: Child) -> int:
        """Its exit code; a worker that closed its stream and does not end is killed."""
        try:
            async with asyncio.timeout(_EXIT_SECONDS):
                return await child.wait()
        except TimeoutError:
            child.kill()
            return await child.wait()

    def _bury(self, seat: _Seat) -> int:
        """Tell every call of a dead worker that nobody knows how it ends. Returns how many there were."""
        leases, seat.leases = seat.leases, {}
        for call_id, lease in leases.items():
            lease.hear(Lost(call_id, lease.answered, lease.ringing, lease.trunk))
        return len(leases)

    async def _reap(self) -> None:
        """Kill a worker that lets a call go beyond every limit: its loop stands still."""
        while True:
            await self._world.sleep(_OVERDUE_SECONDS / 6)
            now = self._world.monotonic()
            for seat in self._seats:
                configure = self._configures[seat.number]
                longest = configure.limits.start + configure.limits.whole
                until = longest * len(configure.trunks) + _OVERDUE_SECONDS
                if seat.child is not None and any(now - lease.since > until for lease in seat.leases.values()):
                    seat.why = "a call went on beyond every limit"
                    seat.child.kill()

    def on_up(self, seat: _Seat, message: Up) -> None:
        """A worker said something."""
        match message:
            case Ready():
                seat.ready, seat.why = message, ""
                self._warn(message)
            case Standing():
                seat.trunks = message.trunks
                self._on_room()
            case Leaving():
                seat.ready, seat.why = None, "the worker is leaving"
                self._on_room()
            case Unfit():
                seat.why = message.why
            case Over():
                lease = seat.leases.pop(message.call_id, None)
                if lease is not None:
                    lease.hear(message)
                    self._on_room()
            case Rang() | Picked() | Key():
                self._tell(seat, message)

    def _tell(self, seat: _Seat, message: Rang | Picked | Key) -> None:
        lease = seat.leases.get(message.call_id)
        if lease is None:
            return
        lease.ringing = lease.ringing or isinstance(message, Rang)
        if isinstance(message, Picked):
            lease.answered, lease.trunk = True, message.trunk
        lease.hear(message)

    def _warn(self, ready: Ready) -> None:
        """Once for each warning: a voice that is no person's speaks to customers."""
        if ready.warning and ready.warning != self._warned:
            self._log.warning(LogEvent.VOICE_WARN, voice=ready.voice, reason=ready.warning)
        self._warned = ready.warning


def _most(configure: Configure) -> int:
    """Calls that one worker can carry."""
    return min(configure.caps.calls, sum(trunk.max_calls for trunk in configure.trunks))
