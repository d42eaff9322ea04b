"""Recordings made to measure: tones as WAV files of any kind, by the standard library's writer, and whole packs."""

import io
import math
import struct
import wave
from pathlib import Path

from bocau.deliver.speech.pack import FILES
from bocau.deliver.speech.segments import DIGITS, SEGMENTS

MANIFEST = 'name = "lan"\nlanguage = "vi"\nregion = "north"\n'


def tone(hertz: float, seconds: float, rate: int, amplitude: float = 0.5) -> list[float]:
    """A sine between -1 and 1."""
    return [amplitude * math.sin(2 * math.pi * hertz * at / rate) for at in range(round(seconds * rate))]


def silence(seconds: float, rate: int) -> list[float]:
    return [0.0] * round(seconds * rate)


def wav(samples: list[float], rate: int, bits: int = 16, channels: int = 1) -> bytes:
    """A WAV file, the same sound on every channel."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(bits // 8)
        writer.setframerate(rate)
        writer.writeframes(b"".join(_sample(value, bits) * channels for value in samples))
    return file.getvalue()


def _sample(value: float, bits: int) -> bytes:
    whole = max(-(2 ** (bits - 1)), min(2 ** (bits - 1) - 1, round(value * 2 ** (bits - 1))))
    return struct.pack("B", whole + 128) if bits == 8 else whole.to_bytes(bits // 8, "little", signed=True)


def recording(segment: str, rate: int = 8_000) -> bytes:
    """A recording of a segment: silence, a pitch of its own that rises, silence."""
    pitch = 300 + 20 * SEGMENTS.index(segment)
    return wav(silence(0.2, rate) + tone(pitch, 0.15, rate) + tone(pitch * 1.3, 0.15, rate) + silence(0.3, rate), rate)


def make_pack(folder: Path, segments: str | tuple[str, ...] = (*DIGITS, "lead"), manifest: str = MANIFEST) -> Path:
    """A pack on disk."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pack.toml").write_text(manifest, "utf-8")
    for segment in segments:
        file = folder / FILES[segment]
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(recording(segment))
    return folder
