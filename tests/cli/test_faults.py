"""`bocau fault`, on a running gateway of development."""

import pytest
from tests.cli.shell import Shell

from bocau.console.control import Doorplate, hang_doorplate
from bocau.testing.kit import Bocau
from bocau.testing.server import Server


@pytest.fixture
def running(desk: Shell, bocau_server: Server) -> Shell:
    """Commands that find the gateway of the run."""
    hang_doorplate(f"{desk.data}/bocau.db", Doorplate(bocau_server.admin, "a token"))
    return desk


def test_faults_are_put_in_listed_and_taken_out(running: Shell, bocau: Bocau) -> None:
    """Of one test, so that those beside it do not feel it; what it says is what the fixture sees."""
    mine = ("--namespace", bocau.api_key)
    assert running.ok("fault", "list", *mine) == "No fault is in force.\n"
    said = running.ok("fault", "add", "late", "seconds=40", "template={P1,6} la ma", *mine)
    number = said.split()[1]
    assert said == f"Fault {number} is in force: late template='{{P1,6}} la ma' seconds=40\n"
    assert running.json("fault", "add", "refuse rate=0.5", "--seed", "7", *mine)["line"] == "refuse rate=0.5"
    assert [fault["line"] for fault in bocau.faults()] == ["late template='{P1,6} la ma' seconds=40", "refuse rate=0.5"]
    assert "refuse rate=0.5" in running.ok("fault", "list", *mine)
    assert running.ok("fault", "remove", number, *mine) == f"Fault {number} is over; 1 left.\n"
    assert "There is no fault" in running.fails("fault", "remove", number, *mine)
    running.ok("fault", "clear", *mine)
    assert bocau.faults() == []


def test_faults_of_everybody(running: Shell, bocau: Bocau) -> None:
    """About a number that no test uses; they are none of a namespace's."""
    added = running.json("fault", "add", "undelivered", "prefix=0909999999")
    try:
        assert added["line"] == "undelivered prefix=84909999999"
        assert bocau.faults() == []
        bocau.client.send("0909999999", "482193 la ma dang nhap Bocau cua ban", brandname="Bocau")
        bocau.wait_sms("0909999999")
        [row] = [row for row in running.json("fault", "list") if row["number"] == added["number"]]
        assert (row["seen"], row["struck"]) == (1, 1)
    finally:
        running.ok("fault", "remove", str(added["number"]))


def test_what_is_no_fault_is_explained(running: Shell) -> None:
    """With what there is instead."""
    assert "there are refuse, throttle" in running.fails("fault", "add", "explode")
    assert "no such namespace" in running.fails("fault", "list", "--namespace", "nobody")
    acts = {row["name"] for row in Shell().json("fault", "acts")}
    assert {"callback_answer", "network=", "until="} <= acts


def test_no_gateway_no_faults(desk: Shell) -> None:
    """It says what to start."""
    assert "No gateway runs on" in desk.fails("fault", "list")
