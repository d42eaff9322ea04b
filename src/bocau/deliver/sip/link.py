"""One trunk's signalling: a UDP socket or a TCP or TLS connection that brings itself up, and who hears what comes."""

import asyncio
import ipaddress
import ssl
from collections.abc import Callable
from enum import Enum
from typing import Final, Protocol, cast

from bocau.core.retry import backoff_seconds
from bocau.deliver.sip.names import Target, targets
from bocau.deliver.sip.trunk import Trunk, inside
from bocau.ports import ServiceNames, World
from bocau.telemetry import Log, LogEvent
from bocau.wire.sip.dialog import Hop
from bocau.wire.sip.message import BadMessage, FieldError, Message, Request, decode, every, first
from bocau.wire.sip.reply import Source, answer_stray, reply_port
from bocau.wire.sip.stream import PING, PONG, BrokenStream, KeepAlive, StreamFramer
from bocau.wire.sip.uri import parse_via

__all__ = ["LinkState", "Receiver", "TrunkLink"]

_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 60.0
_SILENT_SECONDS: Final = 4.0


class LinkState(Enum):
    """Whether a trunk can be used."""

    CONNECTING = "connecting"
    """Not known yet."""
    UP = "up"
    DOWN = "down"
    """The last try failed; it is tried again."""


class Receiver(Protocol):
    """Who hears the messages of one Call-ID."""

    def on_message(self, message: Message, source: Source, /) -> None:
        """A message came."""
        ...

    def on_lost(self, why: str, /) -> None:
        """The connection is gone; over UDP this never happens."""
        ...


