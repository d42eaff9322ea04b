"""SIP messages as values, and their octets (RFC 3261, sections 7, 18.3 and 25).

Reading is tolerant (compact names, folded lines, bare LF), writing is strict: what cannot be a header is refused, not
repaired. Everything is bounded before it is looked at.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

__all__ = [
    "MAX_BODY",
    "MAX_HEAD",
    "MAX_HEADERS",
    "MAX_LINE",
    "BadMessage",
    "CSeq",
    "FieldError",
    "Header",
    "Message",
    "Request",
    "Response",
    "cseq_of",
    "decode",
    "encode",
    "every",
    "first",
    "split_list",
    "split_params",
]

MAX_HEAD: Final = 16_384
"""Octets of start line and headers together."""
MAX_LINE: Final = 4_096
"""Octets of one header, its folded lines joined; and of the start line."""
MAX_HEADERS: Final = 100
"""Headers of one message."""
MAX_BODY: Final = 32_768
"""Octets of one body."""
MAX_VALUES: Final = 64
"""Values that are read out of one comma list, or parameters out of one value."""

Header = tuple[str, str]
"""A header's name, spelled as the specifications do, and its value on one line."""


class BadMessage(ValueError):  # noqa: N818 - the peer's message is bad, we have no error
    """What a peer sent is no SIP message, or a part of it is not what it must be. All readers here raise only this."""


class FieldError(ValueError):
    """A value that we were about to send fits no SIP message."""


class Request(NamedTuple):
    """One request."""

    method: str
    uri: str
    headers: tuple[Header, ...]
    body: bytes = b""


class Response(NamedTuple):
    """One answer."""

    status: int
    reason: str
    headers: tuple[Header, ...]
    body: bytes = b""


Message = Request | Response


class CSeq(NamedTuple):
    """The CSeq header."""

    number: int
    method: str


_NAMES: Final = (
    "Accept", "Alert-Info", "Allow", "Authorization", "Call-ID", "Call-Info", "Contact", "Content-Encoding",
    "Content-Length", "Content-Type", "CSeq", "Date", "Event", "Expires", "From", "Max-Forwards", "Min-Expires",
    "Min-SE", "P-Asserted-Identity", "Proxy-Authenticate", "Proxy-Authorization", "RAck", "Reason", "Record-Route",
    "Refer-To", "Require", "Retry-After", "Route", "RSeq", "Server", "Session-Expires", "Subject", "Supported", "To",
    "Unsupported", "User-Agent", "Via", "Warning", "WWW-Authenticate",
)  # fmt: skip
# RFC 3261 section 20, RFC 4028, RFC 3515, RFC 6665.
_COMPACT: Final = {
    "c": "Content-Type", "e": "Content-Encoding", "f": "From", "i": "Call-ID", "k": "Supported", "l": "Content-Length",
    "m": "Contact", "o": "Event", "r": "Refer-To", "s": "Subject", "t": "To", "v": "Via", "x": "Session-Expires",
}  # fmt: skip
_CANONICAL: Final = {**{name.lower(): name for name in _NAMES}, **_COMPACT}
# One of these must stand once, whatever else does; a second one is an attempt to be read in two ways.
_SINGLE: Final = frozenset({"Call-ID", "CSeq", "From", "To", "Content-Length"})
_TOKEN: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]{1,64}")
_STATUS_LINE: Final = re.compile(r"SIP/2\.0 +([1-6][0-9]{2})(?: +(.*))?", re.IGNORECASE)
_REQUEST_LINE: Final = re.compile(r"([A-Za-z0-9\-.!%*_+`'~]{1,32}) +(\S{1,1024}) +SIP/2\.0", re.IGNORECASE)
_CSEQ: Final = re.compile(r"([0-9]{1,10})[ \t]+([A-Za-z0-9\-.!%*_+`'~]{1,32})")
_UNSENDABLE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def decode(datagram: bytes) -> Message:
    """The message in one datagram (RFC 3261 18.3): octets beyond Content-Length are dropped, too few are an error.

    Raises BadMessage.
    """
    start = _skip_line_ends(datagram)
    head, body_at = split_head(datagram, start)
    message = read_head(head)
    length = content_length(message)
    body = datagram[body_at:]
    if length is not None:
        if length > len(body):
            raise BadMessage(f"Content-Length {length}, {len(body)} octets came")
        body = body[:length]
    if len(body) > MAX_BODY:
        raise BadMessage(f"a body of {len(body)} octets")
    return message._replace(body=body)


def _skip_line_ends(data: bytes) -> int:
    at = 0
    while data[at : at + 1] in (b"\r", b"\n"):
        at += 1
    return at


def split_head(data: bytes, start: int) -> tuple[bytes, int]:
    """Start line and headers, and where the body begins. Raises BadMessage if they do not end within MAX_HEAD."""
    window = data[start : start + MAX_HEAD + 4]
    at = window.find(b"\r\n\r\n")
    bare = window.find(b"\n\n")
    if at >= 0 and (bare < 0 or at < bare):
        return window[:at], start + at + 4
    if bare >= 0:
        return window[:bare], start + bare + 2
    raise BadMessage("the headers do not end")


