"""From the settings of trunks and voice to what voice workers are configured with."""

from typing import Final

from bocau.deliver.sip.order import CallLimits
from bocau.deliver.sip.trunk import Trunk
from bocau.deliver.voice.messages import Configure, LogStyle, Speech, WorkerCaps
from bocau.settings import Settings, trunk_authority
from bocau.settings import Trunk as TrunkRow

__all__ = ["configures_of", "limits_of", "speech_of", "trunk_of"]

_WHOLE_SECONDS: Final = 90.0
"""A call is over by then, whatever the settings say (promises section 3)."""


def configures_of(settings: Settings, log_style: LogStyle) -> tuple[Configure, ...]:
    """What each worker is told. The lines, the pace and the audio ports are shared out among them. Raises
    settings.BadTls for a certificate file that cannot be used."""
    workers = settings.voice.workers
    trunks = [trunk_of(row, number, settings) for number, row in enumerate(settings.trunk)]
    return tuple(
        Configure(
            tuple(_share(trunk, workers, number) for trunk in trunks),
            _caps(settings, number),
            speech_of(settings),
            limits_of(settings),
            settings.log.level,
            log_style,
        )
        for number in range(workers)
    )


def trunk_of(row: TrunkRow, number: int, settings: Settings) -> Trunk:
    """One trunk with all its lines. `number` is its place among the trunks. Raises settings.BadTls."""
    return Trunk(
        row.name,
        row.host,
        row.port,
        row.transport,
        row.user,
        row.password.reveal(),
        row.realm,
        row.from_user,
        row.from_domain,
        row.asserted,
        row.number_form,
        row.priority,
        row.srv,
        row.register,
        row.register_seconds,
        row.local_host,
        row.local_port,
        row.public_host,
        row.learn_public,
        row.networks,
        row.max_calls,
        row.calls_per_second,
        trunk_authority(row, number, settings),
        row.srtp,
        row.connect_seconds,
        row.keep_alive_seconds,
    )


def speech_of(settings: Settings) -> Speech:
    """Who speaks, and how."""
    voice = settings.voice
    return Speech(
        voice.engines,
        voice.packs_folder,
        voice.pack,
        voice.cache_folder,
        voice.language,
        voice.region,
        voice.repeats,
        voice.gap_ms,
        voice.press_to_hear,
        voice.press_to_repeat,
    )


def limits_of(settings: Settings) -> CallLimits:
    """The deadlines of one call."""
    voice = settings.voice
    return CallLimits(ring=voice.ring_seconds, talk=voice.talk_seconds, whole=_WHOLE_SECONDS)


def _share(trunk: Trunk, workers: int, number: int) -> Trunk:
    """A worker's part of a trunk: the lines that cannot be shared evenly go to the first workers."""
    lines = trunk.max_calls // workers + (number < trunk.max_calls % workers)
    return trunk._replace(max_calls=lines, calls_per_second=trunk.calls_per_second / workers)


def _caps(settings: Settings, number: int) -> WorkerCaps:
    voice = settings.voice
    first, last = voice.first_port, voice.last_port
    if first:
        width = (last - first + 1) // voice.workers // 2 * 2
        first += first % 2 + number * width
        last = min(last, first + width - 1)
    return WorkerCaps(voice.calls_per_worker, voice.starts_per_second, first, last)
