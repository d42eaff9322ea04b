"""The far end of the bench's calls, as a process of its own: answers every call and measures what it hears.

`python -m bench.callee` prints its port, serves until standard input closes, and prints its figures as one JSON line.
It is as cheap as it can be: one socket for SIP, a few for the sound of all calls, which it tells apart by where it
comes from, and one ticker for the sound that goes back.
"""

import asyncio
import json
import sys
import time
from array import array
from struct import Struct
from typing import Any, cast

import uvloop

from bench.tally import quantile
from bocau.simulator.phone_call import reply_to
from bocau.wire.rtp.g711 import ALAW_SILENCE
from bocau.wire.sip.message import BadMessage, Message, Request, decode, encode, first
from bocau.wire.sip.reply import Source
from bocau.wire.sip.sdp import BadSdp, Codec, LocalMedia, make_answer

__all__ = ["Callee"]

_FRAME_SECONDS = 0.02
_RING_SECONDS = 0.3
_SOCKETS = 16
"""For the sound of all calls: so many that the burst of one tick fits into their buffers."""
_HEADER = Struct(">BBHII")
_SILENCE = ALAW_SILENCE * 160
_Address = tuple[str, int]


class _Leg:
    """One call and what was heard of it."""

    __slots__ = (
        "answered_at",
        "ended_at",
        "expected",
        "gaps",
        "heard",
        "last_at",
        "sequence",
        "silent",
        "sound",
        "target",
    )

    def __init__(self, target: _Address, sound: asyncio.DatagramTransport) -> None:
        self.target = target
        self.sound = sound
        self.answered_at = time.monotonic()
        self.ended_at = 0.0
        self.last_at = 0.0
        self.gaps: list[float] = []
        self.expected = -1
        self.heard = 0
        self.silent = 0
        """Sequence numbers that did not come."""
        self.sequence = 0

    def hear(self, data: bytes, now: float) -> None:
        """A packet of the caller."""
        sequence = data[2] << 8 | data[3]
        if self.expected >= 0:
            self.gaps.append(now - self.last_at)
            self.silent += (sequence - self.expected) & 0xFFFF
        self.expected = (sequence + 1) & 0xFFFF
        self.last_at = now
        self.heard += 1


class Callee:
    """Answers on one port."""

    def __init__(self) -> None:
        self.legs: dict[str, _Leg] = {}
        self.most = 0
        """Calls at once."""
        self._by_source: dict[_Address, _Leg] = {}
        self._sip: asyncio.DatagramTransport
        self._rtp: list[asyncio.DatagramTransport] = []
        self._due = 0.0
        self._ticked = 0.0
        self._tick_gaps = array("d")
        """Between ticks of our own while there are calls: how even the machine lets anybody be."""

    async def start(self) -> int:
        """Listen; returns the port."""
        loop = asyncio.get_running_loop()
        here = ("127.0.0.1", 0)
        self._sip, _ = await loop.create_datagram_endpoint(lambda: _End(self.on_sip), local_addr=here)
        for _ in range(_SOCKETS):
            sound, _ = await loop.create_datagram_endpoint(lambda: _End(self.on_sound), local_addr=here)
            self._rtp.append(sound)
        self._due = time.monotonic()
        self._tick()
        return int(self._sip.get_extra_info("sockname")[1])

    def on_sip(self, data: bytes, source: _Address) -> None:
        """A SIP message."""
        try:
            message = decode(data)
            if isinstance(message, Request):
                self._serve(message, source)
        except (BadMessage, BadSdp):
            return

    def _serve(self, request: Request, source: _Address) -> None:
        call_id = first(request, "Call-ID")
        if request.method == "INVITE" and call_id not in self.legs:
            self._answer(request, source, 180)
            asyncio.get_running_loop().call_later(_RING_SECONDS, self._pick_up, request, source, call_id)
        elif request.method == "BYE":
            self._answer(request, source, 200)
            leg = self.legs.get(call_id)
            if leg is not None and not leg.ended_at:
                leg.ended_at = time.monotonic()
                self._by_source.pop(leg.target, None)

    def _pick_up(self, request: Request, source: _Address, call_id: str) -> None:
        sound = self._rtp[len(self.legs) % _SOCKETS]
        port = int(sound.get_extra_info("sockname")[1])
        remote, sdp = make_answer(LocalMedia("127.0.0.1", port, port, 1, (Codec.PCMA,)), request.body, 1)
        leg = self.legs[call_id] = _Leg((remote.host, remote.port), sound)
        self._by_source[leg.target] = leg
        self.most = max(self.most, len(self._by_source))
        extra = (("Contact", f"<sip:callee@127.0.0.1:{self._port}>"), ("Content-Type", "application/sdp"))
        self._send(reply_to(request, Source(*source), 200, "callee", extra, sdp), source)

    @property
    def _port(self) -> int:
        return int(self._sip.get_extra_info("sockname")[1])

    def _answer(self, request: Request, source: _Address, status: int) -> None:
        self._send(reply_to(request, Source(*source), status, "callee"), source)

    def _send(self, message: Message, source: _Address) -> None:
        self._sip.sendto(encode(message), source)

    def on_sound(self, data: bytes, source: _Address) -> None:
        """A packet of RTP or RTCP."""
        leg = self._by_source.get(source)
        if leg is not None and len(data) >= 12 and data[1] & 0x7F == Codec.PCMA.value:
            leg.hear(data, time.monotonic())

    def _tick(self) -> None:
        now = time.monotonic()
        if self._by_source and self._ticked:
            self._tick_gaps.append(now - self._ticked)
        self._ticked = now
        for number, leg in enumerate(self._by_source.values()):
            leg.sequence += 1
            head = _HEADER.pack(0x80, 8, leg.sequence & 0xFFFF, leg.sequence * 160 & 0xFFFFFFFF, number)
            leg.sound.sendto(head + _SILENCE, leg.target)
        self._due += _FRAME_SECONDS
        wait = max(0.0, self._due - time.monotonic())
        asyncio.get_running_loop().call_later(wait, self._tick)

    def figures(self) -> dict[str, Any]:
        """What was heard."""
        ended = [leg for leg in self.legs.values() if leg.ended_at]
        gaps = array("d", (gap for leg in ended for gap in leg.gaps))
        return {
            "calls": len(self.legs),
            "hung_up": len(ended),
            "at_once": self.most,
            "call_seconds": round(sum(leg.ended_at - leg.answered_at for leg in ended), 1),
            "packets": sum(leg.heard for leg in ended),
            "lost": sum(leg.silent for leg in ended),
            "shortest_packets": min((leg.heard for leg in ended), default=0),
            "own_tick_p99_ms": quantile(self._tick_gaps, 0.99),
            "gap_ms": {
                name: quantile(gaps, share)
                for name, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0))
            },
        }


class _End(asyncio.DatagramProtocol):
    def __init__(self, take: Any) -> None:  # noqa: ANN401 - a method of Callee
        self._take = take

    def datagram_received(self, data: bytes, addr: tuple[object, ...]) -> None:
        self._take(data, cast("_Address", addr))


async def _serve() -> None:
    callee = Callee()
    print(await callee.start(), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print(json.dumps(callee.figures()), flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())
