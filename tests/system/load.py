"""The customers: distinct messages over open connections, each asked again with its RequestId until it has an answer.

What was asked and what came back is written to an append-only log: `ask`, `answer`, and `none` where no answer came.
"""

import asyncio
import contextlib
import json
import os
import random
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from tests.system.processes import Stage, now_ms

__all__ = ["Answer", "Client", "Order", "Orders", "ask", "get_status"]

_PATH: Final = "/MainService.svc/json/SendMultipleMessage_V4_post_json/"
_ANSWER_SECONDS: Final = 10.0
_PREFIXES: Final = ("090", "091", "098", "092", "096", "089", "088", "086")

# Last four digits of the receiver, which tell the simulated carrier what to do, with their weights: plain delivery;
# answer after 0.1 s and the receipt before it; receipt twice; refused once, thrice; id in another base; no text;
# oddly spelled; undelivered; expired; refused for good.
_ENDINGS: Final = {
    "": 46,
    "0007": 22,
    "0004": 5,
    "0012": 5,
    "0005": 3,
    "0013": 4,
    "0016": 3,
    "0017": 3,
    "0002": 4,
    "0008": 3,
    "0009": 2,
}
# Texts of two and three parts that have the key in every part: a part holds 153 signs, a key and its space take 8.
_REPEATS: Final = (26, 30, 35, 45, 50)
_TARGETS: Final = {"ok": 70, "fail/1": 8, "fail/2": 4, "": 18}
_SLOW: Final = {"0005", "fail/2"}


class Order(NamedTuple):
    """One request. The key is its RequestId, and stands in its text, so that the carrier's log can be joined."""

    key: str
    phones: tuple[str, ...]
    content: str
    sms_type: str = "2"
    callback_url: str = ""
    send_date: str = ""
    hangs_up: bool = False
    """The first time, the caller hangs up without waiting for the answer."""

    def body(self, api_key: str, secret_key: str) -> bytes:
        """As it goes over the wire."""
        values = {
            "ApiKey": api_key,
            "SecretKey": secret_key,
            "Phone": ",".join(self.phones),
            "Content": self.content,
            "Brandname": "Baotrixemay" if self.sms_type == "2" else "",
            "SmsType": self.sms_type,
            "RequestId": self.key,
            "CallbackUrl": self.callback_url,
            "SendDate": self.send_date,
        }
        return json.dumps({name: value for name, value in values.items() if value}).encode()


class Orders:
    """Makes orders by chance, from a seed; keys count up and no two are equal."""

    def __init__(self, chance: random.Random, stage: Stage, *, hurry: bool = False) -> None:
        """With `hurry` nothing takes much longer than a second, but for what is cut off."""
        self._chance = chance
        self._stage = stage
        self._number = 0
        self._endings = {ending: weight for ending, weight in _ENDINGS.items() if not hurry or ending not in _SLOW}
        self._targets = {path: weight for path, weight in _TARGETS.items() if not hurry or path not in _SLOW}

    def plain(self, path: str = "ok", ending: str = "", **further: Any) -> Order:  # noqa: ANN401 - fields of Order
        """A one-part message to one receiver, told to the path if it is not empty."""
        key = self._key()
        url = self._stage.callback(path) if path else ""
        text = f"{key} la ma xac minh dang ky Baotrixemay cua ban"
        return Order(key, (self._phone(ending),), text, callback_url=url, **further)

    def some(self, count: int) -> Iterator[Order]:
        """A mixture of everything."""
        for _ in range(count):
            yield self._any()

    def _any(self) -> Order:
        chance = self._chance
        order = self.plain(self._pick(self._targets), self._pick(self._endings), hangs_up=chance.random() < 0.03)
        if chance.random() < 0.1:
            return order._replace(sms_type="8", content=f"{order.key} " * chance.choice(_REPEATS))
        if chance.random() < 0.06:
            more = tuple(self._phone(self._pick(self._endings)) for _ in range(chance.randint(1, 2)))
            return order._replace(phones=order.phones + more)
        return order

    def _key(self) -> str:
        self._number += 1
        return f"K{self._number:06d}"

    def _pick(self, weights: dict[str, int]) -> str:
        return self._chance.choices(list(weights), list(weights.values()))[0]

    def _phone(self, ending: str) -> str:
        tail = ending or f"{self._chance.randrange(1000, 10_000)}"
        return f"{self._chance.choice(_PREFIXES)}{self._chance.randrange(1000):03d}{tail}"


