"""Room 5's contract for callbacks: one duty per request, kept until it is done or given up."""

import pytest
from msgspec.structs import replace
from tests.store.engines import CallbackRow
from tests.store.house import HOUR, PRICE, URL, House

from bocau.core.lifecycle import AttemptState, Event, State
from bocau.core.message import CallbackDue


def ended(house: House) -> CallbackDue:
    """The claimed callback of a delivered message."""
    house.sent("a1")
    house.report("a1")
    (due,) = house.claim_callbacks()
    return due


def stored(house: House, callback_id: int) -> CallbackRow:
    """The callback as it is stored now."""
    return house.engine.inspect().callbacks[callback_id]


def test_the_end_of_a_message_is_told(house: House) -> None:
    """With all that the customer's URL needs."""
    message = house.sent("a1", request_id="r1")
    house.report("a1")
    (due,) = house.claim_callbacks()
    assert (due.id, due.account_id, due.url) == (message.id, house.account, URL)
    assert (due.request_id, due.sms_type, due.telco, due.phone) == ("r1", 2, 2, message.phone)
    assert (due.summary.smsid, due.summary.state, due.summary.price) == (message.smsid, State.DELIVERED, PRICE)
    assert due.tries == 0


def test_nobody_is_told_who_did_not_ask(house: House) -> None:
    """No URL, no callback."""
    house.sent("a1", url="")
    assert house.report("a1").callback is None
    assert house.claim_callbacks() == []


def test_a_request_is_told_once_at_its_last_receivers_end(house: House) -> None:
    """Whatever the order of the ends."""
    first, second, third = house.accept_all(receivers=3, ours=True)
    for index, message in enumerate((first, second, third)):
        house.begin(message)
        house.take(message, f"a{index}")
    assert house.report("a2", phone=third.phone).callback is None
    assert house.report("a0", AttemptState.UNDELIVERED, phone=first.phone).callback is None
    told = house.report("a1", phone=second.phone).callback
    assert told is not None
    assert (told.id, told.phone) == (first.id, first.phone)
    summary = told.summary
    assert (summary.receivers, summary.succeeded, summary.failed, summary.price) == (3, 2, 1, 2 * PRICE)


def test_receivers_that_end_in_one_transaction_are_told_once(house: House) -> None:
    """The last one of the lot."""
    messages = house.accept_all(receivers=3, ours=True)
    for index, message in enumerate(messages):
        house.begin(message)
        house.take(message, f"a{index}")
    receipts = [house.receipt(f"a{index}", phone=message.phone) for index, message in enumerate(messages)]
    results = house.together(house.store.receipt, receipts)
    assert [getattr(result, "callback", None) is not None for result in results] == [False, False, True]
    assert len(house.claim_callbacks()) == 1


def test_a_request_with_one_receiver_left_is_told_at_its_end(house: House) -> None:
    """The dropped ones are in the counts."""
    house.sent("a1", dropped=2)
    told = house.report("a1").callback
    assert told is not None
    assert (told.summary.receivers, told.summary.succeeded, told.summary.failed) == (3, 1, 2)


def test_receivers_may_end_in_different_ways(house: House) -> None:
    """Refused, expired in the queue, delivered: one callback, at the last."""
    first, second, third = house.accept_all(receivers=3, ours=True)
    house.begin(first)
    house.refuse(first)
    house.begin(third)
    house.take(third, "a3")
    house.report("a3", phone=third.phone)
    house.later(HOUR)
    (told,) = house.turn(second, Event.EXPIRE)
    assert (told.summary.succeeded, told.summary.failed) == (1, 2)


def test_a_correction_is_not_told(house: House) -> None:
    """The customer expects one call (promises 4.4)."""
    due = ended(house)
    house.tried(due, 200, "done")
    late = house.sent("b1")
    house.turn(late, Event.CLOSE)
    house.claim_callbacks()
    assert house.report("b1").callback is None
    assert house.claim_callbacks() == []


# Claims


def test_a_callback_is_claimed_once(house: House) -> None:
    """Whoever asks second gets nothing."""
    ended(house)
    assert house.claim_callbacks() == []


def test_callbacks_are_claimed_oldest_first_and_no_more_than_asked_for(house: House) -> None:
    """In the order of their requests."""
    messages = []
    for index in range(4):
        messages.append(house.sent(f"a{index}"))
        house.report(f"a{index}")
        house.later(10)
    assert [due.id for due in house.claim_callbacks(3)] == [message.id for message in messages[:3]]
    assert [due.id for due in house.claim_callbacks(3)] == [messages[3].id]


def test_a_callback_in_hand_is_not_claimed(house: House) -> None:
    """What the receipt handed over is called without a claim."""
    message = house.sent("a1")
    told = house.report("a1", hand_over=True).callback
    assert told is not None
    assert stored(house, message.id).owner == house.store.epoch
    house.later(HOUR)
    assert house.claim_callbacks() == []


