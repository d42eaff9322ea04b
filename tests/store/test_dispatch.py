"""Room 3's contract: what is claimed, and that an intent is stored before anything leaves."""

import pytest
from tests.store.house import HOUR, TTL, House

from bocau.core.lifecycle import AttemptState, Event, State
from bocau.store.contract import StoreFault


def test_a_due_message_is_claimed(house: House) -> None:
    """With everything dispatch needs, and as ours."""
    message = house.accept()
    (claimed,) = house.claim()
    assert claimed == message._replace(owner=house.store.epoch, wake_ms=message.expires_ms)
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


def test_many_intents_share_a_transaction(house: House) -> None:
    """Each with its own result, in order."""
    messages = [house.accept(ours=index % 2 == 0) for index in range(6)]
    results = house.together(house.store.begin, [house.intent(m) for m in messages])
    assert results == [0, None, 0, None, 0, None]


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
