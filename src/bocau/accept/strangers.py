"""Wrong keys slow down whoever tries them, and nobody else: right keys are answered at once from any address.

An address may be wrong a few times at once; after that its wrong answers come one each half second, however many
connections it opens. The table is bounded; of more addresses the oldest is forgotten first.
"""

from typing import Final

from bocau.accept.origin import Address

__all__ = ["LONGEST_SECONDS", "Strangers"]

LONGEST_SECONDS: Final = 10.0
"""No answer is held back for longer; a listener's connection reads no more than 64 requests ahead meanwhile."""
_FREE: Final = 10
_STEP_SECONDS: Final = 0.5
_MOST: Final = 10_000


class Strangers:
    """How long the next wrong answer to each address waits."""

    def __init__(self) -> None:
        self._until: dict[int, float] = {}

    def wait_seconds(self, address: Address | None, now: float) -> float:
        """A wrong key came from an address, at a monotonic moment: how long its answer waits. 0: it does not."""
        place = _place(address)
        until = max(now, self._until.pop(place, 0.0)) + _STEP_SECONDS
        if len(self._until) >= _MOST:
            del self._until[next(iter(self._until))]
        self._until[place] = min(until, now + LONGEST_SECONDS + _FREE * _STEP_SECONDS)
        return max(0.0, min(LONGEST_SECONDS, until - now - _FREE * _STEP_SECONDS))


def _place(address: Address | None) -> int:
    """What counts as one address: of IPv6 the network of 64 bits, which one customer has whole."""
    if address is None:
        return -1
    return int(address) if address.version == 4 else int(address) >> 64 << 64
