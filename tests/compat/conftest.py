"""A whole gateway in a process of its own, for programs that are not ours."""

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest

READY = re.compile(r'"event":"gateway\.ready","api_port":([0-9]+),"admin_port":([0-9]+)')


class Addresses(NamedTuple):
    """Where a gateway listens."""

    api: str
    admin: str
    pid: int
    """Of its process."""


@pytest.fixture(scope="session")
def gateway() -> Iterator[Addresses]:
    """A `bocau dev` with its account and its simulated carrier, on free ports, with nothing to lose."""
    ports = ("--api-port", "0", "--admin-port", "0", "--smsc-port", "0", "--no-first-message")
    command = (sys.executable, "-m", "bocau", "dev", "--ephemeral", *ports)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        try:
            found = next(filter(None, map(READY.search, iter(program.stdout.readline, ""))))
            yield Addresses(f"http://127.0.0.1:{found[1]}", f"http://127.0.0.1:{found[2]}", program.pid)
        finally:
            program.terminate()
            program.stdout.read()
