"""A world in one process: virtual time, machines with clocks and addresses, and a network that misbehaves on demand.

Everything follows from one integer seed (promises 7.2): the loop jumps its clock to the next timer whenever nothing is
ready, chance comes from seeded generators, and bytes travel through queues in memory. Each machine's callbacks carry
its context, so that a machine can be killed between two callbacks, as a process is.
"""

import asyncio
import contextvars
import random
import selectors
import ssl
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final, NamedTuple, TypeVar, cast

__all__ = [
    "BEGIN_MS",
    "Datagrams",
    "End",
    "Machine",
    "Network",
    "SimulatedWorld",
    "Stuck",
    "VirtualLoop",
    "Weather",
    "play",
]

T = TypeVar("T")

BEGIN_MS: Final = 1_800_000_000_000
"""The wall clock of every machine when a simulation begins, in milliseconds since 1970."""
_BEGIN_SECONDS: Final = 1_000.0
_HIGH_WATER: Final = 64 * 1024
_LOW_WATER: Final = 16 * 1024
_BLOCKED_AGAIN_SECONDS: Final = 0.2
_DIAL_TRIES: Final = 150

_here: contextvars.ContextVar["Machine"] = contextvars.ContextVar("machine")


class Stuck(RuntimeError):  # noqa: N818 - says what happened
    """Nothing is ready and no timer is set: what is awaited can never come."""


