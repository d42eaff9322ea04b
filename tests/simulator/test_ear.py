"""The ear hears what a prompt says, and nothing else: every code, both laws, other levels, losses and shifts."""

import shutil
from array import array
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bocau.deliver.speech.builtin import Builtin
from bocau.deliver.speech.cache import Cache
from bocau.deliver.speech.espeak import Espeak, EspeakVoice
from bocau.deliver.speech.prompt import Clip, Options, Prompt
from bocau.deliver.speech.segments import DIGITS, LETTERS, REQUIRED, SEGMENTS
from bocau.deliver.speech.speaker import Speaker
from bocau.simulator.ear import UNKNOWN, Ear, Heard
from bocau.wire.rtp.g711 import alaw_decode, alaw_encode, ulaw_encode

SIGNS = DIGITS + LETTERS
codes = st.text(SIGNS, min_size=4, max_size=8)


def ear_for(clips: Mapping[str, Clip]) -> Ear:
    return Ear({name: alaw_decode(clip.alaw) for name, clip in clips.items()})


SPEAKER = Speaker([Builtin()], Cache(None))


@pytest.fixture(scope="module")
def ear() -> Ear:
    """One that knows the built-in signs."""
    return ear_for(SPEAKER.warm("vi", "north", Options()).clips)


def prompt(code: str, repeats: int = 1, gap_ms: int = 250) -> Prompt:
    return SPEAKER.prompt(code, "vi", "north", Options(repeats, gap_ms, press_to_repeat=True))


def names(heard: Heard) -> list[str]:
    return [word.name for word in heard.words]


def scaled(alaw: bytes, gain: float) -> "array[int]":
    """Linear samples at another level, clipped as a line would."""
    samples = memoryview(alaw_decode(alaw)).cast("h")
    return array("h", [max(-32_768, min(32_767, round(sample * gain))) for sample in samples])


@given(codes, st.sampled_from(["alaw", "ulaw"]), st.integers(100, 600))
@settings(max_examples=10)
def test_every_code_is_heard_as_it_was_said(ear: Ear, code: str, law: str, gap_ms: int) -> None:
    """Prompt to ear, by both laws."""
    said = prompt(code, gap_ms=gap_ms)
    heard = ear.hear(said.alaw, "alaw") if law == "alaw" else ear.hear(said.ulaw, "ulaw")
    assert names(heard) == ["lead", *code, "press_to_repeat", "tail"]
    assert heard.codes == (code,)
    assert all(word.score > 0.95 for word in heard.words)


@given(codes, st.integers(0, 800), st.sampled_from([0.15, 0.5, 1.0, 3.0]))
@settings(max_examples=8)
def test_a_late_start_and_another_level_make_no_difference(ear: Ear, code: str, lost: int, gain: float) -> None:
    """Phones swallow 100 ms, and play louder or softer, even a little distorted."""
    samples = scaled(prompt(code).alaw, gain)
    heard = ear.hear(ulaw_encode(samples.tobytes())[lost:], "ulaw")
    assert heard.codes == (code,)


def test_every_sign_is_heard_where_it_was_said(ear: Ear) -> None:
    """Times are those of the prompt, to the millisecond."""
    said = prompt("0123456789", repeats=2)
    heard = ear.hear(said.alaw, "alaw")
    leads = [mark.offset / 8_000 for mark in said.marks if mark.kind == "lead"]
    first = [mark.offset / 8_000 for mark in said.marks if mark.kind == "code"]
    assert [word.seconds for word in heard.words if word.name == "lead"] == pytest.approx(leads, abs=0.001)
    assert [word.seconds for word in heard.words if word.name == "0"] == pytest.approx(first, abs=0.001)


@pytest.mark.parametrize("repeats", [1, 2, 3])
def test_repetitions_are_counted(ear: Ear, repeats: int) -> None:
    """Three times 6 8 6 8 6 8."""
    assert ear.hear(prompt("686868", repeats).alaw, "alaw").codes == ("686868",) * repeats


def test_a_recording_that_ends_early_holds_what_was_said_until_then(ear: Ear) -> None:
    """The called person hangs up within the second time."""
    said = prompt("686868", repeats=2)
    second = [mark.offset for mark in said.marks if mark.kind == "code"][1]
    assert ear.hear(said.alaw[: second + 8_000], "alaw").codes[0] == "686868"
    assert len(ear.hear(said.alaw[: second + 8_000], "alaw").codes[1]) < 6


