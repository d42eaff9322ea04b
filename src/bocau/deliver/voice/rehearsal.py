"""`bocau trunk test`: walks the way of a call over one trunk, step by step, each one timed.

Name, transport, REGISTER or OPTIONS, and, if a number is given, one call, its prompt, and whether sound went both ways.
It uses sockets and an engine of its own, so it needs no running gateway; the call is no message of a customer.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from bocau.deliver.rehearsal import Step
from bocau.deliver.sip.engine import CallEngine, EngineSettings
from bocau.deliver.sip.link import LinkState, TrunkLink
from bocau.deliver.sip.names import targets
from bocau.deliver.sip.order import Answered, CallEvent, CallLimits, CallResult, CallStatus, Ended, Ringing, Side
from bocau.deliver.sip.registrar import Registrar
from bocau.deliver.sip.trunk import Trunk, contact_of, via_of
from bocau.deliver.speech.voice import SpeechFault
from bocau.deliver.voice.messages import Place, Speech
from bocau.deliver.voice.worker import Talker
from bocau.ports import ServiceNames, World
from bocau.telemetry import Log
from bocau.wire.rtp.srtp import Aes
from bocau.wire.sip.message import FieldError, Message, Request, Response
from bocau.wire.sip.reply import Source
from bocau.wire.sip.transaction import ClientTransaction, Timers
from bocau.wire.sip.uri import format_host

__all__ = ["Ask", "TrunkRehearsal", "sound_verdict"]

_STEP_SECONDS: Final = 10.0
_CALL_ID: Final = "test"


class Ask(NamedTuple):
    """The call of a rehearsal."""

    number: str
    """E.164 in digits."""
    code: str
    speech: Speech
    limits: CallLimits

    def __repr__(self) -> str:
        """Without number and code (promises S1)."""
        return "Ask(...)"


class _Failed(Exception):  # noqa: N818 - ends the walk
    """A step did not work; the text says why."""


class TrunkRehearsal:
    """One walk. Its steps are in the order of the way, and end with the first that fails."""

    def __init__(
        self, world: World, names: ServiceNames | None, trunk: Trunk, log: Log, aes: Aes | None = None
    ) -> None:
        self._world = world
        self._names = names
        self._aes = aes
        self._trunk = trunk
        self._log = log
        self._steps: list[Step] = []
        self._changed = asyncio.Event()

    async def play(self, ask: Ask | None) -> list[Step]:
        """Walk as far as it goes; without `ask` up to the trunk's first answer."""
        try:
            await self._step("name", self._resolve, _STEP_SECONDS)
            await self._reach()
            if ask is not None:
                await self._call(ask)
        except _Failed:
            pass
        return self._steps

    async def _step(self, name: str, act: Callable[[], Awaitable[str]], seconds: float) -> None:
        """Do one step and note it. Raises _Failed when it did not work."""
        began = self._world.monotonic()
        ok = False
        try:
            async with asyncio.timeout(seconds):
                said = await act()
            ok = True
        except TimeoutError:
            said = f"nothing came within {seconds:g} s"
        except (OSError, FieldError, SpeechFault, _Failed) as error:
            said = str(error)
        self._steps.append(Step(name, ok, round((self._world.monotonic() - began) * 1000, 1), said))
        if not ok:
            raise _Failed(said)

    # Name, transport, first answer

    async def _resolve(self) -> str:
        found = await targets(self._world, self._names, self._trunk)
        if not found:
            raise OSError("the name has no address")
        return ", ".join(f"{format_host(one.host, one.port)}" for one in found)

    async def _reach(self) -> None:
        link = TrunkLink(self._world, self._names, self._trunk, self._log, self._changed.set)
        link.start()
        try:
            await self._step(self._trunk.transport, lambda: self._connect(link), self._trunk.connect_seconds + 5)
            if self._trunk.register:
                await self._step("REGISTER", lambda: self._register(link), _STEP_SECONDS)
            else:
                await self._step("OPTIONS", lambda: self._ask_options(link), _STEP_SECONDS)
        finally:
            await link.stop()

    async def _connect(self, link: TrunkLink) -> str:
        while link.state is LinkState.CONNECTING:
            await self._next()
        if link.state is not LinkState.UP:
            raise _Failed(link.why)
        ours = format_host(*link.sent_by)
        return f"from {ours}" if self._trunk.transport == "udp" else f"connected from {ours}"

    async def _register(self, link: TrunkLink) -> str:
        registrar = Registrar(self._world, link, Timers(), self._log, self._changed.set)
        registrar.link_changed()
        while registrar.state is LinkState.CONNECTING:
            await self._next()
        if registrar.state is not LinkState.UP:
            raise _Failed(registrar.why)
        await registrar.leave(2.0)
        return "registered, and taken back"

    async def _next(self) -> None:
        await self._changed.wait()
        self._changed.clear()

    async def _ask_options(self, link: TrunkLink) -> str:
        asking = _Options(self._world, link)
        try:
            answer = await asking.answer()
        finally:
            asking.close()
        # Whatever it says, it speaks SIP with us: many trunks refuse OPTIONS and take calls.
        return f"answered {answer.status} {answer.reason}".rstrip()

    # The call

    async def _call(self, ask: Ask) -> None:
        course = _Course(self._world)
        settings = EngineSettings(max_calls=1, max_waiting=1)
        engine = CallEngine(self._world, [self._trunk], settings, self._log, self._names, self._aes)
        engine.start()
        try:
            limits = ask.limits
            await self._step("ring", lambda: self._ring(engine, ask, course), limits.start + limits.ring + 5)
            await self._step("answer", lambda: _answer(course), limits.ring + 5)
            await self._step("prompt", lambda: _prompt(course), limits.whole)
            await self._step("sound", lambda: _sound(course), _STEP_SECONDS)
        finally:
            await engine.stop()

    async def _ring(self, engine: CallEngine, ask: Ask, course: "_Course") -> str:
        order = Talker(ask.speech).order(Place(_CALL_ID, ask.number, ask.code), ask.limits)
        engine.place(order, course.hear)
        await course.rang.wait()
        if course.result is not None and not course.rings and not course.taken:
            raise _Failed(_ended(course.result))
        return "the phone rings" if course.rings else "no ringing was told"


