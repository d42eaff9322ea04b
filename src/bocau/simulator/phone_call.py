"""One call at the called phone, without sockets and clocks: the answering side of SIP, driven by a row of the table."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from bocau.simulator.phone_rules import Do, PhoneRow, Step
from bocau.wire.sip.digest import Asked, Challenge, Credentials, digest_of
from bocau.wire.sip.message import (
    Header,
    Request,
    Response,
    cseq_of,
    encode,
    every,
    first,
    split_list,
    unquoted,
)
from bocau.wire.sip.reply import Source
from bocau.wire.sip.sdp import LocalMedia, RemoteMedia, make_answer, make_offer, read_answer
from bocau.wire.sip.transaction import ClientTransaction, ServerTransaction, Timers, branch_of
from bocau.wire.sip.uri import format_host, parse_address, parse_uri, received_via

__all__ = ["Heard", "PhoneCall", "PhoneEnd", "authorised", "reply_to"]

_NEVER: Final = math.inf
_SDP: Final[Header] = ("Content-Type", "application/sdp")
_PHRASES: Final = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    302: "Moved Temporarily",
    401: "Unauthorized",
    407: "Proxy Authentication Required",
    481: "Call/Transaction Does Not Exist",
    487: "Request Terminated",
}
_ASKS: Final = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}
_REALM: Final = "phone"


class PhoneEnd(NamedTuple):
    """What the phone is told of itself."""

    host: str
    port: int
    media: LocalMedia
    moved_port: int
    """Where its sound moves to."""
    user: Credentials
    tag: str
    """Unguessable text, a token: tag, nonce and branches are made of it."""
    reliable: bool = False


class Heard(NamedTuple):
    """What the signalling asks of the phone's sound."""

    remote: RemoteMedia
    """Where sound goes."""
    early: bool
    """The call is not answered yet."""


def reply_to(
    request: Request, source: Source, status: int, tag: str, extra: Sequence[Header] = (), body: bytes = b""
) -> Response:
    """An answer of the phone. Raises BadMessage for a request that cannot be answered."""
    vias = every(request, "Via")
    to = first(request, "To")
    if status > 100 and not parse_address(to).tag:
        to += f";tag={tag}"
    headers: list[Header] = [("Via", received_via(vias[0], source.host, source.port))]
    headers += [("Via", via) for via in vias[1:]]
    headers += [("From", first(request, "From")), ("To", to)]
    headers += [("Call-ID", first(request, "Call-ID")), ("CSeq", first(request, "CSeq")), *extra]
    return Response(status, _PHRASES.get(status, "Refused"), tuple(headers), body)


def authorised(request: Request, status: int, user: Credentials, nonce: str) -> bool:
    """Whether a request brings the right answer to our challenge of this status."""
    value = first(request, _ASKS[status][1])
    params = {}
    for piece in split_list(value.partition(" ")[2]):
        name, _, text = piece.partition("=")
        params[name.strip()] = unquoted(text.strip())
    if params.get("nonce") != nonce or params.get("username") != user.user or not params.get("nc"):
        return False
    challenge = Challenge(_REALM, nonce, "SHA-256", qop=True, opaque="", stale=False)
    asked = Asked(request.method, params.get("uri", ""), int(params["nc"], 16), params.get("cnonce", ""))
    return params.get("response") == digest_of(user, challenge, asked)


def challenge_header(status: int, nonce: str) -> Header:
    """The challenge that goes with a 401 or 407."""
    return _ASKS[status][0], f'Digest realm="{_REALM}", nonce="{nonce}", qop="auth", algorithm=SHA-256'


