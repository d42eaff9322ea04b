"""The gate of callbacks: which URLs are taken, which addresses are denied, and that no connection is made there."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.scenario import Host, TurnedWorld, host, run

from bocau.caller.client import GuardedHttp
from bocau.caller.guard import DENIED_PORTS, Refused, Target, address_is_denied, networks, parse_target
from bocau.ports import HttpFailure
from bocau.world import RealWorld

DENIED = """
0.0.0.0 0.255.255.255 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 100.100.100.200 127.0.0.1 127.255.255.254
168.63.129.16 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.31.196.1
192.52.193.1 192.88.99.1 192.168.0.1 192.168.255.255 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1
224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::10.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1
64:ff9b::a9fe:a9fe 64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 100:0:0:1::1 2001::1 2001:0:7f00:1:: 2001:2::1 2001:10::1
2001:20::1 2001:db8::1 2002:7f00:1:: 2002:a9fe:a9fe:: 2002:808:808:: 2620:4f:8000::1 3ffe::1 3fff::1 4000::1 5f00::1
8000::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 2606:4700::1111%1 fec0::1 ff02::1 ff0e::1
localhost 127.1 0x7f000001 2130706433 0177.0.0.1 １２７.0.0.1 1.2.3 1.2.3.4.5 256.1.1.1 [::1] 1::2::3
""".split()  # noqa: SIM905 - a table to read

PUBLIC = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 168.63.129.17 169.253.0.1
172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 203.0.112.255
203.0.114.0 223.255.255.255 203.113.131.1
2000::1 2001:200::1 2001:4860:4860::8888 2003::1 2400:cb00::1 2606:4700::1111 2a00:1450::1 3ffd::1 3fff:1000::1
::ffff:8.8.8.8
""".split()  # noqa: SIM905 - a table to read


@pytest.mark.parametrize("address", DENIED)
def test_special_addresses_are_denied(address: str) -> None:
    """Every range of the special-purpose registries, in every disguise, and everything that is no address at all."""
    assert address_is_denied(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_not(address: str) -> None:
    """The neighbours of each denied range pass."""
    assert address_is_denied(address) is None


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_in_an_ipv6_coat_is_judged_as_itself(address: IPv4Address) -> None:
    """The system connects to the address inside a mapped one; 6to4 and NAT64 lead out of our sight and never pass."""
    plain = address_is_denied(str(address))
    assert address_is_denied(f"::ffff:{address}") == plain
    assert address_is_denied(f"64:ff9b::{address}")
    assert address_is_denied(str(IPv6Address((0x2002 << 112) | (int(address) << 80))))


@given(st.ip_addresses(v=6))
def test_outside_global_unicast_nothing_passes(address: IPv6Address) -> None:
    """Only 2000::/3 can be public, mapped and compatible forms aside."""
    if int(address) >> 125 != 1 and int(address) >> 32 not in {0, 0xFFFF}:
        assert address_is_denied(str(address))


@given(st.ip_addresses())
def test_what_the_standard_library_calls_private_is_denied(address: IPv4Address | IPv6Address) -> None:
    """Our table is stricter than the library's, never looser."""
    if address.is_private or address.is_multicast or address.is_link_local or address.is_reserved:
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            return
        assert address_is_denied(str(address))


def test_operators_may_open_single_networks() -> None:
    """An opened network goes before the table, for mapped forms too, and opens nothing beside it."""
    opened = networks(["10.1.0.0/16", "127.0.0.1", "::1", "fd00::/8"])
    for address in ("10.1.2.3", "127.0.0.1", "::1", "fd00:ec2::254", "::ffff:10.1.2.3"):
        assert address_is_denied(address, opened) is None
    for address in ("10.2.0.1", "127.0.0.2", "169.254.169.254", "fe80::1", "fd00::1%eth0"):
        assert address_is_denied(address, opened)
    with pytest.raises(ValueError, match="10"):
        networks(["10.0.0.0/99"])


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://shop.example/hook?a=1", Target("http", "shop.example", 80, "/hook?a=1", literal=False)),
        ("HTTPS://Shop.Example.", Target("https", "shop.example", 443, "/", literal=False)),
        ("https://shop.example:8443?x=1#top", Target("https", "shop.example", 8443, "/?x=1", literal=False)),
        ("http://shop.example:/a", Target("http", "shop.example", 80, "/a", literal=False)),
        ("https://shop.example:80/", Target("https", "shop.example", 80, "/", literal=False)),
        ("http://a_b.vn/%2F..//;?u=http://y@z", Target("http", "a_b.vn", 80, "/%2F..//;?u=http://y@z", literal=False)),
        ("http://8.8.8.8/", Target("http", "8.8.8.8", 80, "/", literal=True)),
        ("http://8.8.8.8.:8080/", Target("http", "8.8.8.8", 8080, "/", literal=True)),
        ("http://[2606:4700:0:0::1111]:8080/x", Target("http", "2606:4700::1111", 8080, "/x", literal=True)),
        ("http://đơn.vn/đặt?tên=é", Target("http", "xn--n-kia64b.vn", 80, "/%C4%91%E1%BA%B7t?t%C3%AAn=%C3%A9", False)),
        ("http://shop.example/a?q=\"<>{}|^`'", Target("http", "shop.example", 80, "/a?q=\"<>{}|^`'", literal=False)),
    ],
)  # fmt: skip
def test_good_urls_are_taken_apart_once(url: str, target: Target) -> None:
    """Host in ASCII and lower case, default port by scheme, fragment dropped, path and query untouched but ASCII."""
    assert parse_target(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example/hook",
        "//shop.example/",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "gopher://shop.example/",
        "javascript:alert(1)",
        "http:/shop.example",
        "http:shop.example",
        "http:///path",
        "http://",
        "http://?a",
        "http://user@shop.example/",
        "http://user:word@shop.example/",
        "http://127.0.0.1@shop.example/",
        "http://shop.example\\@evil.example/",
        "http:\\\\shop.example/",
        "http://shop.example/a b",
        "http://shop.example/a\r\nX: y",
        "http://shop.example/a\tb",
        "http://shop.example/a\x00",
        "http://shop.example/\x7f",
        "http://shop.example/\x85",
        "http://shop.example/\u2028",
        "http://shop.example/\ud800",
        " http://shop.example/",
        "http://shop.example:0/",
        "http://shop.example:22/",
        "http://shop.example:25/",
        "http://shop.example:443x/",
        "http://shop.example:65536/",
        "http://shop.example:99999/",
        "http://shop.example:-80/",
        "http://shop.example:８０/",
        "http://shop.example:80:80/",
        "http://shop.example:6379/",
        "http://shop.example:5432/",
        "http://shop%2eexample/",
        "http://shop..example/",
        "http://.example/",
        "http://-shop.example/",
        "http://shop!.example/",
        "http://" + "a" * 64 + ".example/",
        "http://" + "a." * 130 + "example/",
        "http://℀.example/",
        "http://a：80/",
        "http://[::1/",
        "http://::1/",
        "http://[::1]x/",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[1.2.3.4]/",
        "http://[::ffff:1.2.3.4.5]/",
        "http://[]/",
        "http://shop.example/" + "a" * 9000,
    ],
)
def test_odd_urls_are_refused(url: str) -> None:
    """Other schemes, user names, control characters, backslashes, ports of other services, broken hosts."""
    with pytest.raises(Refused) as refused:
        parse_target(url)
    assert refused.value.reason


