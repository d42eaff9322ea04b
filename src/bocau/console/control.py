"""/control/... on the admin listener: what an operator's command asks of the running gateway.

A table of acts by path, each given the members of one JSON object and giving one JSON value back. Whoever can read the
file beside the store may call: it names the address and a token that is new with every start.
"""

import asyncio
import contextlib
import hmac
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from bocau.listener import JSON, Request
from bocau.ports import Act, ActRefused
from bocau.telemetry import Log, LogEvent

__all__ = [
    "PREFIX",
    "TOKEN_SIZE",
    "ControlDoor",
    "Doorplate",
    "NoDoorplate",
    "Note",
    "actor_of",
    "hang_doorplate",
    "read_doorplate",
    "take_doorplate_down",
]

PREFIX: Final = b"/control/"
"""Where acts live; the rest of the path is the act's name."""

TOKEN_SIZE: Final = 32
"""Random bytes of a token."""
_LONGEST_NAME: Final = 100
_SUBJECTS: Final = ("link", "url")
"""Members that say what an act is about; others may hold a number or a text."""
_BEARER: Final = b"bearer "
_NO_STORE: Final = ((b"Cache-Control", b"no-store"),)


Note = Callable[[str, str, str], Awaitable[None]]
"""Keeps actor, act and subject of what was done."""


def actor_of(members: Mapping[str, Any]) -> str:
    """Who asks, by the caller's own word: whoever holds the token is the gateway's user anyway."""
    return str(members.get("actor") or "unnamed")[:_LONGEST_NAME]


class Doorplate(NamedTuple):
    """Where a running gateway takes acts, and what it wants to be shown."""

    url: str
    token: str


class NoDoorplate(Exception):  # noqa: N818 - named for what is missing
    """No gateway runs on the store, or its file may not be read by us."""


def _plate(store_path: str) -> Path:
    return Path(f"{store_path}.control")


def hang_doorplate(store_path: str, plate: Doorplate) -> None:
    """Write the file beside the store, readable by its owner alone. Raises OSError."""
    path = _plate(store_path)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(plate._asdict()))
    fresh.replace(path)


def take_doorplate_down(store_path: str) -> None:
    """Remove the file; one that is gone, or cannot be removed, is no reason not to stop."""
    with contextlib.suppress(OSError):
        _plate(store_path).unlink()


def read_doorplate(store_path: str) -> Doorplate:
    """Where the gateway of this store takes acts. Raises NoDoorplate with a sentence."""
    path = _plate(store_path)
    try:
        return Doorplate(**msgspec.json.decode(path.read_bytes(), type=dict[str, str]))
    except FileNotFoundError:
        raise NoDoorplate(f"No gateway runs on {store_path}: there is no {path.name} beside it.") from None
    except OSError as error:
        raise NoDoorplate(f"{path} cannot be read ({error.strerror}): run this as the gateway's own user.") from error
    except (msgspec.DecodeError, TypeError) as error:
        raise NoDoorplate(f"{path} is damaged; the next start of the gateway writes it anew.") from error


class ControlDoor:
    """Answers the acts of a table. `acts` may grow until the first request."""

    def __init__(self, acts: Mapping[str, Act], token: bytes, log: Log, note: Note) -> None:
        """`note` keeps who did what to which carrier, in the audit."""
        self._acts = acts
        self._note = note
        self._token = token.hex().encode()
        self._log = log
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def token(self) -> str:
        """What a caller must show, as `Authorization: Bearer ...`."""
        return self._token.decode()

    def handle(self, request: Request) -> None:
        """Answer one request: 401 without the token, 405 for all but POST, 404 for an unknown act, 400 for a bad body,
        409 with a reason where the act cannot be done."""
        if not self._is_ours(request):
            _refuse(request, 401, "This needs the token in the file beside the store")
            return
        if request.method != "POST":
            _refuse(request, 405, "Acts are called with POST")
            return
        act = self._acts.get(request.target.partition(b"?")[0].removeprefix(PREFIX).decode("ascii", "replace"))
        if act is None:
            _refuse(request, 404, "There is no such act")
            return
        try:
            members = msgspec.json.decode(request.body or b"{}", type=dict[str, Any])
        except msgspec.DecodeError:
            _refuse(request, 400, "The body must be one JSON object")
            return
        task = asyncio.ensure_future(self._do(act, members, request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _is_ours(self, request: Request) -> bool:
        shown = request.header(b"authorization")
        kind, token = shown[: len(_BEARER)].lower(), shown[len(_BEARER) :].strip()
        return kind == _BEARER and hmac.compare_digest(token, self._token)

    async def _do(self, act: Act, members: dict[str, Any], request: Request) -> None:
        name = request.target.partition(b"?")[0].removeprefix(PREFIX).decode("ascii", "replace")
        link, actor = str(members.get("link", "")), actor_of(members)
        subject = ", ".join(str(members[name]) for name in _SUBJECTS if name in members)
        if act.changes:
            self._log.info(LogEvent.OPERATOR_ACT, act=name, link=link)
        try:
            value = await act.run(members)
            if act.changes and not act.notes_itself:
                await self._note(actor, name.replace("/", "."), subject)
        except ActRefused as refused:
            _refuse(request, 409, str(refused))
        except Exception as error:  # noqa: BLE001 - the rim: an operator's act must not go unanswered
            self._log.error(LogEvent.FAULT, exc_info=error)
            _refuse(request, 500, "Internal error")
        else:
            request.respond(200, msgspec.json.encode(value), JSON, _NO_STORE)


def _refuse(request: Request, status: int, text: str) -> None:
    request.respond(status, msgspec.json.encode({"error": text}), JSON, _NO_STORE)
