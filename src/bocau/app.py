"""The gateway as a whole: the only file that knows every room. Builds, wires, starts, stops."""

import asyncio
import contextlib
import ipaddress
import os
import pathlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from bocau import __version__
from bocau.accept.checks import Policy
from bocau.accept.counters import DAY_MS
from bocau.accept.door import Door
from bocau.accept.origin import Proxies
from bocau.accept.ported import read_ported
from bocau.accept.release import ReleaseDesk, copy_of
from bocau.caller.client import GuardedHttp, HttpLimits
from bocau.console.called import CalledPhone
from bocau.console.control import (
    TOKEN_SIZE,
    ControlDoor,
    Doorplate,
    actor_of,
    hang_doorplate,
    take_doorplate_down,
)
from bocau.console.health import ACCEPTED, AdminDoor, LinkHealth
from bocau.console.informant import Informant
from bocau.console.kit import KitDoor
from bocau.console.namespaces import NO_FAULTS, FaultBench, KitHouse, Namespaces
from bocau.console.passwords import SALT_SIZE, hash_password, made_up
from bocau.console.shelf import read_shelf
from bocau.console.web.acts import ActPages
from bocau.console.web.calls import CallPages
from bocau.console.web.charts import ChartPages
from bocau.console.web.directory import DirectoryPages
from bocau.console.web.door import WebDoor
from bocau.console.web.feed import Feed
from bocau.console.web.frame import Frame
from bocau.console.web.gate import LogInGate, OpenGate
from bocau.console.web.messages import Beside, MessagePages
from bocau.console.web.refused import RefusedPages
from bocau.console.witness import Witness
from bocau.core.directory import build
from bocau.core.ids import Ids
from bocau.core.keeping import Keeping
from bocau.core.learned import LOOKUP, Learned
from bocau.core.limits import Limits as AccountLimits
from bocau.core.message import Admission, RouteClass
from bocau.core.money import UNIT
from bocau.core.role import Role
from bocau.deliver.desk import LinkDesk
from bocau.deliver.voice.messages import LogStyle
from bocau.dispatch.lookup import LookupSettings, NetworkLookup
from bocau.dispatch.loop import Dispatcher
from bocau.fleet import Fleet, Tools
from bocau.listener import Limits, Listener, Request
from bocau.loops import ClaimLoop
from bocau.ports import Act, ActRefused, World
from bocau.provision import Profile, provision
from bocau.report.callbacks import CallbackPolicy, Callbacks
from bocau.report.desk import CallbackDesk
from bocau.report.inbound import InboundTeller
from bocau.report.receipts import ReceiptDesk
from bocau.schedule.forgetting import Forgetting
from bocau.schedule.loop import Schedule
from bocau.settings import CAPTURE, VOICE, BadSettings, Settings, can_call, channel_of, read_numbering
from bocau.steady import SteadyWorld
from bocau.store import pepper
from bocau.store.contract import Clerk, ConsoleUser, OutcomeDeadlines, StateCounts, StoreFault, StoryLine
from bocau.store.opening import Opening, StorePlace, open_gateway
from bocau.store.rooms.store import RoomStore
from bocau.store.sqlite.reserve import Reserve
from bocau.telemetry import Log, LogEvent, Telemetry
from bocau.world import RealChildren

__all__ = ["FIRST_USER", "Gateway", "Kit", "Reloaded", "UnsafeLeftover", "account_limits", "keeping_of", "policy_of"]

FIRST_USER: Final = "admin"
"""Who is let in to a console that nobody can log in to."""
_DIRECTORY_POLL_SECONDS: Final = 0.25
_DRAIN_SECONDS: Final = 20.0
_COUNT_SECONDS: Final = 5.0
_USED_SECONDS: Final = 60.0
_BEAT_SECONDS: Final = 1.0
_DISK_SECONDS: Final = 1.0
_SHRED_SECONDS: Final = 5.0
_HOUR_MS: Final = 3_600_000
_LEARNED_SECONDS: Final = 5.0
_TEND_SECONDS: Final = 2.5
"""Between two words that this node lives; from one that is silent for 15 s the others take over within 20 s."""
_CARRIER_CONNECTIONS: Final = 128
_RELOADED: Final = ("carrier", "route", "trunk", "voice")
"""Tables that a reload takes over, and with them how SmsType 8 reaches the phone, which belongs to the routes."""
_CALLBACKS_IN_MEMORY: Final = 10_000


