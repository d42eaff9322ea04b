"""What a test holds in its hands: a namespace of its own at a gateway, over the test API."""

import http.client
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from bocau.client import Client

__all__ = ["Bocau", "KitError", "Message", "open_namespace"]

_SLACK_SECONDS: Final = 10.0
"""How much longer than a wait its answer may take."""
_SHOWN: Final = 20


class KitError(Exception):
    """The test API said no; the text says why."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it was accepted."""

    id: int
    smsid: str
    request_id: str
    phone: str
    network: str
    brandname: str
    text: str
    code: str | None
    """The one-time code in the text."""
    parts: int
    state: str
    """scheduled, queued, sending, sent, uncertain, delivered, failed, expired, rejected, unknown or cancelled"""

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Message":
        """From the test API's object."""
        return cls(**{name: found[name] for name in cls.__slots__})

    def __str__(self) -> str:
        """In one line."""
        return f"{self.phone}  {self.brandname or '(no brandname)'}  {self.text!r}  {self.state}"


class _Api:
    """The test API of one gateway."""

    def __init__(self, admin: str) -> None:
        parts = urlsplit(admin)
        if parts.scheme != "http" or not parts.hostname:
            raise KitError(f'"{admin}" is no address of an admin listener: it looks like http://127.0.0.1:8485')
        self._host, self._port = parts.hostname, parts.port or 80

    def ask(self, method: str, path: str, body: object = None, seconds: float = 0.0) -> Any:  # noqa: ANN401 - JSON
        """One request. Raises KitError."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=seconds + _SLACK_SECONDS)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            raw, status = response.read(), response.status
        except (OSError, http.client.HTTPException) as error:
            raise KitError(f"the gateway at {self._host}:{self._port} does not answer: {error}") from error
        finally:
            connection.close()
        try:
            found: Any = json.loads(raw)
        except ValueError:
            found = {"error": f"HTTP {status}"}
        if status == 200:
            return found
        said = str(found["error"])
        if said == "Not found":
            raise KitError(f"the gateway at {self._host}:{self._port} has no test API: is it `bocau dev`?")
        raise KitError(said)


class Bocau:
    """A namespace: an account of its own, which no other test sees. The fixture `bocau` gives one to each test.

    Where an application is configured by ESMS_BASE_URL, ESMS_API_KEY and ESMS_SECRET_KEY, the fixture has set them.
    """

    def __init__(self, api: _Api, opened: Mapping[str, str]) -> None:
        self.base_url: str = opened["base_url"]
        self.api_key: str = opened["api_key"]
        self.secret_key: str = opened["secret_key"]
        self.brandname = "Bocau"
        """A sender that is registered; `register` adds others."""
        self._api = api
        self._path = f"/test/namespaces/{quote(opened['namespace'], safe='')}"
        self._last: dict[str, int] = {}
        self._drawn = 0

    @property
    def environ(self) -> dict[str, str]:
        """What an application in another process needs in its environment."""
        return {
            "ESMS_BASE_URL": self.base_url,
            "ESMS_API_KEY": self.api_key,
            "ESMS_SECRET_KEY": self.secret_key,
        }

    @cached_property
    def client(self) -> Client:
        """A client with the keys of this namespace."""
        return Client(self.base_url, self.api_key, self.secret_key)

    def phone(self, ending: str = "") -> str:
        """A number that no other test is likely to use.

        The simulated carrier goes by its last four digits: give one of the endings that the quickstart lists, such as
        0002 for a message that is not delivered. Without one it is an ordinary number.
        """
        self._drawn += 1
        drawn = zlib.crc32(f"{self.api_key} {self._drawn}".encode())
        return f"090{drawn % 1000:03d}{ending or 1000 + drawn // 1000 % 9000}"

    def register(self, brandname: str, text: str) -> None:
        """Register a template on every network, and its brandname."""
        self._api.ask("POST", f"{self._path}/templates", {"brandname": brandname, "text": text})

    # What came

    def messages(self, phone: str = "") -> list[Message]:
        """Everything that was accepted so far, oldest first."""
        found = self._api.ask("GET", f"{self._path}/messages?{urlencode({'phone': phone})}")
        return [Message.of(one) for one in found]

    def refusals(self) -> list[dict[str, Any]]:
        """Requests with these keys that were refused: code, message, reason, phone and content of each."""
        found: list[dict[str, Any]] = self._api.ask("GET", f"{self._path}/refusals")
        return found

    def wait_sms(self, phone: str = "", *, text: str = "", until: str = "sent", timeout: float = 5.0) -> Message:
        """The next message to a phone, as soon as a carrier has taken it; each is given once.

        `text` is a part of it. `until` is accepted, sent or delivered. AssertionError if none comes in time: it says
        what did arrive, for whom, and why the rest was refused.
        """
        __tracebackhide__ = True
        return self._wait(phone, text, until, timeout, code=False)

    def wait_otp(self, phone: str = "", *, until: str = "sent", timeout: float = 5.0) -> str:
        """The one-time code in the next message to a phone that has one; otherwise like `wait_sms`."""
        __tracebackhide__ = True
        code = self._wait(phone, "", until, timeout, code=True).code
        assert code is not None
        return code

    def assert_no_sms(self, phone: str = "", *, within: float = 0.0) -> None:
        """AssertionError if there is a message to the phone that was not given yet: by now, or `within` seconds."""
        __tracebackhide__ = True
        found = self._ask_wait(phone, "", "accepted", within, code=False)
        if found["found"]:
            raise AssertionError(f"there is an SMS that should not be: {Message.of(found['message'])}")

    def _wait(self, phone: str, text: str, until: str, timeout: float, *, code: bool) -> Message:
        __tracebackhide__ = True
        found = self._ask_wait(phone, text, until, timeout, code=code)
        if not found["found"]:
            what = "SMS with a one-time code" if code else "SMS"
            having = f" with {text!r} in it" if text else ""
            reached = "" if until == "sent" else f" was {until}"
            raise AssertionError(
                f"no {what}{having} for {phone or 'anybody'}{reached} within {timeout:g} s\n{self.story()}"
            )
        message = Message.of(found["message"])
        self._last[phone] = message.id
        return message

    def _ask_wait(self, phone: str, text: str, until: str, seconds: float, *, code: bool) -> dict[str, Any]:
        asked = {
            "phone": phone,
            "text": text,
            "until": until,
            "code": "1" if code else "",
            "after": str(self._last.get(phone, 0)),
            "seconds": str(seconds),
        }
        found: dict[str, Any] = self._api.ask("GET", f"{self._path}/wait?{urlencode(asked)}", seconds=seconds)
        return found

    def story(self) -> str:
        """What happened in this namespace, in words."""
        told = self._api.ask("GET", self._path)
        messages = [str(Message.of(one)) for one in told["messages"][-_SHOWN:]]
        refusals = [_refused(one) for one in told["refusals"][-_SHOWN:]]
        strangers = [_refused(one) for one in self._api.ask("GET", "/test")["strangers"][-3:]]
        lines = ["what was accepted:", *(messages or ["nothing"]), "what was refused:", *(refusals or ["nothing"])]
        if strangers:
            lines += ["refused with keys that are nobody's, of whatever test:", *strangers]
        return "\n".join(line if line.endswith(":") else f"  {line}" for line in lines)

    # Faults and time

    def inject(self, *faults: Mapping[str, Any] | str, seed: int = 0) -> None:
        """Break the carrier for this test's messages, in place of what was injected before; nothing mends it.

        A fault is an act (refuse, throttle, silence, disconnect, slow, no_receipt, undelivered, expired, twice, late,
        receipt_first, hex_id), or a mapping with `act` and what narrows it: prefix, after_messages, for_messages,
        after_seconds, for_seconds, rate, part, status, seconds, per_second.
        """
        listed = [{"act": fault} if isinstance(fault, str) else dict(fault) for fault in faults]
        self._api.ask("POST", f"{self._path}/faults", {"faults": listed, "seed": seed})

    def advance(self, *, hours: float = 0.0, minutes: float = 0.0, seconds: float = 0.0) -> None:
        """Let time pass for this test alone: what is scheduled goes, RequestIds are free again, callbacks are tried."""
        total = hours * 3600 + minutes * 60 + seconds
        self._api.ask("POST", f"{self._path}/clock", {"advance_seconds": total})

    def reset(self) -> None:
        """As new: messages and refusals forgotten, RequestIds free, faults over."""
        self._api.ask("POST", f"{self._path}/reset", {})
        self._last.clear()

    def close(self) -> None:
        """Delete the namespace."""
        if "client" in self.__dict__:
            self.client.close()
        self._api.ask("DELETE", self._path)


def open_namespace(admin: str, templates: Mapping[str, list[str]] | None = None) -> Bocau:
    """A new namespace at the gateway with this admin listener; `templates` are texts by brandname. Raises KitError."""
    api = _Api(admin)
    listed = [{"brandname": name, "text": text} for name, texts in (templates or {}).items() for text in texts]
    return Bocau(api, api.ask("POST", "/test/namespaces", {"templates": listed}))


def _refused(one: Mapping[str, Any]) -> str:
    told = f"{one['phone'] or '(no phone)'}  {one['code']} {one['message']}".rstrip()
    reason = f": {one['reason']}" if one["reason"] else ""
    return f"{told}{reason}  {one['content']!r}"
