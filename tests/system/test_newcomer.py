"""The path of somebody new: what the README and the banner say to type, typed."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.testing.test_parallel import LEAN

ROOT = Path(__file__).resolve().parents[2]
PAINT = re.compile(r"\x1b\[[0-9;]*m")


@contextmanager
def terminal(folder: Path) -> Iterator[int]:
    """`bocau dev` at a terminal, on free ports."""
    ours, theirs = pty.openpty()
    ports = ["--api-port", "0", "--admin-port", "0", "--smsc-port", "0"]
    command = [sys.executable, "-m", "bocau", "dev", "--no-first-message", *ports]
    with subprocess.Popen(command, cwd=folder, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL) as process:
        os.close(theirs)
        try:
            yield ours
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
            os.close(ours)


def read_until(descriptor: int, pattern: str, seconds: float = 60.0) -> str:
    """What a terminal shows until it shows that."""
    said, end = "", time.monotonic() + seconds
    while not re.search(pattern, said):
        left = end - time.monotonic()
        assert left > 0, said
        if select.select([descriptor], [], [], left)[0]:
            said += PAINT.sub("", os.read(descriptor, 65_536).decode("utf-8", "replace"))
    return said


def test_the_banner_has_all_that_one_needs_and_a_line_that_works(tmp_path: Path) -> None:
    """Base URL, console, a pair of keys; and the SMS appears in the same second."""
    with terminal(tmp_path) as screen:
        said = read_until(screen, r"curl -s .*\}'")
        for needed in (
            r"API +http://127",
            r"console +http://127",
            r"ApiKey +bocau-dev",
            r"SecretKey +bocau-dev-secret",
        ):
            assert re.search(needed, said), said
        curl = re.search(r"curl -s .*\}'", said)
        assert curl
        done = subprocess.run(["bash", "-c", curl[0]], capture_output=True, text=True, timeout=20)
        assert json.loads(done.stdout)["CodeResult"] == "100", done.stdout + done.stderr
        assert "Baotrixemay: 4821 la ma xac minh" in read_until(screen, "4821 la ma xac minh", 10)


def test_the_test_in_the_readme_passes(pytester: pytest.Pytester) -> None:
    """As it stands there."""
    text = (ROOT / "README.md").read_text("utf-8")
    [block] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    pytester.makepyfile(test_code=block)
    pytester.runpytest_subprocess("-q", *LEAN).assert_outcomes(passed=1)