def test_noise_on_the_line_is_not_heard_as_a_sign(ear: Ear) -> None:
    """30 dB below the voice, and between the words."""
    samples = scaled(prompt("K7Q2").alaw, 1.0)
    noisy = array("h", [sample + (place * 7_919) % 199 - 99 for place, sample in enumerate(samples)])
    assert ear.hear(alaw_encode(noisy.tobytes()), "alaw").codes == ("K7Q2",)


def test_a_sound_that_is_not_known_is_told_as_such(ear: Ear) -> None:
    """A wrong voice must fail a test, not pass by the nearest guess."""
    deaf = Ear({"6": alaw_decode(SPEAKER.warm("vi", "north", Options()).clips["6"].alaw)})
    heard = deaf.hear(prompt("6868").alaw, "alaw")
    assert heard.codes == (f"{UNKNOWN}6{UNKNOWN}6{UNKNOWN}{UNKNOWN}{UNKNOWN}",)
    spoilt = bytearray(prompt("6868").alaw)
    second = 8_000 * ear.hear(bytes(spoilt), "alaw").words[2].seconds
    for at in range(int(second) + 800, int(second) + 2_400):
        spoilt[at] ^= 0x80 if at % 3 else 0x2A
    assert ear.hear(bytes(spoilt), "alaw").codes == ("6?68",)


def test_silence_and_nothing_are_heard_as_nothing(ear: Ear) -> None:
    """No division by zero either."""
    for octets in (b"", b"\xd5" * 16_000, b"\xd5\x55" * 8_000):
        assert ear.hear(octets, "alaw").words == ()
    assert Ear({}).hear(prompt("6868").alaw, "alaw").codes == ("??????" + UNKNOWN,)


@given(st.binary(max_size=4_000))
@settings(max_examples=20)
def test_any_octets_can_be_listened_to(ear: Ear, octets: bytes) -> None:
    """Whatever arrives on the line."""
    assert set(names(ear.hear(octets, "ulaw"))) <= {*SEGMENTS, UNKNOWN}


INSTALLED = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


class OnlyDigits(Espeak):
    """The engine, with as little to render as a prompt of digits needs."""

    def voice(self, language: str, region: str) -> EspeakVoice | None:
        """The voice without its letters."""
        found = super().voice(language, region)
        if found is not None:
            found.says = REQUIRED
        return found


@INSTALLED
@pytest.mark.parametrize(("language", "region"), [("vi", "central"), ("vi", "south"), ("en", "")])
def test_the_digits_of_every_synthesised_voice_are_told_apart(language: str, region: str) -> None:
    """Real speech, soft beginnings and all."""
    speaker = Speaker([OnlyDigits()], Cache(None))
    listener = ear_for(speaker.warm(language, region, Options()).clips)
    sound = speaker.prompt("0123456789686868", language, region, Options(repeats=1))
    for start in (0, 3, 777):
        assert listener.hear(sound.ulaw[start:], "ulaw").codes == ("0123456789686868",)


@pytest.fixture(scope="module")
def north() -> tuple[Speaker, Ear]:
    """The default voice and an ear for it."""
    speaker = Speaker([Espeak()], Cache(None))
    return speaker, ear_for(speaker.warm("vi", "north", Options()).clips)


@INSTALLED
def test_all_signs_of_the_default_voice_are_told_apart(north: tuple[Speaker, Ear]) -> None:
    """Letters too."""
    speaker, listener = north
    for said in (SIGNS[:16], SIGNS[16:32], SIGNS[32:]):
        sound = speaker.prompt(said, "vi", "north", Options(repeats=1))
        assert listener.hear(sound.alaw, "alaw").codes == (said,)


@INSTALLED
@given(codes, st.integers(0, 800))
@settings(max_examples=8)
def test_every_code_of_the_default_voice_is_heard(north: tuple[Speaker, Ear], code: str, lost: int) -> None:
    """The voice that a fresh install has where espeak-ng is installed."""
    speaker, listener = north
    sound = speaker.prompt(code, "vi", "north", Options(repeats=1))
    assert listener.hear(sound.alaw[lost:], "alaw").codes == (code,)