class UnsafeLeftover(Exception):  # noqa: N818
    """Something of a development start is still there at a production start."""


class Reloaded(NamedTuple):
    """What new settings changed."""

    carriers: list[str]
    """Carriers that came, went, or were replaced."""
    routes: bool
    """The routes differ, or how SmsType 8 reaches the phone."""
    restart: list[str]
    """Tables that differ and count only after a restart."""


class Kit(NamedTuple):
    """Asks for the test API, which exists in development only."""

    faults: FaultBench = NO_FAULTS
    """Where faults are put in force."""
    phone: CalledPhone | None = None
    """Who is called; None where the trunks do not lead to a simulated phone."""


class Gateway:
    """One gateway in one process. `start` returns once both listeners are open; `stop` drains and closes.

    `on_fatal` is told when the store may not be written any more: the process must end (promises P16). With `threaded`
    off commits run on the loop's own thread, as a simulation wants it. With a `kit` it serves the test API.
    """

    def __init__(
        self,
        settings: Settings,
        world: World,
        log: Log,
        on_fatal: Callable[[BaseException], None],
        profiles: tuple[Profile, ...] = (),
        *,
        door_log: Log | None = None,
        reread: Callable[[], Settings] | None = None,
        refused_keys: tuple[str, ...] = (),
        threaded: bool = True,
        kit: Kit | None = None,
        log_style: LogStyle = "json",
    ) -> None:
        self.settings = settings
        self.world = world if isinstance(world, SteadyWorld) else SteadyWorld(world)
        self._kit = kit
        self._kit_door: KitDoor | None = None
        self.log = log
        self.telemetry = Telemetry(__version__)
        self.stopping = False
        self._shut: dict[str, str] = {}
        """Why new sends are refused, for people, by what refuses them."""
        self._shred_at = 0.0
        """When the log of the store may be emptied again for want of room."""
        self._beaten = 0
        """How many parts had been submitted at the last beat."""
        self._on_fatal = on_fatal
        self._profiles = profiles
        self._door_log = door_log or log
        self._reread = reread
        self._reloading = asyncio.Lock()
        self._refused_keys = refused_keys
        self._threaded = threaded
        self._log_style = log_style
        self._learned = Learned(settings.accept.learned_numbers)
        self._numbering = read_numbering(settings).with_learned(self._learned)
        self._numbering_version = 0
        self.store: RoomStore
        self.door: Door

    async def start(self) -> None:
        """Open the store, put right what the last start left, connect, listen.

        Raises StoreInUse, StoreBroken, PepperProblem, UnsafeLeftover, OSError.
        """
        await self._open_store()
        try:
            await self._open_rooms()
        except BaseException:
            await self.store.close(self.world.now_ms())
            raise

    async def _open_store(self) -> None:
        settings, world = self.settings, self.world
        path = pathlib.Path(settings.store.path)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._reserve = Reserve(str(path), settings.store.reserve_mib << 20, lambda: int(self._free_bytes()))
        self._reserve.look()  # a start on a full disk needs what is held for it
        self._pepper = pepper.read_or_make(str(path), world.token(pepper.SIZE))
        self.store = await open_gateway(
            StorePlace(*settings.store.place()),
            Opening(
                node=settings.store.node,
                now_ms=world.now_ms(),
                deadlines=_deadlines(settings),
                on_fatal=self._on_fatal,
                tell_inbound=bool(settings.inbound.url),
                threaded=self._threaded,
            ),
        )
        self.store.clerk = Clerk("gateway", world.now_ms)
        self._tell_rescued()

    async def _open_rooms(self) -> None:
        """Build the rooms from the bottom up, then open the doors, then let the loops and links run."""
        settings, world, log, store = self.settings, self.world, self.log, self.store
        for profile in self._profiles:
            await provision(store, profile, self._pepper, world.now_ms)
        await self._refuse_leftovers()
        await self._build_rooms(_deadlines(settings))
        rows = await store.learned_networks(settings.accept.learned_numbers)
        self._learned.load(reversed(rows))
        await self._refresh_directory()
        lately = await store.recent(world.now_ms() - DAY_MS, settings.accept.tracked_numbers)
        self.door.recount(lately)
        self.door.otherwise = self.fleet.hook
        limits = _limits(settings)
        spaces, handle = await self._open_kit()
        self.api = await Listener.start(world, handle, settings.api.host, settings.api.port, limits, self._fault)
        if spaces is not None:
            self._kit_door = KitDoor(spaces, f"http://{settings.api.host}:{self.api.port}", self.world.now_ms, log)
        control = ControlDoor(self.acts(), world.token(TOKEN_SIZE), log, store.note_act)
        self._web = self._build_console(spaces)
        admin = AdminDoor(
            world,
            store,
            self.telemetry,
            self.links,
            lambda: self.stopping,
            self.sends,
            log,
            control,
            self._kit_door,
            self._web,
            _staging_words(settings),
        )
        self.admin = await Listener.start(
            world, admin.handle, settings.admin.host, settings.admin.port, Limits(), self._fault
        )
        host = f"[{settings.admin.host}]" if ":" in settings.admin.host else settings.admin.host
        hang_doorplate(settings.store.path, Doorplate(f"http://{host}:{self.admin.port}", control.token))
        self._watch()
        for loop in (self._tend_loop, *self._keeping_loops):
            loop.start()
        await self._begin_sending()
        await self._look_at_disk()
        self.fleet.start()
        log.info(LogEvent.GATEWAY_READY, api_port=self.api.port, admin_port=self.admin.port)

    def _build_console(self, spaces: Namespaces | None) -> WebDoor | None:
        """The pages for a browser. In development nobody logs in."""
        world, store, admin = self.world, self.store, self.settings.admin
        if not admin.console:
            return None
        shelf = read_shelf()
        refusals = None if spaces is None else lambda: len(spaces.refusals())
        frame = Frame(shelf, refusals)
        gate = LogInGate(world, store, frame, self.log) if self._kit is None else OpenGate()
        acts = ActPages(self.acts(), store, frame)
        phone = None if self._kit is None else self._kit.phone
        calls = CallPages(store, frame, None if phone is None else phone.sound)
        feed = Feed(world, store, refusals)
        messages = MessagePages(world, store, frame, Beside(acts, feed, calls))
        refused = () if spaces is None else RefusedPages(spaces, frame).routes
        directory = DirectoryPages(world, store, frame)
        charts = ChartPages(world, store, frame)
        routes = (*messages.routes, *calls.routes, *acts.routes, *charts.routes, *directory.routes, *refused)
        return WebDoor(world, frame, shelf, routes, gate, self.log, admin.hosts)

    async def _open_kit(self) -> tuple[Namespaces | None, Callable[[Request], None]]:
        """What tests ask about, if this is a start for tests, and who takes requests: the door itself in production."""
        if self._kit is None:
            return None, self.door.handle
        faults = self._kit.faults
        refresh, hurry, jump = self._refresh_directory, self._hurry, self.world.advance
        spaces = Namespaces(
            KitHouse(self.world, self.store, self._pepper, refresh, hurry, jump, faults, self._kit.phone, VOICE)
        )
        for profile in self._profiles:
            await spaces.adopt(profile)
        witness = Witness(self.world, self.door.handle, spaces.refused, spaces.accepted)
        faults.ask(Informant(lambda: self._numbering, lambda: self.door.directory, witness))
        return spaces, witness.handle

    async def _begin_sending(self) -> None:
        """Let messages and callbacks go; a store in quarantine keeps all of them until an operator says so."""
        held = await self.store.quarantine()
        if held is None:
            for loop in self._sending_loops:
                loop.start()
            return
        self._callbacks.lane.open = False
        self._shut_door("quarantine", f"the store is in quarantine: {held.why}; see `bocau release`")
        self.log.warning(LogEvent.STORE_QUARANTINE, reason=held.why)
        self._quarantine_loop.start()

    async def _look_for_release(self) -> bool:
        """While the store is in quarantine: whether somebody ended that."""
        if "quarantine" in self._shut and await self.store.quarantine() is None:
            self._shut_door("quarantine", "")
            self.log.info(LogEvent.STORE_RELEASE)
            if not self.stopping:
                for loop in self._sending_loops:
                    loop.start()
        return False

    def _shut_door(self, name: str, why: str) -> None:
        """Refuse new sends, or, with an empty reason, have no such reason any more."""
        if why:
            self._shut[name] = why
        else:
            self._shut.pop(name, None)
        self.door.closed = bool(self._shut)

    def sends(self) -> str:
        """Whether new sends are taken, and why not, for people."""
        return f"refused: {'; '.join(self._shut.values())}" if self._shut else ACCEPTED

    async def _look_at_disk(self) -> bool:
        """Refuse new sends while the disk has no room to spare for them (promises P15)."""
        why, before = self._reserve.look(), "disk" in self._shut
        self._shut_door("disk", why)
        if why and self.world.monotonic() >= self._shred_at:
            # The log may hold a page many times over; what is in the store itself takes less room.
            self._shred_at = self.world.monotonic() + _SHRED_SECONDS
            with contextlib.suppress(StoreFault):
                await self.store.shred()
        if why and not before:
            self.log.error(LogEvent.STORE_FILL, reason=why)
        elif before and not why:
            self.log.info(LogEvent.STORE_ROOM)
        return False

    async def _beat(self) -> bool:
        """Have an older copy of the store told from it, once something was sent that the copy does not know of."""
        submitted = sum(meters.submitted for meters in self.telemetry.carriers.values())
        if submitted != self._beaten:
            await self.store.beat(self.world.now_ms())
            self._beaten = submitted
        return False

    def _hurry(self) -> None:
        """Something may be due that was not before."""
        for loop in (self._schedule.loop, self._dispatcher.loop, self._callbacks.loop):
            loop.wakeup.set()

    async def _refuse_leftovers(self) -> None:
        """A production start does not open the door to keys that everybody knows."""
        if not self._refused_keys:
            return
        for key in (await self.store.read_directory()).keys:
            if key.api_key.startswith(self._refused_keys) and key.state == "active":
                cure = f"disable it with `bocau key disable {key.api_key}`"
                raise UnsafeLeftover(f"the store has the development key {key.api_key!r}: {cure}")

    async def _build_rooms(self, deadlines: OutcomeDeadlines) -> None:
        settings, world, log, store, telemetry = self.settings, self.world, self.log, self.store, self.telemetry
        networks = tuple(ipaddress.ip_network(network) for network in settings.callback.allowed_networks)
        self._http = GuardedHttp(world, networks, HttpLimits(settings.callback.connections_per_host))
        hosts = self._http if self._kit is None else self._kit.faults.before(self._http)
        self._callbacks = Callbacks(world, store, hosts, _callback_policy(settings), telemetry.report, log)
        self._inbound = InboundTeller(world, store, self._http, settings.inbound.url, _callback_policy(settings), log)
        again = self._callbacks.loop.wakeup.set
        self._callback_desk = CallbackDesk(world, store, hosts, _callback_policy(settings), again)
        desk = ReceiptDesk(store, self._callbacks.lane, telemetry.report, log)
        self._dispatcher = Dispatcher(world, store, settings.dispatch.ready_messages, telemetry.dispatch, log)
        # Carriers are the operator's own choice: they may be on private networks.
        anywhere = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
        self._carrier_http = GuardedHttp(world, anywhere, HttpLimits(_CARRIER_CONNECTIONS), denied_ports=frozenset())
        wakeup = self._callbacks.loop.wakeup.set
        tools = Tools(
            world,
            store,
            desk.take,
            deadlines,
            telemetry,
            log,
            wakeup,
            self._carrier_http,
            self._pepper,
            self._saw_network,
            RealChildren(),
            self._log_style,
            self._calls_at_once,
        )
        if settings.lookup.url:
            self._dispatcher.lookup = NetworkLookup(
                world,
                self._carrier_http,
                _lookup_settings(settings),
                self._known_network,
                partial(self._saw_network, LOOKUP),
                telemetry.dispatch,
                log,
            )
        self.fleet = Fleet(tools, self._dispatcher, store)
        await self.fleet.build(settings)
        self._link_desk = LinkDesk(world, self.fleet.ships, telemetry.carriers, self.fleet.standing)
        self._schedule = Schedule(
            world,
            store,
            deadlines,
            doubtful=lambda: world.doubtful,
            response_seconds=max((row.response_seconds for row in settings.carrier), default=0.0),
            released=self._dispatcher.loop.wakeup.set,
            callbacks_due=self._callbacks.loop.wakeup.set,
            meters=telemetry.schedule,
            log=log,
        )
        self._forgetting = Forgetting(world, store, keeping_of(settings), telemetry.schedule, log)
        ids = Ids(settings.store.node, store.last_message_id)
        self.door = Door(
            world, store, ids, policy_of(settings), self._dispatcher.lane, telemetry.accept, self._door_log
        )
        self._release_desk = ReleaseDesk(
            CAPTURE, store, self._copy_with(ids), self.fleet.released, self._dispatcher.loop.wakeup.set
        )
        self._counts = StateCounts(0, None, 0, 0, 0)
        self._parked: dict[str, int] = {}
        self._count_loop = ClaimLoop(world, self._count, _COUNT_SECONDS, log)
        self._directory_loop = ClaimLoop(world, self._refresh_directory, _DIRECTORY_POLL_SECONDS, log)
        self._used_loop = ClaimLoop(world, self._note_used, _USED_SECONDS, log)
        self._beat_loop = ClaimLoop(world, self._beat, _BEAT_SECONDS, log)
        self._disk_loop = ClaimLoop(world, self._look_at_disk, _DISK_SECONDS, log)
        self._quarantine_loop = ClaimLoop(world, self._look_for_release, _DIRECTORY_POLL_SECONDS, log)
        self._learned_loop = ClaimLoop(world, self._note_networks, _LEARNED_SECONDS, log)
        self._tend_loop = ClaimLoop(world, self._tend, _TEND_SECONDS, log)

    def _copy_with(self, ids: Ids) -> Callable[[StoryLine, str], Admission]:
        """Copies a message for a phone, as of now."""
        world, policy = self.world, policy_of(self.settings)
        ttl_ms = {RouteClass.OTP.value: policy.otp_ttl_ms, RouteClass.OTHER.value: policy.other_ttl_ms}

        def copy(line: StoryLine, phone: str) -> Admission:
            telco = self._numbering.telco_of(phone)
            return copy_of(line, phone, telco, ids, world.token(8), world.now_ms(), ttl_ms[line.route_class])

        return copy

    @property
    def _keeping_loops(self) -> tuple[ClaimLoop, ...]:
        """Those that send nothing."""
        return (
            self._count_loop,
            self._directory_loop,
            self._used_loop,
            self._learned_loop,
            self._beat_loop,
            self._disk_loop,
            self._forgetting.loop,
        )

    @property
    def _sending_loops(self) -> tuple[ClaimLoop, ...]:
        """Those that a store in quarantine keeps at rest."""
        inbound = (self._inbound.loop,) if self.settings.inbound.url else ()
        return *inbound, self._schedule.loop, self._dispatcher.loop, self._callbacks.loop

    async def _refresh_directory(self) -> bool:
        """Take over changes of accounts, keys, brandnames, templates, prices and moved numbers, whoever made them."""
        if self.door.directory.version != await self.store.directory_version():
            version = await self.store.numbering_version()
            if version != self._numbering_version:
                self._numbering = self._numbering.with_ported(await read_ported(self.store, self.world))
                self._numbering_version = version
            rows, limits = await self.store.read_directory(), account_limits(self.settings)
            self.door.directory = directory = build(rows, self._pepper, self._numbering, limits)
            channels = {row.id: row.type8_channel for row in rows.accounts if row.type8_channel}
            self.fleet.know({account.name: account.id for account in directory.accounts.values()}, channels)
            self.log.info(LogEvent.DIRECTORY_RELOAD, version=self.door.directory.version)
        return False

    def _calls_at_once(self, account_id: int) -> int:
        account = self.door.directory.accounts.get(account_id)
        return 0 if account is None else account.limits.calls_at_once

    async def _tend(self) -> bool:
        """Say that this node lives, and take over what dead ones held."""
        self._tell_taken_over(await self.store.tend(self.world.now_ms()))
        return False

    async def _note_used(self) -> bool:
        """Note when keys were used last: once a minute, so that no message pays for it."""
        used = self.door.counters.take_used()
        if used:
            await self.store.used(used)
        return False

    def _known_network(self, phone: str) -> int:
        """What is known of this very number; 0 if nothing is."""
        return self._numbering.known(phone)

    def _saw_network(self, source: str, phone: str, telco: int) -> None:
        """Somebody named the network of a phone. What the operator's table says of it stays above that."""
        by_prefix = self._numbering.telco_by_prefix(phone)
        self._learned.note(phone, telco, by_prefix, source, self.world.now_ms())

    async def _note_networks(self) -> bool:
        """Store what was learned, so that no message pays for it, and forget what is old."""
        self._learned.forget_before(self.world.now_ms() - self.settings.accept.learned_days * DAY_MS)
        rows = self._learned.take_unsaved()
        try:
            if rows:
                await self.store.keep_networks(rows)
        except StoreFault:
            self._learned.give_back(rows)
            raise
        return False

    async def reload(self, actor: str = "") -> Reloaded:
        """Read the settings again and take over carriers and routes; the rest of them is named and waits for a restart.

        If they cannot be used the old ones stay, and BadSettings is raised with everything that is wrong, after it was
        logged. Raises LookupError if this gateway was not started from a file, or is stopping.
        """
        if self._reread is None:
            raise LookupError("this gateway has no settings file to read again")
        async with self._reloading:
            if self.stopping:
                raise LookupError("this gateway is stopping")
            try:
                settings = self._reread()
            except BadSettings as bad:
                for problem in bad.problems:
                    self.log.error(LogEvent.SETTINGS_REFUSE, reason=str(problem))
                raise
            old = self.settings
            taken = taken_over(old, settings)
            self.door.reroute(channel_of(taken), can_call=can_call(taken))
            names = [name for name in settings.__struct_fields__ if name != "origins"]
            reloaded = Reloaded(
                await self.fleet.replace(taken),
                (taken.route, channel_of(taken)) != (old.route, channel_of(old)),
                [name for name in names if getattr(settings, name) != getattr(taken, name)],
            )
            self.settings = taken
            self.log.info(LogEvent.SETTINGS_RELOAD, **reloaded._asdict())
            await self.store.note_act(actor, "settings.reload", ", ".join(reloaded.carriers))
            return reloaded

    def links(self) -> list[LinkHealth]:
        """How the links of each carrier stand."""
        return [LinkHealth(c.name, c.bound, c.wanted, c.why) for c in self.fleet.ships.values()]

    async def first_console_user(self) -> str | None:
        """The password of an admin who is made now, since nobody can log in to the console yet; it is told once. None
        if somebody can, or if there is no console."""
        if not self.settings.admin.console or await self.store.console_users():
            return None
        token, now_ms = self.world.token, self.world.now_ms()
        password = made_up(token)
        kept = await asyncio.to_thread(hash_password, password, token(SALT_SIZE))
        admin = ConsoleUser(FIRST_USER, Role.ADMIN, kept, now_ms, now_ms)
        return password if await self.store.put_console_user(admin, first=True) else None

    def acts(self) -> dict[str, Act]:
        """What an operator's command may ask, by its path under /control/. A room that offers acts adds its table."""
        return {
            **self._link_desk.acts,
            **self.fleet.acts,
            **self._callback_desk.acts,
            **self._release_desk.acts,
            "reload": Act(self._reload_asked, changes=True, notes_itself=True),
        }

    async def _reload_asked(self, asked: Mapping[str, Any]) -> object:
        """`bocau reload`: what changed, or everything that is wrong with the settings."""
        try:
            return (await self.reload(actor_of(asked)))._asdict()
        except BadSettings as bad:
            raise ActRefused("\n".join(("The old settings stay.", *map(str, bad.problems)))) from bad
        except LookupError as refused:
            raise ActRefused(f"{str(refused)[:1].upper()}{str(refused)[1:]}.") from refused

    async def stop(self) -> None:
        """Refuse new requests, let the window drain, unbind, finish the callbacks that run, commit, close."""
        if self.stopping:
            return
        self.stopping = True
        self.log.info(LogEvent.GATEWAY_STOP)
        self._shut_door("stop", "the gateway is stopping")
        self._dispatcher.stopping = True
        await self.api.close(_DRAIN_SECONDS)
        async with self._reloading:
            pass  # carriers that are being replaced are whole again
        for loop in (self._quarantine_loop, *self._keeping_loops, *self._sending_loops):
            if loop is not self._callbacks.loop:
                await loop.stop()
        with contextlib.suppress(StoreFault):  # a full disk must not keep the links from being drained
            await self._note_used()
            await self._note_networks()
        while not self._dispatcher.quiet:
            await self.world.sleep(0.005)
        await self.fleet.stop()
        await self._callbacks.stop()
        with contextlib.suppress(StoreFault):
            await self._beat()
        self._http.close()
        self._carrier_http.close()
        if self._kit_door is not None:
            await self._kit_door.close()
        if self._web is not None:
            await self._web.close()
        await self.admin.close(1.0)
        take_doorplate_down(self.settings.store.path)
        await self._tend_loop.stop()
        await self.store.close(self.world.now_ms())
        self.log.info(LogEvent.GATEWAY_END)

    def _tell_rescued(self) -> None:
        place = StorePlace(*self.settings.store.place())
        self.log.info(LogEvent.STORE_OPEN, file=str(place), epoch=self.store.epoch)
        self._tell_taken_over(self.store.rescued)

    def _tell_taken_over(self, rescued: tuple[int, int, int]) -> None:
        given_back, uncertain, callbacks = rescued
        self.telemetry.schedule.rescued += given_back + uncertain
        if given_back or uncertain or callbacks:
            self.log.warning(
                LogEvent.MESSAGE_RESCUE, given_back=given_back, uncertain=uncertain, callbacks_due_again=callbacks
            )

    def _fault(self, error: BaseException) -> None:
        self.log.error(LogEvent.FAULT, exc_info=error)

    def _watch(self) -> None:
        watch = self.telemetry.watch
        watch("bocau_connections", lambda: self.api.connections)
        watch("bocau_connections_refused_total", lambda: self.api.refused)
        watch("bocau_store_commits_total", lambda: self.store.commits[0])
        watch("bocau_store_items_total", lambda: self.store.commits[1])
        watch("bocau_store_failures_total", lambda: self.store.commits[2])
        watch("bocau_store_free_bytes", self._free_bytes)
        watch("bocau_oldest_queued_seconds", self._oldest_queued_seconds)
        watch("bocau_uncertain_messages", lambda: self._counts.uncertain)
        watch("bocau_orphan_receipts", lambda: self._counts.orphans)
        watch("bocau_callbacks_due", lambda: self._counts.callbacks_waiting)
        watch("bocau_ready_messages", lambda: self._dispatcher.waiting)
        watch("bocau_callbacks_in_flight", lambda: self._callbacks.in_flight)
        watch("bocau_learned_numbers", lambda: len(self._learned))
        watch("bocau_parked_messages", lambda: sum(self._parked.values()))
        watch("bocau_sends_refused", lambda: float(bool(self._shut)))
        watch("bocau_quarantine", lambda: float("quarantine" in self._shut))

    def _free_bytes(self) -> float:
        room = os.statvfs(pathlib.Path(self.settings.store.path).parent)
        return float(room.f_bavail * room.f_frsize)

    def _oldest_queued_seconds(self) -> float:
        oldest = self._counts.oldest_queued_ms
        return 0.0 if oldest is None else max(0, self.world.now_ms() - oldest) / 1000

    async def _count(self) -> bool:
        """Look how much is open, so that reading the metrics costs nothing."""
        self._counts = await self.store.counts()
        self._parked = await self.store.parked()
        return False


