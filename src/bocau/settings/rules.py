"""Rules that join several settings, and what must not be left over in production."""

import ipaddress
import pathlib
import re
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Final, NamedTuple

from bocau.core.nearest import did_you_mean
from bocau.core.numbering import NumberingError
from bocau.settings.fields import fields_of
from bocau.settings.numbering import read_numbering
from bocau.settings.sections import CAPTURE, DEVELOPMENT_KEY, SIMULATOR, VOICE, Carrier, Route, Section, Settings, Trunk
from bocau.settings.tls import BadTls, tls_context
from bocau.settings.trunk_rules import (
    audio_ports,
    carriers_of,
    no_calls,
    open_trunks,
    readable_keys,
    registrations,
    shared_trunks,
    synthetic_voice,
    trunk_fields,
    trunk_files,
    unused_trunks,
    voice_routes,
)
from bocau.settings.values import Origin, Path, Problem, Secret, table_of

__all__ = ["broken_rules", "carriers_of", "check_listeners", "check_production", "entries"]

Broken = tuple[Path, str]
_LEAST_SIGNING_KEY: Final = 16
_LEAST_RESERVE_MIB: Final = 32
_SMPP_PASSWORD: Final = 8
_HTTP: Final = re.compile(r"https?://[^/\s@\\]+(?:[/?][^\s\\]*)?$", re.IGNORECASE)
_PLACES: Final = ("text", "phone", "e164", "sender", "reference", "callback")
_IN_BRACES: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SMS_TYPES: Final = (2, 8)


def entries(settings: Settings) -> Iterator[tuple[Path, Section]]:
    """Every table of the settings with its path, arrays of tables item by item."""
    for name in settings.__struct_fields__:
        value = getattr(settings, name)
        if isinstance(value, Section):
            yield (name,), value
        elif isinstance(value, tuple):
            yield from (((name, number), item) for number, item in enumerate(value))


def broken_rules(settings: Settings, failed: Collection[Path]) -> list[Broken]:
    """Rules between fields that do not hold, as (path of the field to change, text).

    A rule is not tried while one of the fields it looks at is in `failed`: that would only repeat the first problem.
    """
    spoilt = {(path[0], path[-1]) for path in failed}
    return [broken for rule in _RULES if not spoilt.intersection(rule.reads) for broken in rule.find(settings)]


def _carrier_names(settings: Settings) -> Iterator[Broken]:
    return _repeated("carrier", [carrier.name for carrier in settings.carrier])


def _route_names(settings: Settings) -> Iterator[Broken]:
    return _repeated("route", [route.name for route in settings.route])


def _repeated(section: str, names: list[str]) -> Iterator[Broken]:
    for number, name in enumerate(names):
        if name in names[:number]:
            yield (section, number, "name"), f'there already is a {section} called "{name}"'


def _trunk_names(settings: Settings) -> Iterator[Broken]:
    yield from _repeated("trunk", [trunk.name for trunk in settings.trunk])
    for number, carrier in enumerate(settings.carrier):
        if settings.trunk and carrier.name == VOICE:
            yield ("carrier", number, "name"), f'"{VOICE}" is the carrier of the trunks; it needs another name'


def _staging_names(settings: Settings) -> Iterator[Broken]:
    """The carrier and the route that catch have names of their own."""
    if not settings.staging.enabled:
        return
    named = {"carrier": [row.name for row in settings.carrier], "route": [row.name for row in settings.route]}
    for section, names in named.items():
        if CAPTURE in names:
            where = (section, names.index(CAPTURE), "name")
            yield where, f'"{CAPTURE}" is the {section} of [staging]; it needs another name'


def _route_carriers(settings: Settings) -> Iterator[Broken]:
    names = [carrier.name for carrier in settings.carrier] + [VOICE] * bool(settings.trunk)
    for number, route in enumerate(settings.route):
        key = "carriers" if route.carriers else "carrier"
        if route.carrier and route.carriers:
            yield ("route", number, "carrier"), "and carriers are both given; keep one"
        elif not carriers_of(route):
            yield ("route", number, "carrier"), "is missing: name of the carrier that gets the message"
        elif len(set(route.carriers)) < len(route.carriers):
            yield ("route", number, "carriers"), "names a carrier twice"
        for name in carriers_of(route):
            if name not in names:
                yield ("route", number, key), _no_carrier(name, names)


