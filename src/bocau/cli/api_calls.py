"""Calls to a gateway's HTTP API: one request, one answer, and what to say when there is none."""

import http.client
import json
import ssl
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

from bocau import __version__
from bocau.cli.output import Trouble, plain
from bocau.client.replies import reason_of
from bocau.provision import DEVELOPMENT

__all__ = ["Answer", "Customer", "NoAnswer", "call", "customer", "patiently", "post"]

T = TypeVar("T")

_SECONDS: Final = 30.0
_MOST_BYTES: Final = 67_108_864
"""A trace of many PDUs is long."""
_POLL_SECONDS: Final = 0.2


class NoAnswer(Trouble):
    """Nobody answered, or not in HTTP. `sent`: the request may have arrived all the same."""

    def __init__(self, text: str, sent: bool) -> None:
        super().__init__(text)
        self.sent = sent


class Customer(NamedTuple):
    """Who calls, and where."""

    url: str
    api_key: str
    secret_key: str


class Answer(NamedTuple):
    """What the gateway said."""

    status: int
    raw: bytes
    headers: Mapping[str, str]
    """By lower-case name."""

    @property
    def members(self) -> dict[str, Any]:
        """The members of a JSON object; empty if the body is none."""
        try:
            value = json.loads(self.raw)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def reason(self) -> str:
        """X-Bocau-Reason, in the signs it had before it became a header."""
        return reason_of(self.headers.get("x-bocau-reason", ""))


def customer(url: str, api_key: str | None, secret_key: str | None) -> Customer:
    """The caller of a command; without keys, the one that `bocau dev` ships. Raises Trouble for half a pair."""
    if api_key is None and secret_key is None:
        return Customer(url, DEVELOPMENT.api_key, DEVELOPMENT.secret_key)
    if not api_key or not secret_key:
        missing = "--secret-key (or BOCAU_SECRET_KEY)" if api_key else "--api-key (or BOCAU_API_KEY)"
        raise Trouble(f"The two keys go together: {missing} is missing.")
    return Customer(url, api_key, secret_key)


def post(url: str, operation: str, members: Mapping[str, str]) -> Answer:
    """Call an operation of the API. Keys go in the body, never in the address. Raises Trouble if no result came."""
    answer = call("POST", url, f"/MainService.svc/json/{operation}", json.dumps(members).encode())
    if answer.status != 200 or not answer.members:
        raise Trouble(_not_served(url, answer))
    return answer


def _not_served(url: str, answer: Answer) -> str:
    said = str(answer.members.get("error") or "no result of the API")
    if answer.status == 503:
        return f"The gateway cannot store anything just now ({said}). Nothing was accepted: try again."
    if answer.status == 400:
        return f"The gateway could not read the request ({plain(said)}). Is every value text in UTF-8?"
    return f"{url} answered HTTP {answer.status}: {plain(said)}. Is this the address of the customers' API?"


def call(
    method: str,
    url: str,
    path: str,
    body: bytes | None = None,
    seconds: float = _SECONDS,
    more_headers: Mapping[str, str] = MappingProxyType({}),
) -> Answer:
    """One request, without proxies and redirects. Raises NoAnswer, or Trouble for an address that is none."""
    connection, prefix = _connection(url, seconds)
    headers = {"User-Agent": f"bocau/{__version__}", "Accept": "application/json", **more_headers}
    if body is not None:
        headers["Content-Type"] = "application/json"
    sent = False
    try:
        connection.connect()
        sent = True
        connection.request(method, prefix + path, body, headers)
        response = connection.getresponse()
        raw = response.read(_MOST_BYTES)
        return Answer(response.status, raw, {name.lower(): value for name, value in response.getheaders()})
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise NoAnswer(_unanswered(url, error), sent) from error
    finally:
        connection.close()


def _connection(url: str, seconds: float) -> tuple[http.client.HTTPConnection, str]:
    """A connection for an address, not yet opened, and the path that comes before every other. Raises Trouble."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Trouble(f'"{url}" is no address: it looks like http://127.0.0.1:8484')
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname, port, timeout=seconds), parts.path.rstrip("/")


def _unanswered(url: str, error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"{url} gave no answer in time."
    if isinstance(error, ConnectionRefusedError):
        return f"Nobody listens at {url}. Start a gateway (bocau dev), or give its address with --url."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{url} cannot be trusted: {error.verify_message}. Check the certificate, or the address."
    if isinstance(error, ssl.SSLError):
        return f"TLS with {url} failed: {error.reason or error}. Does it speak https?"
    why = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return f"{url} did not answer: {why}. Check the address."


def patiently(
    ask: Callable[[], T],
    enough: Callable[[T], bool],
    seconds: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> T:
    """Ask until the answer is enough or the time is over; the last answer. Asks once at least."""
    end = clock() + seconds
    while True:
        answer = ask()
        left = end - clock()
        if enough(answer) or left <= 0:
            return answer
        sleep(min(_POLL_SECONDS, left))
