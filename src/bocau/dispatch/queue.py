"""What waits for one carrier, in fair order: one-time codes first, and inside a class the accounts in turn. Pure."""

from collections import deque
from typing import Final

from bocau.core.message import Message, RouteClass
from bocau.dispatch.plan import Way

__all__ = ["FairQueue", "Waiting"]

Waiting = tuple[Message, Way, bool]
"""A message, the way that was chosen for it, and whether all of it goes out anew through another carrier.

A plain tuple: one is made for every message."""

_OTP: Final = RouteClass.OTP.value
_QUANTUM_PARTS: Final = 4
"""What an account may send before the next one has its turn."""
_URGENT_IN_A_ROW: Final = 9
"""After so many one-time codes a message that waits behind them goes: bulk gets a tenth at least."""


class _Line(deque[Waiting]):
    """What waits of one account."""

    __slots__ = ("credit",)

    credit: int
    """Parts that it may still send in its turn; what it took too much is missing in the next one."""


class _Turns:
    """Round robin over accounts, counted in parts."""

    __slots__ = ("_lines", "_order", "size")

    def __init__(self) -> None:
        self.size = 0
        self._lines: dict[int, _Line] = {}
        self._order: deque[_Line] = deque()

    def put(self, waiting: Waiting) -> None:
        line = self._lines.get(waiting[0].account_id)
        if line is None:
            line = self._lines[waiting[0].account_id] = _Line()
            line.credit = _QUANTUM_PARTS
            self._order.append(line)
        line.append(waiting)
        self.size += 1

    def head(self) -> Waiting:
        return self._order[0][0]

    def pop(self) -> Waiting:
        order = self._order
        line = order[0]
        waiting = line.popleft()
        self.size -= 1
        if not line:
            order.popleft()
            del self._lines[waiting[0].account_id]
        elif len(order) > 1:
            line.credit -= waiting[0].parts
            if line.credit <= 0:
                order.rotate(-1)
                line.credit += _QUANTUM_PARTS
        return waiting


class FairQueue:
    """Two classes, each fair between accounts, each with places for `limit` messages."""

    __slots__ = ("_in_a_row", "_next", "bulk", "limit", "urgent")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.urgent = _Turns()
        self.bulk = _Turns()
        self._in_a_row = 0
        self._next = self.urgent

    def __len__(self) -> int:
        return self.urgent.size + self.bulk.size

    def put(self, waiting: Waiting) -> bool:
        """Put a message behind those of its account; False if its class has no place left."""
        turns = self.urgent if waiting[0].route_class == _OTP else self.bulk
        if turns.size >= self.limit:
            return False
        turns.put(waiting)
        return True

    def head(self, bulk_parts: int) -> Waiting | None:
        """Whose turn it is; None if nothing waits. `bulk_parts` is how many parts a bulk message may have now.

        A bulk message never has its turn before one-time codes while it cannot go.
        """
        urgent, bulk = self.urgent, self.bulk
        self._next = urgent
        if not urgent.size:
            if not bulk.size:
                return None
            self._next = bulk
        elif self._in_a_row >= _URGENT_IN_A_ROW and bulk.size and bulk.head()[0].parts <= bulk_parts:
            self._next = bulk
        return self._next.head()

    def pop(self) -> Waiting:
        """Take what `head` showed."""
        turns = self._next
        self._in_a_row = self._in_a_row + 1 if turns is self.urgent and self.bulk.size else 0
        return turns.pop()

    def empty(self) -> list[Waiting]:
        """Take everything, one-time codes first."""
        return [turns.pop() for turns in (self.urgent, self.bulk) for _ in range(turns.size)]
