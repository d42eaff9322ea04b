"""Fills docs/reference/metrics.md from telemetry: `python -m tools.render_metrics [--check]`."""

import re

from tools.marked import ROOT, finish, table

from bocau.telemetry import METERS, NAMED, WATCHED, Histogram, Meter, Telemetry

PAGE = "docs/reference/metrics.md"
SOURCE = ROOT / "src" / "bocau"
COUNTED_IN = {
    "accept": "accept",
    "schedule": "schedule",
    "dispatch": "dispatch",
    "carriers": "deliver",
    "trunks": "deliver",
    "report": "report",
    "store": "store",
}
"""Group of meters -> the room that counts them."""


def kind(meter: Meter) -> str:
    """histogram or counter."""
    telemetry = Telemetry()
    group = NAMED[meter.group][1]() if meter.group in NAMED else getattr(telemetry, meter.group)
    return "histogram" if isinstance(getattr(group, meter.attribute), Histogram) else "counter"


def is_counted(meter: Meter) -> bool:
    """Whether the room, or `app` for it, counts it."""
    files = [SOURCE / "app.py", *(SOURCE / COUNTED_IN[meter.group]).rglob("*.py")]
    text = "\n".join(file.read_text("utf-8") for file in files)
    in_app = rf"telemetry\.{meter.group}\.{meter.attribute}\b"
    in_room = rf"\b_?meters\.{meter.attribute}\b"
    return re.search(f"{in_app}|{in_room}", text) is not None


def is_watched(name: str) -> bool:
    """Whether somebody outside telemetry hands in the value."""
    return any(
        f'"{name}"' in file.read_text("utf-8") for file in SOURCE.rglob("*.py") if file.parent.name != "telemetry"
    )


def meter_table() -> str:
    """Counters and histograms."""
    rows = []
    for meter in filter(is_counted, METERS):
        named = NAMED[meter.group][:1] if meter.group in NAMED else ()
        labels = [*named, *([meter.label] if meter.label else [])]
        what = kind(meter)
        name = meter.name if what == "histogram" else f"{meter.name}_total"
        rows.append((f"`{name}`", what, ", ".join(labels), meter.help))
    return table(("name", "kind", "labels", "meaning"), rows)


def watched_table() -> str:
    """Values that are asked for when the page is read."""
    rows = [(f"`{name}`", row.kind, row.label, row.help) for name, row in WATCHED.items() if is_watched(name)]
    return table(("name", "kind", "labels", "meaning"), rows)


def silent_list() -> str:
    """Names that are kept for later."""
    names = [
        f"{meter.name}{'' if kind(meter) == 'histogram' else '_total'}" for meter in METERS if not is_counted(meter)
    ]
    names += [name for name in WATCHED if not is_watched(name)]
    if not names:
        return "None: every name above has a value."
    return (
        "Named already, but nothing feeds them yet (0, or not on the page): "
        + ", ".join(f"`{name}`" for name in names)
        + "."
    )


def main() -> None:
    """Write the page, or check it."""
    finish(PAGE, {"meters": meter_table(), "watched": watched_table(), "silent": silent_list()}, "render_metrics")


if __name__ == "__main__":
    main()
