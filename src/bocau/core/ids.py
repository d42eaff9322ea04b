"""Message ids and SMSIDs.

A message id is a 63-bit integer: 41 bits of milliseconds since 2025-01-01 UTC, 10 bits of node, 12 bits of count. It
grows with time, so tables and indexes are written at their right edge however large they get. An SMSID carries the
message id, 64 unguessable bits and the node, in the documented shape of 32 hexadecimal digits and 3 decimal ones
(esms-api 2.5), so a status query finds its row by primary key without an index of its own.
"""

from typing import Final

__all__ = ["Ids", "first_id_at", "head_of", "moment_of", "short_id", "smsid_of"]

_EPOCH_MS: Final = 1_735_689_600_000
_COUNT_BITS: Final = 12
_NODE_BITS: Final = 10
_COUNT_MASK: Final = (1 << _COUNT_BITS) - 1
_NODE_MASK: Final = (1 << _NODE_BITS) - 1
_LAST_MILLISECOND: Final = (1 << 41) - 1
_MILLISECOND_MASK: Final = (1 << (_NODE_BITS + _COUNT_BITS)) - 1


class Ids:
    """Draws ids for one node (0..1023). `last` is the largest id already used: a clock set back never repeats one."""

    __slots__ = ("_last", "node")

    def __init__(self, node: int, last: int = 0) -> None:
        if not 0 <= node < 1 << _NODE_BITS:
            raise ValueError("node must be 0..1023")
        self.node = node
        # After another node's id, go on in the next millisecond: the one that follows it is that node's to draw.
        ours = last >> _COUNT_BITS & _NODE_MASK == node
        self._last = last if ours else last | _MILLISECOND_MASK

    def next(self, now_ms: int) -> int:
        """An id larger than every one before. More than 4,096 in a millisecond borrow from the next one."""
        candidate = ((now_ms - _EPOCH_MS) << (_NODE_BITS + _COUNT_BITS)) | (self.node << _COUNT_BITS)
        following = self._last + 1
        if candidate < following:
            candidate = following if following & _COUNT_MASK else self._carry(following)
        self._last = candidate
        return candidate

    def _carry(self, following: int) -> int:
        """The first id of the next millisecond, with our node's bits."""
        milliseconds = (following >> (_NODE_BITS + _COUNT_BITS)) + 1
        return (milliseconds << (_NODE_BITS + _COUNT_BITS)) | (self.node << _COUNT_BITS)


def first_id_at(now_ms: int) -> int:
    """The smallest id that can be drawn at a moment; of a moment outside their time (2025 to 2094), the nearest one."""
    return min(max(0, now_ms - _EPOCH_MS), _LAST_MILLISECOND) << (_NODE_BITS + _COUNT_BITS)


def moment_of(message_id: int) -> int:
    """The moment at which an id was drawn."""
    return (message_id >> (_NODE_BITS + _COUNT_BITS)) + _EPOCH_MS


def short_id(message_id: int) -> int:
    """A message id without its node: at most 53 bits, which every client's numbers hold; unique within a node."""
    return message_id >> (_NODE_BITS + _COUNT_BITS) << _COUNT_BITS | message_id & _COUNT_MASK


def smsid_of(head: int, token: bytes, node: int) -> str:
    """The SMSID of a request: head id (16 hex digits), 8 random bytes (16 hex digits), node (3 decimal digits)."""
    return "%016x%s%03d" % (head, token.hex(), node % 1000)  # noqa: UP031 - half the cost of an f-string


def head_of(smsid: str) -> int | None:
    """The head id inside an SMSID of ours, in any case; None if the text cannot be one."""
    head = smsid[:16].lower()
    if len(smsid) != 35 or not all(c in "0123456789abcdef" for c in head):
        return None
    found = int(head, 16)
    return found if found < 1 << 63 else None
