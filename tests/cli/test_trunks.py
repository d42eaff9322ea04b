"""`bocau trunk`: the trunks are listed, and the way of a call is walked to a called phone."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.shell import Shell

from bocau.simulator.phone import Phone
from bocau.world import RealWorld

TRUNK = '[[trunk]]\nname = "{}"\nhost = "127.0.0.1"\nport = {}\npriority = {}\n'


@pytest.fixture
def phone_port() -> Iterator[int]:
    """A called phone on a thread of its own; its port."""
    ready, done = threading.Event(), threading.Event()
    ports: list[int] = []

    async def serve() -> None:
        phone = Phone(RealWorld())
        await phone.start()
        ports.append(phone.port)
        ready.set()
        await asyncio.to_thread(done.wait)
        await phone.stop()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    yield ports[0]
    done.set()
    thread.join()


def test_trunks_are_listed_in_the_order_they_are_tried(shell: Shell, tmp_path: Path) -> None:
    """By priority; without any, a sentence."""
    assert shell.ok("trunk", "list") == "There is no trunk in the settings.\n"
    (tmp_path / "bocau.toml").write_text(TRUNK.format("spare", 5062, 5) + TRUNK.format("north", 5060, 0), "utf-8")
    rows = shell.json("trunk", "list")
    assert [row["trunk"] for row in rows] == ["north", "spare"]
    assert {row["state"] for row in rows} == {None}, "nobody knows while no gateway runs"
    assert "north" in shell.ok("trunk", "list")


def test_a_walk_shows_each_step_and_ends_with_the_first_that_fails(
    shell: Shell, tmp_path: Path, phone_port: int
) -> None:
    """Exit code 0 only if all worked."""
    text = TRUNK.format("north", phone_port, 0) + '[voice]\nengines = ["builtin"]\n'
    (tmp_path / "bocau.toml").write_text(text, "utf-8")
    told = shell.json("trunk", "test", "north")
    assert (told["trunk"], told["ok"]) == ("north", True)
    assert [step["name"] for step in told["steps"]] == ["name", "udp", "OPTIONS"]
    busy = shell.run("trunk", "test", "north", "--to", "0901230006")
    assert busy.exit_code == 1
    assert "BUSY: 486" in busy.stdout


def test_what_cannot_be_tested_is_told(shell: Shell, tmp_path: Path) -> None:
    """A trunk that is not there, a number that is none, a code that cannot be said."""
    (tmp_path / "bocau.toml").write_text(TRUNK.format("north", 5060, 0), "utf-8")
    assert 'did you mean "north"?' in shell.fails("trunk", "test", "nort")
    assert "no Vietnamese mobile number" in shell.fails("trunk", "test", "north", "--to", "1900")
