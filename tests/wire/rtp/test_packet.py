"""RTP packets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.rtp.packet import MAX_PACKET, BadPacket, RtpPacket, decode, encode, header

packets = st.builds(
    RtpPacket,
    st.integers(0, 127),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=200),
    st.booleans(),
)


@given(packets)
def test_what_is_written_reads_back(packet: RtpPacket) -> None:
    """Every field."""
    assert decode(encode(packet)) == packet


def test_the_octets_are_those_of_the_specification() -> None:
    """Version 2, marker and type, sequence, timestamp, SSRC (RFC 3550 5.1); counts wrap."""
    assert header(8, 0x1_0001, 0x1_0000_0002, 3, True).hex() == "808800010000000200000003"


def test_what_stands_around_the_payload_is_taken_off() -> None:
    """Two contributing sources, an extension of one word, three octets of padding."""
    data = bytes((0xB2, 8, 0, 1)) + bytes(8) + b"csrc" * 2 + b"\xbe\xde\0\1word" + b"sound" + b"\0\0\3"
    assert decode(data).payload == b"sound"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(11),
        bytes(12),
        b"\xc0" + bytes(11),
        b"\x81" + bytes(11),
        b"\x90" + bytes(11),
        b"\x90" + bytes(11) + b"\0\0\0\1",
        b"\xa0" + bytes(11),
        b"\xa0" + bytes(11) + b"\x02",
        b"\x80" + bytes(MAX_PACKET),
    ],
)
def test_what_is_no_packet_is_refused(data: bytes) -> None:
    """Too short, too long, another version, parts that are not there."""
    with pytest.raises(BadPacket):
        decode(data)


@given(st.binary(max_size=64))
def test_garbage_raises_only_the_one_exception(data: bytes) -> None:
    """Whatever comes."""
    try:
        decode(data)
    except BadPacket:
        return
