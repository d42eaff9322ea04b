"""A gateway without its rooms: a test accepts, claims, answers and reports by hand, on a clock of its own."""

import asyncio
import itertools
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypedDict, TypeVar, TypeVarTuple, Unpack

from tests.store.engines import Engine, Rooms

from bocau.core.ids import Ids, smsid_of
from bocau.core.ledger import EntryKind
from bocau.core.lifecycle import AttemptState, Event, State
from bocau.core.message import (
    Admission,
    Admitted,
    Answer,
    AnswerKind,
    AttemptKey,
    CallbackDue,
    CallbackTry,
    Due,
    Intent,
    Known,
    Message,
    ReceiptIn,
    ReceiptStored,
    Recourse,
)
from bocau.core.outcome import match_key, match_keys
from bocau.store.contract import AdmitResult, Claimed, Done, Recorded, StoreFault, Turn

__all__ = ["HOUR", "NOON", "PRICE", "TTL", "URL", "House"]

R = TypeVar("R")
I = TypeVar("I")  # noqa: E741 - item
Items = TypeVarTuple("Items")

NOON: Final = 1_800_000_000_000
"""When every test begins, in milliseconds since 1970."""
HOUR: Final = 3_600_000
PRICE: Final = 850 * 10_000
TTL: Final = 5 * 60_000
URL: Final = "https://shop.example/hook"
CARRIER: Final = "north"
_PATIENCE_SECONDS: Final = 30
PHONE: Final = "0901234567"


class Draft(TypedDict, total=False):
    """What a test may say of a request; see `House.draft`."""

    account: int | None
    receivers: int
    dropped: int
    phone: str
    parts: int
    price: int
    request_id: str
    url: str
    state: State
    send_in: int
    ours: bool
    route_class: str


class Offer(TypedDict, total=False):
    """What a test may say of an intent."""

    carrier: str
    total: int


class Reply(TypedDict, total=False):
    """What a test may say of an answer; `wait` is milliseconds until the next look."""

    part: int
    number: int
    carrier: str
    wait: int


class News(TypedDict, total=False):
    """What a test may say of a receipt."""

    phone: str
    carrier: str
    hint: AttemptKey | None
    hand_over: bool


