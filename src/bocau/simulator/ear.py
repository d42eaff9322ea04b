"""What a called phone heard: known segments found again in recorded G.711 sound, by their waveforms.

An ear is given the segments that a prompt can be made of, as linear samples. Wherever sound begins after silence it
asks which segment begins there: first by loudness over time, which also tells the moment; then by the waveform of the
first tenth of a second; then by the whole waveform. It hears neither meaning nor quality, but it does not take one
digit for another. Level, law, a start that was cut off and a shift by any time make no difference; what is lost within
a segment lowers its score.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from operator import add, mul
from typing import Final, Literal, NamedTuple

from bocau.wire.rtp.g711 import SAMPLES_PER_SECOND, alaw_decode, ulaw_decode

__all__ = ["UNKNOWN", "Ear", "Heard", "Word"]

UNKNOWN: Final = "?"
"""Name of a sound that is no known segment."""

_STEP: Final = 8
"""Samples of one value of loudness: a millisecond."""
_SMOOTH: Final = 5
"""Milliseconds that each value of loudness is the mean of."""
_LEAD_IN: Final = 20
"""Milliseconds of silence before a segment that count as part of its shape."""
_SHAPE: Final = 150
"""Milliseconds compared by loudness."""
_REACH: Final = range(-12, 13)
"""Milliseconds around the moment where loudness places a segment's beginning."""
_CLOSE: Final = 0.1
"""How much worse than the best a shape may fit to be looked at again."""
_NEAR: Final = 16
"""Samples by which the place found by loudness may be wrong."""
_OPENING: Final = 800
"""Samples of a segment's opening, compared by waveform."""
_LIKELY: Final = 6
"""Segments whose opening fits best, which are compared whole."""
_SURE: Final = 0.6
"""Least correlation of a segment that counts as heard."""
_SILENCE_MS: Final = 60
"""A silence this long parts two sounds."""
_FAINT: Final = 0.004
"""Share of the loudest below which all is silence (-48 dB)."""
_NOISE_FACTOR: Final = 3
_LEAST_SOUND_MS: Final = 40
"""A shorter sound that is no segment is a click, and not told."""


class Word(NamedTuple):
    """One segment that was heard."""

    name: str
    """As the ear was told, or UNKNOWN."""
    seconds: float
    """When it began, from the start of the recording."""
    score: float
    """Correlation with the known waveform, 1.0 if it is the same; of an unknown sound, the best that was found."""


