"""What the operator's listener tells: alive, ready or why not, and the metrics."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.rooms.accept.doorway import Doorway, Reply, doorway, http, parse

from bocau.console.health import ACCEPTED, AdminDoor, LinkHealth
from bocau.core.message import AnswerKind
from bocau.listener import Limits, Listener
from bocau.telemetry import Lines, Telemetry, make_log
from bocau.wire.esms.codes import CODES

UP = LinkHealth("north", 2, 2, "")
HALF = LinkHealth("north", 1, 2, "connection refused")
DOWN = LinkHealth("south", 0, 1, "bind refused: 0x0000000e")
READY = {
    "ready": True,
    "store": "ok",
    "stopping": False,
    "sends": "accepted",
    "links": "2 of 2 bound",
    "link_faults": [],
    "queued": 0,
    "queue_age_seconds": 0,
    "callbacks_waiting": 0,
}


class Operator:
    """Somebody who asks the admin listener."""

    def __init__(self, place: Doorway) -> None:
        self.place = place
        self.links = [UP]
        self.stopping = False
        self.sends = ACCEPTED
        self.telemetry = Telemetry("1.2.3")
        self.said = io.StringIO()
        self.listener: Listener

    async def ask(self, target: str, method: str = "GET", headers: str = "") -> Reply:
        """One question."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.listener.port)
        writer.write(http(method, target, headers=headers))
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return parse(answer)

    async def readiness(self) -> tuple[int, dict[str, object]]:
        """The status of /readyz, and where it differs from a gateway with nothing to do."""
        reply = await self.ask("/readyz")
        found = json.loads(reply.body)
        assert list(found) == list(READY)
        return reply.status, {name: value for name, value in found.items() if value != READY[name]}


def admin(folder: Path, scenario: Callable[[Operator], Awaitable[None]]) -> None:
    """Play a scenario at an admin listener beside a door."""

    async def play(place: Doorway) -> None:
        one = Operator(place)
        log = make_log(Lines(one.said), place.world.now_ms)
        desk = AdminDoor(
            place.world, place.store, one.telemetry, lambda: one.links, lambda: one.stopping, lambda: one.sends, log
        )
        one.listener = await Listener.start(place.world, desk.handle, "127.0.0.1", 0, Limits(), place.faults.append)
        try:
            await scenario(one)
        finally:
            await one.listener.close(0)

    doorway(folder, play)


def test_healthz_is_ok_while_the_process_answers(tmp_path: Path) -> None:
    """Whatever the links and the store do; HEAD has no body."""

    async def scenario(one: Operator) -> None:
        one.links, one.stopping = [DOWN], True
        for target in ("/healthz", "/healthz?probe=1"):
            reply = await one.ask(target)
            assert reply.raw == (
                b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n\r\nok\n"
            )
        reply = await one.ask("/healthz", "HEAD")
        assert (reply.status, reply.headers["content-length"], reply.body) == (200, "3", b"")

    admin(tmp_path, scenario)


@pytest.mark.parametrize("target", ["/test", "/test/namespaces", "/test/namespaces/bocau-dev/wait?seconds=0"])
def test_a_production_start_has_no_test_api(target: str, tmp_path: Path) -> None:
    """Nobody moves its clock or makes accounts over HTTP; its document does not name the paths either."""

    async def scenario(one: Operator) -> None:
        for method in ("GET", "POST", "DELETE"):
            assert (await one.ask(target, method)).status == 404
        assert not [path for path in json.loads((await one.ask("/openapi.json")).body)["paths"] if "/test" in path]

    admin(tmp_path, scenario)


def test_readyz_is_one_line_of_json(tmp_path: Path) -> None:
    """Ready: the store answers, a link is bound, nothing waits too long."""

    async def scenario(one: Operator) -> None:
        reply = await one.ask("/readyz")
        assert (reply.status, reply.headers["content-type"]) == (200, "application/json; charset=utf-8")
        assert json.loads(reply.body) == READY
        assert reply.body.count(b"\n") == 1
        assert (await one.ask("/readyz", "HEAD")).status == 200

    admin(tmp_path, scenario)


@pytest.mark.parametrize(
    ("links", "status", "told"),
    [
        ([], 503, {"ready": False, "links": "0 of 0 bound"}),
        (
            [DOWN],
            503,
            {"ready": False, "links": "0 of 1 bound", "link_faults": ["south: bind refused: 0x0000000e"]},
        ),
        (
            [HALF, DOWN],
            200,
            {
                "links": "1 of 3 bound",
                "link_faults": ["north: connection refused", "south: bind refused: 0x0000000e"],
            },
        ),
        ([UP._replace(why="said once")], 200, {}),
    ],
    ids=["no carrier", "none bound", "one bound", "all bound again"],
)
def test_readyz_needs_one_link_and_tells_what_each_missing_one_said(
    tmp_path: Path, links: list[LinkHealth], status: int, told: dict[str, object]
) -> None:
    """A part of the links down is told and does not make it unready."""

    async def scenario(one: Operator) -> None:
        one.links = links
        assert await one.readiness() == (status, told)

    admin(tmp_path, scenario)


