"""Kept receipts that find their attempt late, or can only be about one whose answer was lost (promises 4.1, 4.3)."""

import pytest
from msgspec.structs import replace
from tests.store.house import HOUR, NOON, House

from bocau.core.lifecycle import AttemptState, Event, State
from bocau.core.message import AttemptKey, Message, ReceiptIn
from bocau.core.outcome import attempt_reference
from bocau.store.contract import Rematched, Sweep

SENDER = "BOCAU"


def orphan(house: House, carrier_id: str = "77", /, **values: object) -> ReceiptIn:
    """A receipt as a link gives it: with its sender and its date."""
    receipt = replace(house.receipt(carrier_id), sender=SENDER, submitted_ms=house.now)
    return replace(receipt, **values)


def keep(house: House, receipt: ReceiptIn) -> None:
    """It matches nothing yet."""
    assert not house.one(house.store.receipt, receipt).matched


def sweep(house: House, limit: int = 100) -> Rematched:
    """As the schedule does, with answers awaited for 10 s."""
    return house.run(house.store.rematch(Sweep(house.now - 20_000, 120_000, 130_000, limit)))


def lost(house: House) -> Message:
    """A message whose answer never came."""
    message = house.sending()
    house.lose(message)
    return message


def test_a_receipt_is_tied_to_the_only_lost_submission_it_can_be_about(house: House) -> None:
    """Carrier account, destination, sender and date fit, and nothing else does: the message ends, once, marked."""
    message = lost(house)
    keep(house, orphan(house))
    house.later(30_000)
    assert sweep(house) == Rematched(0, 1, True)
    assert house.state(message) is State.DELIVERED
    assert house.engine.inspect().orphans == []
    assert sweep(house) == Rematched(0, 0, False)
    assert house.one(house.store.receipt, house.receipt("77")).matched


def test_a_young_receipt_waits(house: House) -> None:
    """It may be of a submission that is not answered yet."""
    message = lost(house)
    keep(house, orphan(house))
    house.later(19_000)
    assert sweep(house) == Rematched(0, 0, False)
    assert house.state(message) is State.UNCERTAIN


@pytest.mark.parametrize(
    "odd",
    [
        {"carrier": "south"},
        {"phone": "0907654321"},
        {"sender": "Another"},
        {"sender": ""},
        {"submitted_ms": None},
        {"submitted_ms": NOON - 121_000},
        {"submitted_ms": NOON + 131_000},
        {"state": None},
    ],
    ids=str,
)
def test_a_receipt_that_fits_in_all_but_one_thing_is_not_tied(house: House, odd: dict[str, object]) -> None:
    """A guess would tell a customer what happened to another message."""
    message = lost(house)
    keep(house, orphan(house, **odd))
    house.later(60_000)
    assert sweep(house) == Rematched(0, 0, False)
    assert house.state(message) is State.UNCERTAIN
    assert len(house.engine.inspect().orphans) == 1


def test_two_candidates_are_none(house: House) -> None:
    """Two codes to one phone in one minute: the receipt stays where it is, and both messages too."""
    first, second = lost(house), lost(house)
    keep(house, orphan(house))
    house.later(60_000)
    assert sweep(house) == Rematched(0, 0, False)
    assert (house.state(first), house.state(second)) == (State.UNCERTAIN, State.UNCERTAIN)


def test_an_echoed_reference_tells_two_candidates_apart(house: House) -> None:
    """No date and no sender are needed then."""
    first, second = lost(house), lost(house)
    reference = attempt_reference(AttemptKey(second.id, 1, 1))
    keep(house, orphan(house, reference=reference, sender="", submitted_ms=None))
    house.later(60_000)
    assert sweep(house) == Rematched(0, 1, True)
    assert (house.state(first), house.state(second)) == (State.UNCERTAIN, State.DELIVERED)


def test_an_echo_of_another_s_reference_is_believed_too(house: House) -> None:
    """Whatever else fits, it is about something else."""
    message = lost(house)
    reference = attempt_reference(AttemptKey(message.id, 1, 1)) ^ 1
    keep(house, orphan(house, reference=reference))
    house.later(60_000)
    assert sweep(house) == Rematched(0, 0, False)


def test_a_submission_that_was_answered_is_no_candidate(house: House) -> None:
    """Its id is known, and it is another."""
    house.sent("99")
    keep(house, orphan(house))
    house.later(60_000)
    assert sweep(house) == Rematched(0, 0, False)


