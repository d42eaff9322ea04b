"""Log and metrics: what they tell, and what they never tell."""

import asyncio
import io
import json
import logging
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from bocau.core import lifecycle
from bocau.telemetry import (
    METERS,
    WATCHED,
    AcceptMeters,
    CarrierMeters,
    Histogram,
    Lines,
    Log,
    LogEvent,
    Style,
    Telemetry,
    TrunkMeters,
    capture_process,
    describe,
    loop_fault_handler,
    make_log,
    redacted,
    render,
    style_for,
)

NOON = 1_795_313_464_125  # 2026-11-22T02:11:04.125Z


def logger(style: Style = "json", level: str = "debug") -> tuple[Log, io.StringIO]:
    """A logger on a stopped clock, and what it wrote."""
    stream = io.StringIO()
    return make_log(Lines(stream), lambda: NOON, level, style, node=3), stream


def logged(fields: Mapping[str, object], event: str = LogEvent.LINK_BIND) -> dict[str, Any]:
    """The one line that a call writes."""
    log, stream = logger()
    log.bind(**fields).info(event)
    line: dict[str, Any] = json.loads(stream.getvalue())
    return line


# What is written


def test_a_line_is_one_json_object_with_time_level_and_event_first() -> None:
    """UTC with milliseconds, then what the logger and the call carry."""
    log, stream = logger()
    log.warning(LogEvent.LINK_LOSE, carrier="viettel-1", bind=2, waited=1.5, ok=False, why=None)
    assert stream.getvalue() == (
        '{"ts":"2026-11-22T02:11:04.125Z","level":"warning","event":"link.lose","node":3,'
        '"carrier":"viettel-1","bind":2,"waited":1.5,"ok":false,"why":null}\n'
    )


def test_a_terminal_gets_short_text() -> None:
    """Time, level, event, fields; what is not a plain word is quoted."""
    log, stream = logger("text")
    log.info(LogEvent.LINK_BIND, carrier="viettel-1", says="all good", ok=True, parts=[1, 2])
    assert (
        stream.getvalue()
        == '02:11:04Z info    link.bind node=3 carrier=viettel-1 says="all good" ok=true parts=[1,2]\n'
    )
    log, stream = logger("colour")
    log.error(LogEvent.LINK_LOSE)
    assert stream.getvalue() == "02:11:04Z \x1b[31merror  \x1b[0m link.lose node=3\n"


def test_the_style_follows_setting_and_terminal() -> None:
    """auto is for people on a terminal and for machines elsewhere."""
    styles = [style_for(setting, terminal) for setting in ("auto", "json", "text") for terminal in (True, False)]
    assert styles == ["colour", "json", "json", "json", "colour", "text"]


def test_lines_below_the_level_cost_nothing() -> None:
    """They are not even rendered."""
    log, stream = logger(level="warning")
    log.info(LogEvent.LINK_BIND)
    log.debug(LogEvent.LINK_BIND)
    assert stream.getvalue() == ""


def test_two_loggers_do_not_know_of_each_other() -> None:
    """Two gateways run in one process."""
    (one, first), (two, second) = logger(level="error"), logger("text")
    one.info(LogEvent.LINK_BIND)
    two.bind(carrier="x").info(LogEvent.LINK_BIND)
    assert first.getvalue() == ""
    assert "carrier=x" in second.getvalue()


def test_a_dead_stream_costs_lines_and_nothing_else() -> None:
    """A reader that goes away must not stop the gateway; the loss is counted."""
    stream = io.StringIO()
    lines = Lines(stream)
    stream.close()
    make_log(lines, lambda: NOON).info(LogEvent.LINK_BIND)
    assert lines.lost == 1


def test_every_transition_has_its_event_name() -> None:
    """One name per row of the lifecycle tables, and a meaning for every name."""
    names = {str(event) for event in LogEvent}
    assert {f"message.{event}" for event in lifecycle.Event} <= names
    assert {str(event).replace("attempt_", "attempt.") for event in lifecycle.AttemptEvent} <= names
    assert all(event.meaning for event in LogEvent)
    assert len(names) == len(LogEvent)


# What is never written

PHONE = "0901888484"
CANARY = "c4nary"


class Parcel(NamedTuple):
    """Something that carries a text, as a message does."""

    content: str = CANARY
    phone: str = PHONE


