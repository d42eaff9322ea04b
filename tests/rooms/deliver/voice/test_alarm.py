"""The alarm when an account's calls become of another kind."""

import random

import pytest

from bocau.deliver.voice.alarm import CallAlarm

PREFIXES = ("090", "091", "032", "078", "056", "098")
HOUR = 3_600_000


class Days:
    """Calls of one account, whose usual phones answer four times of five."""

    def __init__(self, seed: int = 1) -> None:
        self.alarm = CallAlarm()
        self.said: list[str] = []
        self.now_ms = 0
        self._chance = random.Random(seed)

    def usual(self, count: int) -> None:
        """Calls as ever."""
        for _ in range(count):
            self.call(self._chance.choice(PREFIXES), answered=self._chance.random() < 0.8)

    def call(self, prefix: str, *, answered: bool) -> None:
        """One call."""
        self.now_ms += 1_000
        said = self.alarm.take(1, f"{prefix}1234567", answered=answered, now_ms=self.now_ms)
        self.said += [said] if said else []


@pytest.mark.parametrize("seed", range(20))
def test_usual_calls_raise_no_alarm(seed: int) -> None:
    """Nor does the beginning of an account, whatever it is like."""
    days = Days(seed)
    days.usual(3_000)
    assert days.said == []


def test_phones_that_do_not_answer_any_more_raise_an_alarm_once_an_hour() -> None:
    """Numbers made up in a row answer seldom."""
    days = Days()
    days.usual(500)
    for prefix in ("090", "091") * 100:
        days.call(prefix, answered=False)
    assert len(days.said) == 1
    assert "calls were answered" in days.said[0]
    days.now_ms += HOUR
    days.call("090", answered=False)
    assert len(days.said) == 2


def test_calls_to_one_range_raise_an_alarm() -> None:
    """Even if they are answered: who shares the price of a call picks up."""
    days = Days()
    days.usual(500)
    for _ in range(60):
        days.call("099", answered=True)
    assert days.said == ["52% of the last 50 calls went to 099, 0% before"]


def test_accounts_are_judged_by_their_own_calls() -> None:
    """One that always called one range is not told of."""
    days = Days()
    for _ in range(1_000):
        days.call("099", answered=True)
    assert days.said == []
    assert days.alarm.take(2, "0991234567", answered=False, now_ms=0) == ""
