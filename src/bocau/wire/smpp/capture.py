"""PDUs as a capture file that network tools read: pcap, with IPv4 and TCP headers made up around each PDU.

The headers hold what the tools need to follow the two directions: addresses, ports, sequence numbers that fit. Nothing
of them was on any wire.
"""

from collections.abc import Iterable
from struct import Struct
from typing import Final, NamedTuple

__all__ = ["Captured", "pcap"]

_FILE: Final = Struct(">IHHiIII")
_RECORD: Final = Struct(">IIII")
_IP: Final = Struct(">BBHHHBBH4s4s")
_TCP: Final = Struct(">HHIIBBHHH")
_MAGIC: Final = 0xA1B2C3D4
_LINKTYPE_RAW: Final = 101
_OUR_PORT: Final = 50_000
_MOST_PAYLOAD: Final = 65_495
_PUSH_ACK: Final = 0x18
_US: Final = bytes((192, 0, 2, 1))
_CARRIER: Final = bytes((192, 0, 2, 2))


class Captured(NamedTuple):
    """One PDU: its moment in milliseconds since 1970 UTC, whether we sent it, its octets."""

    at_ms: int
    ours: bool
    data: bytes


def pcap(pdus: Iterable[Captured], port: int) -> bytes:
    """A whole capture file; `port` is the carrier's. Addresses are of the documentation range (RFC 5737)."""
    written = [_FILE.pack(_MAGIC, 2, 4, 0, 0, 0x40000, _LINKTYPE_RAW)]
    said = {True: 1, False: 1}
    for pdu in pdus:
        for start in range(0, len(pdu.data), _MOST_PAYLOAD):
            piece = pdu.data[start : start + _MOST_PAYLOAD]
            packet = _packet(pdu.ours, port, said, piece)
            seconds, milliseconds = divmod(pdu.at_ms, 1000)
            written += [_RECORD.pack(seconds, milliseconds * 1000, len(packet), len(packet)), packet]
            said[pdu.ours] += len(piece)
    return b"".join(written)


def _packet(ours: bool, port: int, said: dict[bool, int], data: bytes) -> bytes:
    ports = (_OUR_PORT, port) if ours else (port, _OUR_PORT)
    hosts = (_US, _CARRIER) if ours else (_CARRIER, _US)
    sequence, acknowledged = (said[ours] & 0xFFFFFFFF, said[not ours] & 0xFFFFFFFF)
    tcp = _TCP.pack(*ports, sequence, acknowledged, 0x50, _PUSH_ACK, 65_535, 0, 0)
    size = 20 + len(tcp) + len(data)
    header = _IP.pack(0x45, 0, size, 0, 0x4000, 64, 6, 0, *hosts)
    header = _IP.pack(0x45, 0, size, 0, 0x4000, 64, 6, _checksum(header), *hosts)
    return header + tcp + data


def _checksum(header: bytes) -> int:
    total = sum(int.from_bytes(header[at : at + 2], "big") for at in range(0, len(header), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
