"""The listener on real loopback sockets: whole requests in, answers out in order, and limits that hold."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.scenario import TurnedWorld, run

from bocau.listener import TEXT, Limits, Listener, Request
from bocau.listener.reader import RawRequest, RequestReader, Unfit

OK_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n\r\n"
INVALID = b'{"error":"Invalid request"}'


@dataclass
class Door:
    """A listener with a handler that notes requests and answers `{}` unless told to wait."""

    listener: Listener
    world: TurnedWorld
    requests: list[Request] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.listener.port)

    async def until(self, count: int) -> None:
        """Wait until so many requests have arrived."""
        while len(self.requests) < count:
            self.arrived.clear()
            await self.arrived.wait()


@asynccontextmanager
async def door(handler: Callable[[Request], None] | None = None, limits: Limits | None = None) -> AsyncIterator[Door]:
    """A door on a free port. The default handler answers `{}` at once."""
    world = TurnedWorld()
    held: list[Door] = []

    def note(request: Request) -> None:
        held[0].requests.append(request)
        held[0].arrived.set()
        if handler is not None:
            handler(request)
        else:
            request.respond(200, b"{}")

    def fault(error: Exception) -> None:
        held[0].faults.append(error)

    listener = await Listener.start(world, note, "127.0.0.1", 0, limits or Limits(), fault)
    held.append(Door(listener, world))
    try:
        yield held[0]
    finally:
        await listener.close(0)


async def ask(place: Door, data: bytes, *pieces: bytes) -> bytes:
    """Send bytes, close our side and return everything that comes back."""
    reader, writer = await place.open()
    writer.write(data)
    for piece in pieces:
        await writer.drain()
        await asyncio.sleep(0)
        writer.write(piece)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


def keep_silent(_request: Request) -> None:
    """A handler that answers later."""


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def test_a_request_arrives_whole_and_its_answer_goes_back() -> None:
    """Method, target, headers, body and peer reach the handler; the answer has a type and a length."""

    async def scenario() -> None:
        async with door() as place:
            answer = await ask(place, b"POST /a/b?c=1 HTTP/1.1\r\nHost: x\r\nX-Two: 2 \r\nContent-Length: 3\r\n\r\nabc")
            assert answer == OK_HEAD + b"{}"
            request = place.requests[0]
            assert (request.method, request.target, request.body) == ("POST", b"/a/b?c=1", b"abc")
            assert request.headers == [(b"host", b"x"), (b"x-two", b"2"), (b"content-length", b"3")]
            assert request.header(b"x-two") == b"2"
            assert request.header(b"absent") == b""
            assert request.peer == "127.0.0.1"

    run(scenario)


def test_an_answer_may_carry_headers_and_any_type() -> None:
    """The door adds X-Bocau-SMSID; the console answers text."""

    def teapot(request: Request) -> None:
        request.respond(418, b"short", TEXT, ((b"X-Bocau-SMSID", b"7"),))

    async def scenario() -> None:
        async with door(teapot) as place:
            assert await ask(place, b"GET / HTTP/1.1\r\n\r\n") == (
                b"HTTP/1.1 418 I'm a Teapot\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n"
                b"X-Bocau-SMSID: 7\r\n\r\nshort"
            )

    run(scenario)


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        (b"http://rest.esms.vn/MainService.svc/json/x?a=1", b"/MainService.svc/json/x?a=1"),
        (b"http://rest.esms.vn", b"/"),
        (b"http://rest.esms.vn?a=b/c", b"/?a=b/c"),
        ("/x?Content=mã-số".encode(), b"/x?Content=m%C3%A3-s%E1%BB%91"),
        ("http://h/mã".encode(), b"/m%C3%A3"),
        (b"*", b"*"),
        (b"//json//x/", b"//json//x/"),
    ],
)
def test_targets_of_careless_clients_are_understood(sent: bytes, seen: bytes) -> None:
    """Proxied clients send the whole URL, others raw UTF-8 in it; both reach the handler as plain paths."""

    async def scenario() -> None:
        async with door() as place:
            answer = await ask(place, b"OPTIONS " + sent + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answer == OK_HEAD + b"{}"
            assert place.requests[0].target == seen

    run(scenario)


def read_all(data: bytes, cuts: list[int]) -> list[tuple[str, bytes, bytes]]:
    """What a reader makes of bytes cut at some places."""
    found: list[RawRequest] = []
    reader = RequestReader(16384, 1 << 20, found.append, lambda: None)
    edges = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    for start, end in pairwise(edges):
        if data[start:end]:
            reader.feed(data[start:end])
    return [(raw.method, raw.target, raw.body) for raw in found]


@given(st.lists(st.integers(min_value=0, max_value=2000), max_size=12))
@settings(max_examples=1000, deadline=None)
def test_how_the_bytes_are_cut_does_not_matter(cuts: list[int]) -> None:
    """Raw UTF-8 targets, Vietnamese bodies, chunks and refused upgrades survive any split of a pipelined stream."""
    text = "Mã xác thực: 1234".encode()
    data = b"".join(
        [
            b"GET /x?t=" + text.replace(b" ", b"+") + b" HTTP/1.1\r\nHost: h\r\n\r\n",
            b"POST /p HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(text) + text,
            b"GET /y?t=" + text.replace(b" ", b"+") + b" HTTP/1.1\r\nX-Name: \xc3\xa9\r\nHost: h\r\n\r\n",
            b"POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(text)
            + text
            + b"\r\n0\r\nT: 1\r\n\r\n",
            b"POST /u HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n"
            b"Content-Length: %d\r\n\r\n" % len(text) + text,
            b"GET /z HTTP/1.1\r\n\r\n",
        ]
    )
    quoted = b"M%C3%A3+x%C3%A1c+th%E1%BB%B1c:+1234"
    assert read_all(data, cuts) == [
        ("GET", b"/x?t=" + quoted, b""),
        ("POST", b"/p", text),
        ("GET", b"/y?t=" + quoted, b""),
        ("POST", b"/c", text),
        ("POST", b"/u", text),
        ("GET", b"/z", b""),
    ]


@given(st.lists(st.binary(max_size=200), max_size=8), st.sampled_from([b"", b"GET / HTTP/1.1\r\n", b"POST /a"]))
@settings(deadline=None)
def test_garbage_raises_only_the_one_exception(pieces: list[bytes], start: bytes) -> None:
    """Whatever arrives, the reader either waits for more, hands over a request, or says Unfit."""
    reader = RequestReader(1024, 1024, lambda raw: None, lambda: None)
    for piece in [start, *pieces]:
        if piece:
            try:
                reader.feed(piece)
            except Unfit:
                return


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"GET /a b HTTP/1.1\r\n\r\n",
        b"GET / HTTP/3.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: \x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nA : b\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_bad_http_is_a_400_and_the_end_of_the_connection(sent: bytes) -> None:
    """Nothing of it reaches the handler; smuggling by two lengths is impossible."""

    async def scenario() -> None:
        async with door() as place:
            reader, writer = await place.open()
            writer.write(sent)
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
            assert b"\r\nConnection: close\r\n" in answer
            assert body_of(answer) == INVALID
            assert not place.requests
            assert not place.faults
            writer.close()

    run(scenario)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 415),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 415),
        (b"POST / HTTP/1.1\r\nExpect: a-miracle\r\nContent-Length: 3\r\n\r\nabc", 417),
        (b"POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nContent-Length: 9999999999\r\nExpect: 100-continue\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + b"x" * 101, 413),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 2000 + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 2000, 431),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 500, 431),
        (b"CONNECT example.org:443 HTTP/1.1\r\n\r\n", 405),
    ],
)
def test_what_is_too_much_is_refused_with_its_own_status(sent: bytes, status: int) -> None:
    """Caps on headers and bodies hold whether the length is announced or not, and nothing is inflated."""

    async def scenario() -> None:
        async with door(limits=Limits(header_bytes=1000, body_bytes=100)) as place:
            reader, writer = await place.open()
            writer.write(sent)
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 %d " % status)
            assert body_of(answer).startswith(b'{"error":"')
            assert not place.requests
            writer.close()

    run(scenario)


@pytest.mark.parametrize(
    "framing",
    [b"0\r\nT: " + b"x" * 3000, b"1;" + b"e" * 3000, b"1\r\nx\r\n" * 1000],
    ids=["trailer", "extension", "ones"],
)
def test_framing_may_not_outweigh_the_body(framing: bytes) -> None:
    """Endless trailers, chunk extensions and one-byte chunks are cut although the body stays small."""
    reader = RequestReader(500, 100_000, lambda raw: None, lambda: None)
    reader.feed(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")

    def feed_all() -> None:
        for at in range(0, len(framing), 500):
            reader.feed(framing[at : at + 500])

    with pytest.raises(Unfit):
        feed_all()


def test_a_refusal_is_read_by_a_client_that_is_still_sending() -> None:
    """The connection is half-closed and drained, so that no reset swallows the 413."""

    async def scenario() -> None:
        async with door(limits=Limits(body_bytes=1000)) as place:
            reader, writer = await place.open()
            writer.write(b"POST / HTTP/1.1\r\nContent-Length: 500000\r\n\r\n" + b"x" * 500_000)
            assert (await reader.read()).startswith(b"HTTP/1.1 413 ")
            writer.close()

    run(scenario)


def test_pipelined_answers_keep_the_order_of_the_requests() -> None:
    """Three requests in one segment, answered last first: the client sees first, second, third."""

    async def scenario() -> None:
        async with door(keep_silent) as place:
            reader, writer = await place.open()
            writer.write(b"".join(b"GET /%d HTTP/1.1\r\n\r\n" % number for number in range(3)))
            await place.until(3)
            for request in reversed(place.requests):
                request.respond(200, request.target)
            answers = [await reader.readexactly(len(OK_HEAD) + 2) for _ in range(3)]
            assert [answer[-2:] for answer in answers] == [b"/0", b"/1", b"/2"]
            writer.close()

    run(scenario)


def test_bad_bytes_after_good_requests_are_answered_last() -> None:
    """The 400 waits for the answers before it."""

    async def scenario() -> None:
        async with door(keep_silent) as place:
            reader, writer = await place.open()
            writer.write(b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nrubbish\r\n\r\n")
            await place.until(2)
            place.requests[1].respond(200, b"/2")
            place.requests[0].respond(200, b"/1")
            answer = await reader.read()
            assert answer.startswith(OK_HEAD + b"/1" + OK_HEAD + b"/2HTTP/1.1 400 ")
            writer.close()

    run(scenario)


def test_a_flood_of_pipelined_requests_waits_for_its_answers() -> None:
    """No more than the allowance is taken at once from one connection, and none is lost."""

    async def scenario() -> None:
        waiting: list[Request] = []
        most = 0
        answer_soon = asyncio.get_running_loop().call_soon

        def slow(request: Request) -> None:
            nonlocal most
            waiting.append(request)
            most = max(most, len(waiting))
            answer_soon(lambda: waiting.pop(0).respond(200, b"{}"))

        async with door(slow, Limits(pipelined=4, header_bytes=1000)) as place:
            reader, writer = await place.open()
            writer.write(b"GET /x HTTP/1.1\r\n\r\n" * 5000)
            for _ in range(5000):
                await reader.readexactly(len(OK_HEAD) + 2)
            assert len(place.requests) == 5000
            assert most <= 4
            writer.close()

    run(scenario)


def test_a_peer_that_does_not_read_is_not_read_from() -> None:
    """Answers that pile up stop the reading; when the peer reads again everything arrives."""
    big = b"x" * 100_000

    async def scenario() -> None:
        async with door(lambda request: request.respond(200, big, TEXT)) as place:
            reader, writer = await place.open()
            count = 400
            writer.write(b"GET /x HTTP/1.1\r\n\r\n" * count)
            await place.until(1)
            assert len(place.requests) < count
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 100000\r\n\r\n"
            for _ in range(count):
                assert (await reader.readexactly(len(head) + len(big)))[: len(head)] == head
            assert len(place.requests) == count
            writer.close()

    run(scenario)


def test_a_peer_that_never_reads_is_cut() -> None:
    """A full transport has a deadline too."""
    big = b"x" * 20_000_000

    async def scenario() -> None:
        async with door(lambda request: request.respond(200, big), Limits(write_seconds=5)) as place:
            _, writer = await place.open()
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            await place.until(1)
            place.listener.sweep()
            assert place.listener.connections == 1
            place.world.seconds += 6
            place.listener.sweep()
            await until_open(place, 0)
            writer.close()

    run(scenario)


async def until_open(place: Door, count: int) -> None:
    """Let the loop turn until the listener has so many connections."""
    while place.listener.connections != count:  # noqa: ASYNC110 - the listener has no event for it
        await asyncio.sleep(0)


def test_expect_100_continue_is_granted_before_the_body() -> None:
    """curl waits a second for this word with larger bodies."""

    async def scenario() -> None:
        async with door() as place:
            reader, writer = await place.open()
            writer.write(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"{}")
            assert await reader.readexactly(len(OK_HEAD) + 2) == OK_HEAD + b"{}"
            assert place.requests[0].body == b"{}"
            writer.close()

    run(scenario)


def test_http_1_0_closes_unless_it_asks_to_stay() -> None:
    """An HTTP/1.0 client that wants to keep the connection is told that it may."""

    async def scenario() -> None:
        async with door() as place:
            reader, writer = await place.open()
            writer.write(b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
            assert b"\r\nConnection: keep-alive\r\n" in await reader.readuntil(b"{}")
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
            answer = await reader.read()
            assert b"\r\nConnection: close\r\n" in answer
            assert answer.endswith(b"{}")
            writer.close()

    run(scenario)


def test_head_gets_the_length_but_no_body() -> None:
    """And a 204 has neither."""

    async def scenario() -> None:
        async with door() as place:
            assert await ask(place, b"HEAD / HTTP/1.1\r\n\r\n") == OK_HEAD
        async with door(lambda request: request.respond(204, b"")) as place:
            assert await ask(place, b"GET / HTTP/1.1\r\n\r\n") == b"HTTP/1.1 204 No Content\r\n\r\n"

    run(scenario)


def test_chunked_bodies_are_joined() -> None:
    """Clients that do not know their length send chunks."""

    async def scenario() -> None:
        async with door() as place:
            head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
            await ask(place, head, b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n", b"\r\n")
            assert place.requests[0].body == b"abcde"

    run(scenario)


def test_connection_close_is_obeyed_and_later_bytes_are_ignored() -> None:
    """A second request behind Connection: close is not served."""

    async def scenario() -> None:
        async with door() as place:
            reader, writer = await place.open()
            writer.write(b"GET /1 HTTP/1.1\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\n\r\n")
            assert (await reader.read()).count(b"HTTP/1.1") == 1
            assert len(place.requests) == 1
            writer.close()

    run(scenario)


def test_an_upgrade_is_ignored_and_the_body_still_read() -> None:
    """Some HTTP clients offer h2c with their POST; they get an HTTP/1.1 answer to the whole request."""

    async def scenario() -> None:
        async with door() as place:
            answer = await ask(
                place,
                b"POST / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n"
                b"Content-Length: 3\r\n\r\nabcGET /next HTTP/1.1\r\n\r\n",
            )
            assert answer == (OK_HEAD + b"{}") * 2
            assert [request.body for request in place.requests] == [b"abc", b""]

    run(scenario)


def test_a_handler_that_breaks_gives_a_500_and_the_connection_lives() -> None:
    """The exception goes to the hook, none of it to the client."""

    def broken(request: Request) -> None:
        if request.target == b"/bad":
            raise LookupError("secret")
        request.respond(200, b"{}")

    async def scenario() -> None:
        async with door(broken) as place:
            answer = await ask(place, b"GET /bad HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 500 ")
            assert answer.endswith(b'{"error":"Internal error"}' + OK_HEAD + b"{}")
            assert [str(fault) for fault in place.faults] == ["secret"]

    run(scenario)


def test_a_request_is_answered_once() -> None:
    """A second answer is a bug of the caller and does not reach the wire; neither does a header with a line break."""

    def twice(request: Request) -> None:
        request.respond(200, b"{}")
        with pytest.raises(RuntimeError):
            request.respond(200, b"{}")

    def split(request: Request) -> None:
        with pytest.raises(ValueError, match="line break"):
            request.respond(200, b"{}", headers=((b"X", b"a\r\nSet-Cookie: b"),))
        request.respond(200, b"{}")

    async def scenario() -> None:
        for handler in (twice, split):
            async with door(handler) as place:
                assert await ask(place, b"GET / HTTP/1.1\r\n\r\n") == OK_HEAD + b"{}"
                assert not place.faults

    run(scenario)


def test_an_answer_to_a_peer_that_has_gone_is_harmless() -> None:
    """Clients hang up before their answer all the time."""

    async def scenario() -> None:
        async with door(keep_silent) as place:
            _, writer = await place.open()
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            await place.until(1)
            writer.transport.abort()
            place.requests[0].respond(200, b"{}")
            await until_open(place, 0)
            with pytest.raises(RuntimeError):
                place.requests[0].respond(200, b"{}")

    run(scenario)


def test_a_client_that_closes_its_side_still_gets_its_answer() -> None:
    """Half-closing after the request is legal."""

    async def scenario() -> None:
        async with door(keep_silent) as place:
            reader, writer = await place.open()
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            writer.write_eof()
            await place.until(1)
            place.requests[0].respond(200, b"{}")
            assert await reader.read() == OK_HEAD + b"{}"
            writer.close()

    run(scenario)


@pytest.mark.parametrize(
    ("start", "seconds"),
    [(b"GET / HTTP/1.1\r\nA", 10.0), (b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n", 15.0)],
    ids=["headers", "body"],
)
def test_a_trickle_does_not_extend_the_deadline(start: bytes, seconds: float) -> None:
    """A byte every second keeps neither the headers open beyond 10 s nor the body beyond 15 s."""

    async def scenario() -> None:
        async with door() as place:
            reader, writer = await place.open()
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            await reader.readexactly(len(OK_HEAD) + 2)
            writer.write(b"GET /mark HTTP/1.1\r\n\r\n" + start)
            await place.until(2)
            for _ in range(int(seconds) - 1):
                place.world.seconds += 1
                place.listener.sweep()
                writer.write(b"a")
                await asyncio.sleep(0)
            assert place.listener.connections == 1
            place.world.seconds += 1.6
            place.listener.sweep()
            answer = await reader.read()
            assert answer.startswith(OK_HEAD + b"{}HTTP/1.1 408 ")
            assert len(place.requests) == 2
            writer.close()

    run(scenario)


def test_silent_connections_are_closed_in_their_time() -> None:
    """Ten seconds to say something at first, 75 between requests, without end while an answer is awaited."""

    async def scenario() -> None:
        async with door(keep_silent) as place:
            mute_reader, mute = await place.open()
            reader, writer = await place.open()
            writer.write(b"GET /1 HTTP/1.1\r\n\r\n")
            await place.until(1)
            await until_open(place, 2)
            place.world.seconds += 10
            place.listener.sweep()
            assert await mute_reader.read() == b""
            place.world.seconds += 1000
            place.listener.sweep()
            place.requests[0].respond(200, b"{}")
            await reader.readexactly(len(OK_HEAD) + 2)
            place.world.seconds += 74
            place.listener.sweep()
            writer.write(b"GET /2 HTTP/1.1\r\n\r\n")
            await place.until(2)
            place.requests[1].respond(200, b"{}")
            await reader.readexactly(len(OK_HEAD) + 2)
            place.world.seconds += 75
            place.listener.sweep()
            assert await reader.read() == b""
            writer.close()
            mute.close()

    run(scenario)


def test_a_quiet_connection_gives_way_when_the_house_is_full() -> None:
    """Ten thousand idle connections must not keep one new customer out."""

    async def scenario() -> None:
        async with door(limits=Limits(connections=2)) as place:
            first_reader, first = await place.open()
            _, second = await place.open()
            await until_open(place, 2)
            assert await ask(place, b"GET / HTTP/1.1\r\n\r\n") == OK_HEAD + b"{}"
            assert await first_reader.read() == b""
            assert place.listener.refused == 0
            first.close()
            second.close()

    run(scenario)


def test_a_full_house_of_busy_connections_answers_503() -> None:
    """Requests under way are never cut for a newcomer."""

    async def scenario() -> None:
        async with door(keep_silent, Limits(connections=1)) as place:
            reader, writer = await place.open()
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            await place.until(1)
            late_reader, late = await place.open()
            answer = await late_reader.read()
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert body_of(answer) == b'{"error":"Server busy"}'
            assert place.listener.refused == 1
            place.requests[0].respond(200, b"{}")
            assert await reader.readexactly(len(OK_HEAD) + 2) == OK_HEAD + b"{}"
            writer.close()
            late.close()

    run(scenario)


def test_close_finishes_what_is_under_way_and_drops_the_rest() -> None:
    """The quiet are closed at once, the busy get their answer with Connection: close, nobody new is let in."""

    async def scenario() -> None:
        async with door(keep_silent) as place:
            idle_reader, idle = await place.open()
            reader, writer = await place.open()
            writer.write(b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n")
            await place.until(2)
            closing = asyncio.ensure_future(place.listener.close(10))
            assert await idle_reader.read() == b""
            with pytest.raises(OSError, match=r"."):
                await place.open()
            for request in place.requests:
                request.respond(200, b"{}")
            answer = await reader.read()
            assert answer.count(b"HTTP/1.1 200 OK") == 2
            assert answer.count(b"\r\nConnection: close\r\n") == 1
            await closing
            assert place.listener.connections == 0
            idle.close()
            writer.close()

    run(scenario)


def test_close_does_not_wait_longer_than_its_grace() -> None:
    """A handler that never answers does not keep the process alive."""

    async def scenario() -> None:
        async with door(keep_silent) as place:
            reader, writer = await place.open()
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            await place.until(1)
            await place.listener.close(0.01)
            assert place.listener.connections == 0
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
            writer.close()

    run(scenario)