@pytest.mark.parametrize(
    "name",
    [
        *(
            "content",
            "text",
            "message",
            "body",
            "otp",
            "code",
            "short_message",
            "message_content",
            "payload",
            "raw",
            "pdu",
        ),
        *("api_key", "ApiKey", "apikey", "SecretKey", "secret_key", "secret", "password", "smpp-password", "passwd"),
        *("authorization", "cookie", "token", "webhook_signature", "query", "path", "answer", "session"),
    ],
)
@pytest.mark.parametrize("value", [CANARY, [CANARY], {"x": CANARY}, CANARY.encode(), Parcel()])
def test_a_field_that_names_a_secret_or_a_text_is_hidden(name: str, value: object) -> None:
    """Whatever is in it (promises S1)."""
    assert CANARY not in json.dumps(logged({name: value}))


@pytest.mark.parametrize(
    "fields",
    [
        {"phone": PHONE},
        {"phone": "+84901888484"},
        {"phone": 84901888484},
        {"to_phone": 901888484},
        {"receivers": [PHONE, "84901888484"]},
        {"destination": PHONE},
        {"says": f"no route to {PHONE}, or 84901888484, or +84901888484, or 901888484"},
        {"request_id": PHONE},
        {"detail": {"inner": [{"phone": PHONE}, f"x {PHONE}"]}},
        {"detail": {PHONE: 1}},
        {"error": OSError(f"call to {PHONE} failed")},
    ],
)
def test_a_phone_number_is_masked_wherever_it_stands(fields: dict[str, object]) -> None:
    """Enough stays to recognise a number that one knows."""
    assert "901888484" not in json.dumps(logged(fields))


def test_a_masked_number_can_still_be_recognised() -> None:
    """And counts, ids, times and result codes are left alone."""
    smsid = "6b1f0f3f9a7d4b0fb1a7b0c4f2d9e811042"
    plain = {"receivers": 2, "smsid": smsid, "message_id": 285_000_000_000_000_001, "at_ms": NOON, "code": "101"}
    line = logged({"phone": PHONE, **plain})
    assert line["phone"] == "090****484"
    assert {name: line[name] for name in plain} == plain
    assert logged({"code": "1234"})["code"] == "***"


@pytest.mark.parametrize(
    "fields",
    [
        {"callback_url": f"https://user:{CANARY}@shop.vn:8443/{CANARY}?ApiKey={CANARY}#{CANARY}"},
        {"url": CANARY},
        {"url": f"http://[::1/{CANARY}"},
        {"says": f"GET https://shop.vn/{CANARY}?key={CANARY} failed"},
        {"says": f"ApiKey={CANARY}&SecretKey={CANARY}"},
        {"says": f'{{"SecretKey": "{CANARY}", "password":"{CANARY}"}}'},
        {"parcel": Parcel()},
        {"parcels": [Parcel(), (1, Parcel())]},
        {"error": ValueError(CANARY)},
        {"error": KeyError(CANARY)},
        {"anything": object()},
        {"octets": CANARY.encode()},
    ],
)
def test_urls_objects_and_quoted_keys_give_nothing_away(fields: dict[str, object]) -> None:
    """A URL is its host; an object is its type; an exception says only what cannot quote a customer."""
    line = json.dumps(logged(fields))
    assert CANARY not in line
    assert "object at" not in line


def test_a_text_in_place_of_an_event_name_is_dropped() -> None:
    """An event is a name; everything that varies is a field."""
    assert logged({}, f"your code is {CANARY}")["event"] == "gateway.unlisted"
    assert logged({}, "carrier.nod")["event"] == "carrier.nod"
    log, stream = logger()
    log.info("code %s", CANARY)
    assert CANARY not in stream.getvalue()


def failing(depth: int = 0) -> None:
    """Raises an error that quotes, because of one that speaks."""
    try:
        raise FileNotFoundError(2, "No such file or directory", "bocau.db")
    except OSError as error:
        raise ValueError(CANARY) from error


def test_an_exception_is_told_by_type_place_and_cause() -> None:
    """Its text only where it names files and addresses, never what a customer sent."""
    for style in ("json", "text"):
        log, stream = logger("json" if style == "json" else "text")
        try:
            failing()
        except ValueError:
            log.exception(LogEvent.FAULT)
        text = stream.getvalue()
        assert CANARY not in text
        for part in ("ValueError", "test_telemetry.py:", "failing", "FileNotFoundError", "bocau.db"):
            assert part in text


def test_exceptions_in_every_form_are_described() -> None:
    """As exc_info instance and tuple, in groups, in a loop of causes; SQL errors speak."""
    error = ValueError(CANARY)
    log, stream = logger()
    log.error(LogEvent.FAULT, exc_info=error)
    log.error(LogEvent.FAULT, exc_info=(ValueError, error, None))
    log.error(LogEvent.FAULT, exc_info=True)  # noqa: LOG014 - there is none to find
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line.get("exception") for line in lines] == [{"error": "ValueError"}, {"error": "ValueError"}, None]
    group = describe(ExceptionGroup(CANARY, [error, sqlite3.OperationalError("disk is full")]))
    assert group == {
        "error": "ExceptionGroup",
        "errors": [{"error": "ValueError"}, {"error": "OperationalError", "says": "disk is full"}],
    }
    error.__cause__ = TypeError()
    error.__cause__.__cause__ = error
    assert describe(error)["because"]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.from_regex(r"[a-z_]{2,9}", fullmatch=True), _VALUES, max_size=3))
