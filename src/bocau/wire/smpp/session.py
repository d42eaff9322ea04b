"""An SMPP 3.4 session without sockets and clocks, for either end of the link.

The shell that owns the connection moves bytes and waits; what they mean is decided here. Three verbs are the seam:
`receive` takes bytes and gives events, `data_to_send` gives everything that is to be written, `tick` is told the time.
Every `now` is in monotonic seconds.
"""

import math
from collections.abc import Callable
from typing import Final

from bocau.wire.smpp.codec import (
    Frame,
    Framer,
    decode,
    decode_answer_id,
    decode_deliver_sm,
    decode_submit_sm,
    encode,
    encode_bare,
    encode_deliver_sm,
    encode_deliver_sm_resp,
    encode_submit_sm,
)
from bocau.wire.smpp.events import (
    BindMode,
    BindRefused,
    BindRequested,
    Bound,
    Closed,
    Counters,
    DeliverAnswered,
    Delivered,
    DeliverTimedOut,
    Event,
    NotBound,
    PeerUnbound,
    Role,
    SessionConfig,
    SessionState,
    SubmitAnswered,
    Submitted,
    SubmitTimedOut,
    UnbindRequested,
    WindowFull,
)
from bocau.wire.smpp.pdu import (
    COMMAND_NAMES,
    RESPONSE_BIT,
    BadBody,
    Bind,
    BindResp,
    BrokenFrame,
    Command,
    DataSm,
    DeliverSm,
    MessageIdResp,
    Pdu,
    SubmitSm,
)
from bocau.wire.smpp.status import Status, bind_refused_for_good
from bocau.wire.smpp.tlv import Tag, find_tlv, make_tlv
from bocau.wire.smpp.window import Window

__all__ = ["Session"]

_BIND_COMMANDS: Final[dict[BindMode, int]] = {
    BindMode.TRANSCEIVER: Command.BIND_TRANSCEIVER,
    BindMode.TRANSMITTER: Command.BIND_TRANSMITTER,
    BindMode.RECEIVER: Command.BIND_RECEIVER,
}
_BIND_MODES: Final[dict[int, BindMode]] = {command: mode for mode, command in _BIND_COMMANDS.items()}
# The mode in which each end may not send messages of its own.
_MUTE: Final[dict[Role, BindMode]] = {Role.ESME: BindMode.RECEIVER, Role.SMSC: BindMode.TRANSMITTER}
_NO_TIME: Final = math.inf
# Asked for every PDU; reading a member off its class costs many times as much.
_OPEN: Final = SessionState.OPEN
_BOUND: Final = SessionState.BOUND
_UNBINDING: Final = SessionState.UNBINDING
_DRAINING: Final = SessionState.DRAINING
_CLOSED: Final = SessionState.CLOSED
_TRANSMITTER: Final = BindMode.TRANSMITTER
_RECEIVER: Final = BindMode.RECEIVER
_VERSION_34: Final = 0x34