def _deadlines(settings: Settings) -> OutcomeDeadlines:
    schedule = settings.schedule
    return OutcomeDeadlines(
        schedule.uncertain_otp_seconds * 1000, schedule.uncertain_other_seconds * 1000, schedule.receipt_seconds * 1000
    )


def _staging_words(settings: Settings) -> str:
    """Who is delivered to while everything else is caught; empty if nothing is."""
    staging = settings.staging
    to = ", ".join(staging.phones) or "nobody"
    return f"messages leave to {to}; all others are caught" if staging.enabled else ""


def _limits(settings: Settings) -> Limits:
    api = settings.api
    return Limits(
        header_seconds=api.header_seconds,
        body_seconds=api.body_seconds,
        idle_seconds=api.idle_seconds,
        header_bytes=api.header_bytes,
        body_bytes=api.body_bytes,
        connections=api.connections,
    )


def taken_over(old: Settings, new: Settings) -> Settings:
    """What a reload makes of the settings in force: everything else of the new ones waits for a restart."""
    accept = msgspec.structs.replace(old.accept, type8_channel=new.accept.type8_channel)
    return msgspec.structs.replace(old, accept=accept, **{name: getattr(new, name) for name in _RELOADED})


def account_limits(settings: Settings) -> AccountLimits:
    """The limits of an account without its own."""
    limits = settings.limits
    return AccountLimits(
        limits.requests_per_second,
        limits.number_per_10_minutes,
        limits.number_per_day,
        limits.range_per_10_minutes,
        limits.account_vnd_per_day * UNIT,
        limits.key_vnd_per_day * UNIT,
        limits.call_number_per_10_minutes,
        limits.call_number_per_day,
        limits.calls_per_minute,
        limits.calls_at_once,
    )


