"""WAV files of every common kind become one channel of 16-bit samples, and everything else is refused by name."""

import struct
from array import array
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.deliver.speech.studio import tone, wav

from bocau.deliver.speech.wav import Sound, WavError, read_wav, write_wav

GOOD = wav(tone(440, 0.01, 8_000), 8_000)


def header(coding: int = 1, channels: int = 1, rate: int = 8_000, bits: int = 16, tail: bytes = b"") -> bytes:
    """A WAV file of four octets with such a header."""
    form = struct.pack("<HHIIHH", coding, channels, rate, rate * 2, 2, bits) + tail
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", 4) + b"\x01\x02\x03\x04"
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("bits", [8, 16, 24, 32])
@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000])
def test_every_common_kind_gives_the_same_sound(rate: int, bits: int, channels: int) -> None:
    """What a recorder happens to write makes no difference beyond the last bits."""
    made = tone(440, 0.02, rate)
    samples, found = read_wav(wav(made, rate, bits, channels))
    assert (found, len(samples)) == (rate, len(made))
    allowed = 256 if bits == 8 else 2
    assert all(abs(got - value * 32_768) <= allowed for got, value in zip(samples, made, strict=True))


def test_channels_are_mixed() -> None:
    """A voice on the left channel alone is heard, at half its size."""
    left_only = struct.pack("<4h", 1_000, 0, -2_000, 0)
    data = header(channels=2).replace(struct.pack("<I", 4) + b"\x01\x02\x03\x04", struct.pack("<I", 8) + left_only)
    assert list(read_wav(data).samples) == [500, -1_000]


def test_the_extensible_header_is_understood() -> None:
    """Many recorders write it for 24 bits or for several channels."""
    tail = struct.pack("<HHI", 22, 16, 4) + struct.pack("<H", 1) + b"\x00" * 14
    assert list(read_wav(header(0xFFFE, tail=tail)).samples) == [0x0201, 0x0403]


@pytest.mark.parametrize("size", [0x7FFF_F000, 0xFFFF_FFFF])
def test_a_length_that_its_writer_could_not_know_means_up_to_the_end(size: int) -> None:
    """So a program writes to a pipe."""
    at = GOOD.index(b"data") + 4
    assert read_wav(GOOD[:at] + struct.pack("<I", size) + GOOD[at + 4 :]) == read_wav(GOOD)


def test_chunks_that_are_not_sound_are_passed_over() -> None:
    """Names and dates of the recording, padded to even length."""
    note = b"LIST" + struct.pack("<I", 3) + b"abc\x00"
    assert read_wav(GOOD[:12] + note + GOOD[12:]) == read_wav(GOOD)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is not a WAV file"),
        (b"ID3" + bytes(40), "is not a WAV file"),
        (GOOD[:-1], "is cut short; copy it again"),
        (GOOD[:12], "holds no sound"),
        (GOOD[:12] + GOOD[36:], "has sound before its format; save it again as WAV, PCM, 16 bits"),
        (header(3, bits=32), "is floating point, not PCM; save it as WAV, PCM, 16 bits"),
        (header(7, bits=8), "is mu-law, not PCM; save it as WAV, PCM, 16 bits"),
        (header(99), "is coding 99, not PCM; save it as WAV, PCM, 16 bits"),
        (header(bits=12), "has 12 bits a sample, not 8, 16, 24 or 32; save it as WAV, PCM, 16 bits"),
        (header(channels=0), "has 0 channels, not 1 to 8; save it as mono"),
        (header(rate=4_000), "has 4000 samples a second, not 8000 to 96000"),
    ],
)
def test_anything_else_is_refused_with_what_to_do(data: bytes, said: str) -> None:
    """The operator reads this about a file of theirs."""
    with pytest.raises(WavError) as caught:
        read_wav(data)
    assert str(caught.value) == said


@given(st.lists(st.integers(-32_768, 32_767)), st.sampled_from([8_000, 22_050, 48_000]))
def test_what_is_written_reads_back(values: list[int], rate: int) -> None:
    """Exactly, by our reader."""
    sound = Sound(array("h", values), rate)
    assert read_wav(write_wav(sound)) == sound


@given(st.data())
def test_garbage_raises_the_one_exception(data: st.DataObject) -> None:
    """Whatever is done to a good file."""
    broken = bytearray(GOOD)
    for _ in range(data.draw(st.integers(0, 4))):
        broken[data.draw(st.integers(0, 50))] = data.draw(st.integers(0, 255))
    with suppress(WavError):
        assert isinstance(read_wav(bytes(broken[: data.draw(st.integers(0, len(broken)))])), Sound)