class PhoneCall:
    """From the INVITE to the end. What is played and pressed is left to its owner, by `sound` and `keys`."""

    def __init__(self, invite: Request, source: Source, row: PhoneRow, end: PhoneEnd, now: float) -> None:
        """Raises BadSdp for an offer that cannot be taken, BadMessage for an INVITE that cannot be answered."""
        self.row = row
        self.over = False
        self.acknowledged = False
        """The ACK of our 200 came."""
        self.acted: list[str] = []
        """What happened, in order: statuses that we sent, methods that came."""
        self.sound: Heard | None = None
        """Whether, and where to, sound goes now."""
        self.keys = ""
        """Keys that are to be pressed; the owner takes them away."""
        self.media_port = end.media.port
        self._invite = invite
        self._source = source
        self._end = end
        self._steps: list[Step] = list(row.steps)
        self._began = now
        self._remote, self._answer_body = make_answer(end.media, invite.body, 1)
        self._last_progress = b""
        self._served: dict[tuple[str, str], ServerTransaction] = {}
        self._asked: dict[tuple[str, str], ClientTransaction] = {}
        self._out: list[bytes] = []
        self._number = 0
        self._branches = 0
        self._final = False

    @property
    def idle(self) -> bool:
        """Whether it is over and no repeat of anything is awaited."""
        return self.over and not self._served and not self._asked

    def data_to_send(self) -> list[bytes]:
        """The messages queued since the last call, all for the caller."""
        out, self._out = self._out, []
        for served in self._served.values():
            out += served.data_to_send()
        for asked in self._asked.values():
            out += asked.data_to_send()
        return out

    def next_deadline(self) -> float:
        """When `tick` is to be called next; infinite if never."""
        soonest = self._began + self._steps[0].after_seconds if self._steps else _NEVER
        ends = [one.next_deadline() for one in self._served.values()]
        ends += [one.next_deadline() for one in self._asked.values()]
        return min(soonest, *ends, _NEVER)

    def tick(self, now: float) -> None:
        """Act on what is due."""
        while self._steps and not self.over and now >= self._began + self._steps[0].after_seconds:
            step = self._steps.pop(0)
            self._do(step, now)
        self._served = {key: one for key, one in self._served.items() if not one.tick(now)}
        for key, asked in list(self._asked.items()):
            asked.tick(now)
            if asked.done:
                del self._asked[key]

    # Steps

    def _do(self, step: Step, now: float) -> None:
        match step.do:
            case Do.PROGRESS | Do.RELIABLE | Do.EARLY_MEDIA:
                self._progress(step)
            case Do.CHALLENGE:
                if not authorised(self._invite, step.value, self._end.user, self._end.tag):
                    self._refuse(step.value, (challenge_header(step.value, self._end.tag),), now)
            case Do.REFUSE:
                self._refuse(step.value, _detail(step), now)
            case Do.ANSWER:
                self._final = True
                self._finish_invite(self._reply(200, (self._contact(), _SDP), self._answer_body), now)
                self.sound = Heard(self._remote, early=False)
            case Do.PRESS:
                self.keys += step.detail
            case Do.MOVE:
                moved = self._end.media._replace(port=self._end.moved_port, rtcp_port=self._end.moved_port + 1)
                self._ask("INVITE", now, (self._contact(), _SDP), make_offer(moved, 2))
            case Do.REFRESH:
                self._ask("UPDATE", now, (self._contact(), ("Session-Expires", "1800"), ("Require", "timer")))
            case Do.PING:
                self._ask("OPTIONS", now)
            case Do.HANG_UP:
                self._ask("BYE", now, (("Reason", 'Q.850;cause=16;text="bye"'),))
                self._leave()

    def _progress(self, step: Step) -> None:
        extra: list[Header] = [] if step.value == 100 else [self._contact()]
        body = b""
        if step.do is Do.EARLY_MEDIA:
            extra.append(_SDP)
            body = self._answer_body
            self.sound = Heard(self._remote, early=True)
        if step.do is Do.RELIABLE:
            extra += [("Require", "100rel"), ("RSeq", "9")]
        status = step.value or (183 if step.do is Do.EARLY_MEDIA else 180)
        self._last_progress = encode(self._reply(status, extra, body))
        self._out.append(self._last_progress)

    def _refuse(self, status: int, extra: Sequence[Header], now: float) -> None:
        self._final = True
        self._finish_invite(self._reply(status, extra), now)
        self._leave()

    def _finish_invite(self, response: Response, now: float) -> None:
        self._steps = [step for step in self._steps if response.status == 200]
        transaction = ServerTransaction(self._invite, response, self._end.reliable, Timers(), now)
        self._served[(branch_of(self._invite), "INVITE")] = transaction

    def _leave(self) -> None:
        self.over = True
        self.sound = None
        self._steps.clear()

    def _reply(self, status: int, extra: Sequence[Header] = (), body: bytes = b"") -> Response:
        self.acted.append(str(status))
        return reply_to(self._invite, self._source, status, self._end.tag, extra, body)

    def _contact(self) -> Header:
        return "Contact", f"<sip:phone@{format_host(self._end.host, self._end.port)}>"

    def _ask(self, method: str, now: float, extra: Sequence[Header] = (), body: bytes = b"") -> None:
        """A request of the phone in the call."""
        self._number += 1
        self._branches += 1
        transport = "TCP" if self._end.reliable else "UDP"
        sent_by = format_host(self._end.host, self._end.port)
        contact = every(self._invite, "Contact")
        to, mine = first(self._invite, "From"), f"{first(self._invite, 'To')};tag={self._end.tag}"
        headers: tuple[Header, ...] = (
            ("Via", f"SIP/2.0/{transport} {sent_by};rport;branch=z9hG4bK{self._end.tag}{self._branches}"),
            ("Max-Forwards", "70"),
            ("From", mine),
            ("To", to),
            ("Call-ID", first(self._invite, "Call-ID")),
            ("CSeq", f"{self._number} {method}"),
            *extra,
        )
        request = Request(method, parse_address(contact[0]).uri, headers, body)
        self._asked[(branch_of(request), method)] = ClientTransaction(request, self._end.reliable, Timers(), now)

    # Messages in

    def receive(self, message: Request | Response, now: float) -> None:
        """A message of this call. Raises BadMessage."""
        if isinstance(message, Response):
            self._on_answer(message, now)
            return
        self.acted.append(message.method)
        served = self._served.get((branch_of(message), message.method))
        if message.method == "ACK":
            for waiting in self._served.values():
                waiting.acknowledge()
            self.acknowledged = self._final and not self.over
        elif served is not None:
            served.repeat()
        elif message.method == "INVITE":
            if self._last_progress:
                self._out.append(self._last_progress)
        else:
            self._serve(message, now)

    def _on_answer(self, response: Response, now: float) -> None:
        asked = self._asked.get((branch_of(response), cseq_of(response).method))
        if asked is None or not asked.receive(response, now) or response.status < 200:
            return
        method = asked.request.method
        self.acted.append(f"{response.status} to {method}")
        if method == "INVITE" and response.status < 300:
            self._out.append(encode(_ack_of(asked.request, response)))
            self.media_port = self._end.moved_port
            self.sound = Heard(read_answer(response.body, self._end.media), early=False)

    def _serve(self, request: Request, now: float) -> None:
        if request.method == "CANCEL":
            self._ok(request, now)
            if not self._final:
                self._final = True
                self._finish_invite(self._reply(487), now)
                self._leave()
        elif request.method == "BYE":
            self._ok(request, now)
            self._leave()
        else:
            self._ok(request, now)

    def _ok(self, request: Request, now: float) -> None:
        response = reply_to(request, self._source, 200, self._end.tag)
        transaction = ServerTransaction(request, response, self._end.reliable, Timers(), now)
        self._served[(branch_of(request), request.method)] = transaction


def _detail(step: Step) -> tuple[Header, ...]:
    if step.value == 302:
        return (("Contact", f"<{step.detail}>"),)
    return (("Reason", f"Q.850;cause={step.detail}"),) if step.detail else ()


def _ack_of(invite: Request, response: Response) -> Request:
    number = cseq_of(invite).number
    kept = [header for header in invite.headers if header[0] in ("Via", "Max-Forwards", "From", "Call-ID")]
    contact = every(response, "Contact")
    uri = parse_address(contact[0]).uri if contact else invite.uri
    parse_uri(uri)
    via = kept[0][1].partition(";branch=")
    kept[0] = ("Via", f"{via[0]};branch={via[2]}a")
    return Request("ACK", uri, (*kept, ("To", first(response, "To")), ("CSeq", f"{number} ACK")))
