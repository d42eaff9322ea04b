"""Meters as Prometheus text. Names and labels live here, far from where things are counted."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from bocau.telemetry.meters import WATCHED, CarrierMeters, Histogram, Telemetry, TrunkMeters

__all__ = ["CONTENT_TYPE", "METERS", "NAMED", "Meter", "render"]

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
"""Content-Type of what render returns."""


class Meter(NamedTuple):
    """How one meter is told."""

    group: str
    """Attribute of Telemetry; `carriers` stands for each carrier, `trunks` for each trunk."""
    attribute: str
    name: str
    """Without the ending (_total, _bucket ...) that Prometheus gives it."""
    help: str
    label: str = ""
    """What the words of a tally mean."""


NAMED: Final[Mapping[str, tuple[str, type]]] = MappingProxyType(
    {"carriers": ("carrier", CarrierMeters), "trunks": ("trunk", TrunkMeters)}
)
"""Groups of which there is one for each name: the label that tells the name, and what one is."""

METERS: Final = (
    Meter("accept", "requests", "bocau_requests", "Send requests that were read."),
    Meter("accept", "accepted", "bocau_accepted_messages", "Messages committed and answered 100."),
    Meter("accept", "parts", "bocau_accepted_parts", "Parts of the accepted messages."),
    Meter("accept", "sandbox", "bocau_sandbox_requests", "Sandbox requests that passed."),
    Meter("accept", "malformed", "bocau_malformed_requests", "Bodies that could not be read."),
    Meter("accept", "unavailable", "bocau_unavailable_requests", "Requests answered 503."),
    Meter("accept", "refused", "bocau_refused_requests", "Requests refused, by CodeResult.", "code"),
    Meter("accept", "seconds", "bocau_accept_seconds", "From a whole request to its answer."),
    Meter("schedule", "released", "bocau_released_messages", "Scheduled messages released."),
    Meter("schedule", "rescued", "bocau_rescued_messages", "Messages taken over from a node that died."),
    Meter("schedule", "expired", "bocau_expired_messages", "Messages too old to be submitted."),
    Meter("schedule", "closed", "bocau_closed_messages", "Messages closed at their deadline as unknown."),
    Meter("schedule", "rematched", "bocau_found_receipts", "Kept receipts that a later look matched."),
    Meter(
        "schedule", "inferred", "bocau_inferred_receipts", "Kept receipts tied to the only attempt they could be about."
    ),
    Meter("schedule", "forgotten", "bocau_forgotten_rows", "What was kept long enough and is forgotten.", "what"),
    Meter("dispatch", "claimed", "bocau_claimed_messages", "Messages claimed from the store."),
    Meter("dispatch", "planned", "bocau_planned_messages", "Messages given to a carrier."),
    Meter(
        "carriers", "requeued", "bocau_requeued_messages", "Messages queued again after an answer or its lack.", "event"
    ),
    Meter("dispatch", "parked", "bocau_parkings", "Messages put back into the store until their carriers have room."),
    Meter("dispatch", "breaker", "bocau_breaker_changes", "Phases that carriers' breakers entered.", "phase"),
    Meter("dispatch", "moved", "bocau_moved_messages", "Messages moved to another carrier before any byte.", "class"),
    Meter(
        "dispatch",
        "lookups",
        "bocau_network_lookups",
        "Networks that were to be looked up, by outcome.",
        "outcome",
    ),
    Meter("dispatch", "unroutable", "bocau_unroutable_messages", "Messages that no route fits."),
    Meter("dispatch", "wait_seconds", "bocau_queue_wait_seconds", "From release to submit."),
    Meter("carriers", "submitted", "bocau_submitted_parts", "Parts written to the carrier."),
    Meter("carriers", "answers", "bocau_answers", "What the carrier said to a submit.", "kind"),
    Meter("carriers", "throttled", "bocau_throttled_parts", "Answers that asked for less speed."),
    Meter("carriers", "late_answers", "bocau_late_answers", "Answers after their time-out."),
    Meter("carriers", "receipts", "bocau_carrier_receipts", "Receipts that came from the carrier."),
    Meter("carriers", "strays", "bocau_stray_pdus", "PDUs that fit nothing."),
    Meter("carriers", "binds", "bocau_binds", "Binds that succeeded."),
    Meter("carriers", "bind_refusals", "bocau_bind_refusals", "Binds that the carrier refused."),
    Meter("carriers", "losses", "bocau_link_losses", "Links that went away or fell silent."),
    Meter("carriers", "answer_seconds", "bocau_submit_answer_seconds", "From submit to its answer."),
    Meter("trunks", "calls", "bocau_calls", "Calls that ended, by the last trunk they were tried on.", "outcome"),
    Meter("trunks", "setup_seconds", "bocau_call_setup_seconds", "From asking for a call to its first ring."),
    Meter("trunks", "talk_seconds", "bocau_call_time", "Seconds of answered calls."),
    Meter("trunks", "packets_sent", "bocau_rtp_packets_sent", "RTP packets of ours."),
    Meter("trunks", "packets_received", "bocau_rtp_packets_received", "RTP packets that came."),
    Meter("trunks", "packets_lost", "bocau_rtp_packets_lost", "RTP packets that did not come."),
    Meter("trunks", "far_packets_lost", "bocau_rtp_far_packets_lost", "RTP packets of ours that the other end missed."),
    Meter("report", "receipt_seconds", "bocau_receipt_lag_seconds", "From submit to its receipt."),
    Meter("report", "receipts", "bocau_receipts", "Receipts by what they say.", "state"),
    Meter("report", "orphans", "bocau_orphaned_receipts", "Receipts that matched nothing when they came."),
    Meter("carriers", "rematched", "bocau_rematched_receipts", "Kept receipts that found their attempt."),
    Meter("report", "repeated", "bocau_repeated_receipts", "Receipts that changed nothing."),
    Meter("report", "callbacks", "bocau_callback_tries", "Callback tries by what came of them.", "verdict"),
    Meter("report", "callback_seconds", "bocau_callback_seconds", "One callback try, name look-up included."),
)
"""Every meter, with its name."""


def render(telemetry: Telemetry) -> bytes:
    """The metrics page: Prometheus text, with memory, CPU and open files of the process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Meters(telemetry))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Meters(Collector):
    """Reads all meters once per page."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def collect(self) -> Iterator[Metric]:
        """Each metric with all its samples."""
        yield GaugeMetricFamily("bocau_up", "1 while the gateway runs.", value=1)
        if self._telemetry.version:
            build = GaugeMetricFamily("bocau_build", "The program's version.", labels=["version"])
            build.add_metric([self._telemetry.version], 1)
            yield build
        for meter in METERS:
            yield self._family(meter)
        yield from self._watched()

    def _family(self, meter: Meter) -> Metric:
        named = NAMED.get(meter.group)
        labels = [*([] if named is None else [named[0]]), *([meter.label] if meter.label else [])]
        # While there is no carrier yet, an unused group tells the kind of the meter.
        group = getattr(self._telemetry, meter.group) if named is None else named[1]()
        timed = isinstance(getattr(group, meter.attribute), Histogram)
        family = (HistogramMetricFamily if timed else CounterMetricFamily)(meter.name, meter.help, labels=labels)
        for label, value in self._values(meter):
            _add(family, label, value)
        return family

    def _values(self, meter: Meter) -> Iterator[tuple[list[str], object]]:
        group = getattr(self._telemetry, meter.group)
        if meter.group not in NAMED:
            yield [], getattr(group, meter.attribute)
            return
        for name, meters in sorted(group.items()):
            yield [name], getattr(meters, meter.attribute)

    def _watched(self) -> Iterator[Metric]:
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for watch in self._telemetry.watches:
            value = watch.read()
            if value is None:
                continue
            row = WATCHED[watch.name]
            if watch.name not in families:
                family = CounterMetricFamily if row.kind == "counter" else GaugeMetricFamily
                families[watch.name] = family(watch.name, row.help, labels=[row.label] if row.label else [])
            families[watch.name].add_metric([watch.label] if row.label else [], value)
        yield from families.values()


def _add(family: HistogramMetricFamily | CounterMetricFamily, labels: list[str], value: object) -> None:
    if isinstance(family, HistogramMetricFamily):
        if isinstance(value, Histogram):
            family.add_metric(labels, _buckets(value), value.total_seconds)
    elif isinstance(value, dict):
        for word in sorted(value):
            family.add_metric([*labels, str(word)], value[word])
    elif isinstance(value, int):
        family.add_metric(labels, value)


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """Counts of everything up to each bound."""
    found: list[tuple[str, float]] = []
    below = 0
    for bound, count in zip((*map(str, histogram.bounds), "+Inf"), histogram.counts, strict=True):
        below += count
        found.append((bound, below))
    return found
