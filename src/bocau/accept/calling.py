"""A call by template becomes a send (esms-api 4.1). Pure; the checks of sends come after it."""

from typing import Final

from bocau.core.call_template import fill
from bocau.core.directory import Directory
from bocau.core.refusal import Refusal
from bocau.wire.esms import codes
from bocau.wire.esms.calls import CallRequest
from bocau.wire.esms.send import SendRequest

__all__ = ["compose"]

_LONGEST_ID: Final = 18
"""Digits of an id that the store can have."""


def compose(asked: CallRequest, directory: Directory, now_ms: int) -> SendRequest | Refusal:
    """The send of what the call says, or why there is none. Keys and account are left to the checks of sends."""
    key = directory.sign_in(asked.request.api_key, asked.request.secret_key, now_ms)
    if key is None or not key.account.active:
        return asked.request
    number = asked.template_id
    known = number.isascii() and number.isdigit() and len(number) <= _LONGEST_ID
    text = key.account.call_templates.get(int(number)) if known else None
    if text is None:
        reason = "the account has no call template of this TemplateId"
        return Refusal(codes.BRANDNAME_UNKNOWN, codes.call_template_unknown(), reason, 6)
    said = fill(text, asked.values)
    if said is None:
        reason = f"call template {number} has another number of places than VariableListStr has values"
        return Refusal(codes.INVALID_FIELD, codes.field_invalid("VariableListStr"), reason, 5)
    return asked.saying(said)