class TrunkLink:
    """Keeps one trunk reachable. Messages from anywhere but the trunk's own addresses and networks are dropped."""

    def __init__(
        self, world: World, names: ServiceNames | None, trunk: Trunk, log: Log, changed: Callable[[], None]
    ) -> None:
        """`changed` is called whenever `state` or the address we are seen at may be another."""
        self.trunk = trunk
        self.state = LinkState.CONNECTING
        self.why = "not connected yet"
        """Why it is not up; empty while it is."""
        self.strangers = 0
        """Messages from addresses that are not the trunk's; dropped unread."""
        self.unreadable = 0
        self.strays = 0
        """Messages of no call of ours."""
        self.seen_at: tuple[str, int] | None = None
        """Address and port that the trunk says our messages come from."""
        self._world = world
        self._names = names
        self._log = log
        self._changed = changed
        self._networks = tuple(ipaddress.ip_network(network) for network in trunk.networks)
        self._receivers: dict[str, Receiver] = {}
        self._targets: list[Target] = []
        self._at = 0
        self._tag = world.token(8).hex()
        self._datagram: asyncio.DatagramTransport | None = None
        self._stream: _StreamEnd | None = None
        self._ended = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._pinger: asyncio.TimerHandle | None = None
        self._stopping = False
        self._failures = 0
        self._heard_at = 0.0

    # What the engine asks for

    def start(self) -> None:
        """Begin to connect. Raises OSError or ssl.SSLError for a certificate file that cannot be read."""
        tls = None
        if self.trunk.transport == "tls":
            tls = ssl.create_default_context(cafile=self.trunk.tls_ca_file or None)
        self._task = asyncio.create_task(self._run(tls))

    async def stop(self) -> None:
        """Close everything."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._pinger is not None:
            self._pinger.cancel()
        if self._datagram is not None:
            self._datagram.close()
        if self._stream is not None:
            self._stream.close()
        self.state = LinkState.DOWN

    @property
    def sent_by(self) -> tuple[str, int]:
        """Our own address and port on this trunk; only while it is up."""
        transport = self._datagram if self._stream is None else self._stream.transport
        if transport is None:
            return (self.trunk.local_host or "0.0.0.0", 5060)  # noqa: S104 - shown, not bound
        name = transport.get_extra_info("sockname")
        return str(name[0]), int(name[1])

    @property
    def contact_at(self) -> tuple[str, int]:
        """The address that the trunk reaches us at."""
        host, port = self.sent_by
        if self.trunk.learn_public and self.seen_at is not None:
            host, port = self.seen_at
        return self.trunk.public_host or host, port

    def owns(self, host: str) -> bool:
        """Whether an address is the trunk's: one of its own, or in its networks."""
        return any(host == target.host for target in self._targets) or inside(host, self._networks)

    def add(self, call_id: str, receiver: Receiver) -> None:
        """Messages of this Call-ID are for this receiver."""
        self._receivers[call_id] = receiver

    def remove(self, call_id: str) -> None:
        """Nobody waits for them any more."""
        self._receivers.pop(call_id, None)

    def send(self, data: bytes, hop: Hop | None) -> None:
        """Send one message: to the hop if that is an address of the trunk's, else to the trunk. Lost if it is down."""
        if self._stream is not None:
            self._stream.write(data)
        elif self._datagram is not None and self._targets:
            target = self._targets[self._at]
            if hop is not None and self.owns(hop.host):
                target = Target(hop.host, hop.port)
            self._datagram.sendto(data, target)

    def move_on(self) -> None:
        """The trunk was silent for a whole call: over UDP its next address is taken, and after the last one its name is
        asked again; a connection on which nothing came for as long is given up."""
        if self._stream is not None and self._world.monotonic() - self._heard_at > _SILENT_SECONDS:
            self._stream.abort()
        if self._datagram is None or not self._targets:
            return
        self._at = (self._at + 1) % len(self._targets)
        if self._at == 0:
            self._ended.set()

    # The link's life

    async def _run(self, tls: ssl.SSLContext | None) -> None:
        while not self._stopping:
            try:
                found = await targets(self._world, self._names, self.trunk)
                if self.trunk.transport == "udp":
                    await self._serve_datagrams(found)
                else:
                    await self._serve_streams(found, tls)
            except OSError as error:
                self._down(f"cannot connect: {error}")
            except Exception as error:  # noqa: BLE001 - the rim: a link that cannot even fail must not end for ever
                self._down("our own fault")
                self._log.error(LogEvent.FAULT, exc_info=error)
            if self.state is not LinkState.UP:
                self._failures += 1
                chance = self._world.random.random()
                await self._world.sleep(backoff_seconds(self._failures, chance, _FIRST_WAIT, _LONGEST_WAIT))

    async def _serve_datagrams(self, found: list[Target]) -> None:
        """One socket for all addresses, until they must be looked up again."""
        if not found:
            raise OSError("the name has no address")
        self._targets, self._at = found, 0
        if self._datagram is None:
            trunk = self.trunk
            self._datagram = await self._world.open_datagram(
                lambda: _DatagramEnd(self), trunk.local_host, trunk.local_port, towards=found[0].host
            )
        self._ended.clear()
        self._up()
        await self._ended.wait()

    async def _serve_streams(self, found: list[Target], tls: ssl.SSLContext | None) -> None:
        """The first address that takes a connection, until that ends."""
        error: OSError = OSError("the name has no address")
        for target in found:
            end = _StreamEnd(self)
            try:
                await self._dial(target, end, tls)
            except TimeoutError:
                error = OSError("timed out")
            except OSError as failed:
                error = failed
            else:
                self._targets = found
                self._ended.clear()
                self._stream = end
                self._heard_at = self._world.monotonic()
                self._up()
                self._ping()
                await self._ended.wait()
                return
        raise error

    async def _dial(self, target: Target, end: "_StreamEnd", tls: ssl.SSLContext | None) -> None:
        name = self.trunk.host if tls is not None else None
        async with asyncio.timeout(self.trunk.connect_seconds):
            await self._world.dial(lambda: end, target.host, target.port, tls=tls, server_hostname=name)

    def _up(self) -> None:
        if self.state is not LinkState.UP:
            self._log.info(LogEvent.LINK_DIAL, carrier=self.trunk.name, host=self.trunk.host)
        self._failures = 0
        self.state, self.why = LinkState.UP, ""
        self._changed()

    def _down(self, why: str) -> None:
        if self.state is not LinkState.DOWN and not self._stopping:
            self._log.warning(LogEvent.LINK_LOSE, carrier=self.trunk.name, reason=why)
        self.state, self.why = LinkState.DOWN, why
        self._changed()

    def _ping(self) -> None:
        """Keeps the connection and the NATs on its way open."""
        if self._stream is not None and not self._stopping:
            self._stream.write(PING)
            self._pinger = asyncio.get_running_loop().call_later(self.trunk.keep_alive_seconds, self._ping)

    # What the transports tell

    def on_datagram(self, data: bytes, source: Source) -> None:
        """A datagram came."""
        if not self.owns(source.host):
            self.strangers += 1
            return
        if not data.strip(b"\r\n\0"):
            return
        try:
            message = decode(data)
        except BadMessage:
            self.unreadable += 1
            return
        self.on_message(message, source)

    def on_message(self, message: Message, source: Source) -> None:
        """A message came from the trunk."""
        self._heard_at = self._world.monotonic()
        if not isinstance(message, Request):
            self._learn(message)
        receiver = self._receivers.get(first(message, "Call-ID"))
        if receiver is not None:
            receiver.on_message(message, source)
            return
        self.strays += 1
        if isinstance(message, Request):
            self._answer_stray(message, source)

    def _answer_stray(self, request: Request, source: Source) -> None:
        try:
            answer = answer_stray(request, source, self._tag)
            if answer:
                self.send(answer, Hop(source.host, reply_port(request, source)))
        except (BadMessage, FieldError):
            self.unreadable += 1

    def _learn(self, answer: Message) -> None:
        """What the trunk says about where our messages come from (RFC 3581)."""
        if not self.trunk.learn_public:
            return
        try:
            via = parse_via(every(answer, "Via")[0])
        except BadMessage:
            return
        port = via.params.get("rport", "")
        if port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65_536:
            seen = via.params.get("received") or via.host, int(port)
            if seen != self.seen_at and inside(seen[0], _EVERYWHERE):
                self.seen_at = seen
                self._changed()

    def on_stream_lost(self, end: "_StreamEnd", why: str) -> None:
        """The connection is gone: all calls over it are."""
        if end is not self._stream:
            return
        self._stream = None
        if self._pinger is not None:
            self._pinger.cancel()
        self._down(why)
        for receiver in list(self._receivers.values()):
            receiver.on_lost(why)
        self._ended.set()


