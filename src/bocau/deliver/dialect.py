"""What differs between carriers that are called over HTTP: how a message is written, what an answer and a report mean.

Pure: values in, values out.
"""

from typing import NamedTuple, Protocol

from bocau.core.lifecycle import AttemptState
from bocau.core.message import AnswerKind
from bocau.ports import HttpAnswer, HttpBody, Submission

__all__ = ["Dialect", "News", "Outgoing", "Said", "said_by_status"]


class Outgoing(NamedTuple):
    """One request to the carrier."""

    url: str
    body: HttpBody


class Said(NamedTuple):
    """What an answer means. UNCERTAIN: the host broke down over it, and may have acted all the same."""

    kind: AnswerKind
    status: int = 0
    """The code behind it, for people: the carrier's own or the HTTP status."""
    carrier_id: str = ""
    throttled: bool = False
    """It asked for less speed, which is no failure."""


class News(NamedTuple):
    """What the carrier later says of an attempt."""

    state: AttemptState | None
    """None: nothing final."""
    carrier_id: str = ""
    error: str = ""


class Dialect(Protocol):
    """One way to speak to a carrier."""

    def outgoing(self, submission: Submission, reference: str, hook: str) -> Outgoing:
        """The request for a message; `reference` is ours for it, `hook` where to report (empty: nowhere)."""
        ...

    def said(self, answer: HttpAnswer) -> Said:
        """What an answer to it means."""
        ...

    def news(self, query: bytes, body: bytes) -> News | None:
        """What a call to the hook says; None if it makes no sense."""
        ...

    def question(self, carrier_id: str) -> str:
        """The URL that tells how a message stands; empty if there is none."""
        ...

    def told(self, answer: HttpAnswer) -> News | None:
        """What its answer says; None if nothing."""
        ...


_NOT_NOW = frozenset({401, 403, 404, 405, 407, 429, 503})
"""Of these none is about the message: addresses, keys, load. The host says that it did nothing."""


def said_by_status(status: int) -> Said:
    """What an HTTP status other than 2xx means."""
    if status in _NOT_NOW:
        return Said(AnswerKind.TEMPORARY, status, throttled=status == 429)
    if 400 <= status < 500:
        return Said(AnswerKind.PERMANENT, status)
    return Said(AnswerKind.UNCERTAIN, status)
