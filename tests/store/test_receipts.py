"""Room 5's contract for receipts: each one reaches the right message or the orphans, and is folded once."""

from functools import partial
from itertools import permutations, product

import pytest
from msgspec.structs import replace
from tests.store.house import HOUR, PRICE, URL, House

from bocau.core.ledger import EntryKind
from bocau.core.lifecycle import AttemptState, Event, State
from bocau.core.message import AnswerKind, AttemptKey, Message
from bocau.core.outcome import match_key
from bocau.store.contract import Sweep, Unreported

DELIVERED, UNDELIVERED = AttemptState.DELIVERED, AttemptState.UNDELIVERED
EXPIRED, UNKNOWN = AttemptState.EXPIRED, AttemptState.UNKNOWN
ENDS = {
    DELIVERED: State.DELIVERED,
    UNDELIVERED: State.FAILED,
    EXPIRED: State.EXPIRED,
    UNKNOWN: State.UNKNOWN,
}
REFUNDED = {UNDELIVERED, EXPIRED}


@pytest.fixture(autouse=True, params=[False, True], ids=["looked-up", "known"])
def _memory(house: House, request: pytest.FixtureRequest) -> None:
    """Hints come with the message as memory knows it, or without: it must make no difference."""
    house.remembers = request.param


def orphans(house: House) -> list[str]:
    """Ids of the receipts that matched nothing."""
    return [carrier_id for carrier_id, _ in house.engine.inspect().orphans]


def key(message: Message, part: int = 1, number: int = 1) -> AttemptKey:
    """An attempt as memory remembers it."""
    return AttemptKey(message.id, part, number)


# One part


@pytest.mark.parametrize("said", list(ENDS))
def test_a_receipt_ends_its_message(house: House, said: AttemptState) -> None:
    """Delivered, failed, expired or unknown; with the callback that became due."""
    message = house.sent("a1")
    house.later(1500)
    stored = house.report("a1", said)
    assert (stored.matched, stored.changed, stored.lag_ms) == (True, True, 1500)
    assert house.state(message) is ENDS[said]
    assert house.row(message).final_ms == house.now
    assert stored.callback is not None
    assert stored.callback.summary.state is ENDS[said]


@pytest.mark.parametrize("said", list(ENDS))
def test_a_receipt_settles_the_money(house: House, said: AttemptState) -> None:
    """Failed and expired give it back, delivered and unknown keep it (promises P24)."""
    message = house.sent("a1")
    house.report("a1", said)
    assert (EntryKind.RELEASE in house.money(message)) == (said in REFUNDED)
    assert house.balance() == 1000 * PRICE - (0 if said in REFUNDED else PRICE)


def test_the_carriers_reason_is_kept(house: House) -> None:
    """It stands on the message."""
    message = house.sent("a1")
    house.report("a1", UNDELIVERED)
    assert house.row(message).reason == "err:001"


def test_an_intermediate_receipt_changes_nothing(house: House) -> None:
    """Enroute, accepted: known, and no news."""
    message = house.sent("a1")
    stored = house.report("a1", None)
    assert (stored.matched, stored.changed, stored.callback) == (True, False, None)
    assert house.state(message) is State.SENT
    assert orphans(house) == []


@pytest.mark.parametrize("said", list(ENDS))
def test_a_repeated_receipt_changes_nothing(house: House, said: AttemptState) -> None:
    """Recorded and ignored; the money stays, no second callback (promises 4.4)."""
    message = house.sent("a1")
    house.report("a1", said)
    before, money = house.row(message), house.balance()
    house.later(HOUR)
    stored = house.report("a1", said)
    assert (stored.matched, stored.changed, stored.callback) == (True, False, None)
    assert house.row(message) == before
    assert house.balance() == money


RANK = {UNKNOWN: 0, UNDELIVERED: 1, EXPIRED: 1, DELIVERED: 2}


