"""How a call went, as labels and values: `bocau call show` prints it, the console shows it. Pure."""

from collections.abc import Callable
from typing import Final

from bocau.console.telling import Say, english
from bocau.core.call import CallRecord

__all__ = ["call_facts"]

_NOBODY: Final = "nobody"


def call_facts(
    record: CallRecord, date: Callable[[int | None], str | None], say: Say = english
) -> list[tuple[str, object]]:
    """Everything that is kept of it; `date` writes moments."""
    answer = f"{record.sip_status or say('none')}"
    if record.cause:
        answer += say(", Q.850 cause {cause}").format(cause=record.cause)
    rtp = say("{sent} sent, {received} received, {lost} lost").format(
        sent=record.packets_sent, received=record.packets_received, lost=record.packets_lost
    )
    if record.packets_sent and not record.packets_received:
        rtp += say("; one-way audio: nothing came back")
    return [
        (say("Call"), record.number),
        (say("Status"), record.status),
        (say("Why"), record.reason),
        (say("Trunk"), record.trunk or None),
        (say("Trunks tried"), record.trunks),
        (say("SIP answer"), answer),
        (say("Call-ID"), record.sip_call_id or None),
        (say("Begun"), date(record.begun_ms)),
        (say("Rang"), date(record.rang_ms)),
        (say("Answered"), date(record.answered_ms)),
        (say("Ended"), date(record.ended_ms)),
        (say("Seconds"), record.duration_seconds),
        (say("Hung up by"), None if record.hung_up_by == _NOBODY else say(record.hung_up_by)),
        (say("Keys"), record.keys or None),
        (say("Times said"), record.plays),
        (say("RTP packets"), rtp),
        (say("Jitter"), f"{record.jitter_ms} ms"),
    ]
