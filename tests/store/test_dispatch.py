"""Room 3's contract: what is claimed, and that an intent is stored before anything leaves."""

import pytest
from msgspec.structs import replace
from tests.store.house import HOUR, PRICE, TTL, House

from bocau.core.ledger import EntryKind
from bocau.core.lifecycle import AttemptState, Event, State
from bocau.core.message import AnswerKind, CallOrder, Past, Recourse
from bocau.store.contract import StoreFault


def test_a_due_message_is_claimed(house: House) -> None:
    """With everything dispatch needs, and as ours."""
    message = house.accept()
    (claimed,) = house.claim()
    assert claimed == replace(message, owner=house.store.epoch, wake_ms=message.expires_ms)
    assert house.row(message) == claimed


def test_a_message_is_claimed_once(house: House) -> None:
    """Whoever asks second gets nothing."""
    house.accept()
    assert len(house.claim()) == 1
    assert house.claim() == []


def test_a_claim_brings_the_oldest_first_and_no_more_than_asked_for(house: House) -> None:
    """In order of acceptance."""
    messages = []
    for _ in range(5):
        messages.append(house.accept())
        house.later(1)
    assert [m.id for m in house.claim(2)] == [m.id for m in messages[:2]]
    assert [m.id for m in house.claim(10)] == [m.id for m in messages[2:]]


def test_a_message_in_hand_is_not_claimed(house: House) -> None:
    """What went from the commit straight to the dispatcher is not in the queue."""
    house.accept(ours=True)
    assert house.claim() == []


def test_a_message_is_not_claimed_before_its_moment(house: House) -> None:
    """To the millisecond."""
    message = house.accept()
    house.claim()
    house.hand_back(message, 1000)
    house.later(999)
    assert house.claim() == []
    house.later(1)
    assert len(house.claim()) == 1


def test_a_message_is_not_claimed_after_its_time_to_live(house: House) -> None:
    """At the edge it is too old (promises P9)."""
    message = house.accept()
    house.later(TTL)
    assert house.now == message.expires_ms
    assert house.claim() == []


def test_a_message_is_claimed_in_its_last_millisecond(house: House) -> None:
    """One millisecond before the edge it goes."""
    house.accept()
    house.later(TTL - 1)
    assert len(house.claim()) == 1


def test_a_scheduled_message_is_not_claimed(house: House) -> None:
    """Not before its release, whatever the clock says (promises P10)."""
    house.accept(state=State.SCHEDULED, send_in=HOUR)
    house.later(HOUR)
    assert house.claim() == []


# Handing back


def test_a_message_handed_back_is_claimed_again_at_its_time(house: House) -> None:
    """It is nobody's until then."""
    message = house.accept(ours=True)
    house.hand_back(message)
    assert [m.id for m in house.claim()] == [message.id]


def test_a_message_that_left_cannot_be_handed_back(house: House) -> None:
    """Its intent is stored; only an answer moves it."""
    message = house.sending()
    house.hand_back(message)
    assert house.state(message) is State.SENDING
    assert house.claim() == []


def test_a_message_of_another_start_cannot_be_handed_back(house: House) -> None:
    """A late call of a start that is gone changes nothing."""
    message = house.accept(ours=True)
    house.crash()
    (claimed,) = house.claim()
    assert claimed.owner == house.store.epoch
    assert house.begin(message) == 0
    house.hand_back(message)
    assert house.state(message) is State.SENDING


# Intents


def test_an_intent_is_stored_before_a_byte_leaves(house: House) -> None:
    """The message is sending, each part has an attempt."""
    message = house.accept(ours=True, parts=2)
    assert house.begin(message)
    row = house.row(message)
    assert (row.state, row.tries, row.carrier) == (State.SENDING, 1, "north")
    assert house.attempts(message) == {(1, 1): AttemptState.SUBMITTING, (2, 1): AttemptState.SUBMITTING}


def test_only_the_holder_begins_a_message(house: House) -> None:
    """Unclaimed is not ours."""
    message = house.accept()
    assert house.begin(message) is None
    assert house.attempts(message) == {}


