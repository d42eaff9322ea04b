"""The call engine against a called phone, in virtual time."""

import asyncio
import subprocess
import sys

import pytest
from tests.rooms.deliver.sip.exchange import CALM, PROMPT, QUICK, SPOKEN, TRUNK, Calls, simulated

from bocau.deliver.sip.order import CallLimits, CallStatus, Retry, Side, Utterance

_S = CallStatus


def test_a_call_is_placed_spoken_and_ended() -> None:
    """The whole prompt arrives, octet for octet, once, and not before the answer; the audio goes both ways."""

    async def scenario(calls: Calls) -> None:
        result = await calls.call("1234")
        assert (result.status, result.retry, result.sip_status) == (_S.ANSWERED, Retry.NONE, 200)
        assert (result.hung_up_by, result.plays, result.trunk, result.trunks) == (Side.CALLER, 1, "north", 1)
        assert result.duration_seconds == 2
        assert calls.told == ["ringing", "answered", "ended"]
        assert SPOKEN in calls.recording.octets
        assert calls.recording.early_frames == 0
        assert calls.recording.acted[:5] == ["100", "180", "200", "ACK", "BYE"]
        assert not result.media.one_way
        assert result.media.received > 50
        assert result.media.lost <= 2

    simulated(scenario)


def test_what_was_said_over_sip_is_told_with_the_result() -> None:
    """Both ways, in order, with the moment of each; neither the number nor what answered the challenge is in it."""

    async def scenario(calls: Calls) -> None:
        ladder = (await calls.call("0026")).ladder
        firsts = [("> " if rung.sent else "< ") + rung.text.split("\n")[0].split(" sip:")[0] for rung in ladder]
        assert firsts == [
            "> INVITE",
            "< SIP/2.0 401 Unauthorized",
            "> ACK",
            "> INVITE",
            "< SIP/2.0 100 Trying",
            "< SIP/2.0 180 Ringing",
            "< SIP/2.0 200 OK",
            "> ACK",
            "> BYE",
            "< SIP/2.0 200 OK",
        ]
        assert [rung.at_ms for rung in ladder] == sorted(rung.at_ms for rung in ladder)
        assert {rung.trunk for rung in ladder} == {"north"}
        said = "".join(rung.text for rung in ladder)
        assert "Authorization: Digest ***" in said
        assert "0120026" not in said

    simulated(scenario)


@pytest.mark.parametrize(
    ("ending", "status", "retry", "sip_status", "cause"),
    [
        ("0006", _S.BUSY, Retry.LATER, 486, 17),
        ("0022", _S.FAILED, Retry.NONE, 603, 21),
        ("0023", _S.FAILED, Retry.NONE, 404, 1),
        ("0024", _S.NO_ANSWER, Retry.LATER, 480, 0),
        ("0025", _S.FAILED, Retry.NEXT_TRUNK_BACK_OFF, 503, 0),
        ("0032", _S.FAILED, Retry.NEXT_TRUNK, 302, 0),
        ("0033", _S.FAILED, Retry.NEXT_TRUNK_BACK_OFF, 0, 0),
        ("0021", _S.NO_ANSWER, Retry.LATER, 487, 0),
    ],
)
def test_a_call_that_is_not_answered(
    ending: str, status: CallStatus, retry: Retry, sip_status: int, cause: int
) -> None:
    """Each refusal comes to its outcome; nothing is spoken and no second call is made."""

    async def scenario(calls: Calls) -> None:
        result = await calls.call(ending)
        assert (result.status, result.retry, result.sip_status, result.cause) == (status, retry, sip_status, cause)
        assert (result.duration_seconds, result.hung_up_by, result.plays) == (0, Side.NOBODY, 0)
        assert result.media.sent == 0
        assert calls.told[-1] == "ended"
        assert len(calls.phone.recordings) == 1

    simulated(scenario)


@pytest.mark.parametrize("ending", ["0026", "0027", "0030", "0031", "0034", "0035", "0036", "0037", "0038"])
def test_a_call_that_takes_its_own_way_is_spoken_all_the_same(ending: str) -> None:
    """401, 407, early media, moved audio, a slow answer, garbage, OPTIONS, session timer, PRACK."""

    async def scenario(calls: Calls) -> None:
        result = await calls.call(ending)
        assert result.status is _S.ANSWERED
        assert SPOKEN in calls.recording.octets
        assert calls.recording.early_frames == 0

    simulated(scenario)


def test_the_callee_hangs_up() -> None:
    """The call was answered: whatever was heard, nobody is called again."""

    async def scenario(calls: Calls) -> None:
        result = await calls.call("0028")
        assert (result.status, result.retry, result.hung_up_by) == (_S.ANSWERED, Retry.NONE, Side.CALLEE)
        assert result.duration_seconds == 2
        assert result.cause == 16

    simulated(scenario)


