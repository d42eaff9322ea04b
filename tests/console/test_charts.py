"""Charts: bounded counts of the newest messages."""

import json
from pathlib import Path

import pytest
from tests.console.stand import Stand, stand
from tests.rooms.accept.shop import NOW, PHONES

from bocau.core.lifecycle import AttemptState


def test_a_chart_has_a_value_for_every_minute(tmp_path: Path) -> None:
    """Also for those in which nothing came; what did not arrive has no time."""

    async def scenario(one: Stand) -> None:
        await one.place.send(Phone=PHONES[1])
        await one.place.send(Phone=PHONES[2])
        first, second = one.place.rows()
        await one.place.submit(first)
        await one.place.submit(second)
        one.place.world.now += 2_500
        await one.place.report(first, AttemptState.DELIVERED)
        await one.place.report(second, AttemptState.UNDELIVERED)
        one.place.world.now = NOW + 120_000
        data = json.loads((await one.visitor().get("/console/charts/data?hours=1")).body)
        assert len(data["minutes"]) == 60
        assert data["minutes"][-1] == (NOW + 120_000) // 60_000 * 60
        assert data["accepted"][-3:] == [2, 0, 0]
        assert data["delivered"][-3:] == [1, 0, 0]
        assert data["failed"][-3:] == [1, 0, 0]
        assert data["seconds"][-3:] == [2.5, None, None]
        page = (await one.visitor().get("/console/charts")).body.decode()
        assert page.index("Viettel") > 0
        assert "100.0 %" in page
        assert "2.5" in page

    stand(tmp_path, scenario)


@pytest.mark.parametrize("hours", ["", "7", "x", "-1", "999999999999999999999"])
def test_odd_ranges_are_an_hour(tmp_path: Path, hours: str) -> None:
    """Nobody asks for a century."""

    async def scenario(one: Stand) -> None:
        data = json.loads((await one.visitor().get(f"/console/charts/data?hours={hours}")).body)
        assert len(data["minutes"]) == 60
        assert b"No message in this time." in (await one.visitor().get(f"/console/charts?hours={hours}")).body

    stand(tmp_path, scenario)
