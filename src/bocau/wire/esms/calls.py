"""Sends that do not look like one: a spoken code, a call by template, a generated code (esms-api 4.1, 4.2).

Each becomes a SendRequest, so that it goes through the same checks and the same admission as every other send.
"""

from typing import Final, NamedTuple

import msgspec

from bocau.wire.esms import parameters
from bocau.wire.esms.names import SEND_PARAMETERS, Vocabulary
from bocau.wire.esms.queries import Keys
from bocau.wire.esms.send import SendRequest, send_of

__all__ = [
    "PLACE_OF_CODE",
    "CallRequest",
    "GeneratedRequest",
    "decode_call_code",
    "decode_call_of",
    "decode_call_template",
    "decode_generated",
]

PLACE_OF_CODE: Final = "{OTP}"
"""Where a generated code goes in its message."""

_CALL_NAMES: Final = Vocabulary(*SEND_PARAMETERS, "code")
_TEMPLATE_NAMES: Final = Vocabulary(*SEND_PARAMETERS, "templateid", "variableliststr")
_BETWEEN_VALUES: Final = "||"
_GENERATED_NAMES: Final = Vocabulary(*SEND_PARAMETERS, "type", "message", "timealive", "numcharofcode", "isnumber")


class CallRequest(NamedTuple):
    """A call that says a registered text."""

    request: SendRequest
    """Its Content is still to be made."""
    template_id: str
    """As it came, trimmed."""
    values: tuple[str, ...]
    """For the places of the text, left to right."""

    def saying(self, text: str) -> SendRequest:
        """The send of that text."""
        return msgspec.structs.replace(self.request, content=text)

    def __repr__(self) -> str:
        """Without the values, which may be codes."""
        return "CallRequest(...)"


class GeneratedRequest(NamedTuple):
    """A send with a code that bocau makes up."""

    request: SendRequest
    """Its Content is the message, with the place of the code."""
    minutes: str
    """TimeAlive, as it came; empty if it is missing."""
    length: str
    """NumCharOfCode, likewise."""
    digits_only: bool
    """IsNumber: no letters."""

    def with_code(self, code: str) -> SendRequest:
        """The send with its code in place."""
        return msgspec.structs.replace(self.request, content=self.request.content.replace(PLACE_OF_CODE, code))


def decode_call_code(body: bytes, query: bytes = b"") -> SendRequest:
    """VoiceOTP: a message of type 8 whose text is the code. Speed and Voice say nothing yet. Raises names.Malformed."""
    values = parameters.decode(body, query, _CALL_NAMES)
    return send_of({**values, "content": values.get("code", "").strip(), "smstype": "8"})


def decode_call_template(body: bytes, query: bytes = b"") -> CallRequest:
    """MakeCallTemplate_V2: a message of type 8. Speed and Voice say nothing yet. Raises names.Malformed."""
    values = parameters.decode(body, query, _TEMPLATE_NAMES)
    listed = values.get("variableliststr", "")
    return CallRequest(
        send_of({**values, "content": "", "smstype": "8"}),
        values.get("templateid", "").strip(),
        tuple(listed.split(_BETWEEN_VALUES)) if listed else (),
    )


def decode_call_of(body: bytes, query: bytes = b"") -> Keys:
    """Who asks for a call that nobody can have registered. Raises names.Malformed."""
    values = parameters.decode(body, query, _CALL_NAMES)
    return Keys(values.get("apikey", ""), values.get("secretkey", ""))


def decode_generated(body: bytes, query: bytes = b"") -> GeneratedRequest:
    """SendMessageAutoGenCode_V4_get; Type is the SmsType, 2 if it is missing. Raises names.Malformed."""
    values = parameters.decode(body, query, _GENERATED_NAMES)
    kind = values.get("type", "").strip() or values.get("smstype", "").strip() or "2"
    request = send_of({**values, "content": values.get("message", "") or values.get("content", ""), "smstype": kind})
    return GeneratedRequest(
        request,
        values.get("timealive", "").strip(),
        values.get("numcharofcode", "").strip(),
        values.get("isnumber", "").strip().lower() in ("1", "true"),
    )
