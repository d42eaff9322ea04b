"""smpp34 (Rust) as carrier of our client, and as client of our carrier."""

import sys
from pathlib import Path

import pytest
from tests.interop.ends import FOREIGN, HERE, free_port, gateway, running, send, simulator

LIBRARY = FOREIGN / "python"
pytestmark = pytest.mark.skipif(
    not (LIBRARY / "smpp34").is_dir(), reason="needs smpp34 from PyPI: make test-interop fetches it"
)
TEXT = "4821 la ma xac minh dang ky Baotrixemay cua ban"


def test_messages_through_its_carrier_are_delivered(tmp_path: Path) -> None:
    """Its receipts spell the id otherwise than its answers."""
    port = free_port()
    with running([sys.executable, str(HERE / "smpp34_server.py"), str(port)], PYTHONPATH=str(LIBRARY)) as carrier:
        carrier.line(lambda line: line == "ready")
        with gateway(tmp_path, port) as (_, api):
            send(api, TEXT)
            assert carrier.json() == {"to": "84901234567", "text": TEXT}


def test_our_carrier_serves_its_client() -> None:
    """Bind, submit, receipt, unbind."""
    with simulator() as (_, port):
        command = [sys.executable, str(HERE / "smpp34_client.py"), str(port)]
        with running(command, PYTHONPATH=str(LIBRARY)) as client:
            heard = client.json()
            assert heard["receipt"].startswith(f"id:{heard['id']} ")
            assert "stat:DELIVRD" in heard["receipt"]
