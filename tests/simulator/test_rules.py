"""What the carrier decides, without a carrier."""

import random

import pytest
from tests.simulator.stage import sms

from bocau.simulator.rules import MAGIC, OTHER, Act, Answer, ReceiptDue, Row, Rules, magic_table
from bocau.wire.smpp.receipt import ReceiptState
from bocau.wire.smpp.status import Status

_CHANCE = random.Random(1)


def test_the_table_for_people_has_every_row_in_one_line() -> None:
    """Endings are four digits, the rest comes last."""
    table = magic_table()
    assert [ending for ending, _ in table] == [*(f"{number:04}" for number in range(29)), OTHER]
    assert all(meaning and "\n" not in meaning for _, meaning in table)


def test_the_ordinary_delay_is_filled_in() -> None:
    """Rows that say no time of their own follow the rules' delay, others do not."""
    rules = Rules(delay_seconds=5)
    (due,) = rules.plan(sms("0000"), "acme", 1, _CHANCE).receipts
    assert due.after_seconds == 5
    (due,) = rules.plan(sms("0001"), "acme", 1, _CHANCE).receipts
    assert due.after_seconds == 2


@pytest.mark.parametrize("ending", list(MAGIC))
@pytest.mark.parametrize("count", range(1, 7))
def test_only_what_is_taken_is_shown_and_receipted(ending: str, count: int) -> None:
    """A plan never promises anything for a message that it does not take."""
    plan = Rules().plan(sms(ending[-4:]), "acme", count, _CHANCE)
    assert plan.answer.taken or not (plan.shown or plan.receipts)
    assert all(due.after_seconds is not None for due in plan.receipts)


def test_the_first_tries_have_answers_of_their_own() -> None:
    """In the order of the row, and the row's answer afterwards."""
    row = Row("stubborn", first=(Answer(status=Status.QUEUE_FULL), Answer(Act.DISCONNECT), Answer(Act.SILENCE)))
    rules = Rules(table={OTHER: row})
    answers = [rules.plan(sms(), "acme", count, _CHANCE).answer for count in range(1, 6)]
    assert answers == [*row.first, Answer(), Answer()]


def test_a_row_for_one_part_leaves_the_others_alone() -> None:
    """The second part fails, the first and the third do not."""
    states = []
    for part in (1, 2, 3):
        submit = sms("0015", esm_class=0x40, short_message=bytes((5, 0, 3, 1, 3, part)) + b"text")
        states.append(Rules().plan(submit, "acme", 1, _CHANCE).receipts[0].state)
    assert states == [ReceiptState.DELIVERED, ReceiptState.UNDELIVERED, ReceiptState.DELIVERED]


def test_chance_leaves_refusals_alone() -> None:
    """System errors come in the place of success only."""
    rules = Rules(system_errors=1)
    assert rules.plan(sms("0009"), "acme", 1, _CHANCE).answer.status == Status.INVALID_DESTINATION
    assert rules.plan(sms("0000"), "acme", 1, _CHANCE).answer.status == Status.SYSTEM_ERROR


def test_a_table_needs_a_row_for_the_rest() -> None:
    """A table without it is refused at once."""
    with pytest.raises(ValueError, match="other"):
        Rules(table={"0000": Row("alone", (ReceiptDue(),))})


def test_short_and_odd_receivers_are_ordinary() -> None:
    """Whatever stands in destination_addr, there is a plan."""
    for phone in ("", "1", "other", "0000"):
        assert Rules().plan(sms()._replace(destination_addr=phone), "acme", 1, _CHANCE).answer.taken
