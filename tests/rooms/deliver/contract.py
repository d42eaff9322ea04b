"""What every carrier is tried with: one account of each kind, and the carrier's side in the test's hand."""

import asyncio
import io
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, ClassVar, Protocol
from urllib.parse import parse_qs

from tests.rooms.deliver.stage import CALM, SETTINGS, THEM, US, Carrier, NotingStore
from tests.rooms.dispatch.desk import message
from tests.simulation.world import Network, play

from bocau.core.message import ReceiptIn
from bocau.deliver.dialect import Dialect
from bocau.deliver.over_http import HttpCarrier, HttpSettings
from bocau.deliver.relay import EsmsDialect
from bocau.deliver.smpp import SmppCarrier
from bocau.deliver.template import TemplateDialect, TemplateSettings
from bocau.listener import Request
from bocau.ports import HttpAnswer, HttpBody, HttpFailure, PartOut, Submission
from bocau.store.contract import OutcomeDeadlines
from bocau.telemetry import CarrierMeters, Lines, make_log
from bocau.wire.gsm.parts import Profile, cut
from bocau.wire.smpp.pdu import DeliverSm
from bocau.wire.smpp.status import Status

__all__ = ["KINDS", "HttpRig", "Rig", "run_rig"]

Done = Callable[[HttpAnswer | HttpFailure], None]
DEADLINES = OutcomeDeadlines(600_000, 3_600_000, 86_400_000)
BASE = "https://gate.example"
SECRET = b"k" * 32


class Rig(Protocol):
    """A carrier account under test and what its carrier does."""

    store: NotingStore

    @property
    def account(self) -> SmppCarrier | HttpCarrier:
        """The account."""
        ...

    async def open(self) -> None:
        """Connect, if there is anything to connect."""
        ...

    def answers(self, how: str) -> None:
        """From now on: taken, later, throttled, never (refused for good), silence."""
        ...

    def report(self, number: int, *, good: bool = True) -> None:
        """The carrier says how a message ended."""
        ...

    async def pass_time(self, seconds: float) -> None:
        """Virtual seconds."""
        ...

    def submit(self, *numbers: int) -> None:
        """As dispatch does."""
        ...

    @property
    def receipts(self) -> list[ReceiptIn]:
        """What reached room 5."""
        ...

    @property
    def seen(self) -> int:
        """Submits that reached the carrier."""
        ...


class _Stage:
    """What both have in common."""

    def __init__(self, network: Network) -> None:
        network.weather = CALM
        self.us = network.machine("us", US)
        self.them = network.machine("them", THEM)
        self.store = NotingStore(self.us)
        self.meters = CarrierMeters()
        self.log = make_log(Lines(io.StringIO()), self.us.world.now_ms)
        self.window = 4
        self.account: SmppCarrier | HttpCarrier

    @property
    def receipts(self) -> list[ReceiptIn]:
        return self.store.receipts

    async def pass_time(self, seconds: float) -> None:
        await self.us.world.sleep(seconds)

    def _submission(self, number: int) -> Submission:
        one = message(number)
        whole = isinstance(self.account, HttpCarrier)
        data = one.content.encode() if whole else cut(one.content, 0, Profile())[0].data
        part = PartOut(1, data, 0, 0)
        return Submission(number, 1, 1, 1, one.brandname, one.phone, one.route_class, (part,), one)

    def submit(self, *numbers: int) -> None:
        for number in numbers:
            self.us.call(self.account.reserve, 1)
            self.us.call(self.account.submit, self._submission(number))


class SmppRig(_Stage):
    """A bind to a carrier that does what it is told."""

    _STATUS: ClassVar = {
        "taken": 0,
        "later": Status.SYSTEM_ERROR,
        "throttled": Status.THROTTLED,
        "never": Status.INVALID_DESTINATION,
        "silence": None,
    }

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.carrier = Carrier(self.them)
        self.account = SmppCarrier(
            self.us.world,
            self.store,
            self.store.take_receipt,
            SETTINGS._replace(response_seconds=5.0),
            DEADLINES,
            self.meters,
            self.log,
            on_room=lambda: None,
            on_callbacks=lambda: None,
        )

    async def open(self) -> None:
        await self.them.run(self.carrier.listen())
        self.us.call(self.account.start)
        await self.pass_time(1.0)

    def answers(self, how: str) -> None:
        self.carrier.answer_status = self._STATUS[how]

    @property
    def seen(self) -> int:
        return sum(len(peer.submits) for peer in self.carrier.peers)

    def report(self, number: int, *, good: bool = True) -> None:
        phone = message(number).phone
        word = "DELIVRD" if good else "UNDELIV"
        text = f"id:m{number} sub:001 dlvrd:001 submit date:2701150800 done date:2701150801 stat:{word} err:000 text:"
        peer = self.carrier.peer

        def send() -> None:
            receipt = DeliverSm(
                source_addr=f"84{phone[1:]}", destination_addr="BOCAU", esm_class=4, short_message=text.encode()
            )
            peer.session.deliver(receipt, None, self.them.world.monotonic())
            peer.flush()

        self.them.call(send)


class ScriptedHttp:
    """`ports.HttpPost` whose host does what it is told."""

    def __init__(self, rig: "HttpRig") -> None:
        self.posts: list[tuple[str, HttpBody]] = []
        self.gets: list[str] = []
        self._rig = rig

    def post(self, url: str, body: HttpBody, seconds: float, done: Done) -> None:
        self.posts.append((url, body))
        self._later(self._rig.answer_to(body), seconds, done)

    def begin(self, url: str, headers: Callable[[str], Sequence[tuple[str, str]]], seconds: float, done: Done) -> None:
        headers(url)
        self.gets.append(url)
        self._later(self._rig.status_answer, seconds, done)

    def _later(self, answer: HttpAnswer | None, seconds: float, done: Done) -> None:
        loop = self._rig.us.network.loop
        if answer is None:
            failure = HttpFailure("timed out")
            failure.sent = True
            loop.call_later(seconds, done, failure)
        else:
            loop.call_later(0.01, done, answer)


