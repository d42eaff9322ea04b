"""The carriers of one gateway: built from settings, halted and let go on, replaced when their settings change."""

import asyncio
import ssl
from collections.abc import Callable, Container, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

from bocau.core.call import Press
from bocau.core.message import Uncertain
from bocau.core.outcome import IdForm
from bocau.deliver.capture import CaptureCarrier
from bocau.deliver.dialect import Dialect
from bocau.deliver.hook import PREFIX as HOOKS
from bocau.deliver.over_http import MOST_OPEN, HttpCarrier, HttpSettings
from bocau.deliver.profile import Profile as SubmitProfile
from bocau.deliver.record import Recorder, TakeReceipt
from bocau.deliver.relay import EsmsDialect
from bocau.deliver.smpp import CarrierSettings, SmppCarrier
from bocau.deliver.template import TemplateDialect, TemplateSettings
from bocau.deliver.voice.carrier import VoiceCarrier
from bocau.deliver.voice.crew import Crew
from bocau.deliver.voice.messages import LogStyle, TrunkStanding
from bocau.dispatch.breaker import BreakerPolicy
from bocau.dispatch.channel import Channels, by_channel
from bocau.dispatch.loop import Dispatcher
from bocau.dispatch.outlet import Halt, Outlet, OutletState
from bocau.dispatch.pace import Pace
from bocau.dispatch.plan import Choice, Order, Route, RouteTable
from bocau.dispatch.staging import StagedTable
from bocau.listener import TEXT, Request
from bocau.ports import Act, ActRefused, Children, HttpPost, World
from bocau.ports import Carrier as Port
from bocau.settings import CAPTURE, VOICE, Carrier, Settings, Staging, carriers_of, channel_of, tls_context
from bocau.settings import Route as RouteRow
from bocau.store.contract import CallStore, OperatorStore, OutcomeDeadlines
from bocau.telemetry import Log, LogEvent, Telemetry
from bocau.trunks import configures_of
from bocau.wire.gsm.parts import Profile
from bocau.wire.smpp.network import NetworkField
from bocau.wire.smpp.status import Classes

__all__ = ["Fleet", "Ship", "Tools", "routes_of", "table_of"]

_DRAIN_SECONDS: Final = 20.0
_OURS: Final = (VOICE, CAPTURE)
"""Carriers that no [[carrier]] names."""
_KEPT_SHARE: Final = 8
"""One slot of so many is kept for one-time codes."""


class Ship(Port, Protocol):
    """A carrier with what its owner needs of it."""

    @property
    def window(self) -> int:
        """Parts that may be without an answer."""
        ...

    @property
    def wanted(self) -> int:
        """Links it holds when all is well."""
        ...

    @property
    def bound(self) -> int:
        """Links that are up."""
        ...

    @property
    def why(self) -> str:
        """Why a link is down; empty while all are up."""
        ...

    @property
    def pace_per_second(self) -> float | None:
        """Parts a second while the carrier asks for less speed; None while it does not."""
        ...

    def summary(self) -> dict[str, object]:
        """How the account stands, for a list of links."""
        ...

    def start(self) -> None:
        """Begin to connect."""
        ...

    async def stop(self, seconds: float) -> None:
        """Drain the window for so long, disconnect, record every answer."""
        ...


_GAUGES: Final[Mapping[str, Callable[[Ship], float | None]]] = {
    "bocau_carrier_pace_per_second": lambda ship: ship.pace_per_second,
    "bocau_carrier_binds": lambda ship: float(ship.bound),
    "bocau_carrier_window_used": lambda ship: float(ship.outstanding),
    "bocau_carrier_window_size": lambda ship: float(ship.window),
}
"""What is read of each carrier when metrics are asked for."""
_USABLE: Final = "bocau_carrier_usable"
_PRESS: Final[Mapping[str, bool | None]] = {"as_voice": None, "yes": True, "no": False}
_OF_TRUNKS: Final[Mapping[str, Callable[[TrunkStanding], float]]] = {
    "bocau_trunk_up": lambda trunk: float(trunk.up),
    "bocau_trunk_calls": lambda trunk: float(trunk.active),
}


class Tools(NamedTuple):
    """What carriers are built with."""

    world: World
    store: CallStore
    receipts: TakeReceipt
    deadlines: OutcomeDeadlines
    telemetry: Telemetry
    log: Log
    on_callbacks: Callable[[], None]
    http: HttpPost
    hook_secret: bytes
    """For the addresses that carriers report to."""
    saw_network: Callable[[str, str, int], None]
    """Told that a carrier named the network of a phone: carrier, phone, telcoid."""
    children: Children
    """Starts the processes that place calls."""
    log_style: LogStyle
    """How those write their lines."""
    calls_at_once: Callable[[int], int]
    """Calls that an account may have at one moment, 0: any number."""


