"""The console on a real listener, behind it a store and a door to send through, and visitors with cookies."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from tests.rooms.accept.doorway import Doorway, Reply, doorway, http, parse

from bocau.console.passwords import SALT_SIZE, _hash
from bocau.console.shelf import read_shelf
from bocau.console.web.acts import ActPages
from bocau.console.web.calls import CallPages
from bocau.console.web.charts import ChartPages
from bocau.console.web.directory import DirectoryPages
from bocau.console.web.door import WebDoor
from bocau.console.web.feed import Feed
from bocau.console.web.frame import Frame
from bocau.console.web.gate import LogInGate, OpenGate
from bocau.console.web.messages import Beside, MessagePages
from bocau.core.role import Role
from bocau.listener import Limits, Listener
from bocau.ports import Act, ActRefused
from bocau.store.contract import ConsoleUser
from bocau.telemetry import Lines, make_log

__all__ = ["PASSWORD", "Stand", "Visitor", "arrive", "concrete", "stand"]

PASSWORD: Final = "four words in a row"
_CHEAP: Final = _hash(PASSWORD, bytes(SALT_SIZE), 4, 8, 1)
"""Checked at once: what a real one costs is nothing to wait for in each test."""
_TOKEN: Final = re.compile(r'name="token" value="([0-9a-f]+)"')


class Visitor:
    """A browser without eyes: it keeps cookies, and fills forms with the token of the page before."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.cookies: dict[str, str] = {}
        self.token = ""
        self.host = f"127.0.0.1:{port}"

    async def get(self, path: str, headers: str = "") -> Reply:
        """A page."""
        return await self._ask("GET", path, b"", headers)

    async def post(self, path: str, headers: str | None = None, **form: str) -> Reply:
        """A form of ours, as a browser sends it; with `headers`, whatever they say."""
        own = f"Origin: http://{self.host}\r\nSec-Fetch-Site: same-origin\r\n" if headers is None else headers
        return await self._ask("POST", path, urlencode({"token": self.token, **form}).encode(), own)

    async def _ask(self, method: str, path: str, body: bytes, headers: str) -> Reply:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        own = f"{f'Cookie: {cookies}' + chr(13) + chr(10) if cookies else ''}{headers}"
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(http(method, path, body, own).replace(b"Host: x", f"Host: {self.host}".encode(), 1))
        writer.write_eof()
        reply = parse(await reader.read())
        writer.close()
        for name, value in re.findall(rb"(?i)^set-cookie: ([^=]+)=([^;]*)", reply.raw, re.MULTILINE):
            self.cookies[name.decode()] = value.decode()
        found = _TOKEN.search(reply.body.decode("utf-8", "replace"))
        self.token = found[1] if found else self.token
        return reply


def concrete(pattern: str) -> str:
    """A path that fits the pattern of a route."""
    chosen = re.sub(r"\(([a-z]+)[a-z|]*\)", r"\1", pattern)
    return re.sub(r"\([^()]*\)", "0", chosen.partition("|")[0])


async def _nothing(members: Mapping[str, Any]) -> object:
    raise ActRefused("There is nothing here.")


async def _no_links(members: Mapping[str, Any]) -> object:
    return []


ACTS: Final = (
    "link/show",
    "link/trace",
    "link/pause",
    "link/drain",
    "link/resume",
    "callback/resend",
    "callback/sample",
)


class Stand:
    """A console that runs."""

    def __init__(self, place: Doorway) -> None:
        self.place = place
        self.acts = {"link/list": Act(_no_links), **{name: Act(_nothing) for name in ACTS}}
        """The table of acts; a test changes it."""
        self.sounds: dict[str, bytes] = {}
        """What the phone heard, by Call-ID."""
        self.refusals = 0
        self.door: WebDoor
        self.listener: Listener

    def visitor(self) -> Visitor:
        """Somebody new."""
        return Visitor(self.listener.port)


async def arrive(one: Stand, role: Role) -> Visitor:
    """Somebody of a role, logged in."""
    now = one.place.world.now
    await one.place.store.put_console_user(ConsoleUser(role.value, role, _CHEAP, now, now))
    visitor = one.visitor()
    await visitor.get("/console/login")
    reply = await visitor.post("/console/login", name=role.value, password=PASSWORD)
    assert reply.status == 303, reply.body
    await visitor.get("/console/")
    return visitor


def stand(folder: Path, scenario: Callable[[Stand], Awaitable[None]], *, guarded: bool = False) -> None:
    """Play a scenario at a console: of development, or one that wants a log-in."""

    async def play(place: Doorway) -> None:
        one = Stand(place)
        shelf = read_shelf()
        frame = Frame(shelf)
        acts = ActPages(one.acts, place.store, frame)
        calls = CallPages(place.store, frame, lambda call_id: one.sounds.get(call_id, b""))
        feed = Feed(place.world, place.store, lambda: one.refusals)
        messages = MessagePages(place.world, place.store, frame, Beside(acts, feed, calls))
        directory = DirectoryPages(place.world, place.store, frame)
        charts = ChartPages(place.world, place.store, frame)
        routes = (*messages.routes, *calls.routes, *acts.routes, *charts.routes, *directory.routes)
        log = make_log(Lines(place.said), place.world.now_ms)
        gate = LogInGate(place.world, place.store, frame, log) if guarded else OpenGate()
        one.door = WebDoor(place.world, frame, shelf, routes, gate, log, hosts=("console.example",))
        one.listener = await Listener.start(place.world, one.door.handle, "127.0.0.1", 0, Limits(), place.faults.append)
        try:
            await scenario(one)
            assert "gateway.fault" not in place.log_lines()
        finally:
            await one.door.close()
            await one.listener.close(0)

    doorway(folder, play)
