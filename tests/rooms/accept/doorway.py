"""A door on a real listener with a real store in line, and clients that speak raw HTTP to it."""

import asyncio
import io
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import quote
from xml.etree import ElementTree

from tests.rooms.accept.shop import KEY, NOW, PEPPER, PHONES, POLICY, SECRET, TEXT, VND, Stock, key_row
from tests.rooms.scenario import PATIENCE_SECONDS, TurnedWorld
from tests.store.engines import Inside, SqliteEngine
from tests.store.sweep import sweep

from bocau.accept.checks import Policy
from bocau.accept.door import Door
from bocau.core.directory import (
    BlockedRow,
    BrandnameRow,
    CallTemplateRow,
    NetworkRow,
    PriceRow,
    RecordingRow,
    TemplateRow,
    build,
)
from bocau.core.ids import Ids
from bocau.core.lifecycle import AttemptState
from bocau.core.limits import LimitRow
from bocau.core.message import Answer, AnswerKind, AttemptKey, CallbackTry, Intent, Message, ReceiptIn, Recourse
from bocau.core.outcome import match_key, match_keys
from bocau.listener import Limits, Listener
from bocau.loops import MessageLane
from bocau.store.contract import Done, StoreFault
from bocau.store.sqlite import SqliteStore
from bocau.telemetry import AcceptMeters, Lines, make_log

__all__ = [
    "BALANCE",
    "DAY",
    "GET_PATH",
    "GOLDEN",
    "INVALID",
    "JSON_PATH",
    "PLAIN",
    "PRICE",
    "SAMPLE_SMSID",
    "STATUS_PATH",
    "UNAVAILABLE",
    "Clock",
    "Doorway",
    "Reply",
    "doorway",
    "golden",
    "http",
    "parse",
    "query",
    "status_body",
]

I = TypeVar("I")  # noqa: E741 - item
R = TypeVar("R")

GOLDEN: Final = Path(__file__).resolve().parents[2] / "wire" / "esms" / "golden"
SAMPLE_SMSID: Final = "6b1f0f3f9a7d4b0fb1a7b0c4f2d9e811042"
"""The SMSID in the golden files."""
JSON_PATH: Final = "/MainService.svc/json/SendMultipleMessage_V4_post_json/"
GET_PATH: Final = "/MainService.svc/json/SendMultipleMessage_V4_get"
STATUS_PATH: Final = "/MainService.svc/json/GetSendStatus"
BALANCE: Final = 1_000_000
"""Dong of every account at its beginning."""
PRICE: Final = 850
"""Dong of a part of type 2."""
DAY: Final = 86_400_000
PLAIN: Final[Mapping[str, Any]] = {
    "ApiKey": KEY,
    "SecretKey": SECRET,
    "Content": TEXT,
    "Phone": PHONES[2],
    "Brandname": "BOCAU",
    "SmsType": "2",
}
"""The members of a plain send."""


def golden(name: str, smsid: str = SAMPLE_SMSID) -> bytes:
    """A body of the golden folder, with another SMSID in it."""
    return (GOLDEN / name).read_bytes().removesuffix(b"\n").replace(SAMPLE_SMSID.encode(), smsid.encode())


def query(**members: str) -> str:
    """A plain send as a query."""
    return "&".join(f"{name}={quote(value)}" for name, value in {**PLAIN, **members}.items())


def status_body(smsid: str, *values: object) -> bytes:
    """GetSendStatus of (failed, status, success, price, receivers, sent)."""
    names = ("SendFailed", "SendStatus", "SendSuccess", "TotalPrice", "TotalReceiver", "TotalSent")
    counts = ",".join(f'"{name}":{value}' for name, value in zip(names, values, strict=True))
    return f'{{"CodeResponse":"100","SMSID":"{smsid}",{counts}}}'.encode()


