"""Room 1's contract: a request is stored whole or not at all, its RequestId counts once, its money is there."""

from collections.abc import Callable

import pytest
from tests.store.house import HOUR, PRICE, House

from bocau.core.ledger import EntryKind
from bocau.core.lifecycle import State
from bocau.core.message import Admitted, Duplicate, NoBalance
from bocau.store.contract import StoreFault

DAY = 24 * HOUR


def test_an_accepted_message_is_stored_as_it_was_given(house: House) -> None:
    """Every field comes back, Vietnamese letters included."""
    message = house.accept(request_id="r1")
    assert house.row(message) == message


def test_accepting_holds_the_price(house: House) -> None:
    """The hold leaves the balance at once."""
    before = house.balance()
    message = house.accept()
    assert house.balance() == before - PRICE
    assert house.money(message) == {EntryKind.HOLD}


def test_a_message_without_a_price_holds_nothing(house: House) -> None:
    """A free message has no line of money."""
    before = house.balance()
    message = house.accept(price=0)
    assert house.balance() == before
    assert house.money(message) == set()


def test_several_receivers_become_several_messages_of_one_request(house: House) -> None:
    """One SMSID, one head, one hold each."""
    messages = house.accept_all(receivers=3)
    stored = [house.row(message) for message in messages]
    assert {row.smsid for row in stored} == {messages[0].smsid}
    assert {row.head for row in stored} == {messages[0].id}
    assert house.balance() == 1000 * PRICE - 3 * PRICE


def test_a_request_that_cannot_be_paid_stores_nothing(house: House) -> None:
    """No message, no hold, no RequestId (103)."""
    poor = house.new_account("poor", PRICE - 1)
    refused = house.admit(house.draft(account=poor, request_id="r1"))
    assert refused == NoBalance(PRICE - 1)
    inside = house.engine.inspect()
    assert not inside.messages
    assert not inside.request_keys
    assert house.balance(poor) == PRICE - 1


def test_a_refused_request_does_not_consume_its_request_id(house: House) -> None:
    """After a top-up the same RequestId is accepted."""
    poor = house.new_account("poor", 0)
    assert isinstance(house.admit(house.draft(account=poor, request_id="r1")), NoBalance)
    house.run(house.store.top_up(poor, PRICE, "paid", house.now))
    house.accept(account=poor, request_id="r1")


def test_a_request_for_several_receivers_is_all_or_nothing(house: House) -> None:
    """Money for two of three sends none."""
    poor = house.new_account("poor", 2 * PRICE)
    assert isinstance(house.admit(house.draft(account=poor, receivers=3)), NoBalance)
    assert not house.engine.inspect().messages


def test_a_balance_may_be_spent_exactly(house: House) -> None:
    """The last unit counts."""
    exact = house.new_account("exact", PRICE)
    house.accept(account=exact)
    assert house.balance(exact) == 0


def test_a_balance_may_sink_to_the_credit_limit_and_no_further(house: House) -> None:
    """Credit is money too, to the last unit."""
    account = house.new_account("credit", 0)
    house.run(house.store.set_credit_limit(account, PRICE))
    house.accept(account=account)
    assert house.balance(account) == -PRICE
    assert house.admit(house.draft(account=account, price=1)) == NoBalance(-PRICE)


def test_two_requests_in_one_transaction_race_for_the_last_unit(house: House) -> None:
    """Exactly one of them gets it (promises P23)."""
    account = house.new_account("last", PRICE)
    first, second = house.draft(account=account), house.draft(account=account)
    assert house.admit_together(first, second) == [Admitted(first), NoBalance(0)]
    assert house.balance(account) == 0


def test_fifty_requests_race_for_seven_units(house: House) -> None:
    """However they are joined into transactions, the money decides."""
    account = house.new_account("fifty", 7 * PRICE)
    results = house.admit_together(*[house.draft(account=account) for _ in range(50)])
    assert sum(isinstance(result, Admitted) for result in results) == 7
    assert house.balance(account) == 0


def test_the_smaller_request_may_pass_where_the_larger_did_not(house: House) -> None:
    """A refused request leaves no trace in the sum of its transaction."""
    account = house.new_account("mixed", 2 * PRICE)
    large, small = house.draft(account=account, receivers=3), house.draft(account=account, receivers=2)
    assert house.admit_together(large, small) == [NoBalance(2 * PRICE), Admitted(small)]


def test_one_accounts_money_is_not_anothers(house: House) -> None:
    """Holds are counted by account inside a transaction too."""
    a, b = house.new_account("a", PRICE), house.new_account("b", PRICE)
    results = house.admit_together(house.draft(account=a), house.draft(account=b), house.draft(account=a))
    assert [type(result) for result in results] == [Admitted, Admitted, NoBalance]
    assert (house.balance(a), house.balance(b)) == (0, 0)


