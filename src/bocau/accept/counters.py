"""What was asked and accepted lately, counted in memory: rates of keys, messages to a number and to its neighbours.

Everything here is bounded: an entry for each key that signed in, and for so many numbers; of more numbers the oldest
are forgotten first. A start counts the newest messages of the store again. Money is not counted here: the day's caps
are decided in the transaction. Times are wall-clock milliseconds; a clock that is set back frees, it never locks.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from bocau.core.directory import Account, Directory, Key

__all__ = ["DAY_MS", "Counters", "Times", "too_often", "with_one"]

DAY_MS: Final = 86_400_000
_TEN_MINUTES_MS: Final = 600_000
_SECOND_US: Final = 1_000_000
_RANGE: Final = 1_000
_NUMBERS: Final = 10**15
"""More than any number has: keeps the numbers of accounts apart."""
_NONE: Final[Mapping[str, str]] = MappingProxyType({})

Times = int | tuple[int, ...]
"""When a number was sent to: once, or several times in order."""


class Counters:
    """Counts for one node. `tracked` is how many numbers are remembered at least."""

    def __init__(self, tracked: int) -> None:
        self.used: dict[str, int] = {}
        """When keys signed in, since this was taken last."""
        self._tracked = tracked
        self._turns: dict[str, int] = {}
        self._rehearsals: dict[str, int] = {}
        self._times: dict[int, Times] = {}
        self._times_before: dict[int, Times] = {}
        self._times_since = 0
        self._ranges: dict[int, int] = {}
        self._ranges_before: dict[int, int] = {}
        self._window = 0

    # Keys

    def turn(self, key: Key, now_ms: int, rehearsal: bool) -> bool:
        """Whether a key may ask now; if so its turn is taken. As many as the rate may come at once.

        A rehearsal waits for a turn like any other and takes none; so that it is no way around the rate, rehearsals
        have a rate of their own, as high.
        """
        api_key = key.api_key
        self.used[api_key] = now_ms
        rate = key.account.limits.requests_per_second
        if not rate:
            return True
        step, now = _SECOND_US // rate, now_ms * 1_000
        turns = self._turns
        if rehearsal:
            if _taken(turns, api_key, now) + step > now + _SECOND_US:
                return False
            turns = self._rehearsals
        taken = _taken(turns, api_key, now) + step
        if taken > now + _SECOND_US:
            return False
        turns[api_key] = taken
        return True

    def take_used(self) -> list[tuple[str, int]]:
        """When keys signed in since the last call."""
        used, self.used = self.used, {}
        return list(used.items())

    # Numbers

    def crowded(self, account: Account, phones: Sequence[str], now_ms: int) -> Mapping[str, str]:
        """The numbers of a request that were sent to too often, each with the reason. Nothing is counted."""
        _, in_ten_minutes, in_a_day, in_range, *_ = account.limits
        found: dict[str, str] = {}
        beside: dict[int, int] = {}
        first, times_of, before = account.id * _NUMBERS, self._times.get, self._times_before
        for phone in phones:
            place = first + int(phone)
            times = times_of(place)
            if times is None and before:
                times = before.get(place)
            if times is not None and (reason := too_often(times, in_ten_minutes, in_a_day, now_ms)):
                found[phone] = reason
            elif in_range:
                block = place // _RANGE
                more = beside.get(block, 0)
                if self._in_range(block, now_ms) + more >= in_range:
                    found[phone] = f"{in_range} messages to neighbours of this number in 10 minutes"
                else:
                    beside[block] = more + 1
        return found or _NONE

    def count(self, account: Account, phone: str, now_ms: int) -> None:
        """A message is being accepted."""
        _, in_ten_minutes, in_a_day, in_range, *_ = account.limits
        place = account.id * _NUMBERS + int(phone)
        if in_ten_minutes or in_a_day:
            known = self._times
            times = known.get(place)
            if times is None and self._times_before:
                times = self._times_before.get(place)
            if len(known) >= self._tracked or now_ms - self._times_since > DAY_MS:
                self._times_before, self._times, self._times_since = known, {}, now_ms
                known = self._times
            known[place] = now_ms if times is None else with_one(times, now_ms, max(in_ten_minutes, in_a_day))
        if in_range:
            if now_ms // _TEN_MINUTES_MS != self._window or len(self._ranges) >= self._tracked:
                self._turn_window(now_ms)
            block = place // _RANGE
            self._ranges[block] = self._ranges.get(block, 0) + 1

    def uncount(self, account: Account, phone: str, at_ms: int) -> None:
        """A message counted at that moment was not accepted after all."""
        place = account.id * _NUMBERS + int(phone)
        times = self._times.get(place)
        if times == at_ms or times == (at_ms,):
            del self._times[place]
        elif isinstance(times, tuple) and at_ms in times:
            last = len(times) - 1 - times[::-1].index(at_ms)
            self._times[place] = times[:last] + times[last + 1 :]
        block = place // _RANGE
        if self._ranges.get(block):
            self._ranges[block] -= 1

    def recount(self, rows: Iterable[tuple[int, str, int, int]], directory: Directory) -> None:
        """Count what the store remembers: account, phone and moment of each message, newest first."""
        for account_id, phone, created_ms, _ in reversed(list(rows)):
            account = directory.accounts.get(account_id)
            if account is not None and account.counted:
                self.count(account, phone, created_ms)

    def _in_range(self, block: int, now_ms: int) -> float:
        """Messages to a range in about the last 10 minutes: of this window, and a share of those of the last one."""
        if now_ms // _TEN_MINUTES_MS != self._window:
            self._turn_window(now_ms)
        now = self._ranges.get(block, 0)
        before = self._ranges_before
        if not before or block not in before:
            return now
        return now + before[block] * (1 - now_ms % _TEN_MINUTES_MS / _TEN_MINUTES_MS)

    def _turn_window(self, now_ms: int) -> None:
        """Another ten minutes have begun, or this one has as many ranges as may be."""
        window = now_ms // _TEN_MINUTES_MS
        self._ranges_before = self._ranges if window in (self._window, self._window + 1) else {}
        self._ranges, self._window = {}, window


def _taken(turns: Mapping[str, int], api_key: str, now: int) -> int:
    """Until when the turns of a key are taken, in microseconds; now, if that is past or the clock was set back."""
    taken = turns.get(api_key, 0)
    return taken if now < taken <= now + _SECOND_US else now


def with_one(times: Times, now_ms: int, most: int) -> Times:
    """The moments with one more; of no more than `most` the newest are of use."""
    earlier = (times,) if isinstance(times, int) else times
    return (*earlier[1 - most :], now_ms) if most > 1 else now_ms


def too_often(times: Times, in_ten_minutes: int, in_a_day: int, now_ms: int, what: str = "messages") -> str:
    """Why a number gets no more for now; empty if it does."""
    if isinstance(times, int):
        times = (times,)
    for limit, span_ms, span in ((in_ten_minutes, _TEN_MINUTES_MS, "10 minutes"), (in_a_day, DAY_MS, "24 hours")):
        if limit and len(times) >= limit and 0 <= now_ms - times[-limit] < span_ms:
            wait = (span_ms - now_ms + times[-limit]) // 1_000 + 1
            return f"{limit} {what} to this number in {span}; again in {wait} s"
    return ""
