"""node-smpp as carrier of our client, and as client of our carrier."""

import shutil
from pathlib import Path

import pytest
from tests.interop.ends import FOREIGN, HERE, Program, gateway, running, send, simulator

NODE = shutil.which("node")
MODULES = FOREIGN / "node_modules"
pytestmark = pytest.mark.skipif(
    NODE is None or not (MODULES / "smpp").is_dir(), reason="needs node and node-smpp: make test-interop fetches it"
)
TEXT = "4821 la ma xac minh dang ky Baotrixemay cua ban"


def node(script: str, *arguments: str) -> list[str]:
    """How to run a script beside this file."""
    return [NODE or "node", str(HERE / script), *arguments]


def port_of(program: Program) -> int:
    """The first line."""
    return int(program.line(str.isdigit))


@pytest.mark.parametrize("dialect", ["same", "decimal", "early"])
def test_messages_through_a_node_carrier_are_delivered(tmp_path: Path, dialect: str) -> None:
    """Whatever the case and base of the id in its receipts, and before or after its answer."""
    with (
        running(node("server.js", dialect), NODE_PATH=str(MODULES)) as carrier,
        gateway(tmp_path, port_of(carrier), validity="relative") as (_, api),
    ):
        send(api, TEXT)
        seen = carrier.json()
        assert (seen["to"], seen["from"], seen["text"]) == ("84901234567", "Baotrixemay", TEXT)
        assert isinstance(seen["reference"], int)
        assert seen["validity"]


def test_our_carrier_serves_a_node_client() -> None:
    """Bind, submit, payload, sign of life, receipts, unbind."""
    with simulator() as (_, port), running(node("client.js", str(port)), NODE_PATH=str(MODULES)) as client:
        assert client.json(kind="bound") == {"kind": "bound", "status": 0, "carrier": "bocau"}
        ids = {client.json(kind="answer")["id"] for _ in range(2)}
        reported = {client.json(kind="receipt")["text"].split()[0] for _ in range(2)}
        assert reported == {f"id:{one}" for one in ids}
        assert client.process.wait(20) == 0
