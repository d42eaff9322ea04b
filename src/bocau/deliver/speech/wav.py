"""WAV files, read to one channel of 16-bit samples, and written.

The standard library's reader knows neither the extensible header that many recorders write (before Python 3.12) nor the
unfinished lengths of a program that writes to a pipe, so the few chunks that count are read here.
"""

import struct
import sys
from array import array
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

__all__ = ["Sound", "WavError", "little", "read_wav", "samples_of", "write_wav"]

_PCM: Final = 1
_EXTENSIBLE: Final = 0xFFFE
_OPEN_END: Final = 0x7FFF_0000
"""Lengths from here on are those of a writer that could not know them; the chunk goes to the end."""
_CHANNELS: Final = range(1, 9)
_RATES: Final = range(8_000, 96_001)
_CODINGS: Final[Mapping[int, str]] = {3: "floating point", 6: "A-law", 7: "mu-law", 0x55: "MP3"}


class WavError(ValueError):
    """The bytes are no sound that can be used; the text says why, as the end of a sentence about the file."""


class Sound(NamedTuple):
    """One channel of sound."""

    samples: "array[int]"
    """16-bit, signed."""
    rate: int
    """Samples a second."""


class _Format(NamedTuple):
    channels: int
    rate: int
    bits: int


def read_wav(data: bytes) -> Sound:
    """The sound of a WAV file: PCM of 8, 16, 24 or 32 bits, up to 8 channels (their mean is taken), 8 to 96 kHz.

    Raises WavError.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise WavError("is not a WAV file")
    form = None
    for name, body in _chunks(data):
        if name == b"fmt ":
            form = _read_format(body)
        elif name == b"data":
            if form is None:
                raise WavError("has sound before its format; save it again as WAV, PCM, 16 bits")
            return Sound(_mixed(_DEPTHS[form.bits](body), form.channels), form.rate)
    raise WavError("holds no sound")


def write_wav(sound: Sound) -> bytes:
    """The sound as a WAV file of 16-bit PCM."""
    body = little(sound.samples)
    form = struct.pack("<HHIIHH", _PCM, 1, sound.rate, sound.rate * 2, 2, 16)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


def little(samples: "array[int]") -> bytes:
    """Samples as little-endian bytes."""
    if sys.byteorder == "big":
        samples = samples[:]
        samples.byteswap()
    return samples.tobytes()


def samples_of(pcm16le: bytes) -> "array[int]":
    """Samples from little-endian bytes."""
    samples = array("h", pcm16le)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk's name and body. Raises WavError if the file ends within one."""
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if len(body) < size < _OPEN_END:
            raise WavError("is cut short; copy it again")
        yield name, body
        at += 8 + size + size % 2


def _read_format(body: bytes) -> _Format:
    if len(body) < 16:
        raise WavError("has a broken header")
    coding, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if coding == _EXTENSIBLE and len(body) >= 26:
        coding = int.from_bytes(body[24:26], "little")
    if coding != _PCM:
        called = _CODINGS.get(coding, f"coding {coding}")
        raise WavError(f"is {called}, not PCM; save it as WAV, PCM, 16 bits")
    if bits not in _DEPTHS:
        raise WavError(f"has {bits} bits a sample, not 8, 16, 24 or 32; save it as WAV, PCM, 16 bits")
    if channels not in _CHANNELS:
        raise WavError(f"has {channels} channels, not 1 to {_CHANNELS[-1]}; save it as mono")
    if rate not in _RATES:
        raise WavError(f"has {rate} samples a second, not {_RATES[0]} to {_RATES[-1]}")
    return _Format(channels, rate, bits)


def _eight(body: bytes) -> "array[int]":
    return array("h", [octet - 128 << 8 for octet in body])


def _upper_half(size: int) -> Callable[[bytes], "array[int]"]:
    """A reader of samples of `size` bytes, which takes the upper two of each."""

    def read(body: bytes) -> "array[int]":
        count = len(body) // size
        words = bytearray(2 * count)
        words[0::2] = body[size - 2 : count * size : size]
        words[1::2] = body[size - 1 : count * size : size]
        return samples_of(bytes(words))

    return read


_DEPTHS: Final[Mapping[int, Callable[[bytes], "array[int]"]]] = {
    8: _eight,
    16: _upper_half(2),
    24: _upper_half(3),
    32: _upper_half(4),
}


def _mixed(samples: "array[int]", channels: int) -> "array[int]":
    """The mean of all channels. A last sample without all of them is dropped."""
    if channels == 1:
        return samples
    whole = len(samples) // channels * channels
    lanes = (samples[lane:whole:channels] for lane in range(channels))
    return array("h", [sum(each) // channels for each in zip(*lanes, strict=True)])
