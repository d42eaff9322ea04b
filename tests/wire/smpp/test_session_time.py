"""A session is told the time: time-outs, link checks, and what comes too late (faults F20 to F22, P12)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.smpp.codec import Framer, encode, encode_bare
from bocau.wire.smpp.events import (
    Bound,
    Closed,
    DeliverAnswered,
    DeliverTimedOut,
    Role,
    SessionConfig,
    SessionState,
    SubmitAnswered,
    SubmitTimedOut,
    WindowFull,
)
from bocau.wire.smpp.pdu import Bind, BindResp, Command, DeliverSm, MessageIdResp, Pdu, SubmitSm
from bocau.wire.smpp.session import Session
from bocau.wire.smpp.window import LAST_SEQUENCE

SUBMIT = SubmitSm(destination_addr="84901234567", short_message=b"hello")
CONFIG = SessionConfig(system_id="bocau", window=2)


def bound(config: SessionConfig = CONFIG, now: float = 100.0) -> Session:
    """An ESME that was bound at this time."""
    session = Session(config, Role.ESME, now)
    session.start(now)
    session.data_to_send()
    octets = encode(Pdu(Command.BIND_TRANSCEIVER_RESP, 0, config.first_sequence, BindResp("smsc")))
    assert session.receive(octets, now) == [Bound("smsc", None)]
    return session


def answer(sequence: int, message_id: str = "1") -> bytes:
    return encode(Pdu(Command.SUBMIT_SM_RESP, 0, sequence, MessageIdResp(message_id)))


def commands(session: Session) -> list[tuple[int, int]]:
    return [(frame.command, frame.sequence) for frame in Framer().feed(session.data_to_send())]


def test_a_bind_that_is_not_answered_closes_the_session() -> None:
    """After bind_seconds and not before."""
    session = Session(CONFIG, Role.ESME, 100.0)
    assert session.next_deadline() is None
    session.start(100.0)
    assert session.next_deadline() == 110.0
    assert session.tick(109.9) == []
    assert session.tick(110.0) == [Closed("bind not answered")]
    assert session.tick(111.0) == []


def test_a_peer_that_does_not_bind_is_closed() -> None:
    """The carrier's side waits only so long, also after a refusal."""
    session = Session(CONFIG, Role.SMSC, 100.0)
    session.receive(encode(Pdu(Command.BIND_TRANSCEIVER, 0, 1, Bind("x"))), 105.0)
    session.refuse_bind(1, 5)
    assert session.next_deadline() == 110.0
    assert session.tick(110.0) == [Closed("no bind in time")]


def test_a_silent_link_is_asked_for_a_sign_of_life() -> None:
    """After enquire_seconds of silence, once; an answer starts the wait anew."""
    session = bound()
    assert session.next_deadline() == 130.0
    assert session.tick(129.9) == []
    assert commands(session) == []
    assert session.tick(130.0) == []
    assert commands(session) == [(Command.ENQUIRE_LINK, 2)]
    assert session.tick(135.0) == []
    assert commands(session) == []
    assert session.next_deadline() == 140.0
    assert session.receive(encode_bare(Command.ENQUIRE_LINK_RESP, 0, 2), 136.0) == []
    assert session.next_deadline() == 166.0
    assert (session.counters.probes, session.counters.unknown_responses) == (1, 0)


def test_a_half_open_link_is_noticed() -> None:
    """Within enquire interval plus response time-out (P12); the open message is uncertain."""
    session = bound()
    session.submit(SUBMIT, "a", 139.0)
    session.tick(130.0)
    assert session.tick(140.0) == [Closed("enquire_link not answered")]
    assert session.connection_lost() == ["a"]


def test_anything_that_comes_is_a_sign_of_life() -> None:
    """Whole PDUs of any kind; half a PDU is none."""
    session = bound()
    session.tick(130.0)
    session.receive(encode_bare(Command.ENQUIRE_LINK, 0, 1), 139.0)
    assert session.tick(140.0) == []
    assert session.next_deadline() == 169.0
    session.tick(169.0)
    session.receive(encode_bare(Command.ENQUIRE_LINK, 0, 1)[:-1], 178.0)
    assert session.tick(179.0) == [Closed("enquire_link not answered")]


def test_a_nack_to_a_link_check_is_a_sign_of_life() -> None:
    """From a carrier that does not know enquire_link."""
    session = bound()
    session.tick(130.0)
    assert session.receive(encode_bare(Command.GENERIC_NACK, 3, 2), 131.0) == []
    assert session.tick(140.0) == []
    assert session.counters.unknown_responses == 0