def _no_carrier(name: str, names: list[str]) -> str:
    if name == VOICE:
        return f'"{VOICE}" is the carrier of the trunks, and there is no [[trunk]]'
    return f'no carrier is called "{name}"{did_you_mean(name, names)}'


_NEEDED: Final = {
    "smpp": ("host", "system_id", "password"),
    "relay": ("url", "api_key", "secret_key"),
    "http": ("url", "body"),
}
"""What a carrier of each kind cannot be without."""


def _lacking(kind: str, key: str, settings: Settings) -> Iterator[Broken]:
    """Carriers of a kind without a key that this kind needs."""
    meaning = fields_of(Carrier)[key].description
    for number, carrier in enumerate(settings.carrier):
        if carrier.kind == kind and not getattr(carrier, key):
            yield ("carrier", number, key), f"is missing: {meaning[0].lower()}{meaning[1:].rstrip('.')}"


def _places(settings: Settings) -> Iterator[Broken]:
    for number, carrier in enumerate(settings.carrier):
        for name in _IN_BRACES.findall(carrier.body.replace("{{", "").replace("}}", "")):
            if name not in _PLACES:
                yield ("carrier", number, "body"), f"has {{{name}}}, which is nothing{did_you_mean(name, _PLACES)}"


def _weights(settings: Settings) -> Iterator[Broken]:
    for number, route in enumerate(settings.route):
        if route.order == "weight" and len(route.weights) != len(carriers_of(route)):
            yield ("route", number, "weights"), "needs one number for each of the carriers"
        elif route.order == "weight" and not any(route.weights):
            yield ("route", number, "weights"), "gives no carrier a share"
        elif route.order != "weight" and route.weights:
            yield ("route", number, "weights"), f'counts only with order = "weight", not "{route.order}"'


def _elsewhere(settings: Settings) -> Iterator[Broken]:
    for number, route in enumerate(settings.route):
        if route.uncertain_policy == "fail_over_once" and len(carriers_of(route)) < 2:
            yield ("route", number, "uncertain_policy"), "needs a second carrier to send to"


def _tls_words(settings: Settings) -> Iterator[Broken]:
    for number, carrier in enumerate(settings.carrier):
        for key in ("tls_ca", "tls_certificate", "tls_key", "tls_server_name"):
            if getattr(carrier, key) and not carrier.tls:
                yield ("carrier", number, key), 'has no use without "tls = true"'
        if carrier.tls_key and not carrier.tls_certificate:
            yield ("carrier", number, "tls_key"), "has no use without tls_certificate"


def _receivers(settings: Settings) -> Iterator[Broken]:
    for number, carrier in enumerate(settings.carrier):
        if carrier.receiver_port and carrier.bind_mode != "pair":
            yield ("carrier", number, "receiver_port"), 'has no use without bind_mode = "pair"'


def _reconnect(settings: Settings) -> Iterator[Broken]:
    for number, carrier in enumerate(settings.carrier):
        if carrier.reconnect_first_seconds > carrier.reconnect_longest_seconds:
            text = "is longer than reconnect_longest_seconds"
            yield ("carrier", number, "reconnect_first_seconds"), text


def _passwords(settings: Settings) -> Iterator[Broken]:
    for number, carrier in enumerate(settings.carrier):
        if len(carrier.password.reveal()) > _SMPP_PASSWORD:
            text = f"is longer than the {_SMPP_PASSWORD} signs that a bind of SMPP 3.4 can carry"
            yield ("carrier", number, "password"), text


def _ports(settings: Settings) -> Iterator[Broken]:
    if settings.admin.port == settings.api.port != 0 and settings.admin.host == settings.api.host:
        yield ("admin", "port"), "is the port of [api] too; the two listeners need different ones"


