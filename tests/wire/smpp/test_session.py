"""Two sessions wired back to back in memory, cut at every byte (faults F21, F23, F24, F25, F27)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.smpp.codec import Framer, encode, encode_bare
from bocau.wire.smpp.events import (
    BindMode,
    BindRefused,
    BindRequested,
    Bound,
    Closed,
    DeliverAnswered,
    Delivered,
    Event,
    NotBound,
    PeerUnbound,
    Role,
    SessionConfig,
    SessionState,
    SubmitAnswered,
    Submitted,
    UnbindRequested,
    WindowFull,
)
from bocau.wire.smpp.pdu import (
    AlertNotification,
    Body,
    Command,
    DataSm,
    DeliverSm,
    FieldError,
    MessageIdResp,
    Outbind,
    Pdu,
    QuerySm,
    SubmitSm,
)
from bocau.wire.smpp.session import Session
from bocau.wire.smpp.status import Status

SUBMIT = SubmitSm(source_addr="BOCAU", destination_addr="84901234567", short_message=b"hello")
RECEIPT = DeliverSm(source_addr="84901234567", esm_class=4, short_message=b"id:1 stat:DELIVRD")
CONFIG = SessionConfig(system_id="bocau", password="s3cret", window=4)


def brought(sequence: int, message: DeliverSm | DataSm) -> Delivered:
    """What a session says of a message that came with a sequence number, the octets included."""
    command = Command.DATA_SM if isinstance(message, DataSm) else Command.DELIVER_SM
    (frame,) = Framer().feed(encode(Pdu(command, 0, sequence, message)))
    return Delivered(sequence, message, frame)


def open_link(config: SessionConfig = CONFIG) -> tuple[Session, Session]:
    """An ESME and an SMSC, connected and not bound."""
    return Session(config, Role.ESME, 0.0), Session(config, Role.SMSC, 0.0)


def carry(sender: Session, receiver: Session, now: float = 0.0) -> list[Event]:
    """Move what one end has to say to the other."""
    return receiver.receive(sender.data_to_send(), now)


def bound_link(config: SessionConfig = CONFIG) -> tuple[Session, Session]:
    """An ESME and an SMSC, bound."""
    esme, smsc = open_link(config)
    esme.start(0.0)
    (request,) = carry(esme, smsc)
    assert isinstance(request, BindRequested)
    smsc.accept_bind(request.sequence, "smsc")
    assert carry(smsc, esme) == [Bound("smsc", 0x34)]
    return esme, smsc


def say(session: Session, command: int, sequence: int, body: Body, status: int = 0) -> list[Event]:
    """Let a peer say one PDU to a session."""
    return session.receive(encode(Pdu(command, status, sequence, body)), 0.0)


def heard(session: Session) -> list[tuple[int, int, int]]:
    """(command, status, sequence) of all that a session queued."""
    return [(frame.command, frame.status, frame.sequence) for frame in Framer().feed(session.data_to_send())]


@pytest.mark.parametrize("mode", BindMode)
def test_a_bind_carries_the_credentials_and_binds_both_ends(mode: BindMode) -> None:
    """In each of the three modes."""
    config = SessionConfig(system_id="bocau", password="s3cret", system_type="VMA", mode=mode)
    esme, smsc = open_link(config)
    esme.start(0.0)
    (request,) = carry(esme, smsc)
    assert isinstance(request, BindRequested)
    assert request.mode is mode
    assert request.bind[:4] == ("bocau", "s3cret", "VMA", 0x34)
    assert esme.free_slots == smsc.free_slots == 0
    smsc.accept_bind(request.sequence, "smsc")
    assert carry(smsc, esme) == [Bound("smsc", 0x34)]
    assert esme.state is smsc.state is SessionState.BOUND
    assert (esme.free_slots > 0) is (mode is not BindMode.RECEIVER)
    assert (smsc.free_slots > 0) is (mode is not BindMode.TRANSMITTER)


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(Status.INVALID_PASSWORD, True), (Status.ALREADY_BOUND, False), (Status.SYSTEM_ERROR, False), (0x455, False)],
)
def test_a_refused_bind_ends_the_session_and_says_for_how_long(status: int, permanent: bool) -> None:
    """Permanent for wrong credentials, transient for the rest (F24)."""
    esme, smsc = open_link()
    esme.start(0.0)
    (request,) = carry(esme, smsc)
    assert isinstance(request, BindRequested)
    smsc.refuse_bind(request.sequence, status)
    assert carry(smsc, esme) == [BindRefused(status, permanent)]
    assert esme.state is SessionState.CLOSED
    assert smsc.state is SessionState.OPEN


def test_nothing_is_heard_behind_a_refusal() -> None:
    """The rest of the same bytes is left alone."""
    esme, _ = open_link()
    esme.start(0.0)
    esme.data_to_send()
    refusal = encode_bare(Command.BIND_TRANSCEIVER_RESP, Status.ALREADY_BOUND, 1)
    events = esme.receive(refusal + encode_bare(Command.ENQUIRE_LINK, 0, 1), 0.0)
    assert events == [BindRefused(Status.ALREADY_BOUND, False)]
    assert esme.data_to_send() == b""


def test_a_bind_that_is_nacked_is_refused() -> None:
    """Some carriers know no other way to say no."""
    esme, _ = open_link()
    esme.start(0.0)
    assert esme.receive(encode_bare(Command.GENERIC_NACK, 0, 1), 0.0) == [BindRefused(Status.UNKNOWN_ERROR, False)]


def test_a_bind_answer_that_cannot_be_read_binds_by_its_header() -> None:
    """An overlong system_id is no reason to stay away."""
    esme, _ = open_link()
    esme.start(0.0)
    octets = encode(Pdu(Command.BIND_TRANSCEIVER_RESP, 0, 1, MessageIdResp("")))[16:]
    body = b"x" * 300 + octets
    header = (16 + len(body)).to_bytes(4, "big") + encode_bare(Command.BIND_TRANSCEIVER_RESP, 0, 1)[4:]
    assert esme.receive(header + body, 0.0) == [Bound("", None)]
    assert esme.counters.bad_bodies == 1


def test_a_second_bind_on_a_bound_session_is_refused() -> None:
    """With ESME_RALYBND; the first stays."""
    esme, smsc = bound_link()
    esme.start(0.0)
    assert carry(esme, smsc) == []
    assert heard(smsc) == [(Command.BIND_TRANSCEIVER_RESP, Status.ALREADY_BOUND, 2)]
    assert smsc.state is SessionState.BOUND


def test_a_password_too_long_is_our_own_mistake() -> None:
    """It is refused before anything is sent."""
    esme = Session(SessionConfig(system_id="bocau", password="123456789"), Role.ESME, 0.0)
    with pytest.raises(FieldError):
        esme.start(0.0)


def test_the_configuration_does_not_show_its_password() -> None:
    """Neither in logs nor in tracebacks."""
    assert "s3cret" not in repr(CONFIG)


def test_a_message_goes_out_and_its_answer_brings_the_token_back() -> None:
    """The token is any object of the caller's."""
    esme, smsc = bound_link()
    token = object()
    sequence = esme.submit(SUBMIT, token, 0.0)
    assert (esme.free_slots, esme.outstanding) == (3, 1)
    assert carry(esme, smsc) == [Submitted(sequence, SUBMIT)]
    smsc.answer_submit(sequence, Status.OK, "4fa8c210")
    assert carry(smsc, esme) == [SubmitAnswered(token, Status.OK, "4fa8c210", False)]
    assert (esme.free_slots, esme.outstanding) == (4, 0)


