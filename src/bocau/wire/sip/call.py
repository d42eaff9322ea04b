"""One outgoing call without sockets and clocks: INVITE to BYE (RFC 3261, 3262, 3264, 3311, 4028, 6026).

`receive` takes messages and gives events, `tick` is told the time, `data_to_send` gives what is to be written. A
redirect is never followed. After its end a call still answers repeats; `idle` says when it can be forgotten.
"""

import math
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final, NamedTuple

from bocau.wire.sip.dialog import Dialog, Hop
from bocau.wire.sip.digest import Authenticator
from bocau.wire.sip.events import (
    Answered,
    CallEvent,
    CallSetup,
    HungUp,
    MediaChanged,
    Outgoing,
    Over,
    Progress,
    Refused,
    Unanswered,
    Unusable,
)
from bocau.wire.sip.message import (
    BadMessage,
    FieldError,
    Header,
    Message,
    Request,
    Response,
    cseq_of,
    encode,
    every,
    first,
)
from bocau.wire.sip.reason import q850_cause
from bocau.wire.sip.reply import ALLOW, SUPPORTED, Source, make_reply, reply_port
from bocau.wire.sip.sdp import BadSdp, RemoteMedia, make_answer, make_offer, read_answer
from bocau.wire.sip.transaction import ClientTransaction, ServerTransaction, TransactionState, branch_of
from bocau.wire.sip.uri import parse_address

__all__ = ["CallPhase", "OutgoingCall"]

_MAX_DIALOGS: Final = 8
_MAX_SERVED: Final = 32
_MAX_PRACKS: Final = 32
_LONGEST_RETRY: Final = 86_400
_NEVER: Final = math.inf
_OPTIONS: Final = frozenset(one.strip() for one in SUPPORTED.split(","))
_SDP: Final = ("Content-Type", "application/sdp")


class CallPhase(Enum):
    """Where a call stands."""

    CALLING = "calling"
    CANCELLING = "cancelling"
    """We gave it up before it was answered; a 2xx may still cross."""
    ESTABLISHED = "established"
    LEAVING = "leaving"
    """Our BYE is on its way."""
    OVER = "over"


class _Client(NamedTuple):
    transaction: ClientTransaction
    hop: Hop | None
    dialog: Dialog | None


class _Served(NamedTuple):
    transaction: ServerTransaction
    hop: Hop


