"""Answers to requests of a peer (RFC 3261 8.2.6), and what becomes of requests that belong to no call."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from bocau.wire.sip.message import Header, Request, Response, encode, every, first
from bocau.wire.sip.uri import parse_address, parse_via, received_via

__all__ = ["ALLOW", "PHRASES", "SUPPORTED", "Source", "answer_stray", "make_reply", "reply_port"]

ALLOW: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK"
"""The methods that we name as understood; an INVITE only inside a call of ours."""
SUPPORTED: Final = "100rel, timer"
"""Extensions that a peer may use with us: RFC 3262, RFC 4028."""
PHRASES: Final = {
    200: "OK",
    403: "Forbidden",
    405: "Method Not Allowed",
    420: "Bad Extension",
    481: "Call/Transaction Does Not Exist",
    488: "Not Acceptable Here",
    500: "Server Internal Error",
    501: "Not Implemented",
}
"""Reason phrases of the answers that we give."""

# A call to us and a transfer are refused by rule (promises section 3); a method that lives in a call has none here.
_STRAY: Final = {
    "INVITE": 403,
    "REFER": 403,
    "OPTIONS": 200,
    "BYE": 481,
    "CANCEL": 481,
    "UPDATE": 481,
    "PRACK": 481,
    "INFO": 481,
    "NOTIFY": 481,
    "MESSAGE": 405,
    "PUBLISH": 405,
    "REGISTER": 405,
    "SUBSCRIBE": 405,
}


class Source(NamedTuple):
    """Where a message came from."""

    host: str
    port: int


def make_reply(
    request: Request, source: Source, status: int, tag: str, extra: Sequence[Header] = (), body: bytes = b""
) -> Response:
    """An answer with everything that is copied from the request; `tag` is put into To if none is there.

    Raises BadMessage for a Via or To that cannot be read.
    """
    vias = every(request, "Via")
    to = first(request, "To")
    if not parse_address(to).tag:
        to = f"{to};tag={tag}"
    headers: list[Header] = [("Via", received_via(vias[0], source.host, source.port))]
    headers += [("Via", via) for via in vias[1:]]
    headers += [("Record-Route", route) for route in every(request, "Record-Route")]
    headers += [
        ("From", first(request, "From")),
        ("To", to),
        ("Call-ID", first(request, "Call-ID")),
        ("CSeq", first(request, "CSeq")),
        *extra,
    ]
    return Response(status, PHRASES[status], tuple(headers), body)


def reply_port(request: Request, source: Source) -> int:
    """The port that answers go to: the source's if the peer asked for it (RFC 3581), else the one its Via names.

    The host is always the one that the request came from. Raises BadMessage.
    """
    via = parse_via(every(request, "Via")[0])
    return source.port if "rport" in via.params else via.port or 5060


def answer_stray(request: Request, source: Source, tag: str) -> bytes:
    """The answer to a request that belongs to no call of ours; empty for an ACK, which gets none.

    Raises BadMessage for one that cannot be answered, FieldError for one whose headers cannot be sent back.
    """
    if request.method == "ACK":
        return b""
    status = _STRAY.get(request.method, 501)
    extra = (("Allow", ALLOW), ("Supported", SUPPORTED)) if status in (200, 405, 501) else ()
    return encode(make_reply(request, source, status, tag, extra))
