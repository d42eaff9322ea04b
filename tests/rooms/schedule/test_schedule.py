"""The loop of room 2 on a store that says what was asked of it (promises P4, P10)."""

import asyncio
import io
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from tests.simulation.world import BEGIN_MS, Machine, Network, play

from bocau.core.lifecycle import Event, State
from bocau.core.message import CallbackDue, Summary
from bocau.schedule.loop import Schedule
from bocau.steady import SteadyWorld
from bocau.store.contract import OutcomeDeadlines, Rematched, Sweep, Turn, Turned, Waking
from bocau.telemetry import Lines, ScheduleMeters, make_log

DEADLINES = OutcomeDeadlines(600_000, 3_600_000, 86_400_000)
DUE = CallbackDue(1, 1, "http://x", "", 2, 1, "09", Summary("s", State.EXPIRED, 1, 0, 0, 1, 0), 0, BEGIN_MS)


class WakingStore:
    """Hands out rows while their moment has come; keeps what was decided."""

    def __init__(self, machine: Machine) -> None:
        self.rows: list[Waking] = []
        self.due_ms: dict[int, int] = {}
        self.turns: list[tuple[float, Turn]] = []
        self.prunes: list[float] = []
        self.sweeps: list[Sweep] = []
        self.rematched = Rematched(0, 0, False)
        self.claims = 0
        self.callbacks = False
        self.doubted: tuple[int, ...] = ()
        self._machine = machine

    def add(self, row: Waking, due_ms: int = BEGIN_MS) -> None:
        self.rows.append(row)
        self.due_ms[row.id] = due_ms

    async def waking(self, now_ms: int, limit: int) -> list[Waking]:
        self.claims += 1
        return [row for row in self.rows if self.due_ms[row.id] <= now_ms][:limit]

    async def turn(self, turns: Sequence[Turn], now_ms: int) -> Turned:
        gone = {turn.message_id for turn in turns if turn.event is not None}
        self.rows = [row for row in self.rows if row.id not in gone]
        for turn in turns:
            self.turns.append((self._machine.world.monotonic(), turn))
            if turn.wake_ms is not None:
                self.due_ms[turn.message_id] = turn.wake_ms
        return Turned([DUE] if self.callbacks else [], self.doubted)

    async def rematch(self, sweep: Sweep) -> Rematched:
        self.sweeps.append(sweep)
        return self.rematched

    async def prune(self, now_ms: int, limit: int) -> int:
        self.prunes.append(self._machine.world.monotonic())
        return 0