def test_key_one_plays_the_prompt_again() -> None:
    """One press is one key, however many packets tell of it; the prompt begins anew."""

    async def scenario(calls: Calls) -> None:
        result = await calls.call("0029")
        assert (result.keys, result.plays) == ("1", 2)
        assert calls.told == ["ringing", "answered", "1", "ended"]
        assert SPOKEN in calls.recording.octets

    simulated(scenario)


def test_a_greeting_waits_for_the_key() -> None:
    """A code is not told to a mailbox: without the key nothing but the greeting is heard."""

    async def scenario(calls: Calls) -> None:
        greeting = Utterance(b"\x11" * 1600, b"\x12" * 1600)
        result = await calls.call("1234", greeting=greeting)
        assert (result.status, result.plays) == (_S.ANSWERED, 0)
        assert greeting.alaw in calls.recording.octets
        assert SPOKEN[:160] not in calls.recording.octets
        result = await calls.call("0029", greeting=greeting, limits=CallLimits(listen=1.0))
        assert (result.keys, result.plays) == ("1", 1)
        assert SPOKEN in calls.recording.octets

    simulated(scenario)


def test_audio_that_does_not_come_back_is_seen() -> None:
    """One way: we spoke, nothing came."""

    async def scenario(calls: Calls) -> None:
        result = await calls.call("0039")
        assert result.status is _S.ANSWERED
        assert result.media.one_way

    simulated(scenario)


@pytest.mark.parametrize("seed", range(12))
def test_lost_datagrams_delay_and_do_not_break(seed: int) -> None:
    """One in five is lost, in signalling too: every call ends once, in one final state (fault F32)."""

    async def scenario(calls: Calls) -> None:
        ids = [calls.place(ending) for ending in ("1234", "0006", "0028", "0031", "0038", "0026")]
        results = [await calls.end(call_id) for call_id in ids]
        assert all(result.status in _S for result in results)
        assert calls.told.count("ended") == len(ids)
        assert calls.engine.active == 0

    simulated(scenario, loss=0.2, weather=CALM, seed=seed)


@pytest.mark.parametrize("after", [0.01, 0.1, 0.21, 0.5, 1.0])
def test_a_call_is_cancelled_at_any_time(after: float) -> None:
    """CANCEL while it rings, BYE while it speaks, at the crossing both."""

    async def scenario(calls: Calls) -> None:
        call_id = calls.place("1234")
        await asyncio.sleep(after)
        assert calls.engine.cancel(call_id)
        result = await calls.end(call_id)
        assert result.retry is Retry.NONE
        assert not calls.engine.cancel(call_id)
        assert calls.recording.over.is_set()

    simulated(scenario)


def test_stop_ends_every_call() -> None:
    """After stop nothing is under way; a call that rang was cancelled, one that spoke got BYE."""

    async def scenario(calls: Calls) -> None:
        ids = [calls.place("0021"), calls.place("1234", prompt=Utterance(SPOKEN * 9, SPOKEN * 9))]
        await asyncio.sleep(1.0)
        await calls.engine.stop(0.5)
        results = [await calls.end(call_id) for call_id in ids]
        assert [result.status for result in results] == [_S.FAILED, _S.ANSWERED]
        await asyncio.sleep(0.1)
        assert [recording.acted[-1] for recording in calls.phone.recordings] == ["ACK", "BYE"]
        late = await calls.call("1234")
        assert late.reason == "no calls are taken any more"

    simulated(scenario)


def test_a_number_with_foreign_digits_is_not_dialled() -> None:
    """ASCII digits only (promises section 3)."""

    async def scenario(calls: Calls) -> None:
        result = await calls.call("1234", number="8490\u0661234567")
        assert (result.status, result.retry) == (_S.FAILED, Retry.NONE)
        assert calls.phone.recordings == []

    simulated(scenario)


def test_neither_number_nor_prompt_stands_in_the_log() -> None:
    """Nor in the texts of the values (promises S1)."""

    async def scenario(calls: Calls) -> None:
        await calls.call("0032")
        assert "link.misfit" in calls.log.getvalue()
        assert "84901" not in calls.log.getvalue()
        assert "bocau:bocau" not in calls.log.getvalue()
        assert repr(PROMPT) == "Utterance(1.6 s)"
        assert "bocau" not in repr(TRUNK)

    simulated(scenario)
    assert QUICK.repeats == 3


def test_the_engine_brings_neither_store_nor_settings_along() -> None:
    """So that it can live in a process of its own, and start fast there."""
    looked = "import sys, bocau.deliver.sip.engine; print([m for m in sys.modules if m.startswith('bocau.')])"
    modules = subprocess.run([sys.executable, "-c", looked], capture_output=True, text=True, check=True).stdout
    for unwanted in ("bocau.store", "bocau.settings", "bocau.app", "bocau.accept", "bocau.wire.smpp", "bocau.srv"):
        assert unwanted not in modules
    assert "bocau.wire.sip.call" in modules
