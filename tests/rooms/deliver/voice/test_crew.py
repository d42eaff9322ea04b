"""Workers as real processes: calls, deaths, ends."""

import asyncio
import io
import os
import select
import signal
import subprocess
import sys
from array import array
from math import sin
from pathlib import Path

from tests.rooms.deliver.voice.workshop import Workshop, at_work, children_of, configure

from bocau.core.call import Manner, Playing
from bocau.deliver.sip.order import CallStatus, Retry
from bocau.deliver.speech.builtin import Builtin
from bocau.deliver.speech.cache import Cache
from bocau.deliver.speech.prompt import Options
from bocau.deliver.speech.speaker import Speaker
from bocau.deliver.speech.wav import little
from bocau.deliver.voice.crew import Crew, Lost
from bocau.deliver.voice.messages import Configure, Down, Forget, Keep, Key, Over, Picked, Place, Rang, Speech, line
from bocau.simulator.ear import Ear
from bocau.telemetry import Lines, make_log
from bocau.wire.rtp.g711 import alaw_decode, alaw_encode
from bocau.world import RealChildren, RealWorld


def ear() -> Ear:
    """An ear that knows the built-in signs."""
    clips = Speaker([Builtin()], Cache(None)).warm("vi", "north", Options()).clips
    return Ear({name: alaw_decode(clip.alaw) for name, clip in clips.items()})


def test_a_worker_says_the_code_and_tells_how_it_went() -> None:
    """The code goes to the process by its stream alone, and the phone hears it; the log has nothing of it."""

    async def scenario(shop: Workshop) -> None:
        shop.place("a", code="4821")
        await shop.until("a", Picked)
        assert all(b"4821" not in shown for shown in shop.shown())
        over = await shop.end("a")
        assert isinstance(over, Over)
        assert over.result.status is CallStatus.ANSWERED
        assert over.result.sip_call_id
        assert [type(one) for one in shop.heard["a"]] == [Rang, Picked, Over]
        assert ear().hear(shop.phone.recordings[0].octets, "alaw").codes == ("4821",)
        assert shop.crew.active == 0
        assert "4821" not in shop.log.getvalue()
        assert "test tones" in shop.log.getvalue()

    at_work(scenario)


def tone(pitch: int) -> Playing:
    """Half a second of sound, another one for each pitch."""
    return Playing(8_000, little(array("h", (round(9_000 * sin(at * pitch / 50)) for at in range(4_000)))))


def test_a_recording_crosses_to_a_worker_once() -> None:
    """However many calls play it, up to a bound, and again to the worker that comes after one that died."""

    async def scenario(shop: Workshop) -> None:
        [seat] = shop.crew._seats
        told: list[Down] = []
        say = seat.send

        def send(message: Down) -> None:
            told.append(message)
            say(message)

        seat.send = send  # type: ignore[method-assign]

        async def heard(name: str, playing: Playing) -> bool:
            shop.place(name, playing=playing)
            over = await shop.end(name)
            assert isinstance(over, Over)
            assert over.result.plays == 1
            return alaw_encode(playing.samples) in shop.phone.recordings[-1].octets

        first = tone(7)
        assert await heard("one", first)
        assert await heard("two", first)
        assert [type(one) for one in told] == [Keep, Place, Place]
        assert not any(len(line(one)) > 1_000 for one in told if isinstance(one, Place))
        os.kill(seat.child.pid if seat.child is not None else 0, signal.SIGKILL)
        await shop.until_dead()
        await shop.ready()
        assert await heard("three", first)
        assert [type(one) for one in told[3:]] == [Configure, Keep, Place]
        for number in range(40):
            seat.lend(Place(str(number), "84901234567", "", Manner(tone(10 + number))))
        assert len(seat._kept) == 32
        assert sum(isinstance(one, Forget) for one in told) == 9
        assert await heard("four", first), "it was forgotten, and goes ahead of the call again"

    at_work(scenario)


def test_keys_and_refusals_come_up() -> None:
    """What the callee pressed, and a busy phone, at the same time over two workers."""

    async def scenario(shop: Workshop) -> None:
        shop.place("pressed", "0029")
        shop.place("busy", "0006")
        shop.place("letters", code="not a code")
        pressed, busy, letters = [await shop.end(name) for name in ("pressed", "busy", "letters")]
        assert isinstance(pressed, Over)
        assert isinstance(busy, Over)
        assert isinstance(letters, Over)
        assert await shop.until("pressed", Key) == Key("pressed", "1")
        assert pressed.result.keys == "1"
        assert (busy.result.status, busy.result.retry) == (CallStatus.BUSY, Retry.LATER)
        assert (letters.result.status, letters.result.retry) == (CallStatus.FAILED, Retry.NONE)

    at_work(scenario, workers=2)


