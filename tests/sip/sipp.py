"""SIPp as the called party: its own verdict on a scenario counts."""

import asyncio
import shutil
import socket
from pathlib import Path
from typing import NamedTuple

SCENARIOS = Path(__file__).parent / "scenarios"
SIPP = shutil.which("sipp")


class Verdict(NamedTuple):
    """How SIPp saw it."""

    passed: bool
    log: str


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    """A port that nobody has now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Sipp:
    """One run of one scenario for one call."""

    def __init__(self, name: str, sound_port: int, transport: str, folder: Path) -> None:
        self.port = free_port(socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM)
        self._name = name
        self._sound_port = sound_port
        self._mode = {"udp": "u1", "tcp": "t1"}[transport]
        self._errors = folder / "errors.log"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Begin to listen; waits until the port is taken."""
        assert SIPP is not None
        process = self._process = await asyncio.create_subprocess_exec(
            SIPP, "-sf", str(SCENARIOS / f"{self._name}.xml"), "-i", "127.0.0.1", "-p", str(self.port),
            "-key", "sound_port", str(self._sound_port), "-t", self._mode, "-m", "1", "-nostdin",
            "-timeout", "25", "-timeout_error", "-trace_err", "-error_file", str(self._errors),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        kind = socket.SOCK_STREAM if self._mode == "t1" else socket.SOCK_DGRAM
        while process.returncode is None and not _taken(self.port, kind):  # noqa: ASYNC110 - not our process
            await asyncio.sleep(0.02)

    async def verdict(self) -> Verdict:
        """What SIPp says at its end."""
        assert self._process is not None
        _, stderr = await self._process.communicate()
        errors = self._errors.read_text("utf-8", "replace") if self._errors.exists() else ""
        return Verdict(self._process.returncode == 0, f"{errors}\n{stderr.decode('utf-8', 'replace')}"[-4_000:])

    def kill(self) -> None:
        """End it if it still runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()


def _taken(port: int, kind: socket.SocketKind) -> bool:
    """Whether somebody has a port; to try it out could be in SIPp's way. Linux tells."""
    table = Path("/proc/net/tcp" if kind is socket.SOCK_STREAM else "/proc/net/udp")
    return f"0100007F:{port:04X} 00000000:0000" in table.read_text("ascii")