class Fleet:
    """All carriers, and the dispatcher that feeds them. Nothing connects before `start`."""

    def __init__(self, tools: Tools, dispatcher: Dispatcher, book: OperatorStore) -> None:
        self.ships: dict[str, Ship] = {}
        """By name."""
        self.acts: dict[str, Act] = {
            "link/pause": Act(partial(self._act, Halt.PAUSED), changes=True, notes_itself=True),
            "link/drain": Act(partial(self._act, Halt.DRAINING), changes=True, notes_itself=True),
            "link/resume": Act(partial(self._act, Halt.NONE), changes=True, notes_itself=True),
            "trunk/list": Act(self._list_trunks),
        }
        """What an operator may ask, for the control door."""
        self._tools = tools
        self._dispatcher = dispatcher
        self._book = book
        self._rows: dict[str, Carrier] = {}
        self._calls: object = None
        """The settings that the voice carrier was built from; None while there is none."""
        self._trunks: dict[str, Crew] = {}
        """Whose workers each trunk has."""
        self._routes: tuple[RouteRow, ...] = ()
        self._accounts: Mapping[str, int] = {}
        self._channel = ""
        self._channels: Mapping[int, str] = {}
        self._staging = Staging()
        self.released: set[int] = set()
        """Messages that go by the routes though staging would catch them; known to this start alone."""

    async def build(self, settings: Settings) -> None:
        """Build every carrier and the routes; an operator's halts of an earlier start hold."""
        await self._add(settings, [row.name for row in settings.carrier])
        await self._add_voice(settings)
        self._staging = settings.staging
        if settings.staging.enabled:
            self._add_capture()
        self._routes, self._channel = settings.route, channel_of(settings)
        self._equip({})
        for name, halt in (await self._book.halts()).items():
            if name in self.ships:
                self._dispatcher.halt(name, Halt(halt))

    def start(self) -> None:
        """Let every carrier connect."""
        for ship in self.ships.values():
            ship.start()

    async def stop(self) -> None:
        """Drain and disconnect all."""
        await asyncio.gather(*(ship.stop(_DRAIN_SECONDS) for ship in self.ships.values()))

    def know(self, accounts: Mapping[str, int], channels: Mapping[int, str]) -> None:
        """Take the ids of accounts by name, and by id how SmsType 8 reaches the phone where an account differs: routes
        that ask for either are prepared anew if it changed."""
        if (accounts, channels) == (self._accounts, self._channels):
            return
        anew = bool(channels or self._channels) or any(route.accounts for route in self._routes)
        self._accounts, self._channels = accounts, channels
        if anew:
            self._equip(self._dispatcher.outlets)

    async def replace(self, settings: Settings) -> list[str]:
        """Take new carriers and routes. A carrier that did not change keeps its links; one that changed is drained, and
        built anew once that is done; one that is gone is drained. Returns the names of what changed.

        Messages of routes that are gone wait, shown as parked, until a route takes them or they expire.
        """
        rows = {row.name: row for row in settings.carrier}
        gone = [name for name, row in self._rows.items() if name not in _OURS and rows.get(name) != row]
        came = [name for name, row in rows.items() if self._rows.get(name) != row]
        if self._calls != _calls_of(settings):
            gone += [VOICE] if VOICE in self._rows else []
            came += [VOICE] if settings.trunk else []
        old = {name: self.ships.pop(name) for name in gone}
        self._routes, self._channel = settings.route, channel_of(settings)
        self._equip({name: outlet for name, outlet in self._dispatcher.outlets.items() if name not in old})
        await asyncio.gather(*(ship.stop(_DRAIN_SECONDS) for ship in old.values()))
        for name in gone:
            del self._rows[name]
            self._unwatch(name)
        await self._add(settings, came)
        if VOICE not in self._rows:
            await self._add_voice(settings)
        self._equip(self._dispatcher.outlets)
        for name, halt in (await self._book.halts()).items():
            if name in came:
                self._dispatcher.halt(name, Halt(halt))
        for name in came:
            self.ships[name].start()
            self._tools.log.info(LogEvent.CARRIER_REPLACE, carrier=name)
        return sorted({*gone, *came})

    def standing(self, name: str) -> dict[str, object]:
        """What dispatch makes of a carrier, for people."""
        state = self._dispatcher.outlets[name].state
        return {
            "halt": state.halt.value or "running",
            "breaker": state.breaker.value,
            "breaker_why": state.why,
            "waiting_otp": state.waiting_urgent,
            "waiting_bulk": state.waiting_bulk,
        }

    async def halt(self, name: str, halt: Halt, actor: str = "") -> OutletState:
        """Pause, drain or let go on; it holds beyond a restart. Raises KeyError for a carrier that is not there."""
        before = self._dispatcher.outlets[name].halt
        await self._book.set_halt(name, halt.value, self._tools.world.now_ms(), actor)
        moved = self._dispatcher.halt(name, halt)
        self._tools.log.warning(
            LogEvent.CARRIER_HALT,
            carrier=name,
            state=halt.value or "running",
            before=before.value or "running",
            otp_moved=moved.urgent,
            bulk_moved=moved.bulk,
        )
        return self._dispatcher.outlets[name].state

    async def _act(self, halt: Halt, asked: Mapping[str, Any]) -> object:
        """Pause, drain or let go on, and how the carrier stands then."""
        name = str(asked.get("link", ""))
        if name not in self.ships:
            raise ActRefused(f'There is no link "{name}". There are: {", ".join(sorted(self.ships)) or "none"}.')
        state = await self.halt(name, halt, str(asked.get("actor", "")))
        return {
            "link": name,
            "state": state.halt.value or "running",
            "outstanding": state.outstanding,
            "waiting_otp": state.waiting_urgent,
            "waiting_bulk": state.waiting_bulk,
        }

    async def _add(self, settings: Settings, names: list[str]) -> None:
        """Build carriers of the settings, with what earlier starts have learned of them."""
        learned = await self._tools.store.id_forms()
        for number, row in enumerate(settings.carrier):
            if row.name in names:
                form = learned.get(row.name)
                tls = tls_context(row, number, settings) if row.kind == "smpp" else None
                ship = self._ship(row, tls, None if form is None else IdForm(form))
                self._take_in(row, ship)
                if isinstance(ship, HttpCarrier) and row.poll_seconds:
                    ship.expect_again(await self._tools.store.unreported(row.name, MOST_OPEN))

    def _ship(self, row: Carrier, tls: ssl.SSLContext | None, learned: IdForm | None) -> Ship:
        return self._smpp(row, tls, learned) if row.kind == "smpp" else self._over_http(row)

    def _take_in(self, row: Carrier, ship: Ship) -> None:
        self._rows[row.name] = row
        self.ships[row.name] = ship
        watch = self._tools.telemetry.watch
        for metric, read in _GAUGES.items():
            watch(metric, partial(read, ship), row.name)
        watch(_USABLE, partial(self._usable, row.name), row.name)

    async def _add_voice(self, settings: Settings) -> None:
        """Build the carrier of calls, if there are trunks. No call of an earlier one goes on."""
        self._calls = _calls_of(settings)
        if not settings.trunk:
            for name in self._trunks:
                for metric in _OF_TRUNKS:
                    self._tools.telemetry.unwatch(metric, name)
            self._trunks = {}
            return
        tools, configures = self._tools, configures_of(settings, self._tools.log_style)
        log = tools.log.bind(carrier=VOICE)
        carrier = VoiceCarrier(
            VOICE,
            tools.world,
            tools.store,
            tools.receipts,
            partial(Crew, tools.world, tools.children, configures, log),
            tools.deadlines,
            tools.telemetry.carrier(VOICE),
            log,
            on_room=self._dispatcher.notify,
            on_callbacks=tools.on_callbacks,
            trunk_meters=tools.telemetry.trunk,
            calls_at_once=tools.calls_at_once,
        )
        self._take_in(Carrier(name=VOICE), carrier)
        self._watch_trunks(carrier.crew, [row.name for row in settings.trunk])
        carrier.close_lost(await tools.store.unreported(VOICE, MOST_OPEN))

    def _watch_trunks(self, crew: Crew, names: Sequence[str]) -> None:
        """Have the trunks read when metrics are; those of an earlier voice carrier are not any more."""
        watch, unwatch = self._tools.telemetry.watch, self._tools.telemetry.unwatch
        for name in self._trunks.keys() - set(names):
            for metric in _OF_TRUNKS:
                unwatch(metric, name)
        self._trunks = dict.fromkeys(names, crew)
        for name in names:
            for metric, read in _OF_TRUNKS.items():
                watch(metric, partial(_read_trunk, crew, name, read), name)
        watch("bocau_worker_restarts_total", lambda: crew.restarts)

    async def _list_trunks(self, asked: Mapping[str, Any]) -> object:
        """Each trunk with how it stands and how its calls went."""
        del asked
        return [self._trunk(name, crew) for name, crew in self._trunks.items()]

    def _trunk(self, name: str, crew: Crew) -> dict[str, object]:
        standing = next((one for one in crew.standing() if one.name == name), None)
        meters = self._tools.telemetry.trunk(name)
        setup = meters.setup_seconds.quantile(0.5)
        return {
            "trunk": name,
            "state": "down" if standing is None or not standing.up else "up",
            "why": crew.why if standing is None else standing.why,
            "in_call": 0 if standing is None else standing.active,
            "ended": dict(meters.calls),
            "setup_seconds": None if setup is None else round(setup, 2),
            "packets_lost": meters.packets_lost,
            "far_packets_lost": meters.far_packets_lost,
        }

    def _add_capture(self) -> None:
        """Build the carrier that catches."""
        tools = self._tools
        meters, log = tools.telemetry.carrier(CAPTURE), tools.log.bind(carrier=CAPTURE)
        recorder = Recorder(tools.world, tools.store, CAPTURE, tools.deadlines, meters, log, tools.on_callbacks)
        self._take_in(Carrier(name=CAPTURE), CaptureCarrier(CAPTURE, tools.world, tools.receipts, recorder, meters))

    def _smpp(self, row: Carrier, tls: ssl.SSLContext | None, learned: IdForm | None) -> SmppCarrier:
        tools = self._tools
        return SmppCarrier(
            tools.world,
            tools.store,
            tools.receipts,
            _smpp_settings(row, tls),
            tools.deadlines,
            tools.telemetry.carrier(row.name),
            tools.log.bind(carrier=row.name),
            on_room=self._dispatcher.notify,
            on_callbacks=tools.on_callbacks,
            learned=learned,
            on_network=partial(tools.saw_network, row.name),
        )

    def _over_http(self, row: Carrier) -> Ship:
        tools = self._tools
        settings = HttpSettings(
            row.name,
            row.window,
            row.response_seconds,
            row.callback_base,
            row.poll_seconds,
            tools.hook_secret,
            row.kind,
            urlsplit(row.url).netloc.rpartition("@")[2],
        )
        return HttpCarrier(
            tools.world,
            tools.store,
            tools.receipts,
            settings,
            _dialect(row),
            tools.http,
            tools.deadlines,
            tools.telemetry.carrier(row.name),
            tools.log.bind(carrier=row.name),
            on_room=self._dispatcher.notify,
            on_callbacks=tools.on_callbacks,
        )

    def hook(self, request: Request) -> bool:
        """Answer a call to an address that a carrier reports to. False if the path is none of these."""
        path = request.target.partition(b"?")[0].decode("ascii", "replace")
        if not path.startswith(HOOKS):
            return False
        name, _, sealed = path.removeprefix(HOOKS).partition("/")
        ship = self.ships.get(name)
        if isinstance(ship, HttpCarrier):
            ship.hook(sealed, request)
        else:
            request.respond(404, b"not found\n", TEXT)
        return True

    def _usable(self, name: str) -> float | None:
        outlet = self._dispatcher.outlets.get(name)
        return None if outlet is None else float(outlet.usable)

    def _unwatch(self, name: str) -> None:
        for metric in (*_GAUGES, _USABLE):
            self._tools.telemetry.unwatch(metric, name)

    def _equip(self, standing: Mapping[str, Outlet]) -> None:
        """Hand carriers and routes to the dispatcher; outlets in `standing` stay as they are."""
        outlets = {name: standing.get(name) or _outlet(ship, self._rows[name]) for name, ship in self.ships.items()}
        costs = {name: row.part_cost for name, row in self._rows.items()}
        routes = routes_of(self._routes, costs, self._accounts)
        channels = Channels(self._channel, self._channels, frozenset(self._accounts.values()))
        table = table_of(by_channel(routes, channels, VOICE), self._staging, self.released)
        self._dispatcher.equip(table, outlets)


