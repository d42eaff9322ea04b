"""Room 4's contract: what a carrier answered about each part, folded into the message."""

from itertools import permutations

import pytest
from tests.store.house import HOUR, PRICE, House

from bocau.core.ledger import EntryKind
from bocau.core.lifecycle import AttemptState, Event, State
from bocau.core.message import AnswerKind, InboundIn, Message, Recourse, Uncertain
from bocau.store.contract import Recorded, StoreFault, Turn, Turned

TAKEN, TEMPORARY = AnswerKind.TAKEN, AnswerKind.TEMPORARY
PERMANENT, UNCERTAIN = AnswerKind.PERMANENT, AnswerKind.UNCERTAIN


# One part


def test_a_part_that_is_taken_makes_the_message_sent(house: House) -> None:
    """The carrier's id is kept, raw."""
    message = house.sending()
    assert house.take(message, "00Ab1") == Recorded(State.SENT, None)
    assert house.state(message) is State.SENT
    assert [row.carrier_id for row in house.engine.inspect().attempts] == ["00Ab1"]


def test_taking_captures_the_hold(house: House) -> None:
    """The money is spent when the first part is taken (promises 4.7)."""
    message = house.sent()
    assert house.money(message) == {EntryKind.HOLD, EntryKind.CAPTURE}
    assert house.balance() == 999 * PRICE


def test_a_part_that_is_put_off_goes_back_to_the_queue_with_a_date(house: House) -> None:
    """For anybody, at its time, and with the reason."""
    message = house.sending()
    assert house.put_off(message, wait=2000) == Recorded(State.QUEUED, None, event=Event.POSTPONE)
    row = house.row(message)
    assert (row.state, row.owner, row.due_ms) == (State.QUEUED, 0, house.now + 2000)
    assert row.wake_ms == row.expires_ms
    assert "0x00000058" in row.reason
    house.later(1999)
    assert house.claim() == []
    house.later(1)
    assert [m.tries for m in house.claim()] == [1]


def test_putting_off_captures_nothing(house: House) -> None:
    """The hold stays a hold."""
    message = house.sending()
    house.put_off(message)
    assert house.money(message) == {EntryKind.HOLD}


def test_a_part_that_is_refused_fails_the_message_and_gives_the_money_back(house: House) -> None:
    """At once, with a callback."""
    message = house.sending()
    recorded = house.refuse(message)
    assert recorded.state is State.FAILED
    assert recorded.callback is not None
    assert recorded.callback.summary.price == 0
    assert house.money(message) == {EntryKind.HOLD, EntryKind.RELEASE}
    assert house.balance() == 1000 * PRICE


def test_an_answer_that_never_came_makes_the_message_uncertain(house: House) -> None:
    """It is not queued again (promises P6)."""
    message = house.sending()
    assert house.lose(message, wait=HOUR) == Recorded(State.UNCERTAIN, None, event=Event.HOLD)
    row = house.row(message)
    assert (row.state, row.wake_ms) == (State.UNCERTAIN, house.now + HOUR)
    house.later(60_000)
    assert house.claim() == []


def test_a_late_answer_upgrades_an_uncertain_message(house: House) -> None:
    """Fault F21: sent after all, and captured."""
    message = house.sending()
    house.lose(message)
    assert house.take(message).state is State.SENT
    assert house.money(message) == {EntryKind.HOLD, EntryKind.CAPTURE}


def test_a_late_refusal_fails_an_uncertain_message(house: House) -> None:
    """The carrier says it has not got it."""
    message = house.sending()
    house.lose(message)
    assert house.refuse(message).state is State.FAILED


def test_a_late_not_now_queues_an_uncertain_message_again(house: House) -> None:
    """A carrier that says it did not take it leaves nothing in doubt (promises P5 a)."""
    message = house.sending()
    house.lose(message, wait=HOUR)
    assert house.put_off(message, wait=1000).state is State.QUEUED
    house.later(1000)
    assert len(house.claim()) == 1


def test_a_retry_may_be_taken(house: House) -> None:
    """Second try, same message."""
    message = house.sending()
    house.put_off(message)
    house.later(1000)
    (claimed,) = house.claim()
    assert house.begin(claimed, number=2) == 0
    assert house.take(message, number=2).state is State.SENT
    assert house.attempts(message) == {(1, 1): AttemptState.REFUSED, (1, 2): AttemptState.TAKEN}


