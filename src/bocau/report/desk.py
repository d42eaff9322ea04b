"""What an operator may ask about callbacks: the acts behind `bocau callback ...` and the console's buttons."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from bocau.core.lifecycle import State
from bocau.core.message import CallbackDue, Summary
from bocau.ports import Act, ActRefused, HttpAnswer, HttpFailure, HttpGet, World
from bocau.report.callbacks import CallbackPolicy, url_of
from bocau.report.signature import Signer, signature_headers
from bocau.store.contract import CallbackDeskStore

__all__ = ["CallbackDesk"]

_SAMPLE: Final = Summary("0" * 32 + "000", State.DELIVERED, 1, 1, 1, 0, 8_500_000)
"""One delivered message, under an SMSID that no request has."""
_SHOWN: Final = 200
_REFUSED: Final = {
    None: "There is no request {smsid}, or nobody is to be told how it ends.",
    False: "The callback of {smsid} is being called just now.",
}


class CallbackDesk:
    """Calls again, and tries an address. `acts` is its table for the control door."""

    def __init__(
        self,
        world: World,
        store: CallbackDeskStore,
        http: HttpGet,
        policy: CallbackPolicy,
        called_again: Callable[[], None],
    ) -> None:
        """`called_again` wakes those who call."""
        self._world = world
        self._store = store
        self._http = http
        self._policy = policy
        self._signers = tuple([Signer(secret) for secret in policy.secrets])
        self._called_again = called_again
        self.acts: dict[str, Act] = {
            "callback/resend": Act(self._resend, changes=True, notes_itself=True),
            "callback/sample": Act(self._sample, changes=True),
        }

    async def _resend(self, asked: Mapping[str, Any]) -> object:
        """Call the customer again now, whatever came of the tries before."""
        smsid = str(asked.get("smsid", "")).strip()
        due = await self._store.call_again(smsid, self._world.now_ms(), str(asked.get("actor", "")))
        if not due:
            raise ActRefused(_REFUSED[due].format(smsid=smsid[:40]))
        self._called_again()
        return {"smsid": smsid.lower(), "due": True}

    async def _sample(self, asked: Mapping[str, Any]) -> object:
        """One GET with made-up values, as a customer's host gets it; nothing of it is stored."""
        due = CallbackDue(0, 0, str(asked.get("url", "")).strip(), "sample", 2, 2, "0901234567", _SAMPLE, 0, 0)
        began = self._world.monotonic()
        told: asyncio.Future[HttpAnswer | HttpFailure] = asyncio.get_running_loop().create_future()
        try:
            url = url_of(due, self._policy)
            self._http.begin(url, self._headers, self._policy.timeout_seconds, told.set_result)
        except ValueError as error:
            raise ActRefused("This is no address that can be called: http or https, a host, and a path.") from error
        result = await told
        if isinstance(result, HttpFailure):
            status, said = 0, result.reason
        else:
            status, said = result.status, result.body[:_SHOWN].decode("utf-8", "replace")
        milliseconds = round((self._world.monotonic() - began) * 1000)
        return {"url": url, "status": status, "answer": said, "milliseconds": milliseconds}

    def _headers(self, sent: str) -> list[tuple[str, str]]:
        if not self._signers:
            return []
        now = self._world.now_ms() // 1000
        return list(signature_headers(self._signers, _SAMPLE.smsid, now, sent.encode("ascii")))
