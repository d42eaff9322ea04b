"""What is remembered of a request, as events in the order of time, each in words. Pure."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from bocau.core.money import vnd_number
from bocau.core.phone import mask
from bocau.core.telcos import TELCOS
from bocau.store.contract import AttemptLine, Story, StoryLine

__all__ = ["Moment", "Shown", "headline", "moments"]

_HIDDEN: Final = "(hidden; --reveal shows it)"
_SHOWN_TEXT: Final = 160
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
_MONEY: Final = {"hold": "held", "capture": "charged", "release": "given back"}


class Shown(NamedTuple):
    """How much of people's data is told."""

    reveal: bool

    def phone(self, phone: str) -> str:
        """A number, or what may be told of it."""
        return phone if self.reveal else mask(phone)

    def text(self, text: str) -> str:
        """A text, or that there is one."""
        return text[:_SHOWN_TEXT] if self.reveal else _HIDDEN


class Moment(NamedTuple):
    """Something that happened, or will."""

    at_ms: int
    what: str
    """One word: its kind."""
    words: str
    phone: str = ""
    """Whom it is about, where the request has several receivers."""


def headline(line: StoryLine, shown: Shown) -> list[tuple[str, object]]:
    """What the message is, as labels and values."""
    telco = TELCOS.get(line.telco)
    return [
        ("SMSID", line.smsid),
        ("To", f"{shown.phone(line.phone)}{f' ({telco.receiver_name})' if telco else ''}"),
        ("From", line.brandname or f"a number of the network (type {line.sms_type})"),
        ("Text", shown.text(line.content)),
        ("Parts", line.parts),
        ("Price", f"{vnd_number(line.price)} VND"),
        ("State", f"{line.state}{f' ({line.reason})' if line.reason else ''}"),
    ]


def moments(story: Story, shown: Shown) -> list[Moment]:
    """Everything that happened, oldest first; what is still to come stands at its time."""
    found = [*_requested(story), *_callback(story)]
    several = len(story.messages) > 1
    for line in story.messages:
        phone = shown.phone(line.phone) if several else ""
        own = [attempt for attempt in story.attempts if attempt.message_id == line.id]
        found += [moment._replace(phone=phone) for moment in (*_waited(line), *_attempted(own), *_ended(line))]
    found += [
        Moment(entry.at_ms, "money", f"{vnd_number(abs(entry.amount))} VND {_MONEY.get(entry.kind, entry.kind)}")
        for entry in story.money
    ]
    return sorted(found, key=lambda moment: moment.at_ms)


def _requested(story: Story) -> Iterator[Moment]:
    first = story.messages[0]
    count = len(story.messages)
    asked = f"a request of type {first.sms_type}" + (f" for {count} receivers" if count > 1 else "")
    own = f", RequestId {first.request_id}" if first.request_id else ", without a RequestId"
    kind = "a one-time code" if first.route_class == "otp" else "not a one-time code"
    if first.state == "rejected":
        yield Moment(first.created_ms, "refused", f"{asked}{own}: {first.reason}")
    else:
        yield Moment(first.created_ms, "accepted", f"{asked}{own}; all checks passed; {kind}")


def _waited(line: StoryLine) -> Iterator[Moment]:
    if line.release_ms > line.created_ms:
        yield Moment(line.release_ms, "release", "not to be sent before this")
    if line.state == "queued" and line.tries:
        yield Moment(line.due_ms, "next try", "put off until then")
    if line.state in ("scheduled", "queued"):
        yield Moment(line.expires_ms, "deadline", "not submitted after this")


def _attempted(attempts: list[AttemptLine]) -> Iterator[Moment]:
    for attempt in attempts:
        part = f"part {attempt.part} of {attempt.parts}, " if attempt.parts > 1 else ""
        again = f", try {attempt.number}" if attempt.number > 1 else ""
        yield Moment(attempt.intent_ms, "submit", f"{part}to {attempt.carrier}{again}")
        if attempt.answer_ms is not None:
            answered = "taken" if attempt.carrier_id else _ATTEMPT_WORDS.get(attempt.state, attempt.state)
            known = f" as {attempt.carrier_id}" if attempt.carrier_id else ""
            status = f" (status 0x{attempt.status:08x})" if attempt.status else ""
            yield Moment(attempt.answer_ms, "answer", f"{part}{answered}{known}{status}")
        if attempt.receipt_ms is not None:
            error = f", error {attempt.error}" if attempt.error.strip("0") else ""
            word = _RECEIPT_WORDS.get(attempt.state, attempt.state)
            yield Moment(attempt.receipt_ms, "receipt", f"{part}{word}{error}")


def _ended(line: StoryLine) -> Iterator[Moment]:
    if line.final_ms is not None and line.state != "rejected":
        reason = f" ({line.reason})" if line.reason else ""
        yield Moment(line.final_ms, "end", f"{_ENDS.get(line.state, line.state)}{reason}")


def _callback(story: Story) -> Iterator[Moment]:
    callback, first = story.callback, story.messages[0]
    if callback is None:
        return
    yield Moment(callback.created_ms, "callback", f"due, to {first.callback_url.partition('?')[0]}")
    for one in story.tries:
        said = f"HTTP {one.http_status}" if one.http_status else one.answer
        yield Moment(one.at_ms, "called", f"try {one.number}: {said}, {one.milliseconds} ms")
    if callback.state == "given_up":
        last = max((one.at_ms for one in story.tries), default=callback.created_ms)
        yield Moment(last, "callback", f"given up after {callback.tries} tries")
    elif callback.state == "waiting" and callback.due_ms is not None and story.tries:
        yield Moment(callback.due_ms, "next call", f"try {callback.tries + 1}")