@pytest.mark.parametrize("second", [TAKEN, TEMPORARY, PERMANENT, UNCERTAIN])
@pytest.mark.parametrize("first", [TAKEN, TEMPORARY, PERMANENT])
def test_the_first_word_on_a_part_counts(house: House, first: AnswerKind, second: AnswerKind) -> None:
    """A carrier that answers twice changes nothing with its second answer."""
    message = house.sending()
    house.record(house.answer(message, first, "a1"))
    before, attempts, money = house.row(message), house.attempts(message), house.balance()
    house.record(house.answer(message, second, "a2"))
    assert house.attempts(message) == attempts
    assert house.balance() == money
    assert house.row(message) == before


def test_a_repeated_loss_says_that_nothing_changed(house: House) -> None:
    """Recorded.state names a move, not a state."""
    message = house.sending()
    house.lose(message)
    assert house.lose(message) == Recorded(None, None)


def test_an_answer_after_the_deadline_says_that_nothing_changed(house: House) -> None:
    """The message was closed as unknown; the answer comes too late."""
    message = house.sending()
    house.turn(message, Event.CLOSE)
    assert house.take(message) == Recorded(None, None)
    assert house.state(message) is State.UNKNOWN


@pytest.mark.parametrize("others", [1, 12])
def test_a_late_answer_among_others_is_told_apart(house: House, others: int) -> None:
    """In one transaction with answers that do move their messages."""
    closed, *opened = [house.sending() for _ in range(1 + others)]
    house.turn(closed, Event.CLOSE)
    answers = [house.answer(m, TAKEN, f"a{i}") for i, m in enumerate((closed, *opened))]
    results = house.together(house.store.record, answers)
    assert results == [Recorded(None, None), *[Recorded(State.SENT, None)] * others]
    assert {house.state(message) for message in opened} == {State.SENT}
    assert house.state(closed) is State.UNKNOWN


def test_answers_to_many_messages_share_a_transaction(house: House) -> None:
    """Every kind in one lot, each with its own result."""
    messages = [house.sending() for _ in range(4)]
    kinds = [TAKEN, TEMPORARY, PERMANENT, UNCERTAIN]
    answers = [house.answer(m, kind, f"a{m.id}") for m, kind in zip(messages, kinds, strict=True)]
    results = house.together(house.store.record, answers)
    states = [None if isinstance(result, StoreFault) else result.state for result in results]
    assert states == [State.SENT, State.QUEUED, State.FAILED, State.UNCERTAIN]


def test_an_answer_for_no_message_changes_nothing(house: House) -> None:
    """Not even money."""
    message = house.draft().messages[0]
    house.lose(message)
    house.put_off(message)
    inside = house.engine.inspect()
    assert not inside.attempts
    assert not inside.messages


# Two and three parts

OUTCOMES = {
    frozenset({TAKEN}): State.SENT,
    frozenset({TEMPORARY}): State.QUEUED,
    frozenset({PERMANENT}): State.FAILED,
    frozenset({UNCERTAIN}): State.UNCERTAIN,
    frozenset({TAKEN, TEMPORARY}): State.QUEUED,
    frozenset({TAKEN, PERMANENT}): State.FAILED,
    frozenset({TAKEN, UNCERTAIN}): State.UNCERTAIN,
    frozenset({TEMPORARY, PERMANENT}): State.FAILED,
    frozenset({TEMPORARY, UNCERTAIN}): State.QUEUED,
    frozenset({PERMANENT, UNCERTAIN}): State.FAILED,
}


def kinds_of(kinds: tuple[AnswerKind, ...]) -> str:
    return "-".join(kinds)


@pytest.mark.parametrize("kinds", [(a, b) for a in AnswerKind for b in AnswerKind], ids=kinds_of)
def test_two_parts_fold_in_every_order(house: House, kinds: tuple[AnswerKind, AnswerKind]) -> None:
    """Failed if any is refused, queued if any is put off, else uncertain, else sent (promises 4.5)."""
    message = house.sending(parts=2)
    for part, kind in enumerate(kinds, 1):
        house.record(house.answer(message, kind, f"a{part}", part=part))
    assert house.state(message) is OUTCOMES[frozenset(kinds)]


