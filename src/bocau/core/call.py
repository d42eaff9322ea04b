"""What is remembered of a call."""

import zlib
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

__all__ = ["LOST", "CallRecord", "CallTold", "Manner", "Playing", "Press", "Rung", "pack_ladder", "unpack_ladder"]

LOST = "LOST"
"""Status of a call whose process died: nobody knows how it ended."""


class Playing(NamedTuple):
    """The recording that a call plays instead of saying a code."""

    rate: int
    """Samples a second."""
    samples: bytes
    """16-bit little-endian, one channel."""


class Manner(NamedTuple):
    """How a call is to speak (esms-api 4.1)."""

    playing: Playing | None = None
    """None: it says the code of its message."""
    voice: str = ""
    """Of the documented ones; empty: the operator's choice."""
    speed: int = 0
    """-3, slow, to 3."""


class CallRecord(NamedTuple):
    """One call, once it has ended. The fields are the columns of the table `call_record`, in order."""

    message_id: int
    number: int
    """Which try of the message it was."""
    account_id: int
    status: str
    """ANSWERED, BUSY, NO ANSWER, FAILED or LOST."""
    trunk: str
    """The last one tried; empty if none was."""
    trunks: int
    """How many were tried."""
    sip_call_id: str
    sip_status: int
    """0: no final answer came."""
    cause: int
    """Q.850, 0 without one."""
    reason: str
    """For people; holds no number and no code."""
    duration_seconds: int
    """From the answer to the end, rounded up; 0 unless answered."""
    hung_up_by: str
    """caller (we), callee or nobody."""
    keys: str
    """What the callee pressed."""
    plays: int
    """How often the prompt was begun."""
    packets_sent: int
    packets_received: int
    packets_lost: int
    jitter_ms: int
    begun_ms: int
    rang_ms: int | None
    answered_ms: int | None
    ended_ms: int
    caller: str = ""
    """The number that the call was made from, as the trunk was told; empty if none was."""


class Press(NamedTuple):
    """Which keys a call offers, where its route says so. None: as the settings of the voice do."""

    to_hear: bool | None = None
    """The code is said only after key 1."""
    to_repeat: bool | None = None
    """The prompt ends with the words that key 1 plays it again."""


class CallTold(NamedTuple):
    """What the callback of a message of type 8 tells of its last call. Without a call all is empty."""

    asked: bool
    """It was asked for by an operation for calls (esms-api 4.1), not by a send of type 8."""
    status: str
    duration_seconds: int
    keys: str
    caller: str


class Rung(NamedTuple):
    """One SIP message of a call. A call's rungs in order are its ladder."""

    at_ms: int
    sent: bool
    """By us; else by the trunk."""
    trunk: str
    text: str
    """Line by line, without numbers, passwords and keys (wire.sip.shown)."""


_LADDER: Final[msgspec.json.Decoder[list[Rung]]] = msgspec.json.Decoder(list[Rung])


def pack_ladder(ladder: Sequence[Rung]) -> bytes:
    """A ladder as it is stored; a tenth of its text."""
    return zlib.compress(msgspec.json.encode(ladder))


def unpack_ladder(packed: bytes) -> list[Rung]:
    """What `pack_ladder` was given."""
    return _LADDER.decode(zlib.decompress(packed))