def test_a_message_of_an_earlier_start_is_not_begun(house: House) -> None:
    """The epoch decides, even if the row still is queued (promises 4.10)."""
    message = house.accept(ours=True)
    house.crash()
    assert house.begin(message) is None


def test_a_message_is_begun_once(house: House) -> None:
    """Two intents of one turn of the loop: the first counts."""
    message = house.accept(ours=True)
    intent = house.intent(message)
    begun = house.together(house.store.begin, [intent, intent])
    assert begun == [0, None]


@pytest.mark.parametrize(("age", "begun"), [(TTL - 1, True), (TTL, False)])
def test_a_message_past_its_time_to_live_is_not_begun(house: House, age: int, begun: bool) -> None:
    """However long it waited in memory (promises P9)."""
    message = house.accept(ours=True)
    house.later(age)
    assert (house.begin(message) is not None) == begun


def test_a_message_that_ended_is_not_begun(house: House) -> None:
    """Cancelled while it waited in memory."""
    message = house.accept(ours=True)
    house.turn(message, Event.CANCEL)
    assert house.begin(message) is None


def test_an_attempt_number_counts_once(house: House) -> None:
    """The same number again is a fault of that intent, and nothing of it is stored."""
    message = house.sending()
    house.put_off(message)
    house.later(1000)
    (claimed,) = house.claim()
    intent = house.intent(claimed, number=1)
    (result,) = house.together(house.store.begin, [intent])
    assert isinstance(result, StoreFault)
    assert house.state(message) is State.QUEUED
    assert house.begin(claimed, number=2) == 0


@pytest.mark.parametrize("pairs", [1, 3, 12])
def test_many_intents_share_a_transaction(house: House, pairs: int) -> None:
    """Each with its own result, in order: one that is not ours keeps nobody from going, however many go together."""
    messages = [house.accept(ours=index % 2 == 0) for index in range(2 * pairs)]
    results = house.together(house.store.begin, [house.intent(m) for m in messages])
    assert results == [0, None] * pairs
    assert [house.state(m) for m in messages] == [State.SENDING, State.QUEUED] * pairs


def test_a_lot_of_intents_says_what_each_carrier_tries(house: House) -> None:
    """Messages that begin together are told apart by their carrier and their try."""
    messages = [house.accept(ours=True) for _ in range(16)]
    intents = [replace(house.intent(m), carrier=f"c{i % 2}", number=1 + i % 3) for i, m in enumerate(messages)]
    assert house.together(house.store.begin, intents) == [0] * 16
    rows = [house.row(message) for message in messages]
    assert [(row.carrier, row.tries) for row in rows] == [(f"c{i % 2}", 1 + i % 3) for i in range(16)]


def test_a_message_that_grew_too_old_does_not_begin_with_a_lot(house: House) -> None:
    """The youngest intent of a lot decides nothing for the others: the old one alone stays."""
    messages = [house.accept(ours=True) for _ in range(8)]
    intents = [house.intent(m) for m in messages]
    intents[3] = replace(intents[3], at_ms=messages[3].expires_ms)
    assert house.together(house.store.begin, intents) == [0, 0, 0, None, 0, 0, 0, 0]


# Concatenation references


def test_one_part_has_no_reference(house: House) -> None:
    """0 says: nothing to concatenate."""
    assert house.begin(house.accept(ours=True)) == 0


def test_long_messages_to_one_phone_count_their_references(house: House) -> None:
    """Two of them never share one (promises 4.5)."""
    references = [house.begin(house.accept(ours=True, parts=3)) for _ in range(3)]
    assert references == [1, 2, 3]


def test_each_phone_has_its_own_counter(house: House) -> None:
    """References are compared on one handset only."""
    assert house.begin(house.accept(ours=True, parts=2)) == 1
    assert house.begin(house.accept(ours=True, parts=2, phone="0911111111")) == 1


def test_the_counter_goes_on_after_a_restart(house: House) -> None:
    """It is stored."""
    house.begin(house.accept(ours=True, parts=2))
    house.reopen()
    assert house.begin(house.accept(ours=True, parts=2)) == 2


