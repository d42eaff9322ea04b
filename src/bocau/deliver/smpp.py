"""A carrier account over SMPP: parts go out on its links, answers and receipts are recorded.

What an answer means is decided in wire/smpp; what it does to the message is decided by the store, in one transaction.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from math import floor
from typing import Final, Protocol, cast

from bocau.core import phone as phones
from bocau.core.lifecycle import AttemptState
from bocau.core.message import AnswerKind, AttemptKey, InboundIn, Known, ReceiptIn, ReceiptStored
from bocau.core.outcome import IdForm, match_key
from bocau.core.telcos import telco_named
from bocau.deliver.ids import IdBook
from bocau.deliver.link import CarrierSettings, SmppLink
from bocau.deliver.profile import make_submit, validity_of
from bocau.deliver.record import Acknowledge, Recorder, Sent, TakeReceipt
from bocau.deliver.tempo import Tempo
from bocau.ports import PartOut, Pulse, Submission, World
from bocau.store.contract import DeliverStore, OutcomeDeadlines, StoreFault
from bocau.telemetry import CarrierMeters, Log, LogEvent
from bocau.wire.smpp.codec import octets_of
from bocau.wire.smpp.events import Delivered, Event, NotBound, SubmitAnswered, SubmitTimedOut, WindowFull
from bocau.wire.smpp.extras import extras_of
from bocau.wire.smpp.network import network_said
from bocau.wire.smpp.pdu import DataSm, DeliverSm, FieldError
from bocau.wire.smpp.pieces import read_piece
from bocau.wire.smpp.receipt import Receipt, ReceiptState, read_receipt
from bocau.wire.smpp.status import Answer as StatusAnswer
from bocau.wire.smpp.status import Status, status_name
from bocau.wire.smpp.tlv import Tag, find_tlv
from bocau.wire.smpp.validity import parse_receipt_date

__all__ = ["CarrierSettings", "SmppCarrier"]


_TAKEN: Final = StatusAnswer.TAKEN
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


class Answering(Protocol):
    """The connection that something was delivered on."""

    connection: int

    def answer(self, connection: int, sequence: int, status: int) -> None:
        """Acknowledge it there, and nowhere else."""
        ...


def _bind_settings(settings: CarrierSettings) -> list[CarrierSettings]:
    """The settings of each link: a pair is a transmitter and a receiver."""
    if settings.bind_mode != "pair":
        return [settings] * settings.binds
    sender = settings._replace(bind_mode="transmitter")
    receiver = settings._replace(bind_mode="receiver", port=settings.receiver_port or settings.port)
    return [sender, receiver] * settings.binds


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
        learned: IdForm | None = None,
        on_network: Callable[[str, int], None] | None = None,
    ) -> None:
        self.name = settings.name
        self.pulse = Pulse()
        self.adapts = True
        self._world = world
        self._store = store
        self._receipts = receipts
        self.settings = settings
        self._meters = meters
        self._log = log
        self._on_room = on_room
        self._on_network = on_network
        self._recorder = Recorder(world, store, settings.name, deadlines, meters, log, on_callbacks)
        self.links = [SmppLink(world, one, self, meters, log) for one in _bind_settings(settings)]
        self.wanted = len(self.links)
        self._senders = [link for link in self.links if link.mode != "receiver"]
        self.window = len(self._senders) * settings.window
        self.tempo = Tempo()
        """How much less than the contract the carrier takes just now."""
        self.ids: IdBook[Sent] = IdBook(settings.id_form, learned, self._learned)
        self.expected: dict[str, Callable[[ReceiptState], None]] = {}
        """Who waits for the receipt of an id, beside the store: a link's test."""
        self._tempo_timer: asyncio.TimerHandle | None = None
        self._stopped = False
        self._reserved = 0

    # What dispatch and the operator ask for

    @property
    def bound(self) -> int:
        """Links that are bound."""
        return sum(link.bound for link in self.links)

    @property
    def up(self) -> bool:
        """See ports.Carrier."""
        return any(link.bound for link in self._senders)

    @property
    def why(self) -> str:
        """Why a link is down; empty while all are up."""
        return next((link.why for link in self.links if link.why), "")

    @property
    def outstanding(self) -> int:
        """Parts submitted and not answered."""
        return sum(link.outstanding for link in self.links)

    @property
    def port(self) -> int:
        """The carrier's TCP port."""
        return self.settings.port

    @property
    def room(self) -> int:
        """Free window slots of all links, and no more than the tempo allows, less what is reserved."""
        free = sum(link.free_slots for link in self._senders)
        if self.tempo.limit is not None:
            allowed = self.tempo.room(self._world.monotonic())
            free = free if allowed >= free else floor(allowed)
        return free - self._reserved

    @property
    def pace_per_second(self) -> float | None:
        """Parts a second while the carrier asks for less speed; None while it does not."""
        return self.tempo.limit

    @property
    def idle(self) -> bool:
        """See ports.Carrier."""
        return not self._reserved and not self.outstanding and self.room > 0

    def summary(self) -> dict[str, object]:
        """How the account stands, for a list of links."""
        settings = self.settings
        return {
            "link": self.name,
            "kind": "smpp",
            "address": f"{settings.host}:{settings.port}",
            "state": "bound" if self.bound == self.wanted else "partly bound" if self.bound else "down",
            "binds": f"{self.bound} of {self.wanted}",
            "window": f"{self.outstanding} of {self.window}",
            "why": self.why,
        }

    def start(self) -> None:
        """Begin to connect."""
        for link in self.links:
            link.start()

    async def stop(self, seconds: float) -> None:
        """Drain the windows, unbind, and wait until every answer is recorded.

        A store that takes no answers is not waited for long: the next start finds their attempts uncertain.
        """
        await asyncio.gather(*(link.stop(seconds) for link in self.links))
        self._stopped = True
        if self._tempo_timer is not None:
            self._tempo_timer.cancel()
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
        now_ms, profile = self._world.now_ms(), self.settings.profile
        validity = "" if profile.validity == "none" else validity_of(profile, submission, now_ms)
        for part in submission.parts:
            self._submit(submission, part, validity, now_ms)

    def _submit(self, submission: Submission, part: PartOut, validity: str, now_ms: int) -> None:
        # As AttemptKey(...), at half its cost.
        key: AttemptKey = tuple.__new__(AttemptKey, (submission.message_id, part.part, submission.number))
        sent = Sent(
            key,
            submission.account_id,
            submission.total,
            submission.route_class,
            submission.phone,
            self._world.monotonic(),
            None if submission.message is None else Known(submission.message, now_ms),
            submission.recourse,
        )
        pdu = make_submit(self.settings.profile, submission, part, key, validity)
        links = self._senders
        link = links[0] if len(links) == 1 else max(links, key=lambda one: one.free_slots)
        try:
            link.submit(pdu, sent)
        except (WindowFull, NotBound):
            # The link went away between the intent and now. Nothing left our buffer: not taken.
            self._record(sent, AnswerKind.TEMPORARY, 0, "")
        except FieldError as error:
            self._log.error(LogEvent.ATTEMPT_REFUSE, message_id=submission.message_id, reason=str(error))
            self._record(sent, AnswerKind.PERMANENT, 0, "")
        else:
            self._meters.submitted += 1
            self.tempo.sent(sent.at)
            if self.tempo.limit is not None:
                self._ask_again(sent.at)

    def _ask_again(self, now: float) -> None:
        """Have dispatch look again when the tempo allows the next part: nothing else would tell it."""
        at = self.tempo.next_at(now)
        if at is not None and self._tempo_timer is None and not self._stopped:
            self._tempo_timer = asyncio.get_running_loop().call_later(max(0.001, at - now), self._tempo_allows)

    def _tempo_allows(self) -> None:
        self._tempo_timer = None
        now = self._world.monotonic()
        if self.tempo.room(now) < 1:
            self._ask_again(now)
        else:
            self._on_room()

    # What links report

    def on_bound(self) -> None:
        """There are free slots."""
        self._on_room()

    def on_event(self, link: Answering, event: Event) -> None:
        """An answer, a missing answer, or something delivered."""
        if isinstance(event, SubmitAnswered):
            self._answered(cast("Sent", event.token), event)
        elif isinstance(event, Delivered):
            self._delivered(link, event)
        elif isinstance(event, SubmitTimedOut):
            self.pulse.miss()
            self._record(cast("Sent", event.token), AnswerKind.UNCERTAIN, 0, "")

    def on_lost(self, uncertain: list[object], unsent: list[object]) -> None:
        """A connection is gone: what may have reached the carrier is uncertain, what never left is not taken.

        However many parts it leaves in doubt, it is one failure of the carrier.
        """
        if uncertain:
            self.pulse.miss()
        for token in uncertain:
            self._record(cast("Sent", token), AnswerKind.UNCERTAIN, 0, "")
        for token in unsent:
            self._record(cast("Sent", token), AnswerKind.TEMPORARY, 0, "")

    def _answered(self, sent: Sent, event: SubmitAnswered) -> None:
        meters = self._meters
        meters.answer_seconds.observe(self._world.monotonic() - sent.at)
        meters.late_answers += event.late
        answer = self.settings.classes(event.status) if event.status else _TAKEN
        if answer is _TAKEN:
            self.pulse.beat()
        else:
            self._judge(answer, sent, event.status)
            self._log.info(LogEvent.ATTEMPT_REFUSE, message_id=sent.key.message_id, reason=status_name(event.status))
        self._record(sent, _KINDS[answer], event.status, event.message_id)
        self._on_room()

    def _judge(self, answer: StatusAnswer, sent: Sent, status: int) -> None:
        """What a refusal says about the carrier itself. Being asked for less speed is no failure; a full queue is."""
        if answer is StatusAnswer.THROTTLE:
            self._throttled(sent, status)
        if answer is StatusAnswer.PERMANENT:
            self.pulse.beat()
        elif status == Status.THROTTLED:
            self.pulse.throttles += 1
        else:
            self.pulse.miss()

    def _throttled(self, sent: Sent, status: int) -> None:
        """The carrier asks for less speed: of the whole account, whatever link it said so on (promises P11).

        The log is told when it begins; how it goes on is in the metrics.
        """
        self._meters.throttled += 1
        now, tempo = self._world.monotonic(), self.tempo
        begins = tempo.limit is None
        if tempo.throttled(sent.at, now) and begins and tempo.limit is not None:
            limit = round(tempo.limit, 1)
            self._log.warning(LogEvent.LINK_THROTTLE, reason=status_name(status), parts_per_second=limit)
        self._ask_again(now)

    # Records

    def _record(self, sent: Sent, kind: AnswerKind, status: int, carrier_id: str) -> None:
        """Store how an attempt went. Until that is done the account does not count as stopped."""
        key = match_key(carrier_id) if carrier_id else ""
        if key:
            self.ids.remember(key, sent)
        self._recorder.record(sent, kind, status, carrier_id, key)

    # Receipts

    def _delivered(self, link: Answering, event: Delivered) -> None:
        receipt = read_receipt(event.message)
        if receipt is None or not receipt.message_id:
            self._meters.strays += 1
            piece, message = read_piece(event.message), event.message
            self._read_network(phones.normalise(message.source_addr) or "", message)
            kept = partial(_kept, link, link.connection, event.sequence)
            sender, recipient = message.source_addr, message.destination_addr
            now_ms, parts = self._world.now_ms(), piece.parts
            inbound = InboundIn(
                self.name, octets_of(event.frame), now_ms, sender, recipient, piece.reference, piece.part, parts
            )
            self._store.inbound(inbound, kept)
            return
        self._meters.receipts += 1
        acknowledge: Acknowledge = partial(_acknowledge, link, link.connection, event.sequence)
        if self.expected:
            self._tell_expected(receipt)
        taken = self._receipt_in(receipt, event)
        self._read_network(taken.phone, event.message)
        if self.ids.teaches(taken.hint is not None):
            acknowledge = partial(self._learn, receipt.message_id, acknowledge)
        self._receipts(taken, acknowledge)

    def _read_network(self, phone: str, message: DeliverSm | DataSm) -> None:
        """Whoever is told learns in which network the phone is, if the carrier says so."""
        settings = self.settings
        if settings.network is None or self._on_network is None or not phone:
            return
        telco = telco_named(network_said(message, settings.network), settings.networks)
        if telco:
            self._on_network(phone, telco)

    def _receipt_in(self, receipt: Receipt, event: Delivered) -> ReceiptIn:
        key, sent = self.ids.recall(receipt.message_id)
        now_ms = self._world.now_ms()
        state = _STATES[receipt.state]
        phone, sender = _ends(event.message, sent)
        tlvs = event.message.tlvs
        extras = extras_of(tlvs) if tlvs else b""
        if sent is not None:
            return ReceiptIn(
                self.name,
                receipt.message_id,
                (key,),
                phone,
                state,
                receipt.error,
                now_ms,
                getattr(event.message, "short_message", b""),
                sent.key,
                False,
                sent.known,
                True,
                sender,
                extras=extras,
            )
        reference = find_tlv(tlvs, Tag.USER_MESSAGE_REFERENCE)
        return ReceiptIn(
            self.name,
            receipt.message_id,
            self.ids.keys(receipt.message_id),
            phone,
            state,
            receipt.error,
            now_ms,
            octets_of(event.frame),
            None,
            hand_over=False,
            sure=self.ids.form is not None,
            sender=sender,
            submitted_ms=parse_receipt_date(receipt.submitted, self.settings.utc_offset_minutes),
            reference=int.from_bytes(reference, "big") if reference is not None and len(reference) == 2 else None,
            extras=extras,
        )

    def _learn(self, carrier_id: str, acknowledge: Acknowledge, result: ReceiptStored | None) -> None:
        """What the store matched shows how this carrier writes its ids."""
        acknowledge(result)
        if result is not None and result.match_key:
            self.ids.saw(carrier_id, result.match_key)

    def _learned(self, form: IdForm) -> None:
        self._log.info(LogEvent.RECEIPT_LEARN, form=form.value)
        self._store.learn_ids(self.name, form.value, self._world.now_ms(), self._noted)

    def _noted(self, result: StoreFault | None) -> None:
        """What could not be kept is learned again after the next start."""
        if result is not None:
            self._log.error(LogEvent.STORE_FAIL, exc_info=result)

    def _tell_expected(self, receipt: Receipt) -> None:
        waiting = self.expected.get(match_key(receipt.message_id))
        if waiting is not None:
            waiting(receipt.state)


def _ends(message: DeliverSm | DataSm, sent: Sent | None) -> tuple[str, str]:
    """The phone that a receipt is about, and the sender of the message; `sent` is what it probably is about.

    By the specification they are its source and its destination; some carriers do not swap the message's own.
    """
    if sent is not None and message.source_addr == phones.to_e164(sent.phone):
        return sent.phone, message.destination_addr
    phone = phones.normalise(message.source_addr)
    if phone:
        return phone, message.destination_addr
    return phones.normalise(message.destination_addr) or "", message.source_addr


def _acknowledge(link: Answering, connection: int, sequence: int, stored: ReceiptStored | None) -> None:
    """The carrier may forget it, or is asked to keep it and come again."""
    link.answer(connection, sequence, Status.TEMPORARY_APPLICATION_ERROR if stored is None else Status.OK)


def _kept(link: Answering, connection: int, sequence: int, result: StoreFault | None) -> None:
    link.answer(connection, sequence, Status.OK if result is None else Status.TEMPORARY_APPLICATION_ERROR)