@pytest.mark.parametrize("kinds", [(a, b) for a in AnswerKind for b in AnswerKind], ids=kinds_of)
def test_two_parts_fold_in_one_transaction(house: House, kinds: tuple[AnswerKind, AnswerKind]) -> None:
    """The same when both answers come together; the move is reported once."""
    message = house.sending(parts=2)
    answers = [house.answer(message, kind, f"a{part}", part=part) for part, kind in enumerate(kinds, 1)]
    results = house.together(house.store.record, answers)
    expected = OUTCOMES[frozenset(kinds)]
    assert house.state(message) is expected
    moves = [result.state for result in results if isinstance(result, Recorded) and result.state is not None]
    assert moves == [expected]


@pytest.mark.parametrize("order", list(permutations((TAKEN, TEMPORARY, UNCERTAIN))), ids=kinds_of)
def test_three_parts_with_every_fate_but_refusal_are_tried_again(house: House, order: tuple[AnswerKind, ...]) -> None:
    """Only the part that was put off; the uncertain one is left alone."""
    message = house.sending(parts=3)
    for part, kind in enumerate(order, 1):
        house.record(house.answer(message, kind, f"a{part}", part=part))
    assert house.state(message) is State.QUEUED
    assert house.run(house.store.open_parts(message.id)) == (order.index(TEMPORARY) + 1,)


@pytest.mark.parametrize("order", list(permutations((TAKEN, PERMANENT, UNCERTAIN))), ids=kinds_of)
def test_three_parts_with_a_refusal_fail(house: House, order: tuple[AnswerKind, ...]) -> None:
    """At the refusal, whatever else comes; the money goes back once."""
    message = house.sending(parts=3)
    for part, kind in enumerate(order, 1):
        house.record(house.answer(message, kind, f"a{part}", part=part))
    assert house.state(message) is State.FAILED
    assert house.balance() == 1000 * PRICE


def test_a_message_is_captured_at_its_first_part(house: House) -> None:
    """Not at its last, and once."""
    message = house.sending(parts=2)
    assert house.take(message, "a1", part=1) == Recorded(None, None)
    assert house.money(message) == {EntryKind.HOLD, EntryKind.CAPTURE}
    house.take(message, "a2", part=2)
    assert house.balance() == 999 * PRICE


def test_the_missing_part_completes_the_message(house: House) -> None:
    """Taken, put off, and taken at the second try."""
    message = house.sending(parts=2)
    house.take(message, "a1", part=1)
    house.put_off(message, part=2)
    house.later(1000)
    (claimed,) = house.claim()
    house.begin(claimed, parts=(2,), number=2)
    assert house.take(message, "a2", part=2, number=2).state is State.SENT


def test_a_late_answer_completes_an_uncertain_message(house: House) -> None:
    """One part was in doubt, and then was not."""
    message = house.sending(parts=2)
    house.take(message, "a1", part=1)
    house.lose(message, part=2)
    assert house.take(message, "a2", part=2).state is State.SENT


def test_a_refusal_of_one_part_stops_the_message_while_others_are_out(house: House) -> None:
    """What they answer later changes nothing."""
    message = house.sending(parts=2)
    assert house.refuse(message, part=1).state is State.FAILED
    assert house.take(message, "a2", part=2) == Recorded(None, None)
    assert house.balance() == 1000 * PRICE


def test_a_refused_part_of_the_second_try_fails_the_message(house: House) -> None:
    """Though the first try was only put off."""
    message = house.sending(parts=2)
    house.take(message, "a1", part=1)
    house.put_off(message, part=2)
    house.later(1000)
    (claimed,) = house.claim()
    house.begin(claimed, parts=(2,), number=2)
    assert house.refuse(message, part=2, number=2).state is State.FAILED


def test_an_inbound_message_is_kept_whole(house: House) -> None:
    """Bytes, as they came."""
    house.one(house.store.inbound, InboundIn("north", b"\x00\xffSTOP", house.now, "849", "1900", "", 1, 1))
    assert house.engine.inspect().inbound == [b"\x00\xffSTOP"]


# Other carriers, and once more

ELSEWHERE = Recourse(elsewhere=True)


