"""Recordings become segments: telephone rate, no silence around, one loudness."""

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.deliver.speech.studio import silence, tone, wav

from bocau.deliver.speech.shaping import clipped, fit, peak, resample, trim
from bocau.deliver.speech.wav import Sound, read_wav

RATES = (8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000)


def sound(samples: list[float], rate: int) -> Sound:
    return read_wav(wav(samples, rate))


def rms(samples: "array[int]") -> float:
    return math.sqrt(sum(value * value for value in samples) / len(samples))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("hertz", [200, 1_000, 3_000])
def test_a_tone_of_the_telephone_band_survives_resampling(hertz: int, rate: int) -> None:
    """At its pitch, in its size, from every common rate: compared with the tone made at 8,000 a second."""
    made = resample(sound(tone(hertz, 0.1, rate), rate), 8_000)
    wanted = tone(hertz, 0.1, 8_000)
    assert abs(len(made) - 800) <= 1
    middle = range(100, 700)
    assert max(abs(made[at] - wanted[at] * 32_768) for at in middle) < 330  # 1 % of full scale


@pytest.mark.parametrize("rate", [rate for rate in RATES if rate > 11_025])
def test_what_the_telephone_cannot_carry_does_not_fold_back(rate: int) -> None:
    """A tone above 4 kHz is gone, not turned into another one."""
    made = resample(sound(tone(min(5_000, rate * 0.45), 0.1, rate), rate), 8_000)
    assert rms(made[100:700]) < 0.002 * 32_768


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("amplitude", [0.02, 0.2, 0.99])
def test_a_segment_has_the_one_loudness_whatever_it_was(amplitude: float, rate: int) -> None:
    """A quiet six beside a loud eight would be missed."""
    made = fit(sound(silence(0.3, rate) + tone(700, 0.3, rate, amplitude) + silence(0.5, rate), rate))
    assert 0.28 * 8_000 <= len(made) <= 0.37 * 8_000
    assert rms(made[400:-400]) == pytest.approx(3_277, rel=0.1)


def test_a_click_does_not_decide_the_loudness_beyond_clipping() -> None:
    """Of a sound with high peaks, the peaks set the limit."""
    spiky = tone(500, 0.3, 8_000, 0.01)
    spiky[1_200] = 0.9
    assert peak(fit(sound(spiky, 8_000))) <= 26_000


def test_both_ends_begin_and_end_at_nothing() -> None:
    """A cut through a wave would click."""
    made = fit(sound(tone(700, 0.3, 8_000), 8_000))
    assert (made[0], made[-1]) == (0, 0)


def test_silence_is_nothing() -> None:
    """And does not divide by zero."""
    assert len(fit(sound(silence(0.3, 16_000), 16_000))) == 0
    assert peak(array("h")) == 0


def test_a_recorder_driven_too_far_is_noticed() -> None:
    """Three samples at the edge in a row; a single one may just touch it."""
    assert clipped(sound(tone(300, 0.1, 8_000, 1.5), 8_000).samples)
    assert not clipped(sound(tone(300, 0.1, 8_000, 0.98), 8_000).samples)
    assert clipped(read_wav(wav(tone(300, 0.1, 8_000, 1.5), 8_000, bits=8)).samples)
    assert not clipped(array("h", [0, 32_767, 32_767, 0, -32_768, -32_768, 5]))
    assert not clipped(array("h", [128] * 10))  # 80 00 80 00: looks like the edge from an odd octet


@given(st.lists(st.integers(-32_768, 32_767), max_size=400), st.sampled_from(RATES))
def test_any_sound_can_be_shaped(values: list[int], rate: int) -> None:
    """Nothing overflows, and trimming only takes away."""
    given_sound = Sound(array("h", values), rate)
    assert len(trim(given_sound)) <= len(values)
    assert peak(fit(given_sound)) <= 26_001