class _Jump(selectors.SelectSelector):
    """A selector that waits for nothing: it lets the loop's clock jump to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = _BEGIN_SECONDS

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """No file is ever ready."""
        if timeout is None:
            raise Stuck("nothing is left to happen")
        if timeout > 0:
            self.seconds += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time costs nothing. `faults` holds what nobody caught."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)
        self.faults: list[str] = []
        self.set_exception_handler(self._note)
        self.set_task_factory(_make_task)

    def time(self) -> float:
        """Seconds of virtual time."""
        return self._jump.seconds

    def _note(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.faults.append(f"{context.get('message')}: {context.get('exception')!r}")


def _make_task(
    loop: asyncio.AbstractEventLoop,
    coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
    context: contextvars.Context | None = None,
) -> asyncio.Task[T]:
    """A task that its machine knows of."""
    task = asyncio.Task(cast("Coroutine[Any, Any, T]", coro), loop=loop, context=context)
    machine = _here.get(None)
    if machine is not None:
        machine.own(task)
    return task


def play(scenario: Callable[["Network"], Coroutine[Any, Any, T]], seed: int = 0) -> T:
    """Run a scenario in a world of its own. Raises AssertionError for an exception that nobody caught."""
    loop = VirtualLoop()
    network = Network(loop, seed)
    try:
        result = loop.run_until_complete(scenario(network))
        for machine in network.machines:
            machine.kill()
    finally:
        loop.close()
    assert not loop.faults, loop.faults
    return result


class Weather(NamedTuple):
    """How the network behaves."""

    quickest_seconds: float = 0.0002
    slowest_seconds: float = 0.02
    split: float = 0.3
    """The share of writes that arrive in several pieces."""


class Network:
    """Machines and the connections between them."""

    def __init__(self, loop: VirtualLoop, seed: int, weather: Weather | None = None) -> None:
        self.loop = loop
        self.seed = seed
        self.random = random.Random(f"{seed}:network")
        self.weather = weather or Weather()
        self.machines: list[Machine] = []
        self.names: dict[str, list[str]] = {}
        """What the resolvers answer; an address needs no entry."""
        self.listeners: dict[tuple[str, int], _Listening] = {}
        self.sockets: dict[tuple[str, int], Datagrams] = {}
        """Open datagram sockets."""
        self.datagram_loss = 0.0
        """The share of datagrams that never arrive."""
        self.ends: dict[End, None] = {}
        """Both ends of every open connection."""
        self._blocked: set[frozenset[str]] = set()
        self._next_port = 40_000

    def machine(self, name: str, address: str) -> "Machine":
        """A new machine; one that takes over an address of a dead one is new too."""
        machine = Machine(self, name, address)
        self.machines.append(machine)
        return machine

    def free_port(self) -> int:
        """One that nobody has."""
        self._next_port += 1
        return self._next_port

    def delay(self) -> float:
        """How long the next piece travels."""
        return self.random.uniform(self.weather.quickest_seconds, self.weather.slowest_seconds)

    def pieces(self, data: bytes) -> list[bytes]:
        """The pieces a write arrives in."""
        if len(data) < 2 or self.random.random() >= self.weather.split:
            return [data]
        cuts = sorted({self.random.randrange(1, len(data)) for _ in range(self.random.randrange(1, 4))})
        return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]

    def block(self, one: str, other: str) -> None:
        """A partition between two addresses: nothing arrives, nothing is lost until it heals."""
        self._blocked.add(frozenset((one, other)))

    def heal(self) -> None:
        """Every partition ends."""
        self._blocked.clear()

    def blocked(self, one: str, other: str) -> bool:
        """Whether there is a partition between them."""
        return bool(self._blocked) and frozenset((one, other)) in self._blocked

    def arrive(self, data: bytes, source: tuple[str, int], target: tuple[str, int]) -> None:
        """A datagram is there, and perhaps somebody for it."""
        socket = self.sockets.get(target)
        if socket is not None:
            socket.take(data, source)

    def between(self, one: str, other: str) -> list["End"]:
        """The ends on `one` of all connections between two addresses, oldest first."""
        return [end for end in self.ends if end.address == one and end.peer.address == other]

    def cut(self, end: "End", other_knows_after: float = 0.0) -> None:
        """Break a connection: a random rest of what is under way is lost; the other end may learn of it later."""
        for side, after in ((end, 0.0), (end.peer, other_knows_after)):
            side.lose_rest(self.random)
            side.reset_after(after)


class _Listening:
    """A listening socket; see ports.Listening."""

    def __init__(self, machine: "Machine", factory: Callable[[], asyncio.Protocol], port: int) -> None:
        self.machine = machine
        self.factory = factory
        self.port = port
        self.context = contextvars.copy_context()

    async def close(self) -> None:
        """Stop listening."""
        self.machine.network.listeners.pop((self.machine.address, self.port), None)


class Machine:
    """One process on a host of its own."""

    def __init__(self, network: Network, name: str, address: str) -> None:
        self.network = network
        self.name = name
        self.address = address
        self.alive = True
        self._context = contextvars.copy_context()
        self._context.run(_here.set, self)
        self._tasks: list[asyncio.Task[Any]] = []
        self.world = SimulatedWorld(self)

    def own(self, task: asyncio.Task[Any]) -> None:
        """Remember a task, to end it with the machine."""
        if len(self._tasks) > 500:
            self._tasks = [one for one in self._tasks if not one.done()]
        self._tasks.append(task)

    def run(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a coroutine as this machine."""
        return self.network.loop.create_task(work, context=self._context.copy())

    def call(self, act: Callable[..., T], *args: object) -> T:
        """Call a function as this machine."""
        return self._context.copy().run(act, *args)

    def kill(self) -> None:
        """The process is gone between two callbacks: nothing of it runs on; its peers see their connections end."""
        self.alive = False
        network = self.network
        for key, listening in list(network.listeners.items()):
            if listening.machine is self:
                del network.listeners[key]
        for socket in list(network.sockets.values()):
            if socket.machine is self:
                socket.vanish()
        for end in list(network.ends):
            if end.machine is self:
                end.vanish()
        for task in self._tasks:
            if not task.done():
                # Closing the coroutine ends it where it stands; nobody is told.
                cast("Any", task)._log_destroy_pending = False
                self._context.copy().run(cast("Coroutine[Any, Any, Any]", task.get_coro()).close)
        self._tasks.clear()
        loop = cast("Any", network.loop)
        for handle in (*loop._ready, *loop._scheduled):
            if handle._context is not None and handle._context.get(_here) is self:
                handle.cancel()


