"""A carrier account over SMPP: parts go out on its links, answers and receipts are recorded.

What an answer means is decided in wire/smpp; what it does to the message is decided by the store, in one transaction.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, cast

from bocau.core import phone as phones
from bocau.core.lifecycle import AttemptState, State
from bocau.core.message import Answer, AnswerKind, AttemptKey, Known, ReceiptIn, RouteClass
from bocau.core.outcome import match_key, match_keys
from bocau.core.retry import postpone_ms
from bocau.deliver.link import CarrierSettings, SmppLink
from bocau.ports import PartOut, Submission, World
from bocau.store.contract import DeliverStore, OutcomeDeadlines, Recorded, StoreFault
from bocau.telemetry import CarrierMeters, Log, LogEvent
from bocau.wire.smpp.codec import encode
from bocau.wire.smpp.events import Delivered, Event, NotBound, SubmitAnswered, SubmitTimedOut, WindowFull
from bocau.wire.smpp.pdu import Command, DataSm, FieldError, Pdu, SubmitSm
from bocau.wire.smpp.receipt import Receipt, ReceiptState, read_receipt
from bocau.wire.smpp.status import Answer as StatusAnswer
from bocau.wire.smpp.status import Status, answer_class, status_name

__all__ = ["CarrierSettings", "SmppCarrier"]

_REMEMBERED_IDS: Final = 10_000
"""About a kilobyte each."""
_FAULT_SECONDS: Final = 1.0
_RECORD_SECONDS: Final = 10.0

_KINDS: Final = {
    StatusAnswer.TAKEN: AnswerKind.TAKEN,
    StatusAnswer.TEMPORARY: AnswerKind.TEMPORARY,
    StatusAnswer.THROTTLE: AnswerKind.TEMPORARY,
    StatusAnswer.PERMANENT: AnswerKind.PERMANENT,
}
_STATES: Final = {
    ReceiptState.DELIVERED: AttemptState.DELIVERED,
    ReceiptState.UNDELIVERED: AttemptState.UNDELIVERED,
    ReceiptState.REJECTED: AttemptState.UNDELIVERED,
    ReceiptState.DELETED: AttemptState.UNDELIVERED,
    ReceiptState.EXPIRED: AttemptState.EXPIRED,
    ReceiptState.UNKNOWN: AttemptState.UNKNOWN,
    ReceiptState.ACCEPTED: None,
    ReceiptState.ENROUTE: None,
}
"""Intermediate states change nothing."""


class _Sent(NamedTuple):
    """What we must remember of a part until its answer."""

    key: AttemptKey
    account_id: int
    total: int
    route_class: str
    phone: str
    at: float
    known: Known | None
    """What the receipt will be about, for a message that is all there is to its request."""


TakeReceipt = Callable[[ReceiptIn, Callable[[bool], None]], None]
"""Room 5's desk: stores the receipt, then says whether the carrier may forget it."""