def test_all_pdus_of_a_turn_go_out_in_one_write() -> None:
    """And nothing is said twice."""
    esme, smsc = bound_link()
    sequences = [esme.submit(SUBMIT, number, 0.0) for number in range(4)]
    assert carry(esme, smsc) == [Submitted(sequence, SUBMIT) for sequence in sequences]
    assert esme.data_to_send() == b""


@pytest.mark.parametrize("status", [Status.THROTTLED, Status.QUEUE_FULL, Status.INVALID_DESTINATION, 0x401, 0xFFFFFFFF])
def test_any_status_is_handed_on(status: int) -> None:
    """What it means is the status table's business (F25)."""
    esme, smsc = bound_link()
    smsc.answer_submit(esme.submit(SUBMIT, "a", 0.0), status, "")
    assert carry(smsc, esme) == [SubmitAnswered("a", status, "", False)]


def test_a_nacked_message_is_answered_with_an_error() -> None:
    """Even if the nack's status claims success."""
    esme, _ = bound_link()
    first, second = esme.submit(SUBMIT, "a", 0.0), esme.submit(SUBMIT, "b", 0.0)
    nacks = encode_bare(Command.GENERIC_NACK, Status.INVALID_COMMAND_ID, first)
    nacks += encode_bare(Command.GENERIC_NACK, 0, second)
    assert esme.receive(nacks, 0.0) == [
        SubmitAnswered("a", Status.INVALID_COMMAND_ID, "", False),
        SubmitAnswered("b", Status.UNKNOWN_ERROR, "", False),
    ]


