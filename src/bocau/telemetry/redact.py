"""What must never reach a log line, and how it is kept out (promises S1).

The rule does not rely on care: a field is shown by what its name allows, objects are shown by their type alone, and
every remaining text is searched for numbers and keys.
"""

import re
import sqlite3
import traceback
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from bocau.core.phone import mask

__all__ = ["HIDDEN", "describe", "redacted"]

HIDDEN: Final = "***"
_LONGEST: Final = 500
_MOST_ITEMS: Final = 50
_DEEPEST: Final = 4
_MOST_FRAMES: Final = 20

# A field of one of these names is never shown; neither is one whose name contains a word of the second table.
_HIDDEN_NAMES: Final = frozenset(
    (
        "text",
        "message",
        "msg",
        "body",
        "code",
        "otp",
        "pin",
        "key",
        "keys",
        "pdu",
        "raw",
        "query",
        "payload",
        "answer",
        "path",
        "sms",
        "session",
        "user_data",
        "udh",
    )
)
_HIDDEN_WORDS: Final = re.compile(
    "pass_?w|secret|api_?key|token|authori[sz]|cookie|signature|content|short_?message|credential"
)
_PHONE_NAMES: Final = re.compile(
    ".*phone.*|.*msisdn.*|destination(_addr)?|source_addr|receivers?|recipients?|caller|callee|number|to"
)
_URL_NAMES: Final = re.compile(r"(?:.*_)?(?:url|uri)")

_RESULT: Final = re.compile("[0-9]{1,3}")  # a CodeResult; a code sent to a phone has four signs or more
_PHONE: Final = re.compile(r"(?<![0-9A-Za-z])(?:\+|00)?(?:84|0)?[1-9][0-9]{8,9}(?![0-9A-Za-z])")
_URL: Final = re.compile(r"\b([a-z]{2,10}://)[^\s\"'<>]+", re.IGNORECASE)
_PAIR: Final = re.compile(
    r"((?:api_?key|secret_?key|secret|password|passwd|token|otp|content)[\"']?\s*[=:]\s*[\"']?)[^\s&\"',;]+",
    re.IGNORECASE,
)

# The texts of these errors name files, addresses and columns. Others may quote what a customer sent.
_SPEAKING: Final = (OSError, sqlite3.Error)


def redacted(name: str, value: object, depth: int = 0) -> object:
    """The value of a field as it may be shown: a scalar, or lists and dicts of scalars."""
    word = name.lower().replace("-", "_")
    if value is None or isinstance(value, bool):
        return value
    if word in _HIDDEN_NAMES or _HIDDEN_WORDS.search(word):
        return value if word == "code" and isinstance(value, str) and _RESULT.fullmatch(value) else HIDDEN
    if _PHONE_NAMES.fullmatch(word) and isinstance(value, str | int):
        return mask(str(value)) if isinstance(value, str) or value > 9_999_999 else value
    if isinstance(value, str):
        return _host_of(value) if _URL_NAMES.fullmatch(word) else _scrubbed(value)
    if isinstance(value, int | float):
        return value if abs(value) < 1 << 63 or isinstance(value, float) else str(value)[:_LONGEST]
    return _redacted_object(name, value, depth)


def _redacted_object(name: str, value: object, depth: int) -> object:
    if isinstance(value, BaseException):
        return describe(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    plain = type(value) in (list, tuple, set, frozenset, dict)
    if not plain or depth >= _DEEPEST:
        return f"<{type(value).__name__}>"  # a Message, a Request: whatever it holds stays inside
    if isinstance(value, Mapping):
        pairs = list(value.items())[:_MOST_ITEMS]
        return {_scrubbed(str(key)): redacted(str(key), item, depth + 1) for key, item in pairs}
    assert isinstance(value, list | tuple | set | frozenset)  # noqa: S101 - the other plain kinds
    return [redacted(name, item, depth + 1) for item in list(value)[:_MOST_ITEMS]]


def describe(error: BaseException, depth: int = 0) -> dict[str, object]:
    """An exception without what it quotes: type, places it passed, cause, and its text where that is safe."""
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
    found: dict[str, object] = {"error": type(error).__name__}
    if isinstance(error, _SPEAKING):
        found["says"] = _scrubbed(str(error))
    if frames:
        found["at"] = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and depth < _DEEPEST:
        found["because"] = describe(cause, depth + 1)
    if isinstance(error, BaseExceptionGroup):
        found["errors"] = [describe(each, depth + 1) for each in error.exceptions[:_MOST_ITEMS] if depth < _DEEPEST]
    return found


def _short(file: str) -> str:
    """The last two parts of a file's name."""
    return "/".join(file.replace("\\", "/").split("/")[-2:])


def _scrubbed(text: str) -> str:
    """A text without phone numbers, keys and the tails of URLs, cut to a length."""
    text = text[:_LONGEST]
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()  # a lone surrogate would spoil the line
    if ":" in text or "=" in text:
        text = _PAIR.sub(rf"\g<1>{HIDDEN}", _URL.sub(lambda match: _host_of(match[0]), text))
    return _PHONE.sub(lambda match: mask(match[0]), text)


def _host_of(url: str) -> str:
    """Scheme and host of a URL: what stands behind them may hold keys."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return HIDDEN
    if not parts.scheme or not host:
        return HIDDEN
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}/..."
