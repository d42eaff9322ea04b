"""The callback client against scripted hosts on loopback: good ones, broken ones and hostile ones (promises F30)."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from tests.rooms.scenario import Host, TurnedWorld, host, read_head, run

from bocau.caller.client import GuardedHttp, HttpLimits
from bocau.caller.guard import networks
from bocau.ports import HttpAnswer, HttpFailure, World

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LOOPBACK = networks(["127.0.0.0/8", "::1"])
LONG = 10.0
SHORT = 0.05

Script = Callable[[Host, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def no_headers(sent: str) -> tuple[tuple[str, str], ...]:
    """A call without headers of its own."""
    return ()


def client_of(
    world: World | None = None, limits: HttpLimits | None = None, tls: ssl.SSLContext | None = None
) -> GuardedHttp:
    """A client that may enter loopback."""
    return GuardedHttp(world or TurnedWorld(), LOOPBACK, limits, tls or bare_tls(), frozenset())


def bare_tls() -> ssl.SSLContext:
    """A context that trusts nobody; quick to make."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@asynccontextmanager
async def pair(script: Script, limits: HttpLimits | None = None) -> AsyncIterator[tuple[GuardedHttp, Host]]:
    """A client and a scripted host."""
    async with host(script) as stage:
        client = client_of(limits=limits)
        try:
            yield client, stage
        finally:
            client.close()


