"""Requests from pages of other sites (CORS, Fetch standard 3.2): off, unless the operator names those sites."""

from collections.abc import Iterator, Sequence
from typing import Final

from bocau.accept.replies import Answer, Caller, Reworded

__all__ = ["ANY", "Origins"]

ANY: Final = "*"
_SHOWN: Final = b"X-Bocau-Reason, X-Bocau-Request, X-Bocau-SMSID"
"""Our own headers, which a page may read."""
_REMEMBERED: Final = b"600"
"""Seconds that a browser need not ask again."""


class Origins:
    """The sites whose pages may call; `*`: all of them.

    Keys stand in the request itself, so credentials of the browser (cookies) are never allowed.
    """

    def __init__(self, origins: Sequence[str]) -> None:
        self._any = ANY in origins
        self._origins = frozenset(origin.encode() for origin in origins)

    def met(self, request: Caller) -> Caller:
        """The request; if it comes from a page of one of the sites, that page may read its answer."""
        origin = request.header(b"origin")
        if not origin or not (self._any or origin in self._origins):
            return request
        return Reworded(request, lambda answer: _opened(answer, request, origin))


def _opened(answer: Answer, request: Caller, origin: bytes) -> Answer:
    return answer._replace(headers=(*answer.headers, *_opening(answer, request, origin)))


def _opening(answer: Answer, request: Caller, origin: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The headers that let a page read an answer; those of a browser's question before its request, if it is one."""
    yield b"Access-Control-Allow-Origin", origin
    yield b"Vary", b"Origin"
    if request.method != "OPTIONS":
        yield b"Access-Control-Expose-Headers", _SHOWN
        return
    for name, value in answer.headers:
        if name == b"Allow":
            yield b"Access-Control-Allow-Methods", value
    asked = request.header(b"access-control-request-headers")
    if asked:
        yield b"Access-Control-Allow-Headers", asked
    yield b"Access-Control-Max-Age", _REMEMBERED
