"""What a browser asks of the console, and what it gets."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal, NamedTuple

from bocau.console.telling import Say, Shown
from bocau.listener import HTML

__all__ = ["LANGUAGES", "THEMES", "Act", "Answer", "Asked", "Look", "Route", "Viewer", "route", "see_other"]

LANGUAGES: Final[Mapping[str, str]] = {"en": "English", "vi": "Tiếng Việt"}
THEMES: Final = ("auto", "light", "dark")


class Look(NamedTuple):
    """How a viewer wants the pages."""

    language: str = "en"
    theme: str = "auto"
    """auto: as the viewer's device has it."""


class Viewer(NamedTuple):
    """Who looks."""

    look: Look
    say: Say
    """English phrases in the viewer's language."""
    token: str
    """What a form must carry, so that no other site can send it in the viewer's name."""
    shown: Shown


class Asked(NamedTuple):
    """One request of a browser, read and let in."""

    viewer: Viewer
    path: str
    steps: tuple[str, ...]
    """What stands in the variable places of the path."""
    query: Mapping[str, str]
    form: Mapping[str, str]
    last_event: str
    """Last-Event-ID of an event stream that comes again."""


class Answer(NamedTuple):
    """What goes back."""

    body: bytes
    status: int = 200
    content_type: bytes = HTML
    headers: tuple[tuple[bytes, bytes], ...] = ()


Act = Callable[[Asked], Awaitable[Answer]]
"""Answers a request that was let in."""


class Route(NamedTuple):
    """A path, and who answers it."""

    method: Literal["GET", "POST"]
    path: re.Pattern[str]
    act: Act


def route(method: Literal["GET", "POST"], path: str, act: Act) -> Route:
    """A row of a table of paths; what stands in brackets is variable."""
    return Route(method, re.compile(path), act)


def see_other(place: str) -> Answer:
    """Go there, by GET."""
    return Answer(b"", 303, headers=((b"Location", place.encode("ascii", "replace")),))
