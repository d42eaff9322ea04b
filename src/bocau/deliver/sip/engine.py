"""The call engine: orders in, events out, several trunks, caps on calls and starts, cancel and drain.

It needs a running loop and a World, and knows no store: it serves in the gateway's process or in one of its own.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from bocau.deliver.sip.attempt import Attempt, Stage
from bocau.deliver.sip.lines import Line, Pace, choose
from bocau.deliver.sip.link import LinkState, TrunkLink
from bocau.deliver.sip.media import MediaPorts, Ticker
from bocau.deliver.sip.order import (
    NO_MEDIA,
    CallEvent,
    CallOrder,
    CallResult,
    CallStatus,
    Ended,
    Retry,
    Side,
)
from bocau.deliver.sip.registrar import Registrar
from bocau.deliver.sip.trunk import Trunk, check
from bocau.ports import ServiceNames, World
from bocau.telemetry import Log, LogEvent
from bocau.wire.rtp.srtp import Aes
from bocau.wire.sip.message import FieldError
from bocau.wire.sip.transaction import Timers

__all__ = ["CallEngine", "EngineSettings", "TrunkReport"]

_NEVER: Final = math.inf
_ELSEWHERE: Final = frozenset({Retry.NEXT_TRUNK, Retry.NEXT_TRUNK_BACK_OFF})
_LEAVE_SECONDS: Final = 2.0
_CANCEL_SECONDS: Final = 5.0
_ALARM_SECONDS: Final = 60.0


class EngineSettings(NamedTuple):
    """Bounds of one engine."""

    max_calls: int = 200
    """Calls at once, over all trunks."""
    calls_per_second: float = 25.0
    """Starts a second, over all trunks."""
    max_waiting: int = 500
    """Orders that wait for a free line."""
    first_port: int = 0
    """Audio ports, a pair for each call; 0 and 0 for whatever is free."""
    last_port: int = 0
    timers: Timers = Timers()


class TrunkReport(NamedTuple):
    """How a trunk does."""

    name: str
    state: LinkState
    why: str
    """Why it is not up; empty while it is."""
    active: int


class _Job:
    """An order on its way through the engine."""

    __slots__ = ("attempt", "last", "order", "report", "start_until", "starting", "tried")

    def __init__(self, order: CallOrder, report: Callable[[CallEvent], None], now: float) -> None:
        self.order = order
        self.report = report
        self.tried: frozenset[str] = frozenset()
        self.start_until = now + order.limits.start
        self.attempt: Attempt | None = None
        self.starting: asyncio.Task[None] | None = None
        self.last: CallResult | None = None


class _Trunk(NamedTuple):
    line: Line
    link: TrunkLink
    registrar: Registrar | None


class CallEngine:
    """Places calls. All methods are for the loop's thread."""

    def __init__(
        self,
        world: World,
        trunks: Sequence[Trunk],
        settings: EngineSettings,
        log: Log,
        names: ServiceNames | None = None,
        aes: Aes | None = None,
    ) -> None:
        """Nothing happens before `start`. `names` is needed for trunks with `srv`, `aes` for those with `srtp`. Raises
        ValueError for two trunks of one name, or for settings that fit no message."""
        if aes is None and any(trunk.srtp for trunk in trunks):
            raise ValueError("a trunk with srtp needs AES")
        self._world = world
        self._settings = settings
        self._log = log
        self._stage = Stage(
            world, Ticker(world), MediaPorts(world, settings.first_port, settings.last_port), settings.timers, aes
        )
        self._pace = Pace(settings.calls_per_second)
        self._trunks: dict[str, _Trunk] = {}
        for trunk in trunks:
            if trunk.name in self._trunks:
                raise ValueError(f"two trunks are called {trunk.name}")
            self._trunks[trunk.name] = self._make(trunk, names)
        self._jobs: dict[str, _Job] = {}
        self._waiting: dict[str, _Job] = {}
        self._lingering: dict[Attempt, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._pumping = False
        self._closed = True
        self._empty = asyncio.Event()
        self._alarmed_at: dict[str, float] = {}

    def _make(self, trunk: Trunk, names: ServiceNames | None) -> _Trunk:
        def changed() -> None:
            self._on_changed(trunk.name)

        check(trunk)
        link = TrunkLink(self._world, names, trunk, self._log, changed)
        registrar = None
        if trunk.register:
            registrar = Registrar(self._world, link, self._settings.timers, self._log, changed)
        return _Trunk(Line(trunk.name, trunk.priority, trunk.max_calls, trunk.calls_per_second), link, registrar)

    def start(self) -> None:
        """Connect the trunks and take orders. Raises OSError for a certificate file that cannot be read."""
        for one in self._trunks.values():
            one.link.start()
        self._closed = False

    # What a caller asks for

    @property
    def room(self) -> int:
        """Orders that would not wait for one of the calls to end."""
        return max(0, self._settings.max_calls - len(self._jobs))

    @property
    def active(self) -> int:
        """Orders that have not ended, waiting ones included."""
        return len(self._jobs)

    def trunks(self) -> list[TrunkReport]:
        """How every trunk does, in the order they were given."""
        reports = []
        for one in self._trunks.values():
            why = one.link.why or (one.registrar.why if one.registrar is not None else "")
            reports.append(TrunkReport(one.line.name, one.line.state, why, one.line.active))
        return reports

    def place(self, order: CallOrder, report: Callable[[CallEvent], None]) -> None:
        """Take an order. `report` hears its events on the loop, after this has returned, and must not raise; Ended is
        the last of them.

        An order that cannot even wait ends at once as failed. Raises ValueError for a call id in use.
        """
        if order.call_id in self._jobs:
            raise ValueError("a call of this id is under way")
        job = _Job(order, report, self._world.monotonic())
        self._jobs[order.call_id] = job
        loop = asyncio.get_running_loop()
        if self._closed:
            loop.call_soon(self._end, job, _not_placed("no calls are taken any more", Retry.NEXT_TRUNK_BACK_OFF))
        elif len(self._waiting) >= self._settings.max_waiting:
            loop.call_soon(self._end, job, _not_placed("too many calls wait", Retry.NEXT_TRUNK_BACK_OFF))
        else:
            self._waiting[order.call_id] = job
            self._pump_soon()

    def cancel(self, call_id: str) -> bool:
        """Give a call up: CANCEL while it rings, BYE while it speaks. False if no such call is under way."""
        job = self._jobs.get(call_id)
        if job is None:
            return False
        if self._waiting.pop(call_id, None) is not None:
            asyncio.get_running_loop().call_soon(self._end, job, job.last or _not_placed("cancelled", Retry.NONE))
        elif job.attempt is not None:
            job.attempt.cancel()
        return True

    async def drain(self, seconds: float) -> None:
        """Take no more orders; let calls come to their end for so long, then end them."""
        self._closed = True
        for call_id in list(self._waiting):
            self.cancel(call_id)
        if not await self._emptied(seconds):
            for call_id in list(self._jobs):
                self.cancel(call_id)
            await self._emptied(_CANCEL_SECONDS)

    async def stop(self, seconds: float = 0.0) -> None:
        """Drain, give registrations back, close all sockets. Every order has ended after this."""
        await self.drain(seconds)
        leaving = [one.registrar.leave(_LEAVE_SECONDS) for one in self._trunks.values() if one.registrar is not None]
        await asyncio.gather(*leaving)
        if self._timer is not None:
            self._timer.cancel()
        for job in list(self._jobs.values()):
            if job.attempt is not None:
                job.attempt.forget()
            self._end(job, _not_placed("the engine was stopped", Retry.NONE))
        for attempt in self._lingering:
            attempt.forget()
        await asyncio.gather(*(one.link.stop() for one in self._trunks.values()))

    async def _emptied(self, seconds: float) -> bool:
        self._empty.clear()
        if not self._jobs:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True

    # Trunks

    def _on_changed(self, name: str) -> None:
        """A link or a registration may stand otherwise now."""
        link, registrar, line = self._trunks[name].link, self._trunks[name].registrar, self._trunks[name].line
        if registrar is not None:
            registrar.link_changed()
            line.state = registrar.state if link.state is LinkState.UP else link.state
        else:
            line.state = link.state
        self._pump_soon()

    # Waiting orders

    def _pump_soon(self) -> None:
        if not self._pumping:
            self._pumping = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        """Start what may start, end what waited too long, and see when to look again."""
        self._pumping = False
        now = self._world.monotonic()
        again = _NEVER
        for job in list(self._waiting.values()):
            if now >= job.start_until:
                self._settle(job, "no line was free in time")
                continue
            again = min(again, job.start_until)
            if len(self._jobs) - len(self._waiting) >= self._settings.max_calls:
                continue
            if self._pace.ready_at() > now:
                again = min(again, self._pace.ready_at())
                continue
            choice = choose([one.line for one in self._trunks.values()], job.tried, now)
            if choice.line is not None:
                self._begin(job, choice.line, now)
            elif choice.wait_until is None:
                self._settle(job, "no trunk is left")
            else:
                again = min(again, choice.wait_until)
        self._look_again(again, now)

    def _look_again(self, again: float, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if again < _NEVER:
            self._timer = asyncio.get_running_loop().call_later(max(0.001, again - now), self._pump)

    def _begin(self, job: _Job, line: Line, now: float) -> None:
        del self._waiting[job.order.call_id]
        self._pace.take(now)
        line.pace.take(now)
        line.active += 1
        job.tried |= {line.name}
        link = self._trunks[line.name].link

        def done(attempt: Attempt) -> None:
            self._on_done(job, line, attempt)

        job.attempt = Attempt(self._stage, link, job.order, job.report, done)
        job.starting = asyncio.create_task(self._start(job, line, job.attempt))

    async def _start(self, job: _Job, line: Line, attempt: Attempt) -> None:
        try:
            await attempt.begin()
        except FieldError as error:
            # No other trunk would make more of a bad number.
            self._abandon(job, line, _not_placed(str(error), Retry.NONE))
        except OSError as error:
            self._abandon(job, line, _not_placed(f"not sent: {error}", Retry.NEXT_TRUNK_BACK_OFF))
        except Exception as error:  # noqa: BLE001 - the rim: an order that cannot even fail must not stay for ever
            self._log.error(LogEvent.FAULT, exc_info=error)
            self._abandon(job, line, _not_placed("our own fault", Retry.NONE))

    def _abandon(self, job: _Job, line: Line, result: CallResult) -> None:
        """An attempt that sent nothing."""
        line.active -= 1
        self._go_on(job, result._replace(trunk=line.name))

    # The end of an attempt

    def _on_done(self, job: _Job, line: Line, attempt: Attempt) -> None:
        now = self._world.monotonic()
        line.active -= 1
        result = attempt.result
        verdict = attempt.verdict
        line.learn(verdict, result.retry_after_seconds, self._world.random.random(), now)
        if verdict.trunk_failed and not result.sip_status:
            attempt.link.move_on()
        if verdict.alarm:
            self._alarm(line.name, result, now)
        self._lingering = {one: None for one in self._lingering if one.lingers}
        self._lingering[attempt] = None
        self._go_on(job, result)

    def _go_on(self, job: _Job, result: CallResult) -> None:
        """To the next trunk if the result says so, else to the end."""
        before = job.last.ladder if job.last is not None else ()
        result = result._replace(trunks=len(job.tried), ladder=before + result.ladder)
        job.attempt = None
        job.last = result
        if result.retry in _ELSEWHERE and not self._closed:
            job.start_until = self._world.monotonic() + job.order.limits.start
            # Ahead of those that have not been tried at all.
            self._waiting = {job.order.call_id: job, **self._waiting}
            self._pump_soon()
        else:
            self._end(job, result)

    def _alarm(self, name: str, result: CallResult, now: float) -> None:
        """Once a minute for each trunk: a wrong password refuses every call."""
        if now >= self._alarmed_at.get(name, -_NEVER) + _ALARM_SECONDS:
            self._alarmed_at[name] = now
            self._log.error(LogEvent.LINK_MISFIT, carrier=name, status=result.sip_status, reason=result.reason)

    def _settle(self, job: _Job, reason: str) -> None:
        """No trunk can be tried any more: what the last one said counts, if there was one."""
        self._waiting.pop(job.order.call_id, None)
        self._end(job, job.last or _not_placed(reason, Retry.NEXT_TRUNK_BACK_OFF))

    def _end(self, job: _Job, result: CallResult) -> None:
        if self._jobs.pop(job.order.call_id, None) is None:
            return
        job.report(Ended(job.order.call_id, result))
        if not self._jobs:
            self._empty.set()
        self._pump_soon()


def _not_placed(reason: str, retry: Retry) -> CallResult:
    return CallResult(CallStatus.FAILED, retry, 0, 0, reason, "", 0, 0, Side.NOBODY, "", 0, 0, NO_MEDIA)
