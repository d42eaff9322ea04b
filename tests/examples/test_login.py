"""The log-in examples run, each as its own application would be tested."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from flask import Flask

from bocau.testing.kit import Bocau
from bocau.testing.server import Server

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def flask_app() -> Flask:
    """The application of the example, in this process."""
    spec = importlib.util.spec_from_file_location("login_flask", EXAMPLES / "login_flask.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    app: Flask = module.create_app()
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


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_node_example_passes_its_own_test(bocau_server: Server) -> None:
    """The same comfort in another language, over plain HTTP."""
    environment = {**os.environ, "BOCAU_TEST_URL": bocau_server.admin}
    command = ["node", "--test", str(EXAMPLES / "login.test.mjs")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pass 2" in done.stdout