def test_a_retry_keeps_the_reference(house: House) -> None:
    """Parts of two tries fit together on the handset."""
    house.begin(house.accept(ours=True, parts=2))
    message = house.accept(ours=True, parts=2)
    assert house.begin(message) == 2
    house.take(message, part=1)
    house.put_off(message, part=2)
    house.later(1000)
    (claimed,) = house.claim()
    assert house.begin(claimed, parts=(2,), number=2) == 2
    assert house.row(message).reference == 2


def test_the_carriers_cut_decides_whether_there_is_a_reference(house: House) -> None:
    """A message charged as one part may leave in two."""
    message = house.accept(ours=True, parts=1)
    assert house.begin(message, total=2) == 1
    assert set(house.attempts(message)) == {(1, 1), (2, 1)}


# Open parts


def test_only_refused_parts_are_open(house: House) -> None:
    """A part that a carrier has, or may have, is not tried again."""
    message = house.sending(parts=4)
    house.take(message, "a1", part=1)
    house.put_off(message, part=2)
    house.lose(message, part=3)
    house.put_off(message, part=4)
    assert house.run(house.store.open_parts(message.id)) == (2, 4)


def test_a_part_is_judged_by_its_newest_try(house: House) -> None:
    """Refused once and taken then is taken."""
    message = house.sending(parts=2)
    house.put_off(message, part=1)
    house.put_off(message, part=2)
    house.later(1000)
    (claimed,) = house.claim()
    house.begin(claimed, number=2)
    house.take(message, "a1", part=1, number=2)
    assert house.run(house.store.open_parts(message.id)) == ()
    house.put_off(message, part=2, number=2)
    assert house.run(house.store.open_parts(message.id)) == (2,)


def test_a_message_never_tried_has_no_open_parts(house: House) -> None:
    """Into how many its carrier cuts it is not known yet."""
    message = house.accept(ours=True, parts=3)
    assert house.run(house.store.open_parts(message.id)) == ()


# Fair claims


def test_a_claim_is_shared_between_accounts(house: House) -> None:
    """P18: a backlog of one does not keep the others waiting behind it."""
    other = house.new_account("other", 100 * PRICE)
    flood = [house.accept() for _ in range(20)]
    house.later(1)
    few = [house.accept(account=other) for _ in range(3)]
    claimed = house.claim(10)
    assert [m.id for m in claimed if m.account_id == other] == [m.id for m in few]
    assert [m.id for m in claimed if m.account_id != other] == [m.id for m in flood[:7]]


def test_a_claim_fills_its_room_whatever_the_shares(house: House) -> None:
    """What some do not use goes to the others, and who has something left is named."""
    for number in range(4):
        house.accept(account=house.new_account(f"few{number}", 100 * PRICE))
    for _ in range(20):
        house.accept()
    found = house.claim_fairly({"otp": 16, "other": 0})
    assert len(found.messages) == 16
    assert found.left == {(house.account, "otp")}
    assert found.whole


def test_each_class_is_claimed_into_its_own_room(house: House) -> None:
    """A backlog of bulk leaves the codes alone."""
    for _ in range(10):
        house.accept(route_class="other")
    code = house.accept()
    found = house.claim_fairly({"otp": 5, "other": 0})
    assert [m.id for m in found.messages] == [code.id]
    assert found.left == {(house.account, "other")}
    assert len(house.claim_fairly({"otp": 0, "other": 5}).messages) == 5


def test_what_is_parked_at_a_closed_place_stays(house: House) -> None:
    """And comes with the first claim for which the place is open."""
    parked, free = house.accept(ours=True), house.accept(ours=True)
    house.hand_back(parked, parked="north-only")
    house.hand_back(free)
    found = house.claim_fairly({"otp": 5, "other": 5}, {"north-only"})
    assert [m.id for m in found.messages] == [free.id]
    assert (found.left, found.whole) == (frozenset(), True)
    assert house.run(house.store.parked()) == {"north-only": 1}
    assert [m.id for m in house.claim()] == [parked.id]
    assert house.run(house.store.parked()) == {}


