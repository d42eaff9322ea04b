"""Telephone keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.rtp.keys import KEYS, KeyEvent, KeyReader, decode, encode
from bocau.wire.rtp.packet import BadPacket


@given(st.builds(KeyEvent, st.sampled_from(KEYS), st.booleans(), st.integers(0, 63), st.integers(0, 0xFFFF)))
def test_what_is_written_reads_back(event: KeyEvent) -> None:
    """Every field."""
    assert decode(encode(event)) == event


def test_the_octets_are_those_of_the_specification() -> None:
    """Event, E bit and volume, duration (RFC 4733 2.3)."""
    assert encode(KeyEvent("#", True, 10, 800)).hex() == "0b8a0320"
    assert decode(bytes((16, 0, 0, 0))).key == ""
    for bad in ("", "12", "x"):
        with pytest.raises(ValueError, match=r"key|substring"):
            encode(KeyEvent(bad, False, 0, 0))


def test_one_press_is_one_key() -> None:
    """Its packets share a timestamp, the last comes three times; if the first are lost, any other tells it."""
    reader = KeyReader()
    one = encode(KeyEvent("1", True, 10, 800))
    heard = [reader.take(stamp, 7, one) for stamp in (5, 5, 5, 900, 900, 5, 0x90000000, 1800)]
    assert heard == ["1", "", "", "1", "", "", "", "1"]
    assert reader.take(5, 8, one) == "1"
    assert reader.take(9_000, 8, bytes((66, 0, 0, 0))) == ""


def test_a_stamp_that_wraps_is_a_new_press() -> None:
    """The clock of RTP wraps within a day."""
    reader = KeyReader()
    one = encode(KeyEvent("1", True, 10, 800))
    assert [reader.take(stamp, 7, one) for stamp in (0xFFFFFF00, 100, 0xFFFFFF00)] == ["1", "1", ""]


@given(st.binary(max_size=8))
def test_garbage_raises_only_the_one_exception(payload: bytes) -> None:
    """Whatever comes."""
    try:
        KeyReader().take(1, 1, payload)
    except BadPacket:
        return