class Reply(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes
    raw: bytes

    @property
    def members(self) -> dict[str, Any]:
        """The members of the JSON body, or the children of an XML one as text."""
        if "xml" in self.headers["content-type"]:
            return {child.tag: child.text or "" for child in ElementTree.fromstring(self.body)}  # noqa: S314
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found

    @property
    def code(self) -> str:
        """CodeResult, which is always a string."""
        code = self.members["CodeResult"]
        assert isinstance(code, str)
        return code

    @property
    def smsid(self) -> str:
        """SMSID."""
        smsid = self.members["SMSID"]
        assert isinstance(smsid, str)
        return smsid


def parse(raw: bytes) -> Reply:
    """One whole answer."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Reply(int(first.split()[1]), headers, body, raw)


def part(raw: bytes) -> list[Reply]:
    """Several answers of one connection, each with a body of its stated length."""
    found = []
    while raw:
        end = raw.index(b"\r\n\r\n") + 4
        end += int(parse(raw[:end]).headers["content-length"])
        found.append(parse(raw[:end]))
        raw = raw[end:]
    return found


def http(method: str, target: str | bytes, body: bytes = b"", headers: str = "") -> bytes:
    """A request as bytes."""
    target = target.encode() if isinstance(target, str) else target
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return method.encode() + b" " + target + f" HTTP/1.1\r\nHost: x\r\n{headers}{length}\r\n".encode() + body


INVALID: Final = golden("error_400.json")
UNAVAILABLE: Final = golden("error_503.json")


class Clock(TurnedWorld):
    """The real network, and clocks that move only by hand, or because somebody sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """The clock is later now."""
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)

    def now_ms(self) -> int:
        """The time set by the test."""
        return self.now