def test_a_claimed_message_is_not_parked_any_more(house: House) -> None:
    """A crash gives it back to everybody."""
    message = house.accept(ours=True)
    house.hand_back(message, parked="north-only")
    house.claim()
    house.crash()
    found = house.claim_fairly({"otp": 5, "other": 5}, {"north-only"})
    assert [m.id for m in found.messages] == [message.id]


def test_more_accounts_than_one_claim_looks_at_are_looked_at_in_turn(house: House) -> None:
    """The next claim goes on where the last one ended."""
    accounts = [house.new_account(f"a{number}", PRICE) for number in range(300)]
    for account in accounts:
        house.accept(account=account)
    first = house.claim_fairly({"otp": 1000, "other": 0})
    assert (len(first.messages), first.whole) == (256, False)
    second = house.claim_fairly({"otp": 1000, "other": 0})
    assert (len(second.messages), second.whole) == (44, False)
    assert house.claim_fairly({"otp": 1000, "other": 0}).whole


# Other carriers


def test_a_message_begun_anew_gets_a_new_reference_and_all_its_attempts(house: House) -> None:
    """Promises 4.5: a telephone must not join parts of two carriers' making."""
    message = house.accept(ours=True, parts=2)
    first = house.begin(message)
    for part in (1, 2):
        house.record(house.answer(message, AnswerKind.PERMANENT, part=part, recourse=Recourse(elsewhere=True)))
    (claimed,) = house.claim()
    intent = replace(house.intent(claimed, (), 2, "south"), anew=True)
    second = house.one(house.store.begin, intent)
    assert second
    assert second != first
    assert house.run(house.store.past(message.id)) == Past("south", True, frozenset({"north"}), ())


def test_the_past_of_a_message_tells_who_put_it_off(house: House) -> None:
    """Once for each try, however many parts it had."""
    message = house.accept(ours=True, parts=2)
    house.begin(message)
    for part in (1, 2):
        house.put_off(message, part=part)
    house.later(10_000)
    (claimed,) = house.claim()
    assert house.run(house.store.past(message.id)) == Past("north", False, frozenset(), ("north",))
    house.begin(claimed, number=2, carrier="south", total=2)
    house.take(message, "s1", part=1, number=2, carrier="south")
    house.put_off(message, part=2, number=2, carrier="south")
    assert house.run(house.store.past(message.id)) == Past("south", True, frozenset(), ("north", "south"))


def test_a_halt_is_kept_until_it_is_taken_back(house: House) -> None:
    """A carrier that an operator drains stays so over a restart."""
    store = house.store
    house.run(store.set_halt("north", "paused", house.now))
    house.run(store.set_halt("north", "draining", house.now))
    house.run(store.set_halt("south", "paused", house.now))
    house.run(store.set_halt("south", "", house.now))
    house.crash()
    assert house.run(house.store.halts()) == {"north": "draining"}


# Recordings


def test_a_recording_is_not_begun_as_a_text_and_ends_with_the_reason(house: House) -> None:
    """Calls were turned off while it waited: its name must not reach people. Others of the transaction go on."""
    wishes = (CallOrder(7, "", 0), CallOrder(0, "male", 1), None)
    drafts = [replace(house.draft(ours=True), order=order) for order in wishes]
    house.admit_together(*drafts)
    messages = [draft.messages[0] for draft in drafts]
    intents = [replace(house.intent(message), as_text=True) for message in messages]
    assert house.together(house.store.begin, intents) == [None, 0, 0]
    assert [house.state(message) for message in messages] == [State.REJECTED, State.SENDING, State.SENDING]
    assert "can only be called" in house.row(messages[0]).reason
    assert house.money(messages[0]) == {EntryKind.HOLD, EntryKind.RELEASE}
    assert [due.id for due in house.claim_callbacks()] == [messages[0].id]


def test_a_recording_is_begun_as_a_call(house: House) -> None:
    """There is nothing to mind."""
    draft = replace(house.draft(ours=True), order=CallOrder(7, "", 0))
    house.admit(draft)
    assert house.begin(draft.messages[0]) == 0
