"""A carrier that does what a test says, on the other end of a simulated network; and a store that only notes."""

import asyncio
import io
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tests.simulation.world import End, Machine, Network, Weather, play

from bocau.core.lifecycle import State
from bocau.core.message import Answer, AnswerKind, InboundIn, ReceiptIn, ReceiptStored
from bocau.deliver.link import CarrierSettings, SmppLink
from bocau.deliver.smpp import SmppCarrier
from bocau.ports import PartOut, Submission
from bocau.store.contract import Done, OutcomeDeadlines, Recorded, StoreFault, Unreported
from bocau.telemetry import CarrierMeters, Lines, make_log
from bocau.wire.smpp.events import BindRequested, Event, Role, SessionConfig, Submitted, UnbindRequested
from bocau.wire.smpp.pdu import SubmitSm
from bocau.wire.smpp.session import Session

T = TypeVar("T")
US, THEM, PORT = "10.0.0.1", "10.0.0.2", 2775
CALM = Weather(0.001, 0.002, 0.0)
SETTINGS = CarrierSettings(
    name="north",
    host=THEM,
    port=PORT,
    system_id="us",
    password="pw",
    system_type="",
    bind_mode="transceiver",
    binds=1,
    window=4,
    enquire_seconds=30.0,
    response_seconds=10.0,
    reconnect_first_seconds=1.0,
    reconnect_longest_seconds=60.0,
)


def submit(number: int) -> SubmitSm:
    """A part to a number of its own."""
    return SubmitSm(source_addr="BOCAU", destination_addr=f"849{number:08d}", short_message=b"4821")


class Peer(asyncio.Protocol):
    """One connection at the carrier."""

    def __init__(self, carrier: "Carrier") -> None:
        now = carrier.machine.world.monotonic()
        self.session = Session(SessionConfig(system_id="them", enquire_seconds=1e9), Role.SMSC, now)
        self.submits: list[Submitted] = []
        self.events: list[Event] = []
        self.transport: End
        self.lost = False
        self.began = now
        self._carrier = carrier

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, End)
        self.transport = transport
        self._carrier.peers.append(self)

    def data_received(self, data: bytes) -> None:
        carrier = self._carrier
        if carrier.deaf:
            return
        for event in self.session.receive(data, carrier.machine.world.monotonic()):
            self.events.append(event)
            if isinstance(event, BindRequested):
                if carrier.bind_status is None:
                    continue
                if carrier.bind_status:
                    self.session.refuse_bind(event.sequence, carrier.bind_status)
                else:
                    self.session.accept_bind(event.sequence, "them")
            elif isinstance(event, Submitted):
                self.submits.append(event)
                if carrier.answer_status is not None:
                    self.answer(event, carrier.answer_status)
            elif isinstance(event, UnbindRequested) and carrier.answers_unbind:
                self.session.answer_unbind(event.sequence, carrier.machine.world.monotonic())
        self.flush()

    def eof_received(self) -> None:
        """Close too."""

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True

    def answer(self, event: Submitted, status: int = 0, message_id: str = "") -> None:
        """Answer a submit; its id is its number in the order of coming unless given."""
        self._carrier.ids += not status
        self.session.answer_submit(event.sequence, status, "" if status else message_id or f"m{self._carrier.ids}")
        self.flush()

    def flush(self) -> None:
        """Write."""
        data = self.session.data_to_send()
        if data and not self.transport.is_closing():
            self.transport.write(data)


