"""From templates and values to the bytes of a page."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from bocau.console.pdus import fields_of
from bocau.console.shelf import Asset
from bocau.console.telling import Say
from bocau.console.web.asked import LANGUAGES, Look, Viewer
from bocau.console.web.vietnamese import VIETNAMESE
from bocau.core.text import find_code

__all__ = ["VIETNAM", "Frame", "saying"]

VIETNAM: Final = timezone(timedelta(hours=7))
"""The console shows the time of Vietnam, as SendDate is written."""


def saying(language: str) -> Say:
    """Puts phrases into a language. One that the catalogue lacks stays English; a test finds it first."""
    table: Mapping[str, str] = VIETNAMESE if language == "vi" else {}
    return lambda phrase: table.get(phrase, phrase)


class Pieces(NamedTuple):
    """A text around its one-time code; without one, all of it stands before."""

    before: str
    code: str
    after: str


def _pieces(text: str) -> Pieces:
    code = find_code(text)
    if code is None:
        return Pieces(text, "", "")
    before, _, after = text.partition(code)
    return Pieces(before, code, after)


def _date(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, VIETNAM).strftime("%Y-%m-%d")


def _clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, VIETNAM).strftime("%H:%M:%S")


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _span(milliseconds: int) -> str:
    """How long after the beginning."""
    if milliseconds < 10_000:
        return f"+{milliseconds} ms"
    if milliseconds < 600_000:
        return f"+{milliseconds / 1000:.0f} s"
    return f"+{milliseconds / 60_000:.0f} min"


class Frame:
    """Renders templates; what varies with every page comes in with it."""

    def __init__(self, shelf: Mapping[str, Asset], refusals: Callable[[], int] | None = None) -> None:
        """`refusals` counts the refused requests of a development start; None: this is none."""
        self._environment = environment = Environment(
            loader=PackageLoader("bocau.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        filters: dict[str, Callable[..., object]] = {
            "date": _date,
            "clock": _clock,
            "iso": _iso,
            "span": _span,
            "pieces": _pieces,
            "fields_of": fields_of,
            "key19": lambda number: f"{number:019d}",
        }
        environment.filters.update(filters)
        environment.globals["languages"] = LANGUAGES
        environment.globals["count_refusals"] = refusals
        environment.globals["asset"] = lambda name: f"/console/assets/{name}?{shelf[name].mark}"

    def render(self, template: str, viewer: Viewer, path: str, **values: object) -> bytes:
        """A page or a piece of one; `path` is where the browser is, to come back to."""
        found = self._environment.get_template(template)
        return found.render(_=viewer.say, viewer=viewer, path=path, **values).encode()

    def plain(self, look: Look, title: str, text: str) -> bytes:
        """A page that only says something, for who is nobody yet."""
        say = saying(look.language)
        found = self._environment.get_template("plain.html")
        return found.render(_=say, look=look, title=say(title), text=say(text)).encode()
