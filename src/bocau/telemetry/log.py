"""The log: JSON lines for machines, short text for a terminal, on one stream. Nothing here is global.

A logger is a value, made from a stream and a clock and handed to the rooms. `capture_process` is the one exception, for
the command line: it sends what Python itself would print into the log, without the texts that exceptions quote.
"""

import asyncio
import logging
import re
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Literal, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from bocau.telemetry.events import LogEvent
from bocau.telemetry.redact import HIDDEN, describe, redacted

__all__ = ["Lines", "Log", "Style", "capture_process", "loop_fault_handler", "make_log", "style_for"]

Log = FilteringBoundLogger
"""What a room logs with: log.info(LogEvent.LINK_BIND, carrier="viettel-1")."""

Style = Literal["json", "text", "colour"]

_NAME: Final = re.compile(r"[a-z_]{1,32}\.[a-z_]{1,32}")
_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_COLOURS: Final = {"debug": "2", "info": "36", "warning": "33", "error": "31", "critical": "31;1"}
_PLAIN: Final = re.compile(r"[^\s\"=\x00-\x20\x7f-\x9f]+")
_KNOWN: Final = frozenset(str(event) for event in LogEvent)
_OWN: Final = frozenset(("ts", "level", "event", "exception"))


class Lines:
    """Writes lines to a stream. A stream that fails costs lines, counted in `lost`, and never an exception."""

    __slots__ = ("_stream", "lost")

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost = 0

    def write(self, line: str) -> None:
        """One line, at once."""
        try:
            self._stream.write(f"{line}\n")
            self._stream.flush()
        except (OSError, ValueError):  # the reader went away; ValueError is a closed stream
            self.lost += 1

    debug = info = warning = error = critical = exception = msg = write


def style_for(setting: str, terminal: bool) -> Style:
    """The style of the setting log.format: auto is text on a terminal, else JSON; a terminal gets colours."""
    if setting == "json" or (setting == "auto" and not terminal):
        return "json"
    return "colour" if terminal else "text"


def make_log(
    lines: Lines, now_ms: Callable[[], int], level: str = "info", style: Style = "json", **context: object
) -> Log:
    """A logger. `level` is debug, info, warning or error; `context` (the node, say) stands in every line."""
    render: Processor = _render_json if style == "json" else _TextRenderer(style == "colour")
    log: Log = structlog.wrap_logger(
        lines,
        processors=[_Stamp(now_ms), render],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        context_class=dict,
    ).bind(**context)
    return log


class _Stamp:
    """Puts time, level and event first, and lets nothing pass that a log must not show."""

    __slots__ = ("_now_ms",)

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms

    def __call__(self, _logger: object, level: str, fields: EventDict) -> EventDict:
        event = fields.pop("event", "")
        line: EventDict = {"ts": _timestamp(self._now_ms()), "level": level, "event": _event_name(event)}
        error = _error_of(fields.pop("exc_info", None))
        fields.pop("stack_info", None)
        for name, value in fields.items():
            if name not in _OWN:
                line[name] = redacted(name, value)
        if error is not None:
            line["exception"] = describe(error)
        return line


def _event_name(event: object) -> str:
    """The name of an event. A text in its place is dropped, whatever it says."""
    name = str(event)
    return name if name in _KNOWN or _NAME.fullmatch(name) else LogEvent.UNLISTED.value


def _error_of(given: object) -> BaseException | None:
    """The exception that exc_info stands for."""
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple) and len(given) == 3 and isinstance(given[1], BaseException):
        return given[1]
    return sys.exc_info()[1] if given is True or given == 1 else None


def _timestamp(now_ms: int) -> str:
    """UTC with milliseconds: 2026-11-22T02:11:04.125Z."""
    seconds, milliseconds = divmod(now_ms, 1_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"


def _render_json(_logger: object, _level: str, line: EventDict) -> str:
    return _json(line) or _json({name: line[name] for name in ("ts", "level", "event")} | {"fields": HIDDEN})


def _json(value: object) -> str:
    """JSON in one line; empty if there is none, as of a lone surrogate or an endless number."""
    try:
        return msgspec.json.encode(value).decode()
    except (ValueError, OverflowError):
        return ""


class _TextRenderer:
    """02:11:04 info    link.bind  carrier=viettel-1"""

    __slots__ = ("_colours",)

    def __init__(self, colours: bool) -> None:
        self._colours = colours

    def __call__(self, _logger: object, level: str, line: EventDict) -> str:
        line.pop("level")
        error = line.pop("exception", None)
        head = f"{str(line.pop('ts'))[11:19]}Z {self._painted(level, f'{level:<7}')} {line.pop('event')}"
        words = [head, *(f"{name}={_text_of(value)}" for name, value in line.items())]
        return " ".join(words) + ("" if error is None else "\n" + "\n".join(_error_lines(error)))

    def _painted(self, level: str, text: str) -> str:
        return f"\x1b[{_COLOURS.get(level, '0')}m{text}\x1b[0m" if self._colours else text


def _text_of(value: object) -> str:
    """A value in one word, else as JSON; control characters come out as escapes, so a terminal obeys nobody."""
    text = value if isinstance(value, str) and _PLAIN.fullmatch(value) else _json(value) or HIDDEN
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def _error_lines(error: Mapping[str, Any], indent: str = "  ", lead: str = "") -> list[str]:
    says = f": {_text_of(error['says'])}" if "says" in error else ""
    lines = [f"{indent}{lead}{error['error']}{says}", *(f"{indent}  at {place}" for place in error.get("at", ()))]
    for inner in error.get("errors", ()):
        lines += _error_lines(inner, indent + "  ")
    return lines + (_error_lines(error["because"], indent, "because of ") if "because" in error else [])


# The process


def loop_fault_handler(log: Log) -> Callable[[asyncio.AbstractEventLoop, Mapping[str, Any]], None]:
    """For loop.set_exception_handler: a task or callback that broke is logged by type and place."""

    def handle(_loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        log.error(LogEvent.FAULT, where=str(context.get("message", ""))[:100], exc_info=context.get("exception"))

    return handle


class _LibraryLines(logging.Handler):
    """Sends the standard library's log into ours: the name, the level, the first line before its arguments."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """One record. Its arguments and any later line may quote anything and are left out."""
        said = str(record.msg).partition("\n")[0]
        level = logging.ERROR if record.levelno >= logging.ERROR else logging.WARNING
        self._log.log(level, LogEvent.LIBRARY, library=record.name, says=said, exc_info=record.exc_info)


def capture_process(log: Log) -> Callable[[], None]:
    """Send what Python would print itself (crashes, broken threads, warnings) into the log. Returns the way back."""

    def crashed(kind: type[BaseException], error: BaseException, _tb: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            log.error(LogEvent.FAULT, where="process", exc_info=error)

    def thread_crashed(args: threading.ExceptHookArgs) -> None:
        log.error(LogEvent.FAULT, where="thread", exc_info=args.exc_value)

    def unraisable(args: Any) -> None:  # noqa: ANN401 - sys.UnraisableHookArgs exists for type checkers only
        log.error(LogEvent.FAULT, where="finaliser", exc_info=args.exc_value)

    before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    handler = _LibraryLines(log)
    sys.excepthook, threading.excepthook, sys.unraisablehook = crashed, thread_crashed, unraisable
    logging.getLogger().addHandler(handler)
    logging.captureWarnings(True)

    def release() -> None:
        sys.excepthook, threading.excepthook, sys.unraisablehook = before
        logging.getLogger().removeHandler(handler)
        logging.captureWarnings(False)

    return release
