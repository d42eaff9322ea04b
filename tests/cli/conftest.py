"""Fixtures of the command line's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.shell import Shell, Stub, make_store, stub


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store made once; every test works on a copy."""
    data = tmp_path_factory.mktemp("store")
    make_store(data)
    return data


@pytest.fixture
def desk(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Commands on a store of their own, in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    for file in template.iterdir():
        copy = data / file.name
        copy.write_bytes(file.read_bytes())
        copy.chmod(0o600)
    return Shell(data)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Commands in an empty folder, without a store."""
    monkeypatch.chdir(tmp_path)
    for name in ("BOCAU_URL", "BOCAU_ADMIN_URL", "BOCAU_API_KEY", "BOCAU_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    return Shell()


@pytest.fixture
def gateway() -> Iterator[Stub]:
    """A scripted gateway."""
    with stub() as stage:
        yield stage