class Doorway:
    """A door with everything behind it and in front of it."""

    def __init__(self, engine: SqliteEngine, store: SqliteStore, policy: Policy, places: int) -> None:
        self.engine = engine
        self.store = store
        self.world = Clock()
        self.said = io.StringIO()
        self.meters = AcceptMeters()
        self.faults: list[Exception] = []
        self.lane = MessageLane(places, lambda: None)
        log = make_log(Lines(self.said), self.world.now_ms, "debug")
        self.door = Door(self.world, store, Ids(7), policy, self.lane, self.meters, log)
        self.listener: Listener

    # Behind the door

    async def open_account(self, stock: Stock) -> int:
        """An account with money; its id. The door hears of it at the next `reload`."""
        store = self.store
        account = await store.create_account(f"shop-{len(await store.accounts()) + 1}", NOW)
        for sms_type, telco, dong in stock.prices:
            await store.put_price(PriceRow(account, sms_type, telco, dong * VND))
        for sms_type, name, state in stock.brandnames:
            await store.put_brandname(BrandnameRow(account, sms_type, name, state), NOW)
        for _, brandname, telco, text, route_class in stock.templates:
            await store.put_template(TemplateRow(0, account, 2, brandname, telco, text, route_class), NOW)
        for text in stock.call_templates:
            await store.put_call_template(CallTemplateRow(0, account, text), NOW)
        for name in stock.recordings:
            await store.put_recording(RecordingRow(0, account, name), (8_000, bytes(16_000)), NOW)
        await store.top_up(account, BALANCE * VND, "test", NOW)
        for name, value in stock.limits:
            await store.put_limit(LimitRow(account, name, value))
        for network in stock.networks:
            await store.put_network(NetworkRow(account, "", network))
        if stock.blocked:
            await store.block([BlockedRow(account, *row) for row in stock.blocked], NOW)
        await store.put_key(key_row(account, stock), NOW)
        await store.set_account_state(account, stock.state)
        return account

    async def reload(self) -> None:
        """Let the door see what the store has."""
        self.door.directory = build(await self.store.read_directory(), PEPPER)

    async def leave_dong(self, dong: int, account: int = 1) -> None:
        """Set an account's money."""
        balance, _ = await self.store.balance(account)
        await self.store.top_up(account, dong * VND - balance, "test", self.world.now)

    def inside(self) -> Inside:
        """Everything that is committed."""
        return self.engine.inspect()

    def rows(self) -> list[Message]:
        """All messages, in order."""
        return [message for _, message in sorted(self.inside().messages.items())]

    def tamper(self, *statements: str) -> None:
        """Change the file from outside."""
        db = sqlite3.connect(self.engine.path)
        for statement in statements:
            db.execute(statement)
        db.commit()
        db.close()

    def forget(self, before: Inside) -> None:
        """Take back the messages accepted since then, with their money."""
        kept = ",".join(map(str, before.messages))
        self.tamper(
            f"DELETE FROM message WHERE id NOT IN ({kept})",  # noqa: S608
            f"DELETE FROM ledger WHERE kind = 'hold' AND subject_id NOT IN ({kept})",  # noqa: S608
            "UPDATE account SET balance = (SELECT sum(amount) FROM ledger WHERE account_id = account.id)",
        )

    async def _put(self, put: Callable[[I, Done[R]], None], item: I) -> R:
        future: asyncio.Future[R | StoreFault] = asyncio.get_running_loop().create_future()
        put(item, future.set_result)
        found = await future
        assert not isinstance(found, StoreFault)
        return found

    async def submit(
        self,
        message: Message,
        kind: AnswerKind = AnswerKind.TAKEN,
        number: int = 1,
        recourse: Recourse = Recourse(),  # noqa: B008 - a value that never changes
    ) -> None:
        """A carrier is offered the only part of a message, and answers."""
        now, carrier_id = self.world.now, f"c{message.id}"
        await self._put(self.store.begin, Intent(message.id, (1,), 1, number, "north", message.phone, now))
        key = AttemptKey(message.id, 1, number)
        answer = Answer(
            key, message.account_id, 1, kind, "north", carrier_id, match_key(carrier_id), 0, now, now + 1000, recourse
        )
        await self._put(self.store.record, answer)

    async def report(self, message: Message, state: AttemptState) -> None:
        """The carrier reports."""
        carrier_id = f"c{message.id}"
        keys = match_keys(carrier_id)
        await self._put(
            self.store.receipt,
            ReceiptIn("north", carrier_id, keys, message.phone, state, "", self.world.now, b"", None, False),
        )

    async def tried(self, attempt: CallbackTry) -> None:
        """A customer's host was called."""
        await self._put(self.store.tried, attempt)

    # In front of the door

    async def ask(self, data: bytes) -> Reply:
        """Send bytes on a connection of their own; the one answer."""
        return parse(await self.exchange(data))

    async def ask_all(self, requests: list[bytes]) -> list[Reply]:
        """Send requests in one piece on one connection, so that they share a turn of the loop; the answers."""
        return part(await self.exchange(b"".join(requests)))

    async def exchange(self, data: bytes) -> bytes:
        """Send bytes, close our side; everything that comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.listener.port)
        writer.write(data)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer

    async def request(self, method: str, target: str | bytes, body: bytes = b"", headers: str = "") -> Reply:
        """One request."""
        return await self.ask(http(method, target, body, headers))

    async def send(self, **members: Any) -> Reply:  # noqa: ANN401 - whatever a client sends
        """A plain send with some members changed, in the documented form."""
        return await self.ask(self.sending(**members))

    def sending(self, **members: Any) -> bytes:  # noqa: ANN401 - whatever a client sends
        """The bytes of the same."""
        body = json.dumps({**PLAIN, **members}, ensure_ascii=False).encode()
        return http("POST", JSON_PATH, body, "Content-Type: application/json\r\n")

    async def status(self, smsid: str, key: str = KEY, secret: str = SECRET) -> Reply:
        """GetSendStatus."""
        target = f"{STATUS_PATH}?RefId={smsid}&ApiKey={key}&SecretKey={secret}"
        return await self.request("GET", target)

    async def balance(self, key: str = KEY, secret: str = SECRET) -> Reply:
        """GetBalance in its JSON form."""
        body = json.dumps({"ApiKey": key, "SecretKey": secret}).encode()
        return await self.request("POST", "/MainService.svc/json/GetBalance_json", body)

    def log_lines(self) -> str:
        """Everything that was logged."""
        return self.said.getvalue()


@asynccontextmanager
async def standing(folder: Path, stocks: tuple[Stock, ...], policy: Policy, places: int) -> AsyncIterator[Doorway]:
    """A door on a free port; at the end the store is closed and swept for broken promises."""
    engine = SqliteEngine(folder, threaded=False)
    place = Doorway(engine, await engine.open(NOW), policy, places)
    for stock in stocks or (Stock(),):
        await place.open_account(stock)
    await place.reload()
    limits = Limits()
    place.listener = await Listener.start(place.world, place.door.handle, "127.0.0.1", 0, limits, place.faults.append)
    try:
        yield place
        assert not place.faults, "nothing unexpected happened"
    finally:
        await place.listener.close(0)
        await place.store.close(place.world.now)
    sweep(place.inside())


def doorway(
    folder: Path,
    scenario: Callable[[Doorway], Awaitable[None]],
    *stocks: Stock,
    policy: Policy = POLICY,
    places: int = 1000,
) -> None:
    """Play a scenario at a door. `places` is how many messages memory may hold for the dispatcher."""

    async def play() -> None:
        async with asyncio.timeout(PATIENCE_SECONDS), standing(folder, stocks, policy, places) as place:
            await scenario(place)

    work: Coroutine[Any, Any, None] = play()
    asyncio.run(work)