class OutgoingCall:
    """One call from us to a peer."""

    __slots__ = (
        "_acks",
        "_auth",
        "_branches",
        "_clients",
        "_dialog",
        "_dialogs",
        "_early_answers",
        "_give_up_at",
        "_invite",
        "_offered_late",
        "_out",
        "_pracks",
        "_served",
        "_setup",
        "_tag",
        "_version",
        "phase",
        "strays",
    )

    def __init__(self, setup: CallSetup, now: float) -> None:
        """Queue the INVITE. Raises FieldError for a setup that fits no message."""
        self.phase = CallPhase.CALLING
        self.strays = 0
        """Messages that fitted nothing and were ignored."""
        self._setup = setup
        self._tag = f"t{setup.unique}"
        self._auth = Authenticator(setup.credentials, setup.unique)
        self._branches = 0
        self._version = 1
        self._pracks = 0
        self._out: list[Outgoing] = []
        self._clients: dict[tuple[str, str], _Client] = {}
        self._served: dict[tuple[str, str], _Served] = {}
        # By the peer's tag; the ACK of each confirmed one, and answers that came with reliable provisionals.
        self._dialogs: dict[str, Dialog] = {}
        self._acks: dict[str, Outgoing] = {}
        self._early_answers: dict[str, bytes] = {}
        self._dialog: Dialog | None = None
        # CSeq of a re-INVITE that let us make the offer; its answer comes with the ACK.
        self._offered_late = -1
        self._give_up_at = _NEVER
        self._invite = self._call(1, now)

    # What the caller asks for

    def hang_up(self, now: float) -> None:
        """End the call: CANCEL before it is answered, once that is allowed (9.1), BYE after. Twice does no harm."""
        if self.phase is CallPhase.CALLING:
            self.phase = CallPhase.CANCELLING
            self._invite.stop_resending()
            self._give_up_at = now + self._setup.timers.whole
            if self._invite.state is TransactionState.PROCEEDING:
                self._cancel(now)
        elif self.phase is CallPhase.ESTABLISHED and self._dialog is not None:
            self.phase = CallPhase.LEAVING
            self._bye(self._dialog, now)

    def connection_lost(self, why: str) -> list[CallEvent]:
        """The transport is gone and nothing more can be sent over it."""
        if self.phase is CallPhase.OVER:
            return []
        called = self.phase in (CallPhase.CALLING, CallPhase.CANCELLING)
        self.phase = CallPhase.OVER
        self._clients.clear()
        self._served.clear()
        return [Unanswered(why) if called else Over(why)]

    @property
    def idle(self) -> bool:
        """Whether it is over and no repeat of anything is awaited."""
        return self.phase is CallPhase.OVER and not self._clients and not self._served

    def data_to_send(self) -> list[Outgoing]:
        """Everything queued since the last call, in order."""
        out, self._out = self._out, []
        for client in self._clients.values():
            out += [Outgoing(data, client.hop) for data in client.transaction.data_to_send()]
        for served in self._served.values():
            out += [Outgoing(data, served.hop) for data in served.transaction.data_to_send()]
        return out

    # Time

    def tick(self, now: float) -> list[CallEvent]:
        """Act on what is due. Call it at `next_deadline`; at any other time it does no harm."""
        events: list[CallEvent] = []
        for key, client in list(self._clients.items()):
            unanswered = client.transaction.tick(now)
            if client.transaction.done:
                self._clients.pop(key, None)
            if unanswered:
                self._on_timeout(client, events)
        for key, served in list(self._served.items()):
            if served.transaction.tick(now):
                del self._served[key]
                if served.transaction.unacknowledged and self.phase is CallPhase.ESTABLISHED:
                    self.hang_up(now)
                    events.append(Unusable("a re-INVITE was never acknowledged"))
        if now >= self._give_up_at:
            self._give_up_at = _NEVER
            if self.phase is CallPhase.CANCELLING:
                self._drop_invites()
                self._end(Unanswered("given up, and never heard of again"), events)
        return events

    def next_deadline(self) -> float:
        """When `tick` is to be called next, in monotonic seconds; infinite if never."""
        soonest = self._give_up_at
        for client in self._clients.values():
            soonest = min(soonest, client.transaction.next_deadline())
        for served in self._served.values():
            soonest = min(soonest, served.transaction.next_deadline())
        return soonest

    def _on_timeout(self, client: _Client, events: list[CallEvent]) -> None:
        method = client.transaction.request.method
        if client.transaction is self._invite and self.phase in (CallPhase.CALLING, CallPhase.CANCELLING):
            self._end(Unanswered("no answer to INVITE"), events)
        elif method == "BYE" and client.dialog is self._dialog and self.phase is CallPhase.LEAVING:
            self._end(Over("no answer to BYE"), events)

    def _drop_invites(self) -> None:
        for key in [key for key in self._clients if key[1] == "INVITE"]:
            del self._clients[key]

    # Messages in

    def receive(self, message: Message, source: Source, now: float) -> list[CallEvent]:
        """Take one message of this Call-ID and return what it means. Never raises for what a peer sends."""
        events: list[CallEvent] = []
        try:
            if isinstance(message, Response):
                self._on_response(message, now, events)
            else:
                self._on_request(message, source, now, events)
        except (BadMessage, FieldError):
            # FieldError: what the peer wrote cannot be sent back to it.
            self.strays += 1
        return events

    def _on_response(self, response: Response, now: float, events: list[CallEvent]) -> None:
        method = cseq_of(response).method
        client = self._clients.get((branch_of(response), method))
        if client is None:
            self.strays += 1
            return
        news = client.transaction.receive(response, now)
        if not news:
            return
        if method == "INVITE":
            self._on_invite_answer(client, response, now, events)
        elif response.status >= 200 and method in ("BYE", "PRACK"):
            self._on_dialog_answer(client, response, now, events)

    def _on_invite_answer(self, client: _Client, response: Response, now: float, events: list[CallEvent]) -> None:
        if response.status < 200:
            self._on_progress(response, now, events)
        elif response.status < 300:
            self._on_accepted(response, now, events)
        elif client.transaction is self._invite and self.phase in (CallPhase.CALLING, CallPhase.CANCELLING):
            self._on_refused(response, now, events)

    def _on_progress(self, response: Response, now: float, events: list[CallEvent]) -> None:
        if self.phase is CallPhase.CANCELLING:
            self._cancel(now)
        if self.phase is not CallPhase.CALLING:
            return
        events.append(Progress(response.status, response.reason, bool(response.body)))
        if response.status > 100 and parse_address(first(response, "To")).tag:
            dialog = self._early(response)
            if dialog is not None:
                self._acknowledge_progress(dialog, response, now)

    def _early(self, response: Response) -> Dialog | None:
        """The dialog of a provisional answer; None beyond what we keep."""
        tag = parse_address(first(response, "To")).tag
        dialog = self._dialogs.get(tag)
        if dialog is None and len(self._dialogs) < _MAX_DIALOGS:
            number = cseq_of(self._invite.request).number
            dialog = self._dialogs[tag] = Dialog(response, number, self._setup.uri)
        elif dialog is not None and not dialog.confirmed:
            dialog.learn(response)
        return dialog

    def _acknowledge_progress(self, dialog: Dialog, response: Response, now: float) -> None:
        """PRACK, if the answer asks for one and is the next in its row (RFC 3262, section 4)."""
        rseq = first(response, "RSeq")
        required = [one.lower() for one in every(response, "Require")]
        if "100rel" not in required or not (rseq.isascii() and rseq.isdigit() and len(rseq) <= 10):
            return
        number = int(rseq)
        if dialog.last_rseq and number != dialog.last_rseq + 1:
            return
        if self._pracks >= _MAX_PRACKS:
            return
        self._pracks += 1
        dialog.last_rseq = number
        if response.body:
            self._early_answers[dialog.tag] = response.body
        self._ask("PRACK", dialog, now, (("RAck", f"{number} {cseq_of(response).number} INVITE"),))

    def _on_accepted(self, response: Response, now: float, events: list[CallEvent]) -> None:
        """A 2xx: the first one answers the call, a repeat gets its ACK again, any other is a fork to be ended."""
        tag = parse_address(first(response, "To")).tag
        if tag in self._acks:
            self._out.append(self._acks[tag])
            return
        if len(self._acks) >= _MAX_DIALOGS:
            return
        number = cseq_of(response).number
        dialog, readable = self._confirm(tag, response, number)
        self._acknowledge(dialog, number)
        if self.phase is CallPhase.CALLING:
            self._dialog = dialog
            self.phase = CallPhase.ESTABLISHED
            if not readable:
                self._unusable("an answer without a readable Contact or route", now, events)
                return
            self._establish(response.body or self._early_answers.get(tag, b""), now, events)
        elif self.phase is CallPhase.CANCELLING:
            self._dialog = dialog
            self.phase = CallPhase.LEAVING
            self._bye(dialog, now)
        else:
            self._bye(dialog, now)

    def _confirm(self, tag: str, response: Response, number: int) -> tuple[Dialog, bool]:
        """The dialog of a 2xx, and whether it can be used. One that leads nowhere is ended by way of the trunk."""
        dialog = self._dialogs.get(tag)
        readable = True
        try:
            if dialog is None:
                dialog = Dialog(response, number, self._setup.uri)
            else:
                dialog.learn(response)
        except BadMessage:
            readable = False
            kept = tuple(header for header in response.headers if header[0] not in ("Contact", "Record-Route"))
            dialog = Dialog(response._replace(headers=kept), number, self._setup.uri)
        dialog.confirmed = True
        self._dialogs[tag] = dialog
        return dialog, readable

    def _acknowledge(self, dialog: Dialog, number: int) -> None:
        """The ACK of a 2xx: of the dialog, with the INVITE's number and the same credentials (13.2.2.4)."""
        request, hop = self._in_dialog("ACK", dialog, number, self._credentials_of_invite())
        ack = self._acks[dialog.tag] = Outgoing(encode(request), hop)
        self._out.append(ack)

    def _credentials_of_invite(self) -> tuple[Header, ...]:
        kept = ("Authorization", "Proxy-Authorization")
        return tuple(header for header in self._invite.request.headers if header[0] in kept)

    def _establish(self, body: bytes, now: float, events: list[CallEvent]) -> None:
        try:
            media = read_answer(body, self._setup.media)
        except BadSdp as bad:
            self._unusable(str(bad), now, events)
            return
        if self._setup.media_allowed(media.host):
            events.append(Answered(media))
        else:
            self._unusable("the audio is outside the trunk's networks", now, events)

    def _unusable(self, why: str, now: float, events: list[CallEvent]) -> None:
        events.append(Unusable(why))
        self.hang_up(now)

    def _on_refused(self, response: Response, now: float, events: list[CallEvent]) -> None:
        if self.phase is CallPhase.CALLING and self._auth.take(response):
            self._invite = self._call(cseq_of(self._invite.request).number + 1, now)
            return
        after = first(response, "Retry-After").partition("(")[0].partition(";")[0].strip()
        seconds = int(after) if after.isascii() and after.isdigit() and len(after) <= 9 else 0
        refused = Refused(response.status, response.reason, q850_cause(response), min(seconds, _LONGEST_RETRY))
        self._end(refused, events)

    def _on_dialog_answer(self, client: _Client, response: Response, now: float, events: list[CallEvent]) -> None:
        request, dialog = client.transaction.request, client.dialog
        if dialog is not None and response.status in (401, 407) and self._auth.take(response):
            again = tuple(header for header in request.headers if header[0] == "RAck")
            self._ask(request.method, dialog, now, again, fresh=False)
        elif request.method == "BYE" and dialog is self._dialog and self.phase is CallPhase.LEAVING:
            self._end(Over(f"{response.status} to BYE"), events)

    # Requests of the peer

    def _on_request(self, request: Request, source: Source, now: float, events: list[CallEvent]) -> None:
        dialog = self._dialogs.get(parse_address(first(request, "From")).tag)
        ours = parse_address(first(request, "To")).tag == self._tag
        if request.method == "ACK":
            self._on_ack(request, events)
            return
        served = self._served.get((branch_of(request), request.method))
        if served is not None:
            served.transaction.repeat()
        elif dialog is None or not ours:
            self._reply(request, source, 481, now)
        elif len(self._served) >= _MAX_SERVED:
            self.strays += 1
        else:
            self._serve(request, dialog, source, now, events)

    def _serve(self, request: Request, dialog: Dialog, source: Source, now: float, events: list[CallEvent]) -> None:
        """A request that is new and in a dialog of ours."""
        number = cseq_of(request).number
        unknown = [one for one in every(request, "Require") if one.lower() not in _OPTIONS]
        if number <= dialog.remote_number and request.method != "CANCEL":
            self._reply(request, source, 500, now)
        elif unknown:
            self._reply(request, source, 420, now, (("Unsupported", ", ".join(unknown)),))
        else:
            if request.method != "CANCEL":
                dialog.remote_number = number
            _SERVED.get(request.method, OutgoingCall._serve_other)(self, request, source, now, events)

    def _serve_bye(self, request: Request, source: Source, now: float, events: list[CallEvent]) -> None:
        self._reply(request, source, 200, now)
        dialog = self._dialogs.get(parse_address(first(request, "From")).tag)
        if dialog is not self._dialog:
            return
        if self.phase is CallPhase.ESTABLISHED:
            self._end(HungUp(q850_cause(request)), events)
        elif self.phase is CallPhase.LEAVING:
            self._end(Over("both hung up"), events)

    def _serve_offer(self, request: Request, source: Source, now: float, events: list[CallEvent]) -> None:
        """A re-INVITE or an UPDATE: the audio moves, is held, or only the session is refreshed."""
        dialog = self._dialogs.get(parse_address(first(request, "From")).tag)
        if self.phase is not CallPhase.ESTABLISHED or dialog is None or dialog is not self._dialog:
            self._reply(request, source, 481, now)
            return
        extra: list[Header] = [("Contact", self._setup.contact), ("Allow", ALLOW), ("Supported", SUPPORTED)]
        extra += _session_timer(request)
        dialog.refresh(request)
        if not request.body:
            body = b""
            if request.method == "INVITE":
                self._version += 1
                self._offered_late = cseq_of(request).number
                body = make_offer(self._setup.media, self._version)
            self._reply(request, source, 200, now, extra, body)
            return
        try:
            media, body = make_answer(self._setup.media, request.body, self._version + 1)
        except BadSdp:
            self._reply(request, source, 488, now)
            return
        if self._allowed(media):
            self._version += 1
            self._reply(request, source, 200, now, extra, body)
            events.append(MediaChanged(media))
        else:
            self._reply(request, source, 488, now)

    def _allowed(self, media: RemoteMedia) -> bool:
        held = not media.hears and not media.speaks
        return held or media.host in ("0.0.0.0", "::") or self._setup.media_allowed(media.host)  # noqa: S104 - on hold

    def _serve_options(self, request: Request, source: Source, now: float, _events: list[CallEvent]) -> None:
        self._reply(request, source, 200, now, (("Allow", ALLOW), ("Supported", SUPPORTED)))

    def _serve_other(self, request: Request, source: Source, now: float, _events: list[CallEvent]) -> None:
        """REFER would be a call on behalf of a stranger; anything else we do not do."""
        status = {"REFER": 403, "CANCEL": 481, "PRACK": 481}.get(request.method, 405)
        self._reply(request, source, status, now, (("Allow", ALLOW),) if status == 405 else ())

    def _on_ack(self, request: Request, events: list[CallEvent]) -> None:
        number = cseq_of(request).number
        for served in self._served.values():
            waiting = served.transaction
            if waiting.cseq.method == "INVITE" and waiting.cseq.number == number and waiting.unacknowledged:
                waiting.acknowledge()
                if number == self._offered_late and request.body:
                    self._take_late_answer(request, events)

    def _take_late_answer(self, ack: Request, events: list[CallEvent]) -> None:
        """The answer to an offer that we made in a 200; one that cannot be used leaves the audio as it is."""
        self._offered_late = -1
        try:
            media = read_answer(ack.body, self._setup.media)
        except BadSdp:
            self.strays += 1
            return
        if self.phase is CallPhase.ESTABLISHED and self._allowed(media):
            events.append(MediaChanged(media))

    def _reply(
        self,
        request: Request,
        source: Source,
        status: int,
        now: float,
        extra: Sequence[Header] = (),
        body: bytes = b"",
    ) -> None:
        more = (*extra, _SDP) if body else extra
        response = make_reply(request, source, status, self._tag, more, body)
        hop = Hop(source.host, reply_port(request, source))
        transaction = ServerTransaction(request, response, self._setup.reliable, self._setup.timers, now)
        self._served[(branch_of(request), request.method)] = _Served(transaction, hop)

    # Requests of ours

    def _call(self, number: int, now: float) -> ClientTransaction:
        """An INVITE, the first one or one with credentials."""
        setup = self._setup
        headers = (
            ("Via", self._via()),
            ("Max-Forwards", "70"),
            ("From", f"{setup.caller};tag={self._tag}"),
            ("To", setup.callee),
            ("Call-ID", setup.call_id),
            ("CSeq", f"{number} INVITE"),
            ("Contact", setup.contact),
            *self._auth.headers("INVITE", setup.uri),
            *setup.extra,
            ("Allow", ALLOW),
            ("Supported", SUPPORTED),
            ("User-Agent", setup.user_agent),
            _SDP,
        )
        request = Request("INVITE", setup.uri, headers, make_offer(setup.media, self._version))
        # Early dialogs of a refused INVITE are dead (12.3).
        self._dialogs.clear()
        self._early_answers.clear()
        return self._begin(request, None, None, now)

    def _cancel(self, now: float) -> None:
        """CANCEL of the INVITE, once: with its Via, its Route and no tag (9.1)."""
        invite = self._invite.request
        key = (branch_of(invite), "CANCEL")
        if key in self._clients:
            return
        kept = ("Via", "Max-Forwards", "Route", "From", "To", "Call-ID")
        headers = [header for header in invite.headers if header[0] in kept]
        headers.append(("CSeq", f"{cseq_of(invite).number} CANCEL"))
        self._begin(Request("CANCEL", invite.uri, tuple(headers)), None, None, now)

    def _bye(self, dialog: Dialog, now: float) -> None:
        self._ask("BYE", dialog, now)

    def _ask(
        self, method: str, dialog: Dialog, now: float, extra: tuple[Header, ...] = (), *, fresh: bool = True
    ) -> None:
        """A request in the dialog; `fresh` is False for one that was challenged."""
        if fresh:
            self._auth.begin()
        uri = dialog.route().uri
        headers = (*self._auth.headers(method, uri), *extra)
        request, hop = self._in_dialog(method, dialog, dialog.next_number(), headers)
        self._begin(request, hop, dialog, now)

    def _in_dialog(self, method: str, dialog: Dialog, number: int, extra: tuple[Header, ...]) -> tuple[Request, Hop]:
        setup = self._setup
        route = dialog.route()
        headers = (
            ("Via", self._via()),
            ("Max-Forwards", "70"),
            *route.headers,
            ("From", f"{setup.caller};tag={self._tag}"),
            ("To", dialog.remote),
            ("Call-ID", setup.call_id),
            ("CSeq", f"{number} {method}"),
            *extra,
            ("User-Agent", setup.user_agent),
        )
        return Request(method, route.uri, headers), route.hop

    def _begin(self, request: Request, hop: Hop | None, dialog: Dialog | None, now: float) -> ClientTransaction:
        transaction = ClientTransaction(request, self._setup.reliable, self._setup.timers, now)
        self._clients[(branch_of(request), request.method)] = _Client(transaction, hop, dialog)
        return transaction

    def _via(self) -> str:
        self._branches += 1
        return f"SIP/2.0/{self._setup.via};rport;branch=z9hG4bK{self._setup.unique}{self._branches}"

    def _end(self, event: CallEvent, events: list[CallEvent]) -> None:
        self.phase = CallPhase.OVER
        events.append(event)


_Serve = Callable[[OutgoingCall, Request, Source, float, list[CallEvent]], None]
_SERVED: Final[dict[str, _Serve]] = {
    "BYE": OutgoingCall._serve_bye,
    "INVITE": OutgoingCall._serve_offer,
    "UPDATE": OutgoingCall._serve_offer,
    "OPTIONS": OutgoingCall._serve_options,
}


def _session_timer(request: Request) -> list[Header]:
    """The answer to a session timer (RFC 4028, section 9): the peer refreshes, for our calls are shorter than any.

    A peer that names us as refresher is answered so; its timer outlasts the call.
    """
    wished = first(request, "Session-Expires")
    seconds, _, params = wished.partition(";")
    seconds = seconds.strip()
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 7):
        return []
    refresher = "uas" if "refresher=uas" in params.replace(" ", "").lower() else "uac"
    return [("Session-Expires", f"{seconds};refresher={refresher}"), ("Require", "timer")]