def test_any_fields_make_one_clean_line(fields: dict[str, Any]) -> None:
    """Never an exception, never a second line, never a sign that a terminal obeys."""
    for style in ("json", "text"):
        log, stream = logger("json" if style == "json" else "text")
        log.bind(**{f"a_{name}": value for name, value in fields.items()}).info(LogEvent.LINK_BIND)
        text = stream.getvalue()
        assert text.endswith("\n")
        assert style == "json" or text[:-1].isprintable()
        assert style == "text" or json.loads(text)["event"] == "link.bind"
        assert len(text.split("\n")) == 2


def test_endless_values_are_cut() -> None:
    """A list in itself, a long text, a deep tree: the line stays short."""
    endless: list[object] = []
    endless.append(endless)
    fields = {"a": endless, "b": "x" * 100_000, "c": list(range(9_999)), "d": {str(n): n for n in range(999)}}
    assert len(json.dumps(logged(fields))) < 3_000
    assert redacted("a", endless) == [[[["<list>"]]]]


# The process


def test_what_python_would_print_goes_into_the_log() -> None:
    """Library lines, warnings and broken tasks, without their arguments; and the way back."""
    log, stream = logger()
    hook = sys.excepthook
    release = capture_process(log)
    try:
        logging.getLogger("asyncio").error("task failed for %s\nfuture: %s", PHONE, CANARY, exc_info=ValueError(CANARY))
        sys.excepthook(ValueError, ValueError(CANARY), None)
        sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.getLogger("py.warnings").warning("%s", CANARY)
    finally:
        release()
    assert sys.excepthook is hook
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("library.say", "error"),
        ("gateway.fault", "error"),
        ("library.say", "warning"),
    ]
    assert CANARY not in stream.getvalue()
    assert PHONE not in stream.getvalue()


def test_a_broken_callback_of_the_loop_is_logged() -> None:
    """By type and place."""
    log, stream = logger()

    async def break_something() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(loop_fault_handler(log))
        loop.call_soon(failing)
        await asyncio.sleep(0)

    asyncio.run(break_something())
    line = json.loads(stream.getvalue())
    assert line["event"] == "gateway.fault"
    assert line["exception"]["error"] == "ValueError"
    assert CANARY not in stream.getvalue()


CRASH = """
import sys, threading
from bocau.telemetry import Lines, capture_process, make_log
capture_process(make_log(Lines(sys.stdout), lambda: 0))
def broken(password): raise ValueError(password)
thread = threading.Thread(target=broken, args=("c4nary",))
thread.start(); thread.join()
class Leaky:
    def __del__(self): broken("c4nary")
Leaky()
broken("c4nary")
"""


