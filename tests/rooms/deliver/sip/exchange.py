"""A call engine and a called phone: on two machines of a simulated network, or on the loopback of the real one."""

import asyncio
import io
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tests.simulation.world import Network, Weather, play

from bocau.deliver.sip.engine import CallEngine, EngineSettings
from bocau.deliver.sip.order import (
    Answered,
    CallEvent,
    CallLimits,
    CallOrder,
    CallResult,
    Ended,
    KeyPressed,
    Ringing,
    Utterance,
)
from bocau.deliver.sip.trunk import Trunk
from bocau.ports import ServiceNames, World
from bocau.simulator.phone import Phone, PhoneSettings, Recording
from bocau.telemetry import Lines, make_log
from bocau.world import RealWorld

T = TypeVar("T")
US, THEM = "10.0.0.1", "10.0.0.2"
CALM = Weather(0.001, 0.002, 0.0)
SPOKEN = bytes(range(256)) * 50
PROMPT = Utterance(SPOKEN, SPOKEN[::-1])
QUICK = CallLimits(listen=0.3)


class Calls:
    """Places calls and keeps what is told about them."""

    def __init__(self, engine: CallEngine, phone: Phone, log: io.StringIO) -> None:
        self.engine = engine
        self.phone = phone
        self.log = log
        self.events: list[CallEvent] = []
        self._ends: dict[str, asyncio.Future[CallResult]] = {}
        self._count = 0

    def place(self, ending: str, **changes: Any) -> str:  # noqa: ANN401 - fields of the order
        """Place a call to a number with this ending; its call id."""
        self._count += 1
        call_id = f"call-{self._count}"
        order = CallOrder(call_id, f"849012{ending:0>5}", PROMPT, limits=QUICK)._replace(**changes)
        self._ends[call_id] = asyncio.get_running_loop().create_future()
        self.engine.place(order, self.hear)
        return call_id

    def hear(self, event: CallEvent) -> None:
        """Keep an event."""
        self.events.append(event)
        if isinstance(event, Ended):
            self._ends[event.call_id].set_result(event.result)

    async def end(self, call_id: str) -> CallResult:
        """How a call ended."""
        return await self._ends[call_id]

    async def call(self, ending: str, **changes: Any) -> CallResult:  # noqa: ANN401 - fields of the order
        """Place a call and wait for its end."""
        return await self.end(self.place(ending, **changes))

    @property
    def told(self) -> list[str]:
        """The names of all events, keys with what was pressed."""
        names: dict[type, str] = {Ringing: "ringing", Answered: "answered", Ended: "ended"}
        return [e.key if isinstance(e, KeyPressed) else names[type(e)] for e in self.events]

    @property
    def recording(self) -> Recording:
        """The newest call, seen from the phone."""
        return self.phone.recordings[-1]


async def opened(
    us: World,
    them: World,
    trunk: Trunk,
    settings: EngineSettings | None = None,
    host: str = "127.0.0.1",
    names: ServiceNames | None = None,
) -> Calls:
    """Phone and engine, started."""
    phone = Phone(them, PhoneSettings(host=host))
    await phone.start()
    log = io.StringIO()
    if not trunk.port and not trunk.srv:
        trunk = trunk._replace(port=phone.port)
    engine = CallEngine(us, [trunk], settings or EngineSettings(), make_log(Lines(log), us.now_ms), names)
    engine.start()
    return Calls(engine, phone, log)


TRUNK = Trunk("north", THEM, user="bocau", password="bocau", max_calls=100, calls_per_second=100.0)


def simulated(
    scenario: Callable[[Calls], Coroutine[Any, Any, T]],
    trunk: Trunk = TRUNK,
    *,
    loss: float = 0.0,
    weather: Weather = CALM,
    seed: int = 0,
) -> T:
    """Run a scenario in virtual time."""

    async def run(network: Network) -> T:
        network.weather = weather
        network.datagram_loss = loss
        us, them = network.machine("us", US), network.machine("them", THEM)

        async def ours() -> T:
            calls = await opened(us.world, them.world, trunk, host=THEM)
            try:
                return await scenario(calls)
            finally:
                await calls.engine.stop()
                await calls.phone.stop()

        return await us.run(ours())

    return play(run, seed)


def on_loopback(scenario: Callable[[Calls], Coroutine[Any, Any, T]], trunk: Trunk) -> T:
    """Run a scenario over the machine's own sockets; the trunk's host is a loopback address."""

    async def run() -> T:
        world = RealWorld()
        calls = await opened(world, world, trunk, host=trunk.host)
        try:
            return await scenario(calls)
        finally:
            await calls.engine.stop()
            await calls.phone.stop()

    return asyncio.run(run())
