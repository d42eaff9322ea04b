"""What a refusal comes to: SIP status and Q.850 cause to an outcome, as a table (RFC 3261 section 21, RFC 3398)."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from bocau.deliver.sip.order import CallStatus, Retry

__all__ = ["BY_CAUSE", "BY_STATUS", "Verdict", "judge", "ring_timeout", "silence"]


class Verdict(NamedTuple):
    """What one end of a call means."""

    status: CallStatus
    retry: Retry
    alarm: bool = False
    """Whether the trunk is wrongly set up: somebody must look."""
    trunk_failed: bool = False
    """Whether the trunk itself could not do it, so that others are tried before it for a while."""


_BUSY: Final = Verdict(CallStatus.BUSY, Retry.LATER)
_NO_ANSWER: Final = Verdict(CallStatus.NO_ANSWER, Retry.LATER)
_FOR_GOOD: Final = Verdict(CallStatus.FAILED, Retry.NONE)
_WRONG: Final = Verdict(CallStatus.FAILED, Retry.NEXT_TRUNK, alarm=True)
_DOWN: Final = Verdict(CallStatus.FAILED, Retry.NEXT_TRUNK_BACK_OFF, trunk_failed=True)

BY_STATUS: Final[Mapping[int, Verdict]] = {
    401: _WRONG,
    403: _FOR_GOOD,
    404: _FOR_GOOD,
    406: _WRONG,
    407: _WRONG,
    410: _FOR_GOOD,
    415: _WRONG,
    420: _WRONG,
    421: _WRONG,
    480: _NO_ANSWER,
    484: _FOR_GOOD,
    486: _BUSY,
    487: _NO_ANSWER,
    488: _WRONG,
    500: _DOWN,
    502: _DOWN,
    503: _DOWN,
    504: _DOWN,
    600: _BUSY,
    603: _FOR_GOOD,
    604: _FOR_GOOD,
    606: _WRONG,
    607: _FOR_GOOD,
}
"""Statuses with a row of their own."""

_BY_CLASS: Final[Mapping[int, Verdict]] = {3: _WRONG, 4: _FOR_GOOD, 5: _DOWN, 6: _FOR_GOOD}

BY_CAUSE: Final[Mapping[int, Verdict]] = {
    1: _FOR_GOOD,
    17: _BUSY,
    18: _NO_ANSWER,
    19: _NO_ANSWER,
    20: _NO_ANSWER,
    21: _FOR_GOOD,
    22: _FOR_GOOD,
    28: _FOR_GOOD,
    34: _DOWN,
    38: _DOWN,
    41: _DOWN,
    42: _DOWN,
}
"""Q.850 causes that know better than the status. 16 and 31 say only that it ended."""


def judge(status: int, cause: int, rang: bool) -> Verdict:
    """The verdict on a final answer that we did not ask for by CANCEL; `rang`: an 18x came before it."""
    if cause in BY_CAUSE and status not in (401, 407):
        return BY_CAUSE[cause]
    if status == 408:
        return _NO_ANSWER if rang else _DOWN
    return BY_STATUS.get(status) or _BY_CLASS[status // 100]


def ring_timeout(rang: bool) -> Verdict:
    """The verdict when we gave up waiting. A call that never rang must not be told as not answered."""
    return _NO_ANSWER if rang else _DOWN


def silence() -> Verdict:
    """The verdict when the trunk said nothing at all, or its connection broke."""
    return _DOWN
