"""Somebody who stands at the door of a development start and remembers what tests ask about.

It sees every request and its answer, so that a test can be told why its message was refused, and whose a message at the
carrier is. A production start has none: there the door is called directly.
"""

import re
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar, cast

from bocau.core.phone import normalise, split_phones
from bocau.core.text import transliterate
from bocau.listener import JSON, Request
from bocau.ports import World
from bocau.wire.esms import operations
from bocau.wire.esms.calls import decode_call_code, decode_generated
from bocau.wire.esms.names import Malformed
from bocau.wire.esms.operations import Kind
from bocau.wire.esms.send import SendRequest, decode_send

__all__ = ["Refused", "Seen", "Witness"]

_Kept = TypeVar("_Kept")

_SENDS: Final = frozenset(
    {
        Kind.SEND,
        Kind.CALL_CODE,
        Kind.CALL_TEMPLATE,
        Kind.CALL_OLD,
        Kind.CALL_RECORDING,
        Kind.SEND_CODE,
        Kind.UNSUPPORTED,
    }
)
_MOST_KEPT: Final = 10_000
_MOST_SENDERS: Final = 16
_CODE: Final = re.compile(rb'"?CodeResult"?[>:]"?([0-9]+)')
_SMSID: Final = re.compile(rb'"?SMSID"?[>:]"?([0-9A-Za-z-]+)')
_TEXT: Final = re.compile(rb'"ErrorMessage":"((?:[^"\\]|\\.)*)"|<ErrorMessage>([^<]*)<')


class Refused(NamedTuple):
    """A send that was not accepted."""

    at_ms: int
    api_key: str
    operation: str
    phone: str
    """As it was asked for."""
    content: str
    code: str
    """CodeResult; of what was no request of the API, the HTTP status."""
    message: str
    reason: str
    """X-Bocau-Reason."""
    brandname: str = ""


class Seen(NamedTuple):
    """What a request was."""

    api_key: str
    phone: str
    brandname: str
    content: str


class Witness:
    """Hands every request on to `door`, and tells `told` of refusals and `accepted` of an ApiKey that was let in."""

    def __init__(
        self,
        world: World,
        door: Callable[[Request], None],
        refused: Callable[[Refused], None],
        accepted: Callable[[str], None],
    ) -> None:
        self._world = world
        self._door = door
        self._refused = refused
        self._accepted = accepted
        self._senders: OrderedDict[str, deque[Seen]] = OrderedDict()
        self._requests: OrderedDict[str, Seen] = OrderedDict()

    def handle(self, request: Request) -> None:
        """Take a request of the listener."""
        path, query = operations.split_target(request.target)
        operation = operations.find(path)
        if operation is None or operation.kind not in _SENDS:
            self._door(request)
            return
        seen = _read(operation.kind, request, query)
        for phone in split_phones(seen.phone):
            self._remember(normalise(phone), seen)
        # The door asks of a request what replies.Caller has, and that is there.
        self._door(cast("Request", _Watched(request, lambda *answer: self._answered(operation.name, seen, *answer))))

    def sender_of(self, phone: str, text: str) -> Seen | None:
        """The newest request for a phone (with its country code) that has this text, or a part of it.

        None if none is remembered. A text that went out as plain ASCII counts as the one that was asked for.
        """
        senders = self._senders.get(normalise(phone) or "")
        for seen in reversed(senders or ()):
            if not seen.content or text in seen.content or text in transliterate(seen.content):
                return seen
        return senders[-1] if senders else None

    def request(self, smsid: str) -> Seen | None:
        """An accepted request, by its SMSID."""
        return self._requests.get(smsid)

    def _remember(self, phone: str | None, seen: Seen) -> None:
        if phone is None or not seen.api_key:
            return
        senders = self._senders.get(phone) or deque(maxlen=_MOST_SENDERS)
        senders.append(seen)
        _keep(self._senders, phone, senders)

    def _answered(
        self, operation: str, seen: Seen, status: int, body: bytes, headers: Sequence[tuple[bytes, bytes]]
    ) -> None:
        found = _CODE.search(body)
        code = found[1].decode() if found else str(status)
        if code == "100":
            smsid = _SMSID.search(body)
            if smsid is not None:
                _keep(self._requests, smsid[1].decode(), seen)
            self._accepted(seen.api_key)
            return
        reason = next((value for name, value in headers if name == b"X-Bocau-Reason"), b"")
        said = _TEXT.search(body)
        message = (said[1] or said[2] or b"").decode("utf-8", "replace") if said else ""
        self._refused(
            Refused(
                self._world.now_ms(),
                seen.api_key,
                operation,
                seen.phone,
                seen.content,
                code,
                message,
                reason.decode("ascii", "replace"),
                seen.brandname,
            )
        )


def _keep(kept: OrderedDict[str, _Kept], key: str, value: _Kept) -> None:
    """As the newest of so many."""
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > _MOST_KEPT:
        kept.popitem(last=False)


def _read(kind: Kind, request: Request, query: bytes) -> Seen:
    """Who asks, for whom; what cannot be read is nobody's."""
    body = b"" if request.method in ("GET", "HEAD") else request.body
    try:
        wanted = _DECODERS.get(kind, decode_send)(body, query)
    except Malformed:
        return Seen("", "", "", "")
    # The text of a generated code is not known before the code is.
    return Seen(wanted.api_key, wanted.phone, wanted.brandname, "" if kind is Kind.SEND_CODE else wanted.content)


def _decode_made(body: bytes, query: bytes) -> SendRequest:
    return decode_generated(body, query).request


_DECODERS: Final[dict[Kind, Callable[[bytes, bytes], SendRequest]]] = {
    Kind.CALL_CODE: decode_call_code,
    Kind.SEND_CODE: _decode_made,
}


class _Watched:
    """A request whose answer is looked at on its way out."""

    __slots__ = ("_request", "_told", "body", "headers", "keep", "method", "peer", "target")

    def __init__(self, request: Request, told: Callable[[int, bytes, Sequence[tuple[bytes, bytes]]], None]) -> None:
        self.method, self.target, self.body, self.peer = request.method, request.target, request.body, request.peer
        self.headers, self.keep = request.headers, request.keep
        self._request = request
        self._told = told

    def header(self, name: bytes) -> bytes:
        """See Request."""
        return self._request.header(name)

    def respond(
        self, status: int, body: bytes, content_type: bytes = JSON, headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> None:
        """See Request."""
        self._request.respond(status, body, content_type, headers)
        self._told(status, body, headers)