class Session:
    """One link, from the connection to its end. Not for use by two threads.

    `counters` is public; everything else goes through the methods.
    """

    __slots__ = (
        "_config",
        "_data_sms",
        "_deadline",
        "_due",
        "_ending",
        "_framer",
        "_handlers",
        "_heard",
        "_mode",
        "_mute",
        "_out",
        "_probe",
        "_role",
        "_seen",
        "_state",
        "_window",
        "counters",
    )

    def __init__(
        self, config: SessionConfig, role: Role, now: float, seen: Callable[[tuple[float, Frame]], None] | None = None
    ) -> None:
        """Begin on a fresh connection. An SMSC waits for a bind from here on; an ESME must be told to `start`.

        `seen` is shown every PDU that came, with its moment, before it is acted on.
        """
        self.counters = Counters()
        self._config = config
        self._role = role
        self._mute = _MUTE[role]
        self._mode = config.mode
        self._state = _OPEN
        self._framer = Framer()
        self._window = Window(config.window, config.first_sequence)
        self._handlers = _HANDLERS[role]
        self._seen = seen
        self._out: list[bytes] = []
        # Requests of the peer that wait for our answer, and the sequence numbers of the data_sm among them.
        self._due = 0
        self._data_sms: set[int] = set()
        self._heard = now
        # When an unanswered enquire_link means that the peer is gone.
        self._probe = _NO_TIME
        # When the state ends: a bind, an unbind or a drain takes only so long; and the reason for Closed then.
        self._deadline = now + config.bind_seconds if role is Role.SMSC else _NO_TIME
        self._ending = "no bind in time"

    @property
    def state(self) -> SessionState:
        """Where the session stands."""
        return self._state

    @property
    def free_slots(self) -> int:
        """How many messages may be sent now; 0 while the session is not bound for sending."""
        if self._state is not _BOUND or self._mode is self._mute:
            return 0
        return self._window.free

    @property
    def outstanding(self) -> int:
        """How many messages of ours are not answered, timed-out ones included."""
        return len(self._window)

    # What the shell asks for.

    def start(self, now: float) -> None:
        """ESME: queue the bind. Raises FieldError when a credential does not fit its field."""
        config = self._config
        command = _BIND_COMMANDS[config.mode]
        bind = Bind(
            config.system_id,
            config.password,
            config.system_type,
            config.interface_version,
            config.addr_ton,
            config.addr_npi,
            config.address_range,
        )
        self._out.append(encode(Pdu(command, 0, self._window.ask(command), bind)))
        self._deadline = now + config.bind_seconds
        self._ending = "bind not answered"

    def submit(self, submit: SubmitSm, token: object, now: float) -> int:
        """ESME: queue a message and return its sequence number; `token` comes back in its answer.

        Raises WindowFull, NotBound, or FieldError for a value that fits no PDU; nothing is queued then.
        """
        sequence = self._sequence()
        self._out.append(encode_submit_sm(sequence, submit))
        self._window.hold(sequence, token, now)
        return sequence

    def deliver(self, deliver: DeliverSm, token: object, now: float) -> int:
        """SMSC: queue a message or receipt for the peer; as `submit` in all else."""
        sequence = self._sequence()
        self._out.append(encode_deliver_sm(sequence, deliver))
        self._window.hold(sequence, token, now)
        return sequence

    def answer_delivered(self, sequence: int, status: int) -> None:
        """ESME: answer a Delivered, once it is stored. Does nothing on a session that is over."""
        if self._state is _CLOSED:
            return
        if sequence in self._data_sms:
            self._data_sms.discard(sequence)
            self._out.append(encode(Pdu(Command.DATA_SM_RESP, status, sequence, MessageIdResp())))
        else:
            self._out.append(encode_deliver_sm_resp(status, sequence))
        self._answered_one()

    def answer_submit(self, sequence: int, status: int, message_id: str) -> None:
        """SMSC: answer a Submitted. Does nothing on a session that is over. Raises FieldError for an overlong id."""
        if self._state is _CLOSED:
            return
        self._out.append(encode(Pdu(Command.SUBMIT_SM_RESP, status, sequence, MessageIdResp(message_id))))
        self._answered_one()

    def accept_bind(self, sequence: int, system_id: str) -> None:
        """SMSC: answer a BindRequested with success. Raises FieldError for a system_id beyond 15 octets."""
        if self._state is not _OPEN:
            return
        tlvs = (make_tlv(Tag.SC_INTERFACE_VERSION, _VERSION_34),)
        command = _BIND_COMMANDS[self._mode] | RESPONSE_BIT
        self._out.append(encode(Pdu(command, Status.OK, sequence, BindResp(system_id, tlvs))))
        self._state = _BOUND
        self._deadline = _NO_TIME

    def refuse_bind(self, sequence: int, status: int) -> None:
        """SMSC: answer a BindRequested with an error; the peer may try again until the bind time is over."""
        if self._state is _OPEN:
            self._out.append(encode_bare(_BIND_COMMANDS[self._mode] | RESPONSE_BIT, status, sequence))

    def answer_unbind(self, sequence: int, now: float) -> None:
        """SMSC: answer an UnbindRequested; Closed follows once nothing is due, or after the grace time."""
        if self._state is not _CLOSED:
            self._out.append(encode_bare(Command.UNBIND_RESP, Status.OK, sequence))
            self._drain(now, "peer unbound")

    def unbind(self, now: float) -> None:
        """End the session in order: no more messages go out, answers are awaited, Closed follows.

        A session that is not bound has nothing to end and closes at the next tick.
        """
        if self._state is _BOUND:
            self._out.append(encode_bare(Command.UNBIND, 0, self._window.ask(Command.UNBIND)))
            self._state = _UNBINDING
            self._deadline = now + self._config.unbind_seconds
            self._ending = "unbind not answered"
        elif self._state is _OPEN:
            self._state = _DRAINING
            self._deadline = now
            self._ending = "not bound"

    def probe(self, now: float) -> None:
        """Ask the peer for a sign of life now; `probing` ends with anything that comes. Only while it is bound."""
        if self._state is _BOUND:
            self._send_probe(now)

    @property
    def probing(self) -> bool:
        """A sign of life was asked for, and nothing has come since."""
        return self._probe != _NO_TIME

    def connection_lost(self) -> list[object]:
        """The connection is gone: the tokens of all messages without an answer, uncertain from now on. Then []."""
        self._state = _CLOSED
        self._out.clear()
        return self._window.drop()

    @property
    def queued(self) -> list[bytes]:
        """The PDUs that the next `data_to_send` gives, one by one. Not to be changed."""
        return self._out

    def data_to_send(self) -> bytes:
        """Everything queued since the last call, to be written at once."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    # Bytes in.

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take bytes, cut anywhere, and return what they mean. Never raises for what a peer sends."""
        events: list[Event] = []
        if self._closed():
            return events
        handlers, seen = self._handlers, self._seen
        try:
            for frame in self._framer.feed(data):
                if seen is not None:
                    seen((now, frame))
                if self._closed():
                    break
                self._heard = now
                self._probe = _NO_TIME
                handler = handlers.get(frame[0])
                if handler is None:
                    self._on_unserved(frame)
                    continue
                try:
                    handler(self, frame, now, events)
                except BadBody as bad:
                    self._on_bad_body(bad)
        except BrokenFrame as broken:
            self._out.append(encode_bare(Command.GENERIC_NACK, Status.INVALID_COMMAND_LENGTH, 0))
            self._close(f"broken frame: {broken}", events)
        self._close_when_drained(events)
        return events

    def _on_submit_sm_resp(self, frame: Frame, _now: float, events: list[Event]) -> None:
        settled = self._settle(frame)
        if settled is None:
            return
        token, late = settled
        try:
            message_id = decode_answer_id(frame)
        except BadBody:
            # The header alone says whether the message was taken.
            self.counters.bad_bodies += 1
            message_id = ""
        events.append(SubmitAnswered(token, frame[1], message_id, late))

    def _on_deliver_sm(self, frame: Frame, _now: float, events: list[Event]) -> None:
        if self._may_hear(frame, _TRANSMITTER):
            message = decode_deliver_sm(frame)
            self._due += 1
            events.append(Delivered(frame[2], message, frame))

    def _on_data_sm(self, frame: Frame, _now: float, events: list[Event]) -> None:
        if self._may_hear(frame, _TRANSMITTER):
            message = decode(frame).body
            if isinstance(message, DataSm):
                self._due += 1
                self._data_sms.add(frame.sequence)
                events.append(Delivered(frame.sequence, message, frame))

    def _on_submit_sm(self, frame: Frame, _now: float, events: list[Event]) -> None:
        if self._may_hear(frame, _RECEIVER):
            submit = decode_submit_sm(frame)
            self._due += 1
            events.append(Submitted(frame[2], submit))

    def _on_deliver_sm_resp(self, frame: Frame, _now: float, events: list[Event]) -> None:
        settled = self._settle(frame)
        if settled is not None:
            events.append(DeliverAnswered(settled[0], frame[1], settled[1]))

    def _on_bind(self, frame: Frame, _now: float, events: list[Event]) -> None:
        bind = decode(frame).body
        if self._state is not _OPEN:
            self._out.append(encode_bare(frame.command | RESPONSE_BIT, Status.ALREADY_BOUND, frame.sequence))
        elif isinstance(bind, Bind):
            self._mode = _BIND_MODES[frame.command]
            events.append(BindRequested(frame.sequence, self._mode, bind))

    def _on_bind_resp(self, frame: Frame, _now: float, events: list[Event]) -> None:
        if not self._settle_control(frame, frame.command & ~RESPONSE_BIT) or self._state is not _OPEN:
            return
        if frame.status:
            self._refused(frame.status, events)
            return
        self._state = _BOUND
        self._deadline = _NO_TIME
        try:
            answer = decode(frame).body
        except BadBody:
            self.counters.bad_bodies += 1
            answer = BindResp()
        if isinstance(answer, BindResp):
            version = find_tlv(answer.tlvs, Tag.SC_INTERFACE_VERSION)
            events.append(Bound(answer.system_id, version[0] if version else None))

    def _on_unbind(self, frame: Frame, now: float, events: list[Event]) -> None:
        if self._role is Role.SMSC:
            events.append(UnbindRequested(frame.sequence))
            return
        self._out.append(encode_bare(Command.UNBIND_RESP, Status.OK, frame.sequence))
        events.append(PeerUnbound())
        self._drain(now, "peer unbound")

    def _on_unbind_resp(self, frame: Frame, now: float, _events: list[Event]) -> None:
        if self._settle_control(frame, Command.UNBIND) and self._state is _UNBINDING:
            self._drain(now, "unbound")

    def _on_enquire_link(self, frame: Frame, _now: float, _events: list[Event]) -> None:
        self._out.append(encode_bare(Command.ENQUIRE_LINK_RESP, Status.OK, frame.sequence))

    def _on_enquire_link_resp(self, frame: Frame, _now: float, _events: list[Event]) -> None:
        self._settle_control(frame, Command.ENQUIRE_LINK)

    def _on_generic_nack(self, frame: Frame, now: float, events: list[Event]) -> None:
        # A refusal must not read as a success, whatever its sender put into the status.
        status = frame.status or Status.UNKNOWN_ERROR
        asked = self._window.asked(frame.sequence)
        if asked is None:
            settled = self._settle(frame)
            if settled is not None:
                token, late = settled
                esme = self._role is Role.ESME
                events.append(SubmitAnswered(token, status, "", late) if esme else DeliverAnswered(token, status, late))
            return
        self._window.settle_control(frame.sequence, asked)
        if asked in _BIND_MODES and self._state is _OPEN:
            self._refused(status, events)
        elif asked == Command.UNBIND and self._state is _UNBINDING:
            self._drain(now, "unbound")

    def _on_ignored(self, _frame: Frame, _now: float, _events: list[Event]) -> None:
        self.counters.ignored += 1

    def _on_unserved(self, frame: Frame) -> None:
        if frame.command & RESPONSE_BIT:
            self.counters.unknown_responses += 1
        else:
            self.counters.unknown_commands += 1
            self._out.append(encode_bare(Command.GENERIC_NACK, Status.INVALID_COMMAND_ID, frame.sequence))

    def _on_bad_body(self, bad: BadBody) -> None:
        self.counters.bad_bodies += 1
        if not bad.command & RESPONSE_BIT:
            self._refuse(bad.command, bad.sequence, bad.status)

    # Time.

    def tick(self, now: float) -> list[Event]:
        """Act on what is due at this time. Call it at `next_deadline`; at any other time it does no harm."""
        events: list[Event] = []
        if self._state is _CLOSED:
            return events
        if now >= self._deadline:
            self._close(self._ending, events)
        elif now >= self._probe:
            self._close("enquire_link not answered", events)
        else:
            timed_out = SubmitTimedOut if self._role is Role.ESME else DeliverTimedOut
            overdue = self._window.expire(now, self._config.response_seconds)
            events += [timed_out(token) for token in overdue]
            silent = now >= self._heard + self._config.enquire_seconds
            if (overdue or silent) and self._state is _BOUND and self._probe == _NO_TIME:
                self._send_probe(now)
        return events

    def next_deadline(self) -> float | None:
        """When `tick` is to be called next, in monotonic seconds; None when no time is awaited. May lie in the past."""
        if self._state is _CLOSED:
            return None
        soonest = min(self._deadline, self._probe)
        oldest = self._window.oldest()
        if oldest is not None:
            soonest = min(soonest, oldest + self._config.response_seconds)
        if self._state is _BOUND and self._probe == _NO_TIME:
            soonest = min(soonest, self._heard + self._config.enquire_seconds)
        return None if soonest == _NO_TIME else soonest

    def _send_probe(self, now: float) -> None:
        self._out.append(encode_bare(Command.ENQUIRE_LINK, 0, self._window.ask(Command.ENQUIRE_LINK)))
        self._probe = now + self._config.response_seconds
        self.counters.probes += 1

    # The steps that the above share.

    def _sequence(self) -> int:
        if self._state is not _BOUND or self._mode is self._mute:
            raise NotBound(f"{self._state.value} as {self._mode.value}")
        if self._window.free < 1:
            raise WindowFull(f"{len(self._window)} messages wait for their answers")
        return self._window.next_sequence()

    def _settle(self, frame: Frame) -> tuple[object, bool] | None:
        settled = self._window.settle(frame[2])
        if settled is None:
            self.counters.unknown_responses += 1
        elif settled[1]:
            self.counters.late_answers += 1
        return settled

    def _settle_control(self, frame: Frame, command: int) -> bool:
        known = self._window.settle_control(frame.sequence, command)
        self.counters.unknown_responses += not known
        return known

    def _may_hear(self, frame: Frame, mute: BindMode) -> bool:
        """Whether the peer may send a message now: refuse it otherwise. Until the end of a drain it may."""
        if self._state is not _OPEN and self._mode is not mute:
            return True
        self.counters.out_of_state += 1
        self._refuse(frame.command, frame.sequence, Status.INVALID_BIND_STATUS)
        return False

    def _refuse(self, command: int, sequence: int, status: int) -> None:
        if command == Command.DELIVER_SM:
            self._out.append(encode_deliver_sm_resp(status, sequence))
        else:
            response = command | RESPONSE_BIT
            known = response in COMMAND_NAMES
            self._out.append(encode_bare(response if known else Command.GENERIC_NACK, status, sequence))

    def _refused(self, status: int, events: list[Event]) -> None:
        self._state = _CLOSED
        events.append(BindRefused(status, bind_refused_for_good(status)))

    def _answered_one(self) -> None:
        self._due -= 1
        if self._state is _DRAINING and self._drained():
            self._deadline = self._heard

    def _drain(self, now: float, reason: str) -> None:
        """Take no more work, wait for what is due either way, then close for this reason."""
        already = self._state in (_UNBINDING, _DRAINING)
        deadline = (
            min(self._deadline, now + self._config.unbind_seconds) if already else now + self._config.unbind_seconds
        )
        self._state = _DRAINING
        self._deadline = now if self._drained() else deadline
        self._ending = reason

    def _drained(self) -> bool:
        return self._due <= 0 and len(self._window) == 0

    def _closed(self) -> bool:
        return self._state is _CLOSED

    def _close_when_drained(self, events: list[Event]) -> None:
        if self._state is _DRAINING and self._drained():
            self._close(self._ending, events)

    def _close(self, reason: str, events: list[Event]) -> None:
        if self._state is not _CLOSED:
            self._state = _CLOSED
            events.append(Closed(reason))