class Carrier:
    """The machine at the other end. Set what it does before it is asked."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.peers: list[Peer] = []
        self.bind_status: int | None = 0
        """None: never answered."""
        self.answer_status: int | None = 0
        """None: submits are not answered."""
        self.answers_unbind = True
        self.deaf = False
        """Heeds nothing that comes."""
        self.ids = 0

    @property
    def peer(self) -> Peer:
        """The newest connection."""
        return self.peers[-1]

    async def listen(self) -> None:
        """Open the door."""
        await self.machine.world.listen(lambda: Peer(self), THEM, PORT)


class NotedOwner:
    """`LinkOwner` that remembers."""

    def __init__(self) -> None:
        self.bound = 0
        self.events: list[Event] = []
        self.uncertain: list[object] = []
        self.unsent: list[object] = []

    def on_bound(self) -> None:
        self.bound += 1

    def on_event(self, link: SmppLink, event: Event) -> None:
        self.events.append(event)

    def on_lost(self, uncertain: list[object], unsent: list[object]) -> None:
        self.uncertain += uncertain
        self.unsent += unsent


class LinkStage:
    """One link and its carrier."""

    def __init__(self, network: Network, settings: CarrierSettings) -> None:
        network.weather = CALM
        self.network = network
        self.us = network.machine("us", US)
        self.carrier = Carrier(network.machine("them", THEM))
        self.owner = NotedOwner()
        self.meters = CarrierMeters()
        self.said = io.StringIO()
        log = make_log(Lines(self.said), self.us.world.now_ms)
        self.link = SmppLink(self.us.world, settings, self.owner, self.meters, log)

    @property
    def seconds(self) -> float:
        """Since the scenario began."""
        return self.network.loop.time() - 1000.0

    async def pass_time(self, seconds: float) -> None:
        """Virtual seconds."""
        await self.us.world.sleep(seconds)

    async def open(self) -> None:
        """Listen, connect, bind."""
        await self.carrier.machine.run(self.carrier.listen())
        self.us.call(self.link.start)
        await self.pass_time(1.0)
        assert self.link.bound


def run_link(scenario: Callable[[LinkStage], Coroutine[Any, Any, T]], *, opened: bool = True, **settings: object) -> T:
    """A scenario on one link, bound before it begins unless told otherwise."""

    async def whole(network: Network) -> T:
        stage = LinkStage(network, SETTINGS._replace(**settings))  # type: ignore[arg-type]
        if opened:
            await stage.open()
        result = await scenario(stage)
        await stage.us.run(stage.link.stop(5.0))
        return result

    return play(whole)


class NotingStore:
    """`DeliverStore` that takes `commit_seconds` for each act, in order, and fails the next `faults`."""

    def __init__(self, machine: Machine) -> None:
        self.answers: list[Answer] = []
        self.inbounds: list[InboundIn] = []
        self.receipts: list[ReceiptIn] = []
        self.learned: list[str] = []
        self.given: set[str] = set()
        self.recorded = Recorded(State.SENT, None)
        """What every answer does to its message."""
        self.commit_seconds = 0.005
        self.faults = 0
        self._machine = machine
        self._pending: deque[Callable[[], None]] = deque()

    def _after(self, keep: Callable[[], None], done: Callable[[StoreFault | None], None]) -> None:
        def commit() -> None:
            if self.faults:
                self.faults -= 1
                done(StoreFault("disk full"))
                return
            keep()
            done(None)

        self._pending.append(commit)
        self._machine.network.loop.call_later(self.commit_seconds, self._pending.popleft())

    def record(self, answer: Answer, done: Done[Recorded]) -> None:
        self._after(
            lambda: self.answers.append(answer),
            lambda fault: done(fault or self.recorded),
        )

    def inbound(self, inbound: InboundIn, done: Done[None]) -> None:
        self._after(lambda: self.inbounds.append(inbound), done)

    def learn_ids(self, carrier: str, form: str, at_ms: int, done: Done[None]) -> None:
        self._after(lambda: self.learned.append(form), done)

    async def unreported(self, carrier: str, limit: int) -> list[Unreported]:
        """Nothing of an earlier start."""
        return []

    async def id_forms(self) -> dict[str, str]:
        return {}

    def take_receipt(self, receipt: ReceiptIn, acknowledge: Callable[[ReceiptStored | None], None]) -> None:
        """Room 5's desk; a receipt matches by the form of its id that `given` names."""

        def done(fault: StoreFault | None) -> None:
            key = next((key for key in receipt.match_keys if key in self.given), "")
            acknowledge(None if fault else ReceiptStored(bool(key), bool(key), None, 0, key))

        self._after(lambda: self.receipts.append(receipt), done)

    def kinds(self) -> list[tuple[int, int, AnswerKind]]:
        """Message, part and kind of each answer, sorted."""
        return sorted((a.key.message_id, a.key.part, a.kind) for a in self.answers)


class CarrierStage:
    """An account with its links, and the carrier."""

    def __init__(self, network: Network, settings: CarrierSettings) -> None:
        network.weather = CALM
        self.network = network
        self.us = network.machine("us", US)
        self.carrier = Carrier(network.machine("them", THEM))
        self.store = NotingStore(self.us)
        self.meters = CarrierMeters()
        self.said = io.StringIO()
        self.hints: list[str] = []
        self.networks: list[tuple[str, int]] = []
        self.account = SmppCarrier(
            self.us.world,
            self.store,
            self.store.take_receipt,
            settings,
            OutcomeDeadlines(600_000, 3_600_000, 86_400_000),
            self.meters,
            make_log(Lines(self.said), self.us.world.now_ms),
            on_room=lambda: self.hints.append("room"),
            on_callbacks=lambda: self.hints.append("callbacks"),
            on_network=lambda phone, telco: self.networks.append((phone, telco)),
        )

    async def pass_time(self, seconds: float) -> None:
        """Virtual seconds."""
        await self.us.world.sleep(seconds)

    async def open(self) -> None:
        """Listen, connect, bind every link."""
        await self.carrier.machine.run(self.carrier.listen())
        self.us.call(self.account.start)
        await self.pass_time(1.0)
        assert self.account.bound == self.account.wanted

    def submit(self, number: int, parts: int = 1, *, route_class: str = "otp", text: bytes = b"4821") -> None:
        """As dispatch does."""
        out = tuple(PartOut(part, text, 0, 0) for part in range(1, parts + 1))
        self.us.call(self.account.reserve, parts)
        phone = f"09{number:08d}"
        self.us.call(self.account.submit, Submission(number, 1, 1, parts, "BOCAU", phone, route_class, out))


def run_account(
    scenario: Callable[[CarrierStage], Coroutine[Any, Any, T]], *, stop: bool = True, **settings: object
) -> T:
    """A scenario on an account whose links are bound."""

    async def whole(network: Network) -> T:
        stage = CarrierStage(network, SETTINGS._replace(**settings))  # type: ignore[arg-type]
        await stage.open()
        result = await scenario(stage)
        if stop:
            await stage.us.run(stage.account.stop(5.0))
        return result

    return play(whole)
