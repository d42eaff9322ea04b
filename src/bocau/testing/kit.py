"""What a test holds in its hands: a namespace of its own at a gateway, over the test API."""

import http.client
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from bocau.client import Client

__all__ = ["Bocau", "Call", "KitError", "Message", "open_namespace"]

_SLACK_SECONDS: Final = 10.0
"""How much longer than a wait its answer may take."""
_SHOWN: Final = 20
_MOST_GIVEN: Final = 200


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


@dataclass(frozen=True, slots=True)
class Call:
    """One call, as the phone that was called knows it."""

    id: int
    """That of its message."""
    smsid: str
    phone: str
    status: str
    """CALLING, ANSWERED; once it is over also BUSY, NO ANSWER, FAILED or LOST"""
    over: bool
    code: str | None
    """The code that the phone heard."""
    codes: tuple[str, ...]
    """What it heard, each time that a code was said to its end."""
    seconds: float
    """Of sound that it heard."""
    keys: str
    """What was pressed; known once the call is over."""
    wav: bytes = field(repr=False)
    """What it heard, 8 kHz, 16 bit, mono; until now, if the call goes on."""

    def __str__(self) -> str:
        """In one line."""
        heard = f"heard {self.code} {len(self.codes)} times" if len(self.codes) > 1 else f"heard {self.code}"
        return f"{self.phone}  call  {self.status}  {heard if self.code else 'heard no code'}"