_Handler = Callable[[Session, Frame, float, list[Event]], None]
_BOTH: Final[dict[int, _Handler]] = {
    Command.UNBIND: Session._on_unbind,
    Command.UNBIND_RESP: Session._on_unbind_resp,
    Command.ENQUIRE_LINK: Session._on_enquire_link,
    Command.ENQUIRE_LINK_RESP: Session._on_enquire_link_resp,
    Command.GENERIC_NACK: Session._on_generic_nack,
}
_HANDLERS: Final[dict[Role, dict[int, _Handler]]] = {
    Role.ESME: {
        **_BOTH,
        Command.SUBMIT_SM_RESP: Session._on_submit_sm_resp,
        Command.DELIVER_SM: Session._on_deliver_sm,
        Command.DATA_SM: Session._on_data_sm,
        Command.BIND_TRANSMITTER_RESP: Session._on_bind_resp,
        Command.BIND_RECEIVER_RESP: Session._on_bind_resp,
        Command.BIND_TRANSCEIVER_RESP: Session._on_bind_resp,
        Command.OUTBIND: Session._on_ignored,
        Command.ALERT_NOTIFICATION: Session._on_ignored,
    },
    Role.SMSC: {
        **_BOTH,
        Command.SUBMIT_SM: Session._on_submit_sm,
        Command.DELIVER_SM_RESP: Session._on_deliver_sm_resp,
        Command.BIND_TRANSMITTER: Session._on_bind,
        Command.BIND_RECEIVER: Session._on_bind,
        Command.BIND_TRANSCEIVER: Session._on_bind,
    },
}
