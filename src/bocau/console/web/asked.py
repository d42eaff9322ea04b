"""What a browser asks of the console, and what it gets."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal, NamedTuple

from bocau.console.telling import Say, Shown
from bocau.core.role import Right
from bocau.listener import HTML

__all__ = [
    "LANGUAGES",
    "SESSION",
    "THEMES",
    "Act",
    "Answer",
    "Asked",
    "Look",
    "Route",
    "Viewer",
    "cookie",
    "route",
    "see_other",
]

LANGUAGES: Final[Mapping[str, str]] = {"en": "English", "vi": "Tiếng Việt"}
THEMES: Final = ("auto", "light", "dark")
SESSION: Final = "bocau_console"
"""The cookie of a session."""

_OWN: Final = re.compile(r"/console/[A-Za-z0-9/?=&%.+:_-]*")


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
    """How much of people's data."""
    name: str
    """Empty where nobody logs in."""
    rights: frozenset[Right]
    session: str

    def may(self, right: Right) -> bool:
        """Whether he has a right."""
        return right in self.rights


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
    peer: str
    """The address he calls from."""
    secure: bool
    """He came through TLS, as far as we are told."""


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
    needs: Right | None
    """None: whoever comes."""
    passive: bool
    """The page asks by itself: no sign of life of its viewer."""


def route(
    method: Literal["GET", "POST"],
    path: str,
    act: Act,
    *,
    needs: Right | None = Right.LOOK,
    passive: bool = False,
) -> Route:
    """A row of a table of paths; what stands in brackets is variable."""
    return Route(method, re.compile(path), act, needs, passive)


def see_other(place: str) -> Answer:
    """Go there, by GET; to the first page if the place is not one of ours."""
    return Answer(b"", 303, headers=((b"Location", (place if _OWN.fullmatch(place) else "/console/").encode()),))


def cookie(name: str, value: str, *, secure: bool, more: str = "") -> tuple[bytes, bytes]:
    """A header that sets a cookie: no script reads it, no other site sends it."""
    end = f"{more}{'; Secure' if secure else ''}"
    return b"Set-Cookie", f"{name}={value}; Path=/console; HttpOnly; SameSite=Strict{end}".encode()
