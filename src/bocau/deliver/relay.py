"""A carrier that is itself a service of the eSMS API: the real one, or another bocau. A dialect; see `dialect`."""

from typing import Final

from bocau.core.lifecycle import AttemptState
from bocau.core.message import AnswerKind
from bocau.deliver.dialect import News, Outgoing, Said, said_by_status
from bocau.ports import HttpAnswer, HttpBody, Submission
from bocau.wire.esms.upstream import (
    Outcome,
    SendCall,
    Verdict,
    read_callback,
    read_send,
    read_status,
    send_body,
    status_query,
)

__all__ = ["EsmsDialect"]

_SEND: Final = "/MainService.svc/json/SendMultipleMessage_V4_post_json/"
_STATUS: Final = "/MainService.svc/json/GetSendStatus"
_HEADERS: Final = (("Content-Type", "application/json; charset=utf-8"),)
_KINDS: Final = {
    Verdict.TAKEN: AnswerKind.TAKEN,
    Verdict.TEMPORARY: AnswerKind.TEMPORARY,
    Verdict.THROTTLE: AnswerKind.TEMPORARY,
    Verdict.PERMANENT: AnswerKind.PERMANENT,
}
_STATES: Final = {
    Outcome.DELIVERED: AttemptState.DELIVERED,
    Outcome.UNDELIVERED: AttemptState.UNDELIVERED,
    Outcome.OPEN: None,
}


class EsmsDialect:
    """Speaks to one account of such a service. `base` is its address without a path."""

    def __init__(self, base: str, api_key: str, secret_key: str) -> None:
        self._base = base.rstrip("/")
        self._keys = (api_key, secret_key)

    def outgoing(self, submission: Submission, reference: str, hook: str) -> Outgoing:
        """See Dialect. The reference is the RequestId, so the same message is never taken twice."""
        message = submission.message
        if message is None:
            raise ValueError("a relay needs the whole message")
        call = SendCall(message.sms_type, message.brandname, message.phone, message.content, reference, hook)
        return Outgoing(self._base + _SEND, HttpBody(send_body(*self._keys, call), _HEADERS, repeatable=True))

    def said(self, answer: HttpAnswer) -> Said:
        """See Dialect."""
        result = read_send(answer.body) if answer.status == 200 else None
        if result is None:
            # A 200 that is no answer of the API: something stands between, and what it did nobody knows.
            return said_by_status(answer.status) if answer.status != 200 else Said(AnswerKind.UNCERTAIN)
        status = int(result.code) if result.code.isdecimal() and len(result.code) < 10 else 0
        return Said(_KINDS[result.verdict], status, result.smsid, result.verdict is Verdict.THROTTLE)

    def news(self, query: bytes, body: bytes) -> News | None:
        """See Dialect."""
        del body
        found = read_callback(query)
        return None if found is None else News(_STATES[found[1]], found[0])

    def question(self, carrier_id: str) -> str:
        """See Dialect."""
        return f"{self._base}{_STATUS}?{status_query(*self._keys, carrier_id)}"

    def told(self, answer: HttpAnswer) -> News | None:
        """See Dialect."""
        outcome = read_status(answer.body) if answer.status == 200 else None
        return None if outcome is None else News(_STATES[outcome])
