"""Two whole gateways on this machine: a direct link that dies, and a relay through the other gateway; and a reload."""

import asyncio
import io
import ipaddress
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from tests.system.processes import until

from bocau.app import Gateway
from bocau.caller.client import GuardedHttp, HttpLimits
from bocau.dispatch.outlet import Halt
from bocau.ports import HttpAnswer, HttpBody, HttpFailure
from bocau.provision import Profile
from bocau.settings import BadSettings, Settings
from bocau.settings.sections import Admin, Api, Callback, Carrier, Route, Store
from bocau.settings.values import Origin, Problem, Secret
from bocau.simulator.rules import PLAIN, Rules
from bocau.simulator.smsc import Smsc
from bocau.store.sqlite import SqliteStore
from bocau.telemetry import Lines, make_log
from bocau.world import RealWorld

PROFILE = Profile("shop", "key", "secret", ("Bocau",), (("Bocau", "{P1,20} la ma cua ban"),), ((2, 850),), 1_000_000)
SEND = "/MainService.svc/json/SendMultipleMessage_V4_post_json/"
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
JSON = (("Content-Type", "application/json"),)


class Place:
    """One gateway with its log."""

    def __init__(self, settings: Settings) -> None:
        self.said = io.StringIO()
        self.world = RealWorld()
        self.next: Settings | None = None
        log = make_log(Lines(self.said), self.world.now_ms)
        self.gateway = Gateway(settings, self.world, log, self._fatal, (PROFILE,), reread=self._reread)

    def _fatal(self, error: BaseException) -> None:
        raise AssertionError from error

    def _reread(self) -> Settings:
        if self.next is None:
            raise BadSettings(
                [Problem(Origin("file", "bocau.toml", 7), "[route.x]", "carrier", "no carrier is called y")]
            )
        return self.next

    def rows(self) -> dict[str, tuple[str, str, int]]:
        """State, carrier and tries of every message, by its code."""
        assert isinstance(self.gateway.store, SqliteStore)
        rows = self.gateway.store._reader.execute("SELECT content, state, carrier, tries FROM message")
        return {row[0].split()[0]: row[1:] for row in rows}


def direct(port: int, **values: object) -> Carrier:
    link = Carrier(
        name="direct",
        host="127.0.0.1",
        port=port,
        system_id="us",
        password=Secret("pw"),
        enquire_seconds=1.0,
        response_seconds=2.0,
        reconnect_first_seconds=0.1,
        reconnect_longest_seconds=0.2,
        breaker_down_seconds=0.3,
    )
    return msgspec.structs.replace(link, **values)


def settings_of(folder: Path, name: str, carriers: tuple[Carrier, ...], *routes: Route) -> Settings:
    return Settings(
        api=Api(port=0),
        admin=Admin(port=0),
        store=Store(path=str(folder / name / "bocau.db")),
        callback=Callback(allowed_networks=("127.0.0.0/8",)),
        carrier=carriers,
        route=routes,
    )


@asynccontextmanager
async def running(place: Place) -> AsyncIterator[Place]:
    await place.gateway.start()
    try:
        yield place
    finally:
        await place.gateway.stop()


class Client:
    """Who sends."""

    def __init__(self, place: Place) -> None:
        self._http = GuardedHttp(place.world, limits=HttpLimits(), allowed_networks=LOOPBACK, denied_ports=frozenset())
        self._place = place

    async def send(self, *codes: str) -> None:
        for code in codes:
            body = {
                "ApiKey": "key",
                "SecretKey": "secret",
                "Phone": f"09012{code[-5:]}",
                "Content": f"{code} la ma cua ban",
                "Brandname": "Bocau",
                "SmsType": "2",
            }
            told: asyncio.Future[HttpAnswer | HttpFailure] = asyncio.get_running_loop().create_future()
            url = f"http://127.0.0.1:{self._place.gateway.api.port}{SEND}"
            self._http.post(url, HttpBody(json.dumps(body).encode(), JSON, repeatable=False), 5.0, told.set_result)
            answer = await told
            assert isinstance(answer, HttpAnswer)
            assert json.loads(answer.body)["CodeResult"] == "100"

    def close(self) -> None:
        self._http.close()


def texts(smsc: Smsc) -> list[str]:
    return sorted(sms.text.split()[0] for sms in smsc.inbox)


