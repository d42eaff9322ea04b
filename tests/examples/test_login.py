"""The log-in examples run, each as its own application would be tested."""

import asyncio
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from tests.system.processes import free_port

from bocau.testing.kit import Bocau
from bocau.testing.server import Server

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def module_of(name: str) -> ModuleType:
    """An example, in this process."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def flask_app() -> Flask:
    """The application of the example."""
    app: Flask = module_of("login_flask").create_app()
    return app


def test_a_user_logs_in_with_the_code_of_the_sms(bocau: Bocau) -> None:
    """The whole flow; the application reads its environment as in production."""
    app, phone = flask_app(), bocau.phone()
    browser = app.test_client()
    assert browser.post("/ask", data={"phone": phone}).status_code == 200
    code = bocau.wait_otp(phone)
    assert browser.post("/enter", data={"code": code}).text == f"Welcome, {phone}."
    assert browser.post("/enter", data={"code": code}).status_code == 403
    app.extensions["esms"].close()


def test_a_wrong_number_gets_no_code(bocau: Bocau) -> None:
    """The user is told, and nothing is sent."""
    app = flask_app()
    assert app.test_client().post("/ask", data={"phone": "12345"}).status_code == 400
    assert [refused["code"] for refused in bocau.refusals()] == ["108"]
    bocau.assert_no_sms()
    app.extensions["esms"].close()


class Browser:
    """Posts forms, and keeps cookies."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def post(self, path: str, **members: str) -> tuple[int, str]:
        try:
            with self._opener.open(self._base + path, urlencode(members).encode(), timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(command: list[str], port: int, bocau: Bocau) -> Iterator[Browser]:
    """An example as a server of its own, and somebody who visits it."""
    with subprocess.Popen(
        command, env={**os.environ, **bocau.environ}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as server:
        try:
            end = time.monotonic() + 60
            while not listens(port):
                assert server.poll() is None, server.stdout.read() if server.stdout else ""
                assert time.monotonic() < end
            yield Browser(port)
        finally:
            server.kill()


@pytest.mark.parametrize(
    ("runtime", "command"),
    [
        (sys.executable, (str(EXAMPLES / "login_django.py"), "runserver", "--noreload", "127.0.0.1:{port}")),
        ("php", ("-S", "127.0.0.1:{port}", str(EXAMPLES / "login.php"))),
        ("java", (str(EXAMPLES / "Login.java"), "{port}")),
    ],
    ids=("django", "php", "java"),
)
def test_a_log_in_in_other_frameworks_and_languages(bocau: Bocau, runtime: str, command: tuple[str, ...]) -> None:
    """Only the base URL and the keys differ from production; a wrong number and a second try are refused."""
    if shutil.which(runtime) is None:
        pytest.skip(f"{runtime} is not installed")
    port, phone = free_port(), bocau.phone()
    with running([runtime, *(word.format(port=port) for word in command)], port, bocau) as browser:
        assert browser.post("/ask", phone="12345")[0] == 400
        assert browser.post("/ask", phone=phone)[0] == 200
        code = bocau.wait_otp(phone)
        assert browser.post("/enter", code=code) == (200, f"Welcome, {phone}.")
        assert browser.post("/enter", code=code)[0] == 403
    assert [refused["code"] for refused in bocau.refusals()] == ["108"]


def test_a_log_in_with_fastapi(bocau: Bocau) -> None:
    """The asynchronous client, in the life of the application."""
    pytest.importorskip("fastapi")
    app, phone = module_of("login_fastapi").app, bocau.phone()

    async def visit() -> None:
        async with app.router.lifespan_context(app):
            assert (await post_json(app, "/ask", {"phone": "12345"}))[0] == 400
            status, asked = await post_json(app, "/ask", {"phone": phone})
            assert status == 200
            code = await asyncio.to_thread(bocau.wait_otp, phone)
            entered = {"ticket": asked["ticket"], "code": code}
            assert await post_json(app, "/enter", entered) == (200, {"welcome": phone})
            assert (await post_json(app, "/enter", entered))[0] == 403

    asyncio.run(visit())


async def post_json(app: Any, path: str, members: object) -> tuple[int, Any]:  # noqa: ANN401 - an ASGI application
    """One request, straight into the application."""
    body, said = json.dumps(members).encode(), list[dict[str, Any]]()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": path, "raw_path": path.encode()}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    await app({**scope, "query_string": b"", "headers": headers, "client": ("127.0.0.1", 1)}, receive, send)
    return said[0]["status"], json.loads(b"".join(message.get("body", b"") for message in said[1:]))


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_node_example_passes_its_own_test(bocau_server: Server) -> None:
    """The same comfort in another language, over plain HTTP."""
    environment = {**os.environ, "BOCAU_TEST_URL": bocau_server.admin}
    command = ["node", "--test", str(EXAMPLES / "login.test.mjs")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pass 2" in done.stdout
