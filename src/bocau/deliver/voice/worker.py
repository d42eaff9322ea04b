"""The worker's side: takes lines, lets the engine place calls, says what became of them.

It owns the voice: the gateway sends codes, and the sound is made here, where it is needed.
"""

import asyncio
import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from bocau.core.call import Playing
from bocau.deliver.sip.engine import CallEngine, EngineSettings
from bocau.deliver.sip.link import LinkState
from bocau.deliver.sip.order import (
    NO_MEDIA,
    Answered,
    CallEvent,
    CallLimits,
    CallOrder,
    CallResult,
    CallStatus,
    Ended,
    KeyPressed,
    Retry,
    Ringing,
    Side,
    Utterance,
)
from bocau.deliver.speech.prompt import Options, Prompt
from bocau.deliver.speech.recorded import recorded
from bocau.deliver.speech.speaker import Setup, Speaker, make_speaker
from bocau.deliver.speech.voice import SpeechFault
from bocau.deliver.voice.messages import (
    Cancel,
    Configure,
    Down,
    Drain,
    Forget,
    Keep,
    Key,
    Leaving,
    Over,
    Picked,
    Place,
    Rang,
    Ready,
    Speech,
    Standing,
    TrunkStanding,
    Unfit,
    Up,
    WorkerCaps,
)
from bocau.ports import ServiceNames, World
from bocau.telemetry import Log
from bocau.wire.rtp.srtp import Aes

__all__ = ["Talker", "VoiceWorker", "engine_settings"]

_LOOK_SECONDS: Final = 0.2


class Talker:
    """Makes the sound of calls by one way of speaking. Blocks while a voice is prepared for the first time."""

    def __init__(self, speech: Speech) -> None:
        """Prepares the voice. Raises SpeechFault if nobody can say a code of digits."""
        self._speech = speech
        self._options = Options(speech.repeats, speech.gap_ms, press_to_repeat=speech.press_to_repeat)
        folders = [Path(name) if name else None for name in (speech.packs_folder, speech.cache_folder)]
        self._speaker: Speaker = make_speaker(Setup(speech.engines, folders[0], speech.pack, folders[1]))
        prepared = self._speaker.warm(speech.language, speech.region, self._options)
        self.voice = prepared.voice.name
        self.warning = prepared.warning

    def order(self, place: Place, limits: CallLimits) -> CallOrder:
        """The order of a call. Raises SpeechFault if the code cannot be said.

        What is played for a recording is the recording alone: nobody has to press a key to hear it.
        """
        playing, voice, speed = place.manner
        if playing is not None:
            return CallOrder(place.call_id, place.number, _sound(recorded(playing)), None, limits)
        to_hear, to_repeat = place.press
        options = self._options.at(speed)
        if to_repeat is not None:
            options = dataclasses.replace(options, press_to_repeat=to_repeat)
        where = self._speech.language, self._speech.region, options
        prompt = self._speaker.prompt(place.code, *where, voice)
        greets = self._speech.press_to_hear if to_hear is None else to_hear
        greeting = _sound(self._speaker.invitation(*where, voice)) if greets else None
        return CallOrder(place.call_id, place.number, _sound(prompt), greeting, limits)


def _sound(prompt: Prompt) -> Utterance:
    return Utterance(prompt.alaw, prompt.ulaw)


def engine_settings(caps: WorkerCaps) -> EngineSettings:
    """The bounds of an engine that takes on so much. What comes beyond them waits, it is not refused."""
    return EngineSettings(caps.calls, caps.starts_per_second, caps.calls, caps.first_port, caps.last_port)