def test_readyz_is_not_ready_while_the_queue_is_stale(tmp_path: Path) -> None:
    """300 s after the oldest queued message was released; a scheduled one does not count before its time."""

    async def scenario(one: Operator) -> None:
        world = one.place.world
        await one.place.send(SendDate="2027-01-16 15:00:00")
        assert await one.readiness() == (200, {})
        await one.place.send()
        assert await one.readiness() == (200, {"queued": 1})
        world.now += 299_999
        assert await one.readiness() == (200, {"queued": 1, "queue_age_seconds": 299})
        world.now += 1
        assert await one.readiness() == (503, {"ready": False, "queued": 1, "queue_age_seconds": 300})
        world.now -= 400_000
        assert await one.readiness() == (200, {"queued": 1}), "a clock set back makes no age"
        await one.place.submit(one.place.lane.take(), AnswerKind.TAKEN)
        world.now += 1_000_000
        assert await one.readiness() == (200, {})

    admin(tmp_path, scenario)


def test_readyz_is_not_ready_while_the_gateway_stops(tmp_path: Path) -> None:
    """So that a balancer sends nothing more."""

    async def scenario(one: Operator) -> None:
        one.stopping = True
        assert await one.readiness() == (503, {"ready": False, "stopping": True})

    admin(tmp_path, scenario)


def test_readyz_says_that_the_store_cannot_be_read(tmp_path: Path) -> None:
    """An answer with a reason, not an error; the cause is in the log."""

    async def scenario(one: Operator) -> None:
        one.place.tamper("ALTER TABLE message RENAME TO gone")
        unknown = {"queued": None, "queue_age_seconds": None, "callbacks_waiting": None}
        assert await one.readiness() == (503, {"ready": False, "store": "cannot be read", **unknown})
        assert '"event":"store.fail"' in one.said.getvalue()
        one.place.tamper("ALTER TABLE gone RENAME TO message")
        assert await one.readiness() == (200, {})

    admin(tmp_path, scenario)


def test_metrics_are_a_page_for_prometheus(tmp_path: Path) -> None:
    """Its own content type, and values of now."""

    async def scenario(one: Operator) -> None:
        one.telemetry.accept.accepted += 3
        reply = await one.ask("/metrics")
        assert reply.status == 200
        assert reply.headers["content-type"].startswith("text/plain; version=")
        lines = reply.body.decode().splitlines()
        assert "bocau_accepted_messages_total 3.0" in lines
        assert 'bocau_build{version="1.2.3"} 1.0' in lines
        assert int((await one.ask("/metrics", "HEAD")).headers["content-length"]) > 1000

    admin(tmp_path, scenario)


def test_other_paths_are_404_and_other_methods_405(tmp_path: Path) -> None:
    """The API is not served here."""

    async def scenario(one: Operator) -> None:
        for target in ("/", "/healthz/", "/HEALTHZ", "/MainService.svc/json/GetBalance/a/b"):
            reply = await one.ask(target, "POST")
            assert (reply.status, reply.body) == (404, b'{"error":"Not found"}'), target
        for target in ("/healthz", "/readyz", "/metrics"):
            for method in ("POST", "PUT", "DELETE", "OPTIONS"):
                reply = await one.ask(target, method)
                assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")
                assert reply.body == b'{"error":"Method not allowed"}'

    admin(tmp_path, scenario)


def test_a_fault_of_ours_is_500_and_the_next_question_is_answered(tmp_path: Path) -> None:
    """The operator learns where to look; nothing of the fault is in the answer."""

    async def scenario(one: Operator) -> None:
        one.telemetry.watch("bocau_connections", lambda: 1 / 0)
        reply = await one.ask("/metrics")
        assert (reply.status, reply.body) == (500, b'{"error":"Internal error"}')
        assert '"event":"gateway.fault"' in one.said.getvalue()
        assert "ZeroDivisionError" in one.said.getvalue()
        assert (await one.ask("/healthz")).status == 200

    admin(tmp_path, scenario)


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (None, False),
        ("*/*", False),
        ("application/json", False),
        ("application/json, text/html", False),
        ("TEXT/HTML;q=1, application/json", True),
        (BROWSER, True),
    ],
)
def test_the_codes_are_explained_to_programs_and_to_people(tmp_path: Path, accept: str | None, html: bool) -> None:
    """By Accept: a page in two languages, or one JSON array; both hold every code."""

    async def scenario(one: Operator) -> None:
        reply = await one.ask("/errors?x=1", headers=f"Accept: {accept}\r\n" if accept else "")
        assert (reply.status, reply.headers["vary"]) == (200, "Accept")
        if html:
            page = reply.body.decode()
            assert reply.headers["content-type"] == "text/html; charset=utf-8"
            assert all(f'<tr id="{code}">' in page for code in CODES)
            assert "Sai template Brandname CSKH" in page
            assert "Sai mẫu tin" in page
        else:
            rows = json.loads(reply.body)
            assert [row["code"] for row in rows] == list(CODES)
            assert rows[2]["vi"]["name"] == "sai khóa"
            assert {row["answered"] for row in rows} == {True, False}

    admin(tmp_path, scenario)
