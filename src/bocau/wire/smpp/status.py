"""What a command_status means for the message: the table of SMPP 3.4, 5.1.3, with a class per row (fault F25)."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

__all__ = [
    "RANGES",
    "STATUSES",
    "Answer",
    "Classes",
    "Status",
    "StatusRange",
    "StatusRow",
    "answer_class",
    "bind_refused_for_good",
    "read_range",
    "status_name",
]


class Answer(StrEnum):
    """What an answer to a submit means. Everything but TAKEN means: not taken, free to try again or elsewhere."""

    TAKEN = "taken"
    """The carrier has the message."""
    TEMPORARY = "temporary"
    """The same message may pass on the same link later."""
    THROTTLE = "throttle"
    """As temporary; the link is to slow down as a whole."""
    PERMANENT = "permanent"
    """The same message will be refused on this link again."""


class Status:
    """The command_status values that code of ours names. Plain integers: any 32-bit value may arrive."""

    OK: Final = 0x00
    INVALID_MESSAGE_LENGTH: Final = 0x01
    INVALID_COMMAND_LENGTH: Final = 0x02
    INVALID_COMMAND_ID: Final = 0x03
    INVALID_BIND_STATUS: Final = 0x04
    ALREADY_BOUND: Final = 0x05
    SYSTEM_ERROR: Final = 0x08
    INVALID_SOURCE: Final = 0x0A
    INVALID_DESTINATION: Final = 0x0B
    INVALID_MESSAGE_ID: Final = 0x0C
    BIND_FAILED: Final = 0x0D
    INVALID_PASSWORD: Final = 0x0E
    INVALID_SYSTEM_ID: Final = 0x0F
    QUEUE_FULL: Final = 0x14
    INVALID_SERVICE_TYPE: Final = 0x15
    INVALID_DESTINATION_COUNT: Final = 0x33
    INVALID_SYSTEM_TYPE: Final = 0x53
    THROTTLED: Final = 0x58
    INVALID_SCHEDULE: Final = 0x61
    INVALID_EXPIRY: Final = 0x62
    TEMPORARY_APPLICATION_ERROR: Final = 0x64
    INVALID_TLV_STREAM: Final = 0xC0
    UNKNOWN_ERROR: Final = 0xFF


class StatusRow(NamedTuple):
    """One row of the table: the specification's name and our class."""

    name: str
    answer: Answer


_T, _P = Answer.TEMPORARY, Answer.PERMANENT

STATUSES: Final[dict[int, StatusRow]] = {
    0x00: StatusRow("ESME_ROK", Answer.TAKEN),
    0x01: StatusRow("ESME_RINVMSGLEN", _P),
    0x02: StatusRow("ESME_RINVCMDLEN", _P),
    0x03: StatusRow("ESME_RINVCMDID", _P),
    # The bind is the trouble, not the message: it goes again once the link is bound properly.
    0x04: StatusRow("ESME_RINVBNDSTS", _T),
    0x05: StatusRow("ESME_RALYBND", _T),
    0x06: StatusRow("ESME_RINVPRTFLG", _P),
    0x07: StatusRow("ESME_RINVREGDLVFLG", _P),
    0x08: StatusRow("ESME_RSYSERR", _T),
    0x0A: StatusRow("ESME_RINVSRCADR", _P),
    0x0B: StatusRow("ESME_RINVDSTADR", _P),
    0x0C: StatusRow("ESME_RINVMSGID", _P),
    0x0D: StatusRow("ESME_RBINDFAIL", _P),
    0x0E: StatusRow("ESME_RINVPASWD", _P),
    0x0F: StatusRow("ESME_RINVSYSID", _P),
    0x11: StatusRow("ESME_RCANCELFAIL", _P),
    0x13: StatusRow("ESME_RREPLACEFAIL", _P),
    0x14: StatusRow("ESME_RMSGQFUL", Answer.THROTTLE),
    0x15: StatusRow("ESME_RINVSERTYP", _P),
    0x33: StatusRow("ESME_RINVNUMDESTS", _P),
    0x34: StatusRow("ESME_RINVDLNAME", _P),
    0x40: StatusRow("ESME_RINVDESTFLAG", _P),
    0x42: StatusRow("ESME_RINVSUBREP", _P),
    0x43: StatusRow("ESME_RINVESMCLASS", _P),
    0x44: StatusRow("ESME_RCNTSUBDL", _P),
    0x45: StatusRow("ESME_RSUBMITFAIL", _P),
    0x48: StatusRow("ESME_RINVSRCTON", _P),
    0x49: StatusRow("ESME_RINVSRCNPI", _P),
    0x50: StatusRow("ESME_RINVDSTTON", _P),
    0x51: StatusRow("ESME_RINVDSTNPI", _P),
    0x53: StatusRow("ESME_RINVSYSTYP", _P),
    0x54: StatusRow("ESME_RINVREPFLAG", _P),
    0x55: StatusRow("ESME_RINVNUMMSGS", _P),
    0x58: StatusRow("ESME_RTHROTTLED", Answer.THROTTLE),
    0x61: StatusRow("ESME_RINVSCHED", _P),
    0x62: StatusRow("ESME_RINVEXPIRY", _P),
    0x63: StatusRow("ESME_RINVDFTMSGID", _P),
    0x64: StatusRow("ESME_RX_T_APPN", _T),
    0x65: StatusRow("ESME_RX_P_APPN", _P),
    0x66: StatusRow("ESME_RX_R_APPN", _P),
    0x67: StatusRow("ESME_RQUERYFAIL", _P),
    0xC0: StatusRow("ESME_RINVOPTPARSTREAM", _P),
    0xC1: StatusRow("ESME_ROPTPARNOTALLWD", _P),
    0xC2: StatusRow("ESME_RINVPARLEN", _P),
    0xC3: StatusRow("ESME_RMISSINGOPTPARAM", _P),
    0xC4: StatusRow("ESME_RINVOPTPARAMVAL", _P),
    0xFE: StatusRow("ESME_RDELIVERYFAILURE", _P),
    0xFF: StatusRow("ESME_RUNKNOWNERR", _P),
}
"""Every command_status of SMPP 3.4."""

