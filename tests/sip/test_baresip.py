"""A real softphone answers, and its own recording is compared with the prompt."""

import asyncio
import io
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sip.baresip import MISSING, NUMBER, Baresip, correlation

from bocau.aes import blocks
from bocau.deliver.sip.engine import CallEngine, EngineSettings
from bocau.deliver.sip.order import CallLimits, CallOrder, CallResult, CallStatus, Ended, Side, Utterance
from bocau.deliver.sip.trunk import Transport, Trunk
from bocau.deliver.speech.builtin import Builtin
from bocau.deliver.speech.cache import Cache
from bocau.deliver.speech.prompt import Options, Prompt
from bocau.deliver.speech.speaker import Speaker
from bocau.telemetry import Lines, make_log
from bocau.wire.rtp.g711 import alaw_decode, ulaw_decode
from bocau.world import RealWorld

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING or "baresip is here")

WANTED = 0.99


def prompt() -> Prompt:
    """A code of six digits, said once."""
    return Speaker([Builtin()], Cache(None)).prompt("686047", "vi", "north", Options(repeats=1))


async def called(phone: Baresip, trunk: Trunk, said: Prompt) -> CallResult:
    """One call to the phone, to its end."""
    world, over = RealWorld(), asyncio.get_running_loop().create_future()
    log = make_log(Lines(io.StringIO()), world.now_ms)
    engine = CallEngine(world, [trunk], EngineSettings(), log, aes=blocks)
    engine.start()
    try:
        order = CallOrder("one", NUMBER, Utterance(said.alaw, said.ulaw), limits=CallLimits(listen=0.3))
        engine.place(order, lambda event: over.set_result(event.result) if isinstance(event, Ended) else None)
        result: CallResult = await over
        return result
    finally:
        await engine.stop()


@pytest.mark.parametrize(
    ("transport", "codec", "srtp"),
    [("udp", "PCMA", False), ("udp", "PCMU", False), ("tcp", "PCMA", False), ("udp", "PCMA", True)],
    ids=["udp-alaw", "udp-mulaw", "tcp", "srtp"],
)
def test_a_softphone_hears_the_prompt(
    transport: Transport, codec: str, srtp: bool, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """What it recorded is what was said, by a measure that no player of our own has a part in."""
    said = prompt()

    async def scenario() -> CallResult:
        phone = Baresip(tmp_path, f"audio_codecs={codec}/8000/1{';mediaenc=srtp-mand' if srtp else ''}")
        await phone.start()
        try:
            trunk = Trunk("phone", "127.0.0.1", phone.port, transport, number_form="digits", srtp=srtp)
            return await called(phone, trunk, said)
        finally:
            await phone.stop()

    async def play() -> CallResult:
        async with asyncio.timeout(60):
            return await scenario()

    result = asyncio.run(play())
    assert (result.status, result.hung_up_by, result.plays) == (CallStatus.ANSWERED, Side.CALLER, 1)
    assert not result.media.one_way
    linear = alaw_decode(said.alaw) if codec == "PCMA" else ulaw_decode(said.ulaw)
    found = correlation(array("h", linear), Baresip.recorded(tmp_path))
    record_property("correlation", round(found, 4))
    print(f"{transport} {codec}{' SRTP' if srtp else ''}: correlation {found:.4f}")
    assert found >= WANTED


@pytest.mark.parametrize(("account", "srtp"), [("", True), (";mediaenc=srtp-mand", False)])
def test_a_softphone_that_wants_it_otherwise_is_not_spoken_to(account: str, srtp: bool, tmp_path: Path) -> None:
    """Where one side wants its sound enciphered and the other does not, no word is said in the clear."""

    async def play() -> CallResult:
        async with asyncio.timeout(60):
            phone = Baresip(tmp_path, f"audio_codecs=PCMA/8000/1{account}")
            await phone.start()
            try:
                trunk = Trunk("phone", "127.0.0.1", phone.port, number_form="digits", srtp=srtp)
                return await called(phone, trunk, prompt())
            finally:
                await phone.stop()

    result = asyncio.run(play())
    assert (result.status, result.plays, result.media.sent) == (CallStatus.FAILED, 0, 0)
