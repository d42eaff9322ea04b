"""/test/... on the admin listener of a development start: what tests in any language ask and do.

A production start has no such door, so there every path of it is 404. Answers are JSON; what is wrong with a request is
told as {"error": ..., "field": ...}.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, quote, unquote

import msgspec

from bocau import __version__
from bocau.console.called import CALLED_TYPE, Call
from bocau.console.kit_asks import BadAsk, read_advance, read_faults, read_template, read_wait, read_wanted, read_whole
from bocau.console.namespaces import EVERYBODY, Namespace, Namespaces, is_for
from bocau.console.witness import Refused
from bocau.core.telcos import TELCOS
from bocau.core.text import find_code
from bocau.listener import JSON, Request
from bocau.store.contract import StoryLine
from bocau.telemetry import Log, LogEvent
from bocau.wire.smpp.extras import named_extras

__all__ = ["KIT_PREFIX", "KitDoor", "message_of"]

KIT_PREFIX: Final = b"/test"

_NAMESPACE: Final = "/test/namespaces/"
_MOST_WAITERS: Final = 2_000
_NO_STORE: Final = ((b"Cache-Control", b"no-store"),)


class Asked(NamedTuple):
    """One request, read."""

    spaces: Namespaces
    steps: tuple[str, ...]
    """What stands in the path where the table has a hole: the namespace first, where there is one."""
    query: Mapping[str, str]
    members: Mapping[str, Any]
    everybody: bool
    """The path names no namespace."""

    @property
    def namespace(self) -> Namespace:
        """The namespace of the path. Raises BadAsk."""
        space = self.spaces.find(self.steps[0])
        if space is None:
            raise BadAsk("There is no such namespace; it may have been deleted.", status=404)
        return space

    @property
    def owner(self) -> str:
        """Whose faults are meant. Raises BadAsk."""
        return EVERYBODY if self.everybody else self.namespace.api_key


class Sound(NamedTuple):
    """An answer that is no JSON."""

    wav: bytes


_Answer = Callable[[Asked], Awaitable[object]]


class KitDoor:
    """Answers /test and everything below. `now_ms` reads the clock of the gateway."""

    def __init__(self, spaces: Namespaces, api_url: str, now_ms: Callable[[], int], log: Log) -> None:
        self._spaces = spaces
        self._api_url = api_url
        self._now_ms = now_ms
        self._log = log
        self._tasks: set[asyncio.Task[None]] = set()
        one = f"{_NAMESPACE}([^/]+)"
        faults = (
            ("GET", "/faults", self._faults),
            ("POST", "/faults", self._break),
            ("DELETE", "/faults", self._mend),
            ("DELETE", "/faults/([0-9]{1,9})", self._mend_one),
        )
        table: tuple[tuple[str, str, _Answer], ...] = (
            ("GET", r"/test", self._about),
            ("GET", r"/test/clock", self._clock),
            ("POST", r"/test/clock", self._advance),
            ("POST", r"/test/namespaces", self._create),
            ("GET", one, self._report),
            ("DELETE", one, self._delete),
            ("POST", f"{one}/reset", self._reset),
            ("POST", f"{one}/templates", self._register),
            ("GET", f"{one}/messages", self._messages),
            ("GET", f"{one}/messages/([^/]+)", self._message),
            ("GET", f"{one}/calls", self._calls),
            ("GET", f"{one}/calls/([0-9]+)\\.wav", self._sound),
            ("GET", f"{one}/wait", self._wait),
            ("GET", f"{one}/refusals", self._refusals),
            *((method, f"{place}{end}", act) for place in ("/test", one) for method, end, act in faults),
            ("POST", f"{one}/clock", self._pass_time),
        )
        self._routes = [(method, re.compile(path), answer) for method, path, answer in table]

    def handle(self, request: Request) -> None:
        """Answer one request, now or when what it waits for has come."""
        path, _, query = request.target.partition(b"?")
        place = path.decode("ascii", "replace").rstrip("/")
        found = [(method, match, act) for method, route, act in self._routes if (match := route.fullmatch(place))]
        fitting = next(((match, act) for method, match, act in found if method == request.method), None)
        if not found:
            _refuse(request, 404, "There is nothing here; /openapi.json lists the paths.")
        elif fitting is None:
            allow = ", ".join(method for method, _, _ in found).encode()
            request.respond(405, b'{"error":"Method not allowed"}', JSON, ((b"Allow", allow),))
        elif len(self._tasks) >= _MOST_WAITERS:
            _refuse(request, 503, "Too many wait already.")
        else:
            task = asyncio.ensure_future(self._do(*fitting, query.decode("ascii", "replace"), request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Let nobody wait any more."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _do(self, match: re.Match[str], act: _Answer, query: str, request: Request) -> None:
        try:
            value = await act(self._read(match, query, request.body))
        except BadAsk as bad:
            _refuse(request, bad.status, str(bad), bad.field)
        except ValueError as bad:
            _refuse(request, 400, str(bad))
        except asyncio.CancelledError:
            _refuse(request, 503, "The gateway is stopping.")
            raise
        except Exception as error:  # noqa: BLE001 - the rim: a test must not go unanswered
            self._log.error(LogEvent.FAULT, exc_info=error)
            _refuse(request, 500, "Internal error")
        else:
            if isinstance(value, Sound):
                request.respond(200, value.wav, b"audio/wav", _NO_STORE)
            else:
                request.respond(200, msgspec.json.encode(value), JSON, _NO_STORE)

    def _read(self, match: re.Match[str], query: str, body: bytes) -> Asked:
        try:
            members = msgspec.json.decode(body or b"{}", type=dict[str, Any])
        except msgspec.DecodeError:
            raise BadAsk("The body must be one JSON object.") from None
        steps = tuple(unquote(step) for step in match.groups())
        values = {name: found[-1] for name, found in parse_qs(query).items()}
        return Asked(self._spaces, steps, values, members, not match.string.startswith(_NAMESPACE))

    # The whole gateway

    async def _about(self, asked: Asked) -> object:
        del asked
        return {
            "version": __version__,
            "api": self._api_url,
            "namespaces": len(self._spaces),
            "strangers": [_refusal(refused) for refused in self._spaces.strangers],
        }

    async def _clock(self, asked: Asked) -> object:
        del asked
        return self._time()

    async def _advance(self, asked: Asked) -> object:
        seconds = read_advance(asked.members)
        await self._spaces.advance(None, seconds)
        return {"advanced_seconds": seconds, **self._time()}

    def _time(self) -> dict[str, object]:
        now_ms = self._now_ms()
        return {"now_ms": now_ms, "now": datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")}

    # Namespaces

    async def _create(self, asked: Asked) -> object:
        templates = asked.members.get("templates", [])
        balance = asked.members.get("balance")
        if not isinstance(templates, list):
            raise BadAsk("templates is a list of objects with brandname and text.", "templates")
        if balance is not None and (not isinstance(balance, int) or not 0 <= balance <= 1 << 40):
            raise BadAsk("balance is a whole number of VND.", "balance")
        space = await self._spaces.create([read_template(one) for one in templates], balance)
        return {
            "namespace": space.api_key,
            "api_key": space.api_key,
            "secret_key": space.secret_key,
            "base_url": self._api_url,
        }

    async def _report(self, asked: Asked) -> object:
        """Everything that happened in it: for the words of a test that failed."""
        space = asked.namespace
        return {
            "namespace": space.api_key,
            "messages": [message_of(line) for line in await self._spaces.messages(space)],
            "calls": await self._calls_of(space),
            "refusals": [_refusal(refused) for refused in space.refusals],
            "faults": self._spaces.faults.listed(space.api_key),
        }

    async def _delete(self, asked: Asked) -> object:
        space = asked.namespace
        await self._spaces.delete(space)
        return {"deleted": space.api_key}

    async def _reset(self, asked: Asked) -> object:
        await self._spaces.reset(asked.namespace)
        return {"reset": asked.namespace.api_key}

    async def _register(self, asked: Asked) -> object:
        brandname, text = read_template(asked.members)
        await self._spaces.register(asked.namespace, brandname, text)
        return {"brandname": brandname, "text": text}

    # Messages

    async def _messages(self, asked: Asked) -> object:
        lines = await self._spaces.messages(asked.namespace, read_whole(asked.query, "after"))
        phone = asked.query.get("phone", "")
        return [message_of(line) for line in lines if is_for(line.phone, phone)]

    async def _message(self, asked: Asked) -> object:
        story = await self._spaces.story(asked.namespace, asked.steps[1])
        if story is None:
            raise BadAsk("No request of this namespace has this SMSID.", status=404)
        return {
            "messages": [message_of(line) for line in story.messages],
            "attempts": [{**line._asdict(), "extras": named_extras(line.extras)} for line in story.attempts],
            "callback": None if story.callback is None else story.callback._asdict(),
            "callback_tries": [line._asdict() for line in story.tries],
        }

    async def _wait(self, asked: Asked) -> object:
        space = asked.namespace
        found = await self._spaces.wait(space, read_wanted(asked.query), read_wait(asked.query))
        if found is None:
            return {"found": False, "message": None, "call": None}
        message = message_of(found.line)
        if found.call is None:
            return {"found": True, "message": message, "call": None}
        if found.call.codes:
            message["code"] = found.call.codes[0]
        return {"found": True, "message": message, "call": _call(space, found.line, found.call)}

    async def _calls(self, asked: Asked) -> object:
        return await self._calls_of(asked.namespace, asked.query.get("phone", ""))

    async def _calls_of(self, space: Namespace, phone: str = "") -> list[dict[str, object]]:
        lines = [line for line in await self._spaces.messages(space) if is_for(line.phone, phone)]
        found = [(line, await self._spaces.calls.newest(line)) for line in lines if line.sms_type == CALLED_TYPE]
        return [_call(space, line, call) for line, call in found if call is not None]

    async def _sound(self, asked: Asked) -> object:
        calls = self._spaces.calls
        lines = await self._spaces.messages(asked.namespace)
        line = next((line for line in lines if str(line.id) == asked.steps[1]), None)
        call = None if line is None else await calls.newest(line)
        sound = b"" if call is None else calls.sound(call)
        if not sound:
            raise BadAsk("No phone heard a call of this message.", status=404)
        return Sound(sound)

    async def _refusals(self, asked: Asked) -> object:
        return [_refusal(refused) for refused in asked.namespace.refusals]

    # Faults and time

    async def _faults(self, asked: Asked) -> object:
        return self._spaces.faults.listed(asked.owner)

    async def _break(self, asked: Asked) -> object:
        faults, seed, keep = read_faults(asked.members)
        try:
            self._spaces.faults.put(asked.owner, faults, seed, keep=keep)
        except ValueError as error:
            raise BadAsk(str(error), "faults") from error
        return self._spaces.faults.listed(asked.owner)

    async def _mend(self, asked: Asked) -> object:
        self._spaces.faults.put(asked.owner, (), 0)
        return []

    async def _mend_one(self, asked: Asked) -> object:
        number = asked.steps[-1]
        if not self._spaces.faults.remove(asked.owner, int(number)):
            raise BadAsk(f"There is no fault {number} in force.", status=404)
        return self._spaces.faults.listed(asked.owner)

    async def _pass_time(self, asked: Asked) -> object:
        seconds = read_advance(asked.members)
        await self._spaces.advance(asked.namespace, seconds)
        return {"advanced_seconds": seconds}


def message_of(line: StoryLine) -> dict[str, object]:
    """A message as tests see it."""
    telco = TELCOS.get(line.telco)
    return {
        "id": line.id,
        "smsid": line.smsid,
        "request_id": line.request_id,
        "phone": line.phone,
        "network": telco.receiver_name if telco else "",
        "brandname": line.brandname,
        "sms_type": line.sms_type,
        "text": line.content,
        "code": find_code(line.content),
        "parts": line.parts,
        "state": line.state,
        "sent": line.taken,
        "reason": line.reason,
        "carrier": line.carrier,
        "possible_duplicate": line.repeated,
        "created_ms": line.created_ms,
        "release_ms": line.release_ms,
        "final_ms": line.final_ms,
    }


def _call(space: Namespace, line: StoryLine, call: Call) -> dict[str, object]:
    """A call as tests see it."""
    wav = f"/test/namespaces/{quote(space.api_key, safe='')}/calls/{line.id}.wav"
    return {
        "id": line.id,
        "smsid": line.smsid,
        "phone": line.phone,
        "code": call.codes[0] if call.codes else None,
        **call._asdict(),
        "wav": wav if call.codes or call.seconds else None,
    }


def _refusal(refused: Refused) -> dict[str, object]:
    return refused._asdict()


def _refuse(request: Request, status: int, text: str, field: str = "") -> None:
    body = {"error": text, **({"field": field} if field else {})}
    request.respond(status, msgspec.json.encode(body), JSON, _NO_STORE)
