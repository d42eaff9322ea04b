"""A whole gateway with [staging]: delivery to listed phones alone, everything else caught, and let go at will."""

import asyncio
import io
import json
import urllib.request
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.cli.shell import Shell
from tests.system.processes import until

from bocau.app import Gateway
from bocau.listener import Limits, Listener, Request
from bocau.ports import ActRefused
from bocau.provision import Profile
from bocau.settings import Carrier, Route, Secret, Settings, Staging
from bocau.settings.sections import Admin, Api, Callback, Store
from bocau.simulator.rules import PLAIN, Rules
from bocau.simulator.smsc import Smsc
from bocau.telemetry import Lines, make_log
from bocau.world import RealWorld

LISTED, OTHER = "0901111111", "0902222222"
TEXT = "{P1,20} la ma dang nhap Bocau cua ban"
TEMPLATES = (("Bocau", TEXT),)
PROFILE = Profile("shop", "key", "secret", ("Bocau",), TEMPLATES, ((2, 850),), 2_000)
SEND = "/MainService.svc/json/SendMultipleMessage_V4_post_json/"


class House:
    """The gateway, its carrier, and a customer who is called back."""

    def __init__(self, gateway: Gateway, smsc: Smsc, folder: Path) -> None:
        self.gateway, self.smsc, self.folder = gateway, smsc, folder
        self.called_back: list[str] = []
        self.customer: Listener

    def answer(self, request: Request) -> None:
        self.called_back.append(request.target.decode())
        request.respond(200, b"ok")

    async def ask(self, url: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        def call() -> Any:  # noqa: ANN401
            data = None if body is None else json.dumps(body).encode()
            with urllib.request.urlopen(url, data, timeout=10) as answer:  # noqa: S310 - our own gateway
                return json.loads(answer.read())

        return await asyncio.to_thread(call)

    async def send(self, phone: str, code: str) -> str:
        hook = f"http://127.0.0.1:{self.customer.port}/hook"
        body = {"ApiKey": "key", "SecretKey": "secret", "Phone": phone, "Brandname": "Bocau", "SmsType": "2"}
        content = TEXT.replace("{P1,20}", code)
        url = f"http://127.0.0.1:{self.gateway.api.port}{SEND}"
        told = await self.ask(url, {**body, "Content": content, "CallbackUrl": hook})
        assert told["CodeResult"] == "100", told
        return str(told["SMSID"])

    async def outcome(self, smsid: str) -> str:
        return await until("the callback", lambda: next((one for one in self.called_back if smsid in one), ""))

    async def command(self, *words: str) -> str:
        return await asyncio.to_thread(Shell(self.folder).ok, *words)

    async def release(self, **members: str) -> Any:  # noqa: ANN401 - JSON
        return await self.gateway.acts()["staging/release"].run(members)

    @property
    def arrived(self) -> list[tuple[str, str]]:
        """Receiver and code of what came to phones."""
        return [(f"0{sms.phone[2:]}", sms.text.split(maxsplit=1)[0]) for sms in self.smsc.inbox]


@asynccontextmanager
async def house(folder: Path, staging: Staging) -> AsyncIterator[House]:
    world = RealWorld()
    smsc = await Smsc.start(world, "127.0.0.1", 0, Rules(0.05, table=PLAIN))
    settings = Settings(
        api=Api(port=0),
        admin=Admin(port=0),
        store=Store(path=str(folder / "bocau.db")),
        callback=Callback(allowed_networks=("127.0.0.0/8",)),
        carrier=(Carrier(name="north", host="127.0.0.1", port=smsc.port, system_id="us", password=Secret("pw")),),
        route=(Route(name="all", carrier="north"),),
        staging=staging,
    )

    def fault(error: BaseException) -> None:
        raise AssertionError from error

    gateway = Gateway(settings, world, make_log(Lines(io.StringIO()), world.now_ms), fault, (PROFILE,))
    place = House(gateway, smsc, folder)
    place.customer = await Listener.start(world, place.answer, "127.0.0.1", 0, Limits(), fault)
    await gateway.start()
    try:
        await until("the link", lambda: gateway.fleet.ships["north"].room)
        yield place
    finally:
        await gateway.stop()
        await place.customer.close(1.0)
        await smsc.close()


def play(folder: Path, scenario: Callable[[House], Coroutine[Any, Any, None]], staging: Staging) -> None:
    async def run() -> None:
        async with asyncio.timeout(40), house(folder, staging) as place:
            await scenario(place)

    asyncio.run(run())


ON = Staging(enabled=True, phones=(LISTED,))


def test_only_listed_phones_are_really_delivered_to(tmp_path: Path) -> None:
    """The application meets no difference: answer, receipt and callback of what was caught are as ever."""

    async def scenario(place: House) -> None:
        caught, real = await place.send(OTHER, "1111"), await place.send(LISTED, "2222")
        for smsid in (caught, real):
            assert "SendStatus=5&SendSuccess=1&TotalPrice=850.0000" in await place.outcome(smsid)
        assert place.arrived == [(LISTED, "2222")]
        told = await place.command("show", caught, "--reveal")
        assert "to capture" in told
        assert "1111 la ma" in told
        assert "caught" in await place.command("tail", "--no-follow")
        ready = await place.ask(f"http://127.0.0.1:{place.gateway.admin.port}/readyz")
        assert ready["staging"] == f"messages leave to {LISTED}; all others are caught"
        assert "capture" in await place.command("link", "list")

    play(tmp_path, scenario, ON)


def test_what_was_caught_is_let_go_to_its_phone_or_to_another(tmp_path: Path) -> None:
    """A copy, by the routes and for its price; the application is not told again. Without money there is none."""

    async def scenario(place: House) -> None:
        caught = await place.send(OTHER, "1111")
        await place.outcome(caught)
        assert "On its way to 0902222222: bocau show" in await place.command("staging", "release", caught)
        await until("the SMS", lambda: place.arrived)
        assert place.arrived == [(OTHER, "1111")]
        with pytest.raises(ActRefused, match="balance is not enough"):
            await place.release(smsid=caught, phone="0903333333")
        await place.gateway.store.top_up(1, 10_000_000, "more", place.gateway.world.now_ms())
        [copy] = await place.release(smsid=caught, phone="+84903333333")
        await until("the second SMS", lambda: len(place.arrived) == 2)
        assert place.arrived[1] == ("0903333333", "1111")
        for asked in ({"smsid": copy["smsid"]}, {"smsid": "nobody's"}):
            with pytest.raises(ActRefused, match="that staging caught"):
                await place.release(**asked)
        with pytest.raises(ActRefused, match="no Vietnamese mobile number"):
            await place.release(smsid=caught, phone="12")
        assert len(place.called_back) == 1

    play(tmp_path, scenario, ON)


def test_without_staging_nothing_is_caught(tmp_path: Path) -> None:
    """And /readyz says nothing of it."""

    async def scenario(place: House) -> None:
        await place.outcome(await place.send(OTHER, "1111"))
        assert place.arrived == [(OTHER, "1111")]
        assert "capture" not in place.gateway.fleet.ships
        assert "staging" not in await place.ask(f"http://127.0.0.1:{place.gateway.admin.port}/readyz")

    play(tmp_path, scenario, Staging(phones=(LISTED,)))