def test_a_refusal_for_good_with_another_carrier_left_queues_the_message_again(house: House) -> None:
    """At once, with its hold, and told apart from a mere delay."""
    message = house.sending()
    recorded = house.record(house.answer(message, PERMANENT, recourse=ELSEWHERE))
    assert recorded == Recorded(State.QUEUED, None, event=Event.FAIL_OVER)
    assert house.money(message) == {EntryKind.HOLD}
    assert [m.id for m in house.claim()] == [message.id]


def test_nothing_is_decided_before_every_part_is_answered(house: House) -> None:
    """The part still on its way may be taken, and then nobody else may have the rest."""
    message = house.sending(parts=2)
    first = house.record(house.answer(message, PERMANENT, part=1, recourse=ELSEWHERE))
    assert first == Recorded(None, None)
    second = house.record(house.answer(message, PERMANENT, part=2, recourse=ELSEWHERE))
    assert second.event is Event.FAIL_OVER


@pytest.mark.parametrize("other", [TAKEN, UNCERTAIN])
def test_a_part_that_was_taken_or_may_be_rules_another_carrier_out(house: House, other: AnswerKind) -> None:
    """The reader would see one half of it twice: the message fails, the hold is released (promises 4.5)."""
    message = house.sending(parts=2)
    house.record(house.answer(message, other, "a1", part=1, recourse=ELSEWHERE))
    assert house.record(house.answer(message, PERMANENT, part=2, recourse=ELSEWHERE)).state is State.FAILED
    assert house.balance() == 1000 * PRICE


def test_the_last_carrier_s_refusal_is_the_end(house: House) -> None:
    """Nobody is left."""
    message = house.sending()
    house.record(house.answer(message, PERMANENT, recourse=ELSEWHERE))
    (claimed,) = house.claim()
    house.begin(claimed, number=2, carrier="south")
    assert house.record(house.answer(message, PERMANENT, number=2, carrier="south")).state is State.FAILED


@pytest.mark.parametrize("policy", [Uncertain.RESEND_ONCE, Uncertain.FAIL_OVER_ONCE])
def test_a_policy_sends_once_more_and_only_once(house: House, policy: Uncertain) -> None:
    """P5 (b): the second silence is held like any other."""
    recourse = Recourse(elsewhere=True, uncertain=policy)
    message = house.sending()
    recorded = house.record(house.answer(message, UNCERTAIN, recourse=recourse))
    assert recorded == Recorded(State.QUEUED, None, event=Event.RESEND)
    assert "possible duplicate" in house.row(message).reason
    past = house.run(house.store.past(message.id))
    assert past.bound == (policy is Uncertain.RESEND_ONCE)
    assert past.barred == (frozenset() if past.bound else {"north"})
    (claimed,) = house.claim()
    if past.bound:
        assert house.run(house.store.open_parts(message.id)) == (1,)
    house.begin(claimed, number=2, carrier="north" if past.bound else "south")
    again = house.answer(message, UNCERTAIN, number=2, carrier="south", recourse=recourse)
    assert house.record(again).state is State.UNCERTAIN


def test_without_a_policy_silence_is_held(house: House) -> None:
    """P6: another carrier in the route changes nothing."""
    message = house.sending()
    recorded = house.record(house.answer(message, UNCERTAIN, recourse=ELSEWHERE))
    assert recorded == Recorded(State.UNCERTAIN, None, event=Event.HOLD)
    assert house.run(house.store.open_parts(message.id)) == ()


def test_failing_over_needs_another_carrier_and_no_part_taken(house: House) -> None:
    """Else the silence is held."""
    alone = Recourse(elsewhere=False, uncertain=Uncertain.FAIL_OVER_ONCE)
    message = house.sending()
    assert house.record(house.answer(message, UNCERTAIN, recourse=alone)).state is State.UNCERTAIN
    both = alone._replace(elsewhere=True)
    long = house.sending(parts=2)
    house.record(house.answer(long, TAKEN, "a1", part=1, recourse=both))
    assert house.record(house.answer(long, UNCERTAIN, part=2, recourse=both)).state is State.UNCERTAIN


def test_only_the_unanswered_part_is_sent_once_more(house: House) -> None:
    """With the same reference, so that a telephone cannot show it twice (promises 4.5)."""
    recourse = Recourse(uncertain=Uncertain.RESEND_ONCE)
    message = house.sending(parts=2)
    house.record(house.answer(message, TAKEN, "a1", part=1, recourse=recourse))
    house.record(house.answer(message, UNCERTAIN, part=2, recourse=recourse))
    assert house.run(house.store.open_parts(message.id)) == (2,)
    (claimed,) = house.claim()
    assert house.begin(claimed, parts=(2,), number=2) == house.row(message).reference
    assert house.take(message, "a2", part=2, number=2).state is State.SENT


