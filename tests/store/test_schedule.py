"""Room 2's contract: what is waking, what a turn may do, what a start puts right, what is forgotten."""

import pytest
from tests.store.engines import DEADLINES
from tests.store.house import HOUR, PRICE, TTL, House

from bocau.core.ledger import EntryKind
from bocau.core.lifecycle import MESSAGE_TRANSITIONS, AttemptState, Event, State
from bocau.core.message import Admitted, Duplicate, Message
from bocau.store.contract import StoreFault, Turn, Waking

DAY = 24 * HOUR


def waking(house: House, limit: int = 100) -> list[Waking]:
    """What the schedule must look at now."""
    return house.run(house.store.waking(house.now, limit))


# Waking


def test_a_scheduled_message_wakes_at_its_date(house: House) -> None:
    """Not a millisecond before (promises P10)."""
    message = house.accept(state=State.SCHEDULED, send_in=HOUR)
    house.later(HOUR - 1)
    assert waking(house) == []
    house.later(1)
    (row,) = waking(house)
    assert row == Waking(message.id, State.SCHEDULED, "otp", message.expires_ms, message.release_ms)


def test_a_young_queued_message_does_not_wake(house: House) -> None:
    """It is dispatch's to claim."""
    house.accept()
    house.later(TTL - 1)
    assert waking(house) == []


def test_a_queued_message_wakes_when_it_is_too_old(house: House) -> None:
    """Whoever holds it."""
    unclaimed = house.accept()
    held = house.accept(ours=True)
    house.later(TTL)
    assert {row.id for row in waking(house)} == {unclaimed.id, held.id}


def test_a_message_on_its_way_wakes(house: House) -> None:
    """With the moment of its newest intent."""
    house.later(1)
    message = house.accept(ours=True)
    house.later(10)
    house.begin(message)
    begun = house.now
    house.later(TTL)
    (row,) = waking(house)
    assert (row.state, row.touched_ms) == (State.SENDING, begun)


def test_an_uncertain_message_wakes_at_its_deadline(house: House) -> None:
    """The one its answer named."""
    message = house.sending()
    house.lose(message, wait=HOUR)
    house.later(HOUR - 1)
    assert waking(house) == []
    house.later(1)
    assert [row.state for row in waking(house)] == [State.UNCERTAIN]


def test_a_final_message_never_wakes(house: House) -> None:
    """It is over."""
    house.sent("a1")
    house.report("a1")
    house.later(365 * DAY)
    assert waking(house) == []


def test_the_earliest_wake_first_and_no_more_than_asked_for(house: House) -> None:
    """In order of their moments."""
    late = house.accept(state=State.SCHEDULED, send_in=3000)
    early = house.accept(state=State.SCHEDULED, send_in=1000)
    middle = house.accept(state=State.SCHEDULED, send_in=2000)
    house.later(HOUR)
    assert [row.id for row in waking(house)] == [early.id, middle.id, late.id]
    assert [row.id for row in waking(house, 2)] == [early.id, middle.id]


# Turns


def test_a_release_makes_a_message_anybodys(house: House) -> None:
    """It can be claimed at once."""
    message = house.accept(state=State.SCHEDULED, send_in=HOUR)
    house.later(HOUR)
    assert house.turn(message, Event.RELEASE, house.now) == []
    assert [m.id for m in house.claim()] == [message.id]


def test_a_release_without_a_moment_is_for_now(house: House) -> None:
    """A queued message always has a moment, or it would never be seen again."""
    message = house.accept(state=State.SCHEDULED, send_in=HOUR)
    house.later(HOUR)
    house.turn(message, Event.RELEASE)
    assert len(house.claim()) == 1


def test_a_message_is_released_once(house: House) -> None:
    """A second release of one that is being sent changes nothing (promises P10)."""
    message = house.accept(state=State.SCHEDULED, send_in=HOUR)
    house.later(HOUR)
    house.turn(message, Event.RELEASE, house.now)
    (claimed,) = house.claim()
    house.begin(claimed)
    house.turn(message, Event.RELEASE, house.now)
    assert house.state(message) is State.SENDING


def test_a_message_too_old_expires_with_a_refund(house: House) -> None:
    """And its customer is told (promises P9, P24)."""
    message = house.accept()
    house.later(TTL)
    (due,) = house.turn(message, Event.EXPIRE)
    assert due.summary.state is State.EXPIRED
    assert due.summary.price == 0
    assert house.money(message) == {EntryKind.HOLD, EntryKind.RELEASE}
    assert house.row(message).reason == "too old to be submitted"