def test_an_account_that_is_not_there_is_a_fault_of_that_request_alone(house: House) -> None:
    """The others of the transaction go through."""
    good, bad = house.draft(), house.draft(account=4711)
    admitted, fault = house.admit_together(good, bad)
    assert admitted == Admitted(good)
    assert isinstance(fault, StoreFault)


# RequestId


def test_a_request_id_blocks_its_repeat(house: House) -> None:
    """The duplicate names the first SMSID and how far it is."""
    first = house.accept(request_id="r1")
    again = house.admit(house.draft(request_id="r1"))
    assert isinstance(again, Duplicate)
    assert again.smsid == first.smsid
    assert again.summary.state is State.QUEUED
    assert again.summary.price == PRICE


def test_a_duplicate_costs_nothing(house: House) -> None:
    """No second message, no second hold."""
    house.accept(request_id="r1")
    before = house.balance()
    house.admit(house.draft(request_id="r1"))
    assert house.balance() == before
    assert len(house.engine.inspect().messages) == 1


def test_the_first_of_two_equal_request_ids_in_one_transaction_wins(house: House) -> None:
    """The other one is told about it, though nothing is committed yet."""
    first, second = house.draft(request_id="r1"), house.draft(request_id="r1")
    admitted, duplicate = house.admit_together(first, second)
    assert admitted == Admitted(first)
    assert isinstance(duplicate, Duplicate)
    assert duplicate.smsid == first.messages[0].smsid
    assert duplicate.summary.state is State.QUEUED


def test_of_fifty_equal_request_ids_one_is_accepted(house: House) -> None:
    """Promises P3."""
    results = house.admit_together(*[house.draft(request_id="r1") for _ in range(50)])
    assert [type(result) for result in results] == [Admitted] + [Duplicate] * 49


def test_a_request_id_that_was_not_paid_for_is_free_for_the_next_in_the_same_transaction(house: House) -> None:
    """The first of two fails for money; the second, cheaper one is accepted under the same id."""
    account = house.new_account("poor", PRICE)
    dear = house.draft(account=account, request_id="r1", price=2 * PRICE)
    cheap = house.draft(account=account, request_id="r1")
    assert house.admit_together(dear, cheap) == [NoBalance(PRICE), Admitted(cheap)]


@pytest.mark.parametrize("other", ["R1", "r1 ", "r 1", "ｒ1", "r1\u0301"])
def test_request_ids_are_compared_exactly(house: House, other: str) -> None:
    """Case, spaces, width and marks make another id."""
    house.accept(request_id="r1")
    house.accept(request_id=other)


def test_a_request_id_is_its_accounts_own(house: House) -> None:
    """Two customers may use the same one."""
    other = house.new_account("other", PRICE)
    house.accept(request_id="r1")
    house.accept(account=other, request_id="r1")


def test_an_empty_request_id_blocks_nothing(house: House) -> None:
    """No id, no check."""
    house.accept()
    house.accept()


@pytest.mark.parametrize(("age", "blocked"), [(0, True), (DAY - 1, True), (DAY, False), (DAY + 1, False)])
def test_a_request_id_blocks_for_24_hours_to_the_millisecond(house: House, age: int, blocked: bool) -> None:
    """At the edge it is free."""
    house.accept(request_id="r1")
    house.later(age)
    assert isinstance(house.admit(house.draft(request_id="r1")), Duplicate if blocked else Admitted)


def test_a_request_id_taken_again_blocks_for_24_hours_from_then(house: House) -> None:
    """The window follows the newest acceptance."""
    house.accept(request_id="r1")
    house.later(DAY)
    second = house.accept(request_id="r1")
    house.later(DAY - 1)
    again = house.admit(house.draft(request_id="r1"))
    assert isinstance(again, Duplicate)
    assert again.smsid == second.smsid


def test_a_clock_set_back_does_not_shorten_the_window(house: House) -> None:
    """A key from the future blocks."""
    house.accept(request_id="r1")
    house.later(-HOUR)
    assert isinstance(house.admit(house.draft(request_id="r1")), Duplicate)


def test_a_duplicate_shows_how_far_the_first_request_is_now(house: House) -> None:
    """The summary is read, not remembered."""
    house.sent("a1", request_id="r1")
    house.report("a1")
    again = house.admit(house.draft(request_id="r1"))
    assert isinstance(again, Duplicate)
    assert again.summary.state is State.DELIVERED
    assert again.summary.succeeded == 1


def test_seen_tells_the_holder_of_a_request_id(house: House) -> None:
    """What the door asks before it checks anything else."""
    first = house.accept(request_id="r1")
    found = house.run(house.store.seen(house.account, "r1", house.now))
    assert found is not None
    assert found.smsid == first.smsid


