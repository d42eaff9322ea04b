"""Processes under measurement: where they run, and what they have used (Linux; elsewhere nothing is pinned)."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

__all__ = ["Cores", "GatewayProcess", "children_of", "choose_cores", "cpu_seconds", "free_port", "pin", "spawn"]

_STOP_SECONDS = 30.0
_LOOK_SECONDS = 0.02
_WRITER = "bocau-writer"


class Cores(NamedTuple):
    """Who runs where; empty sets: wherever the kernel likes."""

    gateway: frozenset[int]
    others: frozenset[int]

    @property
    def pinned(self) -> bool:
        """Whether the gateway has a core of its own, as far as the bench is concerned."""
        return bool(self.gateway)


def choose_cores() -> Cores:
    """The first core that we may use for the gateway, all others for the rest; nothing with one core."""
    mine = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return Cores(frozenset(mine[:1]), frozenset(mine[1:])) if len(mine) > 1 else Cores(frozenset(), frozenset())


def pin(cores: frozenset[int]) -> None:
    """Keep this thread, and the processes that it starts from now on, to these cores."""
    if cores:
        os.sched_setaffinity(0, cores)


def spawn(
    arguments: list[str], cores: frozenset[int], output: int | None = None, environment: dict[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start a module of ours (`-m` is added) on some cores."""
    before = os.sched_getaffinity(0) if cores else set()
    pin(cores)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.PIPE if output == subprocess.PIPE else subprocess.DEVNULL,
            stdout=output,
            stderr=None if output == subprocess.PIPE else output,
            env={**os.environ, **(environment or {})},
        )
    finally:
        pin(frozenset(before))


def free_port() -> int:
    """A TCP port that nobody listens on just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class CpuTime(NamedTuple):
    """CPU seconds of a process since its start."""

    loop: float
    """Of the event loop's thread."""
    writer: float
    """Of the store's committing thread."""
    other: float
    """Of all other threads, those that have ended included."""
    kernel: float
    """What all of them spent in the kernel; it is part of the three."""

    @property
    def whole(self) -> float:
        """All threads together."""
        return self.loop + self.writer + self.other

    def since(self, before: "CpuTime") -> "CpuTime":
        """What was used in between."""
        return CpuTime(*[now - then for now, then in zip(self, before, strict=True)])


class _Stat(NamedTuple):
    """What /proc tells of a thread or a process."""

    name: str
    user: float
    kernel: float


def _stat(place: Path) -> _Stat:
    """Read its file `stat`: seconds, to the kernel's tick of usually 10 ms."""
    name, _, rest = (place / "stat").read_text().partition("(")[2].rpartition(")")
    tick = os.sysconf("SC_CLK_TCK")
    user, kernel = [int(word) / tick for word in rest.split()[11:13]]
    return _Stat(name, user, kernel)


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process since its start, all threads."""
    stat = _stat(Path("/proc", str(pid)))
    return stat.user + stat.kernel


def children_of(pid: int) -> list[int]:
    """The processes that a process started."""
    tasks = Path("/proc", str(pid), "task").iterdir()
    return sorted({int(child) for task in tasks for child in (task / "children").read_text().split()})


class GatewayProcess:
    """A gateway on a data folder, as `bocau dev` runs it with the bench's account and an SMSC elsewhere."""

    def __init__(self, data: Path, smsc_port: int, window: int, cores: frozenset[int], profile: Path | None) -> None:
        self.api_port = free_port()
        self._log = data / "gateway.log"
        self._profile = profile
        arguments = ["bench.gateway", "-" if profile is None else str(profile), "dev"]
        arguments += ["--profile", "bench", "--data", str(data), "--api-port", str(self.api_port), "--admin-port", "0"]
        arguments += ["--host-carrier", f"127.0.0.1:{smsc_port}", "--log-level", "warning"]
        with self._log.open("wb") as log:
            environment = {"BOCAU_CARRIER__SIMULATOR__WINDOW": str(window)}
            self._process = spawn(arguments, cores, log.fileno(), environment)

    def begin(self) -> None:
        """The measurement begins: have the threads named, and the profile started."""
        self._process.send_signal(signal.SIGUSR1)

    def end(self) -> None:
        """The measurement is over: have the profile written, and wait for it."""
        if self._profile is None:
            return
        self._process.send_signal(signal.SIGUSR2)
        give_up_at = time.monotonic() + _STOP_SECONDS
        while not self._profile.exists() and self.alive and time.monotonic() < give_up_at:
            time.sleep(_LOOK_SECONDS)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def said(self) -> str:
        """What it wrote to its log."""
        return self._log.read_text("utf-8", "replace")

    def cpu(self) -> CpuTime:
        """CPU time so far."""
        process = Path("/proc", str(self._process.pid))
        loop = writer = 0.0
        for task in (process / "task").iterdir():
            name, user, kernel = _stat(task)
            if task.name == process.name:
                loop += user + kernel
            elif name == _WRITER:
                writer += user + kernel
        _, user, kernel = _stat(process)
        return CpuTime(loop, writer, max(0.0, user + kernel - loop - writer), kernel)

    def memory_mb(self, line: str) -> float:
        """A line of /proc/PID/status in megabytes: VmRSS is resident now, VmHWM its peak."""
        status = Path("/proc", str(self._process.pid), "status").read_text()
        found = next(row for row in status.splitlines() if row.startswith(f"{line}:"))
        return round(int(found.split()[1]) / 1024, 1)

    def stop(self) -> int:
        """Ask it to drain and end; returns its exit code. After half a minute it is killed."""
        if self.alive:
            self._process.terminate()
        try:
            return self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