_EVERYWHERE: Final = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))


class _DatagramEnd(asyncio.DatagramProtocol):
    def __init__(self, link: TrunkLink) -> None:
        self._link = link

    def datagram_received(self, data: bytes, addr: tuple[object, ...]) -> None:
        self._link.on_datagram(data, Source(str(addr[0]), cast("int", addr[1])))

    def error_received(self, exc: Exception) -> None:
        """A trunk that is not there is told by its silence: an error of one packet may be anybody's."""


class _StreamEnd(asyncio.Protocol):
    def __init__(self, link: TrunkLink) -> None:
        self.transport: asyncio.Transport | None = None
        self._link = link
        self._framer = StreamFramer()
        self._source = Source("", 0)
        self._why = "closed by the trunk"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        name = transport.get_extra_info("peername")
        self._source = Source(str(name[0]), int(name[1]))

    def data_received(self, data: bytes) -> None:
        try:
            for found in self._framer.feed(data):
                if isinstance(found, KeepAlive):
                    if found is KeepAlive.PING:
                        self.write(PONG)
                else:
                    self._link.on_message(found, self._source)
        except BrokenStream as broken:
            self._why = f"broken stream: {broken}"
            self.close()
        self._link.unreadable += self._framer.bad
        self._framer.bad = 0

    def connection_lost(self, exc: Exception | None) -> None:
        self._link.on_stream_lost(self, str(exc) if exc is not None else self._why)

    def write(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()
