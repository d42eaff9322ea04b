"""Transactions without clocks: what is sent again, when, and when it is given up (RFC 3261 section 17, RFC 6026).

Every `now` is in monotonic seconds; times that are awaited come out of `next_deadline`.
"""

import math
from enum import Enum
from typing import Final, NamedTuple

from bocau.wire.sip.message import Header, Request, Response, cseq_of, encode, every, first
from bocau.wire.sip.uri import parse_via

__all__ = ["ClientTransaction", "ServerTransaction", "Timers", "TransactionState", "branch_of"]

_NEVER: Final = math.inf


class Timers(NamedTuple):
    """The base values of all timers, in seconds (RFC 3261, table 4)."""

    t1: float = 0.5
    """Estimate of a round trip: first retransmission; a transaction takes 64 of these at most."""
    t2: float = 4.0
    """Longest wait between retransmissions."""
    t4: float = 5.0
    """How long a message may stay in the network."""

    @property
    def whole(self) -> float:
        """64 T1: timers B, F, H, J and M; and timer D, which must be 32 s at least with the usual T1."""
        return 64 * self.t1


class TransactionState(Enum):
    """Where a transaction stands (RFC 3261 17.1, and Accepted of RFC 6026)."""

    CALLING = "calling"
    """No answer yet; called Trying for anything but INVITE."""
    PROCEEDING = "proceeding"
    ACCEPTED = "accepted"
    """An INVITE got a 2xx; more of them, from other branches too, still belong here."""
    COMPLETED = "completed"
    """It has its final answer; repeats of it are taken care of."""
    TERMINATED = "terminated"


def branch_of(message: Request | Response) -> str:
    """The branch of the topmost Via. Raises BadMessage."""
    vias = every(message, "Via")
    return parse_via(vias[0]).branch if vias else ""


class ClientTransaction:
    """One request of ours and its answers (RFC 3261 17.1.1 for INVITE, 17.1.2 for all others). Never for an ACK.

    Timers A and E send again over unreliable transports; B and F end it; D and K keep it for repeats of the answer.
    """

    __slots__ = (
        "_ack",
        "_end_at",
        "_octets",
        "_out",
        "_reliable",
        "_resend_at",
        "_timers",
        "_wait",
        "request",
        "state",
    )

    def __init__(self, request: Request, reliable: bool, timers: Timers, now: float) -> None:
        """Queue the request. Raises FieldError if it cannot be sent."""
        self.request = request
        self.state = TransactionState.CALLING
        self._octets = encode(request)
        self._out = [self._octets]
        self._ack = b""
        self._reliable = reliable
        self._timers = timers
        self._wait = timers.t1
        self._resend_at = _NEVER if reliable else now + timers.t1
        self._end_at = now + timers.whole

    @property
    def done(self) -> bool:
        """Whether nothing more can come of it."""
        return self.state is TransactionState.TERMINATED

    @property
    def pending(self) -> bool:
        """Whether it has no final answer yet."""
        return self.state in (TransactionState.CALLING, TransactionState.PROCEEDING)

    @property
    def _invite(self) -> bool:
        return self.request.method == "INVITE"

    def receive(self, response: Response, now: float) -> bool:
        """Take an answer that carries this branch and method. True if it says something new to whoever asked."""
        if response.status < 200:
            return self._provisional(now)
        if self._invite and response.status < 300:
            return self._accepted(now)
        return self._final(response, now)

    def _provisional(self, now: float) -> bool:
        if not self.pending:
            return False
        self.state = TransactionState.PROCEEDING
        if self._invite:
            # Timers A and B end here: how long it may ring is the caller's business.
            self._resend_at = self._end_at = _NEVER
        elif not self._reliable:
            self._wait = self._timers.t2
            self._resend_at = now + self._wait
        return True

    def _accepted(self, now: float) -> bool:
        """Every 2xx of an INVITE is news: it may come from another branch, and a repeat wants its ACK again."""
        if self.pending:
            self.state = TransactionState.ACCEPTED
            self._resend_at = _NEVER
            self._end_at = now + self._timers.whole
        return self.state is TransactionState.ACCEPTED

    def _final(self, response: Response, now: float) -> bool:
        if self.pending:
            self.state = TransactionState.COMPLETED
            self._resend_at = _NEVER
            linger = self._timers.whole if self._invite else self._timers.t4
            self._end_at = now if self._reliable else now + linger
            if self._invite:
                self._ack = encode(_ack_of_refusal(self.request, response))
                self._out.append(self._ack)
            return True
        if self.state is TransactionState.COMPLETED and self._ack:
            self._out.append(self._ack)
        return False

    def stop_resending(self) -> None:
        """The request is no longer wanted: it is not sent again, its answers are still taken."""
        self._resend_at = _NEVER

    def tick(self, now: float) -> bool:
        """Act on what is due. True if it ended now without a final answer."""
        if now >= self._end_at and not self.done:
            unanswered = self.pending
            self.state = TransactionState.TERMINATED
            self._resend_at = self._end_at = _NEVER
            return unanswered
        if now >= self._resend_at:
            self._out.append(self._octets)
            self._wait = self._wait * 2 if self._invite else min(self._wait * 2, self._timers.t2)
            self._resend_at = now + self._wait
        return False

    def next_deadline(self) -> float:
        """When `tick` is to be called next; infinite if never."""
        return min(self._resend_at, self._end_at)

    def data_to_send(self) -> list[bytes]:
        """The messages queued since the last call."""
        out, self._out = self._out, []
        return out


