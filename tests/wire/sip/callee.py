"""The other end of a call, in a test's hands: it reads what a call sends and says what the test wants."""

from bocau.wire.sip.call import OutgoingCall
from bocau.wire.sip.digest import Credentials
from bocau.wire.sip.events import CallEvent, CallSetup
from bocau.wire.sip.message import Header, Message, Request, Response, cseq_of, decode, encode, every, first
from bocau.wire.sip.reply import Source
from bocau.wire.sip.sdp import LocalMedia, make_offer

THERE = Source("192.0.2.9", 5060)
OURS = LocalMedia("192.0.2.1", 20_000, 20_001, 77)
THEIRS = LocalMedia("192.0.2.9", 30_000, 30_001, 88)
SDP: Header = ("Content-Type", "application/sdp")
SETUP = CallSetup(
    call_id="c1@192.0.2.1",
    unique="0a1b2c3d",
    uri="sip:84901234567@trunk.example",
    caller="<sip:1900@bocau.example>",
    callee="<sip:84901234567@trunk.example>",
    contact="<sip:1900@192.0.2.1:5060>",
    via="UDP 192.0.2.1:5060",
    media=OURS,
    media_allowed=lambda host: host.startswith("192.0.2."),
    credentials=Credentials("us", "secret"),
)


class Callee:
    """Holds the call under test, and the messages that it sent."""

    def __init__(self, setup: CallSetup = SETUP, now: float = 0.0) -> None:
        self.call = OutgoingCall(setup, now)
        self.sent: list[Message] = []
        self.hops: list[object] = []
        self.now = now
        self.numbers = 100
        self.read()

    def read(self) -> list[Message]:
        """What the call has sent since the last look; each goes through octets."""
        fresh = self.call.data_to_send()
        self.hops += [one.hop for one in fresh]
        messages = [decode(one.data) for one in fresh]
        self.sent += messages
        return messages

    def request(self, method: str) -> Request:
        """The newest request of this method that the call sent."""
        return next(m for m in reversed(self.sent) if isinstance(m, Request) and m.method == method)

    def answers(self) -> list[int]:
        """The statuses of all answers that the call gave."""
        return [m.status for m in self.sent if isinstance(m, Response)]

    def methods(self) -> list[str]:
        """The methods of all requests that the call sent."""
        return [m.method for m in self.sent if isinstance(m, Request)]

    def give(self, message: Message) -> list[CallEvent]:
        """Hand a message to the call, through octets, and read what it sends."""
        events = self.call.receive(decode(encode(message)), THERE, self.now)
        self.read()
        return events

    def answer(
        self, status: int, *extra: Header, to: str = "INVITE", tag: str = "them", body: bytes = b"", reason: str = "So"
    ) -> list[CallEvent]:
        """Answer the newest request of a method."""
        return self.give(self.response(self.request(to), status, *extra, tag=tag, body=body, reason=reason))

    def response(
        self, request: Request, status: int, *extra: Header, tag: str = "them", body: bytes = b"", reason: str = "So"
    ) -> Response:
        """An answer to a request of the call."""
        to = first(request, "To")
        if tag and "tag=" not in to:
            to += f";tag={tag}"
        headers = [("Via", every(request, "Via")[0]), ("From", first(request, "From")), ("To", to)]
        headers += [("Call-ID", first(request, "Call-ID")), ("CSeq", first(request, "CSeq")), *extra]
        if body:
            headers.append(SDP)
        return Response(status, reason, tuple(headers), body)

    def accept(self, *extra: Header, tag: str = "them", body: bytes | None = None) -> list[CallEvent]:
        """Answer the INVITE with 200."""
        contact = ("Contact", f"<sip:{tag}@192.0.2.9:5070>")
        return self.answer(200, contact, *extra, tag=tag, body=make_offer(THEIRS) if body is None else body)

    def ask(
        self, method: str, *extra: Header, body: bytes = b"", tag: str = "them", branch: str = ""
    ) -> list[CallEvent]:
        """A request of the callee in the dialog."""
        invite = self.request("INVITE")
        self.numbers += method not in ("ACK", "CANCEL")
        headers = [
            ("Via", f"SIP/2.0/UDP 192.0.2.9:5060;branch={branch or f'z9hG4bKthem{self.numbers}{method}'}"),
            ("From", f"{first(invite, 'To')};tag={tag}"),
            ("To", first(invite, "From")),
            ("Call-ID", first(invite, "Call-ID")),
            ("CSeq", f"{self.numbers} {method}"),
            *extra,
        ]
        if body:
            headers.append(SDP)
        return self.give(Request(method, "sip:1900@192.0.2.1:5060", tuple(headers), body))

    def wait(self, until: float) -> list[CallEvent]:
        """Time passes; the call is told whenever it asked for it."""
        events: list[CallEvent] = []
        while (due := self.call.next_deadline()) <= until:
            self.now = max(due, self.now)
            events += self.call.tick(self.now)
            self.read()
        self.now = until
        return events

    def number(self, method: str) -> int:
        """The CSeq of the newest request of this method."""
        return cseq_of(self.request(method)).number
