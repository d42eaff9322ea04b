"""Messages out of a stream of bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.sip.test_message import PLAIN, head, messages

from bocau.wire.sip.message import Message, decode, encode, first
from bocau.wire.sip.stream import PING, PONG, BrokenStream, KeepAlive, StreamFramer

ONE = encode(PLAIN._replace(body=b"body"))
TWO = encode(PLAIN)


def read(*chunks: bytes) -> list[Message | KeepAlive]:
    """What a framer makes of these bytes."""
    framer = StreamFramer()
    return [found for chunk in chunks for found in framer.feed(chunk)]


def test_every_split_gives_the_same_messages() -> None:
    """Where TCP cuts means nothing."""
    data = ONE + PING + TWO
    whole = read(data)
    assert whole == [decode(ONE), KeepAlive.PING, decode(TWO)]
    for cut in range(len(data)):
        assert read(data[:cut], data[cut:]) == whole
    assert read(*(data[at : at + 1] for at in range(len(data)))) == whole


@given(st.lists(messages, max_size=4), st.lists(st.integers(1, 60), min_size=1, max_size=30))
def test_messages_survive_any_stream(sent: list[Message], sizes: list[int]) -> None:
    """In order, whole."""
    data = b"".join(encode(one) for one in sent)
    chunks: list[bytes] = []
    at = 0
    while at < len(data):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(data[at : at + size])
        at += size
    assert read(*chunks) == [decode(encode(one)) for one in sent]


def test_a_lone_line_end_is_a_pong() -> None:
    """Known once the next message begins."""
    assert read(PONG + TWO) == [KeepAlive.PONG, decode(TWO)]
    assert read(PONG) == []


def test_a_bad_message_of_known_length_is_passed_over() -> None:
    """The link lives on, and it is counted."""
    framer = StreamFramer()
    bad = head("no colon", "Content-Length: 4") + b"body"
    assert list(framer.feed(bad + TWO)) == [decode(TWO)]
    assert framer.bad == 1


@pytest.mark.parametrize(
    "data",
    [
        b"X" * 20_000,
        head(),
        head("no colon"),
        head("Content-Length: 4", "Content-Length: 5"),
        head("Content-Length: 99999999999"),
        head("no colon", "Content-Length: 123456"),
    ],
)
def test_a_stream_without_known_lengths_is_broken(data: bytes) -> None:
    """Nobody can say where the next message begins."""
    with pytest.raises(BrokenStream):
        read(data + TWO)


@given(st.lists(st.one_of(st.binary(max_size=50), st.just(TWO), st.just(PING), st.just(ONE[:70])), max_size=12))
def test_garbage_raises_only_the_one_exception(chunks: list[bytes]) -> None:
    """Whatever comes, in whatever pieces."""
    try:
        found = read(*chunks)
    except BrokenStream:
        return
    assert all(isinstance(one, KeepAlive) or first(one, "Call-ID") for one in found)
