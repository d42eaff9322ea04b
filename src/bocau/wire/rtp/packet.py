"""RTP packets (RFC 3550, section 5)."""

from struct import Struct
from typing import Final, NamedTuple

__all__ = ["HEADER_SIZE", "MAX_PACKET", "BadPacket", "RtpPacket", "decode", "encode", "header"]

HEADER_SIZE: Final = 12
MAX_PACKET: Final = 1_500
"""Octets of a packet that is looked at."""

_HEADER: Final = Struct(">BBHII")


class BadPacket(ValueError):  # noqa: N818 - the peer's packet is bad, we have no error
    """No RTP or RTCP packet. The only exception of the readers in this folder."""


class RtpPacket(NamedTuple):
    """One packet; contributing sources, extension and padding are taken off."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False


def header(payload_type: int, sequence: int, timestamp: int, ssrc: int, marker: bool = False) -> bytes:
    """The 12 octets before a payload; sequence and timestamp wrap by themselves."""
    return _HEADER.pack(
        0x80, payload_type | (0x80 if marker else 0), sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc & 0xFFFFFFFF
    )


def encode(packet: RtpPacket) -> bytes:
    """The octets of a packet."""
    return header(packet.payload_type, packet.sequence, packet.timestamp, packet.ssrc, packet.marker) + packet.payload


def decode(data: bytes) -> RtpPacket:
    """Read a packet. Raises BadPacket."""
    size = len(data)
    if not HEADER_SIZE <= size <= MAX_PACKET:
        raise BadPacket("size")
    flags, kind, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if flags >> 6 != 2:
        raise BadPacket("version")
    begin, end = HEADER_SIZE + 4 * (flags & 0x0F), size
    if flags & 0x10:
        if begin + 4 > size:
            raise BadPacket("extension")
        begin += 4 + 4 * int.from_bytes(data[begin + 2 : begin + 4], "big")
    if flags & 0x20:
        end -= data[-1]
        if not data[-1]:
            raise BadPacket("padding")
    if begin > end:
        raise BadPacket("no payload")
    return RtpPacket(kind & 0x7F, sequence, timestamp, ssrc, data[begin:end], bool(kind & 0x80))
