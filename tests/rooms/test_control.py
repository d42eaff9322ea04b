"""The operator's acts: who may call them, what comes back, and the file that leads to the door."""

import asyncio
import io
import json
import stat
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.rooms.accept.doorway import Doorway, Reply, doorway, http, parse

from bocau.console.control import (
    ControlDoor,
    Doorplate,
    NoDoorplate,
    hang_doorplate,
    read_doorplate,
    take_doorplate_down,
)
from bocau.listener import Limits, Listener
from bocau.ports import Act, ActRefused
from bocau.store.sqlite import SqliteStore
from bocau.telemetry import Lines, make_log

TOKEN = b"\x01" * 32
SHOWN = f"Authorization: Bearer {TOKEN.hex()}\r\n"


async def _echo(members: Mapping[str, Any]) -> object:
    return dict(members)


async def _no(members: Mapping[str, Any]) -> object:
    raise ActRefused(f"There is no {members['link']}.")


async def _break(members: Mapping[str, Any]) -> object:
    raise LookupError("0901234567")


ACTS = {
    "echo": Act(_echo),
    "link/do": Act(_echo, changes=True),
    "link/own": Act(_echo, changes=True, notes_itself=True),
    "link/no": Act(_no, changes=True),
    "break": Act(_break),
}


class Caller:
    """Somebody with a socket."""

    def __init__(self, port: int, said: io.StringIO, store: SqliteStore) -> None:
        self.port = port
        self.store = store
        self.said = said

    async def ask(self, act: str, body: bytes = b"", headers: str = SHOWN) -> Reply:
        """Call an act."""
        return await self.send(http("POST", f"/control/{act}", body, headers))

    async def send(self, request: bytes) -> Reply:
        """Bytes there, bytes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return parse(answer)


def control(folder: Path, scenario: Callable[[Caller], Awaitable[None]]) -> None:
    """Play a scenario at a control door."""

    async def whole(place: Doorway) -> None:
        said = io.StringIO()
        door = ControlDoor(ACTS, TOKEN, make_log(Lines(said), place.world.now_ms), place.store.note_act)
        listener = await Listener.start(place.world, door.handle, "127.0.0.1", 0, Limits(), place.faults.append)
        try:
            await scenario(Caller(listener.port, said, place.store))
        finally:
            await listener.close(0)

    doorway(folder, whole)


def test_an_act_gets_the_members_and_gives_a_value(tmp_path: Path) -> None:
    """An empty body is an empty object; the answer may not be kept by anything on the way."""

    async def scenario(caller: Caller) -> None:
        reply = await caller.ask("echo", b'{"link":"north","count":2}')
        assert reply.status == 200
        assert json.loads(reply.body) == {"link": "north", "count": 2}
        assert b"Cache-Control: no-store" in reply.raw
        assert json.loads((await caller.ask("echo")).body) == {}

    control(tmp_path, scenario)


@pytest.mark.parametrize(
    "headers",
    [
        "",
        "Authorization: Bearer \r\n",
        "Authorization: Bearer \u00ff\r\n",
        f"Authorization: Basic {TOKEN.hex()}\r\n",
        f"Authorization: Bearer {TOKEN.hex()}0\r\n",
    ],
    ids=["none", "empty", "not ascii", "another kind", "too long"],
)
def test_without_the_token_nothing_is_told(tmp_path: Path, headers: str) -> None:
    """Not even which acts there are."""

    async def scenario(caller: Caller) -> None:
        assert (await caller.ask("echo", b"{}", headers)).status == 401
        assert (await caller.ask("nothing", b"{}", headers)).status == 401

    control(tmp_path, scenario)


def test_what_cannot_be_done_is_refused_in_words(tmp_path: Path) -> None:
    """A reason for the operator, a number for the program, no details of our own breakage."""

    async def scenario(caller: Caller) -> None:
        refused = await caller.ask("link/no", b'{"link":"south"}')
        assert (refused.status, json.loads(refused.body)) == (409, {"error": "There is no south."})
        assert "operator.act" in caller.said.getvalue()
        assert (await caller.ask("nothing")).status == 404
        assert (await caller.ask("echo", b"[1]")).status == 400
        assert (await caller.send(http("GET", "/control/echo", b"", SHOWN))).status == 405
        broken = await caller.ask("break")
        assert (broken.status, json.loads(broken.body)) == (500, {"error": "Internal error"})
        assert "0901234567" not in caller.said.getvalue()

    control(tmp_path, scenario)


def test_the_doorplate_is_its_owners_alone(tmp_path: Path) -> None:
    """Written whole and with mode 600 before it has its name; gone after a stop."""
    store = str(tmp_path / "bocau.db")
    plate = Doorplate("http://127.0.0.1:8485", TOKEN.hex())
    hang_doorplate(store, plate)
    hang_doorplate(store, plate)
    file = tmp_path / "bocau.db.control"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_doorplate(store) == plate
    take_doorplate_down(store)
    take_doorplate_down(store)
    with pytest.raises(NoDoorplate, match="No gateway runs"):
        read_doorplate(store)


def test_a_damaged_doorplate_says_so(tmp_path: Path) -> None:
    """Not a traceback."""
    (tmp_path / "bocau.db.control").write_text('{"url":')
    with pytest.raises(NoDoorplate, match="damaged"):
        read_doorplate(str(tmp_path / "bocau.db"))


def test_what_changes_something_is_in_the_audit_with_who_did_it(tmp_path: Path) -> None:
    """Once it is done; what only looks, what is refused, and what leaves its own line are not."""

    async def scenario(caller: Caller) -> None:
        before = len(await caller.store.audit(100))
        body = b'{"link":"north","actor":"alice (sudo)"}'
        for act in ("echo", "link/do", "link/own", "link/no"):
            await caller.ask(act, body)
        await caller.ask("link/do", b"{}")
        lines = (await caller.store.audit(100))[:-before]
        assert [line[1:] for line in lines] == [("unnamed", "link.do", ""), ("alice (sudo)", "link.do", "north")]

    control(tmp_path, scenario)
