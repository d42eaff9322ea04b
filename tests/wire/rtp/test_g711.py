"""G.711, held against the ITU's reference formulas and, where Python still has one, an independent codec."""

import struct
import subprocess
import sys
import warnings
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.rtp.g711 import ALAW_SILENCE, ULAW_SILENCE, alaw_decode, alaw_encode, ulaw_decode, ulaw_encode

EVERY_SAMPLE = range(-32_768, 32_768)
EVERY_OCTET = bytes(range(256))


def packed(*samples: int) -> bytes:
    return struct.pack(f"<{len(samples)}h", *samples)


def unpacked(pcm: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(pcm) // 2}h", pcm)


@pytest.fixture
def audioop() -> ModuleType:
    """The codec that Python had until 3.12."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        module: ModuleType = pytest.importorskip("audioop", reason="this Python has no audioop")
        return module


def itu_alaw(sample: int) -> int:
    """G.191, alaw_compress, transcribed."""
    ix = (~sample >> 4) & 0x0FFF if sample < 0 else sample >> 4
    if ix > 15:
        iexp = 1
        while ix > 16 + 15:
            ix >>= 1
            iexp += 1
        ix -= 16
        ix += iexp << 4
    if sample >= 0:
        ix |= 0x80
    return ix ^ 0x55


def itu_ulaw(sample: int) -> int:
    """G.191, ulaw_compress, transcribed."""
    absno = (~sample >> 2) + 33 if sample < 0 else (sample >> 2) + 33
    absno = min(absno, 0x1FFF)
    i = absno >> 6
    segno = 1
    while i != 0:
        segno += 1
        i >>= 1
    high_nibble = 0x0008 - segno
    low_nibble = 0x000F - ((absno >> segno) & 0x000F)
    code = (high_nibble << 4) | low_nibble
    return code | 0x80 if sample >= 0 else code


def test_every_sample_is_encoded_as_the_reference_says() -> None:
    """All 65,536, by both laws."""
    pcm = packed(*EVERY_SAMPLE)
    assert alaw_encode(pcm) == bytes(map(itu_alaw, EVERY_SAMPLE))
    assert ulaw_encode(pcm) == bytes(map(itu_ulaw, EVERY_SAMPLE))


def test_another_codec_agrees(audioop: ModuleType) -> None:
    """A-law and all decoding exactly. By mu-law it rounds negative samples up to the next of its 14-bit levels."""
    pcm = packed(*EVERY_SAMPLE)
    assert alaw_encode(pcm) == audioop.lin2alaw(pcm, 2)
    assert alaw_decode(EVERY_OCTET) == audioop.alaw2lin(EVERY_OCTET, 2)
    assert ulaw_decode(EVERY_OCTET) == audioop.ulaw2lin(EVERY_OCTET, 2)
    positive = packed(*range(32_768))
    assert ulaw_encode(positive) == audioop.lin2ulaw(positive, 2)
    assert ulaw_encode(packed(*range(-32_768, -4))) == audioop.lin2ulaw(packed(*range(-32_764, 0)), 2)


def test_what_was_decoded_is_encoded_to_the_same_octet() -> None:
    """So a gateway in between that converts there and back loses nothing; mu-law has a second zero."""
    assert alaw_encode(alaw_decode(EVERY_OCTET)) == EVERY_OCTET
    assert ulaw_encode(ulaw_decode(EVERY_OCTET)) == EVERY_OCTET.replace(b"\x7f", b"\xff")


@given(st.integers(-32_768, 32_767))
def test_a_sample_comes_back_nearly_as_it_was(sample: int) -> None:
    """Within half a step: a 32nd of its size, or the smallest step; mu-law clips its last 2 %."""
    for encode, decode in ((alaw_encode, alaw_decode), (ulaw_encode, ulaw_decode)):
        back = unpacked(decode(encode(packed(sample))))[0]
        assert abs(back - sample) <= max(16, abs(sample) / 32 + 4)


@given(st.binary())
def test_any_bytes_are_sound_or_refused_with_one_exception(data: bytes) -> None:
    """Every octet decodes; half a sample does not encode."""
    for encode, decode in ((alaw_encode, alaw_decode), (ulaw_encode, ulaw_decode)):
        assert len(decode(data)) == 2 * len(data)
        if len(data) % 2:
            with pytest.raises(ValueError, match="multiple"):
                encode(data)
        else:
            assert len(encode(data)) == len(data) // 2


def test_silence_is_what_zero_becomes() -> None:
    """The octets that fill a pause."""
    assert (alaw_encode(packed(0)), ulaw_encode(packed(0))) == (ALAW_SILENCE, ULAW_SILENCE)


def test_nothing_is_computed_at_import() -> None:
    """The tables are made by whoever needs them first."""
    program = "from bocau.wire.rtp import g711; print(g711._alaw_octets.cache_info().currsize)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "0", done.stderr