def test_a_killed_worker_takes_its_calls_along_and_another_one_starts() -> None:
    """Each call is told once what was known of it; the next call goes over the new worker (fault F32)."""

    async def scenario(shop: Workshop) -> None:
        shop.place("ringing", "0021")
        shop.place("answered", "1234")
        await shop.until("ringing", Rang)
        await shop.until("answered", Picked)
        [pid] = shop.pids()
        os.kill(pid, signal.SIGKILL)
        assert await shop.end("ringing") == Lost("ringing", False, True, "")
        assert await shop.end("answered") == Lost("answered", True, True, "phone")
        assert shop.crew.active == 0
        await shop.ready()
        assert shop.crew.restarts == 1
        assert shop.pids() != [pid]
        shop.place("next", "0006")
        over = await shop.end("next")
        assert isinstance(over, Over)
        assert over.result.status is CallStatus.BUSY
        assert [type(one) for one in shop.heard["answered"]].count(Lost) == 1

    at_work(scenario)


def test_a_worker_that_is_asked_to_end_lets_its_calls_end() -> None:
    """SIGTERM: the prompt is said to its end, then the process goes and another one comes."""

    async def scenario(shop: Workshop) -> None:
        shop.place("a")
        await shop.until("a", Picked)
        [pid] = shop.pids()
        os.kill(pid, signal.SIGTERM)
        over = await shop.end("a")
        assert isinstance(over, Over)
        assert (over.result.status, over.result.plays) == (CallStatus.ANSWERED, 1)
        await shop.ready()
        assert shop.crew.restarts == 1

    at_work(scenario)


def test_a_stop_hangs_up_and_tells_every_call_its_end() -> None:
    """CANCEL to the phone that rings, BYE to the one that listens; no process stays."""

    async def scenario(shop: Workshop) -> None:
        shop.place("ringing", "0021")
        shop.place("answered")
        await shop.until("ringing", Rang)
        await shop.until("answered", Picked)
        await shop.crew.stop(0.0)
        ringing, answered = await shop.end("ringing"), await shop.end("answered")
        assert isinstance(ringing, Over)
        assert isinstance(answered, Over)
        assert answered.result.status is CallStatus.ANSWERED
        assert shop.pids() == []
        assert sorted(one.acted[-1] for one in shop.phone.recordings) == ["ACK", "BYE"]

    at_work(scenario)


def test_a_voice_that_cannot_speak_is_told() -> None:
    """A worker without a voice takes no calls, and the crew says why."""

    async def run() -> str:
        world, log = RealWorld(), io.StringIO()
        speech = Speech(("pack",), packs_folder="/nowhere")
        died = asyncio.Event()
        crew = Crew(world, RealChildren(), (configure(9, speech),), make_log(Lines(log), world.now_ms), died.set)
        crew.start()
        try:
            async with asyncio.timeout(30):
                await died.wait()
            return crew.why
        finally:
            await crew.stop(0.0)

    assert "no voice for vi north" in asyncio.run(run())


_ORPHAN = """
import asyncio
from tests.rooms.deliver.voice.workshop import Workshop, at_work
from bocau.deliver.voice.messages import Picked

async def scenario(shop: Workshop) -> None:
    shop.place("a")
    await shop.until("a", Picked)
    print(shop.pids()[0], flush=True)
    await asyncio.sleep(60)

at_work(scenario)
"""


def test_a_worker_does_not_outlive_its_gateway() -> None:
    """kill -9 of the parent: the stream ends, and with it the process."""
    root = Path(__file__).resolve().parents[4]
    parent = subprocess.Popen([sys.executable, "-c", _ORPHAN], stdout=subprocess.PIPE, cwd=root, text=True)
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert children_of(parent.pid) == [pid]
        parent.kill()
        # Readable once the process has ended.
        end = os.pidfd_open(pid)
        try:
            assert select.select([end], [], [], 15)[0]
        finally:
            os.close(end)
