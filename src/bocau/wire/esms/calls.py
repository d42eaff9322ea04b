"""Sends that do not look like one: a spoken code, a call by template, a generated code (esms-api 4.1, 4.2).

Each becomes a SendRequest, so that it goes through the same checks and the same admission as every other send.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from bocau.wire.esms import parameters
from bocau.wire.esms.names import SEND_PARAMETERS, Vocabulary
from bocau.wire.esms.queries import Keys
from bocau.wire.esms.send import SendRequest, send_of

__all__ = [
    "PLACE_OF_CODE",
    "VOICES",
    "CallRequest",
    "GeneratedRequest",
    "decode_call_code",
    "decode_call_of",
    "decode_call_template",
    "decode_generated",
]

PLACE_OF_CODE: Final = "{OTP}"
"""Where a generated code goes in its message."""

_MANNER: Final = ("voice", "speed")
_CALL_NAMES: Final = Vocabulary(*SEND_PARAMETERS, *_MANNER, "code")
_TEMPLATE_NAMES: Final = Vocabulary(*SEND_PARAMETERS, *_MANNER, "templateid", "variableliststr")
VOICES: Final = ("male", "female", "hatieumai", "ngoclam")
"""What a call may ask to be spoken by (esms-api 4.1)."""
_SPEEDS: Final = frozenset(map(str, range(-3, 4)))
_BETWEEN_VALUES: Final = "||"
_GENERATED_NAMES: Final = Vocabulary(*SEND_PARAMETERS, "type", "message", "timealive", "numcharofcode", "isnumber")


class CallRequest(NamedTuple):
    """A call that says a registered text, or plays a registered recording."""

    request: SendRequest
    """Its Content is still to be made."""
    template_id: str
    """As it came, trimmed; of a recording too."""
    values: tuple[str, ...]
    """For the places of the text, left to right."""

    def saying(self, text: str) -> SendRequest:
        """The send of that text."""
        return msgspec.structs.replace(self.request, content=text)

    def playing(self, recording: int, name: str) -> SendRequest:
        """The send of a recording; its name stands where a message has its text."""
        return msgspec.structs.replace(self.request, content=name, recording=recording)

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
    """VoiceOTP: a message of type 8 whose text is the code. Raises names.Malformed."""
    values = parameters.decode(body, query, _CALL_NAMES)
    return _call_of(values, values.get("code", "").strip(), "Code")


def decode_call_template(body: bytes, query: bytes = b"") -> CallRequest:
    """MakeCallTemplate_V2 and MakeCallRecord_V2: a message of type 8. Raises names.Malformed."""
    values = parameters.decode(body, query, _TEMPLATE_NAMES)
    listed = values.get("variableliststr", "")
    return CallRequest(
        _call_of(values, "", "VariableListStr"),
        values.get("templateid", "").strip(),
        tuple(listed.split(_BETWEEN_VALUES)) if listed else (),
    )


def decode_call_of(body: bytes, query: bytes = b"") -> Keys:
    """Who asks for a call that nobody can have registered. Raises names.Malformed."""
    values = parameters.decode(body, query, _CALL_NAMES)
    return Keys(values.get("apikey", ""), values.get("secretkey", ""))


def _call_of(values: Mapping[str, str], text: str, text_name: str) -> SendRequest:
    """The send of a call. A Voice or a Speed that is none of the documented ones counts for nothing."""
    voice, speed = values.get("voice", "").strip().lower(), values.get("speed", "").strip()
    return msgspec.structs.replace(
        send_of({**values, "content": text, "smstype": "8"}),
        text_name=text_name,
        called=True,
        voice=voice if voice in VOICES else "",
        speed=int(speed) if speed in _SPEEDS else 0,
    )


def decode_generated(body: bytes, query: bytes = b"") -> GeneratedRequest:
    """SendMessageAutoGenCode_V4_get; Type is the SmsType, 2 if it is missing. Raises names.Malformed."""
    values = parameters.decode(body, query, _GENERATED_NAMES)
    kind = values.get("type", "").strip() or values.get("smstype", "").strip() or "2"
    request = send_of({**values, "content": values.get("message", "") or values.get("content", ""), "smstype": kind})
    request = msgspec.structs.replace(request, text_name="message")
    return GeneratedRequest(
        request,
        values.get("timealive", "").strip(),
        values.get("numcharofcode", "").strip(),
        values.get("isnumber", "").strip().lower() in ("1", "true"),
    )
