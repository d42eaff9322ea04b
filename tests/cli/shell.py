"""What tests of the command line share: a store to work on, a way to type commands, and a scripted HTTP server."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from typer.testing import CliRunner, Result

from bocau.cli.main import app
from bocau.core.directory import Directory, build
from bocau.provision import DEVELOPMENT, provision
from bocau.store import pepper
from bocau.store.contract import Clerk, OutcomeDeadlines
from bocau.store.sqlite import SqliteStore
from bocau.world import RealWorld


class Shell:
    """Types commands, on one store if there is one."""

    def __init__(self, data: Path | None = None, environment: Mapping[str, str] | None = None) -> None:
        self.data = data
        self._environment = dict(environment or {})

    def run(self, *words: str) -> Result:
        """One command; nothing but an exit code may come out of it."""
        store = [] if self.data is None else ["--data", str(self.data)]
        result = CliRunner(env=self._environment).invoke(app, [*words, *store])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    def ok(self, *words: str) -> str:
        """The output of a command that must succeed."""
        result = self.run(*words)
        assert result.exit_code == 0, result.output
        return str(result.stdout)

    def fails(self, *words: str) -> str:
        """What a command that must fail says on standard error."""
        result = self.run(*words)
        assert result.exit_code == 1, result.output
        return str(result.stderr)

    def json(self, *words: str) -> Any:  # noqa: ANN401 - whatever the command prints
        """The one document that a command prints with --json."""
        return json.loads(self.ok(*words, "--json"))


def make_store(data: Path) -> None:
    """A store as `bocau dev` leaves it, with its account bocau-dev."""
    asyncio.run(_make_store(data))


async def _make_store(data: Path) -> None:
    world = RealWorld()
    path = str(data / "bocau.db")
    key = pepper.read_or_make(path, world.token(pepper.SIZE))
    store = await SqliteStore.gateway(
        path, node=0, now_ms=world.now_ms(), deadlines=OutcomeDeadlines(1, 1, 1), on_fatal=_raise, threaded=False
    )
    await provision(store, DEVELOPMENT, key, world.now_ms)
    await store.close(world.now_ms())


def _raise(error: BaseException) -> None:
    raise error


def directory(data: Path) -> Directory:
    """What the door of a gateway would read from the store."""

    async def read() -> Directory:
        path = str(data / "bocau.db")
        store = await SqliteStore.administrate(path, Clerk("test", RealWorld().now_ms))
        try:
            return build(await store.read_directory(), pepper.read_or_make(path, bytes(pepper.SIZE)))
        finally:
            await store.close(0)

    return asyncio.run(read())


class Heard(NamedTuple):
    """A request that the scripted server got."""

    method: str
    path: str
    members: dict[str, Any]


class Scripted(NamedTuple):
    """An answer of the scripted server."""

    body: str
    status: int = 200
    headers: Mapping[str, str] = {}


class Stub:
    """An HTTP server with a list of answers for each path; the last one repeats."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: dict[str, list[Scripted]] = {}
        self.heard: list[Heard] = []

    def answer(self, path: str, body: str, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Add an answer to those of a path."""
        self.answers.setdefault(path, []).append(Scripted(body, status, headers or {}))

    def next(self, path: str) -> Scripted:
        """The answer whose turn it is."""
        answers = self.answers.get(path, [Scripted('{"error":"Not found"}', 404)])
        return answers.pop(0) if len(answers) > 1 else answers[0]


@contextmanager
def stub() -> Iterator[Stub]:
    """Serve on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            stage.heard.append(Heard(self.command, self.path, json.loads(body) if body else {}))
            scripted = stage.next(self.path)
            if scripted.status == 0:
                return  # hangs up without a word
            raw = scripted.body.encode()
            self.send_response(scripted.status)
            for name, value in {"Content-Type": "application/json", **scripted.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stage = Stub(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        yield stage
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
