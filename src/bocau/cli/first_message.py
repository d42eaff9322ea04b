"""The first message of `bocau dev`: real HTTP through the whole gateway, and a real socket for its callback."""

import asyncio
import json
from typing import Final
from urllib.parse import parse_qsl

from bocau.cli.stage import Stage
from bocau.listener import TEXT, Limits, Listener, Request
from bocau.ports import World
from bocau.provision import DEVELOPMENT

__all__ = ["FirstMessage"]

_PATH: Final = "/MainService.svc/json/SendMultipleMessage_V4_post_json/"
_PHONE: Final = "0901234567"
_PATIENCE_SECONDS: Final = 10.0


class FirstMessage:
    """Plays the customer once: posts a request, listens for the callback, shows each step."""

    def __init__(self, world: World, api_port: int, stage: Stage) -> None:
        self._world = world
        self._api_port = api_port
        self._stage = stage
        self._called: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()

    async def play(self) -> None:
        """Send it and show its life. A message that does not come through is said so, and ends nothing."""
        stage = self._stage
        hook = await Listener.start(self._world, self._hook, "127.0.0.1", 0, Limits(), _ignore)
        began = self._world.monotonic()
        try:
            stage.say(f"a first message to {_PHONE}, through the whole way:")
            answer = await self._post(hook.port)
            stage.step(self._world.monotonic() - began, "accepted", json.dumps(answer, separators=(",", ":")))
            async with asyncio.timeout(_PATIENCE_SECONDS):
                told = await self._called
            stage.step(self._world.monotonic() - began, "delivered", f"receipt of {told['phonenumber']} over SMPP")
            shown = "&".join(f"{key}={told[key]}" for key in ("SendStatus", "SendSuccess", "TotalPrice"))
            stage.step(self._world.monotonic() - began, "callback", f"GET ...?SMSID={told['SMSID']}&{shown}&...")
            stage.say("")
        except TimeoutError:
            stage.say(f"no callback within {_PATIENCE_SECONDS:.0f} s: /readyz of the admin listener says why")
        except (OSError, ValueError) as error:
            stage.say(f"the first message could not be sent: {error}")
        finally:
            await hook.close(0.5)

    def _hook(self, request: Request) -> None:
        request.respond(200, b"ok", TEXT)
        if not self._called.done():
            query = request.target.partition(b"?")[2].decode("ascii", "replace")
            self._called.set_result(dict(parse_qsl(query, keep_blank_values=True)))

    async def _post(self, hook_port: int) -> dict[str, object]:
        body = json.dumps(
            {
                "ApiKey": DEVELOPMENT.api_key,
                "SecretKey": DEVELOPMENT.secret_key,
                "Phone": _PHONE,
                "Content": f"{self._world.random.randrange(1000, 10_000)} la ma xac minh dang ky Baotrixemay cua ban",
                "Brandname": "Baotrixemay",
                "SmsType": "2",
                "CallbackUrl": f"http://127.0.0.1:{hook_port}/hook",
            }
        ).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._api_port)
        try:
            head = f"POST {_PATH} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            answer = await reader.read()
        finally:
            writer.close()
        found = json.loads(answer.partition(b"\r\n\r\n")[2])
        if not isinstance(found, dict):
            raise ValueError("the answer is no JSON object")
        return found


def _ignore(error: Exception) -> None:
    """A fault of the toy listener concerns nobody."""
    del error