@pytest.mark.parametrize(("age", "blocked"), [(DAY - 1, True), (DAY, False)])
def test_seen_forgets_at_the_edge_of_the_window(house: House, age: int, blocked: bool) -> None:
    """The same edge as in the transaction."""
    house.accept(request_id="r1")
    assert (house.run(house.store.seen(house.account, "r1", house.now + age)) is not None) == blocked


def test_seen_keeps_accounts_apart(house: House) -> None:
    """Another account's RequestId is unknown."""
    house.accept(request_id="r1")
    other = house.new_account("other", 0)
    assert house.run(house.store.seen(other, "r1", house.now)) is None


# A message that is stored rejected (146)


def test_a_rejected_message_is_stored_without_a_hold(house: House) -> None:
    """It can be queried, and costs nothing."""
    before = house.balance()
    message = house.accept(state=State.REJECTED)
    assert house.balance() == before
    assert house.money(message) == set()
    assert house.state(message) is State.REJECTED


def test_a_rejected_message_does_not_consume_its_request_id(house: House) -> None:
    """The corrected request goes through under the same id."""
    house.accept(state=State.REJECTED, request_id="r1")
    house.accept(request_id="r1")


def test_a_rejected_message_needs_no_balance(house: House) -> None:
    """An empty account may be told what is wrong with its text."""
    poor = house.new_account("poor", 0)
    house.accept(account=poor, state=State.REJECTED)


def test_a_rejected_message_is_never_claimed(house: House) -> None:
    """It is over before it began."""
    house.accept(state=State.REJECTED)
    house.later(HOUR)
    assert house.claim() == []
    assert house.run(house.store.waking(house.now, 10)) == []


def test_a_rejected_request_has_a_summary(house: House) -> None:
    """One failed receiver, nothing charged."""
    message = house.accept(state=State.REJECTED)
    summary = house.run(house.store.summary(house.account, message.smsid, 0))
    assert summary is not None
    assert (summary.state, summary.failed, summary.price) == (State.REJECTED, 1, 0)


# Summaries


def test_a_request_is_as_far_as_its_slowest_receiver(house: House) -> None:
    """Counts over the messages, the state of the least advanced."""
    first, second = house.accept_all(receivers=2, ours=True)
    house.begin(first)
    house.take(first, "a1")
    house.report("a1")
    summary = house.run(house.store.summary(house.account, first.smsid, 0))
    assert summary is not None
    assert (summary.state, summary.receivers, summary.sent, summary.succeeded) == (State.QUEUED, 2, 1, 1)
    house.begin(second)
    house.refuse(second)
    summary = house.run(house.store.summary(house.account, first.smsid, 0))
    assert summary is not None
    assert (summary.state, summary.succeeded, summary.failed, summary.price) == (State.FAILED, 1, 1, PRICE)


def test_dropped_receivers_count_as_failed(house: House) -> None:
    """The request named three, one remained."""
    message = house.accept(dropped=2)
    summary = house.run(house.store.summary(house.account, message.smsid, 0))
    assert summary is not None
    assert (summary.receivers, summary.failed, summary.price) == (3, 2, PRICE)


def test_an_smsid_is_found_in_any_case(house: House) -> None:
    """Clients upper-case it."""
    message = house.accept()
    assert house.run(house.store.summary(house.account, message.smsid.upper(), 0)) is not None


def test_another_accounts_smsid_is_unknown(house: House) -> None:
    """Exactly like one that does not exist (promises S3)."""
    message = house.accept()
    other = house.new_account("other", 0)
    assert house.run(house.store.summary(other, message.smsid, 0)) is None


@pytest.mark.parametrize("change", [lambda s: s[:-1], lambda s: s[:16] + "0" * 16 + s[32:], lambda s: "z" + s[1:]])
def test_an_smsid_that_is_not_whole_is_unknown(house: House, change: Callable[[str], str]) -> None:
    """The random half counts too: an SMSID cannot be guessed from the time."""
    message = house.accept()
    wrong = change(message.smsid)
    assert house.run(house.store.summary(house.account, wrong, 0)) is None


def test_a_request_older_than_asked_for_is_unknown(house: House) -> None:
    """The status query looks back a limited time."""
    message = house.accept()
    assert house.run(house.store.summary(house.account, message.smsid, house.now)) is not None
    assert house.run(house.store.summary(house.account, message.smsid, house.now + 1)) is None


def test_the_second_message_of_a_request_is_no_request(house: House) -> None:
    """Only the head's id stands in an SMSID."""
    first, second = house.accept_all(receivers=2)
    forged = f"{second.id:016x}{first.smsid[16:]}"
    assert house.run(house.store.summary(house.account, forged, 0)) is None


def test_ids_go_on_after_a_restart(house: House) -> None:
    """The largest id used is known, so that a clock set back repeats none."""
    messages = house.accept_all(receivers=3)
    house.reopen()
    assert house.store.last_message_id == messages[-1].id
