"""The examples run, against a gateway of their own."""

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bocau.report.signature import Signer, signature_headers

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PORT = re.compile(r'"event":"gateway.ready","api_port":([0-9]+)')
ADDRESS = re.compile(r"(http://127\.0\.0\.1:[0-9]+)")
SECRET = b"bocau-dev-callback-signing-key"
KEYS = {"ApiKey": "bocau-dev", "SecretKey": "bocau-dev-secret"}
SMS = {
    "Phone": "0901234567",
    "Content": "4821 la ma xac minh dang ky Baotrixemay cua ban",
    "Brandname": "Baotrixemay",
    "SmsType": "2",
}


@contextmanager
def started(*command: str) -> Iterator[Iterator[str]]:
    """Run a program for as long as the block lasts; what it prints, line by line."""
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True, cwd=ROOT) as program:
        assert program.stdout is not None
        try:
            yield iter(program.stdout.readline, "")
        finally:
            program.terminate()
            program.stdout.read()


def first(pattern: re.Pattern[str], lines: Iterator[str]) -> str:
    """What the pattern catches in the first line that has it."""
    for line in lines:
        found = pattern.search(line)
        if found:
            return found[1]
    raise AssertionError("the program ended without telling where it listens")


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    """The address of a gateway with a simulated carrier."""
    ports = ("--api-port", "0", "--admin-port", "0", "--smsc-port", "0")
    command = ("-m", "bocau", "dev", "--ephemeral", *ports, "--no-first-message")
    with started(*command) as lines:
        yield f"http://127.0.0.1:{first(PORT, lines)}"


def run(command: list[str], url: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "BOCAU_URL": url, **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_sends_and_asks(gateway: str) -> None:
    """The first thing that most people try."""
    done = run([str(EXAMPLES / "curl.sh")], gateway, BOCAU_WAIT="0")
    assert done.returncode == 0, done.stderr
    sent, status = (json.loads(line) for line in done.stdout.splitlines())
    assert sent["CodeResult"] == status["CodeResponse"] == "100"
    assert sent["SMSID"] == status["SMSID"]


def test_a_one_time_code_is_sent_and_delivered(gateway: str) -> None:
    """Send, poll, and an exit code that a script can use."""
    done = run([sys.executable, str(EXAMPLES / "send_otp.py"), "0901234567"], gateway)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "delivered"


def test_a_one_time_code_that_cannot_be_delivered_is_told(gateway: str) -> None:
    """The simulated carrier does not deliver to numbers that end in 0002."""
    done = run([sys.executable, str(EXAMPLES / "send_otp.py"), "0901230002"], gateway)
    assert done.returncode == 1
    assert "not delivered" in done.stdout


def test_a_refusal_is_told(gateway: str) -> None:
    """Wrong keys end the program with the code."""
    done = run([sys.executable, str(EXAMPLES / "send_otp.py")], gateway, BOCAU_SECRET_KEY="wrong")
    assert done.returncode == 1
    assert done.stderr.strip() == "refused: 101 Authorize Failed"


def get(url: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Status and body of a call, whatever the status."""
    parts = urlsplit(url)
    assert parts.hostname
    with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)) as connection:
        connection.request("GET" if body is None else "POST", f"{parts.path}?{parts.query}", body)
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_a_signed_callback_is_received(gateway: str) -> None:
    """The whole way: a send with a CallbackUrl, and its outcome at the customer's program."""
    with started(str(EXAMPLES / "receive_callback.py"), "0") as lines:
        hook = first(ADDRESS, lines)
        members = {**KEYS, **SMS, "CallbackUrl": f"{hook}/hook?order=77", "RequestId": "r-1"}
        _, sent = get(f"{gateway}/MainService.svc/json/SendMultipleMessage_V4_post_json/", json.dumps(members).encode())
        assert next(lines).split() == ["delivered", json.loads(sent)["SMSID"], "RequestId:", "r-1"]


def test_a_forged_callback_is_refused() -> None:
    """Anybody can call the address; only the gateway has the key."""
    with started(str(EXAMPLES / "receive_callback.py"), "0") as lines:
        hook = first(ADDRESS, lines)
        assert get(f"{hook}/hook?SMSID=x&SendSuccess=1&TotalReceiver=1")[0] == 403
        assert next(lines).startswith("refused")


def test_the_verifier_on_the_page_accepts_what_we_send(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers copy it: it must take our signature, in either place, and nothing that was changed."""
    page = (ROOT / "docs/how-to/receive-callbacks.md").read_text("utf-8")
    names: dict[str, Any] = {}
    exec(re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[0], names)  # noqa: S102 - our own page
    monkeypatch.setattr(names["time"], "time", lambda: 1_000_060.0)
    path = "/hook?order=77&SMSID=abc&SendStatus=5"
    signers = (Signer(b"a newer key"), Signer(SECRET))
    headers = dict(signature_headers(signers, "abc", 1_000_000, path.encode()))
    is_ours = names["is_ours"]
    assert is_ours(SECRET.decode(), path, headers)
    assert not is_ours("another key", path, headers)
    assert not is_ours(SECRET.decode(), path.replace("5", "4"), headers)
    assert not is_ours(SECRET.decode(), path, {**headers, "webhook-timestamp": "1000001"})
    assert not is_ours(SECRET.decode(), path, {})
    monkeypatch.setattr(names["time"], "time", lambda: 1_000_301.0)
    assert not is_ours(SECRET.decode(), path, headers)
