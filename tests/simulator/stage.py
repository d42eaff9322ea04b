"""A carrier on loopback, a clock that is turned by hand, and a peer that says what it hears."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar, cast

from bocau.simulator.journal import Journal
from bocau.simulator.rules import Rules
from bocau.simulator.smsc import Smsc, SmscSettings
from bocau.wire.smpp.codec import encode_bare
from bocau.wire.smpp.events import BindMode, Bound, Delivered, Event, Role, SessionConfig, SubmitAnswered
from bocau.wire.smpp.pdu import Command, SubmitSm
from bocau.wire.smpp.receipt import Receipt, read_receipt
from bocau.wire.smpp.session import Session
from bocau.world import RealWorld

_E = TypeVar("_E")
_START_MS = 1_763_791_200_000  # 2025-11-22 06:00 UTC


class HandWorld(RealWorld):
    """The real network; all clocks move only by `advance`."""

    def __init__(self) -> None:
        super().__init__()
        self.random.seed(7)
        self.seconds = 1000.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now_ms(self) -> int:
        """The start and what was advanced since."""
        return _START_MS + int((self.seconds - 1000.0) * 1000)

    def monotonic(self) -> float:
        """The time set by the test."""
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Until the clock has been turned so far."""
        future = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.seconds + seconds, future))
        await future

    def advance(self, seconds: float) -> None:
        """Turn the clocks."""
        self.seconds += seconds
        due = [one for one in self._sleepers if one[0] <= self.seconds]
        self._sleepers = [one for one in self._sleepers if one[0] > self.seconds]
        for _, future in sorted(due, key=lambda one: one[0]):
            if not future.done():
                future.set_result(None)


class Esme(asyncio.Protocol):
    """A peer of the carrier. Acknowledges receipts with `acknowledge_with`, or not at all if that is None."""

    def __init__(self, world: HandWorld, config: SessionConfig) -> None:
        self.session = Session(config, Role.ESME, world.monotonic())
        self.events: list[Event] = []
        self.acknowledge_with: int | None = 0
        self.deaf = False
        """It keeps what it hears in `missed` and does nothing."""
        self.missed = b""
        self.reads = 0
        self.closed = asyncio.Event()
        self._world = world
        self._news = asyncio.Event()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.session.start(self._world.monotonic())
        self.flush()

    def data_received(self, data: bytes) -> None:
        self.reads += 1
        if self.deaf:
            self.missed += data
            return
        for event in self.session.receive(data, self._world.monotonic()):
            self.events.append(event)
            if isinstance(event, Delivered) and self.acknowledge_with is not None:
                self.session.answer_delivered(event.sequence, self.acknowledge_with)
        self.flush()
        self._news.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.closed.set()
        self._news.set()

    def flush(self) -> None:
        data = self.session.data_to_send()
        if data and self._transport is not None:
            self._transport.write(data)

    def write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def close(self) -> None:
        assert self._transport is not None
        self._transport.abort()

    async def expect(self, kind: type[_E]) -> _E:
        """The next event of this kind; others stay."""
        while True:
            for event in self.events:
                if isinstance(event, kind):
                    self.events.remove(event)
                    return event
            assert not self.closed.is_set(), f"closed while waiting for {kind.__name__}"
            self._news.clear()
            await self._news.wait()

    async def settle(self) -> None:
        """Until everything that the carrier has to say now was heard: two round trips."""
        for _ in range(2):
            counters = self.session.counters
            before = counters.unknown_responses
            self.write(encode_bare(Command.ENQUIRE_LINK, 0, 0x70000000 + before))
            while counters.unknown_responses == before:
                self._news.clear()
                await self._news.wait()

    def submit(self, submit: SubmitSm) -> None:
        self.session.submit(submit, submit.destination_addr, self._world.monotonic())
        self.flush()

    async def answer(self, submit: SubmitSm) -> SubmitAnswered:
        """Submit and wait for the answer."""
        self.submit(submit)
        return await self.expect(SubmitAnswered)

    async def receipt(self) -> Receipt:
        """The next receipt."""
        event = await self.expect(Delivered)
        receipt = read_receipt(event.message)
        assert receipt is not None
        return receipt

    def heard(self, kind: type[object]) -> int:
        """How many events of a kind were not asked for yet."""
        return sum(isinstance(event, kind) for event in self.events)


class Stage:
    """A carrier, its world, and peers."""

    def __init__(self, world: HandWorld, smsc: Smsc) -> None:
        self.world = world
        self.smsc = smsc
        self.peers: list[Esme] = []

    async def connect(
        self, system_id: str = "acme", password: str = "", mode: BindMode = BindMode.TRANSCEIVER, window: int = 500
    ) -> Esme:
        """A peer that has asked to bind."""
        config = SessionConfig(system_id=system_id, password=password, mode=mode, window=window)
        esme = Esme(self.world, config)
        self.peers.append(esme)
        await self.world.dial(lambda: esme, "127.0.0.1", self.smsc.port)
        return esme

    async def bind(
        self, system_id: str = "acme", password: str = "", mode: BindMode = BindMode.TRANSCEIVER, window: int = 500
    ) -> Esme:
        """A peer that is bound."""
        esme = await self.connect(system_id, password, mode, window)
        await esme.expect(Bound)
        return esme

    async def lose(self, esme: Esme) -> None:
        """Cut a peer off and wait until the carrier knows."""
        links = self.smsc.links
        esme.close()
        await self.until(lambda: self.smsc.links < links)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Turn the loop until the carrier has come so far."""
        while not condition():  # noqa: ASYNC110 - what is awaited is in the carrier, which has no event for tests
            await asyncio.sleep(0)


@asynccontextmanager
async def stage(
    rules: Rules | None = None, settings: SmscSettings | None = None, journal: Journal | None = None
) -> AsyncIterator[Stage]:
    """Everything, closed at the end."""
    world = HandWorld()
    smsc = await Smsc.start(world, "127.0.0.1", 0, rules or Rules(), settings=settings, journal=journal)
    scene = Stage(world, smsc)
    try:
        yield scene
    finally:
        await smsc.close()
        for esme in scene.peers:
            await esme.closed.wait()


def sms(ending: str = "0000", text: str = "hello", **fields: object) -> SubmitSm:
    """A submit to a number with this ending, asking for receipts."""
    submit = SubmitSm(
        source_addr_ton=5,
        source_addr="Bocau",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr=f"8490123{ending}",
        registered_delivery=1,
        short_message=text.encode("ascii"),
    )
    return submit._replace(**fields)  # type: ignore[arg-type]
