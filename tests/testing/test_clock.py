"""The clock of a whole gateway: where `bocau dev --clock` puts it, and what happens when it is moved."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from tests.testing.hooks import a_host

from bocau.client import DuplicateRequest, parse_callback
from bocau.testing.kit import Bocau, _Api, open_namespace
from bocau.testing.server import Server, start, stop

VIETNAM = timezone(timedelta(hours=7))
BEGAN = datetime(2031, 3, 1, 7, 30, tzinfo=VIETNAM)
TEXT = "{code} la ma dang nhap Bocau cua ban"


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A gateway of its own, years ahead: others would feel it when its clock moves."""
    folder = tmp_path_factory.mktemp("later")
    try:
        yield start(folder, ("--clock", "2031-03-01T07:30"))
    finally:
        stop(folder)


@pytest.fixture
def space(later: Server) -> Iterator[Bocau]:
    """A namespace there."""
    found = open_namespace(later.admin)
    yield found
    found.close()


def now(server: Server) -> datetime:
    return datetime.fromtimestamp(_Api(server.admin).ask("GET", "/test/clock")["now_ms"] / 1000, VIETNAM)


def advance(server: Server, **span: float) -> None:
    _Api(server.admin).ask("POST", "/test/clock", {"advance_seconds": timedelta(**span).total_seconds()})


def send(space: Bocau, phone: str, *, request_id: str | None = None, callback_url: str = "") -> str:
    return space.client.send_otp(
        phone, "482193", text=TEXT, brandname="Bocau", request_id=request_id, callback_url=callback_url
    ).smsid


def test_the_clock_begins_where_it_was_put(later: Server, space: Bocau) -> None:
    """Messages have its dates, and it goes on."""
    assert now(later) > BEGAN
    send(space, "0901888484")
    created_ms = _Api(later.admin).ask("GET", f"/test/namespaces/{space.api_key}/messages")[0]["created_ms"]
    assert BEGAN < datetime.fromtimestamp(created_ms / 1000, VIETNAM) <= now(later)


def test_scheduled_messages_go_at_their_moments(later: Server, space: Bocau) -> None:
    """Two of them, a day apart, in one move: neither expires on the way."""
    for hours in (3, 27):
        moment = now(later) + timedelta(hours=hours)
        space.client.send("0901888484", TEXT.format(code=f"{hours:04d}"), brandname="Bocau", send_at=moment)
    before = now(later)
    advance(later, hours=30)
    assert [space.wait_otp("0901888484", until="delivered") for _ in range(2)] == ["0003", "0027"]
    assert timedelta(hours=30) <= now(later) - before < timedelta(hours=30, minutes=2)


def test_a_request_id_is_free_after_a_day(later: Server, space: Bocau) -> None:
    """Not before."""
    send(space, "0901888484", request_id="order")
    advance(later, hours=23)
    with pytest.raises(DuplicateRequest):
        send(space, "0901888484", request_id="order")
    advance(later, hours=1, minutes=1)
    send(space, "0901888484", request_id="order")


def test_callbacks_are_tried_again(later: Server, space: Bocau) -> None:
    """Their waits pass too."""
    with a_host() as host:
        smsid = send(space, "0901888484", callback_url=f"http://127.0.0.1:{host.server_port}/hook")
        assert host.called.acquire(timeout=10)
        host.well = True
        for _ in range(100):
            advance(later, minutes=1)
            if host.called.acquire(timeout=0.1):
                break
    assert [parse_callback(query).smsid for query in host.came] == [smsid, smsid]


def test_what_nobody_takes_expires(later: Server, space: Bocau) -> None:
    """The time-to-live of a code."""
    space.inject("throttle per_second=0")
    send(space, "0901888484")
    advance(later, hours=1)
    for _ in range(200):
        [message] = space.messages()
        if message.state == "expired":
            break
    assert message.state == "expired"


def test_a_fault_ends_with_its_time(later: Server, space: Bocau) -> None:
    """Its seconds are those of the clock that was moved."""
    space.inject("undelivered for_seconds=600")
    advance(later, minutes=11)
    send(space, "0901888484")
    space.wait_sms("0901888484", until="delivered")


def test_a_moment_that_is_over_needs_a_store_that_nobody_keeps(tmp_path: Path) -> None:
    """In a store time does not go back; with --ephemeral there is none."""
    past = start(tmp_path, ("--clock", "2020-01-01T08:00"))
    try:
        assert now(past).year == 2020
    finally:
        stop(tmp_path)