class HttpRig(_Stage):
    """A carrier that is called. What it answers is a table per dialect."""

    bodies: ClassVar[dict[str, tuple[int, str]]]
    dialect: ClassVar[Dialect]

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.how = "taken"
        self.status_answer: HttpAnswer | None = HttpAnswer(200, b"{}", "")
        self.replies: list[int] = []
        self.hooks: dict[str, str] = {}
        self.http = ScriptedHttp(self)
        settings = HttpSettings("north", self.window, 5.0, BASE, 30.0, SECRET)
        self.account: HttpCarrier = HttpCarrier(
            self.us.world,
            self.store,
            self.store.take_receipt,
            settings,
            self.dialect,
            self.http,
            DEADLINES,
            self.meters,
            self.log,
            on_room=lambda: None,
            on_callbacks=lambda: None,
        )

    async def open(self) -> None:
        self.us.call(self.account.start)

    def answers(self, how: str) -> None:
        self.how = how

    @property
    def seen(self) -> int:
        return len(self.http.posts)

    def answer_to(self, body: HttpBody) -> HttpAnswer | None:
        phone, hook = self.read(body)
        self.hooks[phone] = hook
        if self.how == "silence":
            return None
        status, text = self.bodies[self.how]
        return HttpAnswer(status, text.replace("<id>", f"m{int(phone[2:])}").encode(), "")

    def read(self, body: HttpBody) -> tuple[str, str]:
        """Receiver and hook of a request."""
        raise NotImplementedError

    def word(self, number: int, *, good: bool) -> tuple[str, bytes]:
        """Query and body of a report."""
        raise NotImplementedError

    def report(self, number: int, *, good: bool = True) -> None:
        hook = self.hooks[message(number).phone].removeprefix(f"{BASE}/carrier/north/")
        query, body = self.word(number, good=good)
        self.us.call(self.account.hook, hook, self.request(f"/carrier/north/{hook}{query}", body))

    def request(self, target: str, body: bytes = b"") -> Request:
        """A call to our listener; the status of its answer goes to `replies`."""
        replies = self.replies

        class Call(Request):
            def __init__(self) -> None:
                self.method, self.target, self.body = "GET", target.encode(), body

            def respond(self, status: int, *rest: Any, **more: Any) -> None:  # noqa: ANN401
                replies.append(status)

        return Call()


class RelayRig(HttpRig):
    """Another service of the eSMS API."""

    dialect = EsmsDialect("https://rest.example", "key", "secret")
    bodies: ClassVar = {
        "taken": (200, '{"CodeResult":"100","CountRegenerate":0,"SMSID":"<id>"}'),
        "later": (200, '{"CodeResult":"103","CountRegenerate":0,"ErrorMessage":"not enough"}'),
        "throttled": (200, '{"CodeResult":"160","CountRegenerate":0,"ErrorMessage":"too fast"}'),
        "never": (200, '{"CodeResult":"146","CountRegenerate":0,"ErrorMessage":"template"}'),
        "known": (200, '{"CodeResult":"124","CountRegenerate":0,"ErrorMessage":"repeated","SendStatus":"2"}'),
        "broken": (502, "<html>"),
    }

    def read(self, body: HttpBody) -> tuple[str, str]:
        members = json.loads(body.data)
        return members["Phone"], members["CallbackUrl"]

    def word(self, number: int, *, good: bool) -> tuple[str, bytes]:
        counts = "SendFailed=0&SendStatus=5&SendSuccess=1" if good else "SendFailed=1&SendStatus=5&SendSuccess=0"
        return f"?SMSID=m{number}&{counts}&TotalReceiver=1&TypeId=2", b""


class TemplateRig(HttpRig):
    """An interface of the carrier's own."""

    dialect = TemplateDialect(
        TemplateSettings(
            "https://sms.example/send",
            "to={phone}&text={text}&from={sender}&ref={reference}&dlr={callback}",
            json_body=False,
            authorization="Bearer x",
            id_pointer="/data/0/id",
            answer_pointer="/result",
            taken_words=("0", "ok"),
            later_words=("busy",),
            receipt_pointer="/status",
            delivered_words=("delivered",),
            undelivered_words=("failed",),
            repeatable=True,
        )
    )
    bodies: ClassVar = {
        "taken": (200, '{"result":0,"data":[{"id":"<id>"}]}'),
        "later": (200, '{"result":"busy"}'),
        "throttled": (429, ""),
        "never": (200, '{"result":"unknown number"}'),
        "broken": (500, "{}"),
    }

    def read(self, body: HttpBody) -> tuple[str, str]:
        values = parse_qs(body.data.decode())
        return values["to"][0], values["dlr"][0]

    def word(self, number: int, *, good: bool) -> tuple[str, bytes]:
        return "", json.dumps({"status": "delivered" if good else "failed"}).encode()


KINDS: dict[str, Callable[[Network], Rig]] = {"smpp": SmppRig, "relay": RelayRig, "http": TemplateRig}


def run_rig(kind: str, scenario: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
    """A scenario on an account that is ready; afterwards it stops in order."""

    async def whole(network: Network) -> None:
        rig = KINDS[kind](network)
        await rig.open()
        assert rig.account.up
        await scenario(rig)
        await asyncio.wait_for(rig.account.stop(30.0), None)
        assert rig.account.outstanding == 0

    play(whole)
