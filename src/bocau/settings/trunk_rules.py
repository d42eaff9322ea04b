"""Rules about trunks and voice: what must fit together, and what is doubtful in production."""

import ipaddress
import pathlib
from collections.abc import Iterator
from typing import Final, Literal

from bocau.settings.sections import VOICE, Route, Settings
from bocau.settings.tls import BadTls, trunk_authority
from bocau.settings.values import Path

__all__ = [
    "audio_ports",
    "can_call",
    "carriers_of",
    "channel_of",
    "no_calls",
    "open_trunks",
    "readable_keys",
    "registrations",
    "shared_trunks",
    "synthetic_voice",
    "trunk_fields",
    "trunk_files",
    "unused_trunks",
    "voice_routes",
]

Broken = tuple[Path, str]
_CALLED: Final = 8
"""The SmsType of one-time codes without a brandname."""


def carriers_of(route: Route) -> tuple[str, ...]:
    """The carriers of a route, whichever key names them."""
    return route.carriers or ((route.carrier,) if route.carrier else ())


def voice_routes(settings: Settings) -> Iterator[Broken]:
    """A call says a code: only SmsType 8 is called."""
    for number, route in enumerate(settings.route):
        if VOICE in carriers_of(route) and route.sms_type != _CALLED:
            text = f'is {route.sms_type}, but "{VOICE}" takes only one-time codes; with it the route needs sms_type = 8'
            yield ("route", number, "sms_type"), text


def no_calls(settings: Settings) -> Iterator[Broken]:
    """Calls are wanted, and no route leads to a trunk."""
    channel = settings.accept.type8_channel
    if channel_of(settings) == "sms" or can_call(settings):
        return
    then = "it goes by text alone" if channel == "voice_then_sms" else "it is answered 118"
    text = f'is "{channel}", but type 8 has no route with carrier = "{VOICE}": {then}; texts are sent by "sms"'
    yield ("accept", "type8_channel"), text


def channel_of(settings: Settings) -> Literal["voice", "sms", "voice_then_sms"]:
    """How SmsType 8 reaches the phone, with auto decided."""
    channel = settings.accept.type8_channel
    if channel == "auto":
        return "voice" if can_call(settings) else "sms"
    return channel


def can_call(settings: Settings) -> bool:
    """Whether a route leads to the trunks."""
    return any(VOICE in carriers_of(route) for route in settings.route)


def registrations(settings: Settings) -> Iterator[Broken]:
    """Who registers has a name to do it by."""
    for number, trunk in enumerate(settings.trunk):
        if trunk.register and not trunk.user:
            yield ("trunk", number, "register"), "needs a user to register"


def shared_trunks(settings: Settings) -> Iterator[Broken]:
    """Every worker has lines of its own of each trunk, and sockets of its own."""
    workers = settings.voice.workers
    for number, trunk in enumerate(settings.trunk):
        if trunk.max_calls < workers:
            text = f"is less than the {workers} of [voice] workers, and each of them needs a line"
            yield ("trunk", number, "max_calls"), text
        if trunk.local_port and workers > 1:
            yield ("trunk", number, "local_port"), "can be held by one process only; with [voice] workers = 1"


def audio_ports(settings: Settings) -> Iterator[Broken]:
    """The range of audio ports is whole and large enough."""
    voice = settings.voice
    if bool(voice.first_port) != bool(voice.last_port):
        yield ("voice", "last_port"), "and first_port are both given, or both 0"
    elif voice.first_port and voice.last_port - voice.first_port + 1 < 4 * voice.workers:
        yield ("voice", "last_port"), "leaves too few ports: each call takes two, and each worker a part of the range"


def trunk_fields(settings: Settings) -> Iterator[Broken]:
    """Texts that become parts of SIP addresses."""
    for number, trunk in enumerate(settings.trunk):
        for key in ("user", "from_user"):
            text = getattr(trunk, key)
            if not all(sign.isalnum() or sign in "+-_." for sign in text):
                yield ("trunk", number, key), "can have letters, digits, + - _ and . only"
        if trunk.asserted.removeprefix("+") and not trunk.asserted.removeprefix("+").isdecimal():
            yield ("trunk", number, "asserted"), "must be a number in digits"


def trunk_files(settings: Settings) -> Iterator[Broken]:
    """Files that trunks name can be used."""
    for number, trunk in enumerate(settings.trunk):
        try:
            trunk_authority(trunk, number, settings)
        except BadTls as bad:
            yield ("trunk", number, bad.key), bad.text


def unused_trunks(settings: Settings) -> Iterator[Broken]:
    """Trunks that no route leads to."""
    if settings.trunk and settings.route and all(VOICE not in carriers_of(route) for route in settings.route):
        yield ("trunk", 0, "name"), f'no route leads to the trunks; a route needs carrier = "{VOICE}"'


def synthetic_voice(settings: Settings) -> Iterator[Broken]:
    """No recordings: what speaks is no person."""
    voice = settings.voice
    if settings.trunk and not any(pathlib.Path(voice.packs_folder).glob("*/pack.toml")):
        speaks = (
            "a synthetic voice, or tones that are no speech," if "builtin" in voice.engines else "a synthetic voice"
        )
        yield ("voice", "packs_folder"), f"holds no recordings, so {speaks} will speak to customers"


def readable_keys(settings: Settings) -> Iterator[Broken]:
    """Sound that is encrypted with keys that everybody on the way can read."""
    for number, trunk in enumerate(settings.trunk):
        if trunk.srtp and trunk.transport != "tls":
            text = f'is on, but SIP goes over {trunk.transport}, so its keys can be read on the way; transport = "tls"'
            yield ("trunk", number, "srtp"), text


def open_trunks(settings: Settings) -> Iterator[Broken]:
    """Trunks that trust every address."""
    for number, trunk in enumerate(settings.trunk):
        for network in map(ipaddress.ip_network, trunk.networks):
            if network.prefixlen == 0:
                yield ("trunk", number, "networks"), f"{network} lets anybody send sound and requests into calls"
