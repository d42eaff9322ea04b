"""Faults of several owners at one carrier."""

import random

import pytest
from tests.simulator.test_script import RULES, submit

from bocau.simulator.scripts import Scripts, SeededChance
from bocau.wire.smpp.status import Status


class Bench:
    """Scripts at a carrier that began 100 s ago; the owner of a number is its last digit."""

    def __init__(self) -> None:
        self.now = 100.0
        self.scripts = Scripts(lambda: self.now, 0.0)
        self.scripts.owner_of = lambda phone, text: phone[-1] if text == "4821" else ""

    def status(self, number: int) -> int:
        one, chance = submit(number), random.Random(1)
        return self.scripts.judge(RULES.plan(one, "us", 1, chance), one, "us", 1, self.now, chance).answer.status


def test_a_fault_is_for_the_messages_of_its_owner() -> None:
    """The others go by the rules, and do not count."""
    bench = Bench()
    bench.scripts.put("1", [{"act": "refuse", "after_messages": 1}], 0)
    assert [bench.status(number) for number in (1, 2, 1, 2, 1)] == [0, 0, 8, 0, 8]


def test_seconds_count_from_when_the_fault_was_put_in() -> None:
    """Not from the start of the carrier."""
    bench = Bench()
    bench.scripts.put("1", [{"act": "throttle", "per_second": 0, "for_seconds": 60}], 0)
    assert bench.status(1) == Status.THROTTLED
    bench.now += 61
    assert bench.status(1) == Status.OK


def test_no_faults_mend_the_carrier() -> None:
    """And an owner's new faults take the place of the old ones."""
    bench = Bench()
    bench.scripts.put("1", [{"act": "refuse"}], 0)
    bench.scripts.put("1", [{"act": "throttle", "per_second": 0}], 0)
    assert bench.status(1) == Status.THROTTLED
    bench.scripts.put("1", [], 0)
    assert bench.status(1) == Status.OK


def test_chance_is_the_same_for_the_same_seed() -> None:
    """And another for another one."""

    def run(seed: int) -> list[int]:
        bench = Bench()
        bench.scripts.put("1", [{"act": "refuse", "rate": 0.5}], seed)
        return [bench.status(1) for _ in range(40)]

    assert run(7) == run(7) != run(8)
    assert 5 < sum(map(bool, run(7))) < 35


def test_seeded_chance_keeps_its_bounds() -> None:
    """From 0 up to but not including 1, and spread."""
    chance = SeededChance(3)
    drawn = [chance.random() for _ in range(1000)]
    assert all(0 <= value < 1 for value in drawn)
    assert 450 < sum(value < 0.5 for value in drawn) < 550


@pytest.mark.parametrize("number", ["0900000001", "84900000001", ""])
def test_numbers_may_be_written_as_people_do(number: str) -> None:
    """The carrier has them with the country code."""
    bench = Bench()
    bench.scripts.put("1", [{"act": "refuse", "prefix": number}], 0)
    assert bench.status(1) == Status.SYSTEM_ERROR


@pytest.mark.parametrize("fault", [{"act": "explode"}, {}, {"act": "refuse", "rate": 2}, {"act": "refuse", "who": "x"}])
def test_a_fault_that_is_none_changes_nothing(fault: dict[str, object]) -> None:
    """It is told what is wrong, and what was in force stays."""
    bench = Bench()
    bench.scripts.put("1", [{"act": "refuse"}], 0)
    with pytest.raises(ValueError, match=r"act|rate|who"):
        bench.scripts.put("1", [fault], 0)
    assert bench.status(1) == Status.SYSTEM_ERROR