def _ack_of_refusal(invite: Request, response: Response) -> Request:
    """The ACK of a final answer other than 2xx: part of the INVITE's transaction (RFC 3261 17.1.1.3)."""
    kept: list[Header] = [("Via", every(invite, "Via")[0]), ("Max-Forwards", "70")]
    kept += [header for header in invite.headers if header[0] == "Route"]
    kept += [
        ("From", first(invite, "From")),
        ("To", first(response, "To")),
        ("Call-ID", first(invite, "Call-ID")),
        ("CSeq", f"{cseq_of(invite).number} ACK"),
    ]
    return Request("ACK", invite.uri, tuple(kept))


class ServerTransaction:
    """One request of the peer that was answered at once (RFC 3261 17.2): the answer is repeated for each repeat.

    The answer of an INVITE is sent again until its ACK comes, a 2xx over reliable transports too (13.3.1.4).
    """

    __slots__ = ("_end_at", "_octets", "_out", "_resend_at", "_t2", "_wait", "cseq", "unacknowledged")

    def __init__(self, request: Request, response: Response, reliable: bool, timers: Timers, now: float) -> None:
        """Queue the answer. Raises FieldError if it cannot be sent."""
        self.cseq = cseq_of(request)
        self.unacknowledged = request.method == "INVITE"
        """An INVITE whose ACK did not come yet."""
        self._octets = encode(response)
        self._out = [self._octets]
        self._t2 = timers.t2
        self._wait = timers.t1
        again = self.unacknowledged and (not reliable or response.status < 300)
        self._resend_at = now + self._wait if again else _NEVER
        self._end_at = now + timers.whole

    def repeat(self) -> None:
        """The same request came again."""
        self._out.append(self._octets)

    def acknowledge(self) -> None:
        """The ACK came."""
        self.unacknowledged = False
        self._resend_at = _NEVER

    def tick(self, now: float) -> bool:
        """Act on what is due. True if it ended."""
        if now >= self._end_at:
            self._resend_at = _NEVER
            return True
        if now >= self._resend_at:
            self._out.append(self._octets)
            self._wait = min(self._wait * 2, self._t2)
            self._resend_at = now + self._wait
        return False

    def next_deadline(self) -> float:
        """When `tick` is to be called next."""
        return min(self._resend_at, self._end_at)

    def data_to_send(self) -> list[bytes]:
        """The messages queued since the last call."""
        out, self._out = self._out, []
        return out
