"""`bocau template import --from-esms`, with a whole gateway in the place of the live service."""

from pathlib import Path

import pytest
from tests.cli.shell import Shell, make_store
from tests.compat.conftest import Addresses

from bocau.provision import DEVELOPMENT


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A store with an account that has nothing yet, and the keys of the account over there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    make_store(tmp_path / "data")
    shell = Shell(tmp_path / "data", {"ESMS_API_KEY": "bocau-dev", "ESMS_SECRET_KEY": "bocau-dev-secret"})
    shell.ok("account", "create", "shop")
    return shell


def test_an_account_of_another_gateway_is_taken_over(gateway: Addresses, own: Shell) -> None:
    """Every brandname and template of type 2, and a second time nothing: what was listed matches what is stored."""
    words = ("template", "import", "shop", "--from-esms", "--url", gateway.api)
    theirs = {(name, telco) for name, _ in DEVELOPMENT.templates for telco in range(1, 8)}
    assert "Do it with --apply" in own.ok(*words)
    taken = own.json(*words, "--apply")
    assert set(taken["new_brandnames"]) == {name for name, _ in theirs}
    assert {(row["brandname"], row["telco"]) for row in taken["new_templates"]} == theirs
    again = own.json(*words, "--apply")
    assert (again["new_templates"], again["known"], again["only_here"]) == ([], len(taken["new_templates"]), [])