class SimulatedWorld:
    """`ports.World` on one machine. `offset_ms` may be set at any time: the wall clock steps."""

    def __init__(self, machine: Machine) -> None:
        seed = machine.network.seed
        self.random = random.Random(f"{seed}:{machine.name}")
        self.offset_ms = 0
        self._tokens = random.Random(f"{seed}:{machine.name}:tokens")
        self._machine = machine

    def now_ms(self) -> int:
        """The machine's wall clock."""
        return BEGIN_MS + self.offset_ms + round((self.monotonic() - _BEGIN_SECONDS) * 1000)

    def monotonic(self) -> float:
        """Virtual seconds."""
        return self._machine.network.loop.time()

    def token(self, size: int) -> bytes:
        """Bytes from the seed."""
        return self._tokens.randbytes(size)

    async def sleep(self, seconds: float) -> None:
        """Virtual time passes."""
        await asyncio.sleep(seconds)

    async def dial(
        self,
        factory: Callable[[], asyncio.Protocol],
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
    ) -> asyncio.Transport:
        """Connect in memory. Raises OSError."""
        assert tls is None, "there is no TLS here"
        network, here = self._machine.network, self._machine.address
        there = (await self.resolve(host, port))[0]
        for _ in range(_DIAL_TRIES):
            await asyncio.sleep(network.delay())
            if not network.blocked(here, there):
                break
            await asyncio.sleep(_BLOCKED_AGAIN_SECONDS)
        else:
            raise TimeoutError("connection timed out")
        listening = network.listeners.get((there, port))
        if listening is None:
            raise ConnectionRefusedError("connection refused")
        local = here, network.free_port()
        ours = End(self._machine, contextvars.copy_context(), local, (there, port))
        theirs = End(listening.machine, listening.context.copy(), (there, port), local)
        ours.peer, theirs.peer = theirs, ours
        theirs.open(listening.factory)
        ours.open(factory)
        up = network.loop.create_future()
        network.loop.call_soon(_settle, up)
        try:
            await up
        except asyncio.CancelledError:
            ours.close()
            raise
        return ours

    async def listen(self, factory: Callable[[], asyncio.Protocol], host: str, port: int) -> _Listening:
        """Listen in memory, on the machine's only address."""
        network = self._machine.network
        port = port or network.free_port()
        key = (self._machine.address, port)
        if key in network.listeners:
            raise OSError(f"{key} is in use")
        listening = network.listeners[key] = _Listening(self._machine, factory, port)
        return listening

    async def open_datagram(
        self, factory: Callable[[], asyncio.DatagramProtocol], host: str, port: int, *, towards: str | None = None
    ) -> "Datagrams":
        """A datagram socket on the machine's only address. Raises OSError."""
        network = self._machine.network
        key = (self._machine.address, port or network.free_port())
        if key in network.sockets:
            raise OSError(f"{key} is in use")
        socket = network.sockets[key] = Datagrams(self._machine, key)
        socket.open(factory)
        return socket

    async def resolve(self, host: str, port: int) -> list[str]:
        """The network's names. Raises OSError."""
        found = self._machine.network.names.get(host)
        if found is None:
            if not host[:1].isdigit():
                raise OSError("no such name")
            return [host]
        return found


