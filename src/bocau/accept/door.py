"""The door: an HTTP request of the eSMS API gets its answer.

One handler for the listener, called with whole requests. A send is decided without I/O and joins the next
transaction; its answer is written from the commit. Questions read the store and are answered from a task. Whatever
form a send came in, it becomes one SendRequest and takes one way from there.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final

from msgspec.structs import replace

from bocau.accept.admit import admission
from bocau.accept.calling import compose_recorded, compose_spoken
from bocau.accept.checks import AFTER_REQUEST_ID, Draft, Policy, check
from bocau.accept.counters import Counters
from bocau.accept.entry import Compose, Visit
from bocau.accept.generated import CHANCE_BYTES, MadeCode, make_code
from bocau.accept.origin import address_of
from bocau.accept.origins import Origins
from bocau.accept.questions import Noted, Questions, Stopped, Told
from bocau.accept.registering import judge
from bocau.accept.replies import Caller, as_call, in_its_form
from bocau.accept.strangers import Strangers
from bocau.accept.tolls import Tolls
from bocau.core.directory import Directory, Scope
from bocau.core.ids import Ids
from bocau.core.message import Admission, Admitted, Duplicate, NoBalance, Overspent, RouteClass
from bocau.core.money import vnd_number
from bocau.core.refusal import Refusal
from bocau.core.registration import Registration, templates_of
from bocau.core.telcos import TELCOS
from bocau.listener import Request
from bocau.loops import MessageLane
from bocau.ports import World
from bocau.store.contract import AcceptStore, AdmitResult, StoreFault
from bocau.telemetry import AcceptMeters, Log, LogEvent
from bocau.wire.esms import answers, codes, operations
from bocau.wire.esms.calls import decode_call_code, decode_call_template, decode_generated
from bocau.wire.esms.mending import mended
from bocau.wire.esms.names import Malformed
from bocau.wire.esms.operations import BODY_LIMIT, Kind, Operation
from bocau.wire.esms.registration import decode_preview, registered
from bocau.wire.esms.reports import refused_plainly
from bocau.wire.esms.send import SendRequest, decode_send
from bocau.wire.esms.status import derive

__all__ = ["Door"]

_NOT_STORED: Final = answers.infrastructure_error("Service unavailable")
_INVALID: Final = answers.infrastructure_error()
_TOO_LARGE: Final = answers.infrastructure_error("Request too large")
_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F)}
"""Signs that no header may hold, in the form that a header gives to those outside ASCII."""


class Door:
    """Serves the operations of the eSMS API.

    `lane` takes messages that are due at once.
    """

    def __init__(
        self,
        world: World,
        store: AcceptStore,
        ids: Ids,
        policy: Policy,
        lane: MessageLane,
        meters: AcceptMeters,
        log: Log,
    ) -> None:
        self.closed = False
        """True while the gateway stops, or cannot store: sends are answered 503."""
        self.otherwise: Callable[[Request], bool] = _nobody
        """Who else answers on this listener, asked about paths that are no operation; False: it is not theirs."""
        self._world = world
        self._store = store
        self._ids = ids
        self._policy = policy
        self._ttl_ms = {RouteClass.OTP.value: policy.otp_ttl_ms, RouteClass.OTHER.value: policy.other_ttl_ms}
        self._lane = lane
        self._meters = meters
        self._log = log
        self._tasks: set[asyncio.Task[None]] = set()
        self._marks = itertools.count(1)
        self.counters = Counters(policy.tracked_numbers)
        self._proxies = policy.proxies
        self._origins = Origins(policy.origins) if policy.origins else None
        self._strangers = Strangers()
        self.tolls = Tolls(policy.tracked_numbers)
        self._visit = Visit(Scope.SEND, self.counters, self._proxies, tolls=self.tolls)
        self._questions = Questions(world, store, policy)
        self.directory = Directory(0, {}, {}, b"")
        self._kinds: dict[Kind, Callable[[Caller, Operation, bytes], None]] = {
            Kind.SEND: self._send,
            Kind.CALL_CODE: self._call_code,
            Kind.CALL_TEMPLATE: self._call_of,
            Kind.CALL_RECORDING: self._call_of,
            Kind.SEND_CODE: self._send_code,
            Kind.REGISTER: self._register,
            Kind.UNSUPPORTED: self._unsupported,
            **dict.fromkeys(self._questions.kinds, self._question),
        }

    def reroute(self, type8_channel: str, *, can_call: bool) -> None:
        """Take what routes that were reloaded may change; see Policy."""
        self._policy = self._policy._replace(type8_channel=type8_channel, can_call=can_call)

    def recount(self, rows: Sequence[tuple[int, str, int, int]]) -> None:
        """Count what the store remembers of the last day: account, phone, moment and type, newest first."""
        self.counters.recount(rows, self._directory)
        self.tolls.recount(rows, self._directory, self._policy.type8_channel)

    @property
    def directory(self) -> Directory:
        """Nobody, until the first one is read; replaced as a whole when the store's version grows."""
        return self._directory

    @directory.setter
    def directory(self, directory: Directory) -> None:
        self._directory = self._questions.directory = directory

    def handle(self, request: Request) -> None:
        """Answer one request, now or after its commit."""
        path, query = operations.split_target(request.target)
        operation = operations.find(path)
        met: Caller = request if self._origins is None else self._origins.met(request)
        if operation is None:
            if not self.otherwise(request):
                met.respond(404, _INVALID)
        elif request.method not in operation.methods and not (request.method == "HEAD" and operation.head):
            self._wrong_method(met, operation)
        elif len(request.body) > BODY_LIMIT and len(request.body) > operation.limit_of(request.body):
            met.respond(413, _TOO_LARGE)
        else:
            try:
                caller = in_its_form(met, operation) if operation.markup else met
                self._kinds[operation.kind](caller, operation, query)
            except Malformed as fault:
                self._meters.malformed += 1
                mark = self._mark()
                self._log.info(LogEvent.REQUEST_MALFORMED, reason=str(fault), request=mark)
                met.respond(400, _INVALID, headers=(_marked(mark),))

    def _wrong_method(self, request: Caller, operation: Operation) -> None:
        """OPTIONS names the methods; everything else is 405."""
        head = ("HEAD",) if operation.head else ()
        allow = ", ".join((*operation.methods, *head, "OPTIONS")).encode()
        if request.method == "OPTIONS":
            request.respond(204, b"", headers=((b"Allow", allow),))
        else:
            request.respond(405, _INVALID, headers=((b"Allow", allow),))

    def _unsupported(self, request: Caller, operation: Operation, query: bytes) -> None:
        del operation, query
        self._refuse(request, Refusal(codes.SMS_TYPE_UNSUPPORTED, codes.text(codes.SMS_TYPE_UNSUPPORTED), "not served"))

    # Sends

    def _send(self, request: Caller, operation: Operation, query: bytes) -> None:
        del operation
        self._meters.requests += 1
        self._take(request, decode_send(self._read(request), query))

    def _call_code(self, request: Caller, operation: Operation, query: bytes) -> None:
        """VoiceOTP: a message of type 8."""
        del operation
        self._meters.requests += 1
        self._take(as_call(request), decode_call_code(self._read(request), query))

    def _call_of(self, request: Caller, operation: Operation, query: bytes) -> None:
        """A call that says a registered text, or plays a recording: a message of type 8 too."""
        self._meters.requests += 1
        asked = decode_call_template(self._read(request), query)
        if operation.kind is Kind.CALL_TEMPLATE:
            self._take(as_call(request), asked.request, lambda key: compose_spoken(asked, key))
        else:
            channel = self._policy.type8_channel
            self._take(as_call(request), asked.request, lambda key: compose_recorded(asked, key, channel))

    def _send_code(self, request: Caller, operation: Operation, query: bytes) -> None:
        """A send with a code that we make up."""
        del operation
        self._meters.requests += 1
        asked = decode_generated(self._read(request), query)
        made = make_code(asked, self._world.token(CHANCE_BYTES))
        if isinstance(made, Refusal):
            self._take(request, asked.request, lambda _: made)
        else:
            self._take(request, asked.request, lambda _: made.request, made)

    def _take(
        self, request: Caller, wanted: SendRequest, compose: Compose | None = None, made: MadeCode | None = None
    ) -> None:
        """The one way of every send; `compose` makes the text of one that has none yet, once its key came in."""
        if wanted.charset != "utf-8":
            self._log.warning(LogEvent.REQUEST_WARN, reason=f"the body was read as {wanted.charset}, not UTF-8")
        if self.closed:
            self._meters.unavailable += 1
            request.respond(503, _NOT_STORED)
            return
        now_ms = self._world.now_ms()
        rehearsal = wanted.sandbox or request.method == "HEAD"  # a HEAD is safe, whatever it asks (RFC 9110, 9.2.1)
        visit = self._visit
        visit.rehearsal, visit.asker, visit.compose = rehearsal, request, compose
        draft = check(wanted, self._directory, self._policy, now_ms, visit)
        if isinstance(draft, Refusal):
            if draft.code == codes.AUTHORIZE_FAILED:
                self._stop_at_entry(request, draft, answers.refused(draft.code, draft.text))
            elif draft.step > AFTER_REQUEST_ID and wanted.request_id:
                self._later(request, self._refuse_unless_seen(request, wanted, draft))
            else:
                self._refuse(request, draft)
            return
        for warning in draft.warnings:
            self._log.warning(LogEvent.REQUEST_WARN, reason=warning, account=draft.account.name)
        if rehearsal:
            self._later(request, self._rehearse(request, wanted, draft))
            return
        self._admit(request, wanted, draft, made, now_ms)

    def _admit(self, request: Caller, wanted: SendRequest, draft: Draft, made: MadeCode | None, now_ms: int) -> None:
        """Put the request into the next transaction; the answer is written from its commit."""
        count = len(draft.receivers)
        account_id = draft.account.id
        in_hand = (
            draft.rejected is None
            and not draft.release_ms
            and self._lane.reserve(account_id, draft.receivers[0].route_class, count)
        )
        rows = admission(
            wanted, draft, self._ids, self._world.token(8), now_ms, self._ttl_ms, self._store.epoch if in_hand else 0
        )
        counted = draft.account.counted and draft.rejected is None
        if counted:
            for receiver in draft.receivers:
                self.counters.count(draft.account, receiver.phone, now_ms)
        if draft.called:
            self.tolls.count(draft.account, draft.api_key, draft.receivers[0].phone, now_ms)
        if made is not None:
            rows = replace(rows, code=made.remembered(self._directory, draft, now_ms))
        began = self._world.monotonic()

        def done(result: AdmitResult | StoreFault) -> None:
            if isinstance(result, Admitted):
                self._accepted(request, rows, draft, in_hand=in_hand)
                self._meters.seconds.observe(self._world.monotonic() - began)
                return
            if in_hand:
                self._lane.let_go(account_id, count)
            if counted:
                for receiver in draft.receivers:
                    self.counters.uncount(draft.account, receiver.phone, now_ms)
            if draft.called:
                self.tolls.uncount(draft.account, draft.receivers[0].phone, now_ms)
            self._not_admitted(request, result, draft)

        self._store.admit(rows, done)

    def _accepted(self, request: Caller, rows: Admission, draft: Draft, *, in_hand: bool) -> None:
        """Committed: answer first, then hand the messages on."""
        smsid = rows.messages[0].smsid
        if draft.rejected is not None:
            self._refuse(request, draft.rejected, smsid=smsid)
        else:
            request.respond(200, answers.accepted(smsid))
            self._meters.accepted += len(draft.receivers)
            self._meters.parts += draft.parts * len(draft.receivers)
        if in_hand:
            for message in rows.messages:
                self._lane.fill(message)

    def _not_admitted(
        self, request: Caller, result: Duplicate | NoBalance | Overspent | StoreFault, draft: Draft
    ) -> None:
        if isinstance(result, StoreFault):
            self._unavailable(request, result)
        elif isinstance(result, Duplicate):
            self._duplicate(request, result)
        else:
            self._refuse(request, _no_money(draft, result))

    async def _refuse_unless_seen(self, request: Caller, wanted: SendRequest, refusal: Refusal) -> None:
        """A used RequestId comes before what was found later in the order of checks."""
        now_ms = self._world.now_ms()
        key = self.directory.sign_in(wanted.api_key, wanted.secret_key, now_ms)
        seen = None if key is None else await self._store.seen(key.account.id, wanted.request_id, now_ms)
        if seen is not None:
            self._duplicate(request, seen)
        else:
            self._refuse(request, refusal)

    async def _rehearse(self, request: Caller, wanted: SendRequest, draft: Draft) -> None:
        """Sandbox: everything the real call checks, nothing of it kept (esms-api 2.5)."""
        now_ms = self._world.now_ms()
        rows = admission(wanted, draft, self._ids, self._world.token(8), now_ms, self._ttl_ms, 0)
        smsid = rows.messages[0].smsid
        result = await self._store.rehearse(rows)
        if not isinstance(result, Admitted):
            self._not_admitted(request, result, draft)
        elif draft.rejected is not None:
            self._refuse(request, draft.rejected, smsid=smsid)
        else:
            self._meters.sandbox += 1
            request.respond(200, answers.accepted(smsid))

    def _duplicate(self, request: Caller, duplicate: Duplicate) -> None:
        """124, with the first request's status; its SMSID goes into a header (promises 4.11)."""
        status = derive(duplicate.summary.state).send_status
        self._meters.refused[codes.DUPLICATE] += 1
        body = answers.refused(codes.DUPLICATE, codes.text(codes.DUPLICATE), send_status=status)
        request.respond(200, body, headers=((b"X-Bocau-SMSID", duplicate.smsid.encode()),))

    def _refuse(self, request: Caller, refusal: Refusal, smsid: str | None = None) -> None:
        self._turn_away(request, refusal, answers.refused(refusal.code, refusal.text, smsid=smsid))

    def _turn_away(self, request: Caller, refusal: Refusal, body: bytes) -> None:
        """A refusal in the shape of its operation, with its cause in a header and in the log."""
        self._meters.refused[refusal.code] += 1
        mark = self._mark()
        self._log.info(LogEvent.REQUEST_REFUSE, code=refusal.code, reason=refusal.reason, request=mark)
        request.respond(200, body, headers=((b"X-Bocau-Reason", _header(refusal)), _marked(mark)))

    def _mark(self) -> str:
        """A name for a request that is turned away, in its answer and in its log line: start of the node, number.

        A request that is accepted has its SMSID for that, so the way of a message pays nothing.
        """
        return f"{self._store.epoch}-{next(self._marks)}"

    def _unavailable(self, request: Caller, error: BaseException) -> None:
        """Nothing of the request was stored, and the caller is told so."""
        self._meters.unavailable += 1
        mark = self._mark()
        self._log.error(LogEvent.REQUEST_UNAVAILABLE, request=mark, exc_info=error)
        request.respond(503, _NOT_STORED, headers=(_marked(mark),))

    # Templates

    def _register(self, request: Caller, operation: Operation, query: bytes) -> None:
        """A customer asks for a template; an operator decides, or `auto_approve` does."""
        del operation
        visit = Visit(Scope.SEND, self.counters, self._proxies, request)
        asked = judge(decode_preview(self._read(request), query), self._directory, self._world.now_ms(), visit)
        if isinstance(asked, Refusal):
            self._stop_at_entry(request, asked, refused_plainly(asked.code, asked.text))
        elif self.closed:
            self._meters.unavailable += 1
            request.respond(503, _NOT_STORED)
        else:
            self._later(request, self._ask_template(request, asked))

    async def _ask_template(self, request: Caller, asked: Registration) -> None:
        templates = templates_of(asked, TELCOS) if self._policy.auto_approve else None
        number = await self._store.ask_template(asked, templates)
        if number is None:
            pending = codes.REGISTRATION_PENDING
            refusal = Refusal(
                pending, codes.text(pending), "the same template, or as many as may, wait for a decision already"
            )
            self._turn_away(request, refusal, refused_plainly(pending))
            return
        approved = templates is not None
        self._log.info(LogEvent.TEMPLATE_ASK, registration=number, account=asked.account_id, approved=approved)
        request.respond(200, registered(number))

    def _after_wait(self, request: Caller, answer: Callable[[], None]) -> None:
        """Answer a wrong key: at once, or slowly if its address has been wrong too often."""
        address = address_of(request.peer, request.headers, self._proxies)
        seconds = self._strangers.wait_seconds(address, self._world.monotonic())
        if not seconds:
            answer()
            return

        async def slowly() -> None:
            await self._world.sleep(seconds)
            answer()

        self._later(request, slowly())

    # Questions

    def _stop_at_entry(self, request: Caller, refusal: Refusal, body: bytes) -> None:
        """Turn away at once, or, for wrong keys, when the address they came from may be answered."""
        if refusal.code == codes.AUTHORIZE_FAILED:
            self._after_wait(request, lambda: self._turn_away(request, refusal, body))
        else:
            self._turn_away(request, refusal, body)

    def _read(self, request: Caller) -> bytes:
        """The body, put right first if the settings say so."""
        body = _body(request)
        return mended(body) if self._policy.json_repair else body

    def _question(self, request: Caller, operation: Operation, query: bytes) -> None:
        if operation.kind is Kind.CHECK_CODE and request.method == "HEAD":
            request.respond(200, b"")  # a code is not tried by looking, and its answer is 200 whatever it would be
            return
        visit = Visit(Scope.QUERY, self.counters, self._proxies, request)
        answer = self._questions.ask(operation, self._read(request), query, visit)
        if isinstance(answer, Stopped):
            self._stop_at_entry(request, answer.refusal, answer.body)
        else:
            self._later(request, self._tell(request, answer))

    async def _tell(self, request: Caller, answer: Awaitable[Told]) -> None:
        told = await answer
        if isinstance(told, Stopped):
            self._turn_away(request, told.refusal, told.body)
        elif isinstance(told, Noted):
            request.respond(200, told.body, headers=told.headers)
        else:
            request.respond(200, told)

    def _later(self, request: Caller, work: Coroutine[Any, Any, None]) -> None:
        """Run a question beside the loop's other work; it is kept until it has ended, and answered 503 if it fails."""

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            error = None if task.cancelled() else task.exception()
            if error is not None:
                self._unavailable(request, error)

        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(ended)


def _nobody(request: Request) -> bool:
    del request
    return False


def _body(request: Caller) -> bytes:
    """A GET may carry a body, which counts for nothing (esms-api 1.3 step 8); so may a HEAD."""
    return b"" if request.method in ("GET", "HEAD") else request.body


def _marked(mark: str) -> tuple[bytes, bytes]:
    return b"X-Bocau-Request", mark.encode()


def _header(refusal: Refusal) -> bytes:
    """The reason of a refusal in the signs that a header may hold."""
    return (refusal.told or refusal.reason).translate(_CONTROLS).encode("ascii", "backslashreplace")


def _no_money(draft: Draft, result: NoBalance | Overspent) -> Refusal:
    """103, for the balance or for a cap of the day; only the reason tells them apart."""
    name = draft.account.name
    if isinstance(result, NoBalance):
        reason = f"the balance of account {name} is too low"
    else:
        whose = f"account {name}" if result.whose == "account" else f"this key of account {name}"
        reason = f"{whose} may spend {vnd_number(result.cap)} VND a day, {vnd_number(result.spent)} are spent"
    return Refusal(codes.NO_BALANCE, codes.text(codes.NO_BALANCE), reason, 13)