_REFUSED_FOR_GOOD: Final = frozenset({Status.BIND_FAILED, Status.INVALID_PASSWORD, Status.INVALID_SYSTEM_ID})


class StatusRange(NamedTuple):
    """Statuses from `first` to `last` that are in no row of their own."""

    first: int
    last: int
    name: str
    answer: Answer


RANGES: Final[tuple[StatusRange, ...]] = (
    StatusRange(0x0400, 0x04FF, "vendor", _P),
    StatusRange(0x0000, 0xFFFFFFFF, "reserved", _P),
)
"""What the specification leaves to vendors, and what it gives to nobody; the first that holds a status counts.

Such a status is an explicit error: not taken, and permanent, because trying it for ever on one link could loop while
another route may well carry the message. A carrier's profile says where it means something else.
"""


class Classes:
    """What each status means at one carrier: the table, with what its profile says otherwise. Call it with a status."""

    __slots__ = ("_ranges", "_rows")

    def __init__(self, otherwise: Mapping[str, str] | None = None) -> None:
        """`otherwise`: "0x00000058" or "0x0400-0x04FF" to the value of an Answer. A single status goes before a range,
        an earlier range before a later one, and any of them before the table. Raises ValueError."""
        own = [
            StatusRange(*read_range(text), "profile", Answer(answer)) for text, answer in dict(otherwise or {}).items()
        ]
        ranges = [row for row in own if row.first < row.last]
        rows = {status: _in_ranges(status, ranges, row.answer) for status, row in STATUSES.items()}
        rows.update((row.first, row.answer) for row in own if row.first == row.last)
        rows[Status.OK] = Answer.TAKEN
        self._rows = rows
        self._ranges = (*ranges, *RANGES)

    def __call__(self, status: int) -> Answer:
        """What an answer with this status means for a submit."""
        answer = self._rows.get(status)
        return _in_ranges(status, self._ranges, Answer.PERMANENT) if answer is None else answer


def _in_ranges(status: int, ranges: Iterable[StatusRange], otherwise: Answer) -> Answer:
    return next((row.answer for row in ranges if row.first <= status <= row.last), otherwise)


answer_class: Final = Classes()
"""The table alone."""


def read_range(text: str) -> tuple[int, int]:
    """The statuses of "0x00000058" (one) or "0x0400-0x04FF" (first and last). Raises ValueError."""
    first, several, last = text.partition("-")
    low = int(first, 16)
    high = int(last, 16) if several else low
    if not 0 <= low <= high <= 0xFFFFFFFF:
        raise ValueError(f"{text} is no range of statuses")
    return low, high


def status_name(status: int) -> str:
    """The specification's name, or eight hexadecimal digits for a status it does not define."""
    row = STATUSES.get(status)
    return f"0x{status:08X}" if row is None else row.name


def bind_refused_for_good(status: int) -> bool:
    """Whether a refused bind needs a person (alarm, slow retry) rather than an ordinary back-off (fault F24)."""
    return status in _REFUSED_FOR_GOOD
