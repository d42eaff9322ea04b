"""What an outgoing call is told at its start and what it says."""

from collections.abc import Callable
from typing import NamedTuple

from bocau.wire.sip.dialog import Hop
from bocau.wire.sip.digest import Credentials
from bocau.wire.sip.message import Header
from bocau.wire.sip.sdp import LocalMedia, RemoteMedia
from bocau.wire.sip.transaction import Timers

__all__ = [
    "Answered",
    "CallEvent",
    "CallSetup",
    "HungUp",
    "MediaChanged",
    "Outgoing",
    "Over",
    "Progress",
    "Refused",
    "Unanswered",
    "Unusable",
]


class CallSetup(NamedTuple):
    """Everything about one call that its caller decides."""

    call_id: str
    unique: str
    """Unguessable text, a token, new for each call: tag, branches and cnonces are made of it."""
    uri: str
    """The Request-URI."""
    caller: str
    """From, without a tag."""
    callee: str
    """To."""
    contact: str
    """Contact, in angle brackets."""
    via: str
    """Transport and sent-by, as `UDP 192.0.2.1:5060`."""
    media: LocalMedia
    media_allowed: Callable[[str], bool]
    """Whether audio may go to this host."""
    credentials: Credentials | None = None
    extra: tuple[Header, ...] = ()
    """More headers of the INVITE, such as Route and P-Asserted-Identity."""
    reliable: bool = False
    """Whether the transport is TCP or TLS."""
    timers: Timers = Timers()
    user_agent: str = "bocau"


class Outgoing(NamedTuple):
    """One message to be sent."""

    data: bytes
    hop: Hop | None
    """Where it belongs by the book; None for the trunk itself."""


class Progress(NamedTuple):
    """A provisional answer of the INVITE."""

    status: int
    reason: str
    early_media: bool
    """It describes audio that comes before the call is answered. Nothing is played into it."""


class Answered(NamedTuple):
    """The callee took the call, and the ACK is queued."""

    media: RemoteMedia


class Refused(NamedTuple):
    """A final answer other than 2xx that nothing more can be done about: the call is over."""

    status: int
    reason: str
    cause: int
    """Q.850 cause, 0 without one."""
    retry_after_seconds: int
    """0: none was named."""


class Unanswered(NamedTuple):
    """No final answer came and none is awaited any more: the call is over."""

    why: str


class Unusable(NamedTuple):
    """The call was answered, but in a way that we cannot go on with; we hang up. Over follows."""

    why: str


class MediaChanged(NamedTuple):
    """The peer moved the audio, put us on hold, or took us back."""

    media: RemoteMedia


class HungUp(NamedTuple):
    """The callee ended the call: it is over."""

    cause: int
    """Q.850 cause, 0 without one."""


class Over(NamedTuple):
    """The end that we asked for is known to the peer, or was waited for long enough."""

    why: str


CallEvent = Progress | Answered | Refused | Unanswered | Unusable | MediaChanged | HungUp | Over