class SmppCarrier:
    """`ports.Carrier` over one or several SMPP links."""

    def __init__(
        self,
        world: World,
        store: DeliverStore,
        receipts: TakeReceipt,
        settings: CarrierSettings,
        deadlines: OutcomeDeadlines,
        meters: CarrierMeters,
        log: Log,
        *,
        on_room: Callable[[], None],
        on_callbacks: Callable[[], None],
    ) -> None:
        self.name = settings.name
        self.wanted = settings.binds
        self.window = settings.binds * settings.window
        self._world = world
        self._store = store
        self._receipts = receipts
        self._settings = settings
        self._deadlines = deadlines
        self._meters = meters
        self._log = log
        self._on_room = on_room
        self._on_callbacks = on_callbacks
        self._links = [SmppLink(world, settings, self, meters, log) for _ in range(settings.binds)]
        self._reserved = 0
        self._unrecorded = 0
        self._stopped = False
        self._recent: OrderedDict[str, _Sent] = OrderedDict()

    # What dispatch and the operator ask for

    @property
    def bound(self) -> int:
        """Links that are bound."""
        return sum(link.bound for link in self._links)

    @property
    def why(self) -> str:
        """Why a link is down; empty while all are up."""
        return next((link.why for link in self._links if link.why), "")

    @property
    def outstanding(self) -> int:
        """Parts submitted and not answered."""
        return sum(link.outstanding for link in self._links)

    @property
    def room(self) -> int:
        """Free window slots of all links, less what is reserved."""
        return sum(link.free_slots for link in self._links) - self._reserved

    @property
    def idle(self) -> bool:
        """See ports.Carrier."""
        return not self._reserved and not self.outstanding and self.room > 0

    def start(self) -> None:
        """Begin to connect."""
        for link in self._links:
            link.start()

    async def stop(self, seconds: float) -> None:
        """Drain the windows, unbind, and wait until every answer is recorded.

        A store that takes no answers is not waited for long: the next start finds their attempts uncertain.
        """
        await asyncio.gather(*(link.stop(seconds) for link in self._links))
        give_up_at = self._world.monotonic() + _RECORD_SECONDS
        while self._unrecorded and self._world.monotonic() < give_up_at:
            await self._world.sleep(0.01)
        self._stopped = True
        if self._unrecorded:
            self._log.error(LogEvent.STORE_FAIL, reason="answers could not be recorded", waiting=self._unrecorded)

    def reserve(self, parts: int) -> None:
        """See ports.Carrier."""
        self._reserved += parts

    def release(self, parts: int) -> None:
        """See ports.Carrier."""
        self._reserved -= parts
        self._on_room()

    def submit(self, submission: Submission) -> None:
        """See ports.Carrier."""
        self._reserved -= len(submission.parts)
        for part in submission.parts:
            self._submit(submission, part)

    def _submit(self, submission: Submission, part: PartOut) -> None:
        settings = self._settings
        sent = _Sent(
            AttemptKey(submission.message_id, part.part, submission.number),
            submission.account_id,
            submission.total,
            submission.route_class,
            submission.phone,
            self._world.monotonic(),
            None if submission.message is None else Known(submission.message, self._world.now_ms()),
        )
        pdu = SubmitSm(
            "",
            settings.source_ton if submission.sender else 0,
            settings.source_npi,
            submission.sender,
            settings.destination_ton,
            settings.destination_npi,
            phones.to_e164(submission.phone),
            part.esm_class,
            0,
            0,
            "",
            "",
            1,
            0,
            part.data_coding,
            0,
            part.data,
        )
        links = self._links
        link = links[0] if len(links) == 1 else max(links, key=lambda one: one.free_slots)
        try:
            link.submit(pdu, sent)
        except (WindowFull, NotBound):
            # The link went away between the intent and now. Nothing left our buffer: not taken.
            self._record(sent, AnswerKind.TEMPORARY, 0, "")
        except FieldError as error:
            self._log.error(LogEvent.ATTEMPT_REFUSE, message=submission.message_id, reason=str(error))
            self._record(sent, AnswerKind.PERMANENT, 0, "")
        else:
            self._meters.submitted += 1

    # What links report

    def on_bound(self) -> None:
        """There are free slots."""
        self._on_room()

    def on_event(self, link: SmppLink, event: Event) -> None:
        """An answer, a missing answer, or something delivered."""
        if isinstance(event, SubmitAnswered):
            self._answered(cast("_Sent", event.token), event)
        elif isinstance(event, Delivered):
            self._delivered(link, event)
        elif isinstance(event, SubmitTimedOut):
            self._record(cast("_Sent", event.token), AnswerKind.UNCERTAIN, 0, "")

    def on_lost(self, uncertain: list[object], unsent: list[object]) -> None:
        """A connection is gone: what may have reached the carrier is uncertain, what never left is not taken."""
        for token in uncertain:
            self._record(cast("_Sent", token), AnswerKind.UNCERTAIN, 0, "")
        for token in unsent:
            self._record(cast("_Sent", token), AnswerKind.TEMPORARY, 0, "")

    def _answered(self, sent: _Sent, event: SubmitAnswered) -> None:
        meters = self._meters
        meters.answer_seconds.observe(self._world.monotonic() - sent.at)
        meters.late_answers += event.late
        answer = answer_class(event.status)
        if answer is StatusAnswer.THROTTLE:
            meters.throttled += 1
        if answer is not StatusAnswer.TAKEN:
            self._log.info(LogEvent.ATTEMPT_REFUSE, message=sent.key.message_id, reason=status_name(event.status))
        self._record(sent, _KINDS[answer], event.status, event.message_id)
        self._on_room()

    # Records

    def _record(self, sent: _Sent, kind: AnswerKind, status: int, carrier_id: str) -> None:
        """Store how an attempt went. Until that is done the account does not count as stopped."""
        self._meters.answers[kind] += 1
        now_ms = self._world.now_ms()
        key = match_key(carrier_id) if carrier_id else ""
        if key:
            self._remember(key, sent)
        answer = Answer(
            sent.key,
            sent.account_id,
            sent.total,
            kind,
            self.name,
            carrier_id,
            key,
            status,
            now_ms,
            now_ms if kind is AnswerKind.TAKEN else self._wake_ms(sent, kind, now_ms),
        )
        self._unrecorded += 1
        self._store.record(answer, partial(self._recorded, answer))

    def _wake_ms(self, sent: _Sent, kind: AnswerKind, now_ms: int) -> int:
        """When a refused part is tried again, or an uncertain one given up."""
        if kind is AnswerKind.UNCERTAIN:
            otp = sent.route_class == RouteClass.OTP
            return now_ms + (self._deadlines.uncertain_otp_ms if otp else self._deadlines.uncertain_other_ms)
        return now_ms + postpone_ms(sent.key.number, self._world.random.random())

    def _recorded(self, answer: Answer, result: Recorded | StoreFault) -> None:
        """An answer that could not be stored is offered again: only memory knows it."""
        if isinstance(result, StoreFault):
            if self._stopped:
                return
            self._log.error(LogEvent.STORE_FAIL, exc_info=result)
            again = partial(self._store.record, answer, partial(self._recorded, answer))
            asyncio.get_running_loop().call_later(_FAULT_SECONDS, again)
            return
        self._unrecorded -= 1
        self._meters.postponed += result.state is State.QUEUED
        self._meters.rematched += result.adopted
        if result.callback is not None:
            self._on_callbacks()

    def _remember(self, key: str, sent: _Sent) -> None:
        """Recent ids spare the store a look-up; the store checks them all the same."""
        recent = self._recent
        recent[key] = sent
        if len(recent) > _REMEMBERED_IDS:
            recent.popitem(last=False)

    # Receipts

    def _delivered(self, link: SmppLink, event: Delivered) -> None:
        receipt = read_receipt(event.message)
        acknowledge = partial(_acknowledge, link, link.connection, event.sequence)
        if receipt is None or not receipt.message_id:
            self._meters.strays += 1
            command = Command.DATA_SM if isinstance(event.message, DataSm) else Command.DELIVER_SM
            raw = encode(Pdu(command, 0, event.sequence, event.message))
            self._store.inbound(self.name, raw, self._world.now_ms(), partial(_kept, acknowledge))
            return
        self._meters.receipts += 1
        self._receipts(self._receipt_in(receipt, event), acknowledge)

    def _receipt_in(self, receipt: Receipt, event: Delivered) -> ReceiptIn:
        key = match_key(receipt.message_id)
        sent = self._recent.pop(key, None)
        return ReceiptIn(
            self.name,
            receipt.message_id,
            (key,) if sent is not None else match_keys(receipt.message_id),
            _recipient(event),
            _STATES[receipt.state],
            receipt.error,
            self._world.now_ms(),
            getattr(event.message, "short_message", b""),
            None if sent is None else sent.key,
            False,
            None if sent is None else sent.known,
        )


def _recipient(event: Delivered) -> str:
    """The phone a receipt is about: its source by the specification, its destination at carriers that do not swap."""
    message = event.message
    return phones.normalise(message.source_addr) or phones.normalise(message.destination_addr) or ""


def _acknowledge(link: SmppLink, connection: int, sequence: int, stored: bool) -> None:
    """The carrier may forget it, or is asked to keep it and come again."""
    link.answer(connection, sequence, Status.OK if stored else Status.TEMPORARY_APPLICATION_ERROR)


def _kept(acknowledge: Callable[[bool], None], result: StoreFault | None) -> None:
    acknowledge(not isinstance(result, StoreFault))
