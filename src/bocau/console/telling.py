"""What is remembered of a request, as events in the order of time, each in words. Pure.

The one source of that story: `bocau show` prints it, the console shows it. Words are English; `say` puts a phrase into
another language before its values go in.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from bocau.core.money import vnd_number
from bocau.core.phone import mask
from bocau.core.telcos import TELCOS
from bocau.store.contract import AttemptLine, Story, StoryLine
from bocau.wire.smpp.extras import named_extras

__all__ = ["POSSIBLE_DUPLICATE", "Moment", "Say", "Shown", "english", "headline", "moments"]

Say = Callable[[str], str]
"""From an English phrase to the same in the language of who looks."""

POSSIBLE_DUPLICATE: Final = "possible duplicate: sent once more, and the first try may have arrived"
_SHOWN_TEXT: Final = 160
_ERASED: Final = "(erased)"
_ATTEMPT_WORDS: Final = {
    "submitting": "handed over, no answer yet",
    "taken": "taken",
    "refused": "refused",
    "uncertain": "no answer: nobody knows whether it was taken",
    "unknown": "no answer until the deadline",
}
_RECEIPT_WORDS: Final = {
    "delivered": "delivered",
    "undelivered": "not delivered",
    "expired": "expired at the carrier",
    "unknown": "no receipt until the deadline",
}
_ENDS: Final = {
    "delivered": "delivered",
    "failed": "failed",
    "expired": "expired: it was not submitted in time",
    "rejected": "rejected",
    "unknown": "closed: no receipt came",
    "cancelled": "cancelled",
}
_MONEY: Final = {"hold": "held", "capture": "what was held is charged", "release": "given back"}


def english(phrase: str) -> str:
    """Words as they stand here."""
    return phrase


class Shown(NamedTuple):
    """How much of people's data is told."""

    phones: bool
    texts: bool
    hidden: str = "(hidden; --reveal shows it)"
    """In the place of a text."""

    def phone(self, phone: str) -> str:
        """A number, or what may be told of it."""
        return phone if self.phones else mask(phone)

    def text(self, text: str) -> str:
        """The beginning of a text, or that there is one."""
        if not text:
            return _ERASED
        return text[:_SHOWN_TEXT] if self.texts else self.hidden


class Moment(NamedTuple):
    """Something that happened, or will."""

    at_ms: int
    what: str
    """One word: its kind."""
    words: str
    phone: str = ""
    """Whom it is about, where the request has several receivers."""


def headline(line: StoryLine, shown: Shown, say: Say = english) -> list[tuple[str, object]]:
    """What the message is, as labels and values."""
    telco = TELCOS.get(line.telco)
    nobody = say("a number of the network (type {type})").format(type=line.sms_type)
    return [
        (say("SMSID"), line.smsid),
        (say("To"), f"{shown.phone(line.phone)}{f' ({telco.receiver_name})' if telco else ''}"),
        (say("From"), line.brandname or nobody),
        (say("Text"), shown.text(line.content)),
        (say("Parts"), line.parts),
        (say("Price"), f"{vnd_number(line.price)} VND"),
        (say("State"), f"{say(line.state)}{f' ({line.reason})' if line.reason.strip('0') else ''}"),
        *([(say("Note"), say(POSSIBLE_DUPLICATE))] if line.repeated else []),
    ]


def moments(story: Story, shown: Shown, say: Say = english) -> list[Moment]:
    """Everything that happened, oldest first; what is still to come stands at its time."""
    found = [*_requested(story, say), *_callback(story, say)]
    several = len(story.messages) > 1
    for line in story.messages:
        phone = shown.phone(line.phone) if several else ""
        own = [attempt for attempt in story.attempts if attempt.message_id == line.id]
        told = (*_waited(line, say), *_attempted(own, say), *_ended(line, say))
        found += [moment._replace(phone=phone) for moment in told]
    for entry in story.money:
        amount = f"{vnd_number(abs(entry.amount))} VND " if entry.amount else ""
        found.append(Moment(entry.at_ms, "money", f"{amount}{say(_MONEY.get(entry.kind, entry.kind))}"))
    return sorted(found, key=lambda moment: moment.at_ms)


