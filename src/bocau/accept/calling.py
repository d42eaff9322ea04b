"""A call by template or by recording becomes a send (esms-api 4.1). Pure; the checks of sends come after it."""

from typing import Final

from bocau.core.call_template import fill
from bocau.core.directory import Key
from bocau.core.refusal import Refusal
from bocau.wire.esms import codes
from bocau.wire.esms.calls import CallRequest
from bocau.wire.esms.send import SendRequest

__all__ = ["compose_recorded", "compose_spoken"]

_CALLED: Final = "voice"
_LONGEST_ID: Final = 18
"""Digits of an id that the store can have."""


def compose_spoken(asked: CallRequest, key: Key) -> SendRequest | Refusal:
    """The send of what a call by template says, or why there is none."""
    number = _number(asked.template_id)
    text = key.account.call_templates.get(number)
    if text is None:
        reason = "the account has no call template of this TemplateId"
        return Refusal(codes.BRANDNAME_UNKNOWN, codes.call_template_unknown(), reason, 6)
    said = fill(text, asked.values)
    if said is None:
        reason = f"call template {number} has another number of places than VariableListStr has values"
        return Refusal(codes.INVALID_FIELD, codes.field_invalid("VariableListStr"), reason, 5)
    return asked.saying(said)


def compose_recorded(asked: CallRequest, key: Key, channel: str) -> SendRequest | Refusal:
    """The send of a recording, or why there is none. `channel` is how type 8 goes where the account has no own way.

    A recording has no text: an account whose type 8 may go by SMS would have its name sent to people.
    """
    number = _number(asked.template_id)
    name = key.account.recordings.get(number)
    if name is None:
        reason = "the account has no recording of this TemplateId"
        return Refusal(codes.RECORDING_UNKNOWN, codes.text(codes.RECORDING_UNKNOWN), reason, 6)
    if (key.account.type8_channel or channel) != _CALLED:
        reason = "type 8 of this account may go by SMS, and a recording can only be called"
        return Refusal(codes.RECORDING_UNKNOWN, codes.text(codes.RECORDING_UNKNOWN), reason, 6)
    return asked.playing(number, name)


def _number(text: str) -> int:
    """An id as it came; 0, which nothing has, if it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID else 0
