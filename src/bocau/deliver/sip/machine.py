"""One call's course without sockets and clocks: what is done when, and for how long it is waited.

Signalling and audio happen elsewhere; they tell the machine, and it says what to do next. Every `now` is in monotonic
seconds. Nothing is ever played before the answer.
"""

import math
import re
from enum import Enum
from typing import Final

from bocau.deliver.sip.order import CallOrder, CallResult, CallStatus, MediaCounters, Retry, Side
from bocau.deliver.sip.outcome import Verdict, judge, ring_timeout, silence
from bocau.wire.sip.events import Refused

__all__ = ["Act", "CallMachine", "CallState"]

_NEVER: Final = math.inf
_AGAIN: Final = "1"
_MOST_KEYS: Final = 32
_ANSWERED: Final = Verdict(CallStatus.ANSWERED, Retry.NONE)
_FAILED: Final = Verdict(CallStatus.FAILED, Retry.NONE)


_DIGITS: Final = re.compile(r"[0-9]{4,}")
_LONGEST_PHRASE: Final = 60


class CallState(Enum):
    """Where a call stands."""

    TRYING = "trying"
    """The INVITE is out."""
    PROGRESS = "progress"
    """The phone rings, or the network says that it is about to."""
    ANSWERED = "answered"
    """Taken; the greeting is said or key 1 is waited for."""
    PLAYING = "playing"
    """The prompt was begun."""
    CANCELLING = "cancelling"
    """We gave up before the answer."""
    CLOSING = "closing"
    """We said BYE."""
    ENDED = "ended"


class Act(Enum):
    """What is to be done."""

    HANG_UP = "hang up"
    """CANCEL or BYE, as it stands."""
    GREET = "greet"
    """Say the greeting from its beginning."""
    SPEAK = "speak"
    """Say the prompt from its beginning."""
    TELL_RINGING = "tell ringing"
    TELL_ANSWERED = "tell answered"
    FINISH = "finish"
    """The call is over: `result` is final."""