def keeping_of(settings: Settings) -> Keeping:
    """How long things are kept."""
    kept = settings.retention
    return Keeping(
        kept.otp_text_hours * _HOUR_MS,
        kept.other_text_days * DAY_MS,
        kept.phone_days * DAY_MS,
        kept.message_days * DAY_MS,
        kept.inbound_days * DAY_MS,
        kept.audit_days * DAY_MS,
    )


def policy_of(settings: Settings) -> Policy:
    """What the checks of the door go by."""
    accept, schedule = settings.accept, settings.schedule
    return Policy(
        accept.unicode_policy,
        accept.strict_prefix,
        accept.max_receivers,
        accept.max_parts_gsm,
        accept.max_parts_ucs2,
        schedule.otp_ttl_seconds * 1000,
        schedule.other_ttl_seconds * 1000,
        accept.auto_approve,
        accept.equal_text_seconds * 1000,
        Proxies(tuple(map(ipaddress.ip_network, settings.api.trusted_proxies)), settings.api.forwarded_header),
        accept.tracked_numbers,
        accept.query_days * 86_400_000,
        accept.call_status == "plain",
        channel_of(settings),
        settings.api.cors_origins,
        accept.json_repair,
        can_call(settings),
        accept.call_prefixes,
    )


def _lookup_settings(settings: Settings) -> LookupSettings:
    lookup = settings.lookup
    return LookupSettings(
        lookup.url,
        lookup.authorization.reveal(),
        lookup.answer_pointer,
        lookup.networks,
        lookup.wait_seconds,
        lookup.in_flight,
    )


def _callback_policy(settings: Settings) -> CallbackPolicy:
    callback = settings.callback
    secret = callback.secret.reveal().encode()
    return CallbackPolicy(
        callback.schedule_seconds(),
        callback.jitter_percent,
        callback.timeout_seconds,
        callback.in_flight,
        _CALLBACKS_IN_MEMORY,
        (secret,) if secret else (),
        callback.call_shape,
        settings.accept.call_status == "plain",
    )