def test_a_message_without_an_outcome_is_closed_as_unknown(house: House) -> None:
    """It keeps its charge; its parts are closed with it (promises P4)."""
    message = house.sent("a1")
    house.later(DEADLINES.receipt_ms)
    (due,) = house.turn(message, Event.CLOSE)
    assert due.summary.state is State.UNKNOWN
    assert due.summary.price == PRICE
    assert house.attempts(message) == {(1, 1): AttemptState.UNKNOWN}


def test_closing_an_uncertain_message_keeps_its_charge(house: House) -> None:
    """Nobody knows that it did not arrive."""
    message = house.sending()
    house.lose(message)
    house.turn(message, Event.CLOSE)
    assert house.money(message) == {EntryKind.HOLD, EntryKind.CAPTURE}


def test_delivered_parts_stay_delivered_when_their_message_is_closed(house: House) -> None:
    """Only the open ones are given up."""
    message = house.sending(parts=2)
    house.take(message, "p1", part=1)
    house.take(message, "p2", part=2)
    house.report("p1")
    house.turn(message, Event.CLOSE)
    assert house.attempts(message) == {(1, 1): AttemptState.DELIVERED, (2, 1): AttemptState.UNKNOWN}


def test_closing_a_message_that_was_queued_again_meanwhile_changes_nothing(house: House) -> None:
    """Neither the message nor its parts: the schedule's picture was old."""
    message = house.sending(parts=2)
    house.take(message, "p1", part=1)
    house.put_off(message, part=2)
    assert house.turn(message, Event.CLOSE) == []
    assert house.state(message) is State.QUEUED
    assert house.attempts(message)[1, 1] is AttemptState.TAKEN


@pytest.mark.parametrize(("event", "state"), [(Event.CANCEL, State.CANCELLED), (Event.REJECT, State.REJECTED)])
@pytest.mark.parametrize("begins", [State.QUEUED, State.SCHEDULED])
def test_a_message_may_be_taken_back_before_it_leaves(house: House, event: Event, state: State, begins: State) -> None:
    """With a refund and a callback."""
    message = house.accept(state=begins, send_in=HOUR if begins is State.SCHEDULED else 0)
    assert len(house.turn(message, event)) == 1
    assert house.state(message) is state
    assert house.balance() == 1000 * PRICE


def in_state(house: House, state: State) -> Message:
    """A message that stands there."""
    if state in (State.QUEUED, State.SCHEDULED, State.REJECTED):
        return house.accept(state=state)
    if state is State.CANCELLED:
        message = house.accept()
        house.turn(message, Event.CANCEL)
        return message
    message = house.sending()
    if state is State.SENDING:
        return message
    if state is State.UNCERTAIN:
        house.lose(message)
        return message
    house.take(message, "a1")
    ends = {
        State.DELIVERED: AttemptState.DELIVERED,
        State.FAILED: AttemptState.UNDELIVERED,
        State.EXPIRED: AttemptState.EXPIRED,
        State.UNKNOWN: AttemptState.UNKNOWN,
    }
    if state in ends:
        house.report("a1", ends[state])
    return message


TURNS = [Event.RELEASE, Event.EXPIRE, Event.CLOSE, Event.CANCEL, Event.REJECT]


@pytest.mark.parametrize("event", TURNS)
@pytest.mark.parametrize("state", list(State))
def test_a_turn_moves_a_message_only_as_the_lifecycle_allows(house: House, state: State, event: Event) -> None:
    """From every state, with every event of the schedule."""
    message = in_state(house, state)
    assert house.state(message) is state
    before = house.row(message)
    house.turn(message, event, house.now)
    (row,) = [row for row in MESSAGE_TRANSITIONS if row.event is event]
    if state in row.sources:
        assert house.state(message) is row.target
    else:
        assert house.row(message) == before


@pytest.mark.parametrize("event", [Event.SUBMIT, Event.POSTPONE, Event.TAKE, Event.HOLD])
def test_a_turn_that_is_not_the_schedules_is_refused(house: House, event: Event) -> None:
    """And changes nothing."""
    message = house.sending()
    before = house.row(message)
    with pytest.raises(StoreFault):
        house.turn(message, event, house.now)
    assert house.row(message) == before


def test_a_refused_turn_takes_the_others_of_its_list_back(house: House) -> None:
    """A list is one item: all of it or nothing."""
    message = house.accept()
    turns = [Turn(message.id, Event.CANCEL, None), Turn(message.id, Event.SUBMIT, None)]
    with pytest.raises(StoreFault):
        house.run(house.store.turn(turns, house.now))
    assert house.state(message) is State.QUEUED
    assert house.balance() == 999 * PRICE


