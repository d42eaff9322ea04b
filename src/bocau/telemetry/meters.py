"""What is counted: plain integers and lists, grouped by room, so that counting costs almost nothing.

A room keeps its own group (`meters = telemetry.accept`) and counts with `meters.requests += 1` or
`meters.refused[code] += 1`; nothing looks up a label on the way of a message. All of it belongs to one event loop.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from bocau.core.keeping import Forget
from bocau.core.lifecycle import AttemptState, Event
from bocau.core.message import AnswerKind

__all__ = [
    "WATCHED",
    "AcceptMeters",
    "CarrierMeters",
    "DispatchMeters",
    "Histogram",
    "ReportMeters",
    "ScheduleMeters",
    "Telemetry",
    "TrunkMeters",
    "Watch",
    "Watched",
]

_ANSWER_BOUNDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_WAIT_BOUNDS: Final = (0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0, 86_400.0)


_SETUP_BOUNDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 60.0)


class Histogram:
    """How often a duration fell into each of some fixed ranges. Durations are seconds."""

    __slots__ = ("bounds", "counts", "total_seconds")

    def __init__(self, bounds: Sequence[float] = _ANSWER_BOUNDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total_seconds = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration. A bound belongs to the range below it."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total_seconds += seconds

    def quantile(self, share: float) -> float | None:
        """About the duration below which this share (0..1) of them lies; None before the first.

        Within a range they are taken to lie evenly; beyond the last bound the answer is that bound.
        """
        rank = share * sum(self.counts)
        if not rank:
            return None
        below = 0
        lower = 0.0
        for bound, count in zip(self.bounds, self.counts, strict=False):
            if count and below + count >= rank:
                return lower + (bound - lower) * (rank - below) / count
            below += count
            lower = bound
        return lower


def _tally(known: Iterable[str] = ()) -> dict[str, int]:
    """Counts by word, the known words there from the start (so that a rate can be made of them)."""
    return defaultdict(int, {str(word): 0 for word in known})


class AcceptMeters:
    """Room 1."""

    __slots__ = ("accepted", "malformed", "parts", "refused", "requests", "sandbox", "seconds", "unavailable")

    def __init__(self) -> None:
        self.requests = 0
        self.accepted = 0
        self.parts = 0
        self.sandbox = 0
        self.malformed = 0
        self.unavailable = 0
        self.refused = _tally()
        self.seconds = Histogram()


class ScheduleMeters:
    """Room 2."""

    __slots__ = ("closed", "expired", "forgotten", "inferred", "released", "rematched", "rescued")

    def __init__(self) -> None:
        self.released = 0
        self.rescued = 0
        self.expired = 0
        self.closed = 0
        self.rematched = 0
        self.inferred = 0
        self.forgotten = _tally((*Forget, "inbound", "audit"))


class DispatchMeters:
    """Room 3."""

    __slots__ = ("breaker", "claimed", "lookups", "moved", "parked", "planned", "unroutable", "wait_seconds")

    def __init__(self) -> None:
        self.claimed = 0
        self.planned = 0
        self.unroutable = 0
        self.parked = 0
        self.breaker = _tally(("open", "half-open", "closed"))
        self.moved = _tally(("otp", "other"))
        self.lookups = _tally(("answered", "failed", "skipped"))
        self.wait_seconds = Histogram(_WAIT_BOUNDS)


class CarrierMeters:
    """Room 4, for one carrier account."""

    __slots__ = (
        "answer_seconds",
        "answers",
        "bind_refusals",
        "binds",
        "late_answers",
        "losses",
        "receipts",
        "rematched",
        "requeued",
        "strays",
        "submitted",
        "throttled",
    )

    def __init__(self) -> None:
        self.submitted = 0
        self.answers = _tally(AnswerKind)
        self.throttled = 0
        self.late_answers = 0
        self.receipts = 0
        self.strays = 0
        self.binds = 0
        self.bind_refusals = 0
        self.losses = 0
        self.rematched = 0
        self.requeued = _tally((Event.POSTPONE, Event.FAIL_OVER, Event.RESEND))
        self.answer_seconds = Histogram()


class TrunkMeters:
    """Room 4, for one trunk: calls by what became of them, counted when they have ended."""

    __slots__ = (
        "calls",
        "far_packets_lost",
        "packets_lost",
        "packets_received",
        "packets_sent",
        "setup_seconds",
        "talk_seconds",
    )

    def __init__(self) -> None:
        self.calls = _tally(("ANSWERED", "BUSY", "NO ANSWER", "FAILED", "LOST"))
        self.setup_seconds = Histogram(_SETUP_BOUNDS)
        self.talk_seconds = 0
        self.packets_sent = 0
        self.packets_received = 0
        self.packets_lost = 0
        self.far_packets_lost = 0


class ReportMeters:
    """Room 5."""

    __slots__ = ("callback_seconds", "callbacks", "orphans", "receipt_seconds", "receipts", "repeated")

    def __init__(self) -> None:
        words = (AttemptState.DELIVERED, AttemptState.UNDELIVERED, AttemptState.EXPIRED, AttemptState.UNKNOWN)
        self.receipts = _tally((*words, "intermediate"))
        self.orphans = 0
        self.repeated = 0
        self.receipt_seconds = Histogram(_WAIT_BOUNDS)
        self.callbacks = _tally(("done", "waiting", "given_up", "blocked"))
        self.callback_seconds = Histogram()


class Watched(NamedTuple):
    """A value that is asked for when the metrics are read."""

    kind: str
    """gauge or counter"""
    help: str
    label: str = ""


WATCHED: Final = {
    "bocau_connections": Watched("gauge", "Connections open at the API door."),
    "bocau_connections_refused_total": Watched("counter", "Connections turned away because too many were open."),
    "bocau_ready_messages": Watched("gauge", "Messages held in memory for the carriers."),
    "bocau_oldest_queued_seconds": Watched("gauge", "Age of the oldest message that is due and not submitted."),
    "bocau_parked_messages": Watched(
        "gauge", "Queued messages that wait in the store for a route or a carrier's room."
    ),
    "bocau_sends_refused": Watched("gauge", "1 while new sends are answered 503."),
    "bocau_quarantine": Watched("gauge", "1 while the store is in quarantine and nothing is sent."),
    "bocau_learned_numbers": Watched("gauge", "Numbers whose network was learned."),
    "bocau_carrier_usable": Watched(
        "gauge", "1 while messages are given to the carrier, 0 if halted or open.", "carrier"
    ),
    "bocau_uncertain_messages": Watched("gauge", "Messages whose submission was never answered."),
    "bocau_orphan_receipts": Watched("gauge", "Receipts kept that match nothing yet."),
    "bocau_callbacks_due": Watched("gauge", "Callbacks waiting for a try."),
    "bocau_callbacks_in_flight": Watched("gauge", "Callback tries running."),
    "bocau_store_commits_total": Watched("counter", "Transactions committed."),
    "bocau_store_items_total": Watched("counter", "Writes in those transactions."),
    "bocau_store_failures_total": Watched("counter", "Transactions that failed."),
    "bocau_store_free_bytes": Watched("gauge", "Room left on the store's disk."),
    "bocau_carrier_binds": Watched("gauge", "Links bound to the carrier.", "carrier"),
    "bocau_carrier_pace_per_second": Watched(
        "gauge", "Parts a second, while the carrier asks for less speed; no sample while it does not.", "carrier"
    ),
    "bocau_carrier_window_used": Watched("gauge", "Submits without an answer.", "carrier"),
    "bocau_carrier_window_size": Watched("gauge", "Submits that may be without an answer.", "carrier"),
    "bocau_trunk_up": Watched("gauge", "1 while all workers reach the trunk, registered if they are to be.", "trunk"),
    "bocau_trunk_calls": Watched("gauge", "Calls in progress.", "trunk"),
    "bocau_worker_restarts_total": Watched("counter", "Voice workers that died."),
}
"""Everything that can be watched, by its metric name."""


class Watch(NamedTuple):
    """One watched value."""

    name: str
    label: str
    """The carrier's name where the metric has that label, else empty."""
    read: Callable[[], float | None]


