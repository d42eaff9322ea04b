"""The customer is told: due callbacks become GETs, and each try is recorded with what follows from it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from bocau.core.call import CallTold
from bocau.core.message import CallbackDue, CallbackTry, Due, RegistrationDue
from bocau.core.retry import callback_wait_ms
from bocau.loops import ClaimLoop, Lane
from bocau.ports import HttpAnswer, HttpFailure, HttpGet, World
from bocau.report.signature import Signer, signature_headers
from bocau.store.contract import CallbackStore, StoreFault
from bocau.telemetry import Log, LogEvent, ReportMeters
from bocau.wire.esms.callback import CallbackValues, CallValues, call_query, callback_url, with_query
from bocau.wire.esms.registration import Decision, decision_query
from bocau.wire.esms.reports import status_word
from bocau.wire.esms.status import DUPLICATES_HEADER, SendReport, derive

__all__ = ["CallbackPolicy", "Callbacks", "judge", "url_of"]

_POLL_SECONDS: Final = 0.5
_FAULT_SECONDS: Final = 1.0
_GONE: Final = 410
_REJECTED: Final = 4
_ENDED: Final = 5
"""SendStatus, esms-api 3.3."""
_GIVEN_UP: Final = "given_up"
_SHOWN: Final = 200


class CallbackPolicy(NamedTuple):
    """Settings of the callbacks."""

    waits_seconds: Sequence[int]
    """The wait before each try, the first included: its length is the number of tries."""
    jitter_percent: int
    timeout_seconds: float
    in_flight: int
    waiting: int
    """How many due callbacks are kept in memory."""
    secrets: tuple[bytes, ...]
    """Signing keys, the newest first; two during a rotation."""
    call_shape: str = "asked"
    """Which messages of type 8 are told in the shape of calls: those that were asked for as calls (asked), all (voice)
    or none (sms)."""
    plain_call_status: bool = False
    """CallStatus tells all four outcomes of a call."""


def url_of(due: Due, policy: CallbackPolicy) -> str:
    """The URL to call, with the parameters of esms-api 3.2 or 3.9 behind the customer's own."""
    if not isinstance(due, CallbackDue):
        return _decision_url(due)
    call = due.call
    if call is not None and (policy.call_shape == "voice" or (policy.call_shape == "asked" and call.asked)):
        return _call_url(due, call, plain=policy.plain_call_status)
    return _outcome_url(due)


def _decision_url(due: RegistrationDue) -> str:
    decision = Decision.REGISTERED if due.approved else Decision.FAILED
    return with_query(due.url, decision_query(due.registration_id, decision, due.brandname))


def _outcome_url(due: CallbackDue) -> str:
    summary = due.summary
    report = SendReport(
        summary.smsid,
        derive(summary.state).send_status,
        summary.succeeded,
        summary.failed,
        summary.price,
        summary.receivers,
        summary.sent,
    )
    return callback_url(due.url, CallbackValues(report, due.request_id, str(due.sms_type), due.telco, due.phone))


def _call_url(due: CallbackDue, call: CallTold, *, plain: bool) -> str:
    """A message that a text did the work for has no CallStatus: SentResult is all there is. This shape knows no
    rejected message: one is told as ended."""
    summary = due.summary
    send_status = derive(summary.state).send_status
    values = CallValues(
        summary.smsid,
        call.duration_seconds,
        status_word(call.status, plain=plain, unanswered="NO ANSWER"),
        call.keys,
        summary.price,
        summary.succeeded > 0,
        call.caller,
        _ENDED if send_status == _REJECTED else send_status,
    )
    return with_query(due.url, call_query(values))


def judge(tries: int, status: int, at_ms: int, policy: CallbackPolicy, chance: float) -> tuple[str, int | None]:
    """The verdict on a try after `tries` others, and when the next one is due (promises P19).

    Any 2xx ends it, 410 gives up at once.
    """
    if 200 <= status < 300:
        return "done", None
    wait_ms = callback_wait_ms(tries + 1, policy.waits_seconds, policy.jitter_percent, chance)
    if status == _GONE or wait_ms is None:
        return _GIVEN_UP, None
    return "waiting", at_ms + wait_ms


def _subject(due: Due) -> str:
    """What a callback is about, as its signature names it; every try of it says the same."""
    return due.summary.smsid if isinstance(due, CallbackDue) else f"template-{due.registration_id}"


