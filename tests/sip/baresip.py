"""baresip as the called party: a real softphone that answers by itself and records what it hears."""

import asyncio
import shutil
import wave
from array import array
from math import sqrt
from pathlib import Path

from tests.sip.sipp import free_port

from bocau.wire.rtp.g711 import SAMPLES_PER_SECOND

BARESIP = shutil.which("baresip")
MODULES = Path("/usr/lib/baresip/modules")
NUMBER = "84901234567"
_NEEDED = ("g711", "sndfile", "aufile", "aubridge", "account", "menu", "srtp")
MISSING = "" if BARESIP else "baresip is not on PATH (Debian: apt-get install baresip-core)"
if BARESIP and (absent := [name for name in _NEEDED if not (MODULES / f"{name}.so").exists()]):
    MISSING = f"baresip has no module {', '.join(absent)} in {MODULES}"

_READY = b"baresip is ready"
_SETTINGS = """\
poll_method poll
sip_listen 127.0.0.1:{port}
net_interface 127.0.0.1
audio_player aubridge,ear
audio_source aufile,{folder}/silence.wav
audio_alert aubridge,bell
audio_srate 8000-8000
audio_channels 1-1
audio_level no
module_path {modules}
module g711.so
module sndfile.so
module aufile.so
module aubridge.so
module srtp.so
module_app account.so
module_app menu.so
snd_path {folder}
"""
_ONSET = 2_000
_STEP = 160


class Baresip:
    """One phone. `account` is what stands behind its address in its accounts, such as its codec."""

    def __init__(self, folder: Path, account: str) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        settings = _SETTINGS.format(port=self.port, folder=folder, modules=MODULES)
        (folder / "config").write_text(settings, "ascii")
        address = f"<sip:{NUMBER}@127.0.0.1:{self.port}>"
        (folder / "accounts").write_text(f"{address};regint=0;answermode=auto;{account}\n", "ascii")
        with wave.open(str(folder / "silence.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLES_PER_SECOND)
            file.writeframes(bytes(2 * SAMPLES_PER_SECOND * 60))

    async def start(self) -> None:
        """Begin to listen. Raises AssertionError with what it said if it ends instead."""
        assert BARESIP is not None
        process = self._process = await asyncio.create_subprocess_exec(
            BARESIP,
            *("-f", str(self._folder)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdout is not None
        said = b""
        while _READY not in said:
            line = await process.stdout.readline()
            assert line, said.decode("utf-8", "replace")
            said += line

    async def stop(self) -> None:
        """Ask it to end and wait: its recording is whole after this."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.communicate()

    @staticmethod
    def recorded(folder: Path) -> "array[int]":
        """What the phone of a folder recorded of its one call: 16-bit samples, 8,000 a second."""
        [file] = folder.glob("dump-*-dec.wav")
        with wave.open(str(file)) as recording:
            assert (recording.getframerate(), recording.getnchannels(), recording.getsampwidth()) == (8_000, 1, 2)
            return array("h", recording.readframes(recording.getnframes()))


def correlation(said: "array[int]", heard: "array[int]") -> float:
    """How alike two sounds are, 1 at most: they are laid over each other where they begin to be loud, and best fit."""
    lag = _onset(heard) - _onset(said)
    return max(_alike(said, heard, lag + shift) for shift in range(-_STEP, _STEP + 1, 4))


def _onset(samples: "array[int]") -> int:
    return next((at for at, sample in enumerate(samples) if abs(sample) > _ONSET), 0)


def _alike(said: "array[int]", heard: "array[int]", lag: int) -> float:
    mine, theirs = said[max(0, -lag) :], heard[max(0, lag) :]
    length = min(len(mine), len(theirs))
    if length < len(said) * 0.95:
        return 0.0
    pairs = list(zip(mine[:length], theirs[:length], strict=True))
    mine_square, their_square = sum(a * a for a, _ in pairs), sum(b * b for _, b in pairs)
    return sum(a * b for a, b in pairs) / sqrt(mine_square * their_square) if mine_square and their_square else 0.0
