"""The operator's lookup service: asked once, waited for no longer than agreed, and never in the way."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import pytest
from tests.rooms.dispatch.desk import Desk, message, run

from bocau.dispatch.lookup import LookupSettings, NetworkLookup
from bocau.dispatch.plan import Choice, Route, RouteTable
from bocau.ports import HttpAnswer, HttpFailure

SECONDS = 0.5
ROUTES = RouteTable(
    [
        Route("one", (Choice("north"),), telcos=(1,)),
        Route("rest", (Choice("south"),)),
    ]
)


class Service:
    """Behind `ports.HttpGet`: says one word for all numbers, after a while."""

    def __init__(self, answer: HttpAnswer | HttpFailure, after_seconds: float = 0.1) -> None:
        self.answer = answer
        self.after_seconds = after_seconds
        self.asked: list[str] = []
        self.headers: list[tuple[str, str]] = []

    def begin(
        self,
        url: str,
        headers: Callable[[str], Sequence[tuple[str, str]]],
        seconds: float,
        done: Callable[[HttpAnswer | HttpFailure], None],
    ) -> None:
        """The deadline is kept by the client, as `HttpGet` says."""
        assert seconds == SECONDS
        self.asked.append(url)
        self.headers += headers(url)
        late = self.after_seconds > seconds
        said = HttpFailure("timed out") if late else self.answer
        asyncio.get_running_loop().call_later(min(seconds, self.after_seconds), done, said)


class Book:
    """What is known, and what was noted."""

    def __init__(self, known: Mapping[str, int] | None = None) -> None:
        self.known = dict(known or {})

    def get(self, phone: str) -> int:
        return self.known.get(phone, 0)

    def note(self, phone: str, telco: int) -> None:
        self.known[phone] = telco


def with_lookup(
    desk: Desk, service: Service, book: Book | None = None, pointer: str = "", in_flight: int = 64
) -> NetworkLookup:
    """A desk whose numbers are looked up."""
    book = book or Book()
    settings = LookupSettings("https://hlr.example/{e164}", "Bearer k", pointer, {"VTL": 1}, SECONDS, in_flight)
    lookup = NetworkLookup(
        desk.machine.world, service, settings, book.get, book.note, desk.meters, desk.dispatcher._log
    )
    desk.dispatcher.lookup = lookup
    desk.dispatcher.equip(ROUTES, desk.outlets)
    return lookup


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"VTL", ""),
        (b"45204\n", ""),
        (b"Viettel", ""),
        (b'{"data":{"mccmnc":"452-04"}}', "/data/mccmnc"),
        (b'{"telco":1}', "/telco"),
    ],
)
def test_a_message_goes_where_its_number_lives(body: bytes, pointer: str) -> None:
    """The prefix says 2; the service says 1, in whatever words."""

    async def scenario(desk: Desk) -> None:
        service, book = Service(HttpAnswer(200, body, "")), Book()
        with_lookup(desk, service, book, pointer)
        desk.accept(message(1, telco=2))
        await desk.pass_time(1.0)
        assert (desk.north.numbers, desk.south.numbers) == ([1], [])
        assert service.asked == ["https://hlr.example/84900000001"]
        assert service.headers == [("Authorization", "Bearer k")]
        assert book.known == {"0900000001": 1}

    run(scenario)


@pytest.mark.parametrize(
    "answer",
    [
        HttpFailure("refused"),
        HttpAnswer(500, b"1", ""),
        HttpAnswer(302, b"1", ""),
        HttpAnswer(404, b"", ""),
        HttpAnswer(200, b"Atlantis", ""),
        HttpAnswer(200, b"[" * 4000, ""),
    ],
)
def test_without_an_answer_the_prefix_decides(answer: HttpAnswer | HttpFailure) -> None:
    """Nothing is noted, and the message has waited no longer than for the call."""

    async def scenario(desk: Desk) -> None:
        book = Book()
        with_lookup(desk, Service(answer), book, "/telco" if isinstance(answer, HttpAnswer) else "")
        desk.accept(message(1, telco=2), message(2, telco=1))
        await desk.pass_time(0.2)
        assert (desk.north.numbers, desk.south.numbers) == ([2], [1])
        assert book.known == {}
        assert desk.meters.lookups["failed"] == 2

    run(scenario)


def test_a_slow_service_holds_a_message_up_to_its_deadline_and_no_other_one() -> None:
    """One whose network is known goes past it; the others go by their prefix when the time is over."""

    async def scenario(desk: Desk) -> None:
        lookup = with_lookup(desk, Service(HttpAnswer(200, b"1", ""), 30.0), Book({"0900000002": 1}))
        desk.accept(message(1, telco=2), message(2, telco=2))
        await desk.pass_time(0.1)
        assert (desk.north.numbers, desk.south.numbers) == ([2], [])
        assert (lookup.waiting, desk.dispatcher.waiting) == (1, 1)
        await desk.pass_time(0.5)
        assert desk.south.numbers == [1]
        assert (lookup.waiting, desk.dispatcher.waiting) == (0, 0)

    run(scenario)


def test_a_number_is_asked_about_once_at_a_time() -> None:
    """Messages to it wait together."""

    async def scenario(desk: Desk) -> None:
        service = Service(HttpAnswer(200, b"1", ""))
        with_lookup(desk, service, Book())
        first = message(1, telco=2)
        desk.accept(first, message(1, telco=2))
        await desk.pass_time(1.0)
        assert len(service.asked) == 1
        assert desk.north.numbers == [1, 1]
        desk.accept(message(1, telco=2))
        await desk.pass_time(1.0)
        assert len(service.asked) == 1

    run(scenario)


def test_more_than_may_be_asked_at_once_go_by_their_prefix() -> None:
    """A flood does not queue up before the service."""

    async def scenario(desk: Desk) -> None:
        service = Service(HttpAnswer(200, b"1", ""))
        with_lookup(desk, service, in_flight=2)
        desk.accept(*(message(number, telco=2) for number in range(1, 6)))
        await desk.pass_time(1.0)
        assert (sorted(desk.north.numbers), sorted(desk.south.numbers)) == ([1, 2], [3, 4, 5])
        assert dict(desk.meters.lookups) == {"answered": 2, "failed": 0, "skipped": 3}

    run(scenario)


def test_a_service_that_fails_is_left_in_peace_for_a_while() -> None:
    """Five failures in a row, then nothing for ten seconds: messages do not wait for what will not come."""

    async def scenario(desk: Desk) -> None:
        service = Service(HttpFailure("refused"))
        with_lookup(desk, service)
        for number in range(1, 8):
            desk.accept(message(number, telco=2))
            await desk.pass_time(0.2)
        assert len(service.asked) == 5
        assert "lookup.rest" in desk.said.getvalue()
        await desk.pass_time(10.0)
        service.answer = HttpAnswer(200, b"1", "")
        desk.accept(message(8, telco=2))
        await desk.pass_time(0.2)
        assert desk.north.numbers == [8]

    run(scenario, window=100)


def test_nobody_is_asked_where_no_route_asks_for_a_network() -> None:
    """Nor about a message that was tried before: it was decided then."""

    async def scenario(desk: Desk) -> None:
        service = Service(HttpAnswer(200, b"1", ""))
        with_lookup(desk, service)
        desk.dispatcher.equip(RouteTable([Route("all", (Choice("south"),))]), desk.outlets)
        desk.accept(message(1, telco=2))
        await desk.pass_time(0.1)
        assert (service.asked, desk.south.numbers) == ([], [1])
        desk.dispatcher.equip(ROUTES, desk.outlets)
        desk.accept(message(2, telco=1, tries=1))
        await desk.pass_time(0.1)
        assert service.asked == []

    run(scenario)


def test_a_stop_leaves_what_waits_for_an_answer_to_the_next_start() -> None:
    """It is stored as queued and in our hand, which a start puts right."""

    async def scenario(desk: Desk) -> None:
        with_lookup(desk, Service(HttpAnswer(200, b"1", "")))
        desk.accept(message(1, telco=2))
        await desk.pass_time(0.05)
        desk.dispatcher.stopping = True
        await desk.pass_time(1.0)
        assert desk.north.numbers == desk.south.numbers == []
        assert desk.store.intents == []

    run(scenario)
