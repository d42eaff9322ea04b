"""G.711, the sound of telephone lines: one octet a sample, 8,000 samples a second, by A-law or by mu-law.

Linear sound is 16-bit little-endian PCM. Encoding follows the ITU's own reference (G.191, `alaw_compress` and
`ulaw_compress`): a sample and its one's complement differ in the sign bit alone. Tables are made at their first use.
"""

import sys
from array import array
from functools import cache
from typing import Final

__all__ = [
    "ALAW_SILENCE",
    "SAMPLES_PER_SECOND",
    "ULAW_SILENCE",
    "alaw_decode",
    "alaw_encode",
    "ulaw_decode",
    "ulaw_encode",
]

SAMPLES_PER_SECOND: Final = 8_000
"""Of every G.711 sound; an octet lasts 125 microseconds."""
ALAW_SILENCE: Final = b"\xd5"
"""The octet that a sample of 0 becomes by A-law."""
ULAW_SILENCE: Final = b"\xff"
"""The octet that a sample of 0 becomes by mu-law."""

_SIGN: Final = 0x80
_EVEN_BITS: Final = 0x55
_ULAW_BIAS: Final = 33
_ULAW_MOST: Final = 0x1FFF


def alaw_encode(pcm16le: bytes) -> bytes:
    """Linear samples as A-law octets, half as many bytes. Raises ValueError if a sample is cut in half."""
    return bytes(map(_alaw_octets().__getitem__, _words(pcm16le)))


def ulaw_encode(pcm16le: bytes) -> bytes:
    """Linear samples as mu-law octets, half as many bytes. Raises ValueError if a sample is cut in half."""
    return bytes(map(_ulaw_octets().__getitem__, _words(pcm16le)))


def alaw_decode(octets: bytes) -> bytes:
    """A-law octets as linear samples, twice as many bytes. Every octet has a meaning."""
    return b"".join(map(_alaw_samples().__getitem__, octets))


def ulaw_decode(octets: bytes) -> bytes:
    """mu-law octets as linear samples, twice as many bytes. Every octet has a meaning."""
    return b"".join(map(_ulaw_samples().__getitem__, octets))


def _words(pcm16le: bytes) -> "array[int]":
    """The samples as unsigned words, which index a table."""
    words = array("H", pcm16le)
    if sys.byteorder == "big":
        words.byteswap()
    return words


@cache
def _alaw_octets() -> bytes:
    return _mirrored(b"".join(bytes([_alaw_octet(level)]) * 16 for level in range(2_048)))


@cache
def _ulaw_octets() -> bytes:
    return _mirrored(b"".join(bytes([_ulaw_octet(level)]) * 4 for level in range(8_192)))


def _mirrored(positive: bytes) -> bytes:
    """A table of all words, from that of the samples 0 to 32,767: after them come -32,768 to -1."""
    return positive + bytes(octet ^ _SIGN for octet in reversed(positive))


def _alaw_octet(level: int) -> int:
    """The octet of a positive 12-bit level (G.711, table 1a): segment and step, even bits inverted."""
    segment = max(0, level.bit_length() - 4)
    step = level >> max(0, segment - 1) & 0xF
    return (segment << 4 | step) ^ _EVEN_BITS ^ _SIGN


def _ulaw_octet(level: int) -> int:
    """The octet of a positive 14-bit level (G.711, table 2a): segment and step, all bits inverted."""
    biased = min(level + _ULAW_BIAS, _ULAW_MOST)
    segment = biased.bit_length() - 6
    step = biased >> segment + 1 & 0xF
    return ~(segment << 4 | step) & 0xFF


@cache
def _alaw_samples() -> tuple[bytes, ...]:
    return tuple(_alaw_sample(octet).to_bytes(2, "little", signed=True) for octet in range(256))


@cache
def _ulaw_samples() -> tuple[bytes, ...]:
    return tuple(_ulaw_sample(octet).to_bytes(2, "little", signed=True) for octet in range(256))


def _alaw_sample(octet: int) -> int:
    """The middle of the octet's interval."""
    segment, step = divmod((octet ^ _EVEN_BITS) & 0x7F, 16)
    size = (step << 4) + 8 if segment == 0 else (step << 4) + 0x108 << segment - 1
    return size if octet & _SIGN else -size


def _ulaw_sample(octet: int) -> int:
    """The middle of the octet's interval, less the bias."""
    segment, step = divmod(~octet & 0x7F, 16)
    size = ((step << 3) + 0x84 << segment) - 0x84
    return size if octet & _SIGN else -size
