"""JSON as the samples of the API's documents have it: remarks, values without quotes, a comma too many (esms-api 1.3).

Off unless a setting asks for it: who sends such a body has copied a sample without reading it, and guessing what a
broken body means may send what nobody meant.
"""

import re
from typing import Final

import msgspec

__all__ = ["mended"]

_STRICT: Final = msgspec.json.Decoder(dict[str, object])
_TOKEN: Final = re.compile(
    r"""
    (?P<string> "(?:[^"\\]|\\.)*" )
  | (?P<remark> //[^\n]* )
  | (?P<blank> \s+ )
  | (?P<bare> \{[\w\ .-]+\} | [^\s"{}\[\],:] (?:(?!\s//)[^"{}\[\],\n])* )
  | (?P<sign> . )
    """,
    re.VERBOSE | re.DOTALL,
)
"""Every sign begins exactly one token, and no part can be read in two ways: linear in the length of the body."""
_PLAIN: Final = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_CLOSING: Final = frozenset("}]")


def mended(body: bytes) -> bytes:
    """The body as strict JSON, if it begins like an object, is none, and can be made one; else the body as it is."""
    if not body.startswith((b"{", b"\xef\xbb\xbf", b" ", b"\n", b"\r", b"\t")) or _is_strict(body):
        return body
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body
    made = "".join(_tokens(text)).encode()
    return made if _is_strict(made) else body


def _is_strict(body: bytes) -> bool:
    try:
        _STRICT.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _tokens(text: str) -> list[str]:
    """The tokens of strict JSON in a text."""
    found: list[str] = []
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup, match[0]
        if kind in ("remark", "blank"):
            continue
        if kind == "bare" and not _PLAIN.fullmatch(token.strip()):
            token = msgspec.json.encode(token.strip()).decode()
        if token in _CLOSING and found and found[-1] == ",":
            found.pop()
        found.append(token)
    return found