def test_a_message_may_be_looked_at_later(house: House) -> None:
    """Only its moment moves."""
    message = house.sent("a1")
    house.later(TTL)
    house.turn(message, None, house.now + HOUR)
    assert waking(house) == []
    house.later(HOUR)
    assert [row.id for row in waking(house)] == [message.id]


def test_a_later_look_does_not_delay_a_message_that_was_queued_meanwhile(house: House) -> None:
    """The schedule saw it sending; then the carrier put it off for a second."""
    message = house.sending()
    house.later(TTL - 5000)
    house.put_off(message, wait=1000)
    house.turn(message, None, house.now + 3 * DAY)
    house.later(1000)
    assert [m.id for m in house.claim()] == [message.id]


def test_a_later_look_does_not_delay_the_deadline_of_one_that_became_uncertain_meanwhile(house: House) -> None:
    """The answer's moment is the younger decision."""
    message = house.sending()
    house.later(TTL)
    house.lose(message, wait=HOUR)
    house.turn(message, None, house.now + 3 * DAY)
    house.later(HOUR)
    assert [row.id for row in waking(house)] == [message.id]


def test_a_later_look_at_a_final_message_does_not_wake_it(house: House) -> None:
    """Ended is ended."""
    message = house.sent("a1")
    house.report("a1")
    house.turn(message, None, house.now)
    assert house.row(message).wake_ms is None


def test_a_turn_of_no_message_is_harmless(house: House) -> None:
    """A stale list."""
    message = house.draft().messages[0]
    assert house.turn(message, Event.EXPIRE) == []
    assert house.turn(message, None, house.now) == []


def test_many_turns_return_the_callbacks_they_made(house: House) -> None:
    """Those only that ended a request."""
    first = house.accept()
    second = house.accept(url="")
    third = house.accept(state=State.SCHEDULED)
    house.later(TTL)
    turns = [
        Turn(first.id, Event.EXPIRE, None),
        Turn(second.id, Event.EXPIRE, None),
        Turn(third.id, Event.RELEASE, house.now),
    ]
    assert [due.id for due in house.run(house.store.turn(turns, house.now)).callbacks] == [first.id]


# What a start puts right


def test_an_epoch_grows_with_each_start(house: House) -> None:
    """After a crash as after a clean end."""
    first = house.store.epoch
    house.crash()
    second = house.store.epoch
    house.reopen()
    assert first < second < house.store.epoch


def test_a_claimed_message_is_queued_again_at_once(house: House) -> None:
    """Never begun, so it is fresh."""
    message = house.accept(ours=True)
    waiting = house.accept()
    house.crash()
    assert house.store.rescued == (1, 0, 0)
    assert [m.id for m in house.claim()] == [message.id, waiting.id]


def test_a_message_on_its_way_becomes_uncertain(house: House) -> None:
    """Never fresh again (promises P6)."""
    message = house.sending()
    house.crash()
    assert house.store.rescued == (0, 1, 0)
    row = house.row(message)
    assert (row.state, row.wake_ms) == (State.UNCERTAIN, house.now + DEADLINES.uncertain_otp_ms)
    assert house.attempts(message) == {(1, 1): AttemptState.UNCERTAIN}
    assert house.claim() == []


def test_the_deadline_of_an_uncertain_message_depends_on_its_class(house: House) -> None:
    """A code is stale soon, another text is not."""
    message = house.sending(route_class="other")
    house.crash()
    assert house.row(message).wake_ms == house.now + DEADLINES.uncertain_other_ms


def test_taken_parts_stay_taken_in_a_crash(house: House) -> None:
    """Only the unanswered one is in doubt."""
    message = house.sending(parts=2)
    house.take(message, "p1", part=1)
    house.crash()
    assert house.state(message) is State.UNCERTAIN
    assert house.attempts(message) == {(1, 1): AttemptState.TAKEN, (2, 1): AttemptState.UNCERTAIN}


def test_a_part_put_off_before_a_crash_is_tried_again(house: House) -> None:
    """The other one is in doubt, this one is not (promises 4.5)."""
    message = house.sending(parts=2)
    house.put_off(message, part=1)
    house.crash()
    assert house.store.rescued == (1, 0, 0)
    (claimed,) = house.claim()
    assert house.run(house.store.open_parts(message.id)) == (1,)
    house.begin(claimed, parts=(1,), number=2)
    house.take(message, "p1", part=1, number=2)
    assert house.state(message) is State.UNCERTAIN


@pytest.mark.parametrize("state", [State.QUEUED, State.SCHEDULED, State.SENT, State.UNCERTAIN, State.DELIVERED])
def test_a_crash_leaves_everything_else_as_it_is(house: House, state: State) -> None:
    """Nothing committed is lost, nothing is moved."""
    message = in_state(house, state)
    before = house.row(message)
    house.crash()
    assert house.row(message) == before


