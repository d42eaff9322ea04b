"""A whole gateway with real voice workers and a called phone, on the loopback: from the request to the callback."""

import asyncio
import io
import ipaddress
import json
import math
import os
import signal
from array import array
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from tests.rooms.deliver.voice.workshop import children_of
from tests.system.processes import until

from bocau.app import Gateway
from bocau.caller.client import GuardedHttp, HttpLimits
from bocau.client import parse_callback
from bocau.core.call import CallRecord
from bocau.core.directory import RecordingRow
from bocau.core.limits import LimitRow
from bocau.deliver.speech.builtin import Builtin
from bocau.deliver.speech.cache import Cache
from bocau.deliver.speech.prompt import Options
from bocau.deliver.speech.speaker import Speaker
from bocau.deliver.speech.wav import little
from bocau.dispatch.outlet import Halt
from bocau.listener import Limits, Listener, Request
from bocau.ports import HttpAnswer, HttpBody, HttpFailure
from bocau.provision import Profile
from bocau.settings import VOICE, Settings
from bocau.settings.sections import Accept, Admin, Api, Callback, Carrier, Route, Store, Trunk, Voice
from bocau.settings.values import Secret
from bocau.simulator.ear import Ear
from bocau.simulator.phone import Phone
from bocau.simulator.rules import PLAIN, Rules
from bocau.simulator.smsc import Smsc
from bocau.store.sqlite import SqliteStore
from bocau.telemetry import Lines, make_log, render
from bocau.wire.rtp.g711 import alaw_decode, alaw_encode
from bocau.world import RealWorld

SEND = "/MainService.svc/json/SendMultipleMessage_V4_post_json/"
JSON = (("Content-Type", "application/json"),)
PROFILE = Profile("shop", "key", "secret", (), (), ((8, 600),), 1_000_000)
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


