"""Messages from subscribers go to the operator's address, by the same gate and schedule as callbacks."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from bocau.core.message import InboundTry, InboundWhole
from bocau.loops import ClaimLoop
from bocau.ports import HttpAnswer, HttpFailure, HttpGet, World
from bocau.report.callbacks import CallbackPolicy, judge
from bocau.report.signature import Signer, signature_headers
from bocau.store.contract import InboundStore, StoreFault
from bocau.telemetry import Log, LogEvent
from bocau.wire.esms.inbound import InboundValues, inbound_url
from bocau.wire.smpp.inbound import text_of

__all__ = ["InboundTeller"]

_POLL_SECONDS: Final = 1.0


class InboundTeller:
    """Claims what is due, calls, records."""

    def __init__(
        self, world: World, store: InboundStore, http: HttpGet, url: str, policy: CallbackPolicy, log: Log
    ) -> None:
        self.loop = ClaimLoop(world, self._claim, _POLL_SECONDS, log)
        self._world = world
        self._store = store
        self._http = http
        self._url = url
        self._policy = policy
        self._signers = tuple([Signer(secret) for secret in policy.secrets])
        self._log = log
        self._in_flight = 0

    async def _claim(self) -> bool:
        room = self._policy.in_flight - self._in_flight
        claimed = await self._store.claim_inbound(self._world.now_ms(), room) if room > 0 else []
        for message in claimed:
            self._in_flight += 1
            url = inbound_url(self._url, _values(message))
            headers = partial(self._headers, message.id)
            self._http.begin(url, headers, self._policy.timeout_seconds, partial(self._told, message))
        return len(claimed) == room > 0

    def _headers(self, message_id: int, sent: str) -> Sequence[tuple[str, str]]:
        """Signed as callbacks are (promises P21)."""
        if not self._signers:
            return ()
        return signature_headers(self._signers, f"mo-{message_id}", self._world.now_ms() // 1000, sent.encode("ascii"))

    def _told(self, message: InboundWhole, result: HttpAnswer | HttpFailure) -> None:
        self._in_flight -= 1
        status = result.status if isinstance(result, HttpAnswer) else 0
        now_ms = self._world.now_ms()
        state, again_ms = judge(message.tries, status, now_ms, self._policy, self._world.random.random())
        if state != "done":
            event = LogEvent.CALLBACK_GIVE_UP if again_ms is None else LogEvent.CALLBACK_POSTPONE
            self._log.warning(event, inbound=message.id, status=status, tries=message.tries + 1)
        self._store.inbound_told(InboundTry(message.id, message.tries + 1, state, again_ms), self._recorded)

    def _recorded(self, result: StoreFault | None) -> None:
        """A try that could not be stored is made again in two minutes."""
        if result is not None:
            self._log.error(LogEvent.STORE_FAIL, exc_info=result)


def _values(message: InboundWhole) -> InboundValues:
    received = datetime.fromtimestamp(message.received_ms / 1000, UTC).isoformat(timespec="milliseconds")
    text = text_of(message.raws)
    return InboundValues(message.id, message.sender, message.recipient, text, message.carrier, received)
