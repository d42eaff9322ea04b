"""The requests of ours that wait for an answer: sequence numbers, the send window, and who is late."""

from typing import Final

__all__ = ["LAST_SEQUENCE", "Window"]

LAST_SEQUENCE: Final = 0x7FFFFFFF
"""The highest sequence number; 1 follows it (SMPP 3.4, 3.2 and 5.1.4)."""


class Window:
    """Requests by sequence number.

    Messages (submits, delivers) carry a token and fill the window; controls (bind, enquire_link, unbind) carry their
    command id, one of a kind, and do not. A message that timed out keeps its slot: its answer may still come.
    """

    __slots__ = ("_controls", "_last", "_late", "_size", "_waiting")

    def __init__(self, size: int, first_sequence: int = 1) -> None:
        """Hold at most `size` messages; the first request gets the number `first_sequence`."""
        self._size = size
        self._last = first_sequence - 1
        # In the order of sending, so that the oldest stands first.
        self._waiting: dict[int, tuple[object, float]] = {}
        self._late: dict[int, object] = {}
        self._controls: dict[int, int] = {}

    def __len__(self) -> int:
        """The number of messages that are not answered, the late ones included."""
        return len(self._waiting) + len(self._late)

    @property
    def free(self) -> int:
        """How many more messages may be sent now."""
        return self._size - len(self._waiting) - len(self._late)

    def next_sequence(self) -> int:
        """The next number in turn that no request of ours still holds."""
        sequence = self._last
        while True:
            sequence = sequence + 1 if sequence < LAST_SEQUENCE else 1
            if sequence not in self._waiting and sequence not in self._late and sequence not in self._controls:
                self._last = sequence
                return sequence

    def hold(self, sequence: int, token: object, now: float) -> None:
        """Note a message as sent."""
        self._waiting[sequence] = (token, now)

    def settle(self, sequence: int) -> tuple[object, bool] | None:
        """Take out an answered message: its token, and whether it was late; None for a number that holds no message."""
        waiting = self._waiting.pop(sequence, None)
        if waiting is not None:
            return waiting[0], False
        if sequence in self._late:
            return self._late.pop(sequence), True
        return None

    def expire(self, now: float, wait_seconds: float) -> list[object]:
        """Mark as late what has waited so long; their tokens, oldest first."""
        overdue = []
        for sequence, (token, sent) in self._waiting.items():
            if sent + wait_seconds > now:
                break
            overdue.append((sequence, token))
        for sequence, token in overdue:
            del self._waiting[sequence]
            self._late[sequence] = token
        return [token for _, token in overdue]

    def oldest(self) -> float | None:
        """When the message that has waited longest, and is not late, was sent."""
        for _, sent in self._waiting.values():
            return sent
        return None

    def drop(self) -> list[object]:
        """Forget everything; the tokens of the messages that were not answered, late ones first."""
        tokens = [*self._late.values(), *(token for token, _ in self._waiting.values())]
        self._late.clear()
        self._waiting.clear()
        self._controls.clear()
        return tokens

    def ask(self, command: int) -> int:
        """A number for a control request, which takes the place of an earlier one of its kind."""
        sequence = self.next_sequence()
        for earlier, one in self._controls.items():
            if one == command:
                del self._controls[earlier]
                break
        self._controls[sequence] = command
        return sequence

    def settle_control(self, sequence: int, command: int) -> bool:
        """Take out an answered control request; False when none of this kind has the number."""
        if self._controls.get(sequence) != command:
            return False
        del self._controls[sequence]
        return True

    def asked(self, sequence: int) -> int | None:
        """The command id of the control request with this number."""
        return self._controls.get(sequence)