def _settle(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


class Datagrams(asyncio.DatagramTransport):
    """A datagram socket in memory: each datagram has its own delay, may overtake others, or never arrives."""

    def __init__(self, machine: Machine, key: tuple[str, int]) -> None:
        super().__init__({"sockname": key})
        self.machine = machine
        self._key = key
        self._network = machine.network
        self._context = contextvars.copy_context()
        self._protocol: asyncio.DatagramProtocol
        self._closed = False

    def open(self, factory: Callable[[], asyncio.DatagramProtocol]) -> None:
        """The socket is there at once."""
        self._protocol = factory()
        self._protocol.connection_made(self)

    def sendto(self, data: Any, addr: Any = None) -> None:  # noqa: ANN401 - as the library has it
        """Send; what nobody listens for is lost silently."""
        network = self._network
        lost = network.datagram_loss and network.random.random() < network.datagram_loss
        if not self._closed and not lost and not network.blocked(self._key[0], addr[0]):
            network.loop.call_later(network.delay(), network.arrive, bytes(data), self._key, (addr[0], addr[1]))

    def take(self, data: bytes, source: tuple[str, int]) -> None:
        """A datagram arrives."""
        self._context.copy().run(self._protocol.datagram_received, data, source)

    def vanish(self) -> None:
        """The process is dead."""
        self._closed = True
        self._network.sockets.pop(self._key, None)

    def close(self) -> None:
        """Close."""
        if not self._closed:
            self.vanish()
            self._network.loop.call_soon(self._protocol.connection_lost, None, context=self._context.copy())

    def abort(self) -> None:
        """Close."""
        self.close()

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return self._closed


_EOF: Final = b"<eof>"
_RESET: Final = b"<reset>"
"""What travels besides data; told apart by identity."""


class End(asyncio.Transport):
    """One end of a connection in memory. Its order is that of one queue, whatever the order of timers."""

    peer: "End"

    def __init__(
        self, machine: Machine, context: contextvars.Context, sockname: tuple[str, int], peername: tuple[str, int]
    ) -> None:
        super().__init__({"sockname": sockname, "peername": peername})
        self.machine = machine
        self.address = machine.address
        self.sent = 0
        """Bytes written so far."""
        self._network = machine.network
        self._loop = machine.network.loop
        self._context = context
        self._protocol: asyncio.Protocol
        self._incoming: deque[bytes] = deque()
        self._arriving_at = 0.0
        self._under_way = 0
        self._full = False
        self._reading = True
        self._held = 0
        self._closing = False
        self._gone = False
        self._eof_sent = False

    # What the network does with it

    def open(self, factory: Callable[[], asyncio.Protocol]) -> None:
        """The connection is up."""
        self._network.ends[self] = None
        self._loop.call_soon(self._made, factory, context=self._context)

    def _made(self, factory: Callable[[], asyncio.Protocol]) -> None:
        self._protocol = factory()
        if not self._gone:
            self._protocol.connection_made(self)

    def _send(self, item: bytes, after: float) -> None:
        """Put something on its way to the peer, behind everything before it."""
        peer = self.peer
        peer._incoming.append(item)
        peer._arriving_at = max(peer._arriving_at, self._loop.time() + after)
        self._loop.call_at(peer._arriving_at, peer._arrive, context=peer._context)

    def _arrive(self) -> None:
        if self._gone or not self._incoming:
            return
        if self._network.blocked(self.address, self.peer.address):
            self._loop.call_later(_BLOCKED_AGAIN_SECONDS, self._arrive, context=self._context)
            return
        if not self._reading:
            self._held += 1
            return
        item = self._incoming.popleft()
        if item is _RESET:
            self._lost(ConnectionResetError("connection reset"))
        elif item is _EOF:
            if not self._protocol.eof_received():
                self.close()
        else:
            self.peer._delivered(len(item))
            if not self._closing:
                self._protocol.data_received(item)

    def _delivered(self, size: int) -> None:
        self._under_way -= size
        if self._full and self._under_way < _LOW_WATER and not self._gone:
            self._full = False
            self._loop.call_soon(self._caught_up, context=self._context)

    def _caught_up(self) -> None:
        if self._closing:
            self._lost(None)
        else:
            self._protocol.resume_writing()

    def lose_rest(self, chance: random.Random) -> None:
        """A part of what is under way to us never arrives, cut at any byte."""
        flat = b"".join(item for item in self._incoming if item is not _EOF and item is not _RESET)
        kept = flat[: chance.randrange(len(flat) + 1)]
        self._incoming.clear()
        if kept:
            self._incoming.append(kept)

    def reset_after(self, seconds: float) -> None:
        """We learn, so much later, that the connection is gone; what is under way arrives first."""
        if not self._gone:
            self._incoming.append(_RESET)
            at = max(self._arriving_at, self._loop.time() + seconds)
            for _ in self._incoming:
                self._loop.call_at(at, self._arrive, context=self._context)

    def vanish(self) -> None:
        """Our process is dead: the peer gets what was written, then a reset."""
        if not self._gone:
            self._gone = True
            self._network.ends.pop(self, None)
            if not self.peer._gone:
                self._send(_RESET, self._network.delay())

    def _lost(self, error: Exception | None) -> None:
        if not self._gone:
            self._gone = self._closing = True
            self._network.ends.pop(self, None)
            self._protocol.connection_lost(error)

    # asyncio.Transport

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send."""
        if self._closing or self._eof_sent or not data:
            return
        if self.peer._gone:
            self.reset_after(self._network.delay())
            return
        self.sent += len(data)
        for piece in self._network.pieces(bytes(data)):
            self._under_way += len(piece)
            self._send(piece, self._network.delay())
        if self._under_way > _HIGH_WATER and not self._full:
            self._full = True
            self._protocol.pause_writing()

    def can_write_eof(self) -> bool:
        """Always."""
        return True

    def write_eof(self) -> None:
        """Send no more."""
        if not (self._eof_sent or self._closing):
            self._eof_sent = True
            self._send(_EOF, self._network.delay())

    def is_closing(self) -> bool:
        """Whether it is closed or closes."""
        return self._closing

    def close(self) -> None:
        """Close once the peer has taken what was written, as far as its buffers do not hold it."""
        if self._closing:
            return
        self.write_eof()
        self._closing = True
        if not self._full:
            self._loop.call_soon(self._lost, None, context=self._context)

    def abort(self) -> None:
        """Drop the connection."""
        if self._gone:
            return
        self._closing = True
        if not self.peer._gone:
            self._send(_RESET, self._network.delay())
        self._loop.call_soon(self._lost, None, context=self._context)

    def pause_reading(self) -> None:
        """Hold what arrives."""
        self._reading = False

    def resume_reading(self) -> None:
        """Hand over what was held."""
        self._reading = True
        held, self._held = self._held, 0
        for _ in range(held):
            self._loop.call_soon(self._arrive, context=self._context)

    def get_write_buffer_size(self) -> int:
        """Bytes that the peer has not got."""
        return self._under_way