def test_an_answer_with_an_unreadable_id_still_says_taken() -> None:
    """The header alone decides that."""
    esme, _ = bound_link()
    sequence = esme.submit(SUBMIT, "a", 0.0)
    body = b"x" * 300
    header = (16 + len(body)).to_bytes(4, "big") + encode_bare(Command.SUBMIT_SM_RESP, 0, sequence)[4:]
    assert esme.receive(header + body, 0.0) == [SubmitAnswered("a", 0, "", False)]
    assert esme.counters.bad_bodies == 1


def test_the_window_is_a_bound() -> None:
    """The fifth of four is refused and nothing is queued."""
    esme, _ = bound_link()
    for number in range(4):
        esme.submit(SUBMIT, number, 0.0)
    esme.data_to_send()
    assert esme.free_slots == 0
    with pytest.raises(WindowFull):
        esme.submit(SUBMIT, 5, 0.0)
    assert esme.data_to_send() == b""


def test_a_message_that_fits_no_pdu_takes_no_slot() -> None:
    """FieldError, and the session is as before."""
    esme, _ = bound_link()
    with pytest.raises(FieldError):
        esme.submit(SUBMIT._replace(short_message=b"x" * 255), "a", 0.0)
    assert (esme.free_slots, esme.data_to_send()) == (4, b"")


def test_no_message_goes_out_unbound_or_in_the_wrong_mode() -> None:
    """Not before the bind, not as a receiver, not to a transmitter, not after the end."""
    esme, smsc = open_link()
    with pytest.raises(NotBound):
        esme.submit(SUBMIT, "a", 0.0)
    receiver, _ = bound_link(SessionConfig(system_id="b", mode=BindMode.RECEIVER))
    with pytest.raises(NotBound):
        receiver.submit(SUBMIT, "a", 0.0)
    _, smsc = bound_link(SessionConfig(system_id="b", mode=BindMode.TRANSMITTER))
    with pytest.raises(NotBound):
        smsc.deliver(RECEIPT, "a", 0.0)


def test_an_answer_to_nothing_is_counted_and_ignored() -> None:
    """Unknown sequences, second answers, answers of another kind (F27)."""
    esme, smsc = bound_link()
    sequence = esme.submit(SUBMIT, "a", 0.0)
    assert say(esme, Command.SUBMIT_SM_RESP, 999, MessageIdResp("x")) == []
    assert esme.receive(encode_bare(Command.ENQUIRE_LINK_RESP, 0, sequence), 0.0) == []
    assert esme.receive(encode_bare(Command.UNBIND_RESP, 0, sequence), 0.0) == []
    assert esme.receive(encode_bare(Command.GENERIC_NACK, 3, 999), 0.0) == []
    assert esme.receive(encode_bare(Command.QUERY_SM_RESP, 0, sequence), 0.0) == []
    assert esme.receive(encode_bare(0x80001234, 0, sequence), 0.0) == []
    assert len(say(esme, Command.SUBMIT_SM_RESP, sequence, MessageIdResp("x"))) == 1
    assert say(esme, Command.SUBMIT_SM_RESP, sequence, MessageIdResp("y")) == []
    assert esme.counters.unknown_responses == 7
    assert say(smsc, Command.DELIVER_SM_RESP, 5, MessageIdResp()) == []
    assert smsc.counters.unknown_responses == 1
    assert heard(esme)[1:] == []


