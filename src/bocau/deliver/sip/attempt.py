"""One attempt at a call: signalling, course and audio tied together on a real loop."""

import asyncio
import math
from collections.abc import Callable
from typing import NamedTuple

from bocau.deliver.sip.ladder import Ladder
from bocau.deliver.sip.link import LinkState, TrunkLink
from bocau.deliver.sip.machine import Act, CallMachine
from bocau.deliver.sip.media import Media, MediaPorts, Ticker
from bocau.deliver.sip.order import NO_MEDIA, Answered, CallEvent, CallOrder, CallResult, KeyPressed, Ringing, Utterance
from bocau.deliver.sip.outcome import Verdict
from bocau.deliver.sip.trunk import Trunk, caller_of, identity_of
from bocau.ports import World
from bocau.wire.rtp.srtp import MASTER_SIZE, Aes
from bocau.wire.sip import events as told
from bocau.wire.sip.call import OutgoingCall
from bocau.wire.sip.message import Message
from bocau.wire.sip.reply import Source
from bocau.wire.sip.sdp import LocalMedia
from bocau.wire.sip.transaction import Timers
from bocau.wire.sip.uri import format_host

__all__ = ["Attempt", "Stage"]


class Stage(NamedTuple):
    """What all calls share."""

    world: World
    ticker: Ticker
    ports: MediaPorts
    timers: Timers
    aes: Aes | None = None
    """None: no trunk wants its sound enciphered."""