class Town:
    """The gateway, the phone it calls, an SMSC, and a customer who sends and is called back."""

    def __init__(self, folder: Path) -> None:
        self.world = RealWorld()
        self.phone = Phone(self.world)
        self.said = io.StringIO()
        self.called_back: list[str] = []
        self.gateway: Gateway
        self.smsc: Smsc
        self.customer: Listener
        self._folder = folder
        self._http = GuardedHttp(self.world, limits=HttpLimits(), allowed_networks=LOOPBACK, denied_ports=frozenset())

    def _settings(self, channel: str) -> Settings:
        return Settings(
            api=Api(port=0),
            admin=Admin(port=0),
            store=Store(path=str(self._folder / "bocau.db")),
            accept=msgspec.structs.replace(Accept(), type8_channel=channel),
            callback=Callback(allowed_networks=("127.0.0.0/8",)),
            carrier=(
                Carrier(name="texts", host="127.0.0.1", port=self.smsc.port, system_id="us", password=Secret("pw")),
            ),
            route=(
                Route(name="shy", carriers=(VOICE, "texts"), sms_type=8, prefixes=("0909",), press_to_hear="yes"),
                Route(name="codes", carriers=(VOICE, "texts"), sms_type=8),
                Route(name="rest", carrier="texts", sms_type=2),
            ),
            trunk=(
                Trunk(
                    name="phone",
                    host="127.0.0.1",
                    port=self.phone.port,
                    user="bocau",
                    password=Secret("bocau"),
                    calls_per_second=50.0,
                ),
            ),
            voice=Voice(
                engines=("builtin",),
                repeats=1,
                gap_ms=100,
                packs_folder=str(self._folder / "packs"),
                cache_folder=str(self._folder / "speech"),
            ),
        )

    async def restart(self, channel: str) -> None:
        """End the gateway and start another one on its store."""
        await self.gateway.stop()
        await self._start_gateway(channel)

    async def open(self, channel: str) -> None:
        await self.phone.start()
        self.smsc = await Smsc.start(self.world, "127.0.0.1", 0, Rules(0.05, table=PLAIN))
        self.customer = await Listener.start(self.world, self._answer, "127.0.0.1", 0, Limits(), self._fault)
        await self._start_gateway(channel)

    async def _start_gateway(self, channel: str) -> None:
        log = make_log(Lines(self.said), self.world.now_ms)
        self.gateway = Gateway(self._settings(channel), self.world, log, self._fault, (PROFILE,))
        await self.gateway.start()
        await until("a line for calls", lambda: self.gateway.fleet.ships[VOICE].room)

    async def close(self) -> None:
        await self.gateway.stop()
        await self.customer.close(1.0)
        await self.smsc.close()
        await self.phone.stop()
        self._http.close()

    def _answer(self, request: Request) -> None:
        self.called_back.append(request.target.decode())
        request.respond(200, b"ok")

    def _fault(self, error: BaseException) -> None:
        raise AssertionError from error

    async def send(self, phone: str, code: str) -> str:
        """Ask for a code to be told; the SMSID."""
        body = {
            "ApiKey": "key",
            "SecretKey": "secret",
            "Phone": phone,
            "Content": f"{code} la ma cua ban",
            "SmsType": "8",
            "CallbackUrl": self._hook,
        }
        told: asyncio.Future[HttpAnswer | HttpFailure] = asyncio.get_running_loop().create_future()
        url = f"http://127.0.0.1:{self.gateway.api.port}{SEND}"
        self._http.post(url, HttpBody(json.dumps(body).encode(), JSON, repeatable=False), 5.0, told.set_result)
        answer = await told
        assert isinstance(answer, HttpAnswer)
        decoded = json.loads(answer.body)
        assert decoded["CodeResult"] == "100", decoded
        return str(decoded["SMSID"])

    async def call_recording(self, number: int, phone: str) -> str:
        """Ask for a recording to be played; the SMSID."""
        query = f"ApiKey=key&SecretKey=secret&Phone={phone}&TemplateId={number}"
        return str((await self._ask(f"MakeCallRecord_V2?{query}&CallbackUrl={self._hook}"))["SMSID"])

    async def call_code(self, phone: str, code: str, speed: int = 0) -> str:
        """VoiceOTP; the SMSID."""
        query = f"ApiKey=key&SecretKey=secret&Phone={phone}&Code={code}&Speed={speed}&CallbackUrl={self._hook}"
        return str((await self._ask(f"VoiceOTP?{query}"))["SMSID"])

    async def status(self, reference: str) -> dict[str, Any]:
        """GetSendStatus of a call."""
        return await self._ask(f"GetSendStatus?ApiKey=key&SecretKey=secret&ReferenceId={reference}")

    @property
    def _hook(self) -> str:
        return f"http://127.0.0.1:{self.customer.port}/hook"

    async def _ask(self, target: str) -> dict[str, Any]:
        told: asyncio.Future[HttpAnswer | HttpFailure] = asyncio.get_running_loop().create_future()
        url = f"http://127.0.0.1:{self.gateway.api.port}/MainService.svc/json/{target}"
        self._http.begin(url, lambda _: (), 5.0, told.set_result)
        answer = await told
        assert isinstance(answer, HttpAnswer)
        decoded: dict[str, Any] = json.loads(answer.body)
        return decoded

    async def outcome(self, smsid: str) -> str:
        """The callback of a message, once it came."""
        return await until("the callback", lambda: next((one for one in self.called_back if smsid in one), ""), 40.0)

    def log_of(self, event: str) -> int:
        """How many lines of this event were written."""
        return self.said.getvalue().count(f'"event":"{event}"')

    async def calls(self, smsid: str) -> list[CallRecord]:
        return await self.gateway.store.calls(None, smsid)


@asynccontextmanager
async def town(folder: Path, channel: str) -> AsyncIterator[Town]:
    place = Town(folder)
    await place.open(channel)
    try:
        yield place
    finally:
        await place.close()


