"""What the simulated phone heard so far: told during the call, a code each time that it was said to its end."""

import asyncio
import io
import wave

from bocau.deliver.speech.builtin import Builtin
from bocau.deliver.speech.cache import Cache
from bocau.deliver.speech.prompt import Options
from bocau.deliver.speech.speaker import Speaker
from bocau.simulator.ear import Ear
from bocau.simulator.hearing import HeardSoFar, Hearing
from bocau.simulator.phone import Recording
from bocau.wire.rtp.g711 import alaw_decode

SPEAKER = Speaker([Builtin()], Cache(None))
FRAME = 160


def make_ear() -> Ear:
    clips = SPEAKER.warm("vi", "north", Options()).clips
    return Ear({name: alaw_decode(clip.alaw) for name, clip in clips.items()})


def frames(code: str, repeats: int) -> list[bytes]:
    octets = SPEAKER.prompt(code, "vi", "north", Options(repeats=repeats)).alaw
    return [octets[at : at + FRAME] for at in range(0, len(octets), FRAME)]


def hear_on_the_way(recording: Recording, coming: list[bytes], every: int) -> list[HeardSoFar]:
    """What is told each time that so many frames more have come, and once the call is over."""

    async def run() -> list[HeardSoFar]:
        hearing = Hearing(lambda call_id: recording if call_id == recording.call_id else None, make_ear)
        told = []
        for at in range(0, len(coming), every):
            recording.frames += coming[at : at + every]
            told.append(await hearing.listen(recording))
        recording.over.set()
        last = await hearing.heard(recording.call_id)
        assert last is not None
        assert await hearing.heard("another") is None
        return [*told, last]

    return asyncio.run(run())


def test_a_code_is_known_while_the_call_goes_on() -> None:
    """A test that waits for it need not wait for its repetitions: they are told as they come."""
    told = hear_on_the_way(Recording("84901234567", call_id="one"), frames("482193", 3), 10)
    counts = [len(heard.codes) for heard in told]
    assert counts == sorted(counts)
    assert {0, 1, 2, 3} == set(counts)
    assert told[-1].codes == ("482193",) * 3
    assert told[counts.index(1)].seconds < told[-1].seconds / 2
    assert [heard.over for heard in told] == [False] * (len(told) - 1) + [True]


def test_a_code_that_was_cut_off_is_none() -> None:
    """Somebody who hangs up in the middle has no code, and not a shorter one."""
    coming = frames("482193", 1)
    for share in range(1, 20):
        told = hear_on_the_way(Recording("84901234567", call_id="one"), coming[: len(coming) * share // 20], 500)
        assert told[-1].codes in ((), ("482193",))


def test_what_is_no_speech_is_no_code() -> None:
    """Silence and noise cost nothing and say nothing."""
    silence, hum = [b"\xd5" * FRAME] * 60, [bytes(range(160))] * 20
    told = hear_on_the_way(Recording("84901234567", call_id="one"), silence + hum + silence, 20)
    assert told[-1].codes == ()


def test_the_sound_so_far_is_a_wav_file() -> None:
    """For the artifact of a run that failed."""
    recording = Recording("84901234567", call_id="one")
    hearing = Hearing(lambda _: recording, make_ear)
    assert hearing.sound("one") == b""
    recording.frames += frames("482193", 1)
    with wave.open(io.BytesIO(hearing.sound("one"))) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (1, 8_000, len(recording.octets))
