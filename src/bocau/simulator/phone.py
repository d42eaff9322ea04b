"""A called phone: SIP over UDP and TCP, sound by RTP. It acts by the number called and keeps what it hears.

For tests and for `bocau dev`: the other end of the call engine, as the SMSC is of the SMS links.
"""

import asyncio
import io
import wave
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, cast

from bocau.ports import Listening, World
from bocau.simulator.phone_call import PhoneCall, PhoneEnd, authorised, challenge_header, reply_to
from bocau.simulator.phone_rules import PHONES, PhoneRow, phone_row
from bocau.wire.rtp import packet
from bocau.wire.rtp.g711 import ALAW_SILENCE, SAMPLES_PER_SECOND, ULAW_SILENCE, alaw_decode, ulaw_decode
from bocau.wire.rtp.keys import KeyEvent
from bocau.wire.rtp.keys import encode as encode_key
from bocau.wire.rtp.packet import BadPacket
from bocau.wire.sip.digest import Credentials
from bocau.wire.sip.message import BadMessage, FieldError, Message, Request, cseq_of, decode, encode, first
from bocau.wire.sip.reply import Source
from bocau.wire.sip.sdp import BadSdp, Codec, LocalMedia
from bocau.wire.sip.stream import PONG, BrokenStream, KeepAlive, StreamFramer
from bocau.wire.sip.uri import parse_uri

__all__ = ["Phone", "PhoneSettings", "Recording", "samples_of", "wav_of"]

_FRAME: Final = SAMPLES_PER_SECOND // 50
_FRAME_SECONDS: Final = 0.02
_KEY_PACKETS: Final = 5
_NOISE: Final = (b"", b"\0" * 5, b"\x80" + b"\xff" * 300, b"\xbf\x08" + b"\1" * 20, b"OPTIONS sip:x SIP/2.0\r\n\r\n")
_SILENCE: Final = {Codec.PCMA: ALAW_SILENCE * _FRAME, Codec.PCMU: ULAW_SILENCE * _FRAME}
_KEPT: Final = 200
_PORT_TRIES: Final = 10


class PhoneSettings(NamedTuple):
    """How a phone is set up."""

    host: str = "127.0.0.1"
    port: int = 0
    """UDP and TCP; 0 picks a free one."""
    user: str = "bocau"
    password: str = "bocau"  # noqa: S105 - of a simulated phone
    registrations_challenged: bool = True
    table: Mapping[str, PhoneRow] = PHONES


class Recording:
    """What one call was like, seen from the phone."""

    def __init__(self, number: str, payload_type: int = 8, call_id: str = "") -> None:
        self.number = number
        self.call_id = call_id
        """Call-ID of the INVITE."""
        self.payload_type = payload_type
        """Of the sound heard: 8 A-law, 0 mu-law."""
        self.frames: list[bytes] = []
        """The sound in the order it was sent, one frame a packet; repeats left out."""
        self.early_frames = 0
        """How many of them came before the answer."""
        self.acted: list[str] = []
        """Statuses that the phone sent and methods that came to it, in order."""
        self.over = asyncio.Event()
        """Set when the call has ended."""

    @property
    def octets(self) -> bytes:
        """All sound, still encoded."""
        return b"".join(self.frames)


def samples_of(octets: bytes, payload_type: int) -> bytes:
    """Sound that was heard as linear 16-bit little-endian samples."""
    return ulaw_decode(octets) if payload_type == Codec.PCMU.value else alaw_decode(octets)


def wav_of(recording: Recording) -> bytes:
    """What was heard as a WAV file, 8 kHz, 16 bit, mono."""
    with io.BytesIO() as whole:
        with wave.open(whole, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLES_PER_SECOND)
            file.writeframes(samples_of(recording.octets, recording.payload_type))
        return whole.getvalue()


class _Live:
    """A call, its sound and its recording."""

    def __init__(self, call: PhoneCall, recording: Recording, send: Callable[[bytes], None]) -> None:
        self.call = call
        self.recording = recording
        self.send = send
        self.rtp: list[asyncio.DatagramTransport] = []
        self.timer: asyncio.TimerHandle | None = None
        self.ticker: asyncio.TimerHandle | None = None
        self.sequence = 1
        self.timestamp = 0
        self.key_packets: list[tuple[int, bytes]] = []
        self.highest: int | None = None
        self.noisy = call.row.noise