class Attempt:
    """One INVITE and what follows, over one trunk. `done` is called once, when the call is over."""

    def __init__(
        self,
        stage: Stage,
        link: TrunkLink,
        order: CallOrder,
        report: Callable[[CallEvent], None],
        done: Callable[["Attempt"], None],
    ) -> None:
        """Nothing is sent before `begin`."""
        self.link = link
        self.order = order
        self._stage = stage
        self._report = report
        self._done: Callable[[Attempt], None] | None = done
        self._key = stage.world.token(MASTER_SIZE) if link.trunk.srtp else b""
        self._media = Media(stage.world, stage.ticker, self, stage.aes, self._key)
        self._machine = CallMachine(order, stage.world.monotonic())
        self._sip: OutgoingCall | None = None
        self._sip_call_id = ""
        self._timer: asyncio.TimerHandle | None = None
        self._cancelled = False
        self._ladder = Ladder(stage.world, link.trunk.name)

    async def begin(self) -> None:
        """Open the audio and send the INVITE.

        Raises OSError if no sockets can be had or the trunk has just gone, FieldError if the number is none; then
        nothing was sent.
        """
        world, link = self._stage.world, self.link
        ports = await self._media.open(self._stage.ports, link.sent_by[0])
        try:
            if link.state is not LinkState.UP:
                raise OSError(link.why)
            setup = self._setup(ports)
            self._sip = OutgoingCall(setup, world.monotonic())
        except BaseException:
            self._media.close()
            raise
        self._sip_call_id = setup.call_id
        link.add(setup.call_id, self)
        if self._cancelled:
            self.cancel()
        self._flush()

    def _setup(self, ports: tuple[int, int]) -> told.CallSetup:
        link, world = self.link, self._stage.world
        trunk: Trunk = link.trunk
        identity = identity_of(trunk, self.order.number, link.sent_by, link.contact_at)
        unique = world.token(8).hex()
        session = int.from_bytes(world.token(4), "big")
        return told.CallSetup(
            # Of chance alone: the caller's own id would tell the trunk something.
            call_id=f"{world.token(12).hex()}@{format_host(link.sent_by[0])}",
            unique=unique,
            uri=identity.uri,
            caller=identity.caller,
            callee=identity.callee,
            contact=identity.contact,
            via=identity.via,
            media=LocalMedia(link.contact_at[0], *ports, session, key=self._key),
            media_allowed=link.owns,
            credentials=trunk.credentials,
            extra=identity.extra,
            reliable=trunk.reliable,
            timers=self._stage.timers,
        )

    @property
    def verdict(self) -> Verdict:
        """What the end means for the trunk; once it is over."""
        return self._machine.verdict

    @property
    def result(self) -> CallResult:
        """How it ended; once it is over."""
        counters = self._media.counters()
        result = self._machine.result(self.link.trunk.name, counters if counters.sent else NO_MEDIA)
        caller = caller_of(self.link.trunk)
        return result._replace(sip_call_id=self._sip_call_id, ladder=self._ladder.rungs(), caller=caller)

    @property
    def lingers(self) -> bool:
        """Whether it is over and its signalling still answers repeats."""
        return self._sip is not None and not self._sip.idle

    def cancel(self) -> None:
        """The call is not wanted any more."""
        self._cancelled = True
        if self._sip is not None:
            self._do(self._machine.cancel(self._stage.world.monotonic()))
            self._flush()

    # Receiver

    def on_message(self, message: Message, source: Source) -> None:
        """A message of this call."""
        if self._sip is not None:
            self._ladder.came(message)
            self._handle(self._sip.receive(message, source, self._stage.world.monotonic()))
            self._flush()

    def on_lost(self, why: str) -> None:
        """The trunk's connection is gone, and the call with it."""
        if self._sip is not None:
            self._handle(self._sip.connection_lost(why))
            self._flush()

    # MediaOwner

    def on_said(self) -> None:
        """What was to be said is said."""
        self._do(self._machine.on_said(self._stage.world.monotonic()))
        self._flush()

    def on_key(self, key: str) -> None:
        """The callee pressed a key."""
        self._report(KeyPressed(self.order.call_id, key))
        self._do(self._machine.on_key(key, self._stage.world.monotonic()))
        self._flush()

    # Events, acts, time

    def _handle(self, events: list[told.CallEvent]) -> None:
        for event in events:
            self._do(self._on_event(event, self._stage.world.monotonic()))

    def _on_event(self, event: told.CallEvent, now: float) -> list[Act]:
        machine = self._machine
        match event:
            case told.Progress():
                return machine.on_progress(event.status)
            case told.Answered():
                self._media.connect(event.media)
                return machine.on_answered(now)
            case told.MediaChanged():
                self._media.connect(event.media)
                return []
            case told.Refused():
                return machine.on_refused(event, now)
            case told.Unanswered():
                return machine.on_unanswered(event.why, now)
            case told.Unusable():
                return machine.on_unusable(event.why, now)
            case told.HungUp():
                return machine.on_hung_up(event.cause, now)
            case told.Over():
                return machine.on_over(event.why, now)

    def _do(self, acts: list[Act]) -> None:
        for act in acts:
            match act:
                case Act.HANG_UP:
                    if self._sip is not None:
                        self._sip.hang_up(self._stage.world.monotonic())
                    self._media.close()
                case Act.GREET:
                    self._say(self.order.greeting)
                case Act.SPEAK:
                    self._say(self.order.prompt)
                case Act.TELL_RINGING:
                    self._report(Ringing(self.order.call_id))
                case Act.TELL_ANSWERED:
                    self._report(Answered(self.order.call_id, self.link.trunk.name, self._sip_call_id))
                case Act.FINISH:
                    self._finish()

    def _say(self, prompt: Utterance | None) -> None:
        if prompt is not None:
            self._media.say(prompt)

    def _finish(self) -> None:
        self._media.close()
        done, self._done = self._done, None
        if done is not None:
            done(self)

    def _flush(self) -> None:
        """Send what is queued and set the timer. Once nothing is awaited the call is forgotten."""
        sip = self._sip
        if sip is None:
            return
        for one in sip.data_to_send():
            self._ladder.left(one.data)
            self.link.send(one.data, one.hop)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if sip.idle and self._done is None:
            self.link.remove(self._sip_call_id)
            return
        due = min(sip.next_deadline(), self._machine.next_deadline())
        if due < math.inf:
            wait = max(0.0, due - self._stage.world.monotonic())
            self._timer = asyncio.get_running_loop().call_later(wait, self._tick)

    def _tick(self) -> None:
        self._timer = None
        sip = self._sip
        if sip is None:
            return
        now = self._stage.world.monotonic()
        self._handle(sip.tick(now))
        self._do(self._machine.tick(now))
        self._flush()

    def forget(self) -> None:
        """The process ends: no timer of this call runs on."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.link.remove(self._sip_call_id)
        self._media.close()
