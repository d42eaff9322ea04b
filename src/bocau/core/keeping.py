"""How long things are remembered, and when their turn to be forgotten comes (promises S7). Pure."""

from enum import StrEnum
from typing import Final, NamedTuple

from bocau.core.message import RouteClass

__all__ = ["FOR_EVER", "Forget", "Keeping", "Stretch"]

FOR_EVER: Final = 0
_LEEWAY: Final = 24
"""Things go within the last 24th of their time, so that none is kept for longer."""


class Forget(StrEnum):
    """What of a message is forgotten, in the order of its life."""

    OTP_TEXT = "otp_text"
    OTHER_TEXT = "other_text"
    PHONE = "phone"
    MESSAGE = "message"
    """All of it, with its attempts, calls and callback; its lines of money stay."""

    @property
    def route_class(self) -> str:
        """The only class of messages that it is about; empty: every one."""
        return {Forget.OTP_TEXT: RouteClass.OTP.value, Forget.OTHER_TEXT: RouteClass.OTHER.value}.get(self, "")


class Stretch(NamedTuple):
    """One kind of forgetting at one moment."""

    ended_before_ms: int
    """It is the turn of messages that ended before this."""
    accepted_before_ms: int
    """So old are those that are looked at the first time: nearly all of them ended soon after they were accepted."""
    again_ms: int
    """How long after its end the turn of a message comes that was looked at too early."""


class Keeping(NamedTuple):
    """How long things are kept, in milliseconds; 0: for ever. Of messages, from their end on."""

    otp_text_ms: int
    other_text_ms: int
    phone_ms: int
    message_ms: int
    inbound_ms: int
    """From when they came."""
    audit_ms: int

    def stretch(self, what: Forget, now_ms: int) -> Stretch | None:
        """Whose turn it is now; None: nobody's, ever."""
        kept_ms: int = getattr(self, f"{what.value}_ms")
        if kept_ms == FOR_EVER:
            return None
        leeway = kept_ms // _LEEWAY
        ended = now_ms - kept_ms + leeway
        return Stretch(ended, ended - leeway // 2, kept_ms - leeway)