@pytest.mark.parametrize(("first", "second"), list(product(ENDS, ENDS)), ids=str)
def test_of_contradicting_receipts_the_higher_rank_counts(
    house: House, first: AttemptState, second: AttemptState
) -> None:
    """Unknown gives way to failed, failed to delivered, never back (promises 4.4)."""
    message = house.sent("a1")
    house.report("a1", first)
    stored = house.report("a1", second)
    higher = second if RANK[second] > RANK[first] else first
    assert house.state(message) is ENDS[higher]
    assert stored.changed == (higher is not first)
    assert stored.callback is None


def test_a_refund_once_given_stays(house: House) -> None:
    """Delivered after failed corrects the record, not the money."""
    message = house.sent("a1")
    house.report("a1", UNDELIVERED)
    house.report("a1", DELIVERED)
    assert house.state(message) is State.DELIVERED
    assert house.balance() == 1000 * PRICE


def test_failed_after_unknown_gives_the_money_back(house: House) -> None:
    """Unknown kept the charge; the truth releases it."""
    message = house.sent("a1")
    house.turn(message, Event.CLOSE)
    assert house.balance() == 999 * PRICE
    house.report("a1", UNDELIVERED)
    assert house.state(message) is State.FAILED
    assert house.balance() == 1000 * PRICE


def test_a_receipt_seven_days_late_corrects_an_unknown_message(house: House) -> None:
    """The record is put right; the customer was told once already."""
    message = house.sent("a1")
    house.turn(message, Event.CLOSE)
    house.later(7 * 24 * HOUR)
    assert house.report("a1").callback is None
    assert house.state(message) is State.DELIVERED


def test_receipts_of_one_transaction_keep_their_order(house: House) -> None:
    """Failed, then delivered, then failed again: delivered."""
    message = house.sent("a1")
    receipts = [house.receipt("a1", said) for said in (UNDELIVERED, DELIVERED, EXPIRED)]
    results = house.together(house.store.receipt, receipts)
    assert [getattr(result, "changed", None) for result in results] == [True, True, False]
    assert house.state(message) is State.DELIVERED


def test_a_receipt_finds_its_message_after_a_restart(house: House) -> None:
    """Nothing about it is only in memory."""
    message = house.sent("a1")
    house.crash()
    assert house.report("a1").changed
    assert house.state(message) is State.DELIVERED


# Which message


FORMS = [
    ("1a2b", "1a2b"),
    ("1a2b", "1A2B"),
    ("1A2B", "1a2b"),
    ("00001a2b", "1a2b"),
    ("1a2b", "00001A2B"),
    ("1a2b", "6699"),
    ("6699", "1a2b"),
    ("6699", "1A2B"),
    ("0x1a2b", "0X1A2B"),
    ("00006699", "00001A2B"),
    ("6699", "0000006699"),
    (" 6699", "6699 "),
    ("b7f3c2d8-41e0", "B7F3C2D8-41E0"),
    ("0", "000"),
    ("ffffffffffffffff", "18446744073709551615"),
]


@pytest.mark.parametrize(("answered", "reported"), FORMS)
def test_an_id_is_known_in_every_form(house: House, answered: str, reported: str) -> None:
    """Case, leading zeros and the base differ between answer and receipt (promises 4.3)."""
    message = house.sent(answered)
    assert house.report(reported).matched
    assert house.state(message) is State.DELIVERED


@pytest.mark.parametrize(("answered", "reported"), FORMS)
def test_an_id_is_known_in_every_form_when_the_receipt_comes_first(house: House, answered: str, reported: str) -> None:
    """Both orders come to the same (promises 4.2)."""
    message = house.sending()
    assert not house.report(reported).matched
    house.take(message, answered)
    assert house.state(message) is State.DELIVERED
    assert orphans(house) == []


def test_the_exact_form_comes_before_another_base(house: House) -> None:
    """Two messages to one phone, one with the id, one with the same number in the other base."""
    exact, other = house.sent("10"), house.sent("16")
    house.report("10")
    assert house.state(exact) is State.DELIVERED
    assert house.state(other) is State.SENT


