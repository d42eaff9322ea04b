"""The pytest plug-in: a gateway for each run, a namespace for each test.

```python
def test_login(bocau, browser):
    browser.ask_for_code("0901888484")
    browser.enter(bocau.wait_otp("0901888484", timeout=5))
```
"""

import re
import shutil
import tempfile
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from bocau.testing.kit import Bocau, open_namespace
from bocau.testing.server import Server, start, stop

__all__ = ["bocau", "bocau_server", "bocau_templates"]

_FOLDER: Final = pytest.StashKey[Path]()
_FAILED: Final = pytest.StashKey[bool]()
_UNSAFE: Final = re.compile(r"[^0-9A-Za-z.-]+")
_SHARED: Final = "bocau_folder"
"""In the input that pytest-xdist hands to its workers."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the plug-in."""
    group = parser.getgroup("bocau", "tests of one-time codes (bocau)")
    group.addoption(
        "--bocau-url",
        default="",
        metavar="URL",
        help="Use a running `bocau dev`: the address of its admin listener, such as http://127.0.0.1:8485.",
    )
    group.addoption(
        "--bocau-artifacts",
        default="",
        metavar="DIR",
        help="For each test that fails, keep what happened: a folder with its timeline (JSON) and its calls (WAV).",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test failed, for its namespace."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


def _folder(config: pytest.Config) -> Path:
    """Where the processes of a run meet; made by the first one, or by the controller of pytest-xdist."""
    given = getattr(config, "workerinput", {}).get(_SHARED)
    if given:
        return Path(given)
    if _FOLDER not in config.stash:
        config.stash[_FOLDER] = Path(tempfile.mkdtemp(prefix="bocau-tests-"))
    return config.stash[_FOLDER]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401 - pytest-xdist may not be there
    """A worker of pytest-xdist is about to start: tell it where the others are."""
    node.workerinput[_SHARED] = str(_folder(node.config))


def pytest_unconfigure(config: pytest.Config) -> None:
    """The run is over: the process that made the folder stops what was started in it."""
    if _FOLDER in config.stash:
        folder = config.stash[_FOLDER]
        stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def bocau_server(pytestconfig: pytest.Config) -> Server:
    """A running gateway of development: that of --bocau-url, else one for the whole run, on free ports."""
    given = str(pytestconfig.getoption("--bocau-url") or "")
    if given:
        return Server(_api_of(given), given)
    return start(_folder(pytestconfig))


def _api_of(admin: str) -> str:
    """Where the API of a running gateway is. Raises KitError if it has no test API."""
    space = open_namespace(admin)
    space.close()
    return space.base_url


@pytest.fixture(scope="session")
def bocau_templates() -> Mapping[str, list[str]]:
    """Override it to register your own: texts by brandname, in the form {P1,6} la ma cua ban. Each test has them."""
    return {}


@pytest.fixture
def bocau(
    request: pytest.FixtureRequest,
    bocau_server: Server,
    bocau_templates: Mapping[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Bocau]:
    """A namespace for this test alone; ESMS_BASE_URL, ESMS_API_KEY and ESMS_SECRET_KEY are set to it."""
    space = open_namespace(bocau_server.admin, bocau_templates)
    for name, value in space.environ.items():
        monkeypatch.setenv(name, value)
    try:
        yield space
        artifacts = str(request.config.getoption("--bocau-artifacts") or "")
        if artifacts and request.node.stash.get(_FAILED, False):
            space.save(Path(artifacts) / _UNSAFE.sub("_", request.node.nodeid).strip("_"))
    finally:
        space.close()