def test_a_crash_of_the_whole_process_gives_nothing_away() -> None:
    """The last words on both streams name types and places only."""
    done = subprocess.run([sys.executable, "-c", CRASH], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert CANARY not in done.stdout + done.stderr
    assert [json.loads(line)["where"] for line in done.stdout.splitlines()] == ["thread", "finaliser", "process"]


# Metrics


def samples(telemetry: Telemetry) -> dict[str, float]:
    """The page as an independent parser reads it: name{labels} to value."""
    found = {}
    for family in text_string_to_metric_families(render(telemetry).decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_counts_appear_under_their_names() -> None:
    """Plain attributes in the code, Prometheus names on the page."""
    telemetry = Telemetry("1.2.3")
    telemetry.accept.requests += 3
    telemetry.accept.refused["101"] += 1
    telemetry.carrier("viettel").submitted += 2
    telemetry.carrier("viettel").answers["taken"] += 2
    telemetry.report.callbacks["done"] += 1
    page = samples(telemetry)
    assert page["bocau_requests_total"] == 3
    assert page["bocau_refused_requests_total{code=101}"] == 1
    assert page["bocau_submitted_parts_total{carrier=viettel}"] == 2
    assert page["bocau_answers_total{carrier=viettel,kind=taken}"] == 2
    assert page["bocau_answers_total{carrier=viettel,kind=uncertain}"] == 0
    assert page["bocau_callback_tries_total{verdict=done}"] == 1
    assert page["bocau_build{version=1.2.3}"] == 1
    assert page["process_cpu_seconds_total"] >= 0


def test_a_histogram_is_told_in_growing_buckets() -> None:
    """A bound belongs to the range below it; +Inf holds all."""
    telemetry = Telemetry()
    for seconds in (0.0005, 0.001, 0.3, 99.0):
        telemetry.accept.seconds.observe(seconds)
    page = samples(telemetry)
    assert page["bocau_accept_seconds_bucket{le=0.001}"] == 2
    assert page["bocau_accept_seconds_bucket{le=0.2}"] == 2
    assert page["bocau_accept_seconds_bucket{le=0.5}"] == 3
    assert page["bocau_accept_seconds_bucket{le=+Inf}"] == 4
    assert page["bocau_accept_seconds_count"] == 4
    assert page["bocau_accept_seconds_sum"] == pytest.approx(99.3015)


@given(st.lists(st.floats(0, 1000), max_size=50))
def test_a_histogram_counts_every_duration_once(durations: list[float]) -> None:
    """And its quantiles grow with the share."""
    histogram = Histogram()
    for seconds in durations:
        histogram.observe(seconds)
    assert sum(histogram.counts) == len(durations)
    quantiles = [histogram.quantile(share / 10) for share in range(1, 11)]
    known = [value for value in quantiles if value is not None]
    assert known == sorted(known)
    assert len(known) == (10 if durations else 0)


def test_a_quantile_lies_in_its_range() -> None:
    """Evenly within it; beyond the last bound it is that bound."""
    histogram = Histogram((1.0, 2.0))
    for seconds in (1.5, 1.5, 1.5, 1.5):
        histogram.observe(seconds)
    assert histogram.quantile(0.5) == 1.5
    histogram = Histogram((1.0, 2.0))
    histogram.observe(50.0)
    assert histogram.quantile(0.99) == 2.0


def test_every_meter_has_a_name_of_its_own() -> None:
    """No attribute of a group is forgotten on the page, none is named twice."""
    telemetry = Telemetry()
    groups: dict[str, Any] = {
        "carriers": CarrierMeters(),
        "trunks": TrunkMeters(),
        **{name: getattr(telemetry, name) for name in ("accept", "schedule", "dispatch", "report")},
    }
    told = sorted((meter.group, meter.attribute) for meter in METERS)
    assert told == sorted((name, attribute) for name, group in groups.items() for attribute in group.__slots__)
    names = [meter.name for meter in METERS]
    assert len(set(names)) == len(names)
    assert all(meter.help.endswith(".") for meter in METERS)
    for meter in METERS:
        timed = isinstance(getattr(groups[meter.group], meter.attribute), Histogram)
        assert meter.name.endswith("_seconds") == timed


def test_watched_values_are_asked_for_when_the_page_is_read() -> None:
    """Gauges and counters that live elsewhere; None is left out."""
    telemetry = Telemetry()
    binds = {"viettel": 2.0, "mobi": 1.0}
    telemetry.watch("bocau_carrier_binds", lambda: binds["viettel"], "viettel")
    telemetry.watch("bocau_carrier_binds", lambda: binds["mobi"], "mobi")
    telemetry.watch("bocau_connections", lambda: 7)
    telemetry.watch("bocau_oldest_queued_seconds", lambda: None)
    telemetry.watch("bocau_store_failures_total", lambda: 1)
    binds["mobi"] = 0.0
    page = samples(telemetry)
    assert page["bocau_carrier_binds{carrier=viettel}"] == 2
    assert page["bocau_carrier_binds{carrier=mobi}"] == 0
    assert page["bocau_connections"] == 7
    assert page["bocau_store_failures_total"] == 1
    assert "bocau_oldest_queued_seconds" not in page
    telemetry.unwatch("bocau_carrier_binds", "mobi")
    assert "bocau_carrier_binds{carrier=mobi}" not in samples(telemetry)


def test_only_listed_values_can_be_watched() -> None:
    """A wrong name or label is found when the gateway is wired, not on the page."""
    telemetry = Telemetry()
    for name, carrier in (("bocau_nothing", ""), ("bocau_connections", "viettel"), ("bocau_carrier_binds", "")):
        with pytest.raises(ValueError, match="nothing that can be watched"):
            telemetry.watch(name, lambda: 0, carrier)
    assert all(row.help.endswith(".") for row in WATCHED.values())
    assert all(name.endswith("_total") == (row.kind == "counter") for name, row in WATCHED.items())


def test_two_telemetries_share_nothing() -> None:
    """Two gateways in one process count apart."""
    one, two = Telemetry(), Telemetry()
    one.accept.requests += 1
    one.carrier("x").answers["taken"] += 1
    assert two.accept.requests == 0
    assert two.carriers == {}
    assert one.carrier("x") is one.carrier("x")
    assert not hasattr(AcceptMeters(), "__dict__")