def table_of(routes: Sequence[Route], staging: Staging, released: Container[int] = frozenset()) -> RouteTable:
    """What dispatch asks for ways; while staging is on, it catches."""
    return StagedTable(routes, CAPTURE, staging.phones, released) if staging.enabled else RouteTable(routes)


def routes_of(rows: tuple[RouteRow, ...], costs: Mapping[str, int], accounts: Mapping[str, int]) -> list[Route]:
    """The routes of the settings as dispatch asks them. An account that does not exist matches nothing."""
    return [
        Route(
            row.name,
            _choices(row, costs),
            (row.sms_type,) if row.sms_type else (),
            (row.brandname,) if row.brandname else (),
            (row.telco,) if row.telco else (),
            tuple(accounts[name] for name in row.accounts if name in accounts) if row.accounts else None,
            "" if row.route_class == "any" else row.route_class,
            row.prefixes,
            row.priority,
            Order(row.order),
            Uncertain(row.uncertain_policy),
            row.put_off_tries,
            Press(_PRESS[row.press_to_hear], _PRESS[row.press_to_repeat]),
        )
        for row in rows
    ]


def _calls_of(settings: Settings) -> object:
    """What the carrier of calls is built from; None without trunks."""
    return (settings.trunk, settings.voice, settings.log) if settings.trunk else None


