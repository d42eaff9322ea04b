"""Whether the calls of an account have become of another kind: the sign of toll fraud that no limit sees (voice, Fraud
limits). Pure.

Fraud calls numbers that do not answer, or numbers of one range. What is usual is learned from the account's own calls.
"""

from collections import Counter, deque
from typing import Final

__all__ = ["CallAlarm"]

_LATELY: Final = 50
"""Calls that are compared with those before them."""
_LEARNED: Final = 200
"""Calls before an account's ways are known."""
_FADE: Final = 0.998
"""What one more call leaves of the weight of those before it: about the last 500 count."""
_PREFIX: Final = 3
_SILENT_MS: Final = 3_600_000
"""An alarm is not repeated within an hour."""
_MUCH: Final = 0.5
_LITTLE: Final = 0.2
"""Shares of one prefix: it jumps from less than the little one to more than the other."""
_MOST_PREFIXES: Final = 200


class _Ways:
    """The calls of one account."""

    __slots__ = ("answered", "before", "count", "lately", "silent_until_ms", "weight")

    def __init__(self) -> None:
        self.lately: deque[tuple[str, bool]] = deque()
        self.before: dict[str, float] = {}
        """Weight by prefix of the calls that are older."""
        self.answered = self.weight = 0.0
        self.count = 0
        self.silent_until_ms = 0

    def take(self, prefix: str, answered: bool) -> None:
        """One more call; the oldest of lately becomes one of before."""
        self.lately.append((prefix, answered))
        if len(self.lately) <= _LATELY:
            return
        old, was_answered = self.lately.popleft()
        self.count += 1
        self.weight = self.weight * _FADE + 1
        self.answered = self.answered * _FADE + was_answered
        self.before = {name: weight * _FADE for name, weight in self.before.items()}
        if old in self.before or len(self.before) < _MOST_PREFIXES:
            self.before[old] = self.before.get(old, 0.0) + 1

    def jump(self) -> str:
        """What is unlike before, in words; empty if nothing is, or too little is known."""
        if self.count < _LEARNED:
            return ""
        usual = self.answered / self.weight
        now = sum(answered for _, answered in self.lately) / _LATELY
        if now < usual / 2:
            return f"{now:.0%} of the last {_LATELY} calls were answered, {usual:.0%} before"
        [(prefix, times)] = Counter(prefix for prefix, _ in self.lately).most_common(1)
        share, before = times / _LATELY, self.before.get(prefix, 0.0) / self.weight
        if share > _MUCH and before < _LITTLE:
            return f"{share:.0%} of the last {_LATELY} calls went to {prefix}, {before:.0%} before"
        return ""


class CallAlarm:
    """Watches the calls of all accounts."""

    def __init__(self) -> None:
        """Nothing is known of anybody."""
        self._ways: dict[int, _Ways] = {}

    def take(self, account_id: int, phone: str, *, answered: bool, now_ms: int) -> str:
        """A call has ended. Returns what somebody should look at, at most once an hour for each account; else empty."""
        ways = self._ways.setdefault(account_id, _Ways())
        ways.take(phone[:_PREFIX], answered)
        if now_ms < ways.silent_until_ms:
            return ""
        found = ways.jump()
        if found:
            ways.silent_until_ms = now_ms + _SILENT_MS
        return found