def saying(*pieces: bytes, then_close: bool = False) -> Script:
    """A host that answers every request with the same pieces, in separate segments."""

    async def script(stage: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_head(stage, reader)
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if then_close:
                return

    return script


async def get(client: GuardedHttp, stage: Host, path: str = "/", seconds: float = LONG) -> HttpAnswer:
    return await client.get(f"http://127.0.0.1:{stage.port}{path}", no_headers, seconds)


async def failure_of(call: Awaitable[HttpAnswer]) -> HttpFailure:
    """The failure of a call that gets no answer."""
    with pytest.raises(HttpFailure) as failure:
        await call
    return failure.value


async def reason_of(client: GuardedHttp, stage: Host, seconds: float = LONG) -> str:
    """Why a GET failed; it was not our guard."""
    failure = await failure_of(get(client, stage, seconds=seconds))
    assert not failure.refused
    return failure.reason


def test_the_request_is_what_a_customer_expects() -> None:
    """Path and query untouched, Host with its odd port, our headers, no request for compression."""

    async def scenario() -> None:
        async with pair(saying(OK)) as (client, stage):
            url = f"http://127.0.0.1:{stage.port}/hook?shop=9&SMSID=1%20a#fragment"
            answer = await client.get(url, lambda _sent: (("webhook-id", "evt_1"), ("webhook-timestamp", "7")), LONG)
            assert (answer.status, answer.body, answer.retry_after) == (200, b"ok", "")
            assert stage.heard == [
                b"GET /hook?shop=9&SMSID=1%20a HTTP/1.1\r\nHost: 127.0.0.1:" + str(stage.port).encode() + b"\r\n"
                b"User-Agent: bocau\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
                b"webhook-id: evt_1\r\nwebhook-timestamp: 7\r\n\r\n"
            ]

    run(scenario)


@pytest.mark.parametrize("header", [("a b", "x"), ("a", "x\r\nb: y"), ("a", "x\n"), ("", "x"), ("a", "é"), ("a:", "x")])
def test_a_header_cannot_break_out_of_its_line(header: tuple[str, str]) -> None:
    """The caller's mistake is told to the caller before anything is sent."""

    async def scenario() -> None:
        async with pair(saying(OK)) as (client, stage):
            with pytest.raises(ValueError, match="header"):
                await client.get(f"http://127.0.0.1:{stage.port}/", lambda _sent: (header,), LONG)
            assert stage.calls == 0

    run(scenario)


def test_a_connection_is_used_again() -> None:
    """Two hundred calls one after another need one connection."""

    async def scenario() -> None:
        async with pair(saying(OK)) as (client, stage):
            for _ in range(200):
                await get(client, stage)
            assert stage.calls == 1
            assert client.connections == 1

    run(scenario)


@pytest.mark.parametrize(
    ("pieces", "closes", "status", "body"),
    [
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], False, 204, b""),
        ([b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nsor", b"y"], False, 500, b"sory"),
        ([b"HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"], False, 301, b""),
        ([CHUNKED + b"2\r\no", b"k\r\n1\r\n!\r\n0\r\nT: 1\r\n\r\n"], False, 200, b"ok!"),
        ([b"HTTP/1.0 200 OK\r\n\r\no", b"k"], True, 200, b"ok"),
        ([b"HTTP/1.1 200 OK\r\n\r\n"], True, 200, b""),
        ([b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n", OK], False, 200, b"ok"),
        ([b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b"], False, 200, b"\x1f\x8b"),
        ([b"H", b"TTP/1.1 200 O", b"K\r", b"\nContent-Length: 2\r", b"\n\r\n", b"o", b"k"], False, 200, b"ok"),
        ([b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"], True, 200, b"ok"),
    ],
    ids=["204", "5xx", "redirect", "chunked", "http10", "until-close", "interim", "gzip", "in-pieces", "close"],
)  # fmt: skip
def test_answers_of_every_shape_are_read(pieces: list[bytes], closes: bool, status: int, body: bytes) -> None:
    """With a length, in chunks, until the end of the connection, after interim answers; nothing is inflated."""

    async def scenario() -> None:
        async with pair(saying(*pieces, then_close=closes)) as (client, stage):
            for _ in range(2):
                answer = await get(client, stage)
                assert (answer.status, answer.body) == (status, body)
            assert stage.calls == (2 if closes else 1)

    run(scenario)


def test_retry_after_is_handed_on() -> None:
    """As it came, cut to a sane length."""

    async def scenario() -> None:
        slow_down = b"HTTP/1.1 429 Slow\r\nretry-after: 120\r\nContent-Length: 0\r\n\r\n"
        async with pair(saying(slow_down)) as (client, stage):
            answer = await get(client, stage)
            assert (answer.status, answer.retry_after) == (429, "120")

    run(scenario)


def test_a_closed_port_fails_at_once() -> None:
    """And leaves nothing behind."""

    async def scenario() -> None:
        async with host(saying(OK)) as stage:
            port = stage.port
        client = client_of()
        failure = await failure_of(client.get(f"http://127.0.0.1:{port}/", no_headers, LONG))
        assert failure.reason == "connection refused"
        assert not failure.refused
        assert client.connections == 0
        client.close()

    run(scenario)


async def black_hole(stage: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes everything and says nothing."""
    await reader.read()


async def drip(stage: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte at a time, for ever: first the head, then a body that does not end."""
    for octet in b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n":
        writer.write(bytes([octet]))
        await asyncio.sleep(0.001)
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("script", [black_hole, drip])
def test_one_deadline_covers_the_exchange(script: Script) -> None:
    """Silence and a trickle end alike; the connection is closed and its place is free."""

    async def scenario() -> None:
        async with pair(script) as (client, stage):
            assert await reason_of(client, stage, SHORT) == "timed out"
            await stage.hung_up.wait()
            assert client.connections == 0

    run(scenario)


class DeafWorld(TurnedWorld):
    """A network where dialling, or asking for a name, never ends."""

    async def dial(
        self,
        factory: Callable[[], asyncio.Protocol],
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
    ) -> asyncio.Transport:
        """Wait for ever."""
        never: asyncio.Future[asyncio.Transport] = asyncio.get_running_loop().create_future()
        return await never

    async def resolve(self, host: str, port: int) -> list[str]:
        """Wait for ever."""
        self.asked.append(host)
        never: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        return await never


def test_connecting_and_resolving_are_within_the_deadline() -> None:
    """A black hole that does not answer SYN, a name server that is silent: bounded, and one look-up for all calls."""

    async def scenario() -> None:
        world = DeafWorld()
        client = client_of(world)
        calls = [
            client.get(url, no_headers, SHORT) for url in ["http://127.0.0.1:8080/"] + ["http://slow.example/"] * 5
        ]
        failures = await asyncio.gather(*calls, return_exceptions=True)
        assert [failure.reason for failure in failures if isinstance(failure, HttpFailure)] == ["timed out"] * 6
        assert world.asked == ["slow.example"]
        assert client.connections == 0
        client.close()

    run(scenario)


def test_a_name_that_does_not_exist_is_said_so() -> None:
    """The resolver's error is the customer's to read."""

    async def scenario() -> None:
        client = client_of()
        failure = await failure_of(client.get("http://nowhere.example/", no_headers, LONG))
        assert (failure.reason, failure.refused) == ("name not found", False)
        client.close()

    run(scenario)


async def endless_headers(stage: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Headers without end."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: " + b"x" * 1000 + b"\r\n")
        await writer.drain()


async def endless_header(stage: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One header without end."""
    await read_head(stage, reader)
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        writer.write(b"x" * 1000)
        await writer.drain()


async def endless_interim(stage: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Interim answers without end."""
    await read_head(stage, reader)
    while True:
        writer.write(b"HTTP/1.1 102 Processing\r\n\r\n" * 40)
        await writer.drain()


@pytest.mark.parametrize("script", [endless_header, endless_interim])
def test_endless_heads_are_cut(script: Script) -> None:
    """Long before the deadline, and the host sees the connection end."""

    async def scenario() -> None:
        async with pair(script) as (client, stage):
            assert await reason_of(client, stage) == "headers too long"
            await stage.hung_up.wait()
            assert client.connections == 0

    run(scenario)


def test_a_host_that_speaks_first_is_not_believed() -> None:
    """Bytes before the request are either cut at the cap or end the connection; never an answer."""

    async def scenario() -> None:
        async with pair(endless_headers) as (client, stage):
            assert await reason_of(client, stage) in {"headers too long", "closed early", "connection reset"}
            await stage.hung_up.wait()

    run(scenario)


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 1000000000", b"Transfer-Encoding: chunked", b"X-Until: close"],
    ids=["1GB", "chunks", "eof"],
)
def test_an_endless_body_counts_as_the_answer_it_began_with(head: bytes) -> None:
    """The status is what matters: 64 kB are read, 4 kB kept, and the connection is closed."""

    async def pour(stage: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(stage, reader)
        writer.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n")
        while True:
            writer.write(b"a\r\n0123456789\r\n" * 100)
            await writer.drain()

    async def scenario() -> None:
        async with pair(pour) as (client, stage):
            answer = await get(client, stage)
            assert answer.status == 200
            assert len(answer.body) == 4096
            await stage.hung_up.wait()
            assert client.connections == 0

    run(scenario)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"", "closed early"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "closed early"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "closed early"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal", "closed early"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not an HTTP answer"),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "not an HTTP answer"),
        (b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "not an HTTP answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "not an HTTP answer"),
    ],
    ids=["nothing", "in-head", "in-body", "in-chunk", "ssh", "status", "upgrade", "two-lengths"],
)
def test_half_answers_and_other_protocols_fail(said: bytes, reason: str) -> None:
    """A new connection is not tried twice: the host may have acted on the request."""

    async def scenario() -> None:
        async with pair(saying(said, then_close=True)) as (client, stage):
            assert await reason_of(client, stage) == reason
            assert stage.calls == 1
            assert client.connections == 0

    run(scenario)


def test_bytes_after_the_answer_end_the_connection() -> None:
    """The answer counts; what follows must not become the answer to somebody else's callback."""

    async def scenario() -> None:
        for more in (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", b"HTT", b"rubbish"):
            async with pair(saying(OK + more)) as (client, stage):
                for count in (1, 2):
                    assert (await get(client, stage)).status == 200
                    assert client.connections == 0
                    assert stage.calls == count

    run(scenario)


def answering(times: list[int]) -> Script:
    """A host that answers so many requests on each connection, then hangs up on the next one without a word."""

    async def script(stage: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(times.pop(0) if times else 0):
            await read_head(stage, reader)
            writer.write(OK)
        await read_head(stage, reader)

    return script


def test_a_stale_connection_is_replaced_once() -> None:
    """A kept connection that closes without a byte is no failure of the host; a new one is."""

    async def scenario() -> None:
        async with pair(answering([1, 1])) as (client, stage):
            await get(client, stage, "/1")
            assert (await get(client, stage, "/2")).status == 200
            assert stage.calls == 2
            assert await reason_of(client, stage) == "closed early"
            assert stage.calls == 3
            assert client.connections == 0

    run(scenario)


def test_a_kept_connection_that_dies_in_the_answer_is_not_replaced() -> None:
    """Something came back, so the host has seen the request."""

    async def half(stage: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(stage, reader)
        writer.write(OK)
        await read_head(stage, reader)
        writer.write(b"HTTP/1.1 2")

    async def scenario() -> None:
        async with pair(half) as (client, stage):
            await get(client, stage)
            assert await reason_of(client, stage) == "closed early"
            assert stage.calls == 1

    run(scenario)


def test_a_connection_closed_at_rest_is_forgotten() -> None:
    """The next call opens a new one without a detour."""

    async def scenario() -> None:
        async with pair(saying(OK, then_close=True)) as (client, stage):
            for count in (1, 2, 3):
                await get(client, stage)
                await stage.hung_up.wait()
                assert stage.calls == count

    run(scenario)


def test_one_host_gets_no_more_connections_than_its_cap() -> None:
    """The others wait in line, first come first served, and none is lost."""

    async def scenario() -> None:
        busy = most = 0

        async def count(stage: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal busy, most
            while True:
                await read_head(stage, reader)
                busy += 1
                most = max(most, busy)
                await asyncio.sleep(0)
                busy -= 1
                writer.write(OK)

        async with pair(count, HttpLimits(connections_per_host=2)) as (client, stage):
            done: list[int] = []

            async def call(number: int) -> None:
                await get(client, stage, f"/{number}")
                done.append(number)

            await asyncio.gather(*[call(number) for number in range(40)])
            assert stage.calls == 2
            assert most <= 2
            heard = [int(head.split()[1][1:]) for head in stage.heard]
            assert sorted(heard) == list(range(40))
            assert all(abs(number - place) <= 2 for place, number in enumerate(heard))
            assert client.connections == 2

    run(scenario)


def test_waiting_in_line_is_within_the_deadline() -> None:
    """A call whose time runs out leaves the line; the place goes to the next one."""

    async def patient(stage: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_head(stage, reader)
            await stage.release.wait()
            writer.write(OK)

    async def scenario() -> None:
        async with pair(patient, HttpLimits(connections_per_host=1)) as (client, stage):
            first = asyncio.ensure_future(get(client, stage, "/first"))
            await stage.called.wait()
            hasty = asyncio.ensure_future(get(client, stage, "/hasty", SHORT))
            steady = asyncio.ensure_future(get(client, stage, "/steady"))
            assert (await failure_of(hasty)).reason == "timed out"
            stage.release.set()
            assert (await first).status == (await steady).status == 200
            assert [head.split()[1] for head in stage.heard] == [b"/first", b"/steady"]

    run(scenario)


def test_a_turn_that_comes_too_late_is_passed_on() -> None:
    """A call that is cancelled in the moment its turn comes does not keep the place."""

    async def scenario() -> None:
        async with pair(saying(OK), HttpLimits(connections_per_host=1)) as (client, stage):
            first = asyncio.ensure_future(get(client, stage))
            second = asyncio.ensure_future(get(client, stage))
            third = asyncio.ensure_future(get(client, stage))
            first.add_done_callback(lambda _: second.cancel())
            assert (await first).status == 200
            assert (await third).status == 200
            with pytest.raises(asyncio.CancelledError):
                await second
            assert client.connections == 1

    run(scenario)


def test_a_slow_host_does_not_hold_another() -> None:
    """Each has its own line."""

    async def scenario() -> None:
        async with pair(black_hole, HttpLimits(connections_per_host=1)) as (client, slow), host(saying(OK)) as quick:
            stuck = [asyncio.ensure_future(get(client, slow, seconds=LONG)) for _ in range(5)]
            await slow.called.wait()
            assert (await get(client, quick)).status == 200
            for call in stuck:
                call.cancel()
            await asyncio.gather(*stuck, return_exceptions=True)
            assert client.connections == 1

    run(scenario)


def test_unused_connections_are_closed_in_time() -> None:
    """And a connection past its age is not used again, so that a changed address is noticed."""

    async def scenario() -> None:
        async with host(saying(OK)) as stage:
            world = TurnedWorld()
            client = client_of(world, HttpLimits(idle_seconds=15, age_seconds=300))
            await get(client, stage)
            world.seconds += 14
            client.sweep()
            assert client.connections == 1
            world.seconds += 1
            client.sweep()
            assert client.connections == 0
            await stage.hung_up.wait()
            await get(client, stage)
            assert stage.calls == 2
            world.seconds += 301
            await get(client, stage)
            assert client.connections == 0
            assert stage.calls == 2
            client.close()

    run(scenario)


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    """All were checked before; the first that connects is used."""

    async def scenario() -> None:
        async with host(saying(OK)) as stage:
            world = TurnedWorld({"shop.example": [["127.0.0.3", "127.0.0.1"]]})
            client = client_of(world)
            assert (await client.get(f"http://shop.example:{stage.port}/", no_headers, LONG)).status == 200
            assert stage.heard[0].startswith(b"GET / HTTP/1.1\r\nHost: shop.example:")
            client.close()

    run(scenario)


class CrookedWorld(TurnedWorld):
    """A network that connects to loopback whatever it is told."""

    async def dial(
        self,
        factory: Callable[[], asyncio.Protocol],
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
    ) -> asyncio.Transport:
        """Connect elsewhere."""
        return await super().dial(factory, "127.0.0.1", port, tls=tls, server_hostname=server_hostname)


def test_where_the_socket_really_ended_is_checked_too() -> None:
    """Not a byte is sent to a peer that the guard denies."""

    async def scenario() -> None:
        async with host(saying(OK)) as stage:
            client = GuardedHttp(CrookedWorld(), (), None, bare_tls(), frozenset())
            failure = await failure_of(client.get(f"http://8.8.8.8:{stage.port}/", no_headers, LONG))
            assert failure.refused
            await stage.hung_up.wait()
            assert stage.heard == []
            assert client.connections == 0
            client.close()

    run(scenario)


def test_ipv6_hosts_are_called_with_brackets() -> None:
    """Address literal in the URL, in Host, and as the place to connect."""

    async def scenario() -> None:
        heard: list[bytes] = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            writer.close()

        try:
            server = await asyncio.start_server(talk, "::1", 0)
        except OSError:
            pytest.skip("this machine has no IPv6 loopback")
        port = server.sockets[0].getsockname()[1]
        client = client_of()
        assert (await client.get(f"http://[0:0::1]:{port}/x", no_headers, LONG)).status == 200
        assert f"\r\nHost: [::1]:{port}\r\n".encode() in heard[0]
        client.close()
        server.close()
        await server.wait_closed()

    run(scenario)


def test_close_ends_calls_under_way_and_refuses_new_ones() -> None:
    """Those that talk, those that wait in line and those that look up a name."""

    async def scenario() -> None:
        async with host(black_hole) as stage:
            world = TurnedWorld()
            client = client_of(world, HttpLimits(connections_per_host=1))
            calls = [asyncio.ensure_future(get(client, stage)) for _ in range(2)]
            await stage.called.wait()
            client.close()
            assert [(await failure_of(call)).reason for call in calls] == ["closed", "closed"]
            assert (await failure_of(get(client, stage))).reason == "closed"
        deaf = DeafWorld()
        client = client_of(deaf)
        call = asyncio.ensure_future(client.get("http://slow.example/", no_headers, LONG))
        while not deaf.asked:  # noqa: ASYNC110 - the look-up starts within a few turns of the loop
            await asyncio.sleep(0)
        client.close()
        assert (await failure_of(call)).reason == "closed"

    run(scenario)


def test_the_caller_is_told_later_and_once() -> None:
    """An answer, a refusal and a closed client alike: never before `begin` has returned."""

    async def scenario() -> None:
        async with pair(saying(OK)) as (client, stage):
            told: list[HttpAnswer | HttpFailure] = []

            def ends(url: str) -> Callable[[], bool]:
                told.clear()
                client.begin(url, no_headers, LONG, told.append)
                assert told == []
                return lambda: bool(told)

            for _ in range(3):
                await until(ends(f"http://127.0.0.1:{stage.port}/"))
                assert told == [HttpAnswer(200, b"ok", "")]
            await until(ends("ftp://127.0.0.1/"))
            await until(ends("http://10.0.0.1/"))
            client.close()
            await until(ends(f"http://127.0.0.1:{stage.port}/"))
            assert len(told) == 1
            assert str(told[0]) == "closed"

    run(scenario)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until something is so."""
    while not condition():  # noqa: ASYNC110 - within a few turns of the loop
        await asyncio.sleep(0)


def test_the_next_call_may_begin_while_the_last_is_told() -> None:
    """On the connection that has just become free."""

    async def scenario() -> None:
        async with pair(saying(OK), HttpLimits(connections_per_host=1)) as (client, stage):
            url = f"http://127.0.0.1:{stage.port}/"
            told: list[HttpAnswer | HttpFailure] = []

            def again(result: HttpAnswer | HttpFailure) -> None:
                told.append(result)
                if len(told) < 50:
                    client.begin(url, no_headers, LONG, again)

            client.begin(url, no_headers, LONG, again)
            await until(lambda: len(told) == 50)
            assert told == [HttpAnswer(200, b"ok", "")] * 50
            assert stage.calls == 1

    run(scenario)


def note(order: list[int], number: int, result: HttpAnswer | HttpFailure) -> None:
    """Write down whose call has ended."""
    order.append(number)


def test_calls_that_end_together_are_told_in_their_order() -> None:
    """So that a simulated day is the same each time it is played."""

    async def scenario() -> None:
        async with pair(black_hole, HttpLimits(connections_per_host=8)) as (client, stage):
            order: list[int] = []
            for number in range(40):
                url = f"http://127.0.0.1:{stage.port}/"
                client.begin(url, no_headers, LONG, partial(note, order, number))
            await stage.called.wait()
            client.close()
            assert order == list(range(40))

    run(scenario)


def test_each_call_has_its_own_deadline() -> None:
    """A hasty one that begins later than a patient one still ends first, and the patient one gets its answer."""

    async def patient(stage: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(stage, reader)
        await stage.release.wait()
        writer.write(OK)

    async def scenario() -> None:
        async with pair(patient) as (client, stage):
            steady = asyncio.ensure_future(get(client, stage))
            await stage.called.wait()
            hasty = [get(client, stage, seconds=seconds) for seconds in (0.03, 0.01, 0.02)]
            failures = await asyncio.gather(*hasty, return_exceptions=True)
            assert [str(failure) for failure in failures] == ["timed out"] * 3
            stage.release.set()
            assert (await steady).status == 200

    run(scenario)


def test_calls_that_end_before_they_connect_leave_no_place_taken() -> None:
    """Cancelled in the very turn in which they began, and in the turns after it."""

    async def scenario() -> None:
        async with pair(saying(OK), HttpLimits(connections_per_host=2)) as (client, stage):
            for turns in range(12):
                calls = [asyncio.ensure_future(get(client, stage)) for _ in range(6)]
                for _ in range(turns):
                    await asyncio.sleep(0)
                for call in calls:
                    call.cancel()
                await asyncio.gather(*calls, return_exceptions=True)
            assert (await get(client, stage)).status == 200
            assert client.connections <= 2
            client.close()
            await until(lambda: client.connections == 0)

    run(scenario)


def test_bytes_on_a_connection_at_rest_are_no_answer() -> None:
    """What a host says unasked must not be taken for its word on the next callback."""

    async def chatty(stage: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(stage, reader)
        writer.write(OK)
        await stage.release.wait()
        writer.write(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")
        await reader.read()

    async def scenario() -> None:
        async with pair(chatty) as (client, stage):
            await get(client, stage)
            stage.release.set()
            await stage.hung_up.wait()
            assert client.connections == 0
            assert (await get(client, stage)).status == 200
            assert stage.calls == 2

    run(scenario)


class BrokenWorld(TurnedWorld):
    """A network with a fault of ours in it."""

    async def dial(
        self,
        factory: Callable[[], asyncio.Protocol],
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
    ) -> asyncio.Transport:
        """Not an error that a network has."""
        raise RuntimeError("a bug")


def test_a_fault_while_connecting_is_reported_and_ends_the_call() -> None:
    """The loop's handler hears of it, the caller is told, the place is free."""

    async def scenario() -> None:
        heard: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: heard.append(context.get("exception")))
        client = client_of(BrokenWorld())
        failure = await failure_of(client.get("http://127.0.0.1:8080/", no_headers, LONG))
        assert failure.reason == "cannot connect"
        assert [str(error) for error in heard] == ["a bug"]
        assert client.connections == 0
        client.close()

    run(scenario)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a self-made certificate for shop.example and 127.0.0.1, in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl program is not installed")
    folder = tmp_path_factory.mktemp("tls")
    key, cert, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    subprocess.run(
        f"{openssl} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=shop.example "
        f"-addext subjectAltName=DNS:shop.example,IP:127.0.0.1 -keyout {key} -out {cert}".split(),
        check=True,
        capture_output=True,
    )
    both.write_bytes(key.read_bytes() + cert.read_bytes())
    return both


@asynccontextmanager
async def secure_host(certificate: Path, names: list[str | None]) -> AsyncIterator[int]:
    """A TLS host on loopback that answers 200 and notes the server name of each handshake."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    tls.sni_callback = lambda _socket, name, _context: names.append(name)
    tasks: set[asyncio.Task[None] | None] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(OK)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.transport.abort()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*[task for task in tasks if task is not None], return_exceptions=True)


def trusting(certificate: Path) -> ssl.SSLContext:
    """The client's context as create_default_context makes it, with one more trusted certificate."""
    return ssl.create_default_context(cafile=str(certificate))


def test_tls_is_spoken_with_the_name_and_kept_alive(certificate: Path) -> None:
    """Server name and certificate are those of the URL's host, though the connection goes to a checked address."""

    async def scenario() -> None:
        names: list[str | None] = []
        async with secure_host(certificate, names) as port:
            world = TurnedWorld({"shop.example": [["127.0.0.1"]]})
            client = client_of(world, tls=trusting(certificate))
            for _ in range(3):
                assert (await client.get(f"https://shop.example:{port}/x", no_headers, LONG)).status == 200
            assert (await client.get(f"https://127.0.0.1:{port}/x", no_headers, LONG)).status == 200
            assert names == ["shop.example", None]
            client.close()

    run(scenario)


def test_a_certificate_must_be_trusted_and_fit_the_name(certificate: Path) -> None:
    """Another name, or an unknown issuer, is a failure of the host with a reason the customer understands."""

    async def scenario() -> None:
        async with secure_host(certificate, []) as port:
            world = TurnedWorld({"other.example": [["127.0.0.1"]], "shop.example": [["127.0.0.1"]]})
            for name, tls in (("other.example", trusting(certificate)), ("shop.example", bare_tls())):
                client = client_of(world, tls=tls)
                failure = await failure_of(client.get(f"https://{name}:{port}/", no_headers, LONG))
                assert (failure.reason, failure.refused) == ("certificate not trusted", False)
                assert client.connections == 0
                client.close()

    run(scenario)


def test_a_host_without_tls_fails_the_handshake() -> None:
    """Plain HTTP on a port called with https, and a host that says nothing at all."""

    async def plain(stage: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def scenario() -> None:
        async with pair(plain) as (client, stage):
            failure = await failure_of(client.get(f"https://127.0.0.1:{stage.port}/", no_headers, LONG))
            assert failure.reason in {"TLS failed", "connection reset"}
        async with pair(black_hole) as (client, stage):
            failure = await failure_of(client.get(f"https://127.0.0.1:{stage.port}/", no_headers, SHORT))
            assert failure.reason == "timed out"

    run(scenario)
