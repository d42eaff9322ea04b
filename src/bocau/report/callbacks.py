"""The customer is told: due callbacks become GETs, and each try is recorded with what follows from it."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

from bocau.core.message import CallbackDue, CallbackTry
from bocau.core.retry import callback_wait_ms
from bocau.loops import ClaimLoop, Lane
from bocau.ports import HttpAnswer, HttpFailure, HttpGet, World
from bocau.report.signature import Signer, signature_headers
from bocau.store.contract import CallbackStore, StoreFault
from bocau.telemetry import Log, LogEvent, ReportMeters
from bocau.wire.esms.callback import CallbackValues, callback_url
from bocau.wire.esms.status import SendReport, derive

__all__ = ["CallbackPolicy", "Callbacks", "judge", "url_of"]

_POLL_SECONDS: Final = 0.5
_FAULT_SECONDS: Final = 1.0
_GONE: Final = 410
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


def url_of(due: CallbackDue) -> str:
    """The URL to call, with the parameters of esms-api 3.2 behind the customer's own."""
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


def judge(due: CallbackDue, status: int, at_ms: int, policy: CallbackPolicy, chance: float) -> tuple[str, int | None]:
    """The verdict on a try and when the next one is due: any 2xx ends it, 410 gives up at once (promises P19)."""
    if 200 <= status < 300:
        return "done", None
    wait_ms = callback_wait_ms(due.tries + 1, policy.waits_seconds, policy.jitter_percent, chance)
    if status == _GONE or wait_ms is None:
        return "given_up", None
    return "waiting", at_ms + wait_ms


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
        self.lane: Lane[CallbackDue] = Lane(policy.waiting, self._notify)
        self.loop = ClaimLoop(world, self._claim, _POLL_SECONDS, log)
        self._world = world
        self._store = store
        self._http = http
        self._policy = policy
        self._meters = meters
        self._log = log
        self._signers = [Signer(secret) for secret in policy.secrets]
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def in_flight(self) -> int:
        """GETs going on now."""
        return len(self._tasks)

    async def stop(self) -> None:
        """Begin no more GETs and wait for those that go on; the others are due again at the next start."""
        self._stopping = True
        await self.loop.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._policy.timeout_seconds + 1)

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
        while self.lane.items and len(self._tasks) < self._policy.in_flight and not self._stopping:
            task = asyncio.ensure_future(self._call(self.lane.take()))
            self._tasks.add(task)
            task.add_done_callback(self._called)

    def _called(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self.lane.let_go()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._log.error(LogEvent.FAULT, exc_info=error)
        self._notify()

    async def _call(self, due: CallbackDue) -> None:
        """One GET and its record."""
        at_ms, began = self._world.now_ms(), self._world.monotonic()
        url = url_of(due)
        try:
            answer = await self._http.get(url, partial(self._signed, due, at_ms), self._policy.timeout_seconds)
        except HttpFailure as failure:
            answer = HttpAnswer(0, str(failure).encode(), self._world.monotonic() - began, "")
        verdict, again_ms = judge(due, answer.status, self._world.now_ms(), self._policy, self._world.random.random())
        self._record(
            CallbackTry(
                due.id,
                due.account_id,
                due.tries + 1,
                at_ms,
                round((self._world.monotonic() - began) * 1000),
                answer.status,
                answer.body[:_SHOWN].decode("utf-8", "replace"),
                verdict,
                again_ms,
            )
        )

    def _signed(self, due: CallbackDue, at_ms: int, sent: str) -> Sequence[tuple[str, str]]:
        """The signature stands in headers, so the query stays what eSMS sends (promises P21)."""
        if not self._signers:
            return ()
        return signature_headers(self._signers, due.summary.smsid, at_ms // 1000, sent.encode("ascii"))

    def _record(self, attempt: CallbackTry) -> None:
        self._store.tried(attempt, partial(self._recorded, attempt))

    def _recorded(self, attempt: CallbackTry, result: StoreFault | None) -> None:
        """A try that could not be stored is offered again: forgetting it would repeat the call."""
        if isinstance(result, StoreFault):
            self._log.error(LogEvent.STORE_FAIL, exc_info=result)
            asyncio.get_running_loop().call_later(_FAULT_SECONDS, self._record, attempt)
        else:
            self._meters.callbacks[attempt.verdict] += 1
            self._meters.callback_seconds.observe(attempt.milliseconds / 1000)
            if attempt.verdict != "done":
                event = LogEvent.CALLBACK_GIVE_UP if attempt.again_ms is None else LogEvent.CALLBACK_POSTPONE
                self._log.warning(event, callback=attempt.callback_id, status=attempt.http_status, tries=attempt.number)
