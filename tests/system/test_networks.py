"""A whole gateway learns where numbers live: from its carrier's receipts, and from a lookup service."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
from tests.system.processes import until
from tests.system.test_failover import Client, Place, direct, running, settings_of, texts

from bocau.core.learned import LOOKUP
from bocau.listener import Limits, Listener, Request
from bocau.settings.sections import Lookup, Route, Settings
from bocau.simulator.rules import MAGIC, Rules
from bocau.simulator.smsc import Smsc
from bocau.store.sqlite import SqliteStore
from bocau.world import RealWorld

BY_TELCO = (Route(name="viettel", carrier="direct", telco=1), Route(name="rest", carrier="other"))


async def _two_carriers(stack: AsyncExitStack, world: RealWorld) -> tuple[Smsc, Smsc]:
    found = []
    for _ in range(2):
        smsc = await Smsc.start(world, "127.0.0.1", 0, Rules(0.02, table=MAGIC))
        stack.push_async_callback(smsc.close)
        found.append(smsc)
    return found[0], found[1]


def _settings(folder: Path, near: Smsc, far: Smsc, lookup: Lookup | None = None) -> Settings:
    carriers = (direct(near.port), direct(far.port, name="other", network_field="0x1403"))
    settings = settings_of(folder, "one", carriers, *BY_TELCO)
    return settings if lookup is None else msgspec.structs.replace(settings, lookup=lookup)


def test_a_receipt_that_names_the_network_sends_the_next_message_there(tmp_path: Path) -> None:
    """0028 says 45204 in a parameter: MobiFone by its prefix, Viettel from now on, also after a restart."""

    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            near, far = await _two_carriers(stack, RealWorld())
            settings = _settings(tmp_path, near, far)
            place = Place(settings)
            async with running(place):
                client = Client(place)
                stack.callback(client.close)
                await client.send("100028")
                await until("the network is learned", lambda: place.gateway._learned.get("0901200028") == 1)
                assert (texts(near), texts(far)) == ([], ["100028"])
                await client.send("200028")
                await until("the next one goes to its network", lambda: texts(near) == ["200028"])
            again = Place(settings)
            async with running(again):
                client = Client(again)
                stack.callback(client.close)
                await client.send("300028")
                await until("the third one does too", lambda: texts(near) == ["200028", "300028"])
                (row,) = await again.gateway.store.learned_networks(10)
                assert (row.phone, row.telco, row.source) == (901200028, 1, "other")
                # What the operator imports goes before it.
                await again.gateway.store.put_ported([(901200028, 5)], last=True)
                await until("the import counts", lambda: again.gateway._numbering.telco_of("0901200028") == 5)
                await client.send("400028")
                await until("the last one goes by the import", lambda: texts(far) == ["100028", "400028"])

    asyncio.run(scenario())


def test_a_lookup_service_decides_before_the_first_byte(tmp_path: Path) -> None:
    """The answer to the customer does not wait for it, and it is asked once for a number."""

    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            world = RealWorld()
            near, far = await _two_carriers(stack, world)
            asked: list[bytes] = []
            held: list[Request] = []

            def answer(request: Request) -> None:
                asked.append(request.target)
                held.append(request)

            service = await Listener.start(world, answer, "127.0.0.1", 0, Limits(), lambda _: None)
            stack.push_async_callback(lambda: service.close(1.0))
            lookup = Lookup(
                url=f"http://127.0.0.1:{service.port}/hlr?n={{phone}}", answer_pointer="/mccmnc", wait_seconds=5
            )
            place = Place(_settings(tmp_path, near, far, lookup))
            async with running(place):
                client = Client(place)
                stack.callback(client.close)
                await client.send("100001")  # answered 100 while the service still thinks
                await until("the service is asked", lambda: len(held) == 1)
                assert texts(near) == texts(far) == []
                held.pop().respond(200, b'{"mccmnc":"45204"}', b"application/json")
                await until("it goes where the service says", lambda: texts(near) == ["100001"])
                await client.send("200001")
                await until("the second one too", lambda: texts(near) == ["100001", "200001"])
                assert asked == [b"/hlr?n=0901200001"]
                store = place.gateway.store
                assert isinstance(store, SqliteStore)
                stored = "SELECT count(*) FROM learned_network"
                await until("it is stored", lambda: store._reader.execute(stored).fetchone()[0])
                (row,) = await place.gateway.store.learned_networks(10)
                assert (row.telco, row.source) == (1, LOOKUP)

    asyncio.run(scenario())
