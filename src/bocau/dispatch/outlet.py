"""A carrier account as dispatch sees it: what waits for it, how fast it is fed, and whether it is trusted."""

import asyncio
from enum import StrEnum
from typing import Final, NamedTuple

from bocau.dispatch.breaker import Breaker, BreakerPolicy, Phase, Reading
from bocau.dispatch.pace import Pace
from bocau.dispatch.queue import FairQueue
from bocau.ports import Carrier
from bocau.wire.gsm.parts import Profile

__all__ = ["Halt", "Outlet", "OutletState"]

_REST_SECONDS: Final = 1.0
_ENDLESS: Final = 1 << 40


class Halt(StrEnum):
    """Why an operator lets a carrier have no new submits."""

    NONE = ""
    PAUSED = "paused"
    DRAINING = "draining"


class OutletState(NamedTuple):
    """How a carrier stands in dispatch, for people."""

    name: str
    halt: Halt
    breaker: Phase
    why: str
    waiting_urgent: int
    waiting_bulk: int
    outstanding: int


class Outlet:
    """A carrier account with its queue."""

    __slots__ = (
        "breaker",
        "calls",
        "carrier",
        "halt",
        "kept",
        "pace",
        "probes",
        "profile",
        "queue",
        "rest_until",
        "throttles",
        "timer",
        "trip",
        "usable",
    )

    def __init__(
        self,
        carrier: Carrier,
        pace: Pace,
        profile: Profile | None,
        policy: BreakerPolicy | None = None,
        kept: int = 0,
        *,
        calls: bool = False,
    ) -> None:
        """`profile` None: the carrier takes a text whole. `kept`: slots that only one-time codes may use. `calls`: what
        it is given reaches people as a call."""
        self.carrier = carrier
        self.pace = pace
        self.profile = profile
        self.kept = kept
        self.calls = calls
        self.queue = FairQueue(0)
        self.halt = Halt.NONE
        self.breaker = Breaker(policy or BreakerPolicy())
        self.trip = self.breaker.policy.failures
        """So many failures in a row are worth a look at once."""
        self.probes = _ENDLESS
        """Messages that may still begin before the breaker must have decided."""
        self.usable = True
        """Messages should be given to it."""
        self.rest_until = 0.0
        self.throttles = 0
        self.timer: asyncio.TimerHandle | None = None

    def look(self, now: float) -> Phase | None:
        """Take a reading of the carrier; the phase that begins with it, None if nothing changes."""
        pulse = self.carrier.pulse
        before = self.breaker
        self.breaker = after = before.look(Reading(self.carrier.up, pulse.failures, pulse.successes), now)
        changed = after.phase is not before.phase
        if changed:
            self.trip = after.policy.failures if after.phase is Phase.CLOSED else _ENDLESS
            self.probes = after.policy.probes if after.phase is Phase.HALF_OPEN else _ENDLESS
        self.settle()
        return after.phase if changed else None

    def settle(self) -> None:
        """Take over what changed."""
        self.usable = not self.halt and self.breaker.phase is not Phase.OPEN and self.probes > 0

    def rests(self, now: float) -> bool:
        """Whether the carrier asked for less speed a moment ago: then everything that waits for it waits."""
        if self.carrier.pulse.throttles != self.throttles and not self.carrier.adapts:
            self.throttles = self.carrier.pulse.throttles
            self.rest_until = now + _REST_SECONDS
        return now < self.rest_until

    def let_go(self, parts: int) -> None:
        """So many parts that had their slots and their turn will not leave."""
        self.pace.let_go(parts)
        self.carrier.release(parts)

    @property
    def state(self) -> OutletState:
        """For people."""
        queue = self.queue
        return OutletState(
            self.carrier.name,
            self.halt,
            self.breaker.phase,
            self.breaker.why,
            queue.urgent.size,
            queue.bulk.size,
            self.carrier.outstanding,
        )
