"""A carrier with an HTTP interface of its own, described in the settings. A dialect; see `dialect`.

Its body is a text with places to fill; its answers and reports are read by JSON pointers (RFC 6901) and compared with
words. No patterns, no code.
"""

import json
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, quote_plus

import msgspec

from bocau.core.lifecycle import AttemptState
from bocau.core.message import AnswerKind
from bocau.core.phone import to_e164
from bocau.core.pointer import value_at
from bocau.deliver.dialect import News, Outgoing, Said, said_by_status
from bocau.ports import HttpAnswer, HttpBody, Submission

__all__ = ["TemplateDialect", "TemplateSettings"]


_MOST_PAIRS: Final = 200


class TemplateSettings(NamedTuple):
    """How one such carrier is spoken to."""

    url: str
    body: str
    """With {text}, {phone}, {e164}, {sender}, {reference} and {callback} in it, each escaped as the kind of body asks;
    {{ and }} are plain braces."""
    json_body: bool
    authorization: str
    """Value of the Authorization header; empty: none."""
    id_pointer: str
    """Where its answer has its id, as /data/id; empty: nowhere."""
    answer_pointer: str
    """Where its answer says how it went; empty: the HTTP status says it."""
    taken_words: tuple[str, ...]
    later_words: tuple[str, ...]
    """What stands there for taken and for not now; anything else is a refusal for good."""
    receipt_pointer: str
    """Where a report says how it ended: a pointer into JSON, or /name for a form or query."""
    delivered_words: tuple[str, ...]
    undelivered_words: tuple[str, ...]
    repeatable: bool
    """The carrier knows a repetition by {reference}."""

    def __repr__(self) -> str:
        """Without the key (promises S1)."""
        return f"TemplateSettings({self.url})"


class TemplateDialect:
    """Speaks as described."""

    def __init__(self, settings: TemplateSettings) -> None:
        self._settings = settings
        self._pieces = _pieces(settings.body)
        self._escape = _in_json if settings.json_body else quote_plus
        kind = "application/json; charset=utf-8" if settings.json_body else "application/x-www-form-urlencoded"
        own = (("Authorization", settings.authorization),) if settings.authorization else ()
        self._headers = (("Content-Type", kind), *own)

    def outgoing(self, submission: Submission, reference: str, hook: str) -> Outgoing:
        """See Dialect."""
        values = {
            "text": submission.parts[0].data.decode(),
            "phone": submission.phone,
            "e164": to_e164(submission.phone),
            "sender": submission.sender,
            "reference": reference,
            "callback": hook,
        }
        body = "".join(piece if plain else self._escape(values[piece]) for piece, plain in self._pieces)
        return Outgoing(self._settings.url, HttpBody(body.encode(), self._headers, self._settings.repeatable))

    def said(self, answer: HttpAnswer) -> Said:
        """See Dialect."""
        settings = self._settings
        if not 200 <= answer.status < 300:
            return said_by_status(answer.status)
        tree = _json(answer.body)
        carrier_id = value_at(tree, settings.id_pointer) if settings.id_pointer else ""
        if not settings.answer_pointer:
            return Said(AnswerKind.TAKEN, answer.status, carrier_id)
        word = value_at(tree, settings.answer_pointer)
        if word in settings.taken_words:
            return Said(AnswerKind.TAKEN, answer.status, carrier_id)
        if word in settings.later_words:
            return Said(AnswerKind.TEMPORARY, answer.status)
        # Without the word nobody knows what it did.
        return Said(AnswerKind.PERMANENT if word else AnswerKind.UNCERTAIN, answer.status)

    def news(self, query: bytes, body: bytes) -> News | None:
        """See Dialect."""
        settings = self._settings
        tree = _json(body)
        if not isinstance(tree, Mapping | list):
            text = f"{query.decode('utf-8', 'replace')}&{body.decode('utf-8', 'replace')}"
            try:
                tree = dict(parse_qsl(text, max_num_fields=_MOST_PAIRS))
            except ValueError:
                return None
        word = value_at(tree, settings.receipt_pointer) if settings.receipt_pointer else ""
        if word in settings.delivered_words:
            return News(AttemptState.DELIVERED)
        if word in settings.undelivered_words:
            return News(AttemptState.UNDELIVERED, error=word[:20])
        return News(None) if word else None

    def question(self, carrier_id: str) -> str:
        """See Dialect: there is none."""
        del carrier_id
        return ""

    def told(self, answer: HttpAnswer) -> News | None:
        """See Dialect."""
        del answer
        return None


def _pieces(body: str) -> list[tuple[str, bool]]:
    """A body cut at its places: (text, True) as it stands, (name, False) to be filled in."""
    found: list[tuple[str, bool]] = []
    plain, at = "", 0
    while at < len(body):
        if body[at : at + 2] in ("{{", "}}"):
            plain += body[at]
            at += 2
            continue
        end = body.find("}", at) if body[at] == "{" else -1
        name = body[at + 1 : end] if end > 0 else ""
        if name.isidentifier():
            found += [(plain, True), (name, False)]
            plain, at = "", end + 1
        else:
            plain += body[at]
            at += 1
    return [*found, (plain, True)]


def _in_json(text: str) -> str:
    """A text as it stands inside the quotation marks of JSON."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _json(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