class Telemetry:
    """All meters of one gateway."""

    __slots__ = ("_watches", "accept", "carriers", "dispatch", "report", "schedule", "trunks", "version")

    def __init__(self, version: str = "") -> None:
        self.version = version
        self.accept = AcceptMeters()
        self.schedule = ScheduleMeters()
        self.dispatch = DispatchMeters()
        self.carriers: dict[str, CarrierMeters] = {}
        self.report = ReportMeters()
        self.trunks: dict[str, TrunkMeters] = {}
        self._watches: dict[tuple[str, str], Watch] = {}

    def carrier(self, name: str) -> CarrierMeters:
        """The meters of a carrier account, made at the first call. Keep them; do not ask per message."""
        return self.carriers.setdefault(name, CarrierMeters())

    def trunk(self, name: str) -> TrunkMeters:
        """The meters of a trunk, made at the first call."""
        return self.trunks.setdefault(name, TrunkMeters())

    def watch(self, name: str, read: Callable[[], float | None], carrier: str = "") -> None:
        """Ask `read` for a value of WATCHED whenever metrics are read; None means not known now.

        `carrier` may be a trunk, where that is the label. `read` must be quick and must not raise. The same name and
        carrier replace an earlier one. Raises ValueError for
        a name or a label that WATCHED does not have.
        """
        row = WATCHED.get(name)
        if row is None or bool(row.label) != bool(carrier):
            raise ValueError(f"{name} with carrier {carrier!r} is nothing that can be watched")
        self._watches[(name, carrier)] = Watch(name, carrier, read)

    def unwatch(self, name: str, carrier: str = "") -> None:
        """Stop asking."""
        self._watches.pop((name, carrier), None)

    @property
    def watches(self) -> list[Watch]:
        """What is watched, by name and carrier."""
        return [self._watches[key] for key in sorted(self._watches)]
