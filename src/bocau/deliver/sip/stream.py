"""The audio of one call as packets, without sockets and clocks: RTP both ways, keys, RTCP (RFC 3550, 3551, 4733).

A packet holds 20 ms. What is said is a slice of an encoded prompt; in between silence is sent, so that the way back
through a NAT stays open and nobody takes the call for dead.
"""

import ipaddress
from typing import Final

from bocau.deliver.sip.order import MediaCounters, Utterance
from bocau.wire.rtp import packet, rtcp
from bocau.wire.rtp.g711 import ALAW_SILENCE, SAMPLES_PER_SECOND, ULAW_SILENCE
from bocau.wire.rtp.keys import KeyReader
from bocau.wire.rtp.packet import BadPacket
from bocau.wire.rtp.reception import Reception
from bocau.wire.rtp.srtp import Aes, Opener, Sealer
from bocau.wire.sip.reply import Source
from bocau.wire.sip.sdp import Codec, RemoteMedia

__all__ = ["FRAME_SECONDS", "Stream"]

FRAME_SECONDS: Final = 0.02
"""Between two packets."""

_RATE: Final = SAMPLES_PER_SECOND
_FRAME: Final = SAMPLES_PER_SECOND // 50
_SILENCE: Final = {Codec.PCMA: ALAW_SILENCE, Codec.PCMU: ULAW_SILENCE}
_EPOCH_1900: Final = 2_208_988_800
_NOWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - the old way of putting a call on hold


class Stream:
    """Both directions of one call. Tell it the remote end first; until then it is silent and deaf."""

    __slots__ = (
        "_aes",
        "_at",
        "_cname",
        "_far_lost",
        "_keys",
        "_opener",
        "_port_learnt",
        "_prompt",
        "_reception",
        "_remote",
        "_said",
        "_sealer",
        "_sent",
        "_sequence",
        "_silence",
        "_speech",
        "_ssrc",
        "_strangers",
        "_timestamp",
        "_unreadable",
        "target",
    )

    def __init__(self, chance: bytes, cname: str, aes: Aes | None = None, key: bytes = b"") -> None:
        """`chance` holds 10 unguessable octets: SSRC, first sequence number, first timestamp (RFC 3550 5.1). With `aes`
        and our master `key` the sound is enciphered, once the peer's key is known."""
        self.target = Source("", 0)
        """Where packets go: the negotiated host, on the port it sends from once that is known."""
        self._ssrc = int.from_bytes(chance[:4], "big")
        self._sequence = int.from_bytes(chance[4:6], "big")
        self._timestamp = int.from_bytes(chance[6:10], "big")
        self._cname = cname
        self._remote: RemoteMedia | None = None
        self._prompt: Utterance | None = None
        self._speech = b""
        self._silence = b""
        self._at = 0
        self._said = True
        self._port_learnt = False
        self._reception = Reception()
        self._keys = KeyReader()
        self._sent = self._strangers = self._unreadable = 0
        self._far_lost: int | None = None
        self._aes = aes
        self._sealer = Sealer(aes, key) if aes is not None and key else None
        self._opener: Opener | None = None

    def connect(self, remote: RemoteMedia) -> None:
        """The remote end, when the call is answered and whenever it moves. What is being said goes on."""
        if (
            self._aes is not None
            and self._sealer is not None
            and (self._remote is None or self._remote.key != remote.key)
        ):
            self._opener = Opener(self._aes, remote.key)
        self._remote = remote
        self._port_learnt = False
        self._silence = _SILENCE[remote.codec] * _FRAME
        if remote.host not in _NOWHERE:
            self.target = Source(_plain(remote.host), remote.port)
        if self._prompt is not None:
            self._speech = self._prompt.octets(remote.codec)

    def say(self, prompt: Utterance) -> None:
        """Say this from its beginning, instead of anything else."""
        codec = self._remote.codec if self._remote is not None else Codec.PCMA
        self._prompt = prompt
        self._speech = prompt.octets(codec)
        self._at = 0
        self._said = False

    @property
    def saying(self) -> bool:
        """Whether something is being said and not yet at its end."""
        return not self._said

    def next_packet(self) -> bytes | None:
        """The packet of the next 20 ms; None while the peer wants none. Speech waits then, the clock does not."""
        remote = self._remote
        if remote is None:
            return None
        timestamp = self._timestamp
        self._timestamp = (timestamp + _FRAME) & 0xFFFFFFFF
        if not remote.hears:
            return None
        frame = self._silence if self._said else self._frame()
        head = packet.header(remote.payload_type, self._sequence, timestamp, self._ssrc, not self._sent)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._sent += 1
        return head + frame if self._sealer is None else self._sealer.seal(head + frame)

    def _frame(self) -> bytes:
        frame = self._speech[self._at : self._at + _FRAME]
        self._at += _FRAME
        self._said = self._at >= len(self._speech)
        return frame if len(frame) == _FRAME else frame + self._silence[len(frame) :]

    def take(self, data: bytes, source: Source, now: float) -> str:
        """A datagram on the RTP port: the key that begins with it, else empty. Never raises for what a peer sends."""
        remote = self._remote
        if remote is None:
            return ""
        if source.host != self.target.host:
            self._strangers += 1
            return ""
        try:
            got = packet.decode(data if self._opener is None else self._opener.open(data))
            events = got.payload_type == remote.event_type
            transit = None if events else now * _RATE - got.timestamp
            self._reception.take(got.sequence, got.ssrc, transit)
            if not self._port_learnt:
                self._port_learnt = True
                self.target = source
            return self._keys.take(got.timestamp, got.ssrc, got.payload) if events else ""
        except BadPacket:
            self._unreadable += 1
            return ""

    def take_report(self, data: bytes, source: Source) -> None:
        """A datagram on the RTCP port. Never raises for what a peer sends."""
        if self._remote is None:
            return
        if source.host != self.target.host:
            self._strangers += 1
            return
        try:
            found = rtcp.decode(data if self._opener is None else self._opener.open_report(data))
        except BadPacket:
            self._unreadable += 1
            return
        for report in found.reports:
            if report.ssrc == self._ssrc:
                self._far_lost = report.lost_fraction * 100 // 256

    @property
    def report_target(self) -> Source | None:
        """Where RTCP goes; None before the call is answered."""
        return None if self._remote is None else Source(self.target.host, self._remote.rtcp_port)

    def report(self, now_ms: int, bye: bool = False) -> bytes:
        """An RTCP packet: a sender report once we spoke, with what we heard; BYE at the end."""
        block = self._reception.report()
        sender = None
        if self._sent:
            seconds, rest = divmod(now_ms, 1000)
            ntp = (seconds + _EPOCH_1900) << 32 | (rest << 32) // 1000
            sender = rtcp.SenderInfo(ntp, self._timestamp, self._sent, self._sent * _FRAME)
        plain = rtcp.encode(rtcp.Compound(self._ssrc, sender, (block,) if block else (), self._cname, bye))
        return plain if self._sealer is None else self._sealer.seal_report(plain)

    def counters(self) -> MediaCounters:
        """What went over it so far."""
        heard = self._reception
        return MediaCounters(
            self._sent,
            heard.received,
            max(heard.lost, 0),
            int(heard.jitter * 1000 / _RATE),
            self._strangers,
            self._unreadable,
            self._far_lost,
        )


def _plain(host: str) -> str:
    """An address in the one form that sockets give."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host
