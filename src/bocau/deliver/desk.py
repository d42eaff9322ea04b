"""What an operator may ask about links: the acts behind `bocau link ...`."""

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from bocau.core.lifecycle import Event
from bocau.deliver.link import SmppLink
from bocau.deliver.rehearsal import Rehearsal
from bocau.deliver.show import members, octets
from bocau.deliver.smpp import SmppCarrier
from bocau.deliver.trace import Seen
from bocau.ports import Act, ActRefused, World
from bocau.telemetry import CarrierMeters
from bocau.wire.smpp.capture import Captured, pcap

__all__ = ["LinkDesk"]

_QUANTILES: Final = (("p50", 0.5), ("p99", 0.99))


class Summarised(Protocol):
    """A carrier account of any kind."""

    def summary(self) -> dict[str, object]:
        """How it stands, for a list."""
        ...


class LinkDesk:
    """Answers for every carrier account; those that do not speak SMPP have no binds, no traces and no tests. `acts` is
    its table for the control door."""

    def __init__(
        self,
        world: World,
        carriers: Mapping[str, Summarised],
        meters: Mapping[str, CarrierMeters],
        standing: Callable[[str], Mapping[str, object]],
    ) -> None:
        """`standing` tells what dispatch makes of a carrier: halt, breaker, what waits."""
        self._world = world
        self._carriers = carriers
        self._meters = meters
        self._standing = standing
        self.acts: dict[str, Act] = {
            "link/list": Act(self._list),
            "link/show": Act(self._show),
            "link/trace": Act(self._trace),
            "link/trace-full": Act(self._trace_full, changes=True),
            "link/test": Act(self._test, changes=True),
        }

    def _carrier(self, asked: Mapping[str, Any]) -> tuple[str, Summarised]:
        name = str(asked.get("link", ""))
        found = self._carriers.get(name)
        if found is None:
            names = ", ".join(sorted(self._carriers)) or "none"
            raise ActRefused(f'There is no link "{name}". There are: {names}.')
        return name, found

    def _smpp(self, asked: Mapping[str, Any]) -> SmppCarrier:
        name, found = self._carrier(asked)
        if not isinstance(found, SmppCarrier):
            raise ActRefused(f'"{name}" does not speak SMPP: it has no PDUs to show and no bind to test.')
        return found

    def _summary(self, name: str, carrier: Summarised) -> dict[str, object]:
        return {**carrier.summary(), **self._standing(name)}

    async def _list(self, asked: Mapping[str, Any]) -> object:
        """Each carrier account in a line."""
        del asked
        return [self._summary(name, carrier) for name, carrier in self._carriers.items()]

    async def _show(self, asked: Mapping[str, Any]) -> object:
        """One carrier account, with each of its binds."""
        name, carrier = self._carrier(asked)
        meters = self._meters[name]
        answers = {name: _milliseconds(meters.answer_seconds.quantile(share)) for name, share in _QUANTILES}
        return {
            **self._summary(name, carrier),
            "submitted": meters.submitted,
            "answers": dict(meters.answers),
            "throttled": meters.throttled,
            "late_answers": meters.late_answers,
            "receipts": meters.receipts,
            "sent_once_more": meters.requeued[Event.RESEND],
            "answer_ms": answers,
            **(_binds(carrier) if isinstance(carrier, SmppCarrier) else {}),
        }

    async def _trace(self, asked: Mapping[str, Any]) -> object:
        """The last PDUs, what must not be seen masked."""
        return self._traced(asked, full=False)

    async def _trace_full(self, asked: Mapping[str, Any]) -> object:
        """The last PDUs as they are: an act of its own, so that the log says who looked."""
        return self._traced(asked, full=True)

    def _traced(self, asked: Mapping[str, Any], *, full: bool) -> object:
        carrier = self._smpp(asked)
        last = asked.get("last")
        if last is not None and (not isinstance(last, int) or last < 1):
            raise ActRefused("The number of PDUs is a whole number from 1.")
        found = [(number, seen) for number, link in enumerate(carrier.links, 1) for seen in link.trace.pdus(last)]
        found.sort(key=lambda one: one[1].at)
        if asked.get("form") == "pcap":
            captured = [Captured(self._wall_ms(seen), seen.ours, octets(seen, full=full)) for _, seen in found]
            return {"pcap": base64.b64encode(pcap(captured, carrier.port)).decode()}
        return [{"bind": number, **members(seen, self._wall_ms(seen), full=full)} for number, seen in found]

    def _wall_ms(self, seen: Seen) -> int:
        """When a PDU passed, by the clock on the wall as it stands now."""
        return self._world.now_ms() - round((self._world.monotonic() - seen.at) * 1000)

    async def _test(self, asked: Mapping[str, Any]) -> object:
        """Walk the way of a message on a connection of its own, each step timed."""
        carrier = self._smpp(asked)
        words = {key: str(asked.get(key) or "") for key in ("to", "sender", "text")}
        steps = await Rehearsal(self._world, carrier).play(**words)
        return {"link": carrier.name, "ok": all(step.ok for step in steps), "steps": [one._asdict() for one in steps]}


def _binds(carrier: SmppCarrier) -> dict[str, object]:
    """What only SMPP has."""
    limit, ids = carrier.pace_per_second, carrier.ids
    return {
        "limit_per_second": None if limit is None else round(limit, 1),
        "receipt_ids": {
            "form": None if ids.form is None else ids.form.value,
            "from": "settings" if ids.fixed is not None else "learned" if ids.form is not None else "not yet known",
            "contradicting_rows": ids.learning.broken,
        },
        "bind": [_bind(number, link) for number, link in enumerate(carrier.links, 1)],
    }


def _bind(number: int, link: SmppLink) -> dict[str, object]:
    counters = link.counters
    return {
        "bind": number,
        "mode": link.mode,
        "state": "bound" if link.bound else "down",
        "why": link.why,
        "outstanding": link.outstanding,
        "connections": link.connection,
        "stray_answers": counters.unknown_responses,
        "bad_bodies": counters.bad_bodies,
        "unknown_commands": counters.unknown_commands,
        "probes": counters.probes,
    }


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
