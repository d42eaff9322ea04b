"""Callbacks out of the request of a web framework. Nothing is imported: a request is taken for what it has.

Each function returns the Callback. With `secrets` it raises BadSignature for what is not ours; without, anybody may
have sent it. ValueError: it is no callback. Answer first and work later, see docs/how-to/receive-callbacks.md.
"""

import time
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Protocol

from bocau.client.callbacks import Callback, parse_callback, verify

__all__ = ["from_django", "from_flask", "from_starlette"]


class StarletteRequest(Protocol):
    """What Starlette and FastAPI hand to an endpoint."""

    @property
    def headers(self) -> Mapping[str, str]:
        """By any case."""
        ...

    @property
    def scope(self) -> MutableMapping[str, Any]:
        """The ASGI scope."""
        ...


class DjangoRequest(Protocol):
    """What Django hands to a view."""

    @property
    def headers(self) -> Mapping[str, str]:
        """By any case."""
        ...

    @property
    def META(self) -> Mapping[str, Any]:  # noqa: N802 - Django's name
        """The WSGI environment."""
        ...

    def get_full_path(self) -> str:
        """Path and query."""
        ...


class FlaskRequest(Protocol):
    """What Flask calls `request`."""

    @property
    def headers(self) -> Iterable[tuple[str, str]]:
        """Names with their values."""
        ...

    @property
    def environ(self) -> Mapping[str, Any]:
        """The WSGI environment."""
        ...

    @property
    def full_path(self) -> str:
        """Path and query."""
        ...


def from_starlette(request: StarletteRequest, secrets: Sequence[str] = (), now: float | None = None) -> Callback:
    """The callback in a request of Starlette or FastAPI. `now` is the clock's unless given."""
    scope = request.scope
    query: bytes = scope["query_string"]
    path: bytes = scope.get("raw_path") or str(scope["path"]).encode()
    return _checked(dict(request.headers), path.partition(b"?")[0] + b"?" + query, secrets, now)


def from_django(request: DjangoRequest, secrets: Sequence[str] = (), now: float | None = None) -> Callback:
    """The callback in a request of Django. `now` is the clock's unless given."""
    return _checked(dict(request.headers), _target(request.META, request.get_full_path()), secrets, now)


def from_flask(request: FlaskRequest, secrets: Sequence[str] = (), now: float | None = None) -> Callback:
    """The callback in Flask's request. `now` is the clock's unless given."""
    return _checked(dict(request.headers), _target(request.environ, request.full_path), secrets, now)


def _target(environ: Mapping[str, Any], otherwise: str) -> str:
    """The target as it came: servers give it one of two names; else as the framework puts it together."""
    found = environ.get("RAW_URI") or environ.get("REQUEST_URI") or otherwise
    return str(found)


def _checked(headers: Mapping[str, str], sent: str | bytes, secrets: Sequence[str], now: float | None) -> Callback:
    if secrets:
        verify(headers, sent, secrets, time.time() if now is None else now)  # noqa: TID251 - no World there
    query = sent.partition(b"?")[2] if isinstance(sent, bytes) else sent.partition("?")[2]
    return parse_callback(query)
