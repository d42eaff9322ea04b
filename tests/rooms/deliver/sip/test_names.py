"""Where a trunk is."""

import asyncio
import random
from typing import cast

import pytest
from tests.simulation.world import Network, play

from bocau.deliver.sip.names import Target, in_order, targets
from bocau.deliver.sip.trunk import Transport, Trunk
from bocau.ports import Service

TRUNK = Trunk("t", "trunk.example", srv=True)


class Names:
    """`ServiceNames` out of a table."""

    def __init__(self, **records: list[Service]) -> None:
        self.asked: list[str] = []
        self._records = records

    async def services(self, name: str) -> list[Service]:
        self.asked.append(name)
        return self._records.get(name.partition(".")[0], [])


def found(trunk: Trunk, names: Names, hosts: dict[str, list[str]]) -> list[Target]:
    async def run(network: Network) -> list[Target]:
        network.names = hosts
        world = network.machine("us", "10.0.0.1").world
        return await targets(world, names, trunk)

    return play(run)


def test_services_come_by_priority_with_all_their_addresses() -> None:
    """A record that leads nowhere is passed over (RFC 3263 4.2)."""
    names = Names(_sip=[Service(20, 0, "b.example", 5070), Service(10, 0, "a.example", 5080), Service(5, 0, "gone", 1)])
    hosts = {"a.example": ["10.0.0.2", "10.0.0.3"], "b.example": ["10.0.0.4"]}
    assert found(TRUNK, names, hosts) == [("10.0.0.2", 5080), ("10.0.0.3", 5080), ("10.0.0.4", 5070)]
    assert names.asked == ["_sip._udp.trunk.example"]


@pytest.mark.parametrize(("transport", "asked", "port"), [("tcp", "_sip._tcp", 5060), ("tls", "_sips._tcp", 5061)])
def test_without_records_the_host_itself_counts(transport: Transport, asked: str, port: int) -> None:
    """On the port of the settings, or the usual one."""
    names = Names()
    trunk = TRUNK._replace(transport=transport)
    hosts = {"trunk.example": ["10.0.0.2"]}
    assert found(trunk, names, hosts) == [("10.0.0.2", port)]
    assert names.asked == [f"{asked}.trunk.example"]
    assert found(trunk._replace(port=9), names, hosts) == [("10.0.0.2", 9)]


def test_an_address_is_not_looked_up() -> None:
    """Nor are services asked for where the settings do not say so."""
    names = Names()
    assert found(TRUNK._replace(host="2001:db8::1"), names, {}) == [("2001:db8::1", 5060)]
    assert found(TRUNK._replace(srv=False), names, {"trunk.example": ["10.0.0.2"]}) == [("10.0.0.2", 5060)]
    assert names.asked == []


def test_a_name_without_address_is_an_error() -> None:
    """The link says so and tries again."""
    with pytest.raises(OSError, match="no such name"):
        found(TRUNK, Names(), {})


def test_weights_share_the_first_place() -> None:
    """Three to one, and each comes once (RFC 2782)."""
    services = [Service(1, 30, "a", 1), Service(1, 10, "b", 1), Service(1, 0, "c", 1)]
    chance = random.Random(7)
    drawn = [in_order(services, chance) for _ in range(4_000)]
    assert all(sorted(one.host for one in order) == ["a", "b", "c"] for order in drawn)
    firsts = [order[0].host for order in drawn]
    assert 2_800 < firsts.count("a") < 3_200
    assert firsts.count("c") > 0


def test_the_dns_is_asked_over_the_wire() -> None:
    """`srv.DnsServices` against a server of this test: records, none, and silence."""
    import dns.asyncresolver
    import dns.message
    import dns.rrset

    from bocau.srv import DnsServices

    class Server(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast("asyncio.DatagramTransport", transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            query = dns.message.from_wire(data)
            answer = dns.message.make_response(query)
            name = query.question[0].name
            if name.to_text().startswith("_sip._udp"):
                records = ["10 5 5070 a.example.", "20 0 5060 ."]
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", "SRV", *records))
            self.transport.sendto(answer.to_wire(), addr)

    async def run() -> tuple[list[Service], list[Service]]:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = transport.get_extra_info("sockname")[1]
        names = DnsServices(resolver)
        try:
            return await names.services("_sip._udp.x.example"), await names.services("_sip._tcp.x.example")
        finally:
            transport.close()
            await asyncio.sleep(0)

    records, none = asyncio.run(run())
    assert records == [Service(10, 5, "a.example", 5070)]
    assert none == []
