"""What gateway and voice worker say to each other: one JSON object a line, over a socket pair that only they have.

A code to be said crosses here and nowhere else: not in arguments, environment, logs or names of files (promises S1).
"""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import Struct

from bocau.core.call import Manner, Playing, Press
from bocau.deliver.sip.order import CallLimits, CallResult
from bocau.deliver.sip.trunk import Trunk

__all__ = [
    "Cancel",
    "Configure",
    "Down",
    "Drain",
    "Forget",
    "Keep",
    "Key",
    "Leaving",
    "LineReader",
    "LogStyle",
    "Over",
    "Picked",
    "Place",
    "Rang",
    "Ready",
    "Speech",
    "Standing",
    "TrunkStanding",
    "Unfit",
    "Up",
    "WorkerCaps",
    "line",
    "read_down",
    "read_up",
]

LogStyle = Literal["json", "text", "colour"]

_LONGEST: Final = 2_097_152
"""Octets: a minute of sound at 8,000 samples a second, in Base64, and half as much again."""


class Speech(NamedTuple):
    """Who says a code, and how."""

    engines: tuple[str, ...] = ("pack", "espeak-ng", "builtin")
    packs_folder: str = ""
    """Empty: none."""
    pack: str = ""
    cache_folder: str = ""
    language: str = "vi"
    region: str = "north"
    repeats: int = 3
    gap_ms: int = 250
    press_to_hear: bool = False
    press_to_repeat: bool = False


class WorkerCaps(NamedTuple):
    """What one worker takes on."""

    calls: int = 200
    starts_per_second: float = 25.0
    first_port: int = 0
    last_port: int = 0


# Down: to the worker


class Configure(Struct, frozen=True, tag="configure"):
    """The first line. The trunks hold passwords, so the text of this value is not to be shown."""

    trunks: tuple[Trunk, ...]
    caps: WorkerCaps
    speech: Speech
    limits: CallLimits
    log_level: str
    log_style: LogStyle

    def __repr__(self) -> str:
        """Without passwords (promises S1)."""
        return f"Configure({len(self.trunks)} trunks)"


class Keep(Struct, frozen=True, tag="keep"):
    """Keep a recording: calls that play it name it by its digest, so that a megabyte crosses once, not for each."""

    digest: str
    playing: Playing

    def __repr__(self) -> str:
        """Without the sound."""
        return f"Keep({self.digest})"


class Forget(Struct, frozen=True, tag="forget"):
    """A recording will not be played any more, or is sent again before that."""

    digest: str


class Place(Struct, frozen=True, tag="place"):
    """Place a call that says a code, or plays a recording."""

    call_id: str
    number: str
    """E.164 in digits."""
    code: str
    """Empty beside a recording."""
    manner: Manner = Manner()
    """On the way to a worker without the recording itself."""
    recording: str = ""
    """Digest of the recording that it plays, which the worker keeps; empty: it says its code."""
    press: Press = Press()
    """Which keys it offers."""

    def __repr__(self) -> str:
        """Without number and code (promises S1)."""
        return f"Place({self.call_id})"


class Cancel(Struct, frozen=True, tag="cancel"):
    """A call is not wanted any more."""

    call_id: str


class Drain(Struct, frozen=True, tag="drain"):
    """Take no more calls, let those under way end for so long, then go."""

    seconds: float


Down = Configure | Keep | Forget | Place | Cancel | Drain


# Up: to the gateway


class Ready(Struct, frozen=True, tag="ready"):
    """The worker can place calls."""

    voice: str
    """Who speaks; empty if nobody can."""
    warning: str
    """What the operator must know about it."""


class TrunkStanding(NamedTuple):
    """How a trunk does."""

    name: str
    up: bool
    why: str
    """Why it is not up; empty while it is."""
    active: int


class Standing(Struct, frozen=True, tag="standing"):
    """How all trunks do; sent when it changes."""

    trunks: tuple[TrunkStanding, ...]


class Rang(Struct, frozen=True, tag="ringing"):
    """The callee's phone rings."""

    call_id: str


class Picked(Struct, frozen=True, tag="answered"):
    """The callee took the call: it must not be placed again, whatever happens."""

    call_id: str
    trunk: str
    sip_call_id: str


class Key(Struct, frozen=True, tag="key"):
    """The callee pressed a key."""

    call_id: str
    key: str


class Over(Struct, frozen=True, tag="ended"):
    """The last word about a call."""

    call_id: str
    result: CallResult


class Leaving(Struct, frozen=True, tag="leaving"):
    """The worker was told to end, by somebody else than the gateway: it takes no more calls."""


class Unfit(Struct, frozen=True, tag="unfit"):
    """The worker cannot work with what it was configured with; it ends."""

    why: str


Up = Ready | Standing | Rang | Picked | Key | Over | Leaving | Unfit

_DOWN: Final[msgspec.json.Decoder[Down]] = msgspec.json.Decoder(Down)
_UP: Final[msgspec.json.Decoder[Up]] = msgspec.json.Decoder(Up)


def line(message: Down | Up) -> bytes:
    """A message as its line."""
    return msgspec.json.encode(message) + b"\n"


def read_down(data: bytes) -> Down:
    """A line to the worker. Raises msgspec.DecodeError; its text is not to be logged."""
    return _DOWN.decode(data)


def read_up(data: bytes) -> Up:
    """A line from the worker. Raises msgspec.DecodeError."""
    return _UP.decode(data)


class LineReader:
    """Cuts a stream into lines. One that grows beyond 2 MiB is no line of ours: ValueError."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines that are whole now."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        yield from lines
        if len(self._rest) > _LONGEST:
            raise ValueError("a line without an end")
