"""A customer's recording as the sound of a call. Pure."""

from functools import lru_cache
from typing import Final

from bocau.core.call import Playing
from bocau.deliver.speech.prompt import Clip, Prompt, lay, recording_pieces
from bocau.deliver.speech.shaping import resample
from bocau.deliver.speech.wav import Sound, little, samples_of
from bocau.wire.rtp.g711 import SAMPLES_PER_SECOND, alaw_encode, ulaw_encode

__all__ = ["recorded"]

_REMEMBERED: Final = 8
"""Recordings; a campaign plays one again and again."""


@lru_cache(_REMEMBERED)
def recorded(playing: Playing) -> Prompt:
    """The recording as it is, for the telephone: neither cut nor made louder."""
    pcm = little(resample(Sound(samples_of(playing.samples), playing.rate), SAMPLES_PER_SECOND))
    return lay(recording_pieces("recording"), {"recording": Clip(alaw_encode(pcm), ulaw_encode(pcm))}, "recording", "")
