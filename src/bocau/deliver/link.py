"""One link to a carrier: a connection that brings itself up, a session on it, bytes both ways, time told."""

import asyncio
import ssl
from collections.abc import Mapping
from math import inf
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol, cast

from bocau.core.outcome import IdForm
from bocau.core.retry import backoff_seconds
from bocau.deliver.profile import Profile
from bocau.deliver.tempo import LinkPace
from bocau.deliver.trace import Trace
from bocau.ports import World
from bocau.telemetry import CarrierMeters, Log, LogEvent
from bocau.wire.smpp.events import (
    BindMode,
    BindRefused,
    Bound,
    Closed,
    Counters,
    Event,
    PeerUnbound,
    Role,
    SessionConfig,
    SessionState,
    SubmitAnswered,
    SubmitTimedOut,
)
from bocau.wire.smpp.network import NetworkField
from bocau.wire.smpp.pdu import SubmitSm
from bocau.wire.smpp.session import Session
from bocau.wire.smpp.status import Classes, answer_class, status_name

__all__ = ["CarrierSettings", "LinkOwner", "SmppLink"]

_DIAL_SECONDS: Final = 10.0
_TICK_SECONDS: Final = 0.5
_CLOSE_SECONDS: Final = 2.0


class CarrierSettings(NamedTuple):
    """An SMPP account. Seconds are monotonic."""

    name: str
    host: str
    port: int
    system_id: str
    password: str
    system_type: str
    bind_mode: str
    binds: int
    window: int
    enquire_seconds: float
    response_seconds: float
    reconnect_first_seconds: float
    reconnect_longest_seconds: float
    profile: Profile = Profile()
    """The shape of its submits."""
    classes: Classes = answer_class
    """What its statuses mean."""
    per_bind_second: int = 0
    """Parts a second on each link; 0: no limit of its own."""
    receiver_port: int = 0
    """Of the receivers of pairs; 0: the same as `port`."""
    address: tuple[int, int, str] = (0, 0, "")
    """TON, NPI and range of the bind."""
    tls: ssl.SSLContext | None = None
    tls_name: str = ""
    """The name to ask for and to check; empty: the host."""
    trace_pdus: int = 200
    """PDUs that each link remembers."""
    id_form: IdForm | None = None
    """How ids of receipts relate to those of answers; None: to be learned."""
    utc_offset_minutes: int = 420
    """How far the dates in its receipts are ahead of UTC."""
    network: NetworkField | None = None
    """Where it names the networks of phones."""
    networks: Mapping[str, int] = MappingProxyType({})
    """What it calls them."""

    def __repr__(self) -> str:
        """Without the password (promises S1)."""
        return f"CarrierSettings({self.name})"


class LinkOwner(Protocol):
    """Whom a link reports to."""

    def on_bound(self) -> None:
        """There are free slots now."""
        ...

    def on_event(self, link: "SmppLink", event: Event) -> None:
        """Something that concerns messages."""
        ...

    def on_lost(self, uncertain: list[object], unsent: list[object]) -> None:
        """The connection is gone: tokens whose bytes may have reached the carrier, and tokens whose bytes did not."""
        ...


