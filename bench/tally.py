"""What became of each message: one table that the caller, the carrier and the sink of a run share."""

import time
from array import array

__all__ = ["Tally", "quantile"]


class Tally:
    """Messages by number, 0 to `size` - 1. Moments are monotonic seconds."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.accepted = bytearray(size)
        self.refused = 0
        """Answers other than code 100, and connections that ended without one."""
        self.submitted = bytearray(size)
        """How often each came to the carrier."""
        self.receipts_taken = 0
        """Receipts that the gateway acknowledged with status 0."""
        self.receipts_put_off = 0
        """Receipts that it asked to have again."""
        self.called = bytearray(size)
        """How often each was called back with a delivered outcome."""
        self.calls_astray = 0
        """Callbacks of another outcome, or for no message of this run."""
        self.receipt_at = array("d", bytes(8 * size))
        self.accept_seconds = array("d")
        self.tell_seconds = array("d")
        """From the receipt to its callback."""
        self.began = 0.0
        self.last_answer = 0.0
        self.last_submit = 0.0
        self.last_call = 0.0
        self.steps = 0
        """Grows with everything that happens, so that a standstill is seen."""

    def answered(self, number: int, asked_at: float, *, accepted: bool) -> None:
        """The door has answered a request that was due at `asked_at`."""
        now = time.monotonic()
        self.steps += 1
        self.last_answer = now
        self.accept_seconds.append(now - asked_at)
        if accepted:
            self.accepted[number] = 1
        else:
            self.refused += 1

    def arrived(self, number: int) -> None:
        """A submit_sm has come to the carrier."""
        self.steps += 1
        self.submitted[number] = min(255, self.submitted[number] + 1)
        self.last_submit = time.monotonic()

    def told(self, number: int) -> None:
        """A callback has come to the sink."""
        now = time.monotonic()
        self.steps += 1
        self.last_call = now
        if not self.called[number]:
            self.tell_seconds.append(now - self.receipt_at[number])
        self.called[number] = min(255, self.called[number] + 1)

    def astray(self) -> None:
        """A callback has come that should not have."""
        self.steps += 1
        self.calls_astray += 1

    @property
    def accepted_count(self) -> int:
        """Messages that the door promised to send."""
        return self.accepted.count(1)

    @property
    def lost(self) -> int:
        """Accepted, and never at the carrier."""
        return sum(1 for yes, times in zip(self.accepted, self.submitted, strict=True) if yes and not times)

    @property
    def sent_twice(self) -> int:
        """At the carrier more than once."""
        return sum(1 for times in self.submitted if times > 1)

    @property
    def callback_lost(self) -> int:
        """At the carrier, and never called back."""
        return sum(1 for times, calls in zip(self.submitted, self.called, strict=True) if times and not calls)

    @property
    def called_twice(self) -> int:
        """Called back more than once."""
        return sum(1 for calls in self.called if calls > 1)


def quantile(seconds: "array[float]", share: float) -> float:
    """The value below which this share (0..1) of them lies, in milliseconds; 0 if there is none."""
    if not seconds:
        return 0.0
    ordered = sorted(seconds)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 2)
