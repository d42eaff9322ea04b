"""One gateway for each test, on every engine, swept for violated promises at its end."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.store.engines import ENGINES
from tests.store.house import House
from tests.store.sweep import sweep


@pytest.fixture(params=sorted(ENGINES))
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """An open store, closed and swept after the test."""
    opened = House(ENGINES[request.param](tmp_path))
    try:
        yield opened
        sweep(opened.engine.inspect())
    finally:
        opened.close()
        opened.engine.close()
