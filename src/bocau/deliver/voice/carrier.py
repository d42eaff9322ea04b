"""The carrier of calls: a message of its goes out as one call, and what became of the call is its answer and receipt.

A call is the one submission that may last a minute. It counts as taken once the phone was picked up: from then on it is
never placed again, whatever happens. What ends before that was not taken, so the message may be called again or go
another way.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from bocau.core import phone as phones
from bocau.core.call import LOST, CallRecord, Press, pack_ladder
from bocau.core.lifecycle import AttemptState
from bocau.core.message import AnswerKind, AttemptKey, Message, ReceiptIn, ReceiptStored
from bocau.core.outcome import match_key
from bocau.core.text import find_code
from bocau.deliver.record import Recorder, Sent, TakeReceipt
from bocau.deliver.sip.order import NO_MEDIA, CallResult, CallStatus, Retry, Side
from bocau.deliver.voice.alarm import CallAlarm
from bocau.deliver.voice.crew import Crew, Heard, Lost
from bocau.deliver.voice.messages import Key, Over, Picked, Place, Rang
from bocau.ports import Pulse, Submission, World
from bocau.store.contract import CallStore, OutcomeDeadlines, StoreFault, Unreported
from bocau.telemetry import CarrierMeters, Log, LogEvent, TrunkMeters

__all__ = ["Past", "VoiceCarrier", "word_of"]

_AGAIN_MS: Final = 30_000
"""Wait before a phone that was busy or not answered is called once more (voice, Mapping)."""
_TRUNK_FAULT: Final = frozenset({Retry.NEXT_TRUNK, Retry.NEXT_TRUNK_BACK_OFF})
_ENGAGED_MS: Final = 5_000
"""Wait of a message whose number is being called for another one, or whose account has all the calls it may have."""
_CANCELLED: Final = 487
_CALLED: Final = frozenset({CallStatus.BUSY.value, CallStatus.NO_ANSWER.value, LOST})
"""Ends of a call after which there is one more, and no third."""
_FAULT_SECONDS: Final = 1.0
_DRAIN_SECONDS: Final = 60.0
"""A call that speaks is let end: nobody would call again."""


class _Call:
    """One call on its way."""

    __slots__ = ("again", "answered_ms", "begun_ms", "cut", "press", "rang_ms", "sent", "sip_call_id")

    def __init__(self, sent: Sent, begun_ms: int, press: Press) -> None:
        self.sent = sent
        self.press = press
        self.begun_ms = begun_ms
        self.rang_ms: int | None = None
        self.answered_ms: int | None = None
        self.sip_call_id = ""
        self.cut = False
        """The gateway stopped before it was answered."""
        self.again = False
        """It is the second call: the first was busy, not answered, or died with its process."""


class Past(NamedTuple):
    """What decides whether a message may be called again."""

    again: bool
    """It has had its second call."""
    expires_in_ms: int
    elsewhere: bool
    """Another carrier of its route may have it."""


class Word(NamedTuple):
    """What a call is as an answer to a submission."""

    kind: AnswerKind
    status: int = 0
    carrier_id: str = ""
    match_key: str = ""
    wait_ms: int = 0
    """When it may be tried again, if it was put off; 0: after the usual wait."""


class VoiceCarrier:
    """`ports.Carrier` over a crew of voice workers. A message goes out whole: it has one part here."""

    adapts = True

    def __init__(
        self,
        name: str,
        world: World,
        store: CallStore,
        receipts: TakeReceipt,
        crew: Callable[[Callable[[], None]], Crew],
        deadlines: OutcomeDeadlines,
        meters: CarrierMeters,
        log: Log,
        *,
        on_room: Callable[[], None],
        on_callbacks: Callable[[], None],
        trunk_meters: Callable[[str], TrunkMeters],
        calls_at_once: Callable[[int], int] = lambda _: 0,
    ) -> None:
        """`crew` makes the workers, given whom to tell of room; `calls_at_once` says how many calls an account may have
        at one moment, 0: any number."""
        self.name = name
        self.pulse = Pulse()
        self.outstanding = 0
        self.crew = crew(on_room)
        self._world = world
        self._store = store
        self._receipts = receipts
        self._meters = meters
        self._log = log
        self._on_room = on_room
        self._recorder = Recorder(world, store, name, deadlines, meters, log, on_callbacks)
        self._reserved = 0
        self._stopping = False
        self._calls: dict[str, _Call] = {}
        self._begun: set[asyncio.Future[None]] = set()
        """Those whose way to a worker is being prepared; the loop itself would not keep them."""
        self._ringing: set[str] = set()
        """Numbers with a call: there is one at a time for each."""
        self._trunk_meters = trunk_meters
        self._alarm = CallAlarm()
        self._calls_at_once = calls_at_once
        self._calls_of: Counter[int] = Counter()
        """Calls at this moment by account."""
        self._unrecorded = 0

    # What dispatch and the operator ask for

    @property
    def window(self) -> int:
        """Calls that all lines together carry."""
        return self.crew.size

    @property
    def wanted(self) -> int:
        """Workers."""
        return self.crew.workers

    @property
    def bound(self) -> int:
        """Workers that have a trunk that is up."""
        return self.crew.working

    @property
    def why(self) -> str:
        """Why a worker or a trunk is down; empty while all are up."""
        return self.crew.why

    @property
    def pace_per_second(self) -> float | None:
        """See fleet.Ship. The pace of calls is that of the trunks, and known to the workers alone."""
        return None

    @property
    def up(self) -> bool:
        """See ports.Carrier."""
        return self.crew.working > 0 and not self._stopping

    @property
    def room(self) -> int:
        """See ports.Carrier."""
        return max(0, self.crew.room - self._reserved) if self.up else 0

    @property
    def idle(self) -> bool:
        """See ports.Carrier."""
        return self.up and not self.outstanding and not self._reserved

    def summary(self) -> dict[str, object]:
        """See fleet.Ship. Its binds are the workers that have a trunk."""
        return {
            "link": self.name,
            "kind": "sip",
            "address": ", ".join(sorted({trunk.name for trunk in self.crew.standing()})),
            "state": "works" if self.bound == self.wanted else "partly works" if self.bound else "down",
            "binds": f"{self.bound} of {self.wanted}",
            "window": f"{self.outstanding} of {self.window}",
            "why": self.why,
        }

    def start(self) -> None:
        """Start the workers."""
        self.crew.start()

    def close_lost(self, lost: Sequence[Unreported]) -> None:
        """Calls that were answered when the last start died: how they ended nobody knows, and nobody calls again."""
        for key, _, phone, sip_call_id in lost:
            self._offer(
                ReceiptIn(
                    self.name,
                    sip_call_id,
                    (match_key(sip_call_id),),
                    phone,
                    AttemptState.UNKNOWN,
                    LOST,
                    self._world.now_ms(),
                    b"",
                    key,
                    hand_over=False,
                )
            )

    async def stop(self, seconds: float) -> None:
        """Let the calls that were answered end, give up those that were not, and wait until all is recorded."""
        self._stopping = True
        for call_id, call in list(self._calls.items()):
            if call.answered_ms is None:
                call.cut = True
                self.crew.cancel(call_id)
        await self.crew.stop(max(seconds, _DRAIN_SECONDS))
        until = self._world.monotonic() + _FAULT_SECONDS * 5
        while self._unrecorded and self._world.monotonic() < until:
            await self._world.sleep(0.01)
        await self._recorder.finish()

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
        self.outstanding += 1
        self._meters.submitted += 1
        sent = Sent(
            AttemptKey(submission.message_id, 1, submission.number),
            submission.account_id,
            submission.total,
            submission.route_class,
            submission.phone,
            self._world.monotonic(),
            None,
            submission.recourse,
        )
        call = _Call(sent, self._world.now_ms(), submission.press)
        most = self._calls_at_once(sent.account_id)
        if sent.phone in self._ringing or (most and self._calls_of[sent.account_id] >= most):
            self.outstanding -= 1
            self._recorder.record(sent, AnswerKind.TEMPORARY, wait_ms=_ENGAGED_MS)
            self._on_room()
            return
        call_id = f"{submission.message_id:x}-{submission.number}"
        self._calls[call_id] = call
        self._ringing.add(sent.phone)
        self._calls_of[sent.account_id] += 1
        begun = asyncio.ensure_future(self._begin(call_id, call, submission.message))
        self._begun.add(begun)
        begun.add_done_callback(self._begun.discard)

    async def _begin(self, call_id: str, call: _Call, message: Message | None) -> None:
        """Hand the call to a worker: one that says the code of the message, or plays the recording asked for."""
        expires_ms = 0 if message is None else message.expires_ms
        place = await self._placing(call_id, call, message)
        if isinstance(place, CallResult):
            self._over(call_id, call)
            self._end(call, place, self._past(call, expires_ms))
            return
        try:
            self.crew.place(place, partial(self._heard, call, expires_ms))
        except LookupError:
            self._over(call_id, call)
            past = Past(True, 0, call.sent.recourse.elsewhere)
            self._end(call, _no_call("no worker had room", Retry.NEXT_TRUNK_BACK_OFF), past)

    async def _placing(self, call_id: str, call: _Call, message: Message | None) -> Place | CallResult:
        """What a worker is told, or how the call ended before it began."""
        number, message_id = phones.to_e164(call.sent.phone), call.sent.key.message_id
        try:
            call.again = any(past.status in _CALLED for past in await self._store.calls_of(message_id))
            manner = await self._store.manner(message_id)
        except LookupError as gone:
            return _no_call(str(gone), Retry.NONE)
        except Exception as error:  # noqa: BLE001 - the rim: a call that cannot be looked up must not stay for ever
            self._log.error(LogEvent.STORE_FAIL, exc_info=error)
            return _no_call("the store could not be read", Retry.NEXT_TRUNK_BACK_OFF)
        if call.cut:
            return _no_call("the gateway stops", Retry.LATER)
        if manner.playing is not None:
            return Place(call_id, number, "", manner)
        code = None if message is None else find_code(message.content)
        if not code:
            return _no_call("there is no code to say", Retry.NONE)
        return Place(call_id, number, code, manner, press=call.press)

    # What the workers tell

    def _heard(self, call: _Call, expires_ms: int, heard: Heard) -> None:
        match heard:
            case Rang():
                call.rang_ms = call.rang_ms or self._world.now_ms()
            case Picked():
                self._picked(call, heard)
            case Key():
                return
            case Over():
                self._over(heard.call_id, call)
                self._end(call, heard.result, self._past(call, expires_ms))
            case Lost():
                self._over(heard.call_id, call)
                self._lost(call, heard, self._past(call, expires_ms))

    def _over(self, call_id: str, call: _Call) -> None:
        self._calls.pop(call_id, None)
        self._ringing.discard(call.sent.phone)
        self._calls_of -= Counter({call.sent.account_id: 1})

    def _past(self, call: _Call, expires_ms: int) -> Past:
        sent = call.sent
        return Past(call.again, expires_ms - self._world.now_ms(), sent.recourse.elsewhere)

    def _picked(self, call: _Call, picked: Picked) -> None:
        """Somebody took the call: from here on the message has been taken."""
        call.answered_ms = self._world.now_ms()
        call.sip_call_id = picked.sip_call_id
        self._meters.answer_seconds.observe(self._world.monotonic() - call.sent.at)
        sip_call_id = picked.sip_call_id
        self._recorder.record(call.sent, AnswerKind.TAKEN, 200, sip_call_id, match_key(sip_call_id))

    def _end(self, call: _Call, result: CallResult, past: Past) -> None:
        """The last word about a call: its record first, then what it comes to."""
        if result.retry in _TRUNK_FAULT:
            self.pulse.miss()
        else:
            self.pulse.beat()
        record = self._record_of(call, result.status.value, result)
        self._count(call, record, result)
        self._look(call, result)
        if call.answered_ms is not None:
            state = AttemptState.DELIVERED if result.plays else AttemptState.UNDELIVERED
            self._remember(record, result, lambda: self._report(call, state, record))
            return
        # Given up by us before anybody took it: 487 says so, or no INVITE left. A 200 may have crossed our CANCEL.
        given_up = call.cut and (result.sip_status == _CANCELLED or not result.trunk)
        word = Word(AnswerKind.TEMPORARY, result.sip_status) if given_up else word_of(result, past)
        self._remember(record, result, lambda: self._refuse(call, word, record))

    def _lost(self, call: _Call, lost: Lost, past: Past) -> None:
        """The worker died. Whether the phone rang is not known; that nobody had answered yet is."""
        self.pulse.miss()
        result = _no_call("the process of the call died", Retry.LATER)._replace(trunk=lost.trunk)
        record = self._record_of(call, LOST, result)
        self._count(call, record, result)
        if lost.answered:
            self._remember(record, result, lambda: self._report(call, AttemptState.UNKNOWN, record))
            return
        word = word_of(result, past)._replace(wait_ms=0)
        self._remember(record, result, lambda: self._refuse(call, word, record))

    def _count(self, call: _Call, record: CallRecord, result: CallResult) -> None:
        """A call has ended: count it for the last trunk it was tried on."""
        if not result.trunk:
            return
        meters, media = self._trunk_meters(result.trunk), result.media
        meters.calls[record.status] += 1
        rang_ms = call.rang_ms or call.answered_ms
        if rang_ms is not None:
            meters.setup_seconds.observe(max(0, rang_ms - call.begun_ms) / 1_000)
        meters.talk_seconds += record.duration_seconds
        meters.packets_sent += media.sent
        meters.packets_received += media.received
        meters.packets_lost += media.lost
        meters.far_packets_lost += media.sent * (media.far_lost_percent or 0) // 100

    def _look(self, call: _Call, result: CallResult) -> None:
        """Whether the account's calls are unlike those before; what a trunk could not do tells nothing of them."""
        if result.retry in _TRUNK_FAULT or call.cut:
            return
        account_id, answered = call.sent.account_id, call.answered_ms is not None
        found = self._alarm.take(account_id, call.sent.phone, answered=answered, now_ms=self._world.now_ms())
        if found:
            self._log.warning(LogEvent.VOICE_JUMP, account=account_id, reason=found)

    # What the store is told

    def _remember(self, record: CallRecord, result: CallResult, then: Callable[[], None]) -> None:
        """Store how a call went, then what it comes to; a record that cannot be stored is offered again."""
        ladder = pack_ladder(result.ladder) if result.ladder else b""

        def done(stored: StoreFault | None) -> None:
            if isinstance(stored, StoreFault):
                self._log.error(LogEvent.STORE_FAIL, exc_info=stored)
                asyncio.get_running_loop().call_later(_FAULT_SECONDS, self._store.call_ended, record, ladder, done)
                return
            self._unrecorded -= 1
            then()

        self.outstanding -= 1
        self._unrecorded += 1
        self._store.call_ended(record, ladder, done)
        self._on_room()

    def _refuse(self, call: _Call, word: Word, record: CallRecord) -> None:
        self._log.info(
            LogEvent.ATTEMPT_REFUSE, message_id=record.message_id, reason=f"{record.status}: {record.reason}"
        )
        self._recorder.record(call.sent, *word)

    def _report(self, call: _Call, state: AttemptState, record: CallRecord) -> None:
        """The receipt of a call that was taken."""
        self._meters.receipts += 1
        receipt = ReceiptIn(
            self.name,
            call.sip_call_id,
            (match_key(call.sip_call_id),),
            call.sent.phone,
            state,
            record.status,
            self._world.now_ms(),
            b"",
            call.sent.key,
            hand_over=False,
        )
        self._offer(receipt)

    def _offer(self, receipt: ReceiptIn) -> None:
        self._receipts(receipt, partial(self._reported, receipt))

    def _reported(self, receipt: ReceiptIn, stored: ReceiptStored | None) -> None:
        """No carrier will say it again: a receipt that could not be stored is offered again by us."""
        if stored is None:
            loop = asyncio.get_running_loop()
            loop.call_later(_FAULT_SECONDS, self._offer, receipt)

    def _record_of(self, call: _Call, status: str, result: CallResult) -> CallRecord:
        key, media = call.sent.key, result.media
        return CallRecord(
            key.message_id,
            key.number,
            call.sent.account_id,
            status,
            result.trunk,
            result.trunks,
            result.sip_call_id or call.sip_call_id,
            result.sip_status,
            result.cause,
            result.reason,
            result.duration_seconds,
            result.hung_up_by.value,
            result.keys,
            result.plays,
            media.sent,
            media.received,
            media.lost,
            media.jitter_ms,
            call.begun_ms,
            call.rang_ms,
            call.answered_ms,
            self._world.now_ms(),
            result.caller,
        )


def word_of(result: CallResult, past: Past) -> Word:
    """What a call that nobody answered is as an answer to a submission (voice, Mapping).

    Where another carrier may have the message it is given to that at once: a code is of use for minutes. Else a phone
    that was busy or not answered is called once more after 30 s, if the code lives so long, and a fault of the trunks
    is tried again until it does not.
    """
    status = result.sip_status
    if past.elsewhere or result.retry is Retry.NONE:
        return Word(AnswerKind.PERMANENT, status)
    if result.retry in _TRUNK_FAULT:
        return Word(AnswerKind.TEMPORARY, status, wait_ms=result.retry_after_seconds * 1_000)
    if past.again or past.expires_in_ms <= _AGAIN_MS:
        return Word(AnswerKind.PERMANENT, status)
    return Word(AnswerKind.TEMPORARY, status, wait_ms=_AGAIN_MS)


def _no_call(reason: str, retry: Retry) -> CallResult:
    return CallResult(CallStatus.FAILED, retry, 0, 0, reason, "", 0, 0, Side.NOBODY, "", 0, 0, NO_MEDIA)
