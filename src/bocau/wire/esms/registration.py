"""Registering a template: the question, the answers, and the callback with the decision (esms-api 3.9, 3.2)."""

from enum import IntEnum
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from bocau.wire.esms import parameters
from bocau.wire.esms.names import SEND_PARAMETERS, Vocabulary

__all__ = ["Decision", "PreviewRequest", "decision_query", "decode_preview", "registered"]

_NAMES = Vocabulary(*SEND_PARAMETERS, "servicetype")
_TEXT = "ViHAT is moderating your template"
"""The exact ErrorMessage of the API, name and all."""


class PreviewRequest(NamedTuple):
    """What a customer asks to register. Absent and empty are the empty text; nothing is checked yet."""

    api_key: str
    secret_key: str
    content: str
    brandname: str
    service_type: str
    sms_type: str
    callback_url: str

    def __repr__(self) -> str:
        """Without keys and text (promises S1)."""
        return "PreviewRequest(...)"


class Decision(IntEnum):
    """Status in the callback."""

    FAILED = 0
    RECEIVED = 1
    """Known from the documents; the answer to the request says the same, so bocau does not call for it."""
    REGISTERED = 2


def decode_preview(body: bytes, query: bytes = b"") -> PreviewRequest:
    """The question of SubServicePreviewJson. Raises names.Malformed."""
    get = parameters.decode(body, query, _NAMES).get
    return PreviewRequest(
        get("apikey", ""),
        get("secretkey", ""),
        get("content", ""),
        get("brandname", ""),
        get("servicetype", "").strip(),
        get("smstype", "").strip(),
        get("callbackurl", "").strip(),
    )


def registered(preview_id: int) -> bytes:
    """The body of a registration that was taken; the id is a number token."""
    return b'{"CodeResult":"100","ErrorMessage":%b,"ServicePreviewId":%d}' % (msgspec.json.encode(_TEXT), preview_id)


def decision_query(preview_id: int, decision: Decision, brandname: str) -> str:
    """The query of the callback, without question mark."""
    return f"ServicePreviewId={preview_id}&Status={decision.value}&Brandname={quote(brandname, safe='')}"