def test_a_receipt_is_answered_only_when_it_is_stored() -> None:
    """The session itself never answers a deliver_sm."""
    esme, smsc = bound_link()
    sequence = smsc.deliver(RECEIPT, "r", 0.0)
    assert carry(smsc, esme) == [brought(sequence, RECEIPT)]
    assert esme.data_to_send() == b""
    esme.answer_delivered(sequence, Status.TEMPORARY_APPLICATION_ERROR)
    assert carry(esme, smsc) == [DeliverAnswered("r", Status.TEMPORARY_APPLICATION_ERROR, False)]


def test_a_receipt_may_come_as_data_sm() -> None:
    """It is answered in kind; a deliver_sm is not."""
    esme, _ = bound_link()
    message = DataSm(esm_class=4, tlvs=((0x001E, b"1\0"),))
    assert say(esme, Command.DATA_SM, 7, message) == [brought(7, message)]
    assert say(esme, Command.DELIVER_SM, 8, RECEIPT) == [brought(8, RECEIPT)]
    esme.answer_delivered(8, 0)
    esme.answer_delivered(7, 0)
    assert heard(esme) == [(Command.DELIVER_SM_RESP, 0, 8), (Command.DATA_SM_RESP, 0, 7)]


def test_a_sequence_that_the_peer_uses_twice_is_delivered_twice() -> None:
    """Receipts commute and repeat harmlessly; none may be lost (F27)."""
    esme, _ = bound_link()
    for _ in range(2):
        assert say(esme, Command.DELIVER_SM, 7, RECEIPT) == [brought(7, RECEIPT)]
    for _ in range(2):
        esme.answer_delivered(7, 0)
    assert heard(esme) == [(Command.DELIVER_SM_RESP, 0, 7)] * 2


def test_requests_before_the_bind_are_refused() -> None:
    """With ESME_RINVBNDSTS, from either end; a link check is answered at any time."""
    esme, smsc = open_link()
    assert say(esme, Command.DELIVER_SM, 7, RECEIPT) == []
    assert say(esme, Command.DATA_SM, 8, DataSm()) == []
    assert say(smsc, Command.SUBMIT_SM, 7, SUBMIT) == []
    assert smsc.receive(encode_bare(Command.ENQUIRE_LINK, 0, 8), 0.0) == []
    assert heard(esme) == [
        (Command.DELIVER_SM_RESP, Status.INVALID_BIND_STATUS, 7),
        (Command.DATA_SM_RESP, Status.INVALID_BIND_STATUS, 8),
    ]
    assert heard(smsc) == [
        (Command.SUBMIT_SM_RESP, Status.INVALID_BIND_STATUS, 7),
        (Command.ENQUIRE_LINK_RESP, 0, 8),
    ]
    assert (esme.counters.out_of_state, smsc.counters.out_of_state) == (2, 1)


def test_messages_against_the_mode_are_refused() -> None:
    """A receiver does not submit, a transmitter is not delivered to."""
    _, smsc = bound_link(SessionConfig(system_id="b", mode=BindMode.RECEIVER))
    esme, _ = bound_link(SessionConfig(system_id="b", mode=BindMode.TRANSMITTER))
    assert say(smsc, Command.SUBMIT_SM, 7, SUBMIT) == []
    assert say(esme, Command.DELIVER_SM, 7, RECEIPT) == []
    assert heard(smsc) == [(Command.SUBMIT_SM_RESP, Status.INVALID_BIND_STATUS, 7)]
    assert heard(esme) == [(Command.DELIVER_SM_RESP, Status.INVALID_BIND_STATUS, 7)]


