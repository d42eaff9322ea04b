"""Codes that bocau makes up, sends and checks (esms-api 4.2). Pure: chance comes in as bytes."""

from typing import Final, NamedTuple

from bocau.accept.checks import Draft
from bocau.core.directory import Directory
from bocau.core.message import GeneratedCode
from bocau.core.phone import split_phones
from bocau.core.refusal import Refusal
from bocau.wire.esms import codes
from bocau.wire.esms.calls import PLACE_OF_CODE, GeneratedRequest
from bocau.wire.esms.send import SendRequest

__all__ = ["CHANCE_BYTES", "MadeCode", "make_code"]

CHANCE_BYTES: Final = 16
"""Random bytes that a code is made of; the longest code has 50 bits."""

_DIGITS: Final = "0123456789"
_SIGNS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Digits and letters that nobody takes for each other."""
_LENGTHS: Final = range(4, 11)
_MINUTES: Final = range(2, 16)
_MINUTE_MS: Final = 60_000


class MadeCode(NamedTuple):
    """A code on its way to a phone."""

    request: SendRequest
    """The send, the code in its place."""
    code: str
    minutes: int

    def __repr__(self) -> str:
        """Without the code."""
        return "MadeCode(...)"

    def remembered(self, directory: Directory, draft: Draft, now_ms: int) -> GeneratedCode | None:
        """What is stored with the message; nothing if it will not go out. Its time begins when the message may go."""
        if draft.rejected is not None:
            return None
        phone = draft.receivers[0].phone
        begins_ms = draft.release_ms or now_ms
        code_hash = directory.hash_code(draft.account.id, phone, self.code)
        return GeneratedCode(phone, code_hash, begins_ms + self.minutes * _MINUTE_MS)


def make_code(asked: GeneratedRequest, chance: bytes) -> MadeCode | Refusal:
    """The send with a fresh code, or what is wrong with the request; told only to a key that came in."""
    request = asked.request
    if len(split_phones(request.phone)) > 1:
        reason = "a generated code goes to one phone number"
        return Refusal(codes.ONE_PHONE_ONLY, codes.text(codes.ONE_PHONE_ONLY), reason, 4)
    if PLACE_OF_CODE not in request.content:
        return _bad_field("message", f"message has no {PLACE_OF_CODE} in it")
    minutes = _number(asked.minutes, 5, _MINUTES)
    if minutes is None:
        return _bad_field("TimeAlive", f"TimeAlive is not {_MINUTES[0]} to {_MINUTES[-1]} minutes")
    length = _number(asked.length, 6, _LENGTHS)
    if length is None:
        return _bad_field("NumCharOfCode", f"NumCharOfCode is not {_LENGTHS[0]} to {_LENGTHS[-1]}")
    code = _code(length, _DIGITS if asked.digits_only else _SIGNS, chance)
    return MadeCode(asked.with_code(code), code, minutes)


def _code(length: int, signs: str, chance: bytes) -> str:
    """So many signs, at least one of them a digit, so that a person sees that it is a code."""
    number = int.from_bytes(chance, "big")
    drawn = []
    for _ in range(length):
        number, index = divmod(number, len(signs))
        drawn.append(signs[index])
    if not any(sign in _DIGITS for sign in drawn):
        drawn[number % length] = str(2 + number // length % 8)
    return "".join(drawn)


def _number(text: str, default: int, allowed: range) -> int | None:
    """A plain number within bounds; None if it is none."""
    if not text:
        return default
    number = int(text) if len(text) <= 2 and text.isascii() and text.isdigit() else -1
    return number if number in allowed else None


def _bad_field(field: str, reason: str) -> Refusal:
    return Refusal(codes.INVALID_FIELD, codes.field_invalid(field), reason, 5)
