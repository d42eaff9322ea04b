"""Every hard case of carriers over real sockets and in virtual time, and that the list of them is whole."""

import asyncio
import io
import re
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.simulation.world import Machine, Network, play
from tests.system.hard_cases import CASES, Case, play_case

from bocau.ports import World
from bocau.world import RealWorld

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "discussions" / "hard-cases.md"


class Loopback:
    """This machine."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        self._world = RealWorld()

    def world(self, name: str) -> World:
        del name
        return self._world

    async def run(self, name: str, work: Coroutine[Any, Any, T]) -> T:
        del name
        return await work


class Virtual:
    """Three processes on one address of a simulated network."""

    host = "10.0.0.1"

    def __init__(self, network: Network) -> None:
        self._machines: dict[str, Machine] = {
            name: network.machine(name, self.host) for name in ("gateway", "carrier", "customer")
        }

    def world(self, name: str) -> World:
        return self._machines[name].world

    async def run(self, name: str, work: Coroutine[Any, Any, T]) -> T:
        return await self._machines[name].run(work)


def sound(said: io.StringIO) -> None:
    """The gateway found no fault with itself."""
    assert [line for line in said.getvalue().splitlines() if '"gateway.fault"' in line or '"store.fail"' in line] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hard_case_over_real_sockets(case: Case, tmp_path: Path) -> None:
    """It ends as decided, with as many submits and as much money as decided."""
    said = io.StringIO()
    asyncio.run(play_case(case, Loopback(), tmp_path, said))
    sound(said)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hard_case_in_virtual_time(case: Case, tmp_path: Path) -> None:
    """The same row in the simulation, where bytes come in pieces and late."""
    said = io.StringIO()

    async def story(network: Network) -> None:
        await play_case(case, Virtual(network), tmp_path, said)

    play(story, seed=7)
    sound(said)


def rows_of_the_page() -> list[list[str]]:
    """The cells of both tables."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| 4.")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_of_hard_cases_is_this_table() -> None:
    """A case that is added is shown, and none is shown that is not played."""
    assert [row for row in rows_of_the_page() if len(row) == 4] == [
        [case.section, f"`{case.name}`", case.what, case.ends] for case in CASES
    ]


def test_every_section_of_the_hard_cases_names_tests_that_exist() -> None:
    """4.1 to 4.12; those that are no matter of carriers have their tests elsewhere."""
    rows = rows_of_the_page()
    assert {row[0] for row in rows} == {f"4.{number}" for number in range(1, 13)}
    for section, _, tests in (row for row in rows if len(row) == 3):
        named = re.findall(r"\[(\w+)\]\(\.\./\.\./(tests/[\w/]+\.py)\)", tests)
        assert named, f"{section} names no test"
        for test, file in named:
            assert f"def {test}(" in (ROOT / file).read_text("utf-8"), f"{test} is not in {file}"
