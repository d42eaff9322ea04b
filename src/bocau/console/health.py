"""The admin listener: /healthz, /readyz, /metrics, /errors, /openapi.json; /control/ is console/control.py's,
/test/ of a development start console/kit.py's, /console/ console/web/door.py's."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple

import msgspec

from bocau import __version__
from bocau.console import errors, openapi
from bocau.console.control import PREFIX, ControlDoor
from bocau.console.kit import KIT_PREFIX, KitDoor
from bocau.console.web.door import CONSOLE, WebDoor
from bocau.listener import HTML, JSON, TEXT, Request
from bocau.ports import World
from bocau.store.contract import AdminStore, StateCounts
from bocau.telemetry import CONTENT_TYPE, Log, LogEvent, Telemetry, render

__all__ = ["ACCEPTED", "AdminDoor", "LinkHealth"]

_NOT_FOUND: Final = b'{"error":"Not found"}'
_STALE_QUEUE_SECONDS: Final = 300
ACCEPTED: Final = "accepted"
"""What is said of new sends that are taken; else, why they are refused."""


class LinkHealth(NamedTuple):
    """The links of one carrier account."""

    carrier: str
    bound: int
    wanted: int
    why: str
    """What the last link said when it went or did not come; empty while all are up."""


class AdminDoor:
    """Answers the operator's tools."""

    def __init__(
        self,
        world: World,
        store: AdminStore,
        telemetry: Telemetry,
        links: Callable[[], list[LinkHealth]],
        stopping: Callable[[], bool],
        sends: Callable[[], str],
        log: Log,
        control: ControlDoor | None = None,
        kit: KitDoor | None = None,
        web: WebDoor | None = None,
        staging: str = "",
    ) -> None:
        """`staging` says who is delivered to while everything else is caught; empty: it is not."""
        self._staging = staging
        self._control = control
        self._web = web
        self._kit = kit
        self._world = world
        self._store = store
        self._telemetry = telemetry
        self._links = links
        self._stopping = stopping
        self._sends = sends
        self._log = log
        self._tasks: set[asyncio.Task[None]] = set()
        self._paths: dict[bytes, Callable[[Request], Coroutine[Any, Any, None]]] = {
            b"/healthz": self._health,
            b"/readyz": self._ready,
            b"/metrics": self._metrics,
            b"/errors": self._errors,
            b"/openapi.json": self._openapi,
        }

    def handle(self, request: Request) -> None:
        """Answer one request."""
        if self._control is not None and request.target.startswith(PREFIX):
            self._control.handle(request)
            return
        if self._kit is not None and request.target.startswith(KIT_PREFIX):
            self._kit.handle(request)
            return
        if self._web is not None and (request.target == b"/" or request.target.startswith(CONSOLE)):
            self._web.handle(request)
            return
        answer = self._paths.get(request.target.partition(b"?")[0])
        if answer is None:
            request.respond(404, _NOT_FOUND)
            return
        if request.method not in ("GET", "HEAD"):
            request.respond(405, b'{"error":"Method not allowed"}', headers=((b"Allow", b"GET, HEAD"),))
            return
        task = asyncio.ensure_future(self._answer(answer, request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, answer: Callable[[Request], Coroutine[Any, Any, None]], request: Request) -> None:
        try:
            await answer(request)
        except Exception as error:  # noqa: BLE001 - the rim: an operator's question must not go unanswered
            self._log.error(LogEvent.FAULT, exc_info=error)
            request.respond(500, b'{"error":"Internal error"}')

    async def _health(self, request: Request) -> None:
        """The process lives and its loop turns."""
        request.respond(200, b"ok\n", TEXT)

    async def _ready(self, request: Request) -> None:
        """Whether it can accept and deliver, with a reason for each part, in one line.

        Without a link nothing is delivered, so a gateway whose settings name no carrier is never ready.
        """
        counts = await self._counts()
        oldest_ms = None if counts is None else counts.oldest_queued_ms
        links = self._links()
        bound = sum(link.bound for link in links)
        age_ms = 0 if oldest_ms is None else max(0, self._world.now_ms() - oldest_ms)
        faults = [f"{link.carrier}: {link.why}" for link in links if link.why and link.bound < link.wanted]
        fresh = counts is not None and age_ms < _STALE_QUEUE_SECONDS * 1000
        sends = self._sends()
        ready = fresh and bound > 0 and sends == ACCEPTED and not self._stopping()
        body = {
            "ready": ready,
            "store": "cannot be read" if counts is None else "ok",
            "stopping": self._stopping(),
            "sends": sends,
            "links": f"{bound} of {sum(link.wanted for link in links)} bound",
            "link_faults": faults,
            **({"staging": self._staging} if self._staging else {}),
            "queued": None if counts is None else counts.queued,
            "queue_age_seconds": None if counts is None else age_ms // 1000,
            "callbacks_waiting": None if counts is None else counts.callbacks_waiting,
        }
        request.respond(200 if ready else 503, msgspec.json.encode(body) + b"\n", JSON)

    async def _counts(self) -> StateCounts | None:
        """Open work; None if the store does not tell."""
        try:
            return await self._store.counts()
        except Exception as error:  # noqa: BLE001 - whatever an engine raises, here it is the answer
            self._log.error(LogEvent.STORE_FAIL, exc_info=error)
            return None

    async def _metrics(self, request: Request) -> None:
        request.respond(200, render(self._telemetry), CONTENT_TYPE.encode())

    async def _errors(self, request: Request) -> None:
        """Every code of the API, explained: a page for a browser, JSON for everybody else."""
        if errors.wants_html(request.header(b"accept")):
            request.respond(200, errors.as_html(), HTML, ((b"Vary", b"Accept"),))
        else:
            request.respond(200, errors.as_json(), JSON, ((b"Vary", b"Accept"),))

    async def _openapi(self, request: Request) -> None:
        """The customers' API, for tools. Made when it is asked for, which is seldom."""
        request.respond(200, openapi.render(__version__, kit=self._kit is not None), JSON)