def test_an_answer_after_a_crash_settles_an_uncertain_message(house: House) -> None:
    """A receipt that came early and an answer that comes late."""
    message = house.sending()
    house.crash()
    assert house.take(message, "a1").state is State.SENT


def test_a_clean_end_loses_nothing(house: House) -> None:
    """What is in flight of the store is committed before it closes."""
    results: list[object] = []
    admission = house.draft()
    house.store.admit(admission, results.append)
    house.reopen()
    assert results == [Admitted(admission)]
    assert house.state(admission.messages[0]) is State.QUEUED


def test_what_comes_after_the_end_is_refused(house: House) -> None:
    """Not lost in silence."""
    store = house.store
    house.reopen()
    admission = house.draft()
    (result,) = house.together(store.admit, [admission])
    assert isinstance(result, StoreFault)


# Forgetting


def test_request_ids_are_forgotten_after_48_hours(house: House) -> None:
    """Not before, and the younger ones stay."""
    house.accept(request_id="old")
    house.later(DAY)
    house.accept(request_id="young")
    house.later(DAY)
    assert house.run(house.store.prune(house.now, 100)) == 0
    house.later(1)
    assert house.run(house.store.prune(house.now, 100)) == 1
    assert [key[1] for key in house.engine.inspect().request_keys] == ["young"]


def test_forgetting_goes_round_in_small_steps(house: House) -> None:
    """A few keys at a time, all of them in the end, over every account."""
    other = house.new_account("other", 10 * PRICE)
    for index in range(7):
        house.accept(request_id=f"r{index}", account=other if index % 2 else None)
    house.later(3 * DAY)
    house.accept(request_id="young")
    assert sum(house.run(house.store.prune(house.now, 3)) for _ in range(4)) == 7
    assert [key[1] for key in house.engine.inspect().request_keys] == ["young"]


def test_young_keys_in_front_do_not_hide_old_ones_behind(house: House) -> None:
    """Each step goes on where the last one ended."""
    house.accept(request_id="zz")
    house.later(3 * DAY)
    for index in range(9):
        house.accept(request_id=f"a{index}")
    assert sum(house.run(house.store.prune(house.now, 3)) for _ in range(4)) == 1


def test_the_round_begins_again_at_its_end(house: House) -> None:
    """Keys that grew old since are found the next time."""
    house.accept(request_id="a")
    house.run(house.store.prune(house.now, 1))
    house.run(house.store.prune(house.now, 1))
    house.later(3 * DAY)
    assert sum(house.run(house.store.prune(house.now, 1)) for _ in range(3)) == 1


def test_a_forgotten_request_id_is_free(house: House) -> None:
    """It was free since 24 hours already."""
    house.accept(request_id="r1")
    house.later(3 * DAY)
    house.run(house.store.prune(house.now, 100))
    house.accept(request_id="r1")
    assert isinstance(house.admit(house.draft(request_id="r1")), Duplicate)


def test_orphan_receipts_are_forgotten_after_7_days(house: House) -> None:
    """A few at a time."""
    for index in range(3):
        house.report(f"z{index}")
    house.later(7 * DAY)
    assert house.run(house.store.prune(house.now, 100)) == 0
    house.later(1)
    assert house.run(house.store.prune(house.now, 2)) == 2
    assert house.run(house.store.prune(house.now, 2)) == 1


# Counting


def test_queued_messages_are_counted_with_the_oldest(house: House) -> None:
    """Claimed or not; what is on its way is not in it."""
    assert house.run(house.store.counts()).queued == 0
    oldest = house.accept()
    house.later(10)
    house.accept(ours=True)
    house.sending()
    house.accept(state=State.SCHEDULED, send_in=HOUR)
    counts = house.run(house.store.counts())
    assert (counts.queued, counts.oldest_queued_ms) == (2, oldest.release_ms)


def test_what_is_in_doubt_and_what_matched_nothing_is_counted(house: House) -> None:
    """For readiness and metrics (promises P6, 4.2)."""
    house.lose(house.sending())
    house.report("zz")
    counts = house.run(house.store.counts())
    assert (counts.uncertain, counts.orphans) == (1, 1)


def test_a_node_alone_finds_nobody_to_take_over_from(house: House) -> None:
    """Whatever it holds itself stays its own."""
    held, flying = house.accept(ours=True), house.sending()
    assert house.run(house.store.tend(house.now)) == (0, 0, 0)
    assert house.begin(held) == 0
    assert house.take(flying).state is State.SENT
