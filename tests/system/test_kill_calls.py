"""SIGKILL of the whole gateway in mid-call: each message ends in one final state, and no phone rings again (F32)."""

import asyncio
import ipaddress
import json
import os
import re
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from tests.rooms.deliver.voice.workshop import children_of
from tests.system.processes import Child, until

from bocau.caller.client import GuardedHttp, HttpLimits
from bocau.listener import Limits, Listener, Request
from bocau.ports import HttpAnswer, HttpFailure
from bocau.simulator.phone import Phone
from bocau.world import RealWorld

READY = re.compile(r'"event":"gateway\.ready","api_port":([0-9]+)')
ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


class Scene:
    """The gateway in its process, the phone it calls, and the customer."""

    def __init__(self, folder: Path, world: RealWorld, phone: Phone) -> None:
        self.phone = phone
        self.told: list[dict[str, list[str]]] = []
        self.gateway = Child("gateway", ["-m", "tests.system.calling", str(folder), str(phone.port)], ROOT, {})
        self.gateway.log = folder / "gateway.log"
        self.customer: Listener
        self._http = GuardedHttp(world, limits=HttpLimits(), allowed_networks=LOOPBACK, denied_ports=frozenset())
        self._port = 0

    async def start(self) -> int:
        """Start the gateway; its process id."""
        self.gateway.start()
        self._port = int((await self.gateway.says(READY))[1])
        return self.gateway.pid

    def answer(self, request: Request) -> None:
        """A callback came."""
        self.told.append(parse_qs(request.target.decode().partition("?")[2]))
        request.respond(200, b"ok")

    async def call(self, phone: str) -> str:
        """Ask for a call; the SMSID."""
        values = {"ApiKey": "key", "SecretKey": "secret", "Phone": phone, "Content": "686047", "SmsType": "8"}
        values["CallbackUrl"] = f"http://127.0.0.1:{self.customer.port}/hook"
        told: asyncio.Future[HttpAnswer | HttpFailure] = asyncio.get_running_loop().create_future()
        path = f"/MainService.svc/json/SendMultipleMessage_V4_get?{urlencode(values)}"
        self._http.begin(f"http://127.0.0.1:{self._port}{path}", lambda _: (), 5.0, told.set_result)
        answer = await told
        assert isinstance(answer, HttpAnswer)
        return str(json.loads(answer.body)["SMSID"])

    async def outcome(self, smsid: str) -> tuple[str, str]:
        """SendStatus and SendSuccess, once the customer was told."""
        row = await until(
            "the callback", lambda: next((one for one in self.told if one["SMSID"] == [smsid]), None), 60.0
        )
        return row["SendStatus"][0], row["SendSuccess"][0]


def test_a_gateway_killed_in_mid_call_rings_no_phone_again(tmp_path: Path) -> None:
    """One phone was spoken to, one rang: the workers end with the gateway, both messages end, each once."""

    async def scenario() -> None:
        world = RealWorld()
        phone = Phone(world)
        await phone.start()
        scene = Scene(tmp_path, world, phone)
        scene.customer = await Listener.start(world, scene.answer, "127.0.0.1", 0, Limits(), _fault)
        try:
            pid = await scene.start()
            answered, ringing = await scene.call("0901231234"), await scene.call("0901230021")
            await until("two calls", lambda: len(phone.recordings) == 2)
            speaking = next(one for one in phone.recordings if one.number.endswith("1234"))
            await until("one is spoken to", lambda: len(speaking.frames) > 20)
            workers = children_of(pid)
            scene.gateway.kill()
            await until("the workers end", lambda: not any(map(_runs, workers)))
            assert "BYE" in speaking.acted
            await scene.start()
            assert await scene.outcome(answered) == await scene.outcome(ringing) == ("5", "0")
            assert len(scene.told) == 2
            assert len(phone.recordings) == 2
        finally:
            if scene.gateway.running:
                scene.gateway.kill()
            await scene.customer.close(1.0)
            await phone.stop()

    asyncio.run(scenario())


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _fault(error: BaseException) -> None:
    raise AssertionError from error