def test_a_receipt_for_the_first_try_counts_while_the_second_is_under_way(house: House) -> None:
    """It arrived; that the other one failed later changes nothing, and the other way round."""
    recourse = Recourse(elsewhere=True, uncertain=Uncertain.FAIL_OVER_ONCE)
    for good_first in (True, False):
        message = house.sending()
        house.record(house.answer(message, UNCERTAIN, recourse=recourse))
        (claimed,) = house.claim()
        house.begin(claimed, number=2, carrier="south")
        late, news = f"n{message.id}", f"s{message.id}"
        house.take(message, late)
        house.take(message, news, number=2, carrier="south")
        first = AttemptState.DELIVERED if good_first else AttemptState.UNDELIVERED
        house.report(late, first)
        assert house.state(message) is (State.DELIVERED if good_first else State.SENT)
        house.report(news, carrier="south")
        assert house.state(message) is State.DELIVERED


def resent(house: House) -> Message:
    """A message whose first try, at north, was never answered, and whose second one, at south, is under way."""
    message = house.sending()
    recourse = Recourse(elsewhere=True, uncertain=Uncertain.FAIL_OVER_ONCE)
    house.record(house.answer(message, UNCERTAIN, recourse=recourse))
    (claimed,) = house.claim()
    house.begin(claimed, number=2, carrier="south")
    return message


def test_a_refusal_of_the_second_try_leaves_the_first_in_doubt(house: House) -> None:
    """It may have arrived: no failure is told and no money goes back; at the deadline it is unknown (promises 4.1)."""
    message = resent(house)
    refused = house.record(house.answer(message, PERMANENT, number=2, carrier="south"))
    assert refused == Recorded(State.UNCERTAIN, None, event=Event.DOUBT)
    assert house.row(message).wake_ms == house.now, "the schedule finds its deadline"
    house.turn(message, Event.CLOSE)
    assert house.state(message) is State.UNKNOWN
    assert house.money(message) == {EntryKind.HOLD, EntryKind.CAPTURE}


@pytest.mark.parametrize(
    ("first", "end"),
    [(AttemptState.DELIVERED, State.DELIVERED), (AttemptState.UNDELIVERED, State.FAILED)],
)
def test_after_the_refusal_the_first_try_s_receipt_decides(house: House, first: AttemptState, end: State) -> None:
    """Nobody else has it, so a bad end is the end too."""
    message = resent(house)
    house.record(house.answer(message, PERMANENT, number=2, carrier="south"))
    house.take(message, "n1")
    house.report("n1", first)
    assert house.state(message) is end


def test_a_bad_receipt_of_the_second_try_leaves_the_first_in_doubt(house: House) -> None:
    """The one that was never answered may still arrive."""
    message = resent(house)
    house.take(message, "s1", number=2, carrier="south")
    house.report("s1", AttemptState.UNDELIVERED, carrier="south")
    assert house.state(message) is State.SENT
    house.take(message, "n1")
    house.report("n1")
    assert house.state(message) is State.DELIVERED


def test_a_part_refused_by_the_one_carrier_of_the_others_still_fails(house: House) -> None:
    """Nobody may have the whole: half of it at each carrier is of no use (promises 4.5)."""
    recourse = Recourse(uncertain=Uncertain.RESEND_ONCE)
    message = house.sending(parts=2)
    house.record(house.answer(message, UNCERTAIN, part=1, recourse=recourse))
    assert house.record(house.answer(message, PERMANENT, part=2, recourse=recourse)).state is State.FAILED


def test_a_message_too_old_to_be_sent_once_more_stays_in_doubt(house: House) -> None:
    """Expired would say that nobody has it."""
    message = resent(house)
    house.record(house.answer(message, TEMPORARY, number=2, carrier="south"))
    turned = house.run(house.store.turn([Turn(message.id, Event.EXPIRE, None)], house.now))
    assert turned == Turned([], (message.id,))
    assert house.state(message) is State.UNCERTAIN
    assert house.money(message) == {EntryKind.HOLD}