@pytest.mark.parametrize("command", [0x00010200, 0x7FFFFFFF, Command.QUERY_SM, Command.SUBMIT_SM])
def test_a_request_that_is_not_served_is_nacked(command: int) -> None:
    """An unknown command id, or one that makes no sense from this peer; the link lives."""
    esme, _ = bound_link()
    assert esme.receive(encode_bare(command, 0, 9), 0.0) == []
    assert heard(esme) == [(Command.GENERIC_NACK, Status.INVALID_COMMAND_ID, 9)]
    assert esme.counters.unknown_commands == 1
    assert esme.state is SessionState.BOUND


def test_outbind_and_alert_are_ignored() -> None:
    """Both have no answer and no meaning for us."""
    esme, _ = bound_link()
    assert say(esme, Command.OUTBIND, 1, Outbind("x", "y")) == []
    assert say(esme, Command.ALERT_NOTIFICATION, 2, AlertNotification()) == []
    assert (heard(esme), esme.counters.ignored) == ([], 2)


def test_a_bad_body_is_answered_and_the_link_lives() -> None:
    """With the answer of its own kind and the status of the field; what comes behind it is served."""
    esme, smsc = bound_link()
    whole = encode(Pdu(Command.DELIVER_SM, 0, 7, RECEIPT))
    cut = (len(whole) - 1).to_bytes(4, "big") + whole[4:-1]
    assert esme.receive(cut + whole, 0.0) == [brought(7, RECEIPT)]
    assert heard(esme) == [(Command.DELIVER_SM_RESP, Status.INVALID_MESSAGE_LENGTH, 7)]
    assert smsc.receive(encode_bare(Command.SUBMIT_SM, 0, 8), 0.0) == []
    assert heard(smsc) == [(Command.SUBMIT_SM_RESP, Status.INVALID_SERVICE_TYPE, 8)]
    assert (esme.counters.bad_bodies, smsc.counters.bad_bodies) == (1, 1)


def test_a_broken_frame_closes_the_session_after_what_came_before() -> None:
    """The good PDU is reported, then the end; nothing behind it is heard."""
    esme, _ = bound_link()
    esme.submit(SUBMIT, "a", 0.0)
    esme.data_to_send()
    events = esme.receive(encode(Pdu(Command.DELIVER_SM, 0, 7, RECEIPT)) + bytes(16), 0.0)
    assert events == [brought(7, RECEIPT), Closed("broken frame: command_length 0")]
    assert heard(esme) == [(Command.GENERIC_NACK, Status.INVALID_COMMAND_LENGTH, 0)]
    assert say(esme, Command.DELIVER_SM, 8, RECEIPT) == []
    esme.answer_delivered(7, 0)
    assert esme.data_to_send() == b""
    assert esme.connection_lost() == ["a"]
    assert esme.next_deadline() is None


def test_a_lost_connection_gives_back_every_open_token_once() -> None:
    """The answered are not among them."""
    esme, smsc = bound_link()
    for token in "abc":
        esme.submit(SUBMIT, token, 0.0)
    answered = carry(esme, smsc)[1]
    assert isinstance(answered, Submitted)
    smsc.answer_submit(answered.sequence, 0, "1")
    carry(smsc, esme)
    assert esme.connection_lost() == ["a", "c"]
    assert esme.connection_lost() == []
    assert esme.free_slots == 0


def test_our_unbind_waits_for_the_answers_that_are_due() -> None:
    """Answers before the unbind_resp, and behind it for the grace time, still count."""
    esme, smsc = bound_link()
    first, second = esme.submit(SUBMIT, "a", 0.0), esme.submit(SUBMIT, "b", 0.0)
    esme.unbind(0.0)
    with pytest.raises(NotBound):
        esme.submit(SUBMIT, "c", 0.0)
    *_, request = carry(esme, smsc)
    assert isinstance(request, UnbindRequested)
    smsc.answer_submit(first, 0, "1")
    smsc.answer_unbind(request.sequence, 0.0)
    assert carry(smsc, esme) == [SubmitAnswered("a", 0, "1", False)]
    assert esme.state is SessionState.DRAINING
    smsc.answer_submit(second, 0, "2")
    assert carry(smsc, esme) == [SubmitAnswered("b", 0, "2", False), Closed("unbound")]
    assert smsc.tick(0.0) == [Closed("peer unbound")]


