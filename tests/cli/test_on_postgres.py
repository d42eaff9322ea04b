"""Commands whose store is on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.shell import Shell
from tests.postgres import Unavailable, server
from tests.store.engines import PostgresEngine


@pytest.fixture
def engine() -> Iterator[PostgresEngine]:
    """An empty store on a server."""
    try:
        server()
    except Unavailable as why:
        pytest.skip(f"no PostgreSQL: {why}")
    made = PostgresEngine()
    yield made
    made.close()


def shell_on(engine: PostgresEngine, folder: Path) -> Shell:
    """A command line of a data folder whose gateway keeps its store there."""
    return Shell(
        folder,
        {"BOCAU_STORE__DATABASE_URL": engine.address.url, "BOCAU_STORE__MAY_LOSE_COMMITS": "true"},
    )


def test_an_account_is_made_on_the_server(engine: PostgresEngine, tmp_path: Path) -> None:
    """There is no file, and none is asked for."""
    shell = shell_on(engine, tmp_path)
    shell.ok("account", "create", "shop")
    shell.ok("balance", "top-up", "shop", "5000")
    assert "shop" in shell.ok("account", "list")
    assert "5000" in shell.ok("balance", "show", "shop")
    assert list(tmp_path.glob("*.db")) == []


def test_a_copy_of_a_file_is_refused_with_what_to_do_instead(engine: PostgresEngine, tmp_path: Path) -> None:
    """A server is copied by its own tools."""
    assert "pg_dump" in shell_on(engine, tmp_path).fails("backup", str(tmp_path / "copy.db"))


def test_a_server_that_forgets_commits_is_named(engine: PostgresEngine, tmp_path: Path) -> None:
    """By a command too."""
    shell = Shell(tmp_path, {"BOCAU_STORE__DATABASE_URL": engine.address.url})
    assert "fsync is off" in shell.fails("account", "list")