def _signing_key(settings: Settings) -> Iterator[Broken]:
    if 0 < len(settings.callback.secret.reveal()) < _LEAST_SIGNING_KEY:
        yield ("callback", "secret"), f"is too short to sign with; at least {_LEAST_SIGNING_KEY} signs"


def _telco_table(settings: Settings) -> Iterator[Broken]:
    try:
        read_numbering(settings)
    except NumberingError as error:
        yield ("accept", "telco_table"), str(error)


def _inbound_url(settings: Settings) -> Iterator[Broken]:
    if settings.inbound.url and not _HTTP.match(settings.inbound.url):
        yield ("inbound", "url"), "must be an address that begins with http:// or https://"


def _lookup_url(settings: Settings) -> Iterator[Broken]:
    url = settings.lookup.url
    if url and not _HTTP.match(url):
        yield ("lookup", "url"), "must be an address that begins with http:// or https://"
    elif url and "{phone}" not in url and "{e164}" not in url:
        yield ("lookup", "url"), "has neither {phone} nor {e164} in it, so it would ask about nobody"


class _Rule(NamedTuple):
    find: Callable[[Settings], Iterator[Broken]]
    reads: frozenset[tuple[str, str]]


def _rule(find: Callable[[Settings], Iterator[Broken]], *reads: str) -> _Rule:
    pairs = [key.partition(".") for key in reads]
    return _Rule(find, frozenset((section, field) for section, _, field in pairs))


def _reserve(settings: Settings) -> Iterator[Broken]:
    """What is kept must hold more than the log of the store may take."""
    if 0 < settings.store.reserve_mib < _LEAST_RESERVE_MIB:
        yield ("store", "reserve_mib"), f"is too little to be of use; give {_LEAST_RESERVE_MIB} or more, or 0 for none"


def _forgotten(settings: Settings) -> Iterator[Broken]:
    """What can be asked about must be there."""
    kept, asked = settings.retention.message_days, settings.accept.query_days
    if kept and kept < asked:
        yield ("retention", "message_days"), f"is less than [accept] query_days, {asked}: no answer could be given"


_RULES: Final = (
    _rule(_carrier_names, "carrier.name"),
    _rule(_route_names, "route.name"),
    _rule(_staging_names, "carrier.name", "route.name", "staging.enabled"),
    _rule(_route_carriers, "carrier.name", "route.carrier", "route.carriers", "trunk.name"),
    _rule(_trunk_names, "carrier.name", "trunk.name"),
    _rule(voice_routes, "route.carrier", "route.carriers", "route.sms_type"),
    _rule(registrations, "trunk.register", "trunk.user"),
    _rule(shared_trunks, "trunk.max_calls", "trunk.local_port", "voice.workers"),
    _rule(audio_ports, "voice.first_port", "voice.last_port", "voice.workers"),
    _rule(trunk_fields, "trunk.user", "trunk.from_user", "trunk.asserted"),
    *(
        _rule(partial(_lacking, kind, key), "carrier.kind", f"carrier.{key}")
        for kind in _NEEDED
        for key in _NEEDED[kind]
    ),
    _rule(_places, "carrier.body"),
    _rule(_weights, "route.carrier", "route.carriers", "route.order", "route.weights"),
    _rule(_elsewhere, "route.carrier", "route.carriers", "route.uncertain_policy"),
    _rule(_reconnect, "carrier.reconnect_first_seconds", "carrier.reconnect_longest_seconds"),
    _rule(_passwords, "carrier.password"),
    _rule(_tls_words, "carrier.tls", "carrier.tls_certificate"),
    _rule(_receivers, "carrier.receiver_port", "carrier.bind_mode"),
    _rule(_ports, "api.port", "api.host", "admin.port", "admin.host"),
    _rule(_signing_key, "callback.secret"),
    _rule(_telco_table, "accept.telco_table"),
    _rule(_inbound_url, "inbound.url"),
    _rule(_reserve, "store.reserve_mib"),
    _rule(_forgotten, "retention.message_days", "accept.query_days"),
    _rule(_lookup_url, "lookup.url"),
)


# Production


