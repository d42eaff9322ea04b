"""Networks of single numbers as they were seen: named by carriers in receipts, or told by a lookup service.

What is known so is newer than a prefix and weaker than the operator's table of moved numbers. Bounded: the numbers seen
last are kept.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

__all__ = ["LOOKUP", "NOTHING_LEARNED", "Learned", "Learning"]

LOOKUP: Final = "lookup"
"""The source that is no carrier's name: the operator's lookup service."""

_TELCO_BITS: Final = 3
_TELCO: Final = (1 << _TELCO_BITS) - 1


class Learning(NamedTuple):
    """One number and its network, as it was seen."""

    phone: int
    """Without its leading 0."""
    telco: int
    """0: nothing is known any more."""
    source: str
    """The carrier that named it, or LOOKUP."""
    seen_ms: int


class Learned:
    """At most `most` numbers; about 100 bytes each. What changed since is kept apart until it is stored."""

    __slots__ = ("_known", "_most", "_unsaved")

    def __init__(self, most: int) -> None:
        """Begin with nothing; `most` 0: learn nothing."""
        self._most = most
        self._known: dict[int, int] = {}
        """Number -> moment and network in one integer, the number seen last at the end."""
        self._unsaved: dict[int, Learning] = {}

    def __len__(self) -> int:
        return len(self._known)

    def load(self, rows: Iterable[Learning]) -> None:
        """Take what was stored, the newest last."""
        for phone, telco, _, seen_ms in rows:
            self._known[phone] = seen_ms << _TELCO_BITS | telco
        for phone in list(self._known)[: max(0, len(self._known) - self._most)]:
            self._forget(phone)

    def get(self, phone: str) -> int:
        """The network of a ten-digit number; 0 if nothing was learned of it."""
        return self._known.get(int(phone), 0) & _TELCO

    def note(self, phone: str, telco: int, by_prefix: int, source: str, now_ms: int) -> None:
        """A number was seen in a network. What its prefix says anyhow need not be kept, unless it was asked for: then
        it need not be asked for again."""
        if not self._most:
            return
        number = int(phone)
        before = self._known.pop(number, 0)
        if telco == by_prefix and source != LOOKUP and not before:
            return
        self._known[number] = now_ms << _TELCO_BITS | telco
        self._unsaved[number] = Learning(number, telco, source, now_ms)
        if len(self._known) > self._most:
            self._forget(next(iter(self._known)))

    def forget_before(self, seen_ms: int) -> int:
        """Forget what was seen longer ago; how many that were."""
        old = []
        for number, packed in self._known.items():
            if packed >> _TELCO_BITS >= seen_ms:
                break
            old.append(number)
        for number in old:
            self._forget(number)
        return len(old)

    def take_unsaved(self) -> list[Learning]:
        """What changed since the last call, to be stored."""
        changed, self._unsaved = list(self._unsaved.values()), {}
        return changed

    def give_back(self, changed: Iterable[Learning]) -> None:
        """They could not be stored: offer them again, unless something newer is known by now."""
        for row in changed:
            self._unsaved.setdefault(row.phone, row)

    def _forget(self, number: int) -> None:
        del self._known[number]
        self._unsaved[number] = Learning(number, 0, "", 0)


NOTHING_LEARNED: Final = Learned(0)
"""Stays empty."""
