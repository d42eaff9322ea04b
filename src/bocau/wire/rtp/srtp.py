"""Sound that nobody on the way can hear or forge: SRTP and SRTCP (RFC 3711), keyed by the description (RFC 4568).

One suite: AES_CM_128_HMAC_SHA1_80, which every peer has. AES itself is handed in, a function that enciphers whole
blocks; no clocks, no sockets, no chance.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import Final

from bocau.wire.rtp.packet import HEADER_SIZE, BadPacket

__all__ = ["MASTER_SIZE", "SUITE", "Aes", "Opener", "Sealer"]

SUITE: Final = "AES_CM_128_HMAC_SHA1_80"
MASTER_SIZE: Final = 30
"""Octets of a master key with its salt."""

Aes = Callable[[bytes], Callable[[bytes], bytes]]
"""A key of 16 octets to what enciphers whole blocks with it, each on its own (ECB)."""

_KEY: Final = 16
_SALT: Final = 14
_AUTH: Final = 20
_TAG: Final = 10
_BLOCK: Final = 16
_COUNTERS: Final = tuple(number.to_bytes(2, "big") for number in range(128))
"""Blocks of the longest packet, with room to spare."""
_WINDOW: Final = 64
_HALF: Final = 0x8000
_RTCP_HEAD: Final = 8
_RTCP_INDEX: Final = 4
_ENCRYPTED: Final = 0x80000000


class _Keys:
    """The session keys of one direction, for RTP or for RTCP (RFC 3711 4.3; no key is ever derived anew)."""

    __slots__ = ("_auth", "_blocks", "_salt")

    def __init__(self, aes: Aes, master: bytes, first_label: int) -> None:
        if len(master) != MASTER_SIZE:
            raise ValueError(f"a master key and salt of {len(master)} octets, not {MASTER_SIZE}")
        derive = aes(master[:_KEY])
        salt = int.from_bytes(master[_KEY:], "big")

        def made(label: int, size: int) -> bytes:
            return _stream(derive, (salt ^ label << 48) << 16, size)

        self._blocks = aes(made(first_label, _KEY))
        self._auth = hmac.new(made(first_label + 1, _AUTH), digestmod=hashlib.sha1)
        self._salt = int.from_bytes(made(first_label + 2, _SALT), "big") << 16

    def crypt(self, data: bytes, ssrc: int, index: int) -> bytes:
        """Encipher or decipher what belongs to one packet (RFC 3711 4.1.1)."""
        size = len(data)
        stream = _stream(self._blocks, self._salt ^ ssrc << 64 ^ index << 16, size)
        return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big")

    def tag(self, *pieces: bytes) -> bytes:
        """What proves that a packet is the peer's (RFC 3711 4.2)."""
        mac = self._auth.copy()
        for piece in pieces:
            mac.update(piece)
        return mac.digest()[:_TAG]