def check_listeners(settings: Settings) -> list[Problem]:
    """Refuse a listener beyond loopback that does not state its proxy (promises S10). For every kind of start."""
    return [_problem(settings, path, text) for path, text in _open_listeners(settings)]


def check_production(settings: Settings) -> list[Problem]:
    """What must not (fatal) or should not (a warning) be so outside development.

    Looks at the modes of the files that hold secrets. Keys of customers live in the store: its reader must refuse those
    that begin with DEVELOPMENT_KEY.
    """
    fatal = (
        _open_listeners,
        _development_keys,
        _simulator,
        _no_way_out,
        _tls_files,
        trunk_files,
        _readable_secrets,
        _visible_secrets,
    )
    warnings = (
        no_calls,
        _caught,
        _any_proxy,
        _loopback_callbacks,
        _unsigned_callbacks,
        _no_receipts,
        _unused_carriers,
        _shadowed_routes,
        _types_without_route,
        unused_trunks,
        open_trunks,
        readable_keys,
        synthetic_voice,
    )
    found = [_problem(settings, path, text) for check in fatal for path, text in check(settings)]
    return found + [_problem(settings, path, text, False) for check in warnings for path, text in check(settings)]


def _problem(settings: Settings, path: Path, text: str, fatal: bool = True) -> Problem:
    origin = settings.origins.get(path, Origin("default"))
    several: Mapping[object, tuple[Carrier | Route | Trunk, ...]] = {
        "carrier": settings.carrier,
        "route": settings.route,
        "trunk": settings.trunk,
    }
    names = [entry.name for entry in several.get(path[0], ())]
    table, key = (path, "") if len(path) == 1 else (path[:-1], str(path[-1]))
    return Problem(origin, table_of(table, names), key, text, fatal)


def _open_listeners(settings: Settings) -> Iterator[Broken]:
    for name, section in (("api", settings.api), ("admin", settings.admin)):
        if not section.behind_proxy and not _is_loopback(section.host):
            text = (
                f'"{section.host}" is open to other machines without TLS; '
                'listen on 127.0.0.1, or put a TLS proxy in front and say "behind_proxy = true"'
            )
            yield (name, "host"), text


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _secrets(settings: Settings) -> Iterator[tuple[Path, Secret]]:
    for path, section in entries(settings):
        for name in section.__struct_fields__:
            value = getattr(section, name)
            if isinstance(value, Secret) and value:
                yield (*path, name), value


def _development_keys(settings: Settings) -> Iterator[Broken]:
    text = "is a development key; give a real one"
    for path, secret in _secrets(settings):
        if secret.reveal().startswith(DEVELOPMENT_KEY):
            yield path, text
    for number, carrier in enumerate(settings.carrier):
        if carrier.system_id.startswith(DEVELOPMENT_KEY):
            yield ("carrier", number, "system_id"), text


def _simulator(settings: Settings) -> Iterator[Broken]:
    for number, carrier in enumerate(settings.carrier):
        if carrier.name == SIMULATOR:
            yield ("carrier", number, "name"), "the simulated carrier is still here; remove it and its routes"
    for number, trunk in enumerate(settings.trunk):
        if trunk.name == SIMULATOR:
            yield ("trunk", number, "name"), "the trunk to the simulated phone is still here; remove it"


def _no_way_out(settings: Settings) -> Iterator[Broken]:
    if settings.staging.enabled:
        return  # everything may be caught
    if not settings.carrier and not settings.trunk:
        yield ("carrier",), "there is none, so no message can leave; add a [[carrier]]"
    elif not settings.route:
        name = settings.carrier[0].name if settings.carrier else VOICE
        yield ("route",), f'there is none; add a [[route]] with carrier = "{name}"'


def _caught(settings: Settings) -> Iterator[Broken]:
    staging = settings.staging
    if staging.enabled:
        to = f"to {', '.join(staging.phones)}" if staging.phones else "to nobody"
        yield ("staging", "enabled"), f"is on: messages really leave {to}; all others are caught and count as delivered"


