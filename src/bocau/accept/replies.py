"""How an answer is worded: every one is made once, as JSON, and put into another form where the caller wants that."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from bocau.listener import JSON, XML
from bocau.wire.esms.answers import without_count
from bocau.wire.esms.markup import as_xml
from bocau.wire.esms.operations import Operation
from bocau.wire.esms.reports import XML_SHAPES

__all__ = ["Caller", "as_call", "in_its_form"]

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


class _Reworded:
    """A request whose results are put into other words. What goes with a 4xx or 5xx stays as it is (esms-api 1.2)."""

    __slots__ = ("_caller", "_change", "_content_type", "body", "headers", "method", "peer", "target")

    def __init__(self, caller: Caller, change: Callable[[bytes], bytes], content_type: bytes) -> None:
        self.method, self.target, self.body, self.peer = caller.method, caller.target, caller.body, caller.peer
        self.headers = caller.headers
        self._caller = caller
        self._change = change
        self._content_type = content_type

    def header(self, name: bytes) -> bytes:
        """See Caller."""
        return self._caller.header(name)

    def respond(
        self, status: int, body: bytes, content_type: bytes = JSON, headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> None:
        """See Caller."""
        if status == 200:
            body, content_type = self._change(body), self._content_type
        self._caller.respond(status, body, content_type, headers)


def in_its_form(caller: Caller, operation: Operation) -> Caller:
    """A request of an /xml/ path, to be answered in XML unless its body or Accept asks for JSON (esms-api 1.4)."""
    if _wants_json(caller):
        return caller
    root, order = XML_SHAPES[operation.kind]
    return _Reworded(caller, lambda body: as_xml(body, root, order), XML)


def as_call(caller: Caller) -> Caller:
    """A request to be answered as calls are: without CountRegenerate (esms-api 4.1)."""
    return _Reworded(caller, without_count, JSON)


def _wants_json(caller: Caller) -> bool:
    accept = caller.header(b"accept").lower()
    return caller.body.lstrip(_BLANKS)[:1] == b"{" or (b"application/json" in accept and b"xml" not in accept)