def _stream(blocks: Callable[[bytes], bytes], iv: int, size: int) -> bytes:
    """So many octets of key stream; its counter is the last two octets of the block."""
    begin = iv.to_bytes(_BLOCK, "big")[: _BLOCK - 2]
    return blocks(b"".join([begin + counter for counter in _COUNTERS[: -(-size // _BLOCK)]]))[:size]


class Sealer:
    """What we send, of one SSRC."""

    __slots__ = ("_last", "_reports", "_rollover", "_rtcp", "_rtp")

    def __init__(self, aes: Aes, master: bytes) -> None:
        """`master` is our key with its salt, 30 octets of chance."""
        self._rtp, self._rtcp = _Keys(aes, master, 0), _Keys(aes, master, 3)
        self._last = -1
        self._rollover = self._reports = 0

    def seal(self, packet: bytes) -> bytes:
        """An RTP packet of ours, without contributing sources and extension; in order."""
        sequence = packet[2] << 8 | packet[3]
        if sequence < self._last:
            self._rollover += 1
        self._last = sequence
        ssrc, index = int.from_bytes(packet[8:12], "big"), self._rollover << 16 | sequence
        sealed = packet[:HEADER_SIZE] + self._rtp.crypt(packet[HEADER_SIZE:], ssrc, index)
        return sealed + self._rtp.tag(sealed, self._rollover.to_bytes(4, "big"))

    def seal_report(self, packet: bytes) -> bytes:
        """An RTCP packet of ours."""
        index = self._reports
        self._reports = index + 1 & 0x7FFFFFFF
        sealed = packet[:_RTCP_HEAD] + self._rtcp.crypt(packet[_RTCP_HEAD:], int.from_bytes(packet[4:8], "big"), index)
        sealed += (_ENCRYPTED | index).to_bytes(_RTCP_INDEX, "big")
        return sealed + self._rtcp.tag(sealed)


class Opener:
    """What the peer sends. A packet that is not the peer's, or came before, raises BadPacket and changes nothing."""

    __slots__ = ("_highest", "_report", "_rtcp", "_rtp", "_seen", "_ssrc")

    def __init__(self, aes: Aes, master: bytes) -> None:
        """`master` is the peer's key with its salt. Raises ValueError if it is not 30 octets."""
        self._rtp, self._rtcp = _Keys(aes, master, 0), _Keys(aes, master, 3)
        self._ssrc = -1
        self._highest = self._seen = 0
        """Index of the newest packet, and which of those before it came (bit 0 is the newest)."""
        self._report = -1

    def open(self, data: bytes) -> bytes:
        """An RTP packet of the peer."""
        body, given = data[:-_TAG], data[-_TAG:]
        begin = _payload_at(body)
        ssrc = int.from_bytes(body[8:12], "big")
        index = self._index(body[2] << 8 | body[3]) if ssrc == self._ssrc else body[2] << 8 | body[3]
        if not hmac.compare_digest(self._rtp.tag(body, (index >> 16).to_bytes(4, "big")), given):
            raise BadPacket("not authentic")
        self._note(ssrc, index)
        return body[:begin] + self._rtp.crypt(body[begin:], ssrc, index)

    def _index(self, sequence: int) -> int:
        """The likeliest index of a sequence number (RFC 3711 3.3.1)."""
        rollover, last = self._highest >> 16, self._highest & 0xFFFF
        if last < _HALF and sequence - last > _HALF and rollover:
            rollover -= 1
        elif last >= _HALF and last - sequence > _HALF:
            rollover += 1
        return rollover << 16 | sequence

    def _note(self, ssrc: int, index: int) -> None:
        """An authentic packet came. Raises BadPacket for one that came before (RFC 3711 3.3.2)."""
        if ssrc != self._ssrc:
            self._ssrc, self._highest, self._seen = ssrc, index, 1
            return
        ahead = index - self._highest
        if ahead > 0:
            self._seen = (self._seen << ahead | 1) & (1 << _WINDOW) - 1 if ahead < _WINDOW else 1
            self._highest = index
        elif -ahead >= _WINDOW or self._seen >> -ahead & 1:
            raise BadPacket("came before")
        else:
            self._seen |= 1 << -ahead

    def open_report(self, data: bytes) -> bytes:
        """An RTCP packet of the peer."""
        body, given = data[:-_TAG], data[-_TAG:]
        if len(body) < _RTCP_HEAD + _RTCP_INDEX:
            raise BadPacket("size")
        if not hmac.compare_digest(self._rtcp.tag(body), given):
            raise BadPacket("not authentic")
        word = int.from_bytes(body[-_RTCP_INDEX:], "big")
        index = word & ~_ENCRYPTED
        if index <= self._report:
            raise BadPacket("came before")
        self._report = index
        rest = body[_RTCP_HEAD:-_RTCP_INDEX]
        if word & _ENCRYPTED:
            rest = self._rtcp.crypt(rest, int.from_bytes(body[4:8], "big"), index)
        return body[:_RTCP_HEAD] + rest


def _payload_at(packet: bytes) -> int:
    """Where the enciphered part begins: behind contributing sources and extension."""
    size = len(packet)
    if size < HEADER_SIZE or packet[0] >> 6 != 2:
        raise BadPacket("no RTP")
    begin = HEADER_SIZE + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        begin += 4 + 4 * int.from_bytes(packet[begin + 2 : begin + 4], "big")
    if begin > size:
        raise BadPacket("no payload")
    return begin
