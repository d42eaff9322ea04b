"""Keeps a trunk told where we are: registers when the link comes up, refreshes, and tries again after a refusal."""

import asyncio
import math
from collections.abc import Callable
from typing import Final

from bocau.core.retry import backoff_seconds
from bocau.deliver.sip.link import LinkState, TrunkLink
from bocau.deliver.sip.trunk import contact_of, via_of
from bocau.ports import World
from bocau.telemetry import Log, LogEvent
from bocau.wire.sip.message import Message, Response
from bocau.wire.sip.register import (
    Registered,
    RegisterEvent,
    RegisterFailed,
    RegisterSetup,
    Registration,
)
from bocau.wire.sip.reply import Source
from bocau.wire.sip.transaction import Timers
from bocau.wire.sip.uri import format_host

__all__ = ["Registrar"]

_FIRST_WAIT: Final = 5.0
_LONGEST_WAIT: Final = 300.0


class Registrar:
    """The registration of one trunk. Its `state` counts beside the link's."""

    def __init__(self, world: World, link: TrunkLink, timers: Timers, log: Log, changed: Callable[[], None]) -> None:
        """`changed` is called whenever `state` may be another. Nothing is sent before `link_changed`."""
        self.state = LinkState.CONNECTING
        self.why = "not registered yet"
        """Why it is not; empty while it is."""
        self._world = world
        self._link = link
        self._timers = timers
        self._log = log
        self._changed = changed
        self._registration: Registration | None = None
        self._call_id = ""
        self._contact_at = ("", 0)
        self._timer: asyncio.TimerHandle | None = None
        self._again_at = math.inf
        self._failures = 0
        self._left = asyncio.Event()
        self._leaving = False

    def link_changed(self) -> None:
        """The link came up, or the address that the trunk sees us at is another: register anew."""
        link = self._link
        if link.state is not LinkState.UP or self._leaving:
            return
        if self._registration is None or self._contact_at != link.contact_at:
            self._begin()

    def _begin(self) -> None:
        link, trunk, world = self._link, self._link.trunk, self._world
        self._drop()
        self._contact_at = link.contact_at
        user = trunk.user
        unique = world.token(8).hex()
        domain = format_host(trunk.from_domain or trunk.host)
        self._call_id = f"{world.token(12).hex()}@{format_host(link.sent_by[0])}"
        self._registration = Registration(
            RegisterSetup(
                call_id=self._call_id,
                unique=unique,
                registrar=f"sip:{format_host(trunk.host, trunk.port)}",
                address=f"<sip:{user}@{domain}>",
                contact=contact_of(trunk, user, link.contact_at),
                via=via_of(trunk, link.sent_by),
                credentials=trunk.credentials,
                seconds=trunk.register_seconds,
                reliable=trunk.reliable,
                timers=self._timers,
            )
        )
        link.add(self._call_id, self)
        self._registration.start(world.monotonic())
        self._flush()

    async def leave(self, seconds: float) -> None:
        """Take the registration back; wait for the answer so long at most."""
        self._leaving = True
        if self._registration is not None and self.state is LinkState.UP and self._link.state is LinkState.UP:
            self._registration.stop(self._world.monotonic())
            self._flush()
            try:
                async with asyncio.timeout(seconds):
                    await self._left.wait()
            except TimeoutError:
                self.why = "the trunk did not confirm the end of the registration"
        self._drop()
        self.state = LinkState.DOWN

    def _drop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._link.remove(self._call_id)
        self._registration = None
        self._again_at = math.inf

    # Receiver

    def on_message(self, message: Message, _source: Source) -> None:
        """An answer to REGISTER; a request with this Call-ID is nothing we know."""
        if self._registration is not None and isinstance(message, Response):
            self._handle(self._registration.receive(message, self._world.monotonic()))

    def on_lost(self, _why: str) -> None:
        """The connection is gone; the next one registers anew."""
        if self._registration is not None:
            events = self._registration.connection_lost()
            self._drop()
            self._handle(events)

    def _handle(self, events: list[RegisterEvent]) -> None:
        for event in events:
            if isinstance(event, Registered):
                self._on_registered(event)
            elif isinstance(event, RegisterFailed):
                self._on_failed(event)
            else:
                self._left.set()
        self._flush()

    def _on_registered(self, event: Registered) -> None:
        self._failures = 0
        if self.state is not LinkState.UP:
            self._log.info(LogEvent.LINK_REGISTER, carrier=self._link.trunk.name, seconds=event.seconds)
        self._set(LinkState.UP, "")

    def _on_failed(self, event: RegisterFailed) -> None:
        self._failures += 1
        why = f"not registered: {event.status or ''} {event.why}".replace("  ", " ")
        if self.state is not LinkState.DOWN:
            self._log.warning(LogEvent.LINK_REFUSE, carrier=self._link.trunk.name, reason=why)
        chance = self._world.random.random()
        wait = backoff_seconds(self._failures, chance, _FIRST_WAIT, _LONGEST_WAIT)
        if self._registration is not None:
            self._again_at = self._world.monotonic() + wait
        self._set(LinkState.DOWN, why)

    def _set(self, state: LinkState, why: str) -> None:
        self.state, self.why = state, why
        self._changed()

    def _flush(self) -> None:
        registration = self._registration
        if registration is None:
            return
        for data in registration.data_to_send():
            self._link.send(data, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = min(registration.next_deadline(), self._again_at)
        if due < math.inf:
            wait = max(0.0, due - self._world.monotonic())
            self._timer = asyncio.get_running_loop().call_later(wait, self._tick)

    def _tick(self) -> None:
        self._timer = None
        registration = self._registration
        if registration is None:
            return
        now = self._world.monotonic()
        if now >= self._again_at:
            self._again_at = math.inf
            registration.start(now)
        self._handle(registration.tick(now))