def read_head(head: bytes) -> Message:
    """The message of these lines, without its body. Raises BadMessage."""
    if len(head) > MAX_HEAD or b"\0" in head:
        raise BadMessage("overlong head" if len(head) > MAX_HEAD else "NUL in the head")
    lines = _unfolded(head.decode("utf-8", "replace").replace("\r\n", "\n").split("\n"))
    if len(lines) > MAX_HEADERS + 1:
        raise BadMessage(f"{len(lines) - 1} headers")
    headers = tuple(_header(line) for line in lines[1:])
    _check(headers)
    status = _STATUS_LINE.fullmatch(lines[0])
    if status is not None:
        return Response(int(status[1]), (status[2] or "").strip(), headers)
    request = _REQUEST_LINE.fullmatch(lines[0].rstrip())
    if request is None:
        raise BadMessage("no start line")
    message = Request(request[1].upper(), request[2], headers)
    if cseq_of(message).method != message.method:
        raise BadMessage("CSeq names another method")
    return message


def _unfolded(lines: Sequence[str]) -> list[str]:
    """Lines with their continuations joined (RFC 3261 7.3.1)."""
    whole: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t") and len(whole) > 1:
            whole[-1] += " " + line.strip()
        else:
            whole.append(line)
        if len(whole[-1]) > MAX_LINE:
            raise BadMessage("overlong line")
    return whole


def _header(line: str) -> Header:
    name, colon, value = line.partition(":")
    name = name.rstrip(" \t")
    if not colon or _TOKEN.fullmatch(name) is None:
        raise BadMessage("a line is no header")
    value = value.strip()
    if _UNSENDABLE.search(value):
        raise BadMessage("a control character")
    return _CANONICAL.get(name.lower(), name), value


def _check(headers: Sequence[Header]) -> None:
    """The headers that no message may lack, and those that may stand only once (RFC 3261 8.1.1)."""
    names = [name for name, _ in headers]
    for name in ("Via", "From", "To", "Call-ID", "CSeq"):
        if name not in names:
            raise BadMessage(f"no {name}")
    for name in _SINGLE:
        if names.count(name) > 1:
            raise BadMessage(f"{name} twice")


def content_length(message: Message) -> int | None:
    """What Content-Length says, None without one. Raises BadMessage."""
    text = first(message, "Content-Length")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise BadMessage("Content-Length is no number")
    length = int(text)
    if length > MAX_BODY:
        raise BadMessage(f"a body of {length} octets")
    return length


def first(message: Message, name: str) -> str:
    """The first header of this name, spelled as the specifications do; empty if there is none."""
    return next((value for header, value in message.headers if header == name), "")


def every(message: Message, name: str) -> list[str]:
    """All values of a header that may be a comma list, over all its lines, in order. At most MAX_VALUES a line."""
    return [one for header, value in message.headers if header == name for one in split_list(value)]


def cseq_of(message: Message) -> CSeq:
    """The CSeq. Raises BadMessage."""
    found = _CSEQ.fullmatch(first(message, "CSeq"))
    if found is None or int(found[1]) > 0xFFFFFFFF:
        raise BadMessage("CSeq")
    return CSeq(int(found[1]), found[2].upper())


def split_list(value: str) -> list[str]:
    """A comma list's values; commas in quotes and angle brackets do not part. Raises BadMessage beyond MAX_VALUES."""
    return [one for one in (piece.strip() for piece in _pieces(value, ",")) if one]


def split_params(value: str) -> tuple[str, dict[str, str]]:
    """What stands before the first semicolon, and the parameters after it; names in small letters, quotes removed.

    Of a name that stands twice the first counts. Raises BadMessage.
    """
    head, *rest = _pieces(value, ";")
    params: dict[str, str] = {}
    for piece in rest:
        name, _, text = piece.partition("=")
        params.setdefault(name.strip().lower(), unquoted(text.strip()))
    return head.strip(), params


def unquoted(text: str) -> str:
    """A quoted string's content, or a token as it is."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _pieces(value: str, comma: str) -> Iterator[str]:
    """The pieces between separators outside quotes and angle brackets; linear in the length."""
    if '"' not in value and "<" not in value:
        pieces = value.split(comma)
        if len(pieces) > MAX_VALUES:
            raise BadMessage("too many values")
        yield from pieces
        return
    begin, count = 0, 0
    quoted = angled = escaped = False
    for at, sign in enumerate(value):
        if escaped:
            escaped = False
        elif quoted:
            escaped = sign == "\\"
            quoted = sign != '"'
        elif sign == '"':
            quoted = True
        elif sign in "<>":
            angled = sign == "<"
        elif sign == comma and not angled:
            count += 1
            if count >= MAX_VALUES:
                raise BadMessage("too many values")
            yield value[begin:at]
            begin = at + 1
    yield value[begin:]


def encode(message: Message) -> bytes:
    """The octets of a message; Content-Length is put last and must not be among its headers. Raises FieldError."""
    if isinstance(message, Request):
        if _TOKEN.fullmatch(message.method) is None or not message.uri or re.search(r"\s", message.uri):
            raise FieldError("a request line that is none")
        start = f"{message.method} {message.uri} SIP/2.0"
    else:
        if not 100 <= message.status <= 699:
            raise FieldError(f"status {message.status}")
        start = f"SIP/2.0 {message.status} {message.reason}"
    lines = [start, *(f"{name}: {value}" for name, value in message.headers)]
    for line in lines:
        if _UNSENDABLE.search(line) or len(line) > 2 * MAX_LINE:
            raise FieldError("a line that cannot be sent")
    for name, _ in message.headers:
        if _TOKEN.fullmatch(name) is None or name == "Content-Length":
            raise FieldError(f"header {name!r}")
    if len(message.body) > MAX_BODY:
        raise FieldError(f"a body of {len(message.body)} octets")
    lines += [f"Content-Length: {len(message.body)}", "", ""]
    return "\r\n".join(lines).encode() + message.body
