"""The called phone on the loopback of the real machine, called by the real engine."""

import socket
import wave
from pathlib import Path

import pytest
from tests.rooms.deliver.sip.exchange import SPOKEN, TRUNK, Calls, on_loopback, simulated

from bocau.deliver.sip.order import CallStatus, Utterance
from bocau.deliver.speech.builtin import Builtin
from bocau.deliver.speech.cache import Cache
from bocau.deliver.speech.prompt import Options
from bocau.deliver.speech.speaker import Speaker
from bocau.simulator.ear import Ear
from bocau.simulator.phone import Recording, wav_of
from bocau.simulator.phone_rules import PHONES, phone_row, phone_table
from bocau.wire.rtp.g711 import alaw_decode


def has_ipv6() -> bool:
    """Whether ::1 can be bound."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_calls_over_real_sockets_are_spoken_and_heard() -> None:
    """UDP: an answer, a key, an early hang-up and a busy phone at the same time."""

    async def scenario(calls: Calls) -> None:
        ids = [calls.place(ending) for ending in ("1234", "0029", "0028", "0006")]
        answered, pressed, left, busy = [await calls.end(call_id) for call_id in ids]
        assert (answered.status, pressed.keys, left.status, busy.status) == (
            CallStatus.ANSWERED,
            "1",
            CallStatus.ANSWERED,
            CallStatus.BUSY,
        )
        heard = {one.number[-4:]: one for one in calls.phone.recordings}
        assert SPOKEN in heard["1234"].octets
        assert SPOKEN in heard["0029"].octets
        assert answered.media.received > 50

    on_loopback(scenario, TRUNK._replace(host="127.0.0.1"))


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
def test_a_call_over_ipv6_is_spoken_and_heard() -> None:
    """Brackets in URIs and Via, IP6 in the description."""

    async def scenario(calls: Calls) -> None:
        assert (await calls.call("0026")).status is CallStatus.ANSWERED
        assert SPOKEN in calls.recording.octets

    on_loopback(scenario, TRUNK._replace(host="::1"))


def test_a_call_over_a_real_stream_is_spoken_and_heard() -> None:
    """TCP."""

    async def scenario(calls: Calls) -> None:
        assert (await calls.call("0026")).status is CallStatus.ANSWERED
        assert SPOKEN in calls.recording.octets

    on_loopback(scenario, TRUNK._replace(host="127.0.0.1", transport="tcp"))


def test_the_code_that_is_said_is_the_code_that_is_heard() -> None:
    """A rendered prompt over a whole call, told back by an ear that knows the voice: digits, order, three times."""
    speaker = Speaker([Builtin()], Cache(None))
    options = Options()
    prompt = speaker.prompt("686047", "vi", "north", options)
    clips = speaker.warm("vi", "north", options).clips
    ear = Ear({name: alaw_decode(clip.alaw) for name, clip in clips.items()})

    async def scenario(calls: Calls) -> None:
        result = await calls.call("1234", prompt=Utterance(prompt.alaw, prompt.ulaw))
        assert (result.status, result.plays) == (CallStatus.ANSWERED, 1)
        assert ear.hear(calls.recording.octets, "alaw").codes == ("686047",) * 3

    simulated(scenario, TRUNK)


def test_what_was_heard_becomes_a_wav_file(tmp_path: Path) -> None:
    """8 kHz, 16 bit, mono."""
    recording = Recording("84901234567")
    recording.frames += [b"\xd5" * 160, b"\x55" * 160]
    (tmp_path / "heard.wav").write_bytes(wav_of(recording))
    with wave.open(str(tmp_path / "heard.wav")) as file:
        assert file.getparams()[:4] == (1, 2, 8_000, 320)
        assert file.readframes(320) == alaw_decode(recording.octets)


def test_every_row_is_told_and_steps_are_in_order() -> None:
    """The table is what people read."""
    assert [ending for ending, _ in phone_table()] == list(PHONES)
    assert phone_row("84901230006").meaning == "busy: 486"
    assert phone_row("84901239999") is PHONES["other"]
    for row in PHONES.values():
        times = [step.after_seconds for step in row.steps]
        assert times == sorted(times)