class Answer(NamedTuple):
    """What came back."""

    http: int
    code: str
    smsid: str
    """From the body, or from the header of a 124."""
    body: dict[str, Any]


_Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _hang_up(line: _Line) -> None:
    """Close a connection, whatever state it is in."""
    line[1].close()
    with contextlib.suppress(OSError):
        await line[1].wait_closed()


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> Answer:
    """One request on an open connection. Raises OSError, EOFError."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status, *fields = head.rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    body = json.loads(await reader.readexactly(int(headers["content-length"])))
    code = str(body.get("CodeResult", body.get("CodeResponse", "")))
    return Answer(int(status.split(" ")[1]), code, body.get("SMSID") or headers.get("x-bocau-smsid", ""), body)


async def _once(port: int, request: bytes) -> Answer:
    """One request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await _exchange(reader, writer, request)
    finally:
        writer.close()
        await writer.wait_closed()


def _post(body: bytes) -> bytes:
    head = f"POST {_PATH} HTTP/1.1\r\nHost: bocau\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


async def ask(port: int, order: Order, api_key: str = "bench", secret_key: str = "bench") -> Answer:
    """One request, once. Raises OSError, EOFError."""
    return await _once(port, _post(order.body(api_key, secret_key)))


async def get_status(port: int, smsid: str, api_key: str = "bench", secret_key: str = "bench") -> Answer:
    """GetSendStatus."""
    query = f"RefId={smsid}&ApiKey={api_key}&SecretKey={secret_key}"
    return await _once(
        port, f"GET /MainService.svc/json/GetSendStatus?{query} HTTP/1.1\r\nHost: bocau\r\n\r\n".encode()
    )


class Client:
    """Keeps so many connections open and works through the orders it is given."""

    def __init__(self, stage: Stage, connections: int) -> None:
        self.answered = 0
        """Orders that have their final answer."""
        self._stage = stage
        self._file = os.open(stage.asked, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._orders: asyncio.Queue[Order] = asyncio.Queue()
        self._workers = [asyncio.create_task(self._work()) for _ in range(connections)]

    def put(self, orders: Iterator[Order]) -> None:
        """More to do."""
        for order in orders:
            self._orders.put_nowait(order)

    async def settled(self, seconds: float = 60.0) -> None:
        """Wait until every order has been answered. Raises TimeoutError, or what a worker raised."""
        waiting = asyncio.ensure_future(self._orders.join())
        done, _ = await asyncio.wait([waiting, *self._workers], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if waiting in done:
            return
        waiting.cancel()
        for worker in done:
            worker.result()
        raise TimeoutError(f"{self._orders.qsize()} orders are not answered")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        os.close(self._file)

    async def _work(self) -> None:
        """One connection's life, and the next one's."""
        line: _Line | None = None
        try:
            while True:
                order = await self._orders.get()
                hangs_up = order.hangs_up
                while line is None or not await self._try(order, *line, hangs_up=hangs_up):
                    if line is not None:
                        hangs_up = False
                        await _hang_up(line)
                    line = await self._connect()
                self.answered += 1
                self._orders.task_done()
        finally:
            if line is not None:
                await _hang_up(line)

    async def _connect(self) -> _Line | None:
        """A connection, once the gateway is believed to listen; None if it does not."""
        await self._stage.up.wait()
        try:
            return await asyncio.open_connection("127.0.0.1", self._stage.api_port)
        except OSError:
            await asyncio.sleep(0.005)
            return None

    async def _try(
        self, order: Order, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, hangs_up: bool
    ) -> bool:
        """Ask once. True: answered for good; False: ask again on another connection."""
        self._note("ask", order.key)
        request = _post(order.body("bench", "bench"))
        try:
            if hangs_up:
                writer.write(request)
                await writer.drain()
                self._note("none", order.key)
                return False
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer = await _exchange(reader, writer, request)
        except (OSError, EOFError, TimeoutError):
            self._note("none", order.key)
            return False
        self._note("answer", order.key, http=answer.http, code=answer.code, smsid=answer.smsid)
        return answer.http != 503

    def _note(self, event: str, key: str, **further: str | int) -> None:
        record = {"at_ms": now_ms(), "event": event, "key": key, **further}
        os.write(self._file, json.dumps(record).encode() + b"\n")