def test_the_carrier_s_unbind_is_answered_and_drained() -> None:
    """Answer, drain responses for a grace time, the rest is uncertain (F23)."""
    esme, smsc = bound_link()
    first = esme.submit(SUBMIT, "a", 0.0)
    esme.submit(SUBMIT, "b", 0.0)
    carry(esme, smsc)
    smsc.unbind(0.0)
    assert carry(smsc, esme) == [PeerUnbound()]
    assert esme.free_slots == 0
    assert heard(esme) == [(Command.UNBIND_RESP, 0, 1)]
    smsc.answer_submit(first, 0, "1")
    assert carry(smsc, esme, 1.0) == [SubmitAnswered("a", 0, "1", False)]
    assert esme.next_deadline() == 5.0
    assert esme.tick(4.9) == []
    assert esme.tick(5.0) == [Closed("peer unbound")]
    assert esme.connection_lost() == ["b"]


def test_the_carrier_s_unbind_with_nothing_due_closes_at_once() -> None:
    """The answer is still to be written."""
    esme, smsc = bound_link()
    smsc.unbind(0.0)
    assert carry(smsc, esme) == [PeerUnbound(), Closed("peer unbound")]
    assert carry(esme, smsc) == [Closed("unbound")]


def test_an_unbind_waits_for_receipts_that_are_being_stored() -> None:
    """Their answers go out before the end."""
    esme, smsc = bound_link()
    sequence = smsc.deliver(RECEIPT, "r", 0.0)
    smsc.unbind(0.0)
    assert carry(smsc, esme) == [brought(sequence, RECEIPT), PeerUnbound()]
    esme.answer_delivered(sequence, 0)
    assert esme.next_deadline() == 0.0
    assert esme.tick(0.5) == [Closed("peer unbound")]
    assert carry(esme, smsc) == [DeliverAnswered("r", 0, False), Closed("unbound")]


def test_unbinds_that_cross_end_both_sessions() -> None:
    """Each answers the other's (F23)."""
    esme, smsc = bound_link()
    esme.unbind(0.0)
    smsc.unbind(0.0)
    from_esme, from_smsc = esme.data_to_send(), smsc.data_to_send()
    assert esme.receive(from_smsc, 0.0) == [PeerUnbound(), Closed("peer unbound")]
    (request,) = smsc.receive(from_esme, 0.0)
    assert isinstance(request, UnbindRequested)
    smsc.answer_unbind(request.sequence, 0.0)
    assert carry(esme, smsc) == [Closed("peer unbound")]


def test_an_unbind_that_is_nacked_is_an_end_too() -> None:
    """The carrier does not know the command; we leave all the same."""
    esme, _ = bound_link()
    esme.unbind(0.0)
    assert esme.receive(encode_bare(Command.GENERIC_NACK, Status.INVALID_COMMAND_ID, 2), 0.0) == [Closed("unbound")]


def test_a_nacked_deliver_is_answered_with_an_error() -> None:
    """The simulated carrier sees it like any refusal."""
    _, smsc = bound_link()
    sequence = smsc.deliver(RECEIPT, "r", 0.0)
    assert smsc.receive(encode_bare(Command.GENERIC_NACK, 3, sequence), 0.0) == [DeliverAnswered("r", 3, False)]


def test_a_query_to_the_carrier_is_nacked() -> None:
    """The simulated carrier serves submits, receipts and link checks."""
    _, smsc = bound_link()
    assert say(smsc, Command.QUERY_SM, 3, QuerySm("1")) == []
    assert heard(smsc) == [(Command.GENERIC_NACK, Status.INVALID_COMMAND_ID, 3)]


def test_answers_of_the_carrier_on_a_session_that_is_over_say_nothing() -> None:
    """A store that finishes after the link is no error."""
    _, smsc = bound_link()
    smsc.connection_lost()
    smsc.answer_submit(1, 0, "1")
    smsc.answer_unbind(1, 0.0)
    smsc.accept_bind(1, "x")
    smsc.refuse_bind(1, 5)
    smsc.unbind(0.0)
    assert (smsc.data_to_send(), smsc.tick(0.0)) == (b"", [])


