"""What an operator changes beside a running gateway: the gateway takes it over, and the customer is told."""

import tempfile
from pathlib import Path

from tests.simulation.town import BRAND, Town
from tests.simulation.world import Network, play

from bocau.core.registration import PENDING, Registration, templates_of
from bocau.store.contract import Clerk
from bocau.store.sqlite import SqliteStore

HOOK = "http://shop.example:8080/hook?shop=9"


def test_changes_of_another_process_are_taken_over_and_told() -> None:
    """Moved numbers decide within a second; a decision on a template is called for, over a crash of the gateway too."""

    async def story(network: Network) -> Town:
        town = Town(network, Path(folder), magic=False)
        town.calm_shop()
        await town.open()
        await town.start_gateway()
        gateway = town.gateway
        assert gateway is not None
        assert gateway.door.directory.numbering.telco_of("0901234567") == 2
        desk = await SqliteStore.administrate(town.settings.store.path, Clerk("desk", town.customer.world.now_ms))
        await desk.put_ported([(901234567, 4)], last=True)
        asked = Registration(0, 1, 2, BRAND, "{code:6} la ma mua hang", HOOK, PENDING, "", 0)
        number = await desk.ask_template(asked, None)
        assert number is not None
        assert await desk.decide_template(number, templates_of(asked, (4,)), "", town.customer.world.now_ms())
        await town.customer.world.sleep(1.0)
        numbering = gateway.door.directory.numbering
        assert (numbering.telco_of("0901234567"), numbering.telco_of("0901234568")) == (4, 2)
        (brandname,) = gateway.door.directory.accounts[1].brandnames.values()
        assert [row.template.text for row in brandname.templates[4]][-1] == asked.content
        assert [call.query for call in town.heard] == [f"shop=9&ServicePreviewId={number}&Status=2&Brandname={BRAND}"]

        town.crash_gateway()
        again = await desk.ask_template(asked, None)
        assert again is not None
        assert await desk.decide_template(again, None, "", town.customer.world.now_ms())
        await desk.close(town.customer.world.now_ms())
        await town.start_gateway()
        await town.customer.world.sleep(2.0)
        assert [call.query for call in town.heard][1:] == [
            f"shop=9&ServicePreviewId={again}&Status=0&Brandname={BRAND}"
        ]
        gateway = town.gateway
        assert gateway is not None
        assert gateway.door.directory.numbering.telco_of("0901234567") == 4
        await town.close()
        return town

    with tempfile.TemporaryDirectory() as folder:
        assert not play(story, 1).trouble