class Phone:
    """Takes calls on one address until it is stopped. `recordings` holds the calls, oldest first."""

    def __init__(
        self,
        world: World,
        settings: PhoneSettings | None = None,
        on_over: Callable[[Recording], None] = lambda _: None,
    ) -> None:
        """`on_over` is told of every call that has ended."""
        self._on_over = on_over
        self.settings = settings or PhoneSettings()
        self.port = 0
        """The port really bound, UDP and TCP."""
        self.recordings: list[Recording] = []
        self.registered: list[str] = []
        """Contacts of the registrations that came, with their Expires; newest last."""
        self._world = world
        self._calls: dict[str, _Live] = {}
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: Listening | None = None
        self.connections: set[asyncio.Transport] = set()
        self._nonce = world.token(8).hex()

    async def start(self) -> None:
        """Listen. Raises OSError."""
        for tries_left in reversed(range(_PORT_TRIES)):
            try:
                await self._listen()
            except OSError:
                # A free UDP port is not always a free TCP port.
                if self.settings.port or not tries_left:
                    raise
            else:
                return

    async def _listen(self) -> None:
        settings = self.settings
        udp = await self._world.open_datagram(lambda: _Datagrams(self), settings.host, settings.port)
        port = int(udp.get_extra_info("sockname")[1])
        try:
            self._tcp = await self._world.listen(lambda: _Connection(self), settings.host, port)
        except BaseException:
            udp.close()
            raise
        self._udp, self.port = udp, port

    async def stop(self) -> None:
        """Hang up without a word, as a phone does whose plug is pulled."""
        for live in list(self._calls.values()):
            self._drop(live)
        self._calls.clear()
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            await self._tcp.close()
        for transport in list(self.connections):
            transport.abort()

    def _drop(self, live: _Live) -> None:
        for timer in (live.timer, live.ticker):
            if timer is not None:
                timer.cancel()
        for transport in live.rtp:
            transport.close()
        live.recording.acted = live.call.acted
        live.recording.over.set()

    def recording(self, call_id: str) -> Recording | None:
        """The newest recording of a Call-ID."""
        return next((one for one in reversed(self.recordings) if one.call_id == call_id), None)

    # Signalling

    def on_message(self, message: Message, source: Source, send: Callable[[bytes], None], reliable: bool) -> None:
        """A message came; `send` goes back the way it came."""
        try:
            live = self._calls.get(first(message, "Call-ID"))
            if live is not None and not self._anew(live, message):
                live.call.receive(message, self._world.monotonic())
                self._go_on(live)
            elif isinstance(message, Request):
                self._on_request(message, source, send, reliable)
        except (BadMessage, BadSdp, FieldError):
            # A phone says nothing to what it cannot read.
            return

    def _anew(self, live: _Live, message: Message) -> bool:
        """An INVITE with credentials, after the challenge of one without."""
        again = isinstance(message, Request) and message.method == "INVITE" and live.call.over
        return again and cseq_of(message).number > 1 and not live.call.acknowledged

    def _on_request(self, request: Request, source: Source, send: Callable[[bytes], None], reliable: bool) -> None:
        if request.method == "INVITE":
            task = asyncio.ensure_future(self._take(request, source, send, reliable))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        elif request.method == "REGISTER":
            send(encode(self._register(request, source)))
        elif request.method != "ACK":
            status = 200 if request.method == "OPTIONS" else 481
            send(encode(reply_to(request, source, status, self._nonce)))

    def _register(self, request: Request, source: Source) -> Message:
        user = Credentials(self.settings.user, self.settings.password)
        if self.settings.registrations_challenged and not authorised(request, 401, user, self._nonce):
            return reply_to(request, source, 401, self._nonce, (challenge_header(401, self._nonce),))
        contact, expires = first(request, "Contact"), first(request, "Expires")
        self.registered.append(f"{contact};expires={expires}")
        return reply_to(request, source, 200, self._nonce, (("Contact", f"{contact};expires={expires}"),))

    async def _take(self, invite: Request, source: Source, send: Callable[[bytes], None], reliable: bool) -> None:
        """A new call: its sound needs two ports first, one to move to."""
        settings, ends = self.settings, (_Sound(self), _Sound(self))
        opened = [await self._world.open_datagram(lambda: ends[0], settings.host, 0)]
        try:
            opened.append(await self._world.open_datagram(lambda: ends[1], settings.host, 0))
            ports = [int(transport.get_extra_info("sockname")[1]) for transport in opened]
            number = parse_uri(invite.uri).user
            row, end = phone_row(number, settings.table), self._end(ports, reliable)
            call = PhoneCall(invite, source, row, end, self._world.monotonic())
        except BaseException:
            for transport in opened:
                transport.close()
            raise
        live = _Live(call, Recording(number, call_id=first(invite, "Call-ID")), send)
        live.rtp = opened
        for one in ends:
            one.live = live
        before = self._calls.get(first(invite, "Call-ID"))
        if before is not None:
            self._drop(before)
        self._calls[first(invite, "Call-ID")] = live
        self.recordings = [*self.recordings[-_KEPT:], live.recording]
        self._go_on(live)

    def _end(self, ports: list[int], reliable: bool) -> PhoneEnd:
        """What a call is told of us."""
        settings = self.settings
        media = LocalMedia(settings.host, ports[0], ports[0] + 1, 1)
        user = Credentials(settings.user, settings.password)
        return PhoneEnd(settings.host, self.port, media, ports[1], user, self._nonce, reliable)

    def _go_on(self, live: _Live) -> None:
        """Act on what is due, send what is queued, and see to the sound and the next time to look."""
        call = live.call
        call.tick(self._world.monotonic())
        for data in call.data_to_send():
            live.send(data)
        if call.sound is not None and live.ticker is None:
            self._tick(live)
        for key in call.keys:
            self._press(live, key)
        call.keys = ""
        if call.over and not live.recording.over.is_set():
            live.recording.acted = call.acted
            live.recording.over.set()
            self._on_over(live.recording)
        if live.timer is not None:
            live.timer.cancel()
        if call.idle:
            self._drop(live)
            self._calls = {call_id: one for call_id, one in self._calls.items() if one is not live}
            return
        due = call.next_deadline()
        if due < float("inf"):
            wait = max(0.0, due - self._world.monotonic())
            live.timer = asyncio.get_running_loop().call_later(wait, self._go_on, live)

    # Sound

    def _tick(self, live: _Live) -> None:
        sound = live.call.sound
        if sound is None:
            live.ticker = None
            return
        live.ticker = asyncio.get_running_loop().call_later(_FRAME_SECONDS, self._tick, live)
        moved = live.call.media_port != int(live.rtp[0].get_extra_info("sockname")[1])
        transport = live.rtp[1 if moved else 0]
        target = (sound.remote.host, sound.remote.port)
        if live.noisy:
            for junk in _NOISE:
                transport.sendto(junk, target)
        if live.call.row.speaks:
            kind, payload, stamp = sound.remote.payload_type, _SILENCE[sound.remote.codec], live.timestamp
            if live.key_packets:
                stamp, payload = live.key_packets.pop(0)
                kind = sound.remote.event_type or 101
            transport.sendto(packet.header(kind, live.sequence, stamp, 0xB0CA) + payload, target)
            live.sequence += 1
        live.timestamp += _FRAME

    def _press(self, live: _Live, key: str) -> None:
        """A key: all its packets carry the timestamp of its beginning, the last one is sent three times (RFC 4733)."""
        for count in range(1, _KEY_PACKETS + 1):
            live.key_packets.append((live.timestamp, encode_key(KeyEvent(key, False, 10, _FRAME * count))))
        end = encode_key(KeyEvent(key, True, 10, _FRAME * (_KEY_PACKETS + 1)))
        live.key_packets += [(live.timestamp, end)] * 3

    def on_sound(self, live: _Live, data: bytes) -> None:
        """A packet came to the phone."""
        try:
            got = packet.decode(data)
        except BadPacket:
            return
        recording = live.recording
        if live.highest is not None and not 0 < (got.sequence - live.highest) & 0xFFFF < 0x8000:
            return
        live.highest = got.sequence
        recording.payload_type = got.payload_type
        recording.frames.append(got.payload)
        sound = live.call.sound
        if not live.call.over and (sound is None or sound.early):
            recording.early_frames += 1


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[object, ...]) -> None:
        source = Source(str(addr[0]), cast("int", addr[1]))
        try:
            message = decode(data)
        except BadMessage:
            return
        self._phone.on_message(message, source, lambda answer: self._transport.sendto(answer, source), reliable=False)


class _Connection(asyncio.Protocol):
    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._framer = StreamFramer()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._phone.connections.add(self._transport)

    def data_received(self, data: bytes) -> None:
        name = self._transport.get_extra_info("peername")
        source = Source(str(name[0]), int(name[1]))
        try:
            for found in self._framer.feed(data):
                if found is KeepAlive.PING:
                    self._transport.write(PONG)
                elif not isinstance(found, KeepAlive):
                    self._phone.on_message(found, source, self._transport.write, reliable=True)
        except BrokenStream:
            self._transport.abort()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._phone.connections.discard(self._transport)


class _Sound(asyncio.DatagramProtocol):
    def __init__(self, phone: Phone) -> None:
        self.live: _Live | None = None
        self._phone = phone

    def datagram_received(self, data: bytes, _addr: tuple[object, ...]) -> None:
        if self.live is not None:
            self._phone.on_sound(self.live, data)
