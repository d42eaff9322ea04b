"""Log and metrics: how the gateway tells what it does.

Logs: `log.info(LogEvent.LINK_BIND, carrier="viettel-1")`; fields that must not be seen are masked whatever one passes.
Metrics: plain counters grouped by room on a Telemetry, rendered only when somebody reads them.
"""

from bocau.telemetry.events import LogEvent
from bocau.telemetry.exposition import CONTENT_TYPE, METERS, NAMED, Meter, render
from bocau.telemetry.log import Lines, Log, Style, capture_process, loop_fault_handler, make_log, style_for
from bocau.telemetry.meters import (
    WATCHED,
    AcceptMeters,
    CarrierMeters,
    DispatchMeters,
    Histogram,
    ReportMeters,
    ScheduleMeters,
    Telemetry,
    TrunkMeters,
    Watched,
)
from bocau.telemetry.redact import HIDDEN, describe, redacted

__all__ = [
    "CONTENT_TYPE",
    "HIDDEN",
    "METERS",
    "NAMED",
    "WATCHED",
    "AcceptMeters",
    "CarrierMeters",
    "DispatchMeters",
    "Histogram",
    "Lines",
    "Log",
    "LogEvent",
    "Meter",
    "ReportMeters",
    "ScheduleMeters",
    "Style",
    "Telemetry",
    "TrunkMeters",
    "Watched",
    "capture_process",
    "describe",
    "loop_fault_handler",
    "make_log",
    "redacted",
    "render",
    "style_for",
]
