"""What the clock does to a message whose moment has come. Pure."""

from bocau.core.lifecycle import Event, State
from bocau.core.message import RouteClass
from bocau.store.contract import OutcomeDeadlines, Turn, Waking

__all__ = ["decide"]


def decide(row: Waking, now_ms: int, deadlines: OutcomeDeadlines) -> Turn:
    """The event for a waking message, or the moment to look again.

    A message that is on its way is closed as unknown only at its deadline: that of an uncertain submission is shorter
    for a one-time code (promises 4.1), that of a receipt the same for all.
    """
    if row.state is State.SCHEDULED:
        return Turn(row.id, Event.RELEASE, now_ms)
    if row.state is State.QUEUED:
        if row.expires_ms <= now_ms:
            return Turn(row.id, Event.EXPIRE, None)
        return Turn(row.id, None, row.expires_ms)
    otp = row.route_class == RouteClass.OTP
    held = deadlines.uncertain_otp_ms if otp else deadlines.uncertain_other_ms
    until = row.touched_ms + (held if row.state is State.UNCERTAIN else deadlines.receipt_ms)
    return Turn(row.id, Event.CLOSE, None) if until <= now_ms else Turn(row.id, None, until)
