"""The sockets under the audio of a call, and the one ticker that paces all of them."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol, cast

from bocau.deliver.sip.order import MediaCounters, Utterance
from bocau.deliver.sip.stream import FRAME_SECONDS, Stream
from bocau.ports import World
from bocau.wire.rtp.srtp import Aes
from bocau.wire.sip.reply import Source
from bocau.wire.sip.sdp import RemoteMedia

__all__ = ["Media", "MediaOwner", "MediaPorts", "Ticker"]

_MOST_LATE: Final = 3
_REPORT_EVERY: Final = 250
_PORT_TRIES: Final = 50


class Ticker:
    """Calls every active call 50 times a second, all in one turn of the loop; rests while there is none.

    A turn that comes late is made up for, up to 60 ms; beyond that the pace begins anew, for a flood helps nobody.
    """

    def __init__(self, world: World) -> None:
        self.slipped = 0
        """How often the pace began anew because the loop was late."""
        self._world = world
        self._media: dict[Media, None] = {}
        self._due = 0.0
        self._timer: asyncio.Handle | None = None

    def add(self, media: "Media") -> None:
        """From now on this call is called."""
        self._media[media] = None
        if self._timer is None:
            self._due = self._world.monotonic()
            # Not at once: whoever answered the call first says what is to be said.
            self._timer = asyncio.get_running_loop().call_soon(self._tick)

    def remove(self, media: "Media") -> None:
        """Not any more."""
        self._media.pop(media, None)

    def _tick(self) -> None:
        self._timer = None
        now = self._world.monotonic()
        late = int((now - self._due) / FRAME_SECONDS)
        if late > _MOST_LATE:
            self.slipped += 1
            self._due = now
            late = 0
        self._due += FRAME_SECONDS * (late + 1)
        try:
            for _ in range(late + 1):
                for media in list(self._media):
                    media.tick()
        finally:
            # Whatever one call's owner does, the others go on speaking.
            if self._media and self._timer is None:
                wait = max(0.0, self._due - self._world.monotonic())
                self._timer = asyncio.get_running_loop().call_later(wait, self._tick)


class MediaOwner(Protocol):
    """Whom the audio reports to."""

    def on_said(self) -> None:
        """What was to be said is said."""
        ...

    def on_key(self, key: str) -> None:
        """The callee pressed a key."""
        ...


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes, Source], None]) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: tuple[object, ...]) -> None:
        self._take(data, Source(str(addr[0]), cast("int", addr[1])))

    def error_received(self, exc: Exception) -> None:
        """A port that nobody listens on: the call will be ended by signalling, or go on one way."""


class MediaPorts:
    """Pairs of UDP ports for RTP and RTCP, from an even port on; without a range, whatever is free."""

    def __init__(self, world: World, first: int = 0, last: int = 0) -> None:
        """Ports `first` to `last`, both included; 0 and 0 for any."""
        self._world = world
        self._first = first + first % 2
        self._pairs = (last - self._first + 1) // 2 if first else 0
        self._next = 0

    async def open(
        self, rtp: Callable[[], asyncio.DatagramProtocol], rtcp: Callable[[], asyncio.DatagramProtocol], host: str
    ) -> tuple[asyncio.DatagramTransport, asyncio.DatagramTransport]:
        """Two sockets on an address of ours. Raises OSError if no pair is free within 50 tries."""
        if not self._pairs:
            return await self._pair(rtp, rtcp, host, 0, 0)
        for _ in range(min(self._pairs, _PORT_TRIES)):
            port = self._first + 2 * self._next
            self._next = (self._next + 1) % self._pairs
            try:
                return await self._pair(rtp, rtcp, host, port, port + 1)
            except OSError:
                continue
        raise OSError("no free pair of audio ports")

    async def _pair(
        self,
        rtp: Callable[[], asyncio.DatagramProtocol],
        rtcp: Callable[[], asyncio.DatagramProtocol],
        host: str,
        *ports: int,
    ) -> tuple[asyncio.DatagramTransport, asyncio.DatagramTransport]:
        first = await self._world.open_datagram(rtp, host, ports[0])
        try:
            return first, await self._world.open_datagram(rtcp, host, ports[1])
        except BaseException:
            first.close()
            raise


class Media:
    """One call's audio on its two sockets."""

    def __init__(
        self, world: World, ticker: Ticker, owner: MediaOwner, aes: Aes | None = None, key: bytes = b""
    ) -> None:
        """With `aes` and our master `key` the sound is enciphered."""
        self._world = world
        self._ticker = ticker
        self._owner = owner
        self._stream = Stream(world.token(10), world.token(8).hex(), aes, key)
        self._rtp: asyncio.DatagramTransport | None = None
        self._rtcp: asyncio.DatagramTransport | None = None
        self._ticks = 0

    async def open(self, ports: MediaPorts, host: str) -> tuple[int, int]:
        """Open both sockets and return their ports. Raises OSError."""
        opened = await ports.open(lambda: _Socket(self._on_rtp), lambda: _Socket(self._on_rtcp), host)
        self._rtp, self._rtcp = opened
        rtp, rtcp = (transport.get_extra_info("sockname")[1] for transport in opened)
        return rtp, rtcp

    def connect(self, remote: RemoteMedia) -> None:
        """The call is answered, or its audio moved."""
        self._stream.connect(remote)
        if self._rtp is not None:
            self._ticker.add(self)

    def say(self, prompt: Utterance) -> None:
        """Say this now."""
        self._stream.say(prompt)

    def counters(self) -> MediaCounters:
        """What went over it so far."""
        return self._stream.counters()

    def close(self) -> None:
        """No more audio; the peer's RTCP is told. Twice does no harm."""
        self._ticker.remove(self)
        if self._rtp is None or self._rtcp is None:
            return
        self._send_report(bye=True)
        self._rtp.close()
        self._rtcp.close()
        self._rtp = self._rtcp = None

    def tick(self) -> None:
        """20 ms have passed."""
        stream = self._stream
        saying = stream.saying
        data = stream.next_packet()
        if data is not None and self._rtp is not None:
            self._rtp.sendto(data, stream.target)
        self._ticks += 1
        if self._ticks % _REPORT_EVERY == 0:
            self._send_report()
        if saying and not stream.saying:
            self._owner.on_said()

    def _send_report(self, bye: bool = False) -> None:
        target = self._stream.report_target
        if target is not None and self._rtcp is not None:
            self._rtcp.sendto(self._stream.report(self._world.now_ms(), bye), target)

    def _on_rtp(self, data: bytes, source: Source) -> None:
        key = self._stream.take(data, source, self._world.monotonic())
        if key:
            self._owner.on_key(key)

    def _on_rtcp(self, data: bytes, source: Source) -> None:
        self._stream.take_report(data, source)
