"""What people are told of a request, and the acts of the test API."""

import pytest
from tests.store.house import HOUR, NOON, House

from bocau.core.lifecycle import State
from bocau.core.message import Admitted, AnswerKind, AttemptKey, Duplicate, Message, Recourse, Uncertain


def test_a_request_is_told_whole(house: House) -> None:
    """Messages, tries, the duty to tell and its calls, money."""
    message = house.sent("a1", request_id="r1")
    house.report("a1")
    (due,) = house.claim_callbacks()
    house.tried(due, 502, "waiting", again_in=30_000)
    story = house.run(house.store.story(message.smsid))
    assert story is not None
    (line,) = story.messages
    assert (line.phone, line.state, line.request_id, line.taken) == (message.phone, State.DELIVERED, "r1", True)
    assert [(one.carrier_id, one.state) for one in story.attempts] == [("a1", "delivered")]
    assert story.callback is not None
    assert (story.callback.state, story.callback.tries) == ("waiting", 1)
    assert [(one.number, one.http_status) for one in story.tries] == [(1, 502)]
    assert {entry.kind for entry in story.money} == {"hold", "capture"}


def test_another_id_with_the_same_head_is_nobodys(house: House) -> None:
    """The random part of an SMSID must fit too."""
    message = house.accept()
    assert house.run(house.store.story(f"{message.smsid[:16]}{'0' * 16}000")) is None
    assert house.run(house.store.story("x")) is None


def test_messages_come_in_order_and_by_account(house: House) -> None:
    """A stretch of all, a stretch of one account, the newest, and one."""
    store, first, second = house.store, house.accept(), house.accept()
    other = house.new_account("other", 0)
    assert [line.id for line in house.run(store.messages_after(0, None, 10))] == [first.id, second.id]
    assert [line.id for line in house.run(store.messages_after(first.id, house.account, 10))] == [second.id]
    assert house.run(store.messages_after(0, other, 10)) == []
    assert [line.id for line in house.run(store.newest_messages(1))] == [second.id]
    assert house.run(store.newest_message()) == second.id
    found = house.run(store.message(first.id))
    assert found is not None
    assert (found.id, found.taken) == (first.id, False)


def test_time_passes_for_one_account(house: House) -> None:
    """A RequestId is free after a day, and what waits for a moment has it nearer; the other account's stay."""
    message = house.accept(request_id="r1")
    other = house.new_account("other", 0)
    house.run(house.store.pass_time(other, 25 * HOUR))
    assert isinstance(house.admit(house.draft(request_id="r1")), Duplicate)
    assert house.row(message).expires_ms == message.expires_ms
    house.run(house.store.pass_time(house.account, 25 * HOUR))
    assert house.row(message).expires_ms == message.expires_ms - 25 * HOUR
    assert house.run(house.store.waking(NOON, 10))[0].id == message.id
    assert isinstance(house.admit(house.draft(request_id="r1")), Admitted)


def test_a_callback_is_due_when_its_time_has_passed(house: House) -> None:
    """The next try comes nearer."""
    house.sent("a1")
    house.report("a1")
    (due,) = house.claim_callbacks()
    house.tried(due, 502, "waiting", again_in=30_000)
    assert house.claim_callbacks() == []
    house.run(house.store.pass_time(house.account, 30_000))
    assert [again.id for again in house.claim_callbacks()] == [due.id]


def test_freed_request_ids_may_be_used_again(house: House) -> None:
    """A reset of a namespace."""
    house.accept(request_id="r1")
    house.run(house.store.free_request_ids(house.account))
    assert isinstance(house.admit(house.draft(request_id="r1")), Admitted)


def test_a_retired_account_has_nothing_left_to_send_with(house: House) -> None:
    """Locked, without keys and senders, and nobody is called back; its money and messages stay."""
    house.sent("a1")
    house.report("a1")
    house.run(house.store.retire_account(house.account))
    rows = house.run(house.store.read_directory())
    assert [account.state for account in rows.accounts if account.id == house.account] == ["locked"]
    for own in (rows.keys, rows.brandnames, rows.templates, rows.prices):
        assert not [row for row in own if row.account_id == house.account]
    assert house.claim_callbacks() == []
    assert len(house.run(house.store.messages_after(0, house.account, 10))) == 1


def test_to_look_at_texts_leaves_a_line(house: House) -> None:
    """Who, when and at what."""
    house.run(house.store.note_revealed("request x"))
    (line,) = house.run(house.store.audit(1))
    assert (line.act, line.subject) == ("message.reveal", "request x")


def repeated(house: House, message: Message) -> tuple[bool, int]:
    """Whether a message is told as a possible duplicate: to people, and in the summary of its request."""
    line = house.run(house.store.message(message.id))
    summary = house.run(house.store.summary(house.account, message.smsid, 0))
    assert line is not None
    assert summary is not None
    return line.repeated, summary.repeated


@pytest.mark.parametrize("policy", [Uncertain.RESEND_ONCE, Uncertain.FAIL_OVER_ONCE])
def test_what_was_sent_once_more_is_a_possible_duplicate_for_ever(house: House, policy: Uncertain) -> None:
    """From the moment its second try begins; a receipt does not wash it off, and the callback says it too."""
    message = house.sending()
    house.record(house.answer(message, AnswerKind.UNCERTAIN, recourse=Recourse(elsewhere=True, uncertain=policy)))
    assert repeated(house, message) == (False, 0)
    (claimed,) = house.claim()
    carrier = "north" if policy is Uncertain.RESEND_ONCE else "south"
    house.begin(claimed, number=2, carrier=carrier)
    assert repeated(house, message) == (True, 1)
    house.take(message, "b2", number=2, carrier=carrier)
    stored = house.report("b2", carrier=carrier, hint=AttemptKey(message.id, 1, 2))
    assert stored.callback is not None
    assert stored.callback.summary.repeated == 1
    assert repeated(house, message) == (True, 1)
    assert [due.summary.repeated for due in house.claim_callbacks()] == [1]


def test_a_refused_part_that_goes_again_is_no_duplicate(house: House) -> None:
    """The carrier said that it did not take it; nor is the other part of the message one."""
    message = house.sending(parts=2)
    house.take(message, "a1", part=1)
    house.put_off(message, part=2)
    house.later(HOUR // 100)
    (claimed,) = house.claim()
    house.begin(claimed, parts=(2,), number=2)
    house.take(message, "a2", part=2, number=2)
    assert repeated(house, message) == (False, 0)


def test_a_late_refusal_of_the_first_try_clears_the_doubt(house: House) -> None:
    """Then only one of them was ever taken."""
    recourse = Recourse(elsewhere=True, uncertain=Uncertain.FAIL_OVER_ONCE)
    message = house.sending()
    house.record(house.answer(message, AnswerKind.UNCERTAIN, recourse=recourse))
    (claimed,) = house.claim()
    house.begin(claimed, number=2, carrier="south")
    house.refuse(message)
    assert repeated(house, message) == (False, 0)
