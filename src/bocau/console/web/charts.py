"""Charts: how much came in and arrived, how long it took, and how the networks differ."""

from collections import defaultdict
from typing import Final, NamedTuple

import msgspec

from bocau.console.web.asked import Answer, Asked, Route, route
from bocau.console.web.frame import Frame
from bocau.core.telcos import TELCOS
from bocau.listener import JSON
from bocau.ports import World
from bocau.store.contract import ConsoleStore, Traffic

__all__ = ["ChartPages"]

_HOURS: Final = (1, 6, 24)
_MOST: Final = 20_000
"""Messages that are counted: the newest. About ten milliseconds."""
_MINUTE_MS: Final = 60_000


class Network(NamedTuple):
    """What became of the messages to one network."""

    name: str
    accepted: int
    delivered: int
    failed: int
    seconds: float | None
    """The mean from release to receipt; None if nothing arrived."""


class ChartPages:
    """Reads one bounded count of the newest messages."""

    def __init__(self, world: World, store: ConsoleStore, frame: Frame) -> None:
        self._world = world
        self._store = store
        self._frame = frame
        self.routes: tuple[Route, ...] = (
            route("GET", r"/console/charts", self._page),
            route("GET", r"/console/charts/data", self._data, passive=True),
        )

    async def _page(self, asked: Asked) -> Answer:
        """The charts, and the same by network in figures."""
        hours = _hours(asked)
        rows = await self._traffic(hours)
        page = self._frame.render(
            "charts.html",
            asked.viewer,
            asked.path,
            hours=hours,
            choices=_HOURS,
            networks=_networks(rows),
            whole=sum(row.accepted for row in rows) < _MOST,
            most=_MOST,
        )
        return Answer(page)

    async def _data(self, asked: Asked) -> Answer:
        """Columns for the charts: minutes in seconds since 1970, and a value for each."""
        hours = _hours(asked)
        last = self._world.now_ms() // _MINUTE_MS
        minutes = range(last - hours * 60 + 1, last + 1)
        found: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for row in await self._traffic(hours):
            for at, value in enumerate(row[2:]):
                found[row.minute][at] += value
        columns = [found[minute] for minute in minutes]
        data = {
            "minutes": [minute * 60 for minute in minutes],
            "accepted": [one[0] for one in columns],
            "delivered": [one[1] for one in columns],
            "failed": [one[2] for one in columns],
            "seconds": [round(one[3] / one[1] / 1000, 3) if one[1] else None for one in columns],
        }
        return Answer(msgspec.json.encode(data), content_type=JSON)

    async def _traffic(self, hours: int) -> list[Traffic]:
        return await self._store.traffic(self._world.now_ms() - hours * 3_600_000, _MOST)


def _hours(asked: Asked) -> int:
    wanted = asked.query.get("hours", "")
    return next((hours for hours in _HOURS if str(hours) == wanted), _HOURS[0])


def _networks(rows: list[Traffic]) -> list[Network]:
    """The networks with the most messages first."""
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in rows:
        for at, value in enumerate(row[2:]):
            sums[row.telco][at] += value
    found = [
        Network(
            TELCOS[telco].receiver_name if telco in TELCOS else "–",
            accepted,
            delivered,
            failed,
            total_ms / delivered / 1000 if delivered else None,
        )
        for telco, (accepted, delivered, failed, total_ms) in sums.items()
    ]
    return sorted(found, key=lambda network: -network.accepted)