class _Api:
    """The test API of one gateway."""

    def __init__(self, admin: str) -> None:
        parts = urlsplit(admin)
        if parts.scheme != "http" or not parts.hostname:
            raise KitError(f'"{admin}" is no address of an admin listener: it looks like http://127.0.0.1:8485')
        self._host, self._port = parts.hostname, parts.port or 80

    def ask(self, method: str, path: str, body: object = None, seconds: float = 0.0) -> Any:  # noqa: ANN401 - JSON
        """One request. Raises KitError."""
        status, raw = self._exchange(method, path, body, seconds)
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

    def fetch(self, path: str | None) -> bytes:
        """A file; empty if there is none."""
        status, raw = (404, b"") if path is None else self._exchange("GET", path, None, 0.0)
        return raw if status == 200 else b""

    def _exchange(self, method: str, path: str, body: object, seconds: float) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=seconds + _SLACK_SECONDS)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise KitError(f"the gateway at {self._host}:{self._port} does not answer: {error}") from error
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class _Ask:
    """What is waited for."""

    channel: str
    noun: str
    phone: str
    until: str
    text: str = ""
    code: bool = False

    def __str__(self) -> str:
        """In words, for an assertion."""
        having = f" with {self.text!r} in it" if self.text else ""
        reached = "" if self.until in ("sent", "heard") else f" was {self.until}"
        return f"{self.noun}{having} for {self.phone or 'anybody'}{reached}"


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
        self._given: set[int] = set()
        """Messages that were given to the test."""
        self._given_calls: set[int] = set()
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

    def calls(self, phone: str = "") -> list[Call]:
        """The calls so far, oldest first; of each message its newest."""
        return [self._call(one) for one in self._api.ask("GET", f"{self._path}/calls?{urlencode({'phone': phone})}")]

    def wait_sms(self, phone: str = "", *, text: str = "", until: str = "sent", timeout: float = 5.0) -> Message:
        """The next SMS to a phone, as soon as a carrier has taken it; each is given once.

        `text` is a part of it. `until` is accepted, sent or delivered. AssertionError if none comes in time: it says
        what did arrive, for whom, and why the rest was refused.
        """
        __tracebackhide__ = True
        return Message.of(self._wait(_Ask("sms", "SMS", phone, until, text), timeout)["message"])

    def wait_otp(self, phone: str = "", *, until: str = "sent", timeout: float = 5.0) -> str:
        """The one-time code in the next message to a phone that has one; otherwise like `wait_sms`.

        By a call it is what the phone has heard. A spoken code takes its time: give it a timeout of 30 s.
        """
        __tracebackhide__ = True
        code: str = self._wait(_Ask("", "one-time code", phone, until, code=True), timeout)["message"]["code"]
        return code

    def wait_call(self, phone: str = "", *, until: str = "heard", timeout: float = 30.0) -> Call:
        """The next call to a phone, as soon as the phone has heard a code; each is given once.

        `until` is answered, heard or over. AssertionError if none comes so far in time, like `wait_sms`.
        """
        __tracebackhide__ = True
        return self._call(self._wait(_Ask("call", "call", phone, until), timeout)["call"])

    def assert_no_sms(self, phone: str = "", *, within: float = 0.0) -> None:
        """AssertionError if there is an SMS to the phone that was not given yet: by now, or `within` seconds."""
        __tracebackhide__ = True
        found = self._ask_wait(_Ask("sms", "SMS", phone, "accepted"), within)
        if found["found"]:
            raise AssertionError(f"there is an SMS that should not be: {Message.of(found['message'])}")

    def _wait(self, ask: "_Ask", timeout: float) -> dict[str, Any]:
        __tracebackhide__ = True
        found = self._ask_wait(ask, timeout)
        if not found["found"]:
            raise AssertionError(f"no {ask} within {timeout:g} s\n{self.story()}")
        number = found["message"]["id"]
        if ask.channel != "call" or found["call"]["code"]:
            self._given.add(number)
        if found["call"]:
            self._given_calls.add(number)
        return found

    def _ask_wait(self, ask: "_Ask", seconds: float) -> dict[str, Any]:
        given = sorted(self._given_calls if ask.channel == "call" else self._given)
        asked = {
            "phone": ask.phone,
            "text": ask.text,
            "until": ask.until,
            "code": "1" if ask.code else "",
            # So many fit into a line; whoever took more than that in one test has the older ones behind him.
            "after": str(given[-_MOST_GIVEN - 1] if len(given) > _MOST_GIVEN else 0),
            "except": ",".join(map(str, given[-_MOST_GIVEN:])),
            "seconds": str(seconds),
            "channel": ask.channel,
        }
        found: dict[str, Any] = self._api.ask("GET", f"{self._path}/wait?{urlencode(asked)}", seconds=seconds)
        return found

    def _call(self, one: Mapping[str, Any]) -> Call:
        told = {name: one[name] for name in Call.__slots__ if name not in ("codes", "wav")}
        return Call(**told, codes=tuple(one["codes"]), wav=self._api.fetch(one["wav"]))

    def story(self) -> str:
        """What happened in this namespace, in words."""
        told = self._api.ask("GET", self._path)
        strangers = self._api.ask("GET", "/test")["strangers"]
        accepted = [self._told(Message.of(one)) for one in told["messages"] if one["state"] != "rejected"]
        calls = [str(self._call({**one, "wav": None})) for one in told["calls"]]
        faults = [f"{one['line']}  (about {one['seen']}, struck {one['struck']})" for one in told["faults"]]
        chapters = {
            "what was accepted:": [*accepted[-_SHOWN:], *calls[-_SHOWN:]] or ["nothing"],
            "what was refused:": [_refused(one) for one in told["refusals"][-_SHOWN:]] or ["nothing"],
            "refused with keys that are nobody's, of whatever test:": [_refused(one) for one in strangers[-3:]],
            "faults in force:": faults,
        }
        return "\n".join("\n  ".join([title, *lines]) for title, lines in chapters.items() if lines)

    def _told(self, message: Message) -> str:
        return f"{message}{', given to the test before' if message.id in self._given else ''}"

    def save(self, folder: Path) -> None:
        """Write everything that happened into a folder: `story.json`, with the timeline of each request, and a WAV file
        for each call."""
        folder.mkdir(parents=True, exist_ok=True)
        told = self._api.ask("GET", self._path)
        requests = dict.fromkeys(one["smsid"] for one in told["messages"])
        told["requests"] = {smsid: self._api.ask("GET", f"{self._path}/messages/{smsid}") for smsid in requests}
        text = json.dumps(told, indent=1, ensure_ascii=False)
        (folder / "story.json").write_text(text, "utf-8")
        for one in told["calls"]:
            sound = self._api.fetch(one["wav"])
            if sound:
                (folder / f"call-{one['id']}.wav").write_bytes(sound)

    # Faults and time

    def inject(self, *faults: Mapping[str, Any] | str, seed: int = 0, keep: bool = False) -> None:
        """Let things go wrong for this test's messages, in place of what was injected before or beside it.

        A fault is a line, such as `"throttle per_second=5 network=viettel after_messages=2 for_seconds=60"`, or a
        mapping with the same names and `act`. Nothing at all mends everything. What there is: `bocau fault acts`.
        Raises KitError for a fault that is none.
        """
        members = {"faults": [fault if isinstance(fault, str) else dict(fault) for fault in faults]}
        self._api.ask("POST", f"{self._path}/faults", {**members, "seed": seed, "keep": keep})

    def faults(self) -> list[dict[str, Any]]:
        """The faults in force: number, line, how many messages each was about (seen) and how many it struck."""
        found: list[dict[str, Any]] = self._api.ask("GET", f"{self._path}/faults")
        return found

    def advance(self, *, hours: float = 0.0, minutes: float = 0.0, seconds: float = 0.0) -> None:
        """Let time pass for this test alone: what is scheduled goes, RequestIds are free again, callbacks are tried."""
        total = hours * 3600 + minutes * 60 + seconds
        self._api.ask("POST", f"{self._path}/clock", {"advance_seconds": total})

    def reset(self) -> None:
        """As new: messages and refusals forgotten, RequestIds free, faults over."""
        self._api.ask("POST", f"{self._path}/reset", {})
        self._given.clear()
        self._given_calls.clear()

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
    """The request, and below it why."""
    why = f"{one['code']} {one['message']}".rstrip()
    reason = f": {one['reason']}" if one["reason"] else ""
    return f"{one['phone'] or '(no phone)'}  {one['content']!r}\n      {why}{reason}"
