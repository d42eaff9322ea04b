"""The processes of a system test: a gateway, a carrier and a receiver of callbacks, each of its own, each with its log.

Nothing here waits for a fixed time: a process is ready when it says so.
"""

import asyncio
import contextlib
import os
import pty
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from tests.postgres import Server, server

__all__ = ["PATIENCE_SECONDS", "Child", "Stage", "free_port", "now_ms", "until"]

T = TypeVar("T")

PATIENCE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.004
_ROOT: Final = Path(__file__).resolve().parents[2]
_SINK: Final = Path(__file__).with_name("sink.py")
_COLOUR: Final = re.compile("\x1b\\[[0-9;]*m|\r")
_LISTENING: Final = re.compile(r"listening on 127\.0\.0\.1:([0-9]+)")
_READY: Final = re.compile(r'"event":"gateway\.ready","api_port":([0-9]+),"admin_port":([0-9]+)')


def now_ms() -> int:
    """The machine's wall clock, which all processes share."""
    return time.time_ns() // 1_000_000


def free_port() -> int:
    """A port nobody listens on, outside the range that the kernel takes for outgoing connections.

    A port of that range could be taken by any client while the gateway is down, or a client could connect to itself.
    """
    for port in random.sample(range(20_000, 32_000), 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port")


async def until(what: str, ready: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
    """Look again and again until `ready` gives something that counts as true. Raises AssertionError with `what`."""
    gives_up = time.monotonic() + seconds
    while True:
        found = ready()
        if found:
            return found
        assert time.monotonic() < gives_up, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(_POLL_SECONDS)


def _server_of_this_run() -> Server | None:
    """`make test STORE=postgres` keeps every store on PostgreSQL; there it must start."""
    return server() if os.environ.get("BOCAU_TEST_STORE") == "postgres" else None


class Child:
    """A process that can be started again and again; everything it prints goes to the end of its log.

    With `terminal` it prints to a terminal of its own, as for a person.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        *,
        terminal: bool = False,
    ) -> None:
        self.name = name
        self.arguments = list(arguments)
        self.log = folder / f"{name}.log"
        self._folder = folder
        # A variable of the shell that the tests run in must not set anything up.
        plain = {key: value for key, value in os.environ.items() if not key.startswith("BOCAU_")}
        self._environment = {**plain, **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self._begins = 0
        self._terminal = terminal

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The id of the process that was started last."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Begin; it is not ready yet."""
        assert not self.running, f"{self.name} runs already"
        with self.log.open("ab") as log:
            self._begins = log.tell()
            output = self._open_terminal() if self._terminal else log.fileno()
            self._process = subprocess.Popen(
                [sys.executable, *self.arguments],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            if self._terminal:
                os.close(output)

    def _open_terminal(self) -> int:
        """The end of a new terminal for the process; what it shows is copied to the log until the process is gone."""
        ours, theirs = pty.openpty()
        loop = asyncio.get_running_loop()

        def copy() -> None:
            try:
                shown = os.read(ours, 65_536)
            except OSError:
                loop.remove_reader(ours)
                os.close(ours)
                return
            with self.log.open("ab") as log:
                log.write(shown)

        loop.add_reader(ours, copy)
        return theirs

    def said(self) -> str:
        """What it printed since this start."""
        with self.log.open("rb") as log:
            log.seek(self._begins)
            return _COLOUR.sub("", log.read().decode("utf-8", "replace"))

    async def says(self, pattern: re.Pattern[str], seconds: float = PATIENCE_SECONDS) -> re.Match[str]:
        """Wait until it has printed something. Raises AssertionError if it ends before, with what it said."""

        def look() -> re.Match[str] | None:
            alive = self.running
            found = pattern.search(self.said())
            assert found or alive, f"{self.name} ended before it said {pattern.pattern!r}:\n{self.said()}"
            return found

        return await until(f"{self.name} says {pattern.pattern!r}", look, seconds)

    def kill(self) -> int:
        """SIGKILL, and wait until it is gone. Returns the moment at which it could do nothing any more."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        return now_ms()

    async def ended(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait for its own end; the exit code."""
        process = self._process
        assert process is not None
        await until(f"{self.name} ends", lambda: process.poll() is not None, seconds)
        return process.returncode

    async def stop(self, number: int = signal.SIGTERM, seconds: float = 40.0) -> int:
        """Ask it to end, and wait; the exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return await self.ended(seconds)


class Stage:
    """Everything a test needs in one folder; whatever still runs at the end is killed.

    `settings` are variables for the gateway, `carrier` further arguments of the simulated carrier. With a `server`, or
    in a run for PostgreSQL, the store is a database of its own there.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        *,
        carrier: Sequence[str] = (),
        profile: str = "bench",
        server: Server | None = None,
    ) -> None:
        self.folder = folder
        self.server = server or _server_of_this_run()
        self.database = self.server.make() if self.server else ""
        self.api_port = free_port()
        self.admin_port = 0
        self.carrier_port = free_port()
        self.sink_port = 0
        self.store = folder / "data" / "bocau.db"
        self.journal = folder / "carrier.jsonl"
        self.called = folder / "sink.jsonl"
        self.asked = folder / "client.jsonl"
        self.kills: list[int] = []
        self.restarts: list[int] = []
        """When a gateway was started after a kill."""
        self.up = asyncio.Event()
        """Set while the gateway is believed to listen."""
        self.ready_seconds: list[float] = []
        """How long each start took until both listeners were open."""
        self._settings = dict(settings or {})
        if self.server is not None:
            self._settings["BOCAU_STORE__DATABASE_URL"] = self.server.url(self.database)
            self._settings["BOCAU_STORE__MAY_LOSE_COMMITS"] = "true"
        self._profile = profile
        self._killed = False
        self.gateway = self.another_gateway("gateway", self.api_port)
        smsc = ["--port", str(self.carrier_port), "--journal", str(self.journal), "--full-text", *carrier]
        self.carrier = Child("carrier", ["-m", "bocau.cli.simulator_command", *smsc], folder, {})
        self.sink = Child("sink", [str(_SINK), "--journal", str(self.called)], folder, {})

    def another_gateway(self, name: str, api_port: int, settings: Mapping[str, str] | None = None) -> Child:
        """A gateway on the same store and carrier; not started."""
        place = ["--data", str(self.folder / "data"), "--api-port", str(api_port), "--admin-port", "0"]
        host = ["--host-carrier", f"127.0.0.1:{self.carrier_port}", "--no-first-message", "--profile", self._profile]
        return Child(name, ["-m", "bocau", "dev", *place, *host], self.folder, {**self._settings, **(settings or {})})

    async def __aenter__(self) -> Self:
        self.asked.touch()
        self.carrier.start()
        self.sink.start()
        await self.carrier.says(_LISTENING)
        self.sink_port = int((await self.sink.says(_LISTENING))[1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in (self.gateway, self.carrier, self.sink):
            if child.running:
                child.kill()
        if self.server is not None:
            self.server.drop(self.database)

    def begin(self) -> None:
        """Start the gateway."""
        if self._killed:
            self._killed = False
            self.restarts.append(now_ms())
        self.gateway.start()

    async def start(self) -> None:
        """Start the gateway and wait until it listens."""
        self.begin()
        await self.ready()

    async def ready(self) -> None:
        """Wait until the gateway that was started listens."""
        began = time.monotonic()
        self.admin_port = int((await self.gateway.says(_READY))[2])
        self.ready_seconds.append(time.monotonic() - began)
        self.up.set()

    def kill(self) -> int:
        """SIGKILL to the gateway, remembered for the reconciliation; the moment."""
        self.up.clear()
        self.kills.append(self.gateway.kill())
        self._killed = True
        return self.kills[-1]

    def freeze(self) -> int:
        """SIGSTOP to the gateway, which others will take for dead; the moment."""
        self.up.clear()
        os.kill(self.gateway.pid, signal.SIGSTOP)
        self.kills.append(now_ms())
        self._killed = True
        return self.kills[-1]

    async def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop the gateway in good order; the exit code."""
        self.up.clear()
        return await self.gateway.stop(number)

    def look(self, *questions: str) -> list[list[tuple[Any, ...]]]:
        """The rows of each question to the store, all of one moment where it is a file."""
        if self.server is not None:
            return self.server.ask(self.database, *questions)
        with contextlib.closing(sqlite3.connect(self.store)) as db:
            db.execute("PRAGMA query_only = ON")
            db.execute("PRAGMA busy_timeout = 5000")
            db.execute("BEGIN")
            return [db.execute(text).fetchall() for text in questions]

    def change(self, text: str) -> None:
        """What no gateway would do to the store; none is running."""
        if self.server is not None:
            self.server.command(self.database, text)
            return
        with contextlib.closing(sqlite3.connect(self.store)) as db:
            db.execute(text)
            db.commit()

    def snapshot(self, place: Path) -> Path:
        """The store as a killed gateway left it, copied, so that nobody but the gateway repairs the real one."""
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for tail in ("", "-wal"):
            file = self.store.with_name(f"bocau.db{tail}")
            if file.exists():
                shutil.copy(file, place / f"life0.db{tail}")
        return place / "life0.db"

    def callback(self, path: str = "ok") -> str:
        """An address at the receiver of callbacks: `ok`, or `fail/N` which answers 500 to the first N calls."""
        return f"http://127.0.0.1:{self.sink_port}/{path}"
