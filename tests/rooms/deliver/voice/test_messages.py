"""The lines between gateway and worker."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.core.call import Manner, Playing
from bocau.deliver.sip.order import NO_MEDIA, CallLimits, CallResult, CallStatus, Retry, Side
from bocau.deliver.sip.trunk import Trunk
from bocau.deliver.voice.messages import (
    Cancel,
    Configure,
    Down,
    Drain,
    Forget,
    Keep,
    Key,
    Leaving,
    LineReader,
    Over,
    Picked,
    Place,
    Rang,
    Ready,
    Speech,
    Standing,
    TrunkStanding,
    Unfit,
    Up,
    WorkerCaps,
    line,
    read_down,
    read_up,
)

RESULT = CallResult(
    CallStatus.NO_ANSWER, Retry.LATER, 480, 18, "480", "north", 1, 0, Side.NOBODY, "", 0, 0, NO_MEDIA, "x@y"
)
CONFIGURE = Configure(
    (Trunk("north", "sip.example", user="us", password="pw"),),
    WorkerCaps(),
    Speech(),
    CallLimits(),
    "info",
    "json",
)
LONGEST = Keep("d1", Playing(8_000, bytes(720_000)))
"""45 s of sound."""
PLAYS = Place("2", "84901234567", "", Manner(None, "ngoclam", -3), "d1")
DOWN: list[Down] = [CONFIGURE, Place("1", "84901234567", "4821"), LONGEST, PLAYS, Forget("d1"), Cancel("1"), Drain(2.5)]
UP: list[Up] = [
    Ready("north", ""),
    Standing((TrunkStanding("north", False, "no answer", 3),)),
    Rang("1"),
    Picked("1", "north", "x@y"),
    Key("1", "#"),
    Over("1", RESULT),
    Leaving(),
    Unfit("no voice"),
]


@pytest.mark.parametrize("message", DOWN, ids=lambda m: type(m).__name__)
def test_what_is_said_down_is_understood(message: Down) -> None:
    """Each message survives its line."""
    assert read_down(line(message)) == message


@pytest.mark.parametrize("message", UP, ids=lambda m: type(m).__name__)
def test_what_is_said_up_is_understood(message: Up) -> None:
    """Enumerations and counters included."""
    assert read_up(line(message)) == message


@given(st.lists(st.integers(0, 400), max_size=6))
def test_lines_come_whole_however_the_stream_is_cut(cuts: list[int]) -> None:
    """No byte is lost between two reads."""
    stream = b"".join(line(message) for message in UP)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    reader = LineReader()
    chunks = [stream[a:b] for a, b in pairwise(places)]
    assert [read_up(each) for chunk in chunks for each in reader.feed(chunk)] == UP


def test_a_line_without_an_end_is_refused() -> None:
    """A worker that went mad fills no memory."""
    reader = LineReader()
    with pytest.raises(ValueError, match="without an end"):
        list(reader.feed(b"x" * 2_200_000))


def test_no_secret_stands_in_the_text_of_a_message() -> None:
    """Neither code nor number nor password (promises S1)."""
    shown = repr(DOWN)
    assert "4821" not in shown
    assert "84901" not in shown
    assert "pw" not in shown
