"""What a session is told at its start and what it says: its configuration, its events and its counters."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from msgspec import Struct

from bocau.wire.smpp.codec import Frame
from bocau.wire.smpp.pdu import Bind, DataSm, DeliverSm, SubmitSm

__all__ = [
    "BindMode",
    "BindRefused",
    "BindRequested",
    "Bound",
    "Closed",
    "Counters",
    "DeliverAnswered",
    "DeliverTimedOut",
    "Delivered",
    "Event",
    "NotBound",
    "PeerUnbound",
    "Role",
    "SessionConfig",
    "SessionState",
    "SubmitAnswered",
    "SubmitTimedOut",
    "Submitted",
    "UnbindRequested",
    "WindowFull",
]


class Role(Enum):
    """Which end of the link a session is."""

    ESME = "esme"
    """The client: binds and submits."""
    SMSC = "smsc"
    """The carrier: accepts binds and delivers."""


class BindMode(Enum):
    """Which way messages may go over a bind (SMPP 3.4, 2.2)."""

    TRANSCEIVER = "transceiver"
    TRANSMITTER = "transmitter"
    RECEIVER = "receiver"


class SessionState(Enum):
    """Where a session stands (SMPP 3.4, 2.2, with the unbinding told apart)."""

    OPEN = "open"
    """Connected; not bound yet, or the bind is not answered yet."""
    BOUND = "bound"
    UNBINDING = "unbinding"
    """We asked to unbind and wait for the answer."""
    DRAINING = "draining"
    """Unbound; answers that are still due are taken for the grace time."""
    CLOSED = "closed"
    """Nothing more is said or heard; the connection is to be closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfig:
    """How one link behaves. All times are in seconds; `math.inf` turns a time-out off."""

    system_id: str
    password: str = ""
    system_type: str = ""
    mode: BindMode = BindMode.TRANSCEIVER
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""
    window: int = 10
    """The most requests of ours that may wait for an answer: submits of an ESME, delivers of an SMSC."""
    response_seconds: float = 10.0
    """How long an answer to a submit, a deliver or an enquire_link is awaited."""
    enquire_seconds: float = 30.0
    """How long the peer may be silent before it is asked for a sign of life."""
    bind_seconds: float = 10.0
    """ESME: how long the answer to the bind is awaited. SMSC: how long a peer may stay unbound."""
    unbind_seconds: float = 5.0
    """How long an unbind may take, the answers that are still due included."""
    first_sequence: int = 1
    """The sequence number of the first request, 1 to 0x7FFFFFFF."""

    def __repr__(self) -> str:
        """Name the link without its password."""
        return f"SessionConfig(system_id={self.system_id!r}, mode={self.mode.value}, window={self.window})"


@dataclass(slots=True)
class Counters:
    """What a session saw and passed over. Counts since the session began."""

    unknown_responses: int = 0
    """Answers to nothing that is outstanding; duplicates of an answer among them (fault F27)."""
    unknown_commands: int = 0
    """Requests that this end does not serve, answered with generic_nack."""
    bad_bodies: int = 0
    """PDUs whose body made no sense."""
    out_of_state: int = 0
    """Requests that may not be made in the state of the session, refused with ESME_RINVBNDSTS."""
    ignored: int = 0
    """PDUs that need no answer and mean nothing to us: outbind, alert_notification."""
    late_answers: int = 0
    """Answers that came after their time-out (fault F21)."""
    probes: int = 0
    """enquire_link requests that we sent."""


class WindowFull(RuntimeError):  # noqa: N818 - named for what happened
    """As many requests as the window allows are waiting for their answers."""


class NotBound(RuntimeError):  # noqa: N818 - named for what happened
    """The session is not bound, or not in a mode that allows this."""


class Bound(NamedTuple):
    """ESME: the bind was accepted. `interface_version` is the carrier's, when it told one."""

    system_id: str
    interface_version: int | None


class BindRefused(NamedTuple):
    """ESME: the bind was refused; the session is closed and no Closed follows. `permanent`: a person must act (F24)."""

    status: int
    permanent: bool


class SubmitAnswered(Struct, frozen=True, gc=False):
    """ESME: a submit was answered. `late`: after its SubmitTimedOut. The id is "" where the carrier gave none."""

    token: object
    status: int
    message_id: str
    late: bool


class SubmitTimedOut(NamedTuple):
    """ESME: a submit is not answered in time: uncertain. Its slot stays taken until an answer or the link's end."""

    token: object


class Delivered(Struct, frozen=True, gc=False):
    """ESME: the carrier handed over a message or a receipt; it waits for `Session.answer_delivered`."""

    sequence: int
    message: DeliverSm | DataSm
    frame: Frame
    """As it came: what is kept is kept whole, even where it could not be written again by our own rules."""


class PeerUnbound(NamedTuple):
    """ESME: the carrier unbound, and was answered; submit no more. Closed follows when the answers due are in (F23)."""


class Closed(NamedTuple):
    """The session is over: write what `data_to_send` still holds, then close the connection."""

    reason: str


class BindRequested(NamedTuple):
    """SMSC: a peer wants to bind; waits for `accept_bind` or `refuse_bind`."""

    sequence: int
    mode: BindMode
    bind: Bind


class Submitted(NamedTuple):
    """SMSC: a message came; waits for `answer_submit`."""

    sequence: int
    submit: SubmitSm


class DeliverAnswered(NamedTuple):
    """SMSC: the peer answered a deliver."""

    token: object
    status: int
    late: bool


class DeliverTimedOut(NamedTuple):
    """SMSC: a deliver is not answered in time."""

    token: object


class UnbindRequested(NamedTuple):
    """SMSC: the peer wants to unbind; waits for `answer_unbind`."""

    sequence: int


Event = (
    Bound
    | BindRefused
    | SubmitAnswered
    | SubmitTimedOut
    | Delivered
    | PeerUnbound
    | Closed
    | BindRequested
    | Submitted
    | DeliverAnswered
    | DeliverTimedOut
    | UnbindRequested
)
"""Anything that a session reports."""
