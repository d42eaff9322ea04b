"""Calls to SIPp, every scenario, over real sockets: its verdict and our outcome must agree.

The sound of each call goes to a recorder of the test, which can also press keys and send garbage.
"""

import asyncio
import io
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, cast

import pytest
from tests.sip.sipp import SIPP, Sipp, Verdict, free_port

from bocau.deliver.sip.engine import CallEngine, EngineSettings
from bocau.deliver.sip.order import (
    CallEvent,
    CallLimits,
    CallOrder,
    CallResult,
    CallStatus,
    Ended,
    Retry,
    Side,
    Utterance,
)
from bocau.deliver.sip.trunk import Transport, Trunk
from bocau.telemetry import Lines, make_log
from bocau.wire.rtp import packet
from bocau.wire.rtp.keys import KeyEvent, encode
from bocau.world import RealWorld

pytestmark = pytest.mark.skipif(SIPP is None, reason="sipp is not on PATH (Debian: apt-get install sip-tester)")

_S = CallStatus
SPOKEN = bytes(range(256)) * 25
LIMITS = CallLimits(listen=0.3)


class Recorder(asyncio.DatagramProtocol):
    """The callee's sound: keeps frames; answers the first one with what the test wants."""

    def __init__(self, replies: tuple[bytes, ...]) -> None:
        self.frames: list[bytes] = []
        self._replies = replies
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[object, ...]) -> None:
        if not self.frames:
            for reply in self._replies:
                self._transport.sendto(reply, cast("tuple[str, int]", addr))
        self.frames.append(packet.decode(data).payload)


async def place(trunk: Trunk, limits: CallLimits = LIMITS) -> CallResult:
    """One call over one trunk, to its end."""
    world = RealWorld()
    ended: asyncio.Future[CallResult] = asyncio.get_running_loop().create_future()

    def hear(event: CallEvent) -> None:
        if isinstance(event, Ended):
            ended.set_result(event.result)

    engine = CallEngine(world, [trunk], EngineSettings(), make_log(Lines(io.StringIO()), world.now_ms))
    engine.start()
    try:
        engine.place(CallOrder("c", "84901234567", Utterance(SPOKEN, SPOKEN), limits=limits), hear)
        result = await ended
        # Long enough for SIPp to see whatever should not follow.
        await asyncio.sleep(0.5)
        return result
    finally:
        await engine.stop()


class Run(NamedTuple):
    """One scenario, played."""

    result: CallResult
    recorder: Recorder
    verdict: Verdict


async def listen(recorder: Recorder) -> list[asyncio.DatagramTransport]:
    """The recorder's socket, and one on the next port, which takes the RTCP that would else reach somebody else."""
    loop = asyncio.get_running_loop()
    while True:
        sound, _ = await loop.create_datagram_endpoint(lambda: recorder, local_addr=("127.0.0.1", 0))
        port = sound.get_extra_info("sockname")[1] + 1
        try:
            control, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", port))
        except OSError:
            sound.close()
        else:
            return [sound, control]


async def against_sipp(case: "Case", folder: Path) -> Run:
    """Play a case."""
    recorder = Recorder(case.replies)
    sockets = await listen(recorder)
    tls = case.transport == "tls"
    kind = "udp" if case.transport == "udp" else "tcp"
    sipp = Sipp(case.scenario, sockets[0].get_extra_info("sockname")[1], kind, folder)
    tunnel: Tunnel | None = None
    try:
        await sipp.start()
        tunnel = await Tunnel.opened(sipp.port, folder) if tls else None
        port = tunnel.port if tunnel else sipp.port
        certificate = str(folder / "cert.pem") if tls else ""
        trunk = Trunk("sipp", "127.0.0.1", port, case.transport, "us", "secret", tls_ca_file=certificate)
        result = await place(trunk, case.limits)
        return Run(result, recorder, await sipp.verdict())
    finally:
        sipp.kill()
        for one in sockets:
            one.close()
        if tunnel:
            await tunnel.close()


class Tunnel:
    """TLS in front of SIPp, whose usual build has none."""

    def __init__(self) -> None:
        self.port = 0
        self._server: asyncio.Server
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def opened(cls, target: int, folder: Path) -> "Tunnel":
        """Listen with a certificate for 127.0.0.1, made for this test."""
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
        made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
        subprocess.run(made, cwd=folder, check=True, capture_output=True)  # noqa: ASYNC221 - nothing else runs yet
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        tunnel = cls()

        async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            inner = await asyncio.open_connection("127.0.0.1", target)
            ways = [(reader, inner[1]), (inner[0], writer)]
            tunnel._tasks += [asyncio.create_task(_pour(source, sink)) for source, sink in ways]

        tunnel._server = await asyncio.start_server(join, "127.0.0.1", 0, ssl=context)
        tunnel.port = tunnel._server.sockets[0].getsockname()[1]
        return tunnel

    async def close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
    finally:
        writer.close()


# One press: its packets share a timestamp, the last one comes three times.
_PRESS = tuple(packet.header(101, n, 4_000, 7) + encode(KeyEvent("1", n > 2, 10, 160 * min(n, 3))) for n in range(1, 6))
_JUNK = (b"", b"\0", b"\x80" * 11, b"\xff" * 1_400, b"\xbf\x08" + b"\1" * 20, packet.header(101, 1, 1, 1) + b"\1")


class Case(NamedTuple):
    """A scenario, how it is played, and what must come of it."""

    scenario: str
    status: CallStatus
    retry: Retry = Retry.NONE
    sip_status: int = 200
    transport: Transport = "udp"
    limits: CallLimits = LIMITS
    replies: tuple[bytes, ...] = ()


