"""The files of deploy/: what systemd says of the unit, and what a container may and may not do.

No container engine is asked: the file is read, and the command that fills the image is a line of it.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "deploy/systemd/bocau.service"
CONTAINER = ROOT / "deploy/container/Containerfile"
MOST_EXPOSED = 1.5
"""On systemd's scale from 0, closed, to 10; a unit without any care has about 9.6."""


@pytest.fixture
def analyze() -> str:
    """systemd's own judge."""
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not installed (Debian: apt-get install systemd)")
    return found


def settings(text: str) -> dict[str, list[str]]:
    """What a unit sets, by key."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, is_setting, value = line.partition("=")
        if is_setting and not line.startswith(("#", "[")):
            found.setdefault(key, []).append(value)
    return found


def test_the_unit_is_one_that_systemd_takes_without_a_word(analyze: str, tmp_path: Path) -> None:
    """Every key is known and every value fits; the program stands for the installed one."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/bocau/bin/bocau", sys.executable))
    done = subprocess.run([analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if UNIT.name in line]
    assert ours == []


def test_the_unit_is_as_closed_as_such_a_program_can_be(analyze: str) -> None:
    """systemd's own measure of what is left open."""
    threshold = str(round(MOST_EXPOSED * 10))
    done = subprocess.run(
        [analyze, "security", "--no-pager", "--offline=true", f"--threshold={threshold}", str(UNIT)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-600:] + done.stderr


def test_the_unit_ends_and_restarts_as_the_gateway_wants_it() -> None:
    """It has the time to drain, and does not start again on a store that may not be written."""
    found = settings(UNIT.read_text())
    assert int(found["TimeoutStopSec"][0]) >= 60
    assert found["RestartPreventExitStatus"] == ["3"]
    assert found["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert found["User"] == ["bocau"]
    assert found["UMask"] == ["0077"]


def instructions() -> list[tuple[str, str]]:
    """The container file, instruction by instruction."""
    lines = [line for line in CONTAINER.read_text().splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_the_container_runs_as_nobody_in_particular_by_number() -> None:
    """A cluster that forbids root can see that it is none; what comes after may not be root again."""
    users = [rest for word, rest in instructions() if word == "USER"]
    assert users
    assert all(re.fullmatch(r"[1-9][0-9]{3,}:[1-9][0-9]{3,}", user) for user in users)
    words = [word for word, _ in instructions()]
    assert not {"RUN", "COPY", "ADD"} & set(words[words.index("USER") :])


def test_the_container_file_uses_no_shell_fetches_nothing_by_itself_and_names_what_it_builds_on() -> None:
    """Commands are lists of words; bases and tools have versions; every file it copies is there and is sent along."""
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for word, rest in instructions():
        assert word != "ADD"
        if word in ("RUN", "CMD", "ENTRYPOINT"):
            assert isinstance(json.loads(rest), list)
        if word == "FROM":
            assert re.match(r"[a-z/]+:[0-9][^ ]*", rest), rest
            assert ":latest" not in rest
        if word == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert source in sent
    installs = [json.loads(rest) for word, rest in instructions() if word == "RUN" and '"pip"' in rest]
    assert all(re.search(r"==[0-9.]+$", words[-1]) for words in installs)


def test_the_container_says_whether_it_lives_and_where_it_writes() -> None:
    """Its check asks the listener that the port of the settings names; its only volume is the folder of the store."""
    found = dict(instructions())
    check = json.loads(found["HEALTHCHECK"].partition(" CMD ")[2])
    assert "http://127.0.0.1:8485/healthz" in check[-1]
    compile(check[-1], "healthcheck", "exec")
    assert json.loads(found["VOLUME"]) == ["/var/lib/bocau"]
    assert json.loads(found["ENTRYPOINT"]) == ["bocau"]