class VoiceWorker:
    """Acts on lines from the gateway. `send` takes what it says."""

    def __init__(
        self,
        world: World,
        names: Callable[[], ServiceNames],
        log: Callable[[Configure], Log],
        send: Callable[[Up], None],
        aes: Callable[[], Aes],
    ) -> None:
        """`names` is asked only if a trunk wants SRV records, `aes` if one wants its sound enciphered; both raise
        OSError if they cannot be had. `log` makes the log once the level is known."""
        self.gone = asyncio.Event()
        """Set when there is nothing more to do: `close` it."""
        self._world = world
        self._names = names
        self._aes = aes
        self._kept: dict[str, Playing] = {}
        """Recordings by their digests; the gateway says which."""
        self._make_log = log
        self._send = send
        self._engine: CallEngine | None = None
        self._talker: Talker | None = None
        self._limits = CallLimits()
        self._told: Standing | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[None] | None = None

    def take(self, message: Down) -> None:
        """A line from the gateway."""
        match message:
            case Configure():
                self._configure(message)
            case Keep():
                self._kept[message.digest] = message.playing
            case Forget():
                self._kept.pop(message.digest, None)
            case Place():
                self._place(message)
            case Cancel():
                if self._engine is not None:
                    self._engine.cancel(message.call_id)
            case Drain():
                self.leave(message.seconds)

    def leave(self, seconds: float) -> None:
        """Take no more calls; let those under way end for so long, then be gone. Twice does no harm."""
        if self._leaving is None:
            self._send(Leaving())
            self._leaving = asyncio.ensure_future(self._leave(seconds))

    async def close(self) -> None:
        """End at once: calls under way are hung up, all sockets are closed."""
        if self._leaving is not None:
            self._leaving.cancel()
            await asyncio.gather(self._leaving, return_exceptions=True)
        await self._leave(0.0)

    async def _leave(self, seconds: float) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
        if self._engine is not None:
            await self._engine.stop(seconds)
        self.gone.set()

    def _configure(self, message: Configure) -> None:
        try:
            self._talker = Talker(message.speech)
            names = self._names() if any(trunk.srv for trunk in message.trunks) else None
            aes = self._aes() if any(trunk.srtp for trunk in message.trunks) else None
            engine = CallEngine(
                self._world, message.trunks, engine_settings(message.caps), self._make_log(message), names, aes
            )
            engine.start()
        except (SpeechFault, ValueError, OSError) as error:
            self._send(Unfit(str(error)))
            self.gone.set()
            return
        self._engine, self._limits = engine, message.limits
        self._send(Ready(self._talker.voice, self._talker.warning))
        self._watcher = asyncio.ensure_future(self._watch(engine))

    async def _watch(self, engine: CallEngine) -> None:
        """Say how the trunks do, whenever it is otherwise than was said."""
        while True:
            standing = Standing(
                tuple(
                    TrunkStanding(one.name, one.state is LinkState.UP, one.why, one.active) for one in engine.trunks()
                )
            )
            if standing != self._told:
                self._told = standing
                self._send(standing)
            await self._world.sleep(_LOOK_SECONDS)

    def _place(self, place: Place) -> None:
        if self._engine is None or self._talker is None:
            self._send(Over(place.call_id, _not_said("the worker is not configured", Retry.NEXT_TRUNK_BACK_OFF)))
            return
        if place.recording:
            kept = self._kept.get(place.recording)
            if kept is None:
                self._send(Over(place.call_id, _not_said("the recording is missing", Retry.NEXT_TRUNK_BACK_OFF)))
                return
            place = replace(place, manner=place.manner._replace(playing=kept))
        try:
            order = self._talker.order(place, self._limits)
        except SpeechFault as fault:
            self._send(Over(place.call_id, _not_said(str(fault), Retry.NONE)))
            return
        self._engine.place(order, partial(_tell, self._send))


def _tell(send: Callable[[Up], None], event: CallEvent) -> None:
    match event:
        case Ringing(call_id):
            send(Rang(call_id))
        case Answered(call_id, trunk, sip_call_id):
            send(Picked(call_id, trunk, sip_call_id))
        case KeyPressed(call_id, key):
            send(Key(call_id, key))
        case Ended(call_id, result):
            send(Over(call_id, result))


def _not_said(reason: str, retry: Retry) -> CallResult:
    return CallResult(CallStatus.FAILED, retry, 0, 0, reason, "", 0, 0, Side.NOBODY, "", 0, 0, NO_MEDIA)