def test_when_the_direct_link_dies_messages_go_through_the_relay_and_its_reports_come_back(tmp_path: Path) -> None:
    """Each message reaches a telephone once, and is known to be delivered, over whichever way."""

    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            world = RealWorld()
            near = await Smsc.start(world, "127.0.0.1", 0, Rules(0.05, table=PLAIN))
            far = await Smsc.start(world, "127.0.0.1", 0, Rules(0.05, table=PLAIN))
            stack.push_async_callback(far.close)
            everything = Route(name="all", carrier="direct")
            upstream = Place(settings_of(tmp_path, "up", (direct(far.port),), everything))
            await stack.enter_async_context(running(upstream))
            relay = Carrier(
                name="relay",
                kind="relay",
                url=f"http://127.0.0.1:{upstream.gateway.api.port}",
                api_key="key",
                secret_key=Secret("secret"),
                callback_base="http://127.0.0.1:1",
                response_seconds=5.0,
            )
            both = Route(name="both", carriers=("direct", "relay"))
            first = settings_of(tmp_path, "us", (direct(near.port), relay), both)
            us = Place(first)
            await stack.enter_async_context(running(us))
            # Our own port is known only now: the relay is replaced, the direct link stays as it is.
            base = f"http://127.0.0.1:{us.gateway.api.port}"
            us.next = msgspec.structs.replace(
                first, carrier=(first.carrier[0], msgspec.structs.replace(relay, callback_base=base))
            )
            assert (await us.gateway.reload()).carriers == ["relay"]
            client = Client(us)
            stack.callback(client.close)
            await until("the direct link", lambda: us.gateway.fleet.ships["direct"].up)
            await client.send("10001", "10002")
            await until("delivery", lambda: all(row[0] == "delivered" for row in us.rows().values()))
            assert near.counts.binds == 1
            await near.close()
            await client.send("10003", "10004", "10005")
            await until("delivery by relay", lambda: all(row[0] == "delivered" for row in us.rows().values()))
            rows = us.rows()
            assert {rows[code][1] for code in ("10001", "10002")} == {"direct"}
            assert {rows[code][1] for code in ("10003", "10004", "10005")} == {"relay"}
            assert texts(near) == ["10001", "10002"]
            assert texts(far) == ["10003", "10004", "10005"]
            said = us.said.getvalue()
            assert '"event":"carrier.open","carrier":"direct"' in said
            assert "secret" not in said

    asyncio.run(scenario())


def test_a_reload_keeps_unchanged_links_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    """F38: what is queued for a route that is gone is held and shown, and goes when a route takes it again."""

    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            smsc = await Smsc.start(RealWorld(), "127.0.0.1", 0, Rules(0.05, table=PLAIN))
            stack.push_async_callback(smsc.close)
            first = settings_of(tmp_path, "us", (direct(smsc.port),), Route(name="all", carrier="direct"))
            us = Place(first)
            await stack.enter_async_context(running(us))
            fleet = us.gateway.fleet
            client = Client(us)
            stack.callback(client.close)
            await until("the link", lambda: fleet.ships["direct"].up)
            with pytest.raises(BadSettings):
                await us.gateway.reload()
            assert "bocau.toml:7: [route.x] carrier: no carrier is called y" in us.said.getvalue()
            assert us.gateway.settings is first
            us.next = msgspec.structs.replace(first, route=(Route(name="eight", carrier="direct", sms_type=8),))
            told = await us.gateway.reload()
            assert (told.carriers, told.routes, told.restart) == ([], True, [])
            await client.send("20001")
            await until("it is parked", lambda: _parked(us) == {"(no route)": 1})
            us.next = msgspec.structs.replace(first, accept=msgspec.structs.replace(first.accept, max_receivers=7))
            assert (await us.gateway.reload()).restart == ["accept"]
            await until("delivery", lambda: us.rows()["20001"][0] == "delivered")
            assert smsc.counts.binds == 1, "the link was not touched by any of it"
            by_text = msgspec.structs.replace(first.accept, type8_channel="sms", max_receivers=7)
            us.next = msgspec.structs.replace(first, accept=by_text)
            assert (await us.gateway.reload()).restart == ["accept"], "of that table, one setting counts at once"
            accept = us.gateway.settings.accept
            assert (accept.type8_channel, accept.max_receivers) == ("sms", first.accept.max_receivers)
            us.next = msgspec.structs.replace(first, carrier=(direct(smsc.port, window=8),))
            assert (await us.gateway.reload()).carriers == ["direct"]
            await client.send("20002")
            await until("delivery", lambda: us.rows()["20002"][0] == "delivered")
            assert smsc.counts.binds == 2

    asyncio.run(scenario())


def test_a_drained_carrier_finishes_its_window_and_stays_drained_over_a_restart(tmp_path: Path) -> None:
    """No new submits, receipts still come; after the restart the operator's word holds until it is taken back."""

    async def scenario() -> None:
        smsc = await Smsc.start(RealWorld(), "127.0.0.1", 0, Rules(0.3, table=PLAIN))
        settings = settings_of(tmp_path, "us", (direct(smsc.port),), Route(name="all", carrier="direct"))
        async with running(Place(settings)) as us:
            client = Client(us)
            await until("the link", lambda: us.gateway.fleet.ships["direct"].up)
            await client.send("30001")
            await until("it is sent", lambda: us.rows()["30001"][0] == "sent")
            state = await us.gateway.fleet.halt("direct", Halt.DRAINING)
            assert (state.halt, state.outstanding) == (Halt.DRAINING, 0)
            await client.send("30002")
            await until("the receipt", lambda: us.rows()["30001"][0] == "delivered")
            assert us.rows()["30002"][0] == "queued"
            with pytest.raises(KeyError):
                await us.gateway.fleet.halt("nobody", Halt.PAUSED)
            client.close()
        async with running(Place(settings)) as us:
            await until("the link", lambda: us.gateway.fleet.ships["direct"].up)
            await asyncio.sleep(0.5)
            assert us.rows()["30002"][0] == "queued"
            await us.gateway.fleet.halt("direct", Halt.NONE)
            await until("delivery", lambda: us.rows()["30002"][0] == "delivered")
        await smsc.close()
        assert texts(smsc) == ["30001", "30002"]

    asyncio.run(scenario())


def _parked(place: Place) -> dict[str, int]:
    assert isinstance(place.gateway.store, SqliteStore)
    rows = place.gateway.store._reader.execute("SELECT parked, count(*) FROM message WHERE parked <> '' GROUP BY 1")
    return dict(rows.fetchall())