def play(folder: Path, channel: str, scenario: Callable[[Town], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(80), town(folder, channel) as place:
            await scenario(place)

    asyncio.run(run())


def ear() -> Ear:
    """An ear that knows the built-in signs."""
    clips = Speaker([Builtin()], Cache(None)).warm("vi", "north", Options()).clips
    return Ear({name: alaw_decode(clip.alaw) for name, clip in clips.items()})


def test_a_code_is_said_on_the_phone_and_status_and_callback_tell_of_it(tmp_path: Path) -> None:
    """And a declined call costs nothing: the same request, a phone that says no. Speed -3 takes longer than 3."""

    async def scenario(place: Town) -> None:
        paces = [await place.call_code(f"090123123{number}", "686047", pace) for number, pace in enumerate((3, -3))]
        answered, declined = await place.send("0901231234", "686047"), await place.send("0901230022", "5555")
        assert "SendStatus=5&SendSuccess=0&TotalPrice=0.0000" in await place.outcome(declined)
        assert "SendStatus=5&SendSuccess=1&TotalPrice=600.0000" in await place.outcome(answered)
        heard = next(one for one in place.phone.recordings if one.number.endswith("1234"))
        assert ear().hear(heard.octets, "alaw").codes == ("686047",)
        told = await place.status(answered)
        assert (told["CallStatus"], told["SendStatus"], told["SentResult"]) == ("ANSWERED", 5, 1)
        [call] = await place.calls(answered)
        assert told["CallDuration"] == call.duration_seconds > 5
        assert (call.status, call.trunk, call.sip_status, call.plays) == ("ANSWERED", "phone", 200, 1)
        assert call.begun_ms <= (call.rang_ms or 0) <= (call.answered_ms or 0) <= call.ended_ms
        ladder = await place.gateway.store.ladder(call.message_id, call.number)
        assert ladder[0].text.startswith("INVITE sip:+849***234@127.0.0.1")
        page = render(place.gateway.telemetry).decode()
        for line in (
            'bocau_trunk_up{trunk="phone"} 1.0',
            'bocau_calls_total{outcome="FAILED",trunk="phone"} 1.0',
            'bocau_call_setup_seconds_count{trunk="phone"} ',
            'bocau_rtp_packets_lost_total{trunk="phone"} 0.0',
        ):
            assert line in page
        rows = await place.gateway.acts()["trunk/list"].run({})
        assert isinstance(rows, list)
        assert (rows[0]["trunk"], rows[0]["state"], rows[0]["ended"]["FAILED"]) == ("phone", "up", 1)
        [refused] = await place.calls(declined)
        assert (refused.status, refused.sip_status, refused.cause) == ("FAILED", 603, 21)
        assert (await place.status(declined))["CallStatus"] == ""
        assert "686047" not in place.said.getvalue()
        assert not place.smsc.inbox
        for smsid in paces:
            assert "SentResult=1" in await place.outcome(smsid)
        fast, slow = [(await place.status(smsid))["CallDuration"] for smsid in paces]
        assert fast < slow

    play(tmp_path, "voice", scenario)


def test_a_call_that_was_asked_for_as_one_is_told_as_one(tmp_path: Path) -> None:
    """VoiceOTP: duration, status, keys, price and calling number, in the order of the documents."""

    async def scenario(place: Town) -> None:
        answered, busy = await place.call_code("0901230029", "4821"), await place.call_code("0901230006", "4821")
        told = parse_callback(urlsplit(await place.outcome(answered)).query)
        assert (told.smsid, told.send_status, told.delivered, told.price) == (answered, 5, 1, Decimal(600))
        assert told.call is not None
        assert (told.call.status, told.call.keys, told.call.caller) == ("ANSWERED", "1", "bocau")
        assert told.call.seconds == (await place.calls(answered))[0].duration_seconds > 5
        assert [one.status for one in await place.calls(busy)] == ["BUSY"]

    play(tmp_path, "voice", scenario)


def test_a_recording_is_played_as_it_was_stored(tmp_path: Path) -> None:
    """Sample by sample after the line's own coding, and once; a name that looks like a code is not said."""

    async def scenario(place: Town) -> None:
        store = place.gateway.store
        samples = array("h", (round(9_000 * math.sin(at / 7)) for at in range(12_000)))
        row = RecordingRow(0, 1, "hello 482193")
        number = await store.put_recording(row, (8_000, little(samples)), place.world.now_ms())
        await until("the directory knows it", lambda: number in place.gateway.door.directory.accounts[1].recordings)
        smsid = await place.call_recording(number, "0901231234")
        assert "Price=600.0000&SentResult=1" in await place.outcome(smsid)
        [heard] = place.phone.recordings
        assert heard.octets.count(alaw_encode(little(samples))) == 1

    play(tmp_path, "voice", scenario)


def test_a_recording_that_waits_while_calls_are_turned_off_fails_and_is_not_sent_as_a_text(tmp_path: Path) -> None:
    """The customer gets his money back and is told; a code that waited beside it goes out as a text."""

    async def scenario(place: Town) -> None:
        gateway, now_ms = place.gateway, place.world.now_ms()
        number = await gateway.store.put_recording(RecordingRow(0, 1, "hello"), (8_000, bytes(8_000)), now_ms)
        await until("the directory knows it", lambda: number in gateway.door.directory.accounts[1].recordings)
        await gateway.fleet.halt(VOICE, Halt.PAUSED)
        recorded, code = await place.call_recording(number, "0901231234"), await place.send("0901231235", "482193")
        await gateway.store.set_type8_channel(1, "sms")
        told = await place.outcome(recorded)
        assert "CallStatus=&Ivr=&Price=0.0000&SentResult=0&CID=&SendStatus=5" in told
        assert "SendSuccess=1" in await place.outcome(code)
        assert [sms.text.split()[0] for sms in place.smsc.inbox] == ["482193"]
        assert place.phone.recordings == []

    play(tmp_path, "voice", scenario)


def test_a_phone_that_does_not_answer_gets_a_text_where_the_account_wants_it(tmp_path: Path) -> None:
    """voice_then_sms: one call, then one text; an answered call is followed by none."""

    async def scenario(place: Town) -> None:
        busy, answered = await place.send("0901230006", "111111"), await place.send("0901230028", "222222")
        assert "SendSuccess=1" in await place.outcome(busy)
        assert "SendSuccess=1" in await place.outcome(answered)
        assert [sms.text.split()[0] for sms in place.smsc.inbox] == ["111111"]
        assert [one.status for one in await place.calls(busy)] == ["BUSY"]
        assert [one.hung_up_by for one in await place.calls(answered)] == ["callee"]

    play(tmp_path, "voice_then_sms", scenario)


def test_a_code_goes_by_text_where_calls_are_not_wanted(tmp_path: Path) -> None:
    """sms: the same routes, and no phone rings."""

    async def scenario(place: Town) -> None:
        smsid = await place.send("0901231234", "333333")
        assert "SendSuccess=1" in await place.outcome(smsid)
        assert place.phone.recordings == []
        assert (await place.status(smsid))["CallStatus"] == "ANSWERED"

    play(tmp_path, "sms", scenario)


def test_a_route_may_want_a_key_before_the_code(tmp_path: Path) -> None:
    """The mailbox that answers hears no code; the person who presses 1 does, and the call says so."""

    async def scenario(place: Town) -> None:
        pressed = await place.send("0909230029", "111222")
        assert "SendSuccess=1" in await place.outcome(pressed)
        [call] = await place.calls(pressed)
        assert (call.keys, call.plays) == ("1", 1)

    play(tmp_path, "voice", scenario)


def test_an_account_has_so_many_calls_at_once_and_the_others_wait(tmp_path: Path) -> None:
    """One at a time by its own limit: the second phone rings when the first call is over."""

    async def scenario(place: Town) -> None:
        store = place.gateway.store
        await store.put_limit(LimitRow(1, "calls-at-once", 1))
        await until("the limit is known", lambda: place.gateway.door.directory.accounts[1].limits.calls_at_once == 1)
        first, second = await place.send("0901230028", "111111"), await place.send("0901231028", "222222")
        await until("one phone rings", lambda: place.phone.recordings)
        assert "SendSuccess=1" in await place.outcome(first)
        assert len(place.phone.recordings) == 1
        place.gateway.world.advance(6_000)
        assert "SendSuccess=1" in await place.outcome(second)

    play(tmp_path, "voice", scenario)


def test_a_phone_that_was_busy_is_called_once_more_and_never_a_third_time(tmp_path: Path) -> None:
    """Also where the gateway is another one by then: what was remembered in memory would be forgotten."""

    async def scenario(place: Town) -> None:
        smsid = await place.send("0901230006", "666666")
        await until("the first call's end", lambda: place.log_of("attempt.refuse") == 1)
        await place.restart("voice")
        place.gateway.world.advance(31_000)
        assert "SendSuccess=0&TotalPrice=0.0000" in await place.outcome(smsid)
        assert [one.status for one in await place.calls(smsid)] == ["BUSY", "BUSY"]
        assert len(place.phone.recordings) == 2

    play(tmp_path, "voice", scenario)


def test_a_worker_that_dies_never_makes_an_answered_phone_ring_again(tmp_path: Path) -> None:
    """kill -9 in mid-call: the answered message ends unknown; the one that only rang is called once more (F32)."""

    async def scenario(place: Town) -> None:
        answered, ringing = await place.send("0901231234", "444444"), await place.send("0901230034", "555555")
        await until("two calls", lambda: len(place.phone.recordings) == 2)
        speaking = next(one for one in place.phone.recordings if one.number.endswith("1234"))
        await until("the first is spoken to", lambda: len(speaking.frames) > 20)
        [pid] = children_of("self")
        os.kill(pid, signal.SIGKILL)
        assert "SendSuccess=0" in await place.outcome(answered)
        assert "SendSuccess=1" in await place.outcome(ringing)
        assert [one.status for one in await place.calls(answered)] == ["LOST"]
        assert [one.status for one in await place.calls(ringing)] == ["LOST", "ANSWERED"]
        numbers = [one.number[-4:] for one in place.phone.recordings]
        assert sorted(numbers) == ["0034", "0034", "1234"]
        assert isinstance(place.gateway.store, SqliteStore)
        rows = place.gateway.store._reader.execute("SELECT state FROM message ORDER BY id").fetchall()
        assert rows == [("unknown",), ("delivered",)]

    play(tmp_path, "voice", scenario)