def test_a_message_closed_as_unknown_is_corrected(house: House) -> None:
    """Late, but the truth (promises 4.1)."""
    message = lost(house)
    keep(house, orphan(house, state=AttemptState.UNDELIVERED))
    house.turn(message, Event.CLOSE)
    assert house.state(message) is State.UNKNOWN
    house.later(60_000)
    assert sweep(house).inferred == 1
    assert house.state(message) is State.FAILED


def test_a_late_answer_after_an_inference_changes_nothing(house: House) -> None:
    """F21 meets 4.1: the message stays delivered, and the money is taken once."""
    message = lost(house)
    keep(house, orphan(house))
    house.later(60_000)
    sweep(house)
    house.take(message, "77")
    assert house.state(message) is State.DELIVERED


def test_a_receipt_that_came_in_another_base_is_found_when_it_is_looked_at_again(house: House) -> None:
    """Kept although its attempt was there: two fitted it then, and one has gone since."""
    keep(house, orphan(house, "1f"))
    message = house.sent("31", phone="0900000009")
    assert house.state(message) is State.SENT
    house.later(60_000)
    assert sweep(house) == Rematched(0, 0, False)
    assert len(house.engine.inspect().orphans) == 1


def test_while_the_form_of_ids_is_unknown_two_forms_that_fit_are_none(house: House) -> None:
    """10 may be itself, or the hexadecimal of 16: both went to this phone. The rule, once known, decides."""
    first, second = house.sent("10"), house.sent("16")
    unsure = replace(house.receipt("10"), sure=False)
    assert not house.one(house.store.receipt, unsure).matched
    assert (house.state(first), house.state(second)) == (State.SENT, State.SENT)
    hexadecimal = replace(house.receipt("10"), match_keys=("16", "10", "a"))
    stored = house.one(house.store.receipt, hexadecimal)
    assert (stored.matched, stored.match_key) == (True, "16")
    assert (house.state(first), house.state(second)) == (State.SENT, State.DELIVERED)


def test_the_sweep_goes_round_however_many_are_kept(house: House) -> None:
    """A few at a time, and from the beginning again."""
    for number in range(5):
        keep(house, orphan(house, f"x{number}", phone=f"09011111{number:02}"))
    house.later(30_000)
    message = lost(house)
    keep(house, orphan(house, "77"))
    house.later(30_000)
    assert [sweep(house, 2).inferred for _ in range(4)] == [0, 0, 1, 0]
    assert house.state(message) is State.DELIVERED


def test_seven_days_are_waited(house: House) -> None:
    """P7: a receipt that comes first, and its answer a week later."""
    message = house.sending()
    house.lose(message)
    keep(house, orphan(house, sender=""))
    for _ in range(6):
        house.later(24 * HOUR)
        house.run(house.store.prune(house.now, 1000))
        assert sweep(house) == Rematched(0, 0, False)
    house.take(message, "77")
    assert house.state(message) is State.DELIVERED


def test_what_was_learned_about_ids_outlives_a_restart(house: House) -> None:
    """The newest word of each carrier account counts."""
    for form in ("same", "receipt_hex"):
        house.one(house.store.learn_ids, "north", form, house.now)
    house.one(house.store.learn_ids, "south", "same", house.now)
    house.reopen()
    assert house.run(house.store.id_forms()) == {"north": "receipt_hex", "south": "same"}


@pytest.mark.parametrize("end", ["receipt", "refusal"])
def test_a_part_that_nobody_waits_for_any_more_is_found_by_its_receipt(house: House, end: str) -> None:
    """Its message failed by another part while it was on its way, and then the process died: its own answer is lost."""
    message = house.sending(parts=2)
    if end == "receipt":
        house.take(message, "a1", part=1)
        house.report("a1", AttemptState.UNDELIVERED)
    else:
        house.refuse(message, part=1)
    assert house.state(message) is State.FAILED
    assert house.attempts(message)[2, 1] is AttemptState.UNCERTAIN
    house.crash()
    keep(house, orphan(house))
    house.later(60_000)
    assert sweep(house).inferred == 1
    assert house.attempts(message)[2, 1] is AttemptState.DELIVERED
    assert house.state(message) is State.FAILED


def test_a_late_answer_still_settles_a_part_that_nobody_waits_for(house: House) -> None:
    """As long as the process lives it comes within moments."""
    message = house.sending(parts=2)
    house.take(message, "a1", part=1)
    house.report("a1", AttemptState.UNDELIVERED)
    house.take(message, "a2", part=2)
    assert house.attempts(message)[2, 1] is AttemptState.TAKEN
    house.report("a2")
    assert house.attempts(message)[2, 1] is AttemptState.DELIVERED
