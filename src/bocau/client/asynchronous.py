"""The client for asyncio programs, on its streams. The same methods as the ordinary one, awaited."""

import asyncio
import ssl
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import NamedTuple, TypeVar

from bocau.client.calls import Call, Calls, Options, fill_code, read_address
from bocau.client.errors import NoAnswer
from bocau.client.patience import Failure, Patience, new_request_id
from bocau.client.replies import Reply
from bocau.client.results import Balance, Brandname, Price, Receiver, Sent, Status, Template

__all__ = ["AsyncClient"]

T = TypeVar("T")

_MOST_BYTES = 16 << 20
_MOST_IDLE = 16


class _Line(NamedTuple):
    """An open connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class _Stale(Exception):  # noqa: N818 - it never leaves this file
    """A kept connection turned out closed before it said anything."""


class AsyncClient:
    """Calls the eSMS API of a bocau or of eSMS itself, from one event loop.

    What is not given comes from ESMS_BASE_URL, ESMS_API_KEY and ESMS_SECRET_KEY. `seconds` are for one try; a try that
    comes to nothing is repeated up to `retries` times, with the same RequestId, so nothing is sent twice.

    Every method raises EsmsError: one class for each code, NoAnswer if no result came. ValueError if there are no keys,
    or the address is none.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        secret_key: str | None = None,
        *,
        seconds: float = 15.0,
        retries: int = 2,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._address = read_address(base_url)
        self._calls = Calls(api_key, secret_key, self._address.prefix)
        self._patience = Patience(seconds, retries)
        self._tls = (tls or ssl.create_default_context()) if self._address.secure else None
        self._idle: deque[_Line] = deque()

    async def __aenter__(self) -> "AsyncClient":
        """The client itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()

    async def close(self) -> None:
        """Close the connections. The client may be used again."""
        while self._idle:
            writer = self._idle.pop().writer
            writer.close()
            try:
                await writer.wait_closed()
            except OSError:
                continue  # it was gone already

    # Sends

    async def send(
        self,
        phone: str | Sequence[str],
        text: str,
        *,
        brandname: str = "",
        sms_type: int = 2,
        unicode: bool = False,
        request_id: str | None = None,
        callback_url: str = "",
        send_at: datetime | None = None,
        sandbox: bool = False,
        campaign_id: str = "",
    ) -> Sent:
        """Send an SMS; `phone` may be several. Accepted is not delivered: the outcome comes by callback or `status`."""
        options = Options(request_id or new_request_id(), callback_url, send_at, sandbox, campaign_id)
        return await self._do(
            self._calls.send(phone, text, brandname, sms_type=sms_type, unicode=unicode, options=options)
        )

    async def send_otp(
        self,
        phone: str,
        code: str,
        *,
        text: str,
        brandname: str,
        request_id: str | None = None,
        callback_url: str = "",
        sandbox: bool = False,
    ) -> Sent:
        """Send a one-time code of your own; `text` is the registered text with `{code}` where the code goes."""
        return await self.send(
            phone,
            fill_code(text, code),
            brandname=brandname,
            request_id=request_id,
            callback_url=callback_url,
            sandbox=sandbox,
        )

    async def voice_otp(
        self, phone: str, code: str, *, request_id: str | None = None, callback_url: str = "", sandbox: bool = False
    ) -> Sent:
        """Have a code spoken by a call."""
        options = Options(request_id or new_request_id(), callback_url, None, sandbox)
        return await self._do(self._calls.voice_otp(phone, code, options))

    async def generate_code(
        self,
        phone: str,
        *,
        text: str,
        brandname: str,
        minutes: int = 5,
        length: int = 6,
        digits_only: bool = True,
        request_id: str | None = None,
        callback_url: str = "",
    ) -> Sent:
        """Send a code that the other end makes up; `text` has `{OTP}` where it goes. `check_code` asks for it."""
        made = {"TimeAlive": str(minutes), "NumCharOfCode": str(length), "IsNumber": "1" if digits_only else "0"}
        options = Options(request_id or new_request_id(), callback_url)
        return await self._do(self._calls.generate_code(phone, text, brandname, made, options))

    # Questions

    async def check_code(self, phone: str, code: str) -> bool:
        """Whether it is the code that `generate_code` sent. It is right once. Never repeated by itself."""
        return await self._do(self._calls.check_code(phone, code))

    async def status(self, smsid: str) -> Status:
        """What became of a request of the last 7 days."""
        return await self._do(self._calls.status(smsid))

    async def receivers(self, smsid: str) -> tuple[Receiver, ...]:
        """What became of each receiver of a request."""
        return await self._do(self._calls.receivers(smsid))

    async def balance(self) -> Balance:
        """What the account has left, in VND."""
        return await self._do(self._calls.balance())

    async def brandnames(self) -> tuple[Brandname, ...]:
        """The registered senders."""
        return await self._do(self._calls.brandnames())

    async def templates(self, brandname: str, *, sms_type: int = 2) -> tuple[Template, ...]:
        """The registered texts of a sender, a row for each network."""
        return await self._do(self._calls.templates(brandname, sms_type))

    async def price(self, phone: str | Sequence[str], text: str, *, brandname: str, unicode: bool = False) -> Price:
        """What a send would cost, in VND. Whether a template fits is not looked at."""
        return await self._do(self._calls.price(phone, text, brandname, unicode=unicode))

    # One call

    async def _do(self, call: Call[T]) -> T:
        """Try until there is a result, or patience ends."""
        tries, retried = 0, False
        while True:
            try:
                return call.read(await self._try(call, retried=retried))
            except Failure as failure:
                tries += 1
                retried = retried or failure.sent
                wait = self._patience.wait_seconds(tries, repeatable=call.repeatable, sent=failure.sent)
                if wait is None:
                    raise NoAnswer(failure.reason, call.request_id) from failure
                await asyncio.sleep(wait)

    async def _try(self, call: Call[T], *, retried: bool) -> Reply:
        """One exchange. A kept connection that the other end has closed is replaced at once. Raises Failure."""
        if call.repeatable and self._idle:
            try:
                return await self._exchange(self._idle.pop(), call, retried=retried)
            except _Stale:
                # It was idle, so nearly surely nothing arrived; a 124 would tell.
                return await self._anew(call)
        return await self._exchange(None, call, retried=retried)

    async def _anew(self, call: Call[T]) -> Reply:
        try:
            return await self._exchange(None, call, retried=True)
        except Failure as failure:
            raise Failure(failure.reason, sent=True) from failure

    async def _exchange(self, line: _Line | None, call: Call[T], *, retried: bool) -> Reply:
        kept, sent = line is not None, line is not None
        try:
            async with asyncio.timeout(self._patience.seconds):
                if line is None:
                    line = await self._connect()
                    sent = True
                line.writer.write(_request(call, self._address.authority))
                status, headers, body, reusable = await _read(line.reader)
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            _drop(line)
            nothing = isinstance(error, ConnectionError) or (
                isinstance(error, asyncio.IncompleteReadError) and not error.partial
            )
            if kept and nothing:
                raise _Stale from error
            raise Failure(_told(error), sent=sent) from error
        except BaseException:
            _drop(line)  # cancelled: nobody reads the rest of this answer
            raise
        if reusable and len(self._idle) < _MOST_IDLE:
            self._idle.append(line)
        else:
            _drop(line)
        if status >= 500:
            raise Failure(f"HTTP {status}: {body[:120].decode('utf-8', 'replace')}", sent=True)
        return Reply(status, headers, body, call.request_id, retried)

    async def _connect(self) -> _Line:
        address = self._address
        return _Line(*await asyncio.open_connection(address.host, address.port, ssl=self._tls))


def _drop(line: _Line | None) -> None:
    if line is not None:
        line.writer.close()


def _told(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer: timed out"
    why = (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
    return f"no answer: {why}"


def _request(call: Call[T], authority: str) -> bytes:
    lines = [
        f"{call.method} {call.target} HTTP/1.1",
        f"Host: {authority}",
        "Accept: application/json",
        "User-Agent: bocau-client",
    ]
    if call.body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(call.body)}"]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + (call.body or b"")


async def _read(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes, bool]:
    """An answer: status, headers, body, and whether the connection can go on. Raises ValueError if it is not HTTP."""
    while True:
        version, status, headers = _head(await reader.readuntil(b"\r\n\r\n"))
        if status >= 200:  # 1xx only announce an answer
            break
    alive = version != "HTTP/1.0" and headers.get("connection", "").lower() != "close"
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return status, headers, await _chunks(reader), alive
    length = headers.get("content-length")
    if status in (204, 304):
        return status, headers, b"", alive
    if length is None:
        return status, headers, await reader.read(_MOST_BYTES), False
    return status, headers, await reader.readexactly(_size(length, 10)), alive


def _head(head: bytes) -> tuple[str, int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
        raise ValueError("the answer is not HTTP")
    pairs = (line.partition(":") for line in lines if line)
    return version, int(rest[:3]), {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        size = _size((await reader.readuntil(b"\r\n")).partition(b";")[0].decode("latin-1"), 16)
        if not size:
            break
        body += await reader.readexactly(size)
        await reader.readexactly(2)
        if len(body) > _MOST_BYTES:
            raise ValueError("the answer is too long")
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailers
    return body


def _size(text: str, base: int) -> int:
    size = int(text.strip(), base)
    if not 0 <= size <= _MOST_BYTES:
        raise ValueError("the answer is too long")
    return size