CASES = {
    "answer": Case("answer", _S.ANSWERED),
    "200 after 5 s": Case("slow_answer", _S.ANSWERED),
    "183 with early media": Case("early_media", _S.ANSWERED),
    "486": Case("busy", _S.BUSY, Retry.LATER, 486),
    "480": Case("unavailable", _S.NO_ANSWER, Retry.LATER, 480),
    "603 with a cause": Case("declined", _S.FAILED, Retry.NONE, 603),
    "404": Case("not_found", _S.FAILED, Retry.NONE, 404),
    "503": Case("overloaded", _S.FAILED, Retry.NEXT_TRUNK_BACK_OFF, 503),
    "302": Case("redirect", _S.FAILED, Retry.NEXT_TRUNK, 302),
    "ring timeout": Case("ring_timeout", _S.NO_ANSWER, Retry.LATER, 487, limits=LIMITS._replace(ring=0.8)),
    "401": Case("challenge_401", _S.ANSWERED),
    "407": Case("challenge_407", _S.ANSWERED),
    "BYE by callee": Case("bye_by_callee", _S.ANSWERED),
    "re-INVITE": Case("reinvite", _S.ANSWERED),
    "OPTIONS in the call": Case("options", _S.ANSWERED),
    "session timer": Case("session_timer", _S.ANSWERED),
    "Record-Route": Case("record_route", _S.ANSWERED),
    "DTMF": Case("answer", _S.ANSWERED, replies=_PRESS),
    "garbage RTP": Case("answer", _S.ANSWERED, replies=_JUNK),
    "answer over TCP": Case("answer", _S.ANSWERED, transport="tcp"),
    "486 over TCP": Case("busy", _S.BUSY, Retry.LATER, 486, transport="tcp"),
    "401 over TCP": Case("challenge_401", _S.ANSWERED, transport="tcp"),
    "answer over TLS": Case("answer", _S.ANSWERED, transport="tls"),
    "486 over TLS": Case("busy", _S.BUSY, Retry.LATER, 486, transport="tls"),
    "401 over TLS": Case("challenge_401", _S.ANSWERED, transport="tls"),
}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run | BaseException]:
    """Every case, all at the same time: each has a SIPp, an engine and a recorder of its own."""

    async def play_all() -> list[Run | BaseException]:
        folders = [tmp_path_factory.mktemp("sipp") for _ in CASES]
        plays = [against_sipp(case, folder) for case, folder in zip(CASES.values(), folders, strict=True)]
        return await asyncio.gather(*plays, return_exceptions=True)

    return dict(zip(CASES, asyncio.run(play_all()), strict=True))


@pytest.fixture
def run(name: str, played: dict[str, Run | BaseException]) -> Run:
    """One case; SIPp's verdict stands before any other."""
    one = played[name]
    if isinstance(one, BaseException):
        raise one
    assert one.verdict.passed, one.verdict.log
    return one


@pytest.mark.parametrize("name", CASES)
def test_sipp_and_our_outcome_agree(name: str, run: Run) -> None:
    """SIPp saw every message it waits for and no other, and the call came to its outcome."""
    case = CASES[name]
    assert (run.result.status, run.result.retry, run.result.sip_status) == (case.status, case.retry, case.sip_status)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.status is _S.ANSWERED])
def test_an_answered_call_is_spoken(name: str, run: Run) -> None:
    """The prompt arrives from its first octet, and nothing before the answer."""
    assert run.recorder.frames[0] == SPOKEN[:160]
    whole = name != "BYE by callee"
    assert (SPOKEN in b"".join(run.recorder.frames)) is whole
    assert run.result.hung_up_by is (Side.CALLER if whole else Side.CALLEE)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.status is not _S.ANSWERED])
def test_a_call_that_is_not_answered_stays_silent(name: str, run: Run) -> None:
    """Not one packet of sound."""
    assert run.recorder.frames == []


@pytest.mark.parametrize("name", ["DTMF"])
def test_a_key_is_heard_once(name: str, run: Run) -> None:
    """And the prompt is said once more."""
    assert (run.result.keys, run.result.plays) == ("1", 2)


@pytest.mark.parametrize("name", ["garbage RTP"])
def test_garbage_on_the_audio_port_is_counted(name: str, run: Run) -> None:
    """It does nothing else."""
    assert run.result.keys == ""
    assert run.result.media.unreadable >= 4


def _mute() -> tuple[int, Callable[[], None]]:
    """A UDP port that somebody has and nobody reads."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 0))
    return int(taken.getsockname()[1]), taken.close


def test_a_dead_port_is_not_told_as_no_answer() -> None:
    """Nothing came back at all: the trunk failed, not the callee."""
    port, close = _mute()
    result = asyncio.run(place(Trunk("dead", "127.0.0.1", port), LIMITS._replace(provisional=0.7)))
    close()
    assert (result.status, result.retry, result.sip_status) == (_S.FAILED, Retry.NEXT_TRUNK_BACK_OFF, 0)
    assert result.reason == "nothing came back"


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_closed_port_is_not_told_as_no_answer(transport: Transport) -> None:
    """Nobody is there."""
    port = free_port(socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM)
    result = asyncio.run(place(Trunk("closed", "127.0.0.1", port, transport), LIMITS._replace(provisional=0.7)))
    assert (result.status, result.retry) == (_S.FAILED, Retry.NEXT_TRUNK_BACK_OFF)
