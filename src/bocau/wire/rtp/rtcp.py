"""RTCP: compound packets of sender reports, receiver reports, SDES and BYE (RFC 3550, section 6)."""

from collections.abc import Sequence
from struct import Struct
from typing import Final, NamedTuple

from bocau.wire.rtp.packet import MAX_PACKET, BadPacket
from bocau.wire.rtp.reception import Report

__all__ = ["Compound", "SenderInfo", "decode", "encode"]

_HEAD: Final = Struct(">BBH")
_REPORT: Final = Struct(">IIIIII")
_SENDER: Final = Struct(">IIIII")
_SR: Final = 200
_RR: Final = 201
_SDES: Final = 202
_BYE: Final = 203
_CNAME: Final = 1
_MAX_BLOCKS: Final = 31
_MAX_PARTS: Final = 32


class SenderInfo(NamedTuple):
    """What a sender says of itself (6.4.1)."""

    ntp: int
    """64 bits: seconds since 1900 and their fraction."""
    timestamp: int
    packets: int
    octets: int


class Compound(NamedTuple):
    """One datagram of RTCP, in what concerns us."""

    ssrc: int
    """Who speaks."""
    sender: SenderInfo | None = None
    """None: a receiver report."""
    reports: tuple[Report, ...] = ()
    cname: str = ""
    """Empty: no SDES."""
    bye: bool = False
    """The source has ended."""


def encode(compound: Compound) -> bytes:
    """The octets: SR or RR first, then SDES, then BYE."""
    sender = compound.sender
    body = compound.ssrc.to_bytes(4, "big")
    if sender is not None:
        ntp = (sender.ntp >> 32) & 0xFFFFFFFF, sender.ntp & 0xFFFFFFFF
        body += _SENDER.pack(
            *ntp, sender.timestamp & 0xFFFFFFFF, sender.packets & 0xFFFFFFFF, sender.octets & 0xFFFFFFFF
        )
    reports = compound.reports[:_MAX_BLOCKS]
    body += b"".join(_block(report) for report in reports)
    data = _part(_RR if sender is None else _SR, len(reports), body)
    if compound.cname:
        name = compound.cname.encode()[:255]
        item = compound.ssrc.to_bytes(4, "big") + bytes((_CNAME, len(name))) + name + b"\0"
        data += _part(_SDES, 1, item + bytes(-len(item) % 4))
    if compound.bye:
        data += _part(_BYE, 1, compound.ssrc.to_bytes(4, "big"))
    return data


def _part(kind: int, count: int, body: bytes) -> bytes:
    return _HEAD.pack(0x80 | count, kind, len(body) // 4) + body


def _block(report: Report) -> bytes:
    lost = (report.lost_fraction & 0xFF) << 24 | report.lost & 0xFFFFFF
    return _REPORT.pack(
        report.ssrc, lost, report.highest & 0xFFFFFFFF, report.jitter & 0xFFFFFFFF, report.last_report, report.delay
    )


def decode(data: bytes) -> Compound:
    """Read a compound packet; parts of other kinds are passed over. Raises BadPacket."""
    if not 8 <= len(data) <= MAX_PACKET or data[1] not in (_SR, _RR):
        raise BadPacket("not RTCP")
    found = Compound(int.from_bytes(data[4:8], "big"))
    at, parts = 0, 0
    while at < len(data):
        if at + 4 > len(data) or parts >= _MAX_PARTS:
            raise BadPacket("a part that is none")
        flags, kind, words = _HEAD.unpack_from(data, at)
        end = at + 4 + 4 * words
        if flags >> 6 != 2 or end > len(data):
            raise BadPacket("a part that is none")
        found = _take(found, kind, flags & 0x1F, data[at + 4 : end])
        at, parts = end, parts + 1
    return found


def _take(found: Compound, kind: int, count: int, body: bytes) -> Compound:
    if kind in (_SR, _RR):
        begin = 24 if kind == _SR else 4
        if len(body) < begin + 24 * count:
            raise BadPacket("a report that is cut off")
        if kind == _SR:
            high, low, timestamp, packets, octets = _SENDER.unpack_from(body, 4)
            found = found._replace(sender=SenderInfo(high << 32 | low, timestamp, packets, octets))
        return found._replace(reports=found.reports + _blocks(body[begin:], count))
    if kind == _BYE:
        sources = [body[4 * n : 4 * n + 4] for n in range(count)]
        return found._replace(bye=found.bye or found.ssrc.to_bytes(4, "big") in sources)
    if kind == _SDES and not found.cname:
        return found._replace(cname=_cname(body))
    return found


def _blocks(body: bytes, count: int) -> tuple[Report, ...]:
    reports: Sequence[tuple[int, ...]] = [_REPORT.unpack_from(body, 24 * n) for n in range(count)]
    return tuple(
        Report(ssrc, lost >> 24, (lost & 0xFFFFFF) - ((lost & 0x800000) << 1), highest, jitter, last, delay)
        for ssrc, lost, highest, jitter, last, delay in reports
    )


def _cname(body: bytes) -> str:
    """The CNAME of the first chunk, empty without one."""
    at = 4
    while at + 2 <= len(body) and body[at]:
        size = body[at + 1]
        if body[at] == _CNAME:
            return body[at + 2 : at + 2 + size].decode("utf-8", "replace")
        at += 2 + size
    return ""