class House:
    """An open store and the clock. `account` has money for a thousand messages; on a store of an earlier house it is
    a new one.
    """

    def __init__(self, engine: Engine, now: int = NOON) -> None:
        self.engine = engine
        self.now = now
        self._loop = asyncio.new_event_loop()
        self._uncaught: list[str] = []
        self._loop.set_exception_handler(lambda _, context: self._uncaught.append(str(context)))
        self.store: Rooms = self.run(engine.open(self.now))
        self._old: list[Rooms] = []
        self.ids = Ids(7, self.store.last_message_id)
        self._tokens = itertools.count(1)
        self.remembers = False
        """Whether hints come with their message, as a carrier account remembers it."""
        self.memory: dict[int, Message] = {}
        self.account = self.new_account("shop" if now == NOON else f"shop{now}", 1000 * PRICE)

    # Running

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """The result of a coroutine. A store that never answers is an error, not a test that hangs."""
        return self._loop.run_until_complete(asyncio.wait_for(work, _PATIENCE_SECONDS))

    def together(self, put: Callable[[I, Done[R]], None], items: Sequence[I]) -> list[R | StoreFault]:
        """Put items of one kind in one turn of the loop, so that they share a transaction; the result of each."""
        return self.mixed(*[partial(put, item) for item in items])

    def mixed(self, *puts: Callable[[Done[Any]], None]) -> list[Any]:
        """The same for items of several kinds."""

        async def go() -> list[Any]:
            futures: list[asyncio.Future[Any]] = [self._loop.create_future() for _ in puts]
            for put, future in zip(puts, futures, strict=True):
                put(future.set_result)
            return [await future for future in futures]

        return self.run(go())

    def one(self, put: Callable[[*Items, Done[R]], None], *items: *Items) -> R:
        """Put one item. Raises its StoreFault."""
        result: R | StoreFault
        (result,) = self.mixed(lambda done: put(*items, done))
        if isinstance(result, StoreFault):
            raise result
        return result

    def later(self, milliseconds: int) -> None:
        """Time passes."""
        self.now += milliseconds

    def crash(self) -> None:
        """The process dies and starts again."""
        self.engine.crash()
        self._old.append(self.store)
        self.store = self.run(self.engine.open(self.now))
        self.ids = Ids(7, self.store.last_message_id)

    def reopen(self) -> None:
        """A clean end and a new start."""
        self.run(self.store.close(self.now))
        self.store = self.run(self.engine.open(self.now))

    def close(self) -> None:
        """The end of the test."""
        for store in (self.store, *self._old):
            self.run(store.close(self.now))
        self.run(self._loop.shutdown_default_executor())
        self._loop.close()
        assert not self._uncaught

    # Accounts

    def new_account(self, name: str, amount: int) -> int:
        """A payer with so much money."""
        account = self.run(self.store.create_account(name, self.now))
        if amount:
            self.run(self.store.top_up(account, amount, "test", self.now))
        return account

    def balance(self, account: int | None = None) -> int:
        """Money at hand."""
        return self.run(self.store.balance(account or self.account))[0]

    # Room 1

    def draft(
        self,
        *,
        account: int | None = None,
        receivers: int = 1,
        dropped: int = 0,
        phone: str = PHONE,
        parts: int = 1,
        price: int = PRICE,
        request_id: str = "",
        url: str = URL,
        state: State = State.QUEUED,
        send_in: int = 0,
        ours: bool = False,
        route_class: str = "otp",
    ) -> Admission:
        """A request as the checks let it in. `ours`: its messages go straight to this node's dispatcher."""
        head = self.ids.next(self.now)
        smsid = smsid_of(head, next(self._tokens).to_bytes(8, "big"), 7)
        rejected = state is State.REJECTED
        release = self.now + send_in
        expires = release + TTL
        wake = None if rejected else release if release > self.now else expires
        messages = tuple(
            Message(
                id=head if index == 0 else self.ids.next(self.now),
                head=head,
                account_id=account or self.account,
                smsid=smsid,
                receivers=receivers + dropped,
                dropped=dropped,
                request_id=request_id,
                campaign_id="",
                sms_type=2,
                route_class=route_class,
                brandname="BOCAU",
                phone=phone if index == 0 else f"09{index:08d}",
                telco=2,
                content="4821 là mã",
                parts=parts,
                price=price,
                callback_url="" if rejected else url,
                state=state.value,
                reason="no template" if rejected else "",
                owner=self.store.epoch if ours else 0,
                tries=0,
                carrier="",
                reference=0,
                created_ms=self.now,
                release_ms=release,
                expires_ms=expires,
                due_ms=release,
                wake_ms=wake,
                final_ms=self.now if rejected else None,
            )
            for index in range(receivers)
        )
        return Admission(messages, 0 if rejected else price * receivers, consumes_request_id=not rejected)

    def admit(self, admission: Admission) -> AdmitResult:
        """Offer a request to the store."""
        result: AdmitResult | StoreFault
        (result,) = self.admit_together(admission)
        if isinstance(result, StoreFault):
            raise result
        return result

    def admit_together(self, *admissions: Admission) -> list[AdmitResult | StoreFault]:
        """Offer requests to the store in one transaction."""
        return self.mixed(*[partial(self.store.admit, admission) for admission in admissions])

    def accept(self, **values: Unpack[Draft]) -> Message:
        """An accepted request; its first message. The values are those of `draft`."""
        return self.accept_all(**values)[0]

    def accept_all(self, **values: Unpack[Draft]) -> tuple[Message, ...]:
        """An accepted request; its messages."""
        admission = self.draft(**values)
        assert self.admit(admission) == Admitted(admission)
        self.memory.update((message.id, message) for message in admission.messages)
        return admission.messages

    # Room 3

    def claim(self, limit: int = 100) -> list[Message]:
        """What dispatch gets now, of either class."""
        return self.claim_fairly({"otp": limit, "other": limit}).messages

    def claim_fairly(self, room: Mapping[str, int], closed: Collection[str] = ()) -> Claimed:
        """What dispatch gets now."""
        return self.run(self.store.claim(self.now, room, frozenset(closed)))

    def intent(
        self, message: Message, parts: Sequence[int] = (), number: int = 1, carrier: str = CARRIER, total: int = 0
    ) -> Intent:
        """The wish to submit, of all parts unless named."""
        total = total or message.parts
        return Intent(
            message.id, tuple(parts) or tuple(range(1, total + 1)), total, number, carrier, message.phone, self.now
        )

    def begin(
        self, message: Message, parts: Sequence[int] = (), number: int = 1, **values: Unpack[Offer]
    ) -> int | None:
        """Store the intent; the reference, or None."""
        intent = self.intent(message, parts, number, **values)
        return self.one(self.store.begin, intent)

    def hand_back(self, message: Message, wait: int = 0, parked: str = "") -> None:
        """Let go of a claimed message."""
        self.one(self.store.hand_back, message.id, self.now + wait, parked)

    def sending(self, **values: Unpack[Draft]) -> Message:
        """A message whose parts have left and are not answered."""
        values["ours"] = True
        message = self.accept(**values)
        assert self.begin(message) is not None
        return message

    def sent(self, carrier_id: str = "a1", **values: Unpack[Draft]) -> Message:
        """A message in one part that the carrier has."""
        message = self.sending(**values)
        assert self.take(message, carrier_id).state is State.SENT
        return message

    # Room 4

    def answer(
        self,
        message: Message,
        kind: AnswerKind,
        carrier_id: str = "",
        *,
        part: int = 1,
        number: int = 1,
        carrier: str = CARRIER,
        wait: int = 1000,
        recourse: Recourse = Recourse(),  # noqa: B008 - a value that never changes
    ) -> Answer:
        """What a carrier answered."""
        return Answer(
            AttemptKey(message.id, part, number),
            message.account_id,
            message.parts,
            kind,
            carrier,
            carrier_id,
            match_key(carrier_id),
            0 if kind is AnswerKind.TAKEN else 0x58,
            self.now,
            self.now + wait,
            recourse,
        )

    def record(self, answer: Answer) -> Recorded:
        """Store an answer."""
        return self.one(self.store.record, answer)

    def take(self, message: Message, carrier_id: str = "a1", **values: Unpack[Reply]) -> Recorded:
        """The carrier has the part."""
        return self.record(self.answer(message, AnswerKind.TAKEN, carrier_id, **values))

    def put_off(self, message: Message, **values: Unpack[Reply]) -> Recorded:
        """The carrier says: not now."""
        return self.record(self.answer(message, AnswerKind.TEMPORARY, **values))

    def refuse(self, message: Message, **values: Unpack[Reply]) -> Recorded:
        """The carrier says: never."""
        return self.record(self.answer(message, AnswerKind.PERMANENT, **values))

    def lose(self, message: Message, **values: Unpack[Reply]) -> Recorded:
        """The carrier says nothing."""
        return self.record(self.answer(message, AnswerKind.UNCERTAIN, **values))

    # Room 5

    def receipt(
        self,
        carrier_id: str,
        state: AttemptState | None = AttemptState.DELIVERED,
        *,
        phone: str = PHONE,
        carrier: str = CARRIER,
        hint: AttemptKey | None = None,
        hand_over: bool = False,
    ) -> ReceiptIn:
        """What a carrier reports."""
        error = "" if state is AttemptState.DELIVERED else "err:001"
        return ReceiptIn(
            carrier,
            carrier_id,
            match_keys(carrier_id),
            phone,
            state,
            error,
            self.now,
            b"raw",
            hint,
            hand_over,
            self._known(hint),
        )

    def _known(self, hint: AttemptKey | None) -> Known | None:
        """The message of a hint as memory remembers it, if it does."""
        message = self.memory.get(hint.message_id) if hint is not None and self.remembers else None
        return None if message is None else Known(message, self.now)

    def report(
        self, carrier_id: str, state: AttemptState | None = AttemptState.DELIVERED, **values: Unpack[News]
    ) -> ReceiptStored:
        """Store a receipt."""
        receipt = self.receipt(carrier_id, state, **values)
        return self.one(self.store.receipt, receipt)

    def claim_callbacks(self, limit: int = 100) -> list[CallbackDue]:
        """What the callback room gets now, outcomes of requests only."""
        return [due for due in self.claim_dues(limit) if isinstance(due, CallbackDue)]

    def claim_dues(self, limit: int = 100) -> Sequence[Due]:
        """What the callback room gets now."""
        return self.run(self.store.claim_callbacks(self.now, limit))

    def tried(self, due: Due, status: int, verdict: str, again_in: int | None = None) -> None:
        """Store a GET and what follows."""
        again = None if again_in is None else self.now + again_in
        attempt = CallbackTry(due.id, due.account_id, due.tries + 1, self.now, 12, status, "ok", verdict, again)
        self.one(self.store.tried, attempt)

    # Room 2

    def turn(self, message: Message, event: Event | None, wake: int | None = None) -> list[CallbackDue]:
        """The schedule's decision for one message."""
        return self.run(self.store.turn([Turn(message.id, event, wake)], self.now)).callbacks

    # Looking inside

    def row(self, message: Message) -> Message:
        """The message as it is stored now."""
        return self.engine.inspect().messages[message.id]

    def state(self, message: Message) -> State:
        """Where it stands."""
        return State(self.row(message).state)

    def attempts(self, message: Message) -> dict[tuple[int, int], AttemptState]:
        """State of each attempt by (part, number)."""
        rows = self.engine.inspect().attempts
        return {(row.part, row.number): row.state for row in rows if row.message_id == message.id}

    def money(self, message: Message) -> set[EntryKind]:
        """The lines of money of a message."""
        return {EntryKind(row.kind) for row in self.engine.inspect().ledger if row.subject_id == message.id}