def test_a_message_that_is_not_answered_times_out_and_the_link_is_probed() -> None:
    """Reported once; its slot stays taken (F20)."""
    session = bound()
    session.submit(SUBMIT, "a", 101.0)
    session.submit(SUBMIT, "b", 102.0)
    session.data_to_send()
    assert session.next_deadline() == 111.0
    assert session.tick(110.9) == []
    assert session.tick(111.0) == [SubmitTimedOut("a")]
    assert commands(session) == [(Command.ENQUIRE_LINK, 4)]
    assert session.tick(111.0) == []
    assert session.tick(112.0) == [SubmitTimedOut("b")]
    assert commands(session) == []
    assert (session.free_slots, session.outstanding) == (0, 2)
    with pytest.raises(WindowFull):
        session.submit(SUBMIT, "c", 112.0)
    assert session.connection_lost() == ["a", "b"]


def test_a_late_answer_still_tells_what_became_of_the_message() -> None:
    """With the id, marked late; the slot is free again (F21)."""
    session = bound()
    sequence = session.submit(SUBMIT, "a", 100.0)
    assert session.tick(110.0) == [SubmitTimedOut("a")]
    assert session.receive(answer(sequence, "77"), 119.0) == [SubmitAnswered("a", 0, "77", True)]
    assert session.receive(answer(sequence, "77"), 119.0) == []
    assert (session.free_slots, session.counters.late_answers, session.counters.unknown_responses) == (2, 1, 1)


def test_numbers_wrap_and_skip_those_that_are_alive() -> None:
    """0x7FFFFFFF is followed by 1 (F27)."""
    session = bound(SessionConfig(system_id="b", window=4, first_sequence=LAST_SEQUENCE - 1))
    assert [session.submit(SUBMIT, n, 100.0) for n in range(3)] == [LAST_SEQUENCE, 1, 2]
    assert session.receive(answer(1) + answer(LAST_SEQUENCE), 100.0) == [
        SubmitAnswered(1, 0, "1", False),
        SubmitAnswered(0, 0, "1", False),
    ]


def test_an_unbind_that_is_not_answered_ends_by_itself() -> None:
    """After unbind_seconds; answers until then are taken."""
    session = bound()
    first, _ = session.submit(SUBMIT, "a", 100.0), session.submit(SUBMIT, "b", 100.0)
    session.unbind(101.0)
    assert session.next_deadline() == 106.0
    assert session.receive(answer(first), 103.0) == [SubmitAnswered("a", 0, "1", False)]
    assert session.tick(106.0) == [Closed("unbind not answered")]
    assert session.connection_lost() == ["b"]


def test_the_grace_of_an_unbind_is_not_prolonged() -> None:
    """Neither by the answer nor by the carrier's own unbind."""
    session = bound()
    session.submit(SUBMIT, "a", 100.0)
    session.unbind(100.0)
    session.receive(encode_bare(Command.UNBIND_RESP, 0, 3), 104.0)
    session.receive(encode_bare(Command.UNBIND, 0, 9), 104.5)
    assert session.next_deadline() == 105.0
    assert session.tick(105.0) == [Closed("peer unbound")]


def test_a_session_that_is_not_bound_ends_at_the_next_tick() -> None:
    """There is nothing to unbind."""
    session = Session(CONFIG, Role.ESME, 100.0)
    session.unbind(100.0)
    assert session.data_to_send() == b""
    assert session.next_deadline() == 100.0
    assert session.tick(100.0) == [Closed("not bound")]


def test_a_deliver_that_is_not_answered_times_out() -> None:
    """The simulated carrier keeps its receipt and sees a late answer."""
    session = Session(CONFIG, Role.SMSC, 100.0)
    session.receive(encode(Pdu(Command.BIND_TRANSCEIVER, 0, 1, Bind("x"))), 100.0)
    session.accept_bind(1, "smsc")
    sequence = session.deliver(DeliverSm(), "r", 100.0)
    assert session.tick(110.0) == [DeliverTimedOut("r")]
    octets = encode(Pdu(Command.DELIVER_SM_RESP, 0, sequence, MessageIdResp()))
    assert session.receive(octets, 111.0) == [DeliverAnswered("r", 0, True)]


def test_time_outs_can_be_turned_off() -> None:
    """With infinity there is no next time."""
    session = bound(SessionConfig(system_id="b", enquire_seconds=math.inf, response_seconds=math.inf))
    session.submit(SUBMIT, "a", 100.0)
    assert session.next_deadline() is None
    assert session.tick(1e12) == []


@given(st.lists(st.floats(0.001, 40.0), max_size=30), st.floats(0, 1e9))
def test_a_tick_at_the_deadline_always_moves_on(waits: list[float], start: float) -> None:
    """No time is awaited twice: a shell that ticks at every deadline never spins."""
    session = bound(SessionConfig(system_id="b", window=50), start)
    now = start
    for wait in waits:
        now += wait
        for _ in range(100):
            deadline = session.next_deadline()
            if deadline is None or deadline > now:
                break
            session.tick(max(deadline, now))
            assert session.next_deadline() != deadline
        if session.state is SessionState.CLOSED:
            break
        session.submit(SUBMIT, wait, now)