class SmppLink(asyncio.Protocol):
    """Keeps one bind up: dials, binds, and after an end waits with jittered back-off (promises P12)."""

    def __init__(
        self, world: World, settings: CarrierSettings, owner: LinkOwner, meters: CarrierMeters, log: Log
    ) -> None:
        self.why = "not connected yet"
        """Why it is not bound; empty while it is."""
        self.connection = 0
        """Number of the connection, from 1: what one has delivered is acknowledged on no other."""
        self._world = world
        self._settings = settings
        self._owner = owner
        self._meters = meters
        self._log = log
        ton, npi, address_range = settings.address
        self.trace = Trace(settings.trace_pdus)
        """The PDUs it last saw."""
        self._config = SessionConfig(
            system_id=settings.system_id,
            password=settings.password,
            system_type=settings.system_type,
            mode=BindMode(settings.bind_mode),
            addr_ton=ton,
            addr_npi=npi,
            address_range=address_range,
            window=settings.window,
            response_seconds=settings.response_seconds,
            enquire_seconds=settings.enquire_seconds,
            bind_seconds=settings.response_seconds,
        )
        self._session = Session(self._config, Role.ESME, world.monotonic())
        self._transport: asyncio.Transport | None = None
        self._ended = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._flushing = False
        self._paused = False
        self._stopping = False
        self._pace = LinkPace(settings.per_bind_second) if settings.per_bind_second else None
        self._pace_timer: asyncio.TimerHandle | None = None
        self._refused_for_good = False
        self._failures = 0
        self._unsent: list[object] = []
        # Parts whose answers did not come in time; their slots come back with the answer or a new connection.
        self._late = 0
        self._cut_at = inf

    # What the account asks for

    @property
    def bound(self) -> bool:
        """Whether the carrier accepted the bind."""
        return self._session.state is SessionState.BOUND

    @property
    def free_slots(self) -> int:
        """Parts that may be submitted now; none while the connection does not take our bytes, or is to be replaced."""
        if self._paused or self._worn:
            return 0
        slots = self._session.free_slots
        return slots if self._pace is None else min(slots, self._pace.free(self._world.monotonic()))

    @property
    def outstanding(self) -> int:
        """Parts submitted and not answered."""
        return self._session.outstanding

    @property
    def _worn(self) -> bool:
        """Half of the window waits for answers that will hardly come."""
        return self._late > 0 and self._late * 2 >= self._settings.window

    @property
    def counters(self) -> Counters:
        """What the session that runs, or ran last, saw and passed over."""
        return self._session.counters

    @property
    def mode(self) -> str:
        """transceiver, transmitter or receiver."""
        return self._config.mode.value

    def start(self) -> None:
        """Begin to connect."""
        self._task = asyncio.create_task(self._run())

    def submit(self, pdu: SubmitSm, token: object) -> None:
        """Queue a part; it leaves with all others of this turn of the loop.

        Raises WindowFull, NotBound, FieldError; nothing is queued then.
        """
        now = self._world.monotonic()
        self._session.submit(pdu, token, now)
        self._unsent.append(token)
        if self._pace is not None:
            self._pace.sent(now)
            self._wait_for_pace(self._pace, now)
        self._flush_soon()

    def _wait_for_pace(self, pace: LinkPace, now: float) -> None:
        """Tell the owner when a link that has had its parts of this second may have more."""
        if self._pace_timer is None and not pace.free(now):
            wait = pace.next_at(now) - now
            self._pace_timer = asyncio.get_running_loop().call_later(max(0.001, wait), self._pace_is_free)

    def _pace_is_free(self) -> None:
        self._pace_timer = None
        now = self._world.monotonic()
        if self._pace is not None and not self._pace.free(now):
            self._wait_for_pace(self._pace, now)  # a timer may come a hair too early
        else:
            self._owner.on_bound()

    def answer(self, connection: int, sequence: int, status: int) -> None:
        """Acknowledge what the carrier delivered on that connection. If it has ended since, nothing happens: on the
        next one the same sequence number means something else."""
        if connection == self.connection:
            self._session.answer_delivered(sequence, status)
            self._flush_soon()

    async def stop(self, seconds: float) -> None:
        """Wait for the answers that are still due in time, unbind, close. After `seconds` the connection is cut."""
        self._stopping = True
        try:
            async with asyncio.timeout(seconds):
                while self._transport is not None and self.outstanding > self._late:
                    await self._world.sleep(0.01)
                self._session.unbind(self._world.monotonic())
                self._flush()
                if self._transport is not None:
                    await self._ended.wait()
        except TimeoutError:
            self._log.warning(LogEvent.LINK_LOSE, reason="stopped before every answer came", waiting=self.outstanding)
        if self._transport is not None:
            self._transport.abort()
            await self._ended.wait()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # The connection's life

    async def _run(self) -> None:
        while not self._stopping:
            try:
                await self._connect()
            except Exception as error:  # noqa: BLE001 - the rim: a link that cannot even fail must not end for ever
                self.why = "our own fault"
                self._log.error(LogEvent.FAULT, exc_info=error)
            self._failures += 1
            await self._world.sleep(self._wait_seconds())

    def _wait_seconds(self) -> float:
        first, longest = self._settings.reconnect_first_seconds, self._settings.reconnect_longest_seconds
        if self._refused_for_good:
            return longest
        return backoff_seconds(self._failures, self._world.random.random(), first, longest)

    async def _connect(self) -> None:
        """One connection from its dial to its end."""
        self._ended.clear()
        self._log.debug(LogEvent.LINK_DIAL, host=self._settings.host, port=self._settings.port)
        try:
            async with asyncio.timeout(_DIAL_SECONDS):
                settings = self._settings
                name = (settings.tls_name or settings.host) if settings.tls is not None else None
                await self._world.dial(
                    lambda: self, settings.host, settings.port, tls=settings.tls, server_hostname=name
                )
        except (OSError, TimeoutError) as error:
            self._on_no_connection(error)
            return
        await self._ended.wait()

    def _on_no_connection(self, error: OSError | TimeoutError) -> None:
        """A certificate that is not trusted needs a person, as a wrong password does; anything else may pass."""
        if isinstance(error, ssl.SSLCertVerificationError):
            self._refused_for_good = True
            self.why = f"the carrier's certificate is not trusted: {error.verify_message}"
            self._log.error(LogEvent.LINK_REFUSE, reason=self.why, permanent=True)
            return
        self._refused_for_good = False
        self.why = f"cannot connect: {str(error) or 'timed out'}"
        if self._failures == 0:
            self._log.warning(LogEvent.LINK_LOSE, reason=self.why)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is up: bind."""
        now = self._world.monotonic()
        self._transport = cast("asyncio.Transport", transport)
        if self._stopping:
            self._transport.abort()
            return
        self.connection += 1
        self._paused = False
        self._late = 0
        self._cut_at = inf
        self._refused_for_good = False
        self._session = Session(self._config, Role.ESME, now, self.trace.seen)
        self._session.start(now)
        self._flush()
        self._tick()

    def data_received(self, data: bytes) -> None:
        """Bytes from the carrier."""
        self._handle(self._session.receive(data, self._world.monotonic()))

    def _handle(self, events: list[Event]) -> None:
        owner = self._owner
        for event in events:
            if isinstance(event, SubmitAnswered):
                self._late -= event.late
                owner.on_event(self, event)
                continue
            match event:
                case SubmitTimedOut():
                    self._late += 1
                    owner.on_event(self, event)
                case Bound():
                    self._on_bound()
                case BindRefused():
                    self._on_refused(event)
                case PeerUnbound():
                    self.why = "the carrier unbound"
                case Closed():
                    self._on_closed(event.reason)
                case _:
                    owner.on_event(self, event)
        if self._worn:
            self._replace_worn()
        self._flush_soon()

    def _replace_worn(self) -> None:
        """Slots that wait in vain come back only with a new connection; by now nothing else is lost with this one."""
        if self.bound and self.outstanding == self._late and not self._stopping:
            self.why = "submits are not answered any more"
            self._log.warning(LogEvent.LINK_LOSE, reason=self.why, waiting=self._late)
            self._abort()

    def _on_bound(self) -> None:
        self.why = ""
        self._failures = 0
        self._meters.binds += 1
        self._log.info(LogEvent.LINK_BIND, host=self._settings.host, port=self._settings.port)
        self._owner.on_bound()

    def _on_refused(self, refused: BindRefused) -> None:
        self.why = f"bind refused: {status_name(refused.status)}"
        self._refused_for_good = refused.permanent
        self._meters.bind_refusals += 1
        say = self._log.error if refused.permanent else self._log.warning
        say(LogEvent.LINK_REFUSE, reason=status_name(refused.status), permanent=refused.permanent)
        self._close()

    def _on_closed(self, reason: str) -> None:
        self.why = reason
        if not self._stopping:
            self._log.warning(LogEvent.LINK_LOSE, reason=reason)
        self._close()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone, however that came."""
        if not self.why:
            self.why = f"connection lost: {error or 'closed by the carrier'}"
            if not self._stopping:
                self._log.warning(LogEvent.LINK_LOSE, reason=self.why)
        self._meters.losses += 1
        if self._ticker is not None:
            self._ticker.cancel()
        if self._pace_timer is not None:
            self._pace_timer.cancel()
            self._pace_timer = None
        self._transport = None
        self._late = 0
        unsent, self._unsent = self._unsent, []
        never_left = {id(token) for token in unsent}
        lost = self._session.connection_lost()
        self._owner.on_lost([token for token in lost if id(token) not in never_left], unsent)
        self._ended.set()

    def pause_writing(self) -> None:
        """The connection does not take our bytes as fast as we make them."""
        self._paused = True

    def resume_writing(self) -> None:
        """It does again."""
        self._paused = False
        self._owner.on_bound()

    # Bytes out and time

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        """Everything that this turn of the loop queued, in one write."""
        self._flushing = False
        if self._transport is None or self._transport.is_closing():
            return
        self.trace.sent(self._session.queued, self._world.monotonic())
        data = self._session.data_to_send()
        if data:
            self._unsent.clear()
            self._transport.write(data)

    def _tick(self) -> None:
        """Tell the session the time, twice a second."""
        if self._transport is None:
            return
        self._ticker = asyncio.get_running_loop().call_later(self._tick_seconds(), self._tick)
        now = self._world.monotonic()
        if now >= self._cut_at:
            self._abort()
        self._handle(self._session.tick(now))

    def _tick_seconds(self) -> float:
        return min(_TICK_SECONDS, self._settings.response_seconds / 4, self._settings.enquire_seconds / 4)

    def _close(self) -> None:
        """Let what is queued leave, then close; a peer that takes no bytes is cut off soon after (fault F22)."""
        self._flush()
        if self._transport is not None:
            self._transport.close()
            self._cut_at = min(self._cut_at, self._world.monotonic() + _CLOSE_SECONDS)

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
