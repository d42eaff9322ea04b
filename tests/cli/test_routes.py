"""`bocau route explain` and `bocau check --connect`: decisions and reach, before anything is sent."""

import asyncio
import socket
from pathlib import Path

import pytest
from tests.cli.shell import Shell, make_store

from bocau.cli.reaching import reach
from bocau.settings import read_settings
from bocau.store.contract import Clerk
from bocau.store.sqlite import SqliteStore
from bocau.world import RealWorld

FILE = """\
[store]
path = "{folder}/bocau.db"
[[carrier]]
name = "viettel-1"
host = "127.0.0.1"
port = {port}
system_id = "s"
password = "p"
[[carrier]]
name = "spare"
kind = "relay"
url = "{url}"
api_key = "k"
secret_key = "canary-secret"
[[route]]
name = "shop-only"
carrier = "spare"
accounts = ["shop"]
[[route]]
name = "viettel"
carriers = ["viettel-1", "spare"]
telco = 1
order = "weight"
weights = [3, 1]
[[route]]
name = "codes"
carrier = "viettel-1"
route_class = "otp"
"""


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    make_store(tmp_path)
    file = tmp_path / "bocau.toml"
    file.write_text(FILE.format(folder=tmp_path, port=1, url="http://127.0.0.1:1"))
    return file


def test_every_route_says_why_it_takes_a_message_or_not(settings_file: Path) -> None:
    """The one that counts is marked, with its carriers and their shares."""
    said = Shell().ok("route", "explain", "--phone", "0961234567", "--config", str(settings_file))
    assert said.splitlines() == [
        "0961234567: network Viettel",
        "   shop-only: is for other accounts",
        "-> viettel: takes it",
        "     shares: viettel-1 75%, spare 25%",
        "   codes: would take it too, but comes later",
        "Carriers, in the order they are tried: viettel-1, spare",
    ]


def test_the_explanation_is_a_document_for_programs(settings_file: Path) -> None:
    """With the same words."""
    told = Shell().json("route", "explain", "--phone", "+84901234567", "--type", "8", "--config", str(settings_file))
    assert (told["phone"], told["network"], told["route"], told["carriers"]) == (
        "0901234567",
        "Mobifone",
        "codes",
        ["viettel-1"],
    )
    assert [row["picked"] for row in told["routes"]] == [False, False, True]
    assert told["routes"][1]["why"] == "is for network 1"


def test_a_message_that_no_route_takes_fails(settings_file: Path) -> None:
    """Exit code 1, and what would become of it."""
    words = ("route", "explain", "--phone", "0901234567", "--class", "other", "--config", str(settings_file))
    result = Shell().run(*words)
    assert result.exit_code == 1
    assert "No route takes it" in result.stdout


def test_a_number_or_an_account_that_is_none_is_told(settings_file: Path) -> None:
    """In a sentence."""
    assert "12 is no Vietnamese mobile number" in Shell().fails(
        "route", "explain", "--phone", "12", "--config", str(settings_file)
    )
    assert "nobody" in Shell().fails(
        "route", "explain", "--phone", "0901234567", "--account", "nobody", "--config", str(settings_file)
    )


def test_a_halted_carrier_is_marked(settings_file: Path, tmp_path: Path) -> None:
    """What is chosen is not what is sent to now."""

    async def pause() -> None:
        store = await SqliteStore.administrate(str(tmp_path / "bocau.db"), Clerk("test", lambda: 0))
        await store.set_halt("viettel-1", "paused", 0)
        await store.close(0)

    asyncio.run(pause())
    said = Shell().ok("route", "explain", "--phone", "0961234567", "--config", str(settings_file))
    assert "tried: viettel-1 (paused), spare" in said


def test_carriers_out_of_reach_are_told_with_their_key(tmp_path: Path) -> None:
    """Nothing listens at one; the other speaks no TLS; a third is fine."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        file = tmp_path / "bocau.toml"
        file.write_text(FILE.format(folder=tmp_path, port=port, url="http://127.0.0.1:1"))
        problems = asyncio.run(reach(read_settings(file), RealWorld()))
        assert [(problem.table, problem.key) for problem in problems] == [("[carrier.spare]", "url")]
        assert "127.0.0.1:1 cannot be reached" in problems[0].text
        assert str(problems[0].origin) == f"{file}:12"
        said = Shell().run("check", "--connect", "--config", str(file))
        assert said.exit_code == 1
        assert "cannot be reached" in said.stdout
        assert "canary-secret" not in said.stdout