def _requested(story: Story, say: Say) -> Iterator[Moment]:
    first = story.messages[0]
    count = len(story.messages)
    asked = say("a request of type {type}").format(type=first.sms_type)
    if count > 1:
        asked += say(" for {count} receivers").format(count=count)
    if first.request_id:
        asked += say(", RequestId {request_id}").format(request_id=first.request_id)
    else:
        asked += say(", without a RequestId")
    kind = say("a one-time code") if first.route_class == "otp" else say("not a one-time code")
    if first.state == "rejected":
        yield Moment(first.created_ms, "refused", f"{asked}: {first.reason}")
    else:
        yield Moment(first.created_ms, "accepted", f"{asked}; {say('all checks passed')}; {kind}")


def _waited(line: StoryLine, say: Say) -> Iterator[Moment]:
    if line.release_ms > line.created_ms:
        yield Moment(line.release_ms, "release", say("not to be sent before this"))
    if line.state == "queued" and line.tries:
        yield Moment(line.due_ms, "next try", say("put off until then"))
    if line.state in ("scheduled", "queued"):
        yield Moment(line.expires_ms, "deadline", say("not submitted after this"))


def _attempted(attempts: list[AttemptLine], say: Say) -> Iterator[Moment]:
    for attempt in attempts:
        part = ""
        if attempt.parts > 1:
            part = say("part {part} of {parts}, ").format(part=attempt.part, parts=attempt.parts)
        again = say(", try {number}").format(number=attempt.number) if attempt.number > 1 else ""
        yield Moment(attempt.intent_ms, "submit", f"{part}{say('to {carrier}').format(carrier=attempt.carrier)}{again}")
        if attempt.answer_ms is not None:
            yield Moment(attempt.answer_ms, "answer", f"{part}{_answered(attempt, say)}")
        if attempt.receipt_ms is not None:
            word = say(_RECEIPT_WORDS.get(attempt.state, attempt.state))
            error = say(", error {error}").format(error=attempt.error) if attempt.error.strip("0") else ""
            tied = say("; it could be about no other message (the answer was lost)") if attempt.inferred else ""
            own = "".join(f", {name} {value}" for name, value in named_extras(attempt.extras).items())
            yield Moment(attempt.receipt_ms, "receipt", f"{part}{word}{error}{own}{tied}")


def _answered(attempt: AttemptLine, say: Say) -> str:
    if attempt.carrier_id:
        word = say("taken as {carrier_id}").format(carrier_id=attempt.carrier_id)
    else:
        word = say(_ATTEMPT_WORDS.get(attempt.state, attempt.state))
    return f"{word} ({say('status')} 0x{attempt.status:08x})" if attempt.status else word


def _ended(line: StoryLine, say: Say) -> Iterator[Moment]:
    if line.final_ms is not None and line.state != "rejected":
        reason = f" ({line.reason})" if line.reason.strip("0") else ""
        yield Moment(line.final_ms, "end", f"{say(_ENDS.get(line.state, line.state))}{reason}")


def _callback(story: Story, say: Say) -> Iterator[Moment]:
    callback, first = story.callback, story.messages[0]
    if callback is None:
        return
    address = first.callback_url.partition("?")[0]
    yield Moment(callback.created_ms, "callback", say("due, to {address}").format(address=address))
    for one in story.tries:
        said = f"HTTP {one.http_status}" if one.http_status else one.answer
        words = say("try {number}: {said}, {milliseconds} ms")
        yield Moment(one.at_ms, "called", words.format(number=one.number, said=said, milliseconds=one.milliseconds))
    if callback.state == "given_up":
        last = max((one.at_ms for one in story.tries), default=callback.created_ms)
        yield Moment(last, "callback", say("given up after {tries} tries").format(tries=callback.tries))
    elif callback.state == "waiting" and callback.due_ms is not None and story.tries:
        yield Moment(callback.due_ms, "next call", say("try {number}").format(number=callback.tries + 1))
