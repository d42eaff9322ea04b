"""Writing down how attempts went: every answer is stored, and offered again until the store takes it."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from msgspec import Struct

from bocau.core.lifecycle import Event
from bocau.core.message import Answer, AnswerKind, AttemptKey, Known, ReceiptIn, ReceiptStored, Recourse, RouteClass
from bocau.core.retry import postpone_ms
from bocau.ports import World
from bocau.store.contract import DeliverStore, OutcomeDeadlines, Recorded, StoreFault
from bocau.telemetry import CarrierMeters, Log, LogEvent

__all__ = ["Acknowledge", "Recorder", "Sent", "TakeReceipt"]

_FAULT_SECONDS: Final = 1.0
_RECORD_SECONDS: Final = 10.0
_TAKEN: Final = AnswerKind.TAKEN
_IN_DOUBT: Final[Mapping[Event, LogEvent]] = {
    Event.HOLD: LogEvent.MESSAGE_HOLD,
    Event.DOUBT: LogEvent.MESSAGE_DOUBT,
}


Acknowledge = Callable[[ReceiptStored | None], None]
"""Told what became of a receipt; None: it could not be stored, the carrier is to keep it."""
TakeReceipt = Callable[[ReceiptIn, Acknowledge], None]
"""Room 5's desk: stores the receipt, then says what became of it."""


class Sent(Struct, frozen=True, gc=False):
    """What we must remember of a part until its answer."""

    key: AttemptKey
    account_id: int
    total: int
    route_class: str
    phone: str
    at: float
    """Seconds, monotonic."""
    known: Known | None
    """What the receipt will be about, for a message that is all there is to its request."""
    recourse: Recourse


class Recorder:
    """One carrier account's records. `unrecorded` answers are known to memory alone."""

    def __init__(
        self,
        world: World,
        store: DeliverStore,
        carrier: str,
        deadlines: OutcomeDeadlines,
        meters: CarrierMeters,
        log: Log,
        on_callbacks: Callable[[], None],
    ) -> None:
        self.unrecorded = 0
        self._world = world
        self._store = store
        self._carrier = carrier
        self._deadlines = deadlines
        self._meters = meters
        self._log = log
        self._on_callbacks = on_callbacks
        self._stopped = False

    def record(
        self, sent: Sent, kind: AnswerKind, status: int = 0, carrier_id: str = "", key: str = "", wait_ms: int = 0
    ) -> None:
        """Store how an attempt went: what the carrier said to one submit, or did not; `key` is the id's match key, and
        `wait_ms` when it may be tried again if it was put off, 0: after the usual wait."""
        self._meters.answers[kind] += 1
        now_ms = self._world.now_ms()
        answer = Answer(
            sent.key,
            sent.account_id,
            sent.total,
            kind,
            self._carrier,
            carrier_id,
            key,
            status,
            now_ms,
            now_ms if kind is _TAKEN else now_ms + (wait_ms or self._wait_ms(sent, kind)),
            sent.recourse,
        )
        self.unrecorded += 1
        self._store.record(answer, partial(self._recorded, answer))

    def _wait_ms(self, sent: Sent, kind: AnswerKind) -> int:
        """How long until a refused part is tried again, or an uncertain one given up."""
        if kind is AnswerKind.UNCERTAIN:
            otp = sent.route_class == RouteClass.OTP
            return self._deadlines.uncertain_otp_ms if otp else self._deadlines.uncertain_other_ms
        return postpone_ms(sent.key.number, self._world.random.random())

    def _recorded(self, answer: Answer, result: Recorded | StoreFault) -> None:
        """An answer that could not be stored is offered again: only memory knows it."""
        if isinstance(result, StoreFault):
            if self._stopped:
                return
            self._log.error(LogEvent.STORE_FAIL, exc_info=result)
            again = partial(self._store.record, answer, partial(self._recorded, answer))
            asyncio.get_running_loop().call_later(_FAULT_SECONDS, again)
            return
        self.unrecorded -= 1
        if result.event is not None:
            self._told(answer, result.event)
        self._meters.rematched += result.adopted
        if result.callback is not None:
            self._on_callbacks()

    def _told(self, answer: Answer, event: Event) -> None:
        """It is to be tried again, or nobody knows how it went; all but a mere delay is told, a possible duplicate and
        a doubt aloud."""
        message = answer.key.message_id
        if event in self._meters.requeued:
            self._meters.requeued[event] += 1
        if event is Event.RESEND:
            self._log.warning(LogEvent.MESSAGE_RESEND, message_id=message, reason=answer.recourse.uncertain.value)
        elif event is Event.FAIL_OVER:
            self._log.info(LogEvent.MESSAGE_FAIL_OVER, message_id=message)
        elif event in _IN_DOUBT:
            self._log.warning(_IN_DOUBT[event], message_id=message)

    async def finish(self) -> None:
        """Wait until every answer is stored, but not long: the next start finds attempts without one uncertain."""
        give_up_at = self._world.monotonic() + _RECORD_SECONDS
        while self.unrecorded and self._world.monotonic() < give_up_at:
            await self._world.sleep(0.01)
        self._stopped = True
        if self.unrecorded:
            self._log.error(LogEvent.STORE_FAIL, reason="answers could not be recorded", waiting=self.unrecorded)
