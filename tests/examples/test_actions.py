"""The GitHub Actions example: a workflow that can be read, whose commands run."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.system.processes import free_port

WORKFLOW = Path(__file__).resolve().parents[2] / "examples" / "github-actions.yml"
TESTS = """
import urllib.request

def test_codes(bocau):
    bocau.client.send("0901888484", "482193 la ma dang nhap Bocau cua ban", brandname="Bocau")
    assert bocau.wait_otp("0901888484") == "482193"

def test_that_fails(bocau):
    assert bocau.wait_otp("0901888485", timeout=0)
"""


@pytest.fixture
def job() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    job: dict[str, Any] = found["jobs"]["test"]
    return job


@pytest.fixture
def steps(job: dict[str, Any]) -> dict[str, str]:
    """The commands by name."""
    return {step["name"]: step["run"] for step in job["steps"] if "run" in step}


@pytest.fixture
def runner(tmp_path: Path, job: dict[str, Any]) -> Iterator[dict[str, str]]:
    """The environment of a step; what was started in it ends with the test. Ports are free ones: others run too."""
    (tmp_path / "test_codes.py").write_text(TESTS)
    api, admin = free_port(), free_port()
    ours = {name: value.replace("8485", str(admin)).replace("8484", str(api)) for name, value in job["env"].items()}
    ports = {"BOCAU_API__PORT": str(api), "BOCAU_ADMIN__PORT": str(admin), "BOCAU_PORTS": f"{api} {admin}"}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    yield {**os.environ, **ours, **ports, "PATH": path, "RUNNER_TEMP": str(tmp_path), "PWD": str(tmp_path)}
    for pid in re.findall(r"^([0-9]+) .*--data " + re.escape(str(tmp_path)), _processes(), re.MULTILINE):
        os.kill(int(pid), signal.SIGTERM)


def _processes() -> str:
    return subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout.replace(
        "\n ", "\n"
    )


def bash(command: str, runner: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """As a runner does it."""
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command]
    return subprocess.run(shell, env=runner, cwd=runner["PWD"], capture_output=True, text=True, timeout=100)


def test_the_commands_of_the_workflow_run(steps: dict[str, str], runner: dict[str, str]) -> None:
    """Start, test, keep: one test passes, one fails, and what happened in it is there."""
    assert "bocau[pytest" in steps["Install"]
    api, admin = runner["BOCAU_PORTS"].split()
    start = steps["Start bocau"].replace("bocau dev", f"bocau dev --api-port {api} --admin-port {admin} --smsc-port 0")
    started = bash(start, runner)
    assert started.returncode == 0, started.stdout + started.stderr
    tested = bash(steps["Test"].replace("-m pytest", "-m pytest -p no:cacheprovider"), runner)
    assert tested.returncode == 1
    assert "1 failed, 1 passed" in tested.stdout, tested.stdout + tested.stderr
    kept = bash(steps["Keep the log"], runner)
    assert kept.returncode == 0, kept.stderr
    artifacts = Path(runner["PWD"]) / "artifacts"
    assert "482193" in (artifacts / "messages.jsonl").read_text("utf-8")
    assert "gateway.ready" in (artifacts / "bocau.log").read_text("utf-8")
    assert [file.parent.name for file in artifacts.glob("*/story.json")] == ["test_codes.py_test_that_fails"]


def test_the_workflow_needs_no_rights_and_no_secrets(job: dict[str, Any]) -> None:
    """It may run for everybody's pull request."""
    whole = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    assert whole["permissions"] == {"contents": "read"}
    assert "secrets." not in WORKFLOW.read_text("utf-8")
    assert all("uses" in step or "run" in step for step in job["steps"])
