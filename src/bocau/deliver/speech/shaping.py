"""Sound made fit for the telephone: 8,000 samples a second, silence cut off, one loudness. Pure."""

import math
from array import array
from collections.abc import Sequence
from functools import lru_cache
from operator import mul
from typing import Final

from bocau.deliver.speech.wav import Sound
from bocau.wire.rtp.g711 import SAMPLES_PER_SECOND

__all__ = ["FULL_SCALE", "clipped", "fit", "peak", "resample", "trim"]

FULL_SCALE: Final = 32_767

_LOUDNESS: Final = 3_277.0
"""Root mean square of what is heard of a segment, a tenth of full scale (-20 dBov): loud, far from clipping."""
_HIGHEST: Final = 26_000.0
"""No sample may be beyond, about -2 dBov."""
_CROSSINGS: Final = 12
"""Zero crossings of the filter on each side: more than 60 dB of what would fold back is gone."""
_PASSED: Final = 0.94
"""Share of the new band that passes; the rest is the filter's slope."""
_FRAMES_PER_SECOND: Final = 100
_QUIET: Final = 0.02
"""A frame below this share of the loudest one counts as silence (-34 dB)."""
_MARGIN_FRAMES: Final = 2
_FADE_SECONDS: Final = 0.005
_EDGE: Final = 127 << 8
"""Where the samples of any depth end: an 8-bit recording reaches no further."""


def fit(sound: Sound) -> "array[int]":
    """The sound as a segment: trimmed, resampled, levelled. Empty if it is silent."""
    return _levelled(_faded(resample(Sound(trim(sound), sound.rate), SAMPLES_PER_SECOND)))


def peak(samples: Sequence[int]) -> int:
    """The largest sample, signs aside; 0 if there is none."""
    return max(map(abs, samples), default=0)


def clipped(samples: Sequence[int]) -> bool:
    """Whether the recorder was driven beyond full scale: three equal samples in a row at the edge."""
    return any(a == b == c and abs(a) >= _EDGE for a, b, c in zip(samples, samples[1:], samples[2:], strict=False))


def resample(sound: Sound, rate: int) -> "array[int]":
    """The samples at another rate: band-limited by a windowed sinc, one set of taps for each phase."""
    samples, given = sound
    if given == rate:
        return samples
    common = math.gcd(given, rate)
    up, down = rate // common, given // common
    taps = _taps(up, down)
    reach = len(taps[0]) // 2
    padded = [0] * reach + samples.tolist() + [0] * (reach + 1)
    made = array("h")
    for number in range(len(samples) * up // down):
        at, phase = divmod(number * down, up)
        kernel = taps[phase]
        made.append(_whole(sum(map(mul, kernel, padded[at : at + len(kernel)]))))
    return made


@lru_cache(maxsize=4)
def _taps(up: int, down: int) -> tuple[tuple[float, ...], ...]:
    """The filter's taps for each of `up` phases; each set lets a constant through unchanged."""
    cutoff = _PASSED * min(1.0, up / down)
    reach = math.ceil(_CROSSINGS / cutoff)
    return tuple(_kernel(phase / up, cutoff, reach) for phase in range(up))


def _kernel(offset: float, cutoff: float, reach: int) -> tuple[float, ...]:
    taps = [
        _sinc(cutoff * (place - offset)) * _window((place - offset) / (reach + 1)) for place in range(-reach, reach + 1)
    ]
    whole = sum(taps)
    return tuple(tap / whole for tap in taps)


def _sinc(x: float) -> float:
    return math.sin(math.pi * x) / (math.pi * x) if x else 1.0


def _window(x: float) -> float:
    """Blackman's window, from -1 to 1."""
    return 0.42 + 0.5 * math.cos(math.pi * x) + 0.08 * math.cos(2 * math.pi * x)


def trim(sound: Sound) -> "array[int]":
    """The samples without the silence around them, 20 ms of it left on each side. Empty if all is silent."""
    samples = sound.samples
    size = sound.rate // _FRAMES_PER_SECOND
    heard = _heard(samples, size)
    if not heard:
        return array("h")
    return samples[max(0, heard[0] - _MARGIN_FRAMES) * size : (heard[-1] + 1 + _MARGIN_FRAMES) * size]


def _heard(samples: "array[int]", size: int) -> list[int]:
    """The numbers of the frames that are not silence."""
    powers = [_power(samples[at : at + size]) for at in range(0, len(samples), size)]
    loudest = max(powers, default=0.0)
    return [number for number, power in enumerate(powers) if power and power > loudest * _QUIET**2]


def _power(samples: "array[int]") -> float:
    return sum(map(mul, samples, samples)) / len(samples) if samples else 0.0


def _faded(samples: "array[int]") -> "array[int]":
    """The samples with a short fade at both ends, so that no cut clicks."""
    length = min(int(_FADE_SECONDS * SAMPLES_PER_SECOND), len(samples) // 2)
    faded = samples[:]
    for place in range(length):
        faded[place] = samples[place] * place // length
        faded[-1 - place] = samples[-1 - place] * place // length
    return faded


def _levelled(samples: "array[int]") -> "array[int]":
    """The samples at the one loudness, measured without pauses; less loud where their peaks would be too high."""
    size = SAMPLES_PER_SECOND // _FRAMES_PER_SECOND
    heard = _heard(samples, size)
    if not heard:
        return samples
    power = sum(_power(samples[number * size : (number + 1) * size]) for number in heard) / len(heard)
    gain = min(_LOUDNESS / math.sqrt(power), _HIGHEST / peak(samples))
    return array("h", [_whole(sample * gain) for sample in samples])


def _whole(value: float) -> int:
    return max(-FULL_SCALE - 1, min(FULL_SCALE, round(value)))
