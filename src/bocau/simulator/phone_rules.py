"""What the called phone does, decided by the last four digits of its number: a table of steps in time.

Pure. A step has a time, counted from the INVITE that is served, and one act; a new way to behave is a new row.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

__all__ = ["PHONES", "Do", "PhoneRow", "Step", "phone_row", "phone_table"]


class Do(Enum):
    """One act of the phone."""

    PROGRESS = "progress"
    """A provisional answer; `value` is its status."""
    EARLY_MEDIA = "early media"
    """183 with a description, and sound before the answer."""
    RELIABLE = "reliable"
    """180 that wants a PRACK (RFC 3262)."""
    ANSWER = "answer"
    """200 with a description."""
    REFUSE = "refuse"
    """A final answer; `value` is its status, `detail` its Reason or Contact."""
    CHALLENGE = "challenge"
    """401 or 407, as `value` says, unless the INVITE brings the right digest."""
    PRESS = "press"
    """A key, as `detail` says (RFC 4733)."""
    MOVE = "move"
    """A re-INVITE that moves the sound to another port of the phone."""
    REFRESH = "refresh"
    """An UPDATE with a session timer (RFC 4028)."""
    PING = "ping"
    """OPTIONS in the call."""
    HANG_UP = "hang up"
    """BYE."""


class Step(NamedTuple):
    """One act at its time."""

    after_seconds: float
    do: Do
    value: int = 0
    detail: str = ""


class PhoneRow(NamedTuple):
    """What happens to calls of one kind of number."""

    meaning: str
    """One line for people."""
    steps: tuple[Step, ...]
    speaks: bool = True
    """Whether sound comes back while the call stands."""
    noise: bool = False
    """Whether garbage comes to the audio port too."""


_RINGS: Final = (Step(0.0, Do.PROGRESS, 100), Step(0.05, Do.PROGRESS, 180))
_ANSWERS: Final = (*_RINGS, Step(0.2, Do.ANSWER))

PHONES: Final[Mapping[str, PhoneRow]] = {
    "0006": PhoneRow("busy: 486", (*_RINGS[:1], Step(0.1, Do.REFUSE, 486, "17"))),
    "0021": PhoneRow("rings and is never answered", _RINGS),
    "0022": PhoneRow("declined: 603, cause 21", (*_RINGS, Step(0.2, Do.REFUSE, 603, "21"))),
    "0023": PhoneRow("no such number: 404, cause 1", (Step(0.0, Do.REFUSE, 404, "1"),)),
    "0024": PhoneRow("not available: 480", (Step(0.0, Do.REFUSE, 480),)),
    "0025": PhoneRow("the network is overloaded: 503", (Step(0.0, Do.REFUSE, 503),)),
    "0026": PhoneRow("401 first, then answered", (Step(0.0, Do.CHALLENGE, 401), *_ANSWERS)),
    "0027": PhoneRow("407 first, then answered", (Step(0.0, Do.CHALLENGE, 407), *_ANSWERS)),
    "0028": PhoneRow("answered, hangs up after 1.6 s", (*_ANSWERS, Step(1.8, Do.HANG_UP))),
    "0029": PhoneRow("answered, presses 1 after 0.5 s", (*_ANSWERS, Step(0.7, Do.PRESS, detail="1"))),
    "0030": PhoneRow(
        "sound before the answer, answered after 0.5 s", (_RINGS[0], Step(0.05, Do.EARLY_MEDIA), Step(0.5, Do.ANSWER))
    ),
    "0031": PhoneRow("answered, moves its sound after 0.4 s", (*_ANSWERS, Step(0.6, Do.MOVE))),
    "0032": PhoneRow("redirected: 302", (Step(0.0, Do.REFUSE, 302, "sip:premium@198.51.100.1"),)),
    "0033": PhoneRow("nothing is ever answered", ()),
    "0034": PhoneRow("answered after 5 s of ringing", (*_RINGS, Step(5.0, Do.ANSWER))),
    "0035": PhoneRow("answered, garbage on its audio port", _ANSWERS, noise=True),
    "0036": PhoneRow("answered, asks OPTIONS in the call", (*_ANSWERS, Step(0.4, Do.PING))),
    "0037": PhoneRow("answered, refreshes its session timer", (*_ANSWERS, Step(0.4, Do.REFRESH))),
    "0038": PhoneRow("rings reliably, answered", (_RINGS[0], Step(0.05, Do.RELIABLE), Step(0.4, Do.ANSWER))),
    "0039": PhoneRow("answered, no sound comes back", _ANSWERS, speaks=False),
    "other": PhoneRow("rings, answered after 0.2 s", _ANSWERS),
}
"""What the last four digits of a called number do."""


def phone_row(number: str, table: Mapping[str, PhoneRow] = PHONES) -> PhoneRow:
    """The row for a called number."""
    return table.get(number[-4:]) or table["other"]


def phone_table(table: Mapping[str, PhoneRow] = PHONES) -> list[tuple[str, str]]:
    """Each ending and its meaning in one line, in the order of the table."""
    return [(ending, row.meaning) for ending, row in table.items()]