class Callbacks:
    """Keeps up to `in_flight` GETs going."""

    def __init__(
        self,
        world: World,
        store: CallbackStore,
        http: HttpGet,
        policy: CallbackPolicy,
        meters: ReportMeters,
        log: Log,
    ) -> None:
        self.lane: Lane[Due] = Lane(policy.waiting, self._notify)
        self.loop = ClaimLoop(world, self._claim, _POLL_SECONDS, log)
        self.in_flight = 0
        """GETs going on now."""
        self._world = world
        self._store = store
        self._policy = policy
        self._log = log
        self._means = _Means(
            world, store, http, policy, tuple([Signer(secret) for secret in policy.secrets]), meters, log, self._ended
        )
        self._stopping = False
        self._quiet = asyncio.Event()
        """Set when the last GET has ended after `stop`."""

    async def stop(self) -> None:
        """Begin no more GETs and wait for those that go on; the others are due again at the next start."""
        self._stopping = True
        await self.loop.stop()
        if not self.in_flight:
            return
        try:
            async with asyncio.timeout(self._policy.timeout_seconds + 1):
                await self._quiet.wait()
        except TimeoutError:
            return

    async def _claim(self) -> bool:
        room = self.lane.room
        if self._stopping or room <= 0:
            return False
        claimed = await self._store.claim_callbacks(self._world.now_ms(), room)
        for due in claimed:
            self.lane.put(due)
        if len(claimed) < room:
            self.lane.open = True
        return False

    def _notify(self) -> None:
        lane, most = self.lane, self._policy.in_flight
        while lane.items and self.in_flight < most and not self._stopping:
            self.in_flight += 1
            try:
                _Try(self._means, lane.take()).begin()
            except Exception as error:  # noqa: BLE001 - the rim of the room: one bad callback must not stop the others
                self._log.error(LogEvent.FAULT, exc_info=error)
                self._let_go()

    def _ended(self) -> None:
        self._let_go()
        self._notify()

    def _let_go(self) -> None:
        self.in_flight -= 1
        self.lane.let_go()
        if self._stopping and not self.in_flight:
            self._quiet.set()


class _Means(NamedTuple):
    """What every try needs."""

    world: World
    store: CallbackStore
    http: HttpGet
    policy: CallbackPolicy
    signers: tuple[Signer, ...]
    meters: ReportMeters
    log: Log
    ended: Callable[[], None]
    """Told that a GET is over and its record on the way."""


class _Try:
    """One GET and its record."""

    __slots__ = ("_at_ms", "_attempt", "_began", "_due", "_means")

    def __init__(self, means: _Means, due: Due) -> None:
        self._means = means
        self._due = due
        self._at_ms = means.world.now_ms()
        self._began = means.world.monotonic()
        self._attempt: CallbackTry | None = None

    def begin(self) -> None:
        """Set it going. A stored callback that makes no URL never will, so it is given up."""
        means = self._means
        try:
            means.http.begin(url_of(self._due, means.policy), self._headers, means.policy.timeout_seconds, self._told)
        except ValueError as error:
            due = self._due
            self._attempt = CallbackTry(
                due.id, due.account_id, due.tries + 1, self._at_ms, 0, 0, f"never called: {error}", _GIVEN_UP, None
            )
            self._record()
            asyncio.get_running_loop().call_soon(means.ended)

    def _headers(self, sent: str) -> Sequence[tuple[str, str]]:
        """The signature stands in headers, so the query stays what eSMS sends (promises P21)."""
        signers, due = self._means.signers, self._due
        repeated = due.summary.repeated if isinstance(due, CallbackDue) else 0
        noted = ((DUPLICATES_HEADER, str(repeated)),) if repeated else ()
        if not signers:
            return noted
        return (*signature_headers(signers, _subject(due), self._at_ms // 1000, sent.encode("ascii")), *noted)

    def _told(self, result: HttpAnswer | HttpFailure) -> None:
        means = self._means
        try:
            self._attempt = self._judged(result)
            self._record()
        except Exception as error:  # the rim of the room: the connection that tells us goes on
            means.log.error(LogEvent.FAULT, exc_info=error)
        means.ended()

    def _judged(self, result: HttpAnswer | HttpFailure) -> CallbackTry:
        """The try with what follows from it. One clock says when it began, the other how long it took."""
        means, due = self._means, self._due
        milliseconds = round((means.world.monotonic() - self._began) * 1000)
        if isinstance(result, HttpFailure):
            status, said = 0, result.reason
        else:
            status, said = result.status, result.body[:_SHOWN].decode("utf-8", "replace")
        ended_ms = self._at_ms + milliseconds
        verdict, again_ms = judge(due.tries, status, ended_ms, means.policy, means.world.random.random())
        return CallbackTry(
            due.id, due.account_id, due.tries + 1, self._at_ms, milliseconds, status, said, verdict, again_ms
        )

    def _record(self) -> None:
        if self._attempt is not None:
            self._means.store.tried(self._attempt, self._recorded)

    def _recorded(self, result: StoreFault | None) -> None:
        """A try that could not be stored is offered again: forgetting it would repeat the call."""
        attempt, log, meters = self._attempt, self._means.log, self._means.meters
        if isinstance(result, StoreFault):
            log.error(LogEvent.STORE_FAIL, exc_info=result)
            asyncio.get_running_loop().call_later(_FAULT_SECONDS, self._record)
        elif attempt is not None:
            meters.callbacks[attempt.verdict] += 1
            meters.callback_seconds.observe(attempt.milliseconds / 1000)
            if attempt.verdict != "done":
                event = LogEvent.CALLBACK_GIVE_UP if attempt.again_ms is None else LogEvent.CALLBACK_POSTPONE
                log.warning(event, callback=attempt.callback_id, status=attempt.http_status, tries=attempt.number)