class CallMachine:
    """One attempt at a call over one trunk. After FINISH it asks for nothing more."""

    __slots__ = (
        "_answered_at",
        "_cause",
        "_ended_at",
        "_heard",
        "_keys",
        "_limits",
        "_listen_until",
        "_order",
        "_plays",
        "_rang",
        "_reason",
        "_retry_after",
        "_ring_until",
        "_say_until",
        "_side",
        "_sip_status",
        "_state_until",
        "_talk_until",
        "_verdict",
        "_whole_until",
        "state",
    )

    def __init__(self, order: CallOrder, now: float) -> None:
        """The INVITE goes out now."""
        limits = order.limits
        self.state = CallState.TRYING
        self._order = order
        self._limits = limits
        self._verdict = silence()
        self._reason = "not ended"
        self._sip_status = self._cause = self._retry_after = 0
        self._keys = ""
        self._plays = 0
        self._side = Side.NOBODY
        self._heard = self._rang = False
        self._answered_at = self._ended_at = _NEVER
        self._state_until = now + limits.provisional
        self._ring_until = now + limits.ring
        self._whole_until = now + limits.whole
        self._say_until = self._listen_until = self._talk_until = _NEVER

    def result(self, trunk: str, media: MediaCounters) -> CallResult:
        """How it ended; to be asked after FINISH."""
        status, retry = self._verdict.status, self._verdict.retry
        seconds = math.ceil(self._ended_at - self._answered_at) if status is CallStatus.ANSWERED else 0
        return CallResult(
            status,
            retry,
            self._sip_status,
            self._cause,
            self._reason,
            trunk,
            1,
            max(seconds, 1) if status is CallStatus.ANSWERED else 0,
            self._side,
            self._keys,
            self._plays,
            self._retry_after,
            media,
        )

    @property
    def verdict(self) -> Verdict:
        """What the end means for the trunk; to be asked after FINISH."""
        return self._verdict

    # What signalling tells

    def on_progress(self, status: int) -> list[Act]:
        """A provisional answer."""
        if self.state not in (CallState.TRYING, CallState.PROGRESS):
            return []
        self._heard = True
        self._state_until = _NEVER
        if status == 100 or self.state is CallState.PROGRESS:
            return []
        self._rang = True
        self.state = CallState.PROGRESS
        return [Act.TELL_RINGING]

    def on_answered(self, now: float) -> list[Act]:
        """A 2xx that we can speak on."""
        if self.state not in (CallState.TRYING, CallState.PROGRESS):
            return []
        self.state = CallState.ANSWERED
        self._sip_status = 200
        self._verdict, self._reason = _ANSWERED, "answered"
        self._answered_at = now
        self._state_until = self._ring_until = _NEVER
        self._talk_until = now + self._limits.talk
        greeting = self._order.greeting
        if greeting is None:
            return [Act.TELL_ANSWERED, *self._speak(now)]
        self._say_until = now + greeting.seconds + self._limits.margin
        return [Act.TELL_ANSWERED, Act.GREET]

    def on_refused(self, refused: Refused, now: float) -> list[Act]:
        """A final answer other than 2xx."""
        if self.state in (CallState.TRYING, CallState.PROGRESS):
            self._verdict = judge(refused.status, refused.cause, self._rang)
            self._reason = f"{refused.status} {_shown(refused.reason)}".rstrip()
            self._retry_after = refused.retry_after_seconds
        self._sip_status = self._sip_status or refused.status
        self._cause = self._cause or refused.cause
        return self._finish(now)

    def on_unanswered(self, why: str, now: float) -> list[Act]:
        """No final answer will come."""
        if self.state in (CallState.TRYING, CallState.PROGRESS):
            self._verdict, self._reason = silence(), why
        return self._finish(now)

    def on_unusable(self, why: str, now: float) -> list[Act]:
        """The call was answered and cannot be used; signalling hangs up by itself. Nobody is called twice for that."""
        if self.state in (CallState.CLOSING, CallState.CANCELLING, CallState.ENDED):
            return []
        if self.state in (CallState.TRYING, CallState.PROGRESS):
            self._verdict = Verdict(CallStatus.FAILED, Retry.NONE, alarm=True)
            self._reason = why
            self._sip_status = 200
        self._side = Side.CALLER
        self._close(CallState.CLOSING, now)
        return []

    def on_hung_up(self, cause: int, now: float) -> list[Act]:
        """The callee's BYE."""
        if self.state in (CallState.ANSWERED, CallState.PLAYING):
            self._side = Side.CALLEE
            self._cause = cause
            self._ended_at = now
        return self._finish(now)

    def on_over(self, why: str, now: float) -> list[Act]:
        """Signalling is through with the end that we asked for, or the connection is gone."""
        if self.state is CallState.CANCELLING:
            # A 200 crossed our CANCEL: somebody picked up, so nobody calls again.
            self._verdict = self._verdict._replace(retry=Retry.NONE)
            self._reason += ", answered too late"
        elif self.state in (CallState.ANSWERED, CallState.PLAYING):
            self._reason = f"answered, then {why}"
            self._ended_at = now
        return self._finish(now)

    # What audio tells

    def on_said(self, now: float) -> list[Act]:
        """The greeting or the prompt was said to its end."""
        if self.state not in (CallState.ANSWERED, CallState.PLAYING):
            return []
        self._say_until = _NEVER
        if self.state is CallState.PLAYING and self._plays > self._limits.repeats:
            return self._hang_up(now)
        self._listen_until = now + self._limits.listen
        return []

    def on_key(self, key: str, now: float) -> list[Act]:
        """The callee pressed a key. 1 asks for the prompt, or for it once more."""
        if self.state not in (CallState.ANSWERED, CallState.PLAYING):
            return []
        self._keys = (self._keys + key)[:_MOST_KEYS]
        if key != _AGAIN or self._plays > self._limits.repeats:
            return []
        return self._speak(now)

    # What the caller and the clock tell

    def cancel(self, now: float) -> list[Act]:
        """The call is not wanted any more."""
        if self.state in (CallState.TRYING, CallState.PROGRESS):
            return self._give_up(_FAILED, "cancelled", now)
        if self.state in (CallState.ANSWERED, CallState.PLAYING):
            self._reason = "answered, then cancelled"
            return self._hang_up(now)
        return []

    def tick(self, now: float) -> list[Act]:
        """Act on what is due. Call it at `next_deadline`; at any other time it does no harm."""
        if self.state is CallState.ENDED:
            return []
        if now >= self._whole_until:
            return [Act.HANG_UP, *self._finish(now)]
        if now >= self._state_until:
            if self.state is CallState.TRYING:
                self._verdict, self._reason = silence(), "nothing came back"
                return [Act.HANG_UP, *self._finish(now)]
            return self._finish(now)
        if now >= self._ring_until:
            return self._give_up(ring_timeout(self._rang), "nobody answered in time", now)
        if now >= min(self._say_until, self._listen_until, self._talk_until):
            return self._hang_up(now)
        return []

    def next_deadline(self) -> float:
        """When `tick` is to be called next; infinite once it has ended."""
        if self.state is CallState.ENDED:
            return _NEVER
        return min(
            self._whole_until,
            self._state_until,
            self._ring_until,
            self._say_until,
            self._listen_until,
            self._talk_until,
        )

    # The steps that the above share

    def _speak(self, now: float) -> list[Act]:
        self.state = CallState.PLAYING
        self._plays += 1
        self._listen_until = _NEVER
        self._say_until = now + self._order.prompt.seconds + self._limits.margin
        return [Act.SPEAK]

    def _give_up(self, verdict: Verdict, reason: str, now: float) -> list[Act]:
        self._verdict, self._reason = verdict, reason
        self._close(CallState.CANCELLING, now)
        return [Act.HANG_UP]

    def _hang_up(self, now: float) -> list[Act]:
        self._side = Side.CALLER
        self._ended_at = now
        self._close(CallState.CLOSING, now)
        return [Act.HANG_UP]

    def _close(self, state: CallState, now: float) -> None:
        self.state = state
        self._state_until = now + self._limits.closing
        self._ring_until = self._say_until = self._listen_until = self._talk_until = _NEVER

    def _finish(self, now: float) -> list[Act]:
        if self.state is CallState.ENDED:
            return []
        self.state = CallState.ENDED
        self._ended_at = min(self._ended_at, now)
        return [Act.FINISH]


def _shown(phrase: str) -> str:
    """A trunk's own words as they may be shown: short, printable, without anything that may be a number or a code."""
    printable = "".join(sign for sign in phrase if sign.isprintable())
    return _DIGITS.sub("***", printable)[:_LONGEST_PHRASE]
