"""Programs of others beside ours: started, read line by line, ended."""

import contextlib
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FOREIGN = Path(os.environ.get("BOCAU_INTEROP", HERE.parents[1] / ".interop"))
"""Where `make test-interop` puts the libraries of others."""
_PATIENCE_SECONDS = 40.0


def free_port() -> int:
    """One that nobody has just now."""
    with contextlib.closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Program:
    """One that runs, with what it has printed."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.seen: list[str] = []
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))

    def line(self, wanted: Callable[[str], bool] = bool) -> str:
        """The next line that is wanted."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                line = self._lines.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"nothing came; before that: {self.seen[-20:]}") from None
            self.seen.append(line)
            if wanted(line):
                return line

    def json(self, **members: object) -> dict[str, Any]:
        """The next line that is a JSON object with these members."""
        found: dict[str, Any] = {}

        def fits(line: str) -> bool:
            if not line.startswith("{"):
                return False
            found.clear()
            found.update(json.loads(line))
            return all(found.get(key) == value for key, value in members.items())

        self.line(fits)
        return found


@contextlib.contextmanager
def running(command: Sequence[str], **environment: str) -> Iterator[Program]:
    """Start it; end it politely, then not."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment}
    )
    try:
        yield Program(process)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


@contextlib.contextmanager
def gateway(folder: Path, carrier_port: int, **settings: str) -> Iterator[tuple[Program, str]]:
    """A gateway whose carrier is somebody else's, and the address of its API."""
    command = [sys.executable, "-m", "bocau", "dev", "--data", str(folder / "data"), "--api-port", "0"]
    command += ["--admin-port", "0", "--host-carrier", f"127.0.0.1:{carrier_port}", "--no-first-message"]
    environment = {f"BOCAU_CARRIER__SIMULATOR__{key.upper()}": value for key, value in settings.items()}
    with running(command, **environment) as program:
        ready = program.json(event="develop.ready")
        program.json(event="link.bind")
        yield program, str(ready["api"]).removesuffix("/...")  # the log shows no paths


def send(api: str, content: str, *more: str) -> None:
    """Send, and wait until it is delivered; the command fails if it is not."""
    command = [sys.executable, "-m", "bocau", "send", "--url", api, "--phone", "0901234567", "--content", content]
    done = subprocess.run([*command, "--wait", "20", *more], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def simulator() -> Iterator[tuple[Program, int]]:
    """Our simulated carrier, and its port."""
    with running([sys.executable, "-m", "bocau.cli.simulator_command", "--port", "0"]) as program:
        yield program, int(program.line(lambda line: line.startswith("listening")).rsplit(":", 1)[1])