def test_the_destination_must_match(house: House) -> None:
    """The right id for another phone is an orphan."""
    message = house.sent("a1")
    assert not house.report("a1", phone="0999999999").matched
    assert house.state(message) is State.SENT
    assert orphans(house) == ["a1"]


def test_a_receipt_without_a_destination_is_an_orphan(house: House) -> None:
    """It could be anybody's."""
    message = house.sent("a1")
    assert not house.report("a1", phone="").matched
    assert house.state(message) is State.SENT


def test_the_carrier_must_match(house: House) -> None:
    """Two carriers count in the same numbers."""
    message = house.sent("a1")
    assert not house.report("a1", carrier="south").matched
    assert house.state(message) is State.SENT


def test_the_destination_chooses_between_equal_ids(house: House) -> None:
    """A carrier that counts by destination network."""
    first, second = house.sent("a1"), house.sent("a1", phone="0911111111")
    house.report("a1", phone="0911111111")
    assert house.state(first) is State.SENT
    assert house.state(second) is State.DELIVERED


def test_two_candidates_are_none(house: House) -> None:
    """It is kept as an orphan, never guessed (promises 4.3)."""
    first, second = house.sent("a1"), house.sent("a1")
    assert not house.report("a1").matched
    assert (house.state(first), house.state(second)) == (State.SENT, State.SENT)
    assert orphans(house) == ["a1"]


def test_an_unknown_id_is_kept_as_an_orphan(house: House) -> None:
    """Never nothing (promises P7)."""
    stored = house.report("zz")
    assert (stored.matched, stored.changed, stored.callback, stored.lag_ms) == (False, False, None, 0)
    assert orphans(house) == ["zz"]


def test_a_refused_attempt_has_no_receipts(house: House) -> None:
    """It has no id to be found by."""
    message = house.sending()
    house.put_off(message)
    assert not house.report("").matched
    assert house.state(message) is State.QUEUED


# Hints


def test_a_true_hint_is_taken(house: House) -> None:
    """The quick way comes to the same."""
    message = house.sent("a1")
    stored = house.report("a1", hint=key(message))
    assert stored.changed
    assert house.state(message) is State.DELIVERED


def test_a_hint_chooses_between_two_candidates(house: House) -> None:
    """Memory knows which of two attempts got this id."""
    first, second = house.sent("a1"), house.sent("a1")
    house.report("a1", hint=key(second))
    assert (house.state(first), house.state(second)) == (State.SENT, State.DELIVERED)


def test_a_hint_at_a_message_to_another_phone_is_not_believed(house: House) -> None:
    """The receipt reaches the message it means."""
    lied, meant = house.sent("b2", phone="0911111111"), house.sent("a1")
    house.report("a1", hint=key(lied))
    assert (house.state(lied), house.state(meant)) == (State.SENT, State.DELIVERED)


@pytest.mark.parametrize("said", list(ENDS))
def test_a_hint_at_a_message_with_the_same_id_to_another_phone_is_not_believed(
    house: House, said: AttemptState
) -> None:
    """A carrier that counts by destination network, and a memory that mixes them up."""
    lied, meant = house.sent("a1", phone="0911111111"), house.sent("a1")
    house.report("a1", said, hint=key(lied))
    assert (house.state(lied), house.state(meant)) == (State.SENT, ENDS[said])


def test_a_hint_at_a_message_with_another_id_is_not_believed(house: House) -> None:
    """Same phone, same carrier, another id."""
    lied, meant = house.sent("b2"), house.sent("a1")
    house.report("a1", hint=key(lied))
    assert (house.state(lied), house.state(meant)) == (State.SENT, State.DELIVERED)


def test_a_hint_at_a_message_of_another_carrier_is_not_believed(house: House) -> None:
    """Ids are the carrier's own."""
    lied = house.sent("a1")
    assert not house.report("a1", hint=key(lied), carrier="south").matched
    assert house.state(lied) is State.SENT


def test_a_hint_at_no_message_is_harmless(house: House) -> None:
    """The index finds it."""
    message = house.sent("a1")
    assert house.report("a1", hint=AttemptKey(4711, 1, 1)).changed
    assert house.state(message) is State.DELIVERED