def _choices(row: RouteRow, costs: Mapping[str, int]) -> tuple[Choice, ...]:
    names = carriers_of(row)
    weights = row.weights or (1,) * len(names)
    return tuple(Choice(name, weight, costs.get(name, 0)) for name, weight in zip(names, weights, strict=True))


def _outlet(ship: Ship, row: Carrier) -> Outlet:
    if row.name in _OURS:
        return Outlet(ship, Pace(0), None, calls=row.name == VOICE)
    profile = _part_profile(row) if row.kind == "smpp" else None
    policy = BreakerPolicy(row.breaker_failures, row.breaker_down_seconds, row.breaker_open_seconds, row.breaker_probes)
    return Outlet(ship, Pace(row.throughput_per_second), profile, policy, ship.window // _KEPT_SHARE)


def _dialect(row: Carrier) -> Dialect:
    if row.kind == "relay":
        return EsmsDialect(row.url, row.api_key, row.secret_key.reveal())
    return TemplateDialect(
        TemplateSettings(
            row.url,
            row.body,
            row.body_kind == "json",
            row.authorization.reveal(),
            row.id_pointer,
            row.answer_pointer,
            row.taken_words,
            row.later_words,
            row.receipt_pointer,
            row.delivered_words,
            row.undelivered_words,
            row.repeatable,
        )
    )


def _smpp_settings(row: Carrier, tls: ssl.SSLContext | None) -> CarrierSettings:
    return CarrierSettings(
        name=row.name,
        host=row.host,
        port=row.port,
        system_id=row.system_id,
        password=row.password.reveal(),
        system_type=row.system_type,
        bind_mode=row.bind_mode,
        binds=row.binds,
        window=row.window,
        enquire_seconds=row.enquire_seconds,
        response_seconds=row.response_seconds,
        reconnect_first_seconds=row.reconnect_first_seconds,
        reconnect_longest_seconds=row.reconnect_longest_seconds,
        profile=SubmitProfile(
            source_ton=row.source_ton,
            source_npi=row.source_npi,
            destination_ton=row.destination_ton,
            destination_npi=row.destination_npi,
            service_type=row.service_type,
            protocol_id=row.protocol_id,
            priority=row.priority,
            registered_delivery=row.registered_delivery,
            replace_if_present=int(row.replace_if_present),
            validity=row.validity,
            user_message_reference=row.user_message_reference,
            tlvs=tuple((int(tag, 16), bytes.fromhex(octets)) for tag, octets in row.tlvs.items()),
        ),
        classes=Classes(row.status),
        per_bind_second=row.bind_throughput_per_second,
        receiver_port=row.receiver_port,
        address=(row.address_ton, row.address_npi, row.address_range),
        tls=tls,
        tls_name=row.tls_server_name,
        trace_pdus=row.trace_pdus,
        id_form=None if row.receipt_ids == "learn" else IdForm(row.receipt_ids),
        utc_offset_minutes=row.receipt_utc_offset_minutes,
        network=NetworkField.of(row.network_field) if row.network_field else None,
        networks=row.networks,
    )


def _part_profile(row: Carrier) -> Profile:
    return Profile(
        octets="latin-1" if row.gsm_octets == "latin1" else "gsm",
        sixteen_bit=row.reference_bits == 16,
        data_coding=row.gsm_data_coding,
        joining=row.long_messages,
    )


def _read_trunk(crew: Crew, name: str, read: Callable[[TrunkStanding], float]) -> float | None:
    """A value of one trunk over all workers; none before a worker has told of it."""
    return next((read(one) for one in crew.standing() if one.name == name), None)
