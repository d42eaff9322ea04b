"""A small model of the whole store against the real one: whatever comes in whatever order (promises P8, P23, 7.3)."""

import shutil
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule
from tests.store.engines import ENGINES
from tests.store.house import HOUR, PRICE, TTL, House
from tests.store.sweep import sweep

from bocau.core.lifecycle import FINAL, MESSAGE_TRANSITIONS, AttemptState, Event, State
from bocau.core.message import Admitted, AnswerKind, AttemptKey, Duplicate, Message, NoBalance

WAYS = {(source, row.target) for row in MESSAGE_TRANSITIONS for source in row.sources}
REACH = {state: {state} for state in State}
for _ in State:
    for source, target in WAYS:
        REACH[State(source)] |= REACH[State(target)]
"""Where a message can come to from each state, over any number of steps."""


class Customer(RuleBasedStateMachine):
    """Money, RequestIds and states as simple as they can be said."""

    messages = Bundle("messages")
    ours = Bundle("ours")
    flying = Bundle("flying")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self.house = House(ENGINES["sqlite-inline"](self.folder))
        self.poor = self.house.new_account("poor", 6 * PRICE)
        self.accepted_at: dict[str, int] = {}
        self.states: dict[int, State] = {}
        self.told: Counter[int] = Counter()
        self.numbers = 0

    def teardown(self) -> None:
        """Swept once more."""
        sweep(self.house.engine.inspect())
        self.house.close()
        shutil.rmtree(self.folder)

    # Room 1

    @rule(target=messages, request_id=st.sampled_from(["", "a", "A", "b"]), parts=st.integers(1, 3))
    def accept(self, request_id: str, parts: int) -> object:
        """Deduplicated by RequestId within 24 h, paid from six units."""
        house = self.house
        before = house.balance(self.poor)
        result = house.admit(house.draft(account=self.poor, request_id=request_id, parts=parts))
        known = self.accepted_at.get(request_id)
        if request_id and known is not None and house.now < known + 24 * HOUR:
            assert isinstance(result, Duplicate)
        elif before < PRICE:
            assert result == NoBalance(before)
        else:
            assert isinstance(result, Admitted)
            assert house.balance(self.poor) == before - PRICE
            if request_id:
                self.accepted_at[request_id] = house.now
            return result.admission.messages[0]
        assert house.balance(self.poor) == before
        return multiple()

    @rule(target=messages)
    def schedule(self) -> Message:
        """A message for later, from the other account."""
        return self.house.accept(state=State.SCHEDULED, send_in=60_000)

    # Room 3

    @rule(target=ours, limit=st.integers(1, 3))
    def claim(self, limit: int) -> object:
        """Only what is due, queued and nobody's."""
        claimed = self.house.claim(limit)
        assert all(message.state == State.QUEUED and message.expires_ms > self.house.now for message in claimed)
        return multiple(*claimed)

    @rule(message=consumes(ours))
    def hand_back(self, message: Message) -> None:
        """Not begun after all."""
        self.house.hand_back(message)

    @rule(target=flying, message=consumes(ours))
    def begin(self, message: Message) -> object:
        """The intent is stored only from the queue."""
        house = self.house
        number = message.tries + 1
        parts = house.run(house.store.open_parts(message.id)) if message.tries else ()
        row = house.row(message)
        may = row.state == State.QUEUED and row.owner == house.store.epoch and row.expires_ms > house.now
        begun = house.begin(message, parts, number)
        assert (begun is not None) == may
        if begun is None:
            return multiple()
        return multiple(*[(message, part, number) for part in parts or range(1, message.parts + 1)])

    # Rooms 4 and 5

    @rule(place=flying, kind=st.sampled_from(AnswerKind))
    def answer(self, place: tuple[Message, int, int], kind: AnswerKind) -> None:
        """In any order, late, repeated, contradicting."""
        message, part, number = place
        newest = max(known for _, known in self.house.attempts(message))
        if newest != number and kind is AnswerKind.TAKEN:
            return  # A link answers an attempt once; after a refusal it does not take it.
        answer = self.house.answer(message, kind, f"{message.id}.{part}.{number}", part=part, number=number)
        self.tell(self.house.record(answer).callback)

    @rule(
        place=flying,
        said=st.sampled_from([None, *(AttemptState(s) for s in ("delivered", "undelivered", "expired", "unknown"))]),
        hinted=st.booleans(),
    )
    def report(self, place: tuple[Message, int, int], said: AttemptState | None, hinted: bool) -> None:
        """In any order, early, late, repeated, contradicting."""
        message, part, number = place
        hint = AttemptKey(message.id, part, number) if hinted else None
        stored = self.house.report(f"{message.id}.{part}.{number}", said, hand_over=True, hint=hint)
        self.tell(stored.callback)

    def tell(self, callback: object) -> None:
        """Count the callbacks of a request."""
        if callback is not None:
            self.told[callback.id] += 1  # type: ignore[attr-defined]

    # Room 2

    @rule(message=messages, event=st.sampled_from([Event.RELEASE, Event.EXPIRE, Event.CLOSE, Event.CANCEL, None]))
    def turn(self, message: Message, event: Event | None) -> None:
        """Decisions of a picture that may be old."""
        for due in self.house.turn(message, event, self.house.now + 1000):
            self.tell(due)

    @rule(step=st.sampled_from([1, 1000, TTL, 24 * HOUR]))
    def wait(self, step: int) -> None:
        """Time passes."""
        self.house.later(step)

    @rule()
    def crash(self) -> None:
        """The process dies and starts again."""
        epoch = self.house.store.epoch
        self.house.crash()
        assert self.house.store.epoch > epoch

    @rule()
    def prune(self) -> None:
        """Old RequestIds are forgotten."""
        self.house.run(self.house.store.prune(self.house.now, 10))

    # What always holds

    @invariant()
    def swept(self) -> None:
        """Money adds up, and states only move as the lifecycle allows."""
        inside = self.house.engine.inspect()
        sweep(inside)
        for message in inside.messages.values():
            state = State(message.state)
            before = self.states.get(message.id, state)
            assert state in REACH[before], f"{before} became {state}"
            if before in FINAL and before != state:
                assert (before, state) in WAYS
            self.states[message.id] = state
        assert all(count == 1 for count in self.told.values())
        assert set(self.told) <= set(inside.callbacks)


Customer.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
test_whatever_comes_the_promises_hold = Customer.TestCase
