"""The ear of `bocau dev`: it knows the voice that the gateway speaks with, so it can tell what a phone heard."""

import pathlib

from bocau.deliver.speech.prompt import Options
from bocau.deliver.speech.speaker import Setup, make_speaker
from bocau.settings import Settings
from bocau.simulator.ear import Ear
from bocau.wire.rtp.g711 import alaw_decode

__all__ = ["make_ear"]


def make_ear(settings: Settings) -> Ear:
    """An ear for the voice of these settings. Blocks for seconds if nobody has prepared that voice yet.

    Raises SpeechFault if there is none.
    """
    voice = settings.voice
    folders = pathlib.Path(voice.packs_folder), pathlib.Path(voice.cache_folder)
    speaker = make_speaker(Setup(voice.engines, folders[0], voice.pack, folders[1]))
    prepared = speaker.warm(voice.language, voice.region, Options(press_to_repeat=voice.press_to_repeat))
    return Ear({segment: alaw_decode(clip.alaw) for segment, clip in prepared.clips.items()})