def test_a_repeat_with_a_hint_changes_nothing(house: House) -> None:
    """As without."""
    message = house.sent("a1")
    house.report("a1", hint=key(message))
    stored = house.report("a1", hint=key(message))
    assert (stored.matched, stored.changed) == (True, False)


# Many at once


def test_deliveries_with_hints_share_a_transaction(house: House) -> None:
    """The usual case: each ends its message and makes its callback."""
    messages = [house.sent(f"a{index}", url="" if index == 2 else URL) for index in range(5)]
    receipts = [house.receipt(f"a{index}", hint=key(message)) for index, message in enumerate(messages)]
    results = house.together(house.store.receipt, receipts)
    assert [getattr(result, "callback", None) is not None for result in results] == [True, True, False, True, True]
    assert {house.state(message) for message in messages} == {State.DELIVERED}
    assert house.balance() == 995 * PRICE
    assert [due.id for due in house.claim_callbacks()] == [messages[index].id for index in (0, 1, 3, 4)]


@pytest.mark.parametrize("count", [2, 24])
def test_a_lot_of_deliveries_keeps_what_each_said(house: House, count: int) -> None:
    """Receipts that share an error and a moment are written together; none gets those of another."""
    messages = [house.sent(f"a{index}") for index in range(count)]
    receipts = [
        replace(house.receipt(f"a{i}", hint=key(m)), error=f"00{i % 2}", at_ms=house.now + i // 9)
        for i, m in enumerate(messages)
    ]
    house.together(house.store.receipt, receipts)
    rows = [house.row(message) for message in messages]
    assert [(row.reason, row.final_ms) for row in rows] == [(f"00{i % 2}", house.now + i // 9) for i in range(count)]
    assert {row.state for row in rows} == {State.DELIVERED}


def test_the_callback_of_a_delivery_is_the_same_with_and_without_a_hint(house: House) -> None:
    """The quick way and the usual one."""
    quick, usual = house.sent("a1", request_id="r1"), house.sent("a2", request_id="r2")
    first = house.report("a1", hint=key(quick), hand_over=True).callback
    second = house.report("a2", hand_over=True).callback
    assert first is not None
    assert second is not None
    changed = replace(second, id=first.id, request_id="r1", summary=second.summary._replace(smsid=quick.smsid))
    assert first == changed
    none = {"id": 0, "head": 0, "smsid": "", "request_id": ""}
    assert replace(house.row(quick), **none) == replace(house.row(usual), **none)
    assert {row.owner for row in house.engine.inspect().callbacks.values()} == {house.store.epoch}


@pytest.mark.parametrize("order", list(permutations([None, DELIVERED, UNDELIVERED, DELIVERED])), ids=str)
def test_receipts_with_hints_keep_their_order_in_a_transaction(
    house: House, order: tuple[AttemptState | None, ...]
) -> None:
    """What comes later sees what came before, repeats and failures included."""
    message, other = house.sent("a1"), house.sent("b1")
    receipts = [house.receipt("a1", said, hint=key(message)) for said in order]
    receipts.insert(2, house.receipt("b1", hint=key(other)))
    results = house.together(house.store.receipt, receipts)
    assert house.state(message) is State.DELIVERED
    assert house.state(other) is State.DELIVERED
    assert sum(getattr(result, "callback", None) is not None for result in results) == 2
    failed_first = order.index(UNDELIVERED) < order.index(DELIVERED)
    assert house.balance() == (999 if failed_first else 998) * PRICE


def test_receivers_of_one_request_with_hints_are_told_once(house: House) -> None:
    """A request with several messages is not the usual case."""
    messages = house.accept_all(receivers=3, ours=True)
    for index, message in enumerate(messages):
        house.begin(message)
        house.take(message, f"a{index}")
    receipts = [house.receipt(f"a{i}", phone=m.phone, hint=key(m)) for i, m in enumerate(messages)]
    results = house.together(house.store.receipt, receipts)
    assert [getattr(result, "callback", None) is not None for result in results] == [False, False, True]


def test_parts_with_hints_are_folded(house: House) -> None:
    """A message in parts is not the usual case either."""
    message = two_parts(house)
    receipts = [house.receipt(f"p{part}", hint=key(message, part)) for part in (1, 2)]
    results = house.together(house.store.receipt, receipts)
    assert [getattr(result, "callback", None) is not None for result in results] == [False, True]
    assert house.state(message) is State.DELIVERED


@pytest.mark.parametrize("state", [State.SENDING, State.UNCERTAIN, State.QUEUED])
def test_a_hint_at_an_attempt_that_was_not_answered_is_an_orphan(house: House, state: State) -> None:
    """Without its answer nobody knows its id."""
    message = house.sending()
    if state is State.UNCERTAIN:
        house.lose(message)
    if state is State.QUEUED:
        house.put_off(message)
    assert not house.report("a1", hint=key(message)).matched
    assert house.state(message) is state


@pytest.mark.parametrize("end", [Event.CLOSE, None])
def test_a_delivery_with_a_hint_corrects_a_message_that_ended(house: House, end: Event | None) -> None:
    """Closed as unknown, or failed: no second callback, no second charge."""
    message = house.sent("a1")
    if end is None:
        house.report("a1", UNDELIVERED)
    else:
        house.turn(message, end)
    stored = house.report("a1", hint=key(message))
    assert (stored.changed, stored.callback) == (True, None)
    assert house.state(message) is State.DELIVERED


# Before the answer


@pytest.mark.parametrize("said", list(ENDS))
def test_a_receipt_before_its_answer_is_adopted(house: House, said: AttemptState) -> None:
    """It waits as an orphan; the answer brings the end and the callback."""
    message = house.sending()
    assert not house.report("a1", said).matched
    recorded = house.take(message, "a1")
    assert (recorded.state, recorded.adopted) == (ENDS[said], True)
    assert recorded.callback is not None
    assert house.state(message) is ENDS[said]
    assert orphans(house) == []


def test_an_early_receipt_settles_the_money(house: House) -> None:
    """Captured and released."""
    message = house.sending()
    house.report("a1", UNDELIVERED)
    house.take(message, "a1")
    assert house.money(message) == {EntryKind.HOLD, EntryKind.CAPTURE, EntryKind.RELEASE}
    assert house.balance() == 1000 * PRICE


def test_an_early_receipt_is_adopted_in_the_same_transaction(house: House) -> None:
    """Answer and receipt of one turn of the loop."""
    message = house.sending()
    answer = house.answer(message, AnswerKind.TAKEN, "a1")
    receipt = house.receipt("a1")
    house.mixed(partial(house.store.receipt, receipt), partial(house.store.record, answer))
    assert house.state(message) is State.DELIVERED
    assert orphans(house) == []


def test_an_early_receipt_settles_an_uncertain_message(house: House) -> None:
    """Once the late answer names the id."""
    message = house.sending()
    house.lose(message)
    house.report("a1")
    house.take(message, "a1")
    assert house.state(message) is State.DELIVERED


def test_early_receipts_that_contradict_are_ranked(house: House) -> None:
    """All of them are used up."""
    message = house.sending()
    for said in (None, UNKNOWN, DELIVERED, UNDELIVERED, DELIVERED):
        house.report("a1", said)
    assert house.take(message, "a1").state is State.DELIVERED
    assert orphans(house) == []


def test_an_early_intermediate_receipt_is_no_end(house: House) -> None:
    """It is used up, and the message is sent."""
    message = house.sending()
    house.report("a1", None)
    assert house.take(message, "a1").state is State.SENT
    assert house.state(message) is State.SENT
    assert orphans(house) == []


def test_an_orphan_for_another_phone_is_left_alone(house: House) -> None:
    """The same id, not the same message."""
    message = house.sending()
    house.report("a1", phone="0999999999")
    house.take(message, "a1")
    assert house.state(message) is State.SENT
    assert orphans(house) == ["a1"]


def test_an_orphan_of_another_carrier_is_left_alone(house: House) -> None:
    """Carriers count for themselves."""
    message = house.sending()
    house.report("a1", carrier="south")
    house.take(message, "a1")
    assert house.state(message) is State.SENT


def test_an_orphan_survives_a_restart(house: House) -> None:
    """And is adopted after it."""
    message = house.sending()
    house.report("a1")
    house.crash()
    house.take(message, "a1")
    assert house.state(message) is State.DELIVERED


# Several parts


PAIRS = {
    frozenset({DELIVERED}): State.DELIVERED,
    frozenset({UNDELIVERED}): State.FAILED,
    frozenset({EXPIRED}): State.EXPIRED,
    frozenset({UNKNOWN}): State.UNKNOWN,
    frozenset({DELIVERED, UNDELIVERED}): State.FAILED,
    frozenset({DELIVERED, EXPIRED}): State.EXPIRED,
    frozenset({DELIVERED, UNKNOWN}): State.UNKNOWN,
    frozenset({UNDELIVERED, UNKNOWN}): State.FAILED,
    frozenset({EXPIRED, UNKNOWN}): State.EXPIRED,
}


def two_parts(house: House) -> Message:
    """A message in two parts that the carrier has, as p1 and p2."""
    message = house.sending(parts=2)
    house.take(message, "p1", part=1)
    house.take(message, "p2", part=2)
    return message


@pytest.mark.parametrize(("first", "second"), list(product(ENDS, ENDS)), ids=str)
def test_two_parts_are_folded(house: House, first: AttemptState, second: AttemptState) -> None:
    """Delivered if all are, failed if any is; the first failure ends it."""
    message = two_parts(house)
    told = [house.report("p1", first).callback, house.report("p2", second).callback]
    said = frozenset({first, second})
    expected = PAIRS.get(said, ENDS[first])
    assert house.state(message) is expected
    assert sum(callback is not None for callback in told) == 1


def test_one_delivered_part_is_not_the_message(house: House) -> None:
    """It is sent until the other one arrives."""
    message = two_parts(house)
    assert house.report("p1").callback is None
    assert house.state(message) is State.SENT
    assert house.report("p2").callback is not None
    assert house.state(message) is State.DELIVERED


def test_a_failed_part_that_arrived_after_all_corrects_the_message(house: House) -> None:
    """Once every part is delivered."""
    message = two_parts(house)
    house.report("p1", UNDELIVERED)
    house.report("p2")
    assert house.state(message) is State.FAILED
    house.report("p1")
    assert house.state(message) is State.DELIVERED


@pytest.mark.parametrize("order", list(permutations(["p1", "p2", "p3"])), ids="-".join)
def test_three_parts_arrive_in_every_order(house: House, order: tuple[str, ...]) -> None:
    """The last one makes the message delivered."""
    message = house.sending(parts=3)
    for part in (1, 2, 3):
        house.take(message, f"p{part}", part=part)
    ends = [house.report(carrier_id).callback is not None for carrier_id in order]
    assert ends == [False, False, True]
    assert house.state(message) is State.DELIVERED


def test_an_early_receipt_of_the_last_part_leaves_the_message_sent(house: House) -> None:
    """All parts are taken, one of them is delivered already."""
    message = house.sending(parts=2)
    house.take(message, "p1", part=1)
    house.report("p2")
    assert house.take(message, "p2", part=2).state is State.SENT
    assert house.state(message) is State.SENT
    house.report("p1")
    assert house.state(message) is State.DELIVERED


def test_early_receipts_of_every_part_end_the_message(house: House) -> None:
    """With the last answer."""
    message = house.sending(parts=2)
    house.report("p1")
    house.report("p2")
    house.take(message, "p1", part=1)
    recorded = house.take(message, "p2", part=2)
    assert recorded.state is State.DELIVERED
    assert recorded.callback is not None


def test_an_early_failure_of_one_part_ends_the_message(house: House) -> None:
    """While the other one still is out."""
    message = house.sending(parts=2)
    house.report("p1", UNDELIVERED)
    recorded = house.take(message, "p1", part=1)
    assert recorded.state is State.FAILED
    assert recorded.callback is not None
    assert house.take(message, "p2", part=2).state is None


def test_a_failed_part_ends_a_message_that_waits_for_its_other_part(house: House) -> None:
    """What cannot be read any more is not sent on."""
    message = house.sending(parts=2)
    house.take(message, "p1", part=1)
    house.put_off(message, part=2)
    house.report("p1", UNDELIVERED)
    house.later(1000)
    assert house.state(message) is State.FAILED
    assert house.claim() == []


def test_an_expired_part_ends_a_message_that_waits_for_its_other_part(house: House) -> None:
    """The same for a part that expired at the carrier."""
    message = house.sending(parts=2)
    house.take(message, "p1", part=1)
    house.put_off(message, part=2)
    house.report("p1", EXPIRED)
    house.later(1000)
    assert house.state(message) is State.EXPIRED
    assert house.claim() == []


def test_a_delivered_part_leaves_the_other_to_be_tried_again(house: House) -> None:
    """Good news of one part is no reason to stop."""
    message = house.sending(parts=2)
    house.take(message, "p1", part=1)
    house.put_off(message, part=2)
    house.report("p1")
    house.later(1000)
    (claimed,) = house.claim()
    house.begin(claimed, parts=(2,), number=2)
    house.take(message, "p2", part=2, number=2)
    assert house.report("p2").callback is not None
    assert house.state(message) is State.DELIVERED


def test_the_match_key_of_a_form_is_itself() -> None:
    """The store may derive the forms of a key again."""
    for answered, _ in FORMS:
        assert match_key(match_key(answered)) == match_key(answered)


def test_what_a_carrier_has_not_reported_on_is_told(house: House) -> None:
    """Taken and open, of that carrier alone: a start asks about it again."""
    open_, ended = house.sending(), house.sending()
    house.take(open_, "a1")
    house.take(ended, "a2")
    house.report("a2")
    house.sending()
    found = house.run(house.store.unreported("north", 10))
    assert found == [Unreported(AttemptKey(open_.id, 1, 1), house.account, open_.phone, "a1")]
    assert house.run(house.store.unreported("south", 10)) == []


EXTRAS = b"\x14\x03\x00\x0545204"


def extras(house: House, message: Message) -> list[bytes]:
    """What is told of the carrier's own parameters, attempt by attempt."""
    story = house.run(house.store.story(message.smsid))
    assert story is not None
    return [attempt.extras for attempt in story.attempts]


@pytest.mark.parametrize("way", ["hinted", "looked up", "twice", "intermediate"])
def test_what_a_carrier_adds_of_its_own_is_kept(house: House, way: str) -> None:
    """However its receipt found the attempt, and whatever it said of it; the newest that has any counts."""
    message = house.sent("a1")
    hint = AttemptKey(message.id, 1, 1) if way == "hinted" else None
    state = None if way == "intermediate" else AttemptState.DELIVERED
    if way == "twice":
        house.report("a1")
    receipt = replace(house.receipt("a1", state, hint=hint), extras=EXTRAS)
    house.one(house.store.receipt, receipt)
    house.report("a1")
    assert extras(house, message) == [EXTRAS]


@pytest.mark.parametrize("way", ["before its answer", "looked at again"])
def test_what_a_carrier_adds_waits_with_its_receipt(house: House, way: str) -> None:
    """An orphan keeps it until its message is found."""
    message = house.sending()
    early = replace(house.receipt("a1" if way == "before its answer" else "zz"), extras=EXTRAS)
    if way == "before its answer":
        house.one(house.store.receipt, early)
        house.take(message, "a1")
    else:
        house.lose(message)
        house.one(house.store.receipt, replace(early, sender="BOCAU", submitted_ms=house.now))
        house.later(60_000)
        assert house.run(house.store.rematch(Sweep(house.now, 60_000, 60_000, 10))).inferred == 1
    assert extras(house, message) == [EXTRAS]
