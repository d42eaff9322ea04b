"""Calls that were asked for lately: the guard against toll fraud (promises section 3; voice, Fraud limits).

A call costs money by the minute and rings at somebody's ear, so it has limits of its own beside those of messages.
Like theirs, all counts are bounded and in memory, and a start counts the calls of the last day again. What counts is
the asking: that a phone which was busy is called once more is not held against anybody.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from bocau.accept.counters import DAY_MS, Times, too_often, with_one
from bocau.core.directory import Account, Directory, Key
from bocau.core.refusal import Refusal
from bocau.wire.esms import codes

__all__ = ["CALLED", "Tolls", "is_called"]

CALLED: Final = 8
"""The SmsType that may be called."""

_MINUTE_US: Final = 60_000_000
_NUMBERS: Final = 10**15
"""More than any number has: keeps the numbers of accounts apart."""
_STEP: Final = 9
"""Of the order of checks (esms-api 5.2)."""


def is_called(account: Account, channel: str) -> bool:
    """Whether type 8 of an account goes by a call, if only at first."""
    return (account.type8_channel or channel) != "sms"


class Tolls:
    """Counts for one node. `tracked` is how many numbers are remembered at least."""

    def __init__(self, tracked: int) -> None:
        self._tracked = tracked
        self._times: dict[int, Times] = {}
        self._times_before: Mapping[int, Times] = {}
        self._times_since = 0
        self._taken: dict[str, int] = {}
        """Until when the calls of a key are taken, in microseconds."""

    def refusal(self, key: Key, phone: str, now_ms: int) -> Refusal | None:
        """Why a call to a number is not accepted now. Nothing is counted."""
        limits = key.account.limits
        times = self._known(_place(key.account, phone))
        found = too_often(times, limits.call_10_minutes, limits.call_day, now_ms, "calls") if times else ""
        if found:
            return Refusal(codes.BLOCKED_NUMBER, codes.text(codes.BLOCKED_NUMBER), found, _STEP)
        if limits.calls_minute and self._next(key.api_key, limits.calls_minute, now_ms) > now_ms * 1_000 + _MINUTE_US:
            reason = f"more than {limits.calls_minute} calls a minute with this key"
            return Refusal(codes.TOO_FAST, codes.text(codes.TOO_FAST), reason, _STEP)
        return None

    def count(self, account: Account, api_key: str, phone: str, now_ms: int) -> None:
        """A call is being accepted. Without a key it is one that a start counts again."""
        limits, place = account.limits, _place(account, phone)
        if limits.calls_minute and api_key:
            self._taken[api_key] = self._next(api_key, limits.calls_minute, now_ms)
        if not limits.call_10_minutes and not limits.call_day:
            return
        times = self._known(place)
        if len(self._times) >= self._tracked or now_ms - self._times_since > DAY_MS:
            self._times_before, self._times, self._times_since = self._times, {}, now_ms
        most = max(limits.call_10_minutes, limits.call_day)
        self._times[place] = now_ms if times is None else with_one(times, now_ms, most)

    def uncount(self, account: Account, phone: str, at_ms: int) -> None:
        """A call counted at that moment was not accepted after all; its key has lost a turn of its minute."""
        place = _place(account, phone)
        times = self._times.get(place)
        if times == at_ms or times == (at_ms,):
            del self._times[place]
        elif isinstance(times, tuple) and times[-1] == at_ms:
            self._times[place] = times[:-1]

    def recount(self, rows: Iterable[tuple[int, str, int, int]], directory: Directory, channel: str) -> None:
        """Count the calls among what the store remembers; `channel` is how type 8 goes where an account has no own
        way."""
        for account_id, phone, created_ms, sms_type in reversed(list(rows)):
            account = directory.accounts.get(account_id)
            if account is not None and sms_type == CALLED and is_called(account, channel):
                self.count(account, "", phone, created_ms)

    def _known(self, place: int) -> Times | None:
        return self._times.get(place) or self._times_before.get(place)

    def _next(self, api_key: str, per_minute: int, now_ms: int) -> int:
        """Until when the key's calls are taken with one more; a clock that was set back frees."""
        now, taken = now_ms * 1_000, self._taken.get(api_key, 0)
        return (taken if now < taken <= now + _MINUTE_US else now) + _MINUTE_US // per_minute


def _place(account: Account, phone: str) -> int:
    return account.id * _NUMBERS + int(phone)
