"""The client for ordinary programs, on http.client. One connection for each thread that calls at the same time."""

import http.client
import ssl
import time
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import TypeVar

from bocau.client.calls import Address, Call, Calls, Options, fill_code, read_address
from bocau.client.errors import NoAnswer
from bocau.client.patience import Failure, Patience, new_request_id
from bocau.client.replies import Reply
from bocau.client.results import Balance, Brandname, Price, Receiver, Sent, Status, Template

__all__ = ["Client"]

T = TypeVar("T")

_MOST_BYTES = 16 << 20
_MOST_IDLE = 16


class Client:
    """Calls the eSMS API of a bocau or of eSMS itself. May be shared by threads.

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
        self._tls = tls
        self._idle: deque[http.client.HTTPConnection] = deque(maxlen=_MOST_IDLE)

    def __enter__(self) -> "Client":
        """The client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the connections. The client may be used again."""
        while self._idle:
            self._idle.pop().close()

    # Sends

    def send(
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
        return self._do(self._calls.send(phone, text, brandname, sms_type=sms_type, unicode=unicode, options=options))

    def send_otp(
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
        return self.send(
            phone,
            fill_code(text, code),
            brandname=brandname,
            request_id=request_id,
            callback_url=callback_url,
            sandbox=sandbox,
        )

    def voice_otp(
        self, phone: str, code: str, *, request_id: str | None = None, callback_url: str = "", sandbox: bool = False
    ) -> Sent:
        """Have a code spoken by a call."""
        options = Options(request_id or new_request_id(), callback_url, None, sandbox)
        return self._do(self._calls.voice_otp(phone, code, options))

    def generate_code(
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
        return self._do(self._calls.generate_code(phone, text, brandname, made, options))

    # Questions

    def check_code(self, phone: str, code: str) -> bool:
        """Whether it is the code that `generate_code` sent. It is right once. Never repeated by itself."""
        return self._do(self._calls.check_code(phone, code))

    def status(self, smsid: str) -> Status:
        """What became of a request of the last 7 days."""
        return self._do(self._calls.status(smsid))

    def receivers(self, smsid: str) -> tuple[Receiver, ...]:
        """What became of each receiver of a request."""
        return self._do(self._calls.receivers(smsid))

    def balance(self) -> Balance:
        """What the account has left, in VND."""
        return self._do(self._calls.balance())

    def brandnames(self) -> tuple[Brandname, ...]:
        """The registered senders."""
        return self._do(self._calls.brandnames())

    def templates(self, brandname: str, *, sms_type: int = 2) -> tuple[Template, ...]:
        """The registered texts of a sender, a row for each network."""
        return self._do(self._calls.templates(brandname, sms_type))

    def price(self, phone: str | Sequence[str], text: str, *, brandname: str, unicode: bool = False) -> Price:
        """What a send would cost, in VND. Whether a template fits is not looked at."""
        return self._do(self._calls.price(phone, text, brandname, unicode=unicode))

    # One call

    def _do(self, call: Call[T]) -> T:
        """Try until there is a result, or patience ends."""
        tries, retried = 0, False
        while True:
            try:
                return call.read(self._try(call, retried=retried))
            except Failure as failure:
                tries += 1
                retried = retried or failure.sent
                wait = self._patience.wait_seconds(tries, repeatable=call.repeatable, sent=failure.sent)
                if wait is None:
                    raise NoAnswer(failure.reason, call.request_id) from failure
                time.sleep(wait)  # noqa: TID251 - the customer's program has no World

    def _try(self, call: Call[T], *, retried: bool) -> Reply:
        """One exchange. A kept connection that the other end has closed is replaced at once. Raises Failure."""
        connection = self._kept() if call.repeatable else None
        if connection is not None:
            try:
                return self._exchange(connection, call, retried=retried)
            except (http.client.RemoteDisconnected, ConnectionError):
                # It was idle, so nearly surely nothing arrived; a 124 would tell.
                return self._anew(call)
        return self._exchange(_connect(self._address, self._patience.seconds, self._tls), call, retried=retried)

    def _anew(self, call: Call[T]) -> Reply:
        try:
            return self._exchange(_connect(self._address, self._patience.seconds, self._tls), call, retried=True)
        except Failure as failure:
            raise Failure(failure.reason, sent=True) from failure

    def _kept(self) -> http.client.HTTPConnection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _exchange(self, connection: http.client.HTTPConnection, call: Call[T], *, retried: bool) -> Reply:
        fresh, sent = connection.sock is None, False
        try:
            if fresh:
                connection.connect()
            sent = True
            headers = {"Accept": "application/json", "User-Agent": "bocau-client"}
            if call.body is not None:
                headers["Content-Type"] = "application/json"
            connection.request(call.method, call.target, call.body, headers)
            response = connection.getresponse()
            body = response.read(_MOST_BYTES)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            if not fresh and isinstance(error, http.client.RemoteDisconnected | ConnectionError):
                raise
            raise Failure(_told(error), sent=sent) from error
        if response.will_close or not response.isclosed():
            connection.close()
        else:
            self._idle.append(connection)
        if response.status >= 500:
            raise Failure(f"HTTP {response.status}: {body[:120].decode('utf-8', 'replace')}", sent=True)
        told = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, told, body, call.request_id, retried)


def _connect(address: Address, seconds: float, tls: ssl.SSLContext | None) -> http.client.HTTPConnection:
    """A connection that is not opened yet."""
    if address.secure:
        context = tls or ssl.create_default_context()
        return http.client.HTTPSConnection(address.host, address.port, timeout=seconds, context=context)
    return http.client.HTTPConnection(address.host, address.port, timeout=seconds)


def _told(error: Exception) -> str:
    why = (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
    return f"no answer: {why}"
