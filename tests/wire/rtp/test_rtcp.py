"""RTCP: reports both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.rtp.packet import BadPacket
from bocau.wire.rtp.reception import Report
from bocau.wire.rtp.rtcp import Compound, SenderInfo, decode, encode

words = st.integers(0, 0xFFFFFFFF)
reports = st.builds(Report, words, st.integers(0, 255), st.integers(-0x800000, 0x7FFFFF), words, words, words, words)
senders = st.builds(SenderInfo, st.integers(0, 2**64 - 1), words, words, words)
compounds = st.builds(
    Compound,
    words,
    st.one_of(st.none(), senders),
    st.lists(reports, max_size=3).map(tuple),
    st.text("abc0123@.", max_size=40),
    st.booleans(),
)


@given(compounds)
def test_what_is_written_reads_back(compound: Compound) -> None:
    """Every field, in whole words."""
    data = encode(compound)
    assert len(data) % 4 == 0
    assert decode(data) == compound


def test_the_octets_are_those_of_the_specification() -> None:
    """RFC 3550 6.4.1, 6.5, 6.6."""
    sender = SenderInfo(0x0102030405060708, 9, 10, 1600)
    data = encode(Compound(0xB0CA, sender, (Report(0xFE, 128, -1, 7, 8, 9, 10),), "a", bye=True))
    assert data.hex(" ", 4) == (
        "81c8000c 0000b0ca 01020304 05060708 00000009 0000000a 00000640 "
        "000000fe 80ffffff 00000007 00000008 00000009 0000000a "
        "81ca0002 0000b0ca 01016100 81cb0001 0000b0ca"
    )


@pytest.mark.parametrize(
    "data",
    [b"", bytes(8), b"\x80\xca" + bytes(6), b"\x81\xc9\0\1" + bytes(4), b"\x80\xc9\0\1" + bytes(4) + b"\x80\xcb\0\5"],
)
def test_what_is_no_report_is_refused(data: bytes) -> None:
    """It must begin with a report, and say no more than it holds."""
    with pytest.raises(BadPacket):
        decode(data)


@given(st.one_of(st.binary(max_size=80), st.binary(max_size=60).map(lambda rest: b"\x81\xc9\0\7" + rest)))
def test_garbage_raises_only_the_one_exception(data: bytes) -> None:
    """Whatever comes."""
    try:
        decode(data)
    except BadPacket:
        return
