"""Whatever fits the OpenAPI document, and much that does not, is answered: no 5xx, and the shapes that are documented.

A longer run: BOCAU_FUZZ_EXAMPLES=500, as `make fuzz` sets it.
"""

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from tests.compat.conftest import Addresses

EXAMPLES = os.environ.get("BOCAU_FUZZ_EXAMPLES", "1")
KIT = ("--exclude-tag", "Test API")
"""It is on the other listener, and moves the clock."""
LEFT_OUT = KIT if "BOCAU_FUZZ_EXAMPLES" in os.environ else (*KIT, "--exclude-tag", "Known by name")
"""In the short run, what is answered 118 whatever is asked, too."""
PHASES = "examples,fuzzing" if "BOCAU_FUZZ_EXAMPLES" in os.environ else "fuzzing"
"""The examples are tried one by one by the tests of the reference."""
CHECKS = "not_a_server_error,content_type_conformance,status_code_conformance,response_schema_conformance,cpu_cost"
HOOKS = "tests.compat.schema_cost"
"""Where cpu_cost is."""

ROOT = Path(__file__).parents[2]
KEYS = {"ApiKey": "bocau-dev", "SecretKey": "bocau-dev-secret"}


def test_the_document_is_served_on_the_operator_s_listener(gateway: Addresses) -> None:
    """For Swagger, generators and Postman."""
    with urllib.request.urlopen(f"{gateway.admin}/openapi.json", timeout=15) as answer:  # noqa: S310
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        assert answer.read().startswith(b'{"openapi":"3.1.0"')


@pytest.mark.timeout(1200)
def test_generated_requests_never_break_the_gateway(gateway: Addresses, tmp_path: Path) -> None:
    """Schemathesis makes them from the document, right and wrong ones, with good keys, for every path and method; none
    is a server error, and none costs more than 100 ms of CPU."""
    lines = [f'"{place}.{name}" = "{value}"' for place in ("query", "path", "body") for name, value in KEYS.items()]
    (tmp_path / "schemathesis.toml").write_text("\n".join(["[parameters]", *lines]), "utf-8")
    options = ("--phases", PHASES, "--max-examples", EXAMPLES, "--checks", CHECKS, "--no-color", *LEFT_OUT)
    address = (f"{gateway.admin}/openapi.json", "--url", gateway.api)
    command = [sys.executable, "-m", "schemathesis.cli", "run", *address, *options]
    known = {"SCHEMATHESIS_HOOKS": HOOKS, "BOCAU_GATEWAY_PID": str(gateway.pid), "PYTHONPATH": str(ROOT)}
    environment = {**os.environ, **known}
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