def test_the_denied_ports_are_a_setting() -> None:
    """An operator may close more, or open one."""
    assert parse_target("http://shop.example:6379/", DENIED_PORTS - {6379}).port == 6379
    with pytest.raises(Refused):
        parse_target("http://shop.example:8080/", frozenset({8080}))


@given(st.text(max_size=40))
@settings(max_examples=300)
def test_garbage_raises_only_refused(text: str) -> None:
    """Whatever a tenant writes, the parser says a target or Refused, and a target is always clean."""
    for url in (text, "http://" + text, "https://shop.example/" + text, "http://[" + text, f"http://a:{text}/"):
        try:
            target = parse_target(url)
        except Refused:
            continue
        assert target.host.isascii()
        assert target.path_and_query.isascii()
        assert target.path_and_query.isprintable()
        assert target.path_and_query.startswith("/")
        assert " " not in target.path_and_query


LOOPBACK_FORMS = """
127.0.0.1 127.0.0.1. 127.1 127.0.1 127.255.255.254 0 0.0.0.0 2130706433 0x7f000001 0x7F.1 0x7f.0.0.1 0X7F000001
0177.0.0.1 017700000001 0177.1 127.0.0.01 00000177.0.0.1 127.000.000.001 4294967295 6425673729
１２７.０.０.１ １２７。０。０。１ ①②⑦.⓪.⓪.① 127｡0｡0｡1 127．0．0．1 ２１３０７０６４３３ ⓛⓞⓒⓐⓛⓗⓞⓢⓣ ＬＯＣＡＬＨＯＳＴ
localhost LOCALHOST localhost. %31%32%37.0.0.1 127%2e0.0.1 user@127.0.0.1 shop.example@127.0.0.1 127.0.0.1%00
127.0.0.1%20 127.0.0.1\\@shop.example
[::1] [0:0:0:0:0:0:0:1] [::0001] [::] [::127.0.0.1] [::7f00:1] [::ffff:127.0.0.1] [::FFFF:7F00:1] [::ffff:0:127.0.0.1]
[0:0:0:0:0:ffff:127.0.0.1] [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b:1::7f00:1] [2002:7f00:1::]
[2001:0:7f00:1::] [fe80::1] [fe80::1%25lo] [::1%lo] [::1%25lo] [fec0::1] [fd00::1] [ff02::1] [::ffff:169.254.169.254]
10.0.0.1 169.254.169.254 2852039166 0xA9FEA9FE 192.168.0.1 100.64.0.1 255.255.255.255
""".split()  # noqa: SIM905 - a table to read


