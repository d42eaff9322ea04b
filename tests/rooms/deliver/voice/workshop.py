"""A crew of real worker processes, and a called phone, on the loopback."""

import asyncio
import io
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from bocau.core.call import Manner, Playing
from bocau.deliver.sip.order import CallLimits
from bocau.deliver.sip.trunk import Trunk
from bocau.deliver.voice.crew import Crew, Heard, Lost
from bocau.deliver.voice.messages import Configure, Over, Place, Speech, WorkerCaps
from bocau.simulator.phone import Phone
from bocau.telemetry import Lines, make_log
from bocau.world import RealChildren, RealWorld

T = TypeVar("T")
QUICK = Speech(("builtin",), repeats=1, gap_ms=100)


def configure(port: int, speech: Speech = QUICK) -> Configure:
    """A worker for the phone at this port."""
    trunk = Trunk("phone", "127.0.0.1", port, user="bocau", password="bocau", max_calls=20, calls_per_second=50.0)
    return Configure((trunk,), WorkerCaps(), speech, CallLimits(listen=0.1), "warning", "json")


class Workshop:
    """Places calls through a crew and keeps what is heard of each."""

    def __init__(self, crew: Crew, phone: Phone, log: io.StringIO, changed: asyncio.Event) -> None:
        self.crew = crew
        self.changed = changed
        self.phone = phone
        self.log = log
        self.heard: dict[str, list[Heard]] = {}
        self._news = asyncio.Event()

    def place(self, call_id: str, ending: str = "1234", code: str = "7", playing: Playing | None = None) -> None:
        """Place a call to a number with this ending."""
        self.heard[call_id] = []

        def hear(one: Heard) -> None:
            self.heard[call_id].append(one)
            self._news.set()

        self.crew.place(Place(call_id, f"84901{ending:0>6}", code, Manner(playing)), hear)

    async def until(self, call_id: str, kind: type) -> Any:  # noqa: ANN401 - of that kind
        """The first thing of a kind heard of a call."""
        while True:
            for one in self.heard[call_id]:
                if isinstance(one, kind):
                    return one
            self._news.clear()
            async with asyncio.timeout(30):
                await self._news.wait()

    async def end(self, call_id: str) -> Over | Lost:
        """The last word about a call."""
        found: Over | Lost = await self.until(call_id, Over | Lost)  # type: ignore[arg-type]
        return found

    async def ready(self) -> None:
        """Wait until calls can be placed."""
        async with asyncio.timeout(30):
            while not self.crew.room:
                self.changed.clear()
                await self.changed.wait()

    async def until_dead(self) -> None:
        """Wait until a worker that was killed is missed."""
        async with asyncio.timeout(30):
            while self.crew.working:
                self.changed.clear()
                await self.changed.wait()

    def pids(self) -> list[int]:
        """The processes of the workers, as the system lists them."""
        return children_of("self")

    def shown(self) -> list[bytes]:
        """What every user of the machine, or of the account, can see of the workers."""
        return [Path(f"/proc/{pid}/{what}").read_bytes() for pid in self.pids() for what in ("cmdline", "environ")]


def children_of(pid: int | str) -> list[int]:
    """The worker processes that a process started."""
    tasks = Path(f"/proc/{pid}/task")
    found = {int(one) for task in tasks.iterdir() for one in (task / "children").read_text().split()}
    return sorted(one for one in found if b"voice_process" in Path(f"/proc/{one}/cmdline").read_bytes())


def at_work(scenario: Callable[[Workshop], Coroutine[Any, Any, T]], workers: int = 1, speech: Speech = QUICK) -> T:
    """Run a scenario with so many workers."""

    async def run() -> T:
        world, log = RealWorld(), io.StringIO()
        phone, changed = Phone(world), asyncio.Event()
        await phone.start()
        crew = Crew(
            world,
            RealChildren(),
            (configure(phone.port, speech),) * workers,
            make_log(Lines(log), world.now_ms),
            changed.set,
        )
        crew.start()
        shop = Workshop(crew, phone, log, changed)
        try:
            await shop.ready()
            return await scenario(shop)
        finally:
            await crew.stop(0.0)
            await phone.stop()

    return asyncio.run(run())
