"""What arrived of a stream: lost packets and jitter (RFC 3550, appendix A)."""

from typing import Final, NamedTuple

__all__ = ["Reception", "Report"]

_HALF: Final = 0x8000
_MAX_GAP: Final = 3_000


class Report(NamedTuple):
    """The block about one source in RTCP (RFC 3550 6.4.1)."""

    ssrc: int
    lost_fraction: int
    """Lost since the last report, in 256ths."""
    lost: int
    """Lost in all; negative when more came than were sent, by repeats."""
    highest: int
    """Highest sequence number, with its cycles above."""
    jitter: int
    """In units of the clock."""
    last_report: int = 0
    """Middle 32 bits of the last sender report's time."""
    delay: int = 0
    """Since that report, in 65,536ths of a second."""


class Reception:
    """Counts one source. A source that begins anew, by its SSRC or by a leap, is counted from its new beginning."""

    __slots__ = (
        "_base",
        "_cycles",
        "_expected_before",
        "_highest",
        "_jitter",
        "_received_before",
        "_since",
        "_transit",
        "received",
        "ssrc",
    )

    def __init__(self) -> None:
        """Nothing came yet."""
        self.received = 0
        """Packets in all, whatever source they came from."""
        self.ssrc = 0
        self._jitter = 0.0
        self._transit: float | None = None
        self._base = self._highest = self._cycles = 0
        self._since = 0
        self._expected_before = self._received_before = 0

    def take(self, sequence: int, ssrc: int, transit: float | None) -> None:
        """One packet. `transit` is the time it came at less its timestamp, both in ticks of the stream's clock from any
        start; None for a packet whose timestamp does not tell when it was sent, as those of keys."""
        self.received += 1
        if self._since == 0 or ssrc != self.ssrc or self._leapt(sequence):
            self._restart(sequence, ssrc)
        elif 0 < (sequence - self._highest) & 0xFFFF < _HALF:
            if sequence < self._highest:
                self._cycles += 0x10000
            self._highest = sequence
        self._since += 1
        if transit is None:
            return
        if self._transit is not None:
            # The difference of two transits, also across the wrap of the timestamp.
            apart = abs((transit - self._transit + 0x80000000) % 0x100000000 - 0x80000000)
            self._jitter += (apart - self._jitter) / 16
        self._transit = transit

    def _leapt(self, sequence: int) -> bool:
        ahead = (sequence - self._highest) & 0xFFFF
        return _MAX_GAP < ahead < 0x10000 - _MAX_GAP

    def _restart(self, sequence: int, ssrc: int) -> None:
        self.ssrc = ssrc
        self._base = self._highest = sequence
        self._cycles = self._since = 0
        self._expected_before = self._received_before = 0
        self._transit = None

    @property
    def expected(self) -> int:
        """How many packets the source has sent since its beginning."""
        return self._cycles + self._highest - self._base + 1 if self._since else 0

    @property
    def lost(self) -> int:
        """How many of them did not come."""
        return self.expected - self._since

    @property
    def jitter(self) -> float:
        """Interarrival jitter, in ticks."""
        return self._jitter

    def report(self) -> Report | None:
        """The block for the next RTCP packet; None before the first packet."""
        if not self._since:
            return None
        expected, received = self.expected - self._expected_before, self._since - self._received_before
        self._expected_before, self._received_before = self.expected, self._since
        lost = max(0, expected - received)
        fraction = min(255, (lost << 8) // expected) if expected > 0 else 0
        total = max(-0x800000, min(0x7FFFFF, self.lost))
        return Report(self.ssrc, fraction, total, (self._cycles + self._highest) & 0xFFFFFFFF, int(self._jitter))