def _tls_files(settings: Settings) -> Iterator[Broken]:
    for number, carrier in enumerate(settings.carrier):
        try:
            tls_context(carrier, number, settings)
        except BadTls as bad:
            yield ("carrier", number, bad.key), bad.text


def _readable_secrets(settings: Settings) -> Iterator[Broken]:
    for path, _ in _secrets(settings):
        origin = settings.origins.get(path, Origin("default"))
        name = origin.secret_file or (origin.name if origin.kind == "file" else "")
        if name and _others_read(pathlib.Path(name)):
            yield path, f"is in {name}, which every user of the machine can read; run: chmod o= {name}"


def _others_read(file: pathlib.Path) -> bool:
    try:
        return bool(file.stat().st_mode & stat.S_IRWXO)
    except OSError:
        return False  # gone since it was read: nobody reads it


def _visible_secrets(settings: Settings) -> Iterator[Broken]:
    for path, _ in _secrets(settings):
        origin = settings.origins.get(path, Origin("default"))
        if origin.kind == "flag" and not origin.secret_file:
            yield path, "stands on the command line, where every user of the machine sees it; use its _file variant"


def _any_proxy(settings: Settings) -> Iterator[Broken]:
    for network in map(ipaddress.ip_network, settings.api.trusted_proxies):
        if network.prefixlen == 0:
            yield ("api", "trusted_proxies"), f"{network} lets every caller choose the address he comes from"


def _loopback_callbacks(settings: Settings) -> Iterator[Broken]:
    for network in map(ipaddress.ip_network, settings.callback.allowed_networks):
        if network.is_loopback or network.prefixlen == 0:
            yield ("callback", "allowed_networks"), f"{network} lets customers' callbacks reach this machine itself"


def _unsigned_callbacks(settings: Settings) -> Iterator[Broken]:
    if not settings.callback.secret:
        yield ("callback", "secret"), "is empty, so customers cannot tell our callbacks from forged ones"


def _no_receipts(settings: Settings) -> Iterator[Broken]:
    if settings.carrier and all(c.kind == "smpp" and c.bind_mode == "transmitter" for c in settings.carrier):
        yield ("carrier", 0, "bind_mode"), "every carrier is a transmitter only, so no receipt can come back"


def _unused_carriers(settings: Settings) -> Iterator[Broken]:
    used = {name for route in settings.route for name in carriers_of(route)}
    for number, carrier in enumerate(settings.carrier):
        if settings.route and carrier.name not in used and carrier.bind_mode != "receiver":
            yield ("carrier", number, "name"), "no route leads to it"


def _shadowed_routes(settings: Settings) -> Iterator[Broken]:
    """Routes that never get a message, because one that is asked before takes everything that they would."""
    numbered = sorted(enumerate(settings.route), key=lambda pair: -pair[1].priority)
    for place, (number, route) in enumerate(numbered):
        for _, earlier in numbered[:place]:
            if _covers(earlier, route):
                yield (
                    ("route", number, "name"),
                    f'never gets a message: "{earlier.name}" comes first and takes them all',
                )
                break


def _covers(wide: Route, narrow: Route) -> bool:
    """Whether every message that fits one route fits the other."""
    return (
        wide.sms_type in (0, narrow.sms_type)
        and wide.brandname in ("", narrow.brandname)
        and wide.telco in (0, narrow.telco)
        and wide.route_class in ("any", narrow.route_class)
        and (not wide.accounts or (bool(narrow.accounts) and set(narrow.accounts) <= set(wide.accounts)))
        and (not wide.prefixes or (bool(narrow.prefixes) and all(p.startswith(wide.prefixes) for p in narrow.prefixes)))
    )


def _types_without_route(settings: Settings) -> Iterator[Broken]:
    """SmsTypes for which no route takes every message: some of theirs, or all, would wait until they expire."""
    for sms_type in _SMS_TYPES:
        everything = Route(name="everything", sms_type=sms_type)
        if settings.route and not any(_covers(route, everything) for route in settings.route):
            yield (
                ("route",),
                f"no route takes every message of SmsType {sms_type}; those that fit none wait, and expire",
            )