def test_a_callback_in_hand_is_due_again_after_a_crash(house: House) -> None:
    """Nobody else knows about it."""
    house.sent("a1")
    house.report("a1", hand_over=True)
    house.crash()
    assert house.store.rescued == (0, 0, 1)
    assert len(house.claim_callbacks()) == 1


def test_a_claimed_callback_is_due_again_after_a_crash(house: House) -> None:
    """With its tries so far."""
    due = ended(house)
    house.tried(due, 500, "waiting", 30_000)
    house.later(30_000)
    house.claim_callbacks()
    house.crash()
    (again,) = house.claim_callbacks()
    assert again.tries == 1


# Tries


def test_a_try_that_is_answered_ends_the_duty(house: House) -> None:
    """And is kept."""
    due = ended(house)
    house.tried(due, 200, "done")
    assert stored(house, due.id) == CallbackRow(due.id, "done", 0, 1, None)
    assert house.engine.inspect().tries == [(due.id, 1, 200)]
    house.later(24 * HOUR)
    assert house.claim_callbacks() == []


def test_a_try_that_failed_is_due_again_at_its_time(house: House) -> None:
    """To the millisecond, with the count of tries."""
    due = ended(house)
    house.tried(due, 503, "waiting", 30_000)
    house.later(29_999)
    assert house.claim_callbacks() == []
    house.later(1)
    (again,) = house.claim_callbacks()
    assert again == replace(due, tries=1, due_ms=house.now)


def test_five_failed_tries_give_up(house: House) -> None:
    """The duty is kept, and nothing is due any more (promises P19)."""
    due = ended(house)
    for _ in range(4):
        house.tried(due, 0, "waiting", 1000)
        house.later(1000)
        (due,) = house.claim_callbacks()
    house.tried(due, 0, "given_up")
    assert stored(house, due.id) == CallbackRow(due.id, "given_up", 0, 5, None)
    assert [number for _, number, _ in house.engine.inspect().tries] == [1, 2, 3, 4, 5]


def test_the_summary_is_that_of_the_moment(house: House) -> None:
    """A correction before the retry is told by the retry."""
    house.sent("a1")
    house.report("a1", AttemptState.UNDELIVERED)
    (due,) = house.claim_callbacks()
    assert due.summary.state is State.FAILED
    house.tried(due, 500, "waiting", 1000)
    house.report("a1")
    house.later(1000)
    (again,) = house.claim_callbacks()
    assert again.summary.state is State.DELIVERED


@pytest.mark.parametrize("verdict", ["done", "given_up", "waiting"])
def test_many_tries_share_a_transaction(house: House, verdict: str) -> None:
    """Each for its own callback."""
    for index in range(3):
        house.sent(f"a{index}")
        house.report(f"a{index}")
    for due in house.claim_callbacks():
        house.tried(due, 200, verdict, 1000 if verdict == "waiting" else None)
    assert {row.state for row in house.engine.inspect().callbacks.values()} == {verdict}


def test_waiting_callbacks_are_counted(house: House) -> None:
    """For readiness and metrics."""
    due = ended(house)
    assert house.run(house.store.counts()).callbacks_waiting == 1
    house.tried(due, 200, "done")
    assert house.run(house.store.counts()).callbacks_waiting == 0


def test_a_callback_that_was_given_up_or_answered_is_due_again_when_an_operator_says_so(house: House) -> None:
    """Now, with its tries counted on; and it stands in the audit."""
    message = house.sent("a1")
    house.report("a1")
    for status, verdict in ((502, "given_up"), (200, "done")):
        (due,) = house.claim_callbacks()
        house.tried(due, status, verdict)
        assert house.claim_callbacks() == []
        assert house.run(house.store.call_again(message.smsid.upper(), house.now)) is True
        (line,) = house.run(house.store.audit(1))
        assert (line.act, line.subject) == ("callback.resend", f"request {message.smsid}")
    (due,) = house.claim_callbacks()
    assert due.tries == 2


def test_a_callback_in_hand_is_not_called_twice(house: House) -> None:
    """Somebody is calling just now; nothing is noted."""
    message = house.sent("a1")
    house.report("a1")
    house.claim_callbacks()
    before = house.run(house.store.audit(10))
    assert house.run(house.store.call_again(message.smsid, house.now)) is False
    assert house.run(house.store.audit(10)) == before


def test_what_has_no_callback_cannot_be_called_again(house: House) -> None:
    """No such request, another one with the same head, or one whose outcome is open."""
    message = house.sent("a1")
    for smsid in (message.smsid, "x", f"{message.smsid[:16]}{'0' * 16}000"):
        assert house.run(house.store.call_again(smsid, house.now)) is None