class Room:
    """A schedule that runs."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.store = WakingStore(machine)
        self.hints: list[str] = []
        self.said = io.StringIO()
        self.meters = ScheduleMeters()
        world = SteadyWorld(machine.world)
        self.schedule = Schedule(
            world,
            self.store,
            DEADLINES,
            doubtful=lambda: world.doubtful,
            response_seconds=10.0,
            released=lambda: self.hints.append("released"),
            callbacks_due=lambda: self.hints.append("callbacks"),
            meters=self.meters,
            log=make_log(Lines(self.said), machine.world.now_ms),
        )

    @property
    def events(self) -> list[Event | None]:
        return [turn.event for _, turn in self.store.turns]


def run(scenario: Callable[[Room], Coroutine[Any, Any, None]]) -> Room:
    """A scenario on a running schedule."""

    async def whole(network: Network) -> Room:
        room = Room(network.machine("us", "10.0.0.1"))
        room.schedule.loop.start()
        await scenario(room)
        await room.schedule.loop.stop()
        return room

    return play(whole)


def scheduled(number: int) -> Waking:
    return Waking(number, State.SCHEDULED, "otp", BEGIN_MS + 10**9, BEGIN_MS)


def expired(number: int) -> Waking:
    return Waking(number, State.QUEUED, "otp", BEGIN_MS - 1, BEGIN_MS - 10)


def test_what_is_due_is_released_within_a_second_and_dispatch_is_told() -> None:
    """P10: within 2 s of its moment, and not before."""

    async def scenario(room: Room) -> None:
        room.store.add(scheduled(1), BEGIN_MS + 10_000)
        await asyncio.sleep(20.0)

    room = run(scenario)
    assert room.events == [Event.RELEASE]
    assert 1010.0 <= room.store.turns[0][0] <= 1011.0
    assert room.hints == ["released"]
    assert room.meters.released == 1


def test_callbacks_that_become_due_are_told_to_room_five() -> None:
    """Only then: a release alone concerns nobody."""

    async def scenario(room: Room) -> None:
        room.store.callbacks = True
        room.store.add(expired(1))
        await asyncio.sleep(1.0)

    room = run(scenario)
    assert (room.events, room.hints, room.meters.expired) == ([Event.EXPIRE], ["callbacks"], 1)


def test_a_message_that_stays_in_doubt_is_told_aloud() -> None:
    """It looks like any other that waits, and somebody may have it."""

    async def scenario(room: Room) -> None:
        room.store.doubted = (7,)
        room.store.add(expired(7))
        await asyncio.sleep(1.0)

    room = run(scenario)
    assert '"event":"message.doubt","message_id":7' in room.said.getvalue()
    assert room.hints == []


def test_a_full_batch_is_followed_by_the_next_at_once() -> None:
    """A thousand that come due together do not wait for polls."""

    async def scenario(room: Room) -> None:
        for number in range(1200):
            room.store.add(scheduled(number))
        await asyncio.sleep(0.1)

    room = run(scenario)
    assert len(room.store.turns) == 1200
    assert room.store.turns[-1][0] < 1000.1


def test_a_set_clock_holds_releases_and_nothing_else() -> None:
    """P10: a step forward releases nothing early; what is too old still expires."""

    async def scenario(room: Room) -> None:
        room.store.add(scheduled(1), BEGIN_MS + 1_800_000)
        await asyncio.sleep(5.0)
        room.machine.world.offset_ms = 3_600_000
        await asyncio.sleep(1.0)
        room.store.add(expired(2))
        await asyncio.sleep(30.0)
        assert room.schedule.holding
        assert room.events == [Event.EXPIRE]
        room.machine.world.offset_ms = 0
        await asyncio.sleep(120.0)
        assert not room.schedule.holding

    room = run(scenario)
    assert room.events == [Event.EXPIRE]
    assert room.said.getvalue().count("clock.step") == 1


def test_a_new_time_that_stays_is_believed_after_a_minute() -> None:
    """The clock was wrong before."""

    async def scenario(room: Room) -> None:
        room.store.add(scheduled(1), BEGIN_MS + 1_800_000)
        await asyncio.sleep(5.0)
        room.machine.world.offset_ms = 3_600_000
        await asyncio.sleep(59.0)
        assert not room.events
        await asyncio.sleep(3.0)

    assert run(scenario).events == [Event.RELEASE]


def test_held_releases_do_not_make_the_loop_spin() -> None:
    """Five hundred that may not go are looked at twice a second, not all the time."""

    async def scenario(room: Room) -> None:
        room.machine.world.offset_ms = 3_600_000
        for number in range(600):
            room.store.add(scheduled(number))
        await asyncio.sleep(10.0)

    assert run(scenario).store.claims <= 25


def test_the_store_is_pruned_once_a_minute() -> None:
    """Not at the start, when there is enough to do."""

    async def scenario(room: Room) -> None:
        await asyncio.sleep(181.0)

    assert [round(at) for at in run(scenario).store.prunes] == [1060, 1120, 1180]


def test_kept_receipts_are_looked_at_again_once_no_answer_can_be_on_its_way() -> None:
    """4.1: a younger one may belong to a submission that is not answered yet."""

    async def scenario(room: Room) -> None:
        room.store.rematched = Rematched(2, 1, True)
        await asyncio.sleep(11.0)

    room = run(scenario)
    first, second = room.store.sweeps
    assert first.before_ms <= BEGIN_MS + 6_000 - 20_000
    assert 4_500 <= second.before_ms - first.before_ms <= 5_500
    assert (room.meters.rematched, room.meters.inferred) == (4, 2)
    assert room.hints == ["callbacks", "callbacks"]
    assert room.said.getvalue().count('"event":"receipt.rematch"') == 2
