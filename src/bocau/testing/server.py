"""A gateway for one run of tests, shared by all its processes, and stopped with it."""

import contextlib
import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Server", "start", "stop"]

_READY: Final = "gateway.ready"
_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.02
_COMMAND: Final = (
    *("-m", "bocau", "dev", "--ephemeral", "--no-first-message"),
    *("--api-port", "0", "--admin-port", "0", "--smsc-port", "0"),
)
_SETTINGS: Final = {"BOCAU_VOICE__REPEATS": "1", "BOCAU_VOICE__GAP_MS": "100"}
"""Sound takes its time: a call of a test says the code once."""


class Server(NamedTuple):
    """A running gateway of development."""

    api: str
    """Where applications send to: ESMS_BASE_URL."""
    admin: str
    """Where the test API is."""


def start(folder: Path, options: Sequence[str] = ()) -> Server:
    """The gateway of a run, by its folder: the first process that asks starts it, the others find it.

    `options` are those of `bocau dev`, beside those that a run needs.

    Raises RuntimeError with the last lines of its log if it does not start.
    """
    with (folder / "bocau.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        plate = folder / "bocau.json"
        if plate.exists():
            found = json.loads(plate.read_text("utf-8"))
            return Server(found["api"], found["admin"])
        log = folder / "bocau.log"
        pid = _spawn(log, options)
        try:
            server = _await_ready(log, pid)
        except BaseException:
            _end(pid)
            raise
        plate.write_text(json.dumps({**server._asdict(), "pid": pid}), "utf-8")
        return server


def stop(folder: Path) -> None:
    """Stop the gateway of a run, if it was started."""
    with contextlib.suppress(FileNotFoundError):
        _end(json.loads((folder / "bocau.json").read_text("utf-8"))["pid"])


def _spawn(log: Path, options: Sequence[str]) -> int:
    """Start it in a session of its own: it outlives the process that happened to ask first."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    others = {name: value for name, value in os.environ.items() if not name.startswith("BOCAU_")}
    # To prepare a voice takes seconds, so it is kept from run to run.
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "bocau" / "speech"
    environment = {**others, **_SETTINGS, "BOCAU_VOICE__CACHE_FOLDER": str(cache)}
    command = [sys.executable, *_COMMAND, *options]
    return os.posix_spawn(sys.executable, command, environment, file_actions=actions, setsid=True)


def _await_ready(log: Path, pid: int) -> Server:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        said = log.read_text("utf-8", "replace") if log.exists() else ""
        for line in said.splitlines():
            if f'"{_READY}"' in line and line.endswith("}"):
                found = json.loads(line)
                return Server(f"http://127.0.0.1:{found['api_port']}", f"http://127.0.0.1:{found['admin_port']}")
        if not _lives(pid):
            break
        time.sleep(_LOOK_SECONDS)
    last = "\n".join(log.read_text("utf-8", "replace").splitlines()[-10:]) if log.exists() else ""
    raise RuntimeError(f"bocau did not start:\n{last}")


def _end(pid: int) -> None:
    """Ask it to stop, and see that it did."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + _STOP_SECONDS
    while _lives(pid):
        if time.monotonic() > end:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_LOOK_SECONDS)


def _lives(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):  # it may be the child of another process of the run
        return os.waitpid(pid, os.WNOHANG)[0] == 0
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