def script(esme: Session, smsc: Session, cut: int) -> list[str]:
    """A whole life of a link, each transfer split after `cut` bytes; what both ends reported, in order."""
    told: list[str] = []

    def move(sender: Session, receiver: Session) -> list[Event]:
        data = sender.data_to_send()
        events = receiver.receive(data[:cut], 0.0) + receiver.receive(data[cut:], 0.0)
        told.extend(repr(event) for event in events)
        return events

    esme.start(0.0)
    for event in move(esme, smsc):
        assert isinstance(event, BindRequested)
        smsc.accept_bind(event.sequence, "smsc")
    move(smsc, esme)
    for number in range(3):
        esme.submit(SUBMIT, number, 0.0)
    for event in move(esme, smsc):
        assert isinstance(event, Submitted)
        smsc.answer_submit(event.sequence, 0, f"id{event.sequence}")
        smsc.deliver(RECEIPT, event.sequence, 0.0)
    for event in move(smsc, esme):
        if isinstance(event, Delivered):
            esme.answer_delivered(event.sequence, 0)
    esme.unbind(0.0)
    for event in move(esme, smsc):
        if isinstance(event, UnbindRequested):
            smsc.answer_unbind(event.sequence, 0.0)
    move(smsc, esme)
    return told


def test_a_life_told_at_every_split_of_the_bytes_is_the_same() -> None:
    """Bind, submits, receipts, unbind: where the bytes are cut means nothing."""
    whole = script(*open_link(), 1_000_000)
    assert [told.split("(")[0] for told in whole] == [
        *("BindRequested", "Bound", "Submitted", "Submitted", "Submitted"),
        *("SubmitAnswered", "Delivered") * 3,
        *("DeliverAnswered", "DeliverAnswered", "DeliverAnswered", "UnbindRequested", "Closed"),
    ]
    for cut in range(400):
        assert script(*open_link(), cut) == whole


def test_a_life_told_byte_by_byte_is_the_same() -> None:
    """Even one at a time."""
    esme, smsc = bound_link()
    sequences = [esme.submit(SUBMIT, number, 0.0) for number in range(3)]
    events = [event for octet in esme.data_to_send() for event in smsc.receive(bytes((octet,)), 0.0)]
    assert events == [Submitted(sequence, SUBMIT) for sequence in sequences]


@given(st.lists(st.binary(max_size=40), max_size=6), st.sampled_from(Role))
def test_no_bytes_make_a_session_raise(chunks: list[bytes], role: Role) -> None:
    """Garbage ends in events, answers and counters."""
    session = bound_link()[role is Role.SMSC]
    for chunk in chunks:
        session.receive(chunk, 0.0)
        session.data_to_send()


COMMANDS = [value for value in vars(Command).values() if isinstance(value, int)]


@given(st.lists(st.tuples(st.sampled_from(COMMANDS), st.integers(0, 5), st.binary(max_size=30))), st.sampled_from(Role))
def test_no_order_of_pdus_makes_a_session_raise_or_lose_a_token(pdus: list[tuple[int, int, bytes]], role: Role) -> None:
    """Every message ends in one answer or in the list of the lost."""
    esme, smsc = bound_link()
    session = esme if role is Role.ESME else smsc
    for token in range(3):
        if role is Role.ESME:
            esme.submit(SUBMIT, token, 0.0)
        else:
            smsc.deliver(RECEIPT, token, 0.0)
    ended: list[object] = []
    for command, sequence, body in pdus:
        octets = (16 + len(body)).to_bytes(4, "big") + encode_bare(command, 0, sequence)[4:] + body
        events = session.receive(octets, 0.0)
        ended += [event.token for event in events if isinstance(event, SubmitAnswered | DeliverAnswered)]
    assert sorted([*ended, *session.connection_lost()], key=str) == [0, 1, 2]
