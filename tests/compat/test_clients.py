"""Client programs in the languages of the field, written as such clients are, against a gateway (esms-api 9)."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.compat.conftest import Addresses

CLIENTS = Path(__file__).with_name("clients")


def has_php_with_curl() -> bool:
    """Whether there is a PHP, and it can call and read XML."""
    if shutil.which("php") is None:
        return False
    found = subprocess.run(["php", "-m"], capture_output=True, text=True).stdout.split()
    return {"curl", "json", "SimpleXML"} <= set(found)


PROGRAMS = [
    pytest.param(sys.executable, "client.py", id="python"),
    pytest.param(
        "node",
        "client.mjs",
        id="node",
        marks=pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed"),
    ),
    pytest.param(
        "php",
        "client.php",
        id="php",
        marks=pytest.mark.skipif(not has_php_with_curl(), reason="php with curl and SimpleXML is not installed"),
    ),
]


@pytest.mark.parametrize(("interpreter", "program"), PROGRAMS)
def test_a_client_program_finds_the_api_it_knows(gateway: Addresses, interpreter: str, program: str) -> None:
    """It prints a line for each of its habits; all of them are ok."""
    command = [interpreter, str(CLIENTS / program), gateway.api]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert len(lines) >= 10
    assert [line for line in lines if not line.startswith("ok ")] == []