class Heard(NamedTuple):
    """All that was heard, in order."""

    words: tuple[Word, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """The code as often as it was said: runs of one-letter segments, parted by all others."""
        signs = "".join(word.name if len(word.name) == 1 else " " for word in self.words)
        return tuple(signs.split())


class Ear:
    """Knows the segments of one voice."""

    def __init__(self, segments: Mapping[str, bytes]) -> None:
        """`segments`: linear 16-bit little-endian samples by name, 8,000 a second, without silence around them."""
        self._known = [_learn(name, _numbers(pcm)) for name, pcm in segments.items()]
        self._loudest = max((max(known.loud, default=0) for known in self._known), default=0)

    def hear(self, octets: bytes, law: Literal["alaw", "ulaw"]) -> Heard:
        """What a recording holds. Takes about a second for a recording of 20 s and 40 segments."""
        recording = _Recording(_numbers(alaw_decode(octets) if law == "alaw" else ulaw_decode(octets)))
        return Heard(tuple(self._words(recording)))

    def _words(self, recording: "_Recording") -> Iterator[Word]:
        faint = recording.faint * self._loudest
        known = [(segment, segment.onset(faint)) for segment in self._known]
        done = 0
        for begin, end in recording.sounds():
            if begin < done:
                continue  # within the last word
            best = _best(recording, begin, known)
            if best is not None and best.score >= _SURE:
                done = best.at + len(best.known.whole.samples)
                yield Word(best.known.name, recording.seconds(best.at), round(best.score, 3))
            elif end - begin >= _LEAST_SOUND_MS * _STEP:
                yield Word(UNKNOWN, recording.seconds(begin), round(best.score, 3) if best else 0.0)


class _Wave(NamedTuple):
    """A waveform to look for, with its energy."""

    samples: list[int]
    energy: int

    @classmethod
    def of(cls, samples: list[int]) -> "_Wave":
        """A waveform of these samples."""
        return cls(samples, sum(map(mul, samples, samples)))


class _Known(NamedTuple):
    """A segment, prepared for comparison."""

    name: str
    whole: "_Wave"
    opening: "_Wave"
    half: "_Wave"
    """The opening at half the rate."""
    loud: list[int]
    """Its loudness, a value each millisecond."""
    shape: list[float]
    """The beginning of it, lead-in first, without its mean and of length 1."""

    def onset(self, faint: float) -> int:
        """How many samples pass before it is louder than that."""
        return next((place for place, loud in enumerate(self.loud) if loud >= faint), 0) * _STEP


class _Fit(NamedTuple):
    """How well a segment fits at a place."""

    score: float
    at: int
    """In samples of the recording with its margin."""
    known: _Known


class _Recording:
    """A recording with silence around it, and the sums that make every correlation one multiplication over it."""

    def __init__(self, samples: list[int]) -> None:
        margin = [0] * SAMPLES_PER_SECOND
        padded = margin + samples + margin
        self._full = _Line(padded)
        self._half = _Line(_halved(padded))
        self._loud = _loudness(padded)
        self._loud_energy = _squares(self._loud)
        self._loud_sum = list(accumulate(self._loud, initial=0))
        heard = sorted(_loudness(samples)) or [0]
        self._loudest = heard[-1] or 1
        self.faint = max(_FAINT, heard[len(heard) // 10] * _NOISE_FACTOR / self._loudest)
        """Share of the loudest below which this recording is silence or noise."""

    def seconds(self, at: int) -> float:
        """The time of a place from the start of the recording itself."""
        return at / SAMPLES_PER_SECOND - 1

    def sounds(self) -> Iterator[tuple[int, int]]:
        """Begin and end of each sound between silences."""
        least = self.faint * self._loudest
        begin = last = -1
        for place in (place for place, loud in enumerate(self._loud) if loud >= least):
            if begin < 0 or place - last > _SILENCE_MS:
                if begin >= 0:
                    yield begin * _STEP, (last + 1) * _STEP
                begin = place
            last = place
        if begin >= 0:
            yield begin * _STEP, (last + 1) * _STEP

    def shape(self, known: _Known, near: int) -> _Fit:
        """Where near a place the segment's loudness fits best, to a millisecond or so."""
        size = len(known.shape)
        fits = []
        for place in _REACH:
            at = near // _STEP + place - _LEAD_IN
            total = self._loud_sum[at + size] - self._loud_sum[at]
            spread = self._loud_energy[at + size] - self._loud_energy[at] - total * total / size
            product = sum(map(mul, known.shape, self._loud[at : at + size]))
            fits.append((product / math.sqrt(spread) if spread > 0 else 0.0, at + _LEAD_IN))
        score, at = max(fits)
        return _Fit(score, at * _STEP, known)

    def opening(self, fit: _Fit) -> _Fit:
        """How well the waveform of the segment's opening fits near the place, at half the rate."""
        places = range((fit.at - _NEAR) // 2, (fit.at + _NEAR) // 2 + 1)
        return fit._replace(score=max(self._half.correlation(fit.known.half, at) for at in places))

    def whole(self, fit: _Fit) -> _Fit:
        """How well the whole segment fits, at the sample near the place where its opening does best."""
        places = range(fit.at - _NEAR, fit.at + _NEAR + 1)
        _, at = max((self._full.correlation(fit.known.opening, at), at) for at in places)
        return _Fit(self._full.correlation(fit.known.whole, at), at, fit.known)


class _Line:
    """Samples to look for waveforms in: a correlation is one multiplication over them."""

    def __init__(self, samples: list[int]) -> None:
        self._samples = samples
        self._energy = _squares(samples)

    def correlation(self, wave: _Wave, at: int) -> float:
        """How alike the waveform and the samples at a place are, -1 to 1, whatever their levels."""
        end = min(at + len(wave.samples), len(self._samples))
        energy = wave.energy * (self._energy[end] - self._energy[at])
        return sum(map(mul, wave.samples, self._samples[at:end])) / math.sqrt(energy) if energy else 0.0


def _best(recording: _Recording, begin: int, known: Sequence[tuple[_Known, int]]) -> _Fit | None:
    """The segment that fits best where a sound begins; each comes with the samples before it can be heard."""
    shapes = [recording.shape(segment, begin - onset) for segment, onset in known]
    least = max(map(_by_score, shapes), default=0.0) - _CLOSE
    openings = [recording.opening(fit) for fit in shapes if fit.score >= least]
    likely = sorted(openings, key=_by_score)[-_LIKELY:]
    return max(map(recording.whole, likely), key=_by_score, default=None)


def _by_score(fit: _Fit) -> float:
    return fit.score


def _learn(name: str, samples: list[int]) -> _Known:
    loud = _loudness(samples)
    shape = [0] * _LEAD_IN + loud[: _SHAPE - _LEAD_IN]
    mean = sum(shape) / len(shape)
    length = math.sqrt(sum((value - mean) ** 2 for value in shape)) or 1.0
    opening = samples[:_OPENING]
    waves = (_Wave.of(samples), _Wave.of(opening), _Wave.of(_halved(opening)))
    return _Known(name, *waves, loud, [(value - mean) / length for value in shape])


def _numbers(pcm: bytes) -> list[int]:
    return memoryview(pcm).cast("h").tolist()


def _squares(values: list[int]) -> list[int]:
    """Running sums of squares: the energy of a stretch is a difference."""
    return list(accumulate(map(mul, values, values), initial=0))


def _halved(samples: list[int]) -> list[int]:
    """The samples at half the rate."""
    return list(map(add, samples[0::2], samples[1::2]))


def _loudness(samples: list[int]) -> list[int]:
    """The sum of each millisecond, signs aside, smoothed over the ones before it, so that no pitch shows."""
    sums = list(accumulate(map(abs, samples), initial=0))[::_STEP]
    return [sums[place] - sums[max(0, place - _SMOOTH)] for place in range(1, len(sums))]