class WatchedWorld(RealWorld):
    """The real network, with a note of every address that was dialled."""

    def __init__(self) -> None:
        super().__init__()
        self.dialled: list[str] = []

    async def dial(
        self,
        factory: Callable[[], asyncio.Protocol],
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
    ) -> asyncio.Transport:
        """Note, then connect."""
        self.dialled.append(host)
        return await super().dial(factory, host, port, tls=tls, server_hostname=server_hostname)


@asynccontextmanager
async def sniffer() -> AsyncIterator[Host]:
    """A listener on loopback that counts connections."""

    async def count(stage: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async with host(count) as stage:
        yield stage


async def refusal(client: GuardedHttp, url: str) -> HttpFailure:
    """The failure of a GET that must not come through."""
    with pytest.raises(HttpFailure) as failure:
        await client.get(url, lambda _sent: (), 5)
    return failure.value


def test_no_form_of_an_inner_address_gets_a_connection() -> None:
    """Sixty and more spellings, by the system's own resolver, against a listener and a dialler that would notice."""
    assert len(LOOPBACK_FORMS) >= 60

    async def scenario() -> None:
        async with sniffer() as stage:
            world = WatchedWorld()
            client = GuardedHttp(world, denied_ports=frozenset())
            for form in LOOPBACK_FORMS:
                failure = await refusal(client, f"http://{form}:{stage.port}/")
                assert failure.refused, (form, failure.reason)
            assert world.dialled == []
            assert stage.calls == 0
            client.close()

    run(scenario)


def test_literal_addresses_never_reach_the_resolver() -> None:
    """A resolver that would vouch for them is not asked."""

    async def scenario() -> None:
        world = TurnedWorld({"127.0.0.1": [["8.8.8.8"]], "::1": [["8.8.8.8"]]})
        client = GuardedHttp(world)
        for url in ("http://127.0.0.1:8080/", "http://[::1]:8080/"):
            assert (await refusal(client, url)).refused
        assert world.asked == []
        client.close()

    run(scenario)


@pytest.mark.parametrize(
    "answer", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["fe80::1%lo"]]
)
def test_one_bad_address_of_a_name_refuses_the_name(answer: list[str]) -> None:
    """A good address first does not help."""

    async def scenario() -> None:
        async with sniffer() as stage:
            client = GuardedHttp(TurnedWorld({"rebind.example": [answer]}), denied_ports=frozenset())
            assert (await refusal(client, f"http://rebind.example:{stage.port}/")).refused
            assert stage.calls == 0
            client.close()

    run(scenario)


def test_a_name_that_changes_its_answer_is_connected_only_where_it_was_checked() -> None:
    """Rebinding: the first answer is checked and connected to; the second, inner one is checked anew and refused."""

    async def scenario() -> None:
        opened, closed = "127.0.0.1", "127.0.0.2"
        async with sniffer() as stage:
            world = TurnedWorld({"rebind.example": [[opened], [closed]]})
            client = GuardedHttp(world, networks([opened]), denied_ports=frozenset())
            url = f"http://rebind.example:{stage.port}/"
            call = asyncio.ensure_future(client.get(url, lambda _sent: (), 5))
            await stage.called.wait()
            assert world.asked == ["rebind.example"]
            failure = await refusal(client, url)
            assert failure.refused
            assert failure.reason == "address not allowed: loopback"
            assert stage.calls == 1
            client.close()
            with pytest.raises(HttpFailure):
                await call

    run(scenario)


def test_a_redirect_to_an_inner_address_is_not_followed() -> None:
    """The 302 is the answer; the place it points to hears nothing."""

    async def scenario() -> None:
        async with sniffer() as stage:

            async def redirect(door: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.readuntil(b"\r\n\r\n")
                location = f"http://127.0.0.1:{stage.port}/".encode()
                writer.write(b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n")
                await reader.read(1)

            async with host(redirect) as door:
                client = GuardedHttp(RealWorld(), networks(["127.0.0.1"]), denied_ports=frozenset())
                answer = await client.get(f"http://127.0.0.1:{door.port}/", lambda _sent: (), 5)
                assert answer.status == 302
                assert stage.calls == 0
                client.close()

    run(scenario)
