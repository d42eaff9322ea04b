"""What is asked of the call engine, and what it tells: orders, events, results."""

from enum import Enum
from typing import NamedTuple

from bocau.core.call import Rung
from bocau.wire.rtp.g711 import SAMPLES_PER_SECOND
from bocau.wire.sip.sdp import Codec

__all__ = [
    "NO_MEDIA",
    "Answered",
    "CallEvent",
    "CallLimits",
    "CallOrder",
    "CallResult",
    "CallStatus",
    "Ended",
    "KeyPressed",
    "MediaCounters",
    "Retry",
    "Ringing",
    "Side",
    "Utterance",
]


class CallStatus(Enum):
    """The four outcomes of a call."""

    ANSWERED = "ANSWERED"
    BUSY = "BUSY"
    NO_ANSWER = "NO ANSWER"
    FAILED = "FAILED"


class Retry(Enum):
    """What may be done about a call that did not succeed."""

    NONE = "none"
    """Nothing: it was answered, or the callee cannot be reached by calling again."""
    LATER = "later"
    """Once more after 30 s, while the code lives."""
    NEXT_TRUNK = "next trunk"
    """At once over another trunk; this one is wrongly set up and somebody must look at it."""
    NEXT_TRUNK_BACK_OFF = "next trunk, back-off"
    """At once over another trunk; when none is left, after a wait."""


class Side(Enum):
    """Who ended a call that was answered."""

    NOBODY = "nobody"
    """It was not answered."""
    CALLER = "caller"
    CALLEE = "callee"


class Utterance(NamedTuple):
    """What is said, by both laws of G.711, ready for the wire. Equally long."""

    alaw: bytes
    ulaw: bytes

    def octets(self, codec: Codec) -> bytes:
        """The prompt in this codec."""
        return self.alaw if codec is Codec.PCMA else self.ulaw

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return len(self.alaw) / SAMPLES_PER_SECOND

    def __repr__(self) -> str:
        """Without what it says (promises S1)."""
        return f"Utterance({self.seconds:.1f} s)"


class CallLimits(NamedTuple):
    """Deadlines of one call, in seconds, and how often the prompt may be heard again."""

    start: float = 10.0
    """For a free line, before the first INVITE."""
    provisional: float = 5.0
    """For any answer at all to the INVITE."""
    ring: float = 30.0
    """From the INVITE to the answer."""
    listen: float = 5.0
    """For a key after something was said."""
    margin: float = 15.0
    """Beyond the length of what is being said."""
    talk: float = 60.0
    """From the answer to our BYE."""
    closing: float = 4.0
    """For the peer to confirm the end."""
    whole: float = 90.0
    """From the INVITE to the end, whatever happens (promises section 3)."""
    repeats: int = 3
    """How often key 1 plays the prompt again."""


class CallOrder(NamedTuple):
    """One call to be placed."""

    call_id: str
    """The caller's own name for it; comes back in every report. Must not be in use."""
    number: str
    """E.164 in ASCII digits, without a plus sign."""
    prompt: Utterance
    greeting: Utterance | None = None
    """If given, it is said first, and the prompt only after key 1: a code is not told to a mailbox."""
    limits: CallLimits = CallLimits()

    def __repr__(self) -> str:
        """Without number and prompt (promises S1)."""
        return f"CallOrder({self.call_id})"


class MediaCounters(NamedTuple):
    """What went over the audio path of a call."""

    sent: int = 0
    """RTP packets."""
    received: int = 0
    lost: int = 0
    """Packets of the peer that did not come."""
    jitter_ms: int = 0
    strangers: int = 0
    """Packets from elsewhere than the negotiated host; dropped."""
    unreadable: int = 0
    far_lost_percent: int | None = None
    """What the peer's last RTCP report says of our packets; None without one."""

    @property
    def one_way(self) -> bool:
        """We spoke and nothing at all came back: the audio, or its way back, is cut."""
        return self.sent > 0 and self.received == 0


NO_MEDIA = MediaCounters()
"""Of a call that was not answered."""


class CallResult(NamedTuple):
    """How a call ended."""

    status: CallStatus
    retry: Retry
    sip_status: int
    """The final status; 0 if none came."""
    cause: int
    """Q.850 cause, 0 without one."""
    reason: str
    """For people; holds no number and no code."""
    trunk: str
    """Name of the last trunk tried; empty if none was."""
    trunks: int
    """How many were tried."""
    duration_seconds: int
    """Whole seconds from answer to end, rounded up; 0 unless ANSWERED."""
    hung_up_by: Side
    keys: str
    plays: int
    """How often the prompt was begun."""
    retry_after_seconds: int
    """What the trunk asked for, 0 if it did not."""
    media: MediaCounters
    sip_call_id: str = ""
    """Call-ID of the last INVITE; empty if none was sent."""
    ladder: tuple[Rung, ...] = ()
    """Every SIP message of the call, over all trunks."""
    caller: str = ""
    """The number that it was made from; empty if the trunk was not told one."""


class Ringing(NamedTuple):
    """The callee's phone rings."""

    call_id: str


class Answered(NamedTuple):
    """The callee took the call."""

    call_id: str
    trunk: str
    sip_call_id: str = ""


class KeyPressed(NamedTuple):
    """The callee pressed a key."""

    call_id: str
    key: str


class Ended(NamedTuple):
    """The call is over. The last event of a call, exactly once."""

    call_id: str
    result: CallResult


CallEvent = Ringing | Answered | KeyPressed | Ended