class _Course:
    """What is heard of the call."""

    def __init__(self, world: World) -> None:
        self.rings = False
        self.rang = asyncio.Event()
        self.answered = asyncio.Event()
        self.over = asyncio.Event()
        self.taken = False
        self.result: CallResult | None = None
        self._world = world

    def hear(self, event: CallEvent) -> None:
        """Take an event. What comes later implies what is before it."""
        if isinstance(event, Ringing):
            self.rings = True
            self.rang.set()
        elif isinstance(event, Answered):
            self.taken = True
            self.rang.set()
            self.answered.set()
        elif isinstance(event, Ended):
            self.result = event.result
            for each in (self.rang, self.answered, self.over):
                each.set()


async def _answer(course: _Course) -> str:
    await course.answered.wait()
    if not course.taken and course.result is not None:
        raise _Failed(_ended(course.result))
    return "taken"


async def _prompt(course: _Course) -> str:
    await course.over.wait()
    result = course.result
    if result is None or result.status is not CallStatus.ANSWERED:
        raise _Failed("not ended" if result is None else _ended(result))
    who = "the phone hung up" if result.hung_up_by is Side.CALLEE else "we hung up"
    keys = f", keys {result.keys}" if result.keys else ""
    return f"{result.duration_seconds} s, said {result.plays} time{'' if result.plays == 1 else 's'}, {who}{keys}"


async def _sound(course: _Course) -> str:
    if course.result is None:
        raise _Failed("no call")
    ok, said = sound_verdict(course.result)
    if not ok:
        raise _Failed(said)
    return said


def sound_verdict(result: CallResult) -> tuple[bool, str]:
    """Whether sound went both ways, and what that means, in plain words."""
    media = result.media
    counts = f"sent {media.sent} packets, received {media.received}"
    if media.one_way:
        strangers = f"; {media.strangers} came from other addresses and were dropped: see networks" * bool(
            media.strangers
        )
        return False, (
            f"one-way audio: {counts}. Nothing came back: either the way back is closed to our audio ports (firewall, "
            f"public_host), or the phone is silent{strangers}"
        )
    if not media.sent:
        return False, f"no audio: {counts}"
    lost = f", {media.lost} lost on the way here" if media.lost else ""
    far = f", {media.far_lost_percent} % lost on the way there" if media.far_lost_percent else ""
    return True, f"both ways: {counts}{lost}{far}, jitter {media.jitter_ms} ms"


def _ended(result: CallResult) -> str:
    cause = f", Q.850 cause {result.cause}" if result.cause else ""
    return f"{result.status.value}: {result.reason}{cause}"


class _Options:
    """One OPTIONS and its answer."""

    def __init__(self, world: World, link: TrunkLink) -> None:
        self._world = world
        self._link = link
        self._call_id = f"{world.token(12).hex()}@{format_host(link.sent_by[0])}"
        self._answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._transaction = ClientTransaction(self._request(), link.trunk.reliable, Timers(), world.monotonic())
        self._timer: asyncio.TimerHandle | None = None
        link.add(self._call_id, self)

    def _request(self) -> Request:
        trunk, link, token = self._link.trunk, self._link, self._world.token(8).hex()
        user = trunk.from_user or trunk.user or "anonymous"
        domain = format_host(trunk.from_domain or trunk.host)
        uri = f"sip:{format_host(trunk.host, trunk.port)}"
        return Request(
            "OPTIONS",
            uri,
            (
                ("Via", f"SIP/2.0/{via_of(trunk, link.sent_by)};rport;branch=z9hG4bK{token}"),
                ("Max-Forwards", "70"),
                ("From", f"<sip:{user}@{domain}>;tag={token}"),
                ("To", f"<{uri}>"),
                ("Call-ID", self._call_id),
                ("CSeq", "1 OPTIONS"),
                ("Contact", contact_of(trunk, user, link.contact_at)),
                ("Accept", "application/sdp"),
                ("User-Agent", "bocau"),
            ),
            b"",
        )

    async def answer(self) -> Response:
        """The final answer. Raises OSError if none came."""
        self._flush()
        return await self._answer

    def on_message(self, message: Message, source: Source) -> None:
        """A message with our Call-ID."""
        del source
        if isinstance(message, Response) and message.status >= 200 and not self._answer.done():
            self._answer.set_result(message)

    def on_lost(self, why: str) -> None:
        """The connection is gone."""
        if not self._answer.done():
            self._answer.set_exception(OSError(why))

    def close(self) -> None:
        """Nobody waits any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._link.remove(self._call_id)

    def _flush(self) -> None:
        now = self._world.monotonic()
        self._transaction.tick(now)
        for data in self._transaction.data_to_send():
            self._link.send(data, None)
        due = self._transaction.next_deadline()
        if due < math.inf:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, due - now), self._flush)
