"""Whatever a peer sends into a call, nothing is raised, nothing grows without end, and the call can be ended."""

from hypothesis import given
from hypothesis import strategies as st
from tests.wire.sip.callee import THEIRS, THERE, Callee
from tests.wire.sip.test_golden import ASKS, CONTACT, ROUTES

from bocau.wire.sip.call import CallPhase
from bocau.wire.sip.message import BadMessage, Message, Response, decode, encode
from bocau.wire.sip.sdp import make_offer

STATUSES = [100, 180, 183, 200, 202, 302, 401, 407, 422, 486, 487, 500, 603]
METHODS = ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "UPDATE", "PRACK", "REFER", "INFO"]
EXTRAS = [
    CONTACT,
    ROUTES,
    ASKS,
    ("Require", "100rel"),
    ("RSeq", "1"),
    ("RSeq", "2"),
    ("Session-Expires", "90;refresher=uas"),
    ("Require", "timer"),
    ("Contact", "<junk"),
    ("Contact", "tel:1"),
    ("Record-Route", ", ".join(["<sip:x;lr>"] * 30)),
    ("Reason", "Q.850;cause=99999"),
    ("Retry-After", "999999999999"),
]
BODIES = [b"", make_offer(THEIRS), make_offer(THEIRS)[:60], b"\xff\xfe"]
steps = st.one_of(
    st.tuples(st.just("answer"), st.sampled_from(STATUSES), st.sampled_from(METHODS)),
    st.tuples(st.just("ask"), st.sampled_from(METHODS), st.sampled_from(["them", "other", ""])),
    st.tuples(st.just("wait"), st.sampled_from([0.1, 1.0, 20.0, 40.0]), st.just("")),
    st.tuples(st.just("hang up"), st.just(0), st.just("")),
)
spices = st.tuples(
    st.lists(st.sampled_from(EXTRAS), max_size=3), st.sampled_from(BODIES), st.binary(max_size=3), st.integers(0, 400)
)


def spoiled(message: Message, junk: bytes, at: int) -> Message | None:
    """The message with some octets overwritten; None if it is none any more."""
    data = encode(message)
    at = min(at, len(data))
    try:
        return decode(data[:at] + junk + data[at + len(junk) :])
    except BadMessage:
        return None


def play(callee: Callee, step: tuple[str, object, str], spice: tuple[list[tuple[str, str]], bytes, bytes, int]) -> None:
    """One step of a peer that follows no rule."""
    what, value, which = step
    extra, body, junk, at = spice
    if what == "wait":
        assert isinstance(value, float)
        callee.wait(callee.now + value)
    elif what == "hang up":
        callee.call.hang_up(callee.now)
        callee.read()
    elif what == "ask":
        assert isinstance(value, str)
        callee.ask(value, *extra, body=body, tag=which)
    elif which in callee.methods() and which != "ACK":
        assert isinstance(value, int)
        kind = () if not body else (("Content-Type", "application/sdp"),)
        message: Message | None = callee.response(callee.request(which), value, *extra, *kind, body=b"")
        assert isinstance(message, Response)
        message = spoiled(message._replace(body=body), junk, at)
        if message is not None:
            callee.call.receive(message, THERE, callee.now)
            callee.read()


@given(st.lists(st.tuples(steps, spices), max_size=25))
def test_a_call_survives_any_peer(
    script: list[tuple[tuple[str, object, str], tuple[list[tuple[str, str]], bytes, bytes, int]]],
) -> None:
    """And an hour after we hung up it is over and holds nothing."""
    callee = Callee()
    for step, spice in script:
        play(callee, step, spice)
        assert len(callee.sent) < 2_000
    callee.call.hang_up(callee.now)
    callee.read()
    callee.wait(callee.now + 3_600.0)
    assert callee.call.phase is CallPhase.OVER
    assert callee.call.idle
