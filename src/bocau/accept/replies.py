"""How an answer is worded: every one is made once, as JSON, and put into another form where the caller wants that."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from bocau.listener import JSON, XML
from bocau.wire.esms.answers import without_count
from bocau.wire.esms.markup import as_xml
from bocau.wire.esms.operations import Operation
from bocau.wire.esms.reports import XML_SHAPES

__all__ = ["Answer", "Caller", "Reworded", "as_call", "in_its_form"]

_BLANKS: Final = b"\xef\xbb\xbf \t\r\n"


class Caller(Protocol):
    """A request, as far as the door needs it; `bocau.listener.Request` is one."""

    method: str
    target: bytes
    body: bytes
    peer: str

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """Lower-cased names with their values."""
        ...

    def header(self, name: bytes) -> bytes:
        """The first value of a header, empty if it is missing."""
        ...

    def respond(
        self, status: int, body: bytes, content_type: bytes = ..., headers: Sequence[tuple[bytes, bytes]] = ...
    ) -> None:
        """Send the answer, once."""
        ...


class Answer(NamedTuple):
    """What is sent for a request."""

    status: int
    body: bytes
    content_type: bytes
    headers: Sequence[tuple[bytes, bytes]]


class Reworded:
    """A request whose answer is changed on its way out."""

    __slots__ = ("_caller", "_change", "body", "headers", "method", "peer", "target")

    def __init__(self, caller: Caller, change: Callable[[Answer], Answer]) -> None:
        self.method, self.target, self.body, self.peer = caller.method, caller.target, caller.body, caller.peer
        self.headers = caller.headers
        self._caller = caller
        self._change = change

    def header(self, name: bytes) -> bytes:
        """See Caller."""
        return self._caller.header(name)

    def respond(
        self, status: int, body: bytes, content_type: bytes = JSON, headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> None:
        """See Caller."""
        self._caller.respond(*self._change(Answer(status, body, content_type, headers)))


def in_its_form(caller: Caller, operation: Operation) -> Caller:
    """A request of an /xml/ path, to be answered in XML unless its body or Accept asks for JSON (esms-api 1.4)."""
    if _wants_json(caller):
        return caller
    root, order = XML_SHAPES[operation.kind]
    return Reworded(caller, lambda answer: _result(answer, lambda body: as_xml(body, root, order), XML))


def as_call(caller: Caller) -> Caller:
    """A request to be answered as calls are: without CountRegenerate (esms-api 4.1)."""
    return Reworded(caller, lambda answer: _result(answer, without_count, JSON))


def _result(answer: Answer, change: Callable[[bytes], bytes], content_type: bytes) -> Answer:
    """A result in other words. What goes with a 4xx or 5xx stays as it is (esms-api 1.2), and so does an empty body."""
    if answer.status != 200 or not answer.body:
        return answer
    return answer._replace(body=change(answer.body), content_type=content_type)


def _wants_json(caller: Caller) -> bool:
    accept = caller.header(b"accept").lower()
    return caller.body.lstrip(_BLANKS)[:1] == b"{" or (b"application/json" in accept and b"xml" not in accept)
