"""Kannel as client of our carrier, and its test driver as carrier of our client."""

import contextlib
import http.server
import json
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.interop.ends import HERE, free_port, gateway, running, simulator

BEARERBOX, SMSBOX = shutil.which("bearerbox"), shutil.which("smsbox")
DRIVER = Path("/usr/lib/kannel/test/drive_smpp")
needs_kannel = pytest.mark.skipif(
    BEARERBOX is None or SMSBOX is None, reason="needs Kannel (bearerbox and smsbox): apt-get install kannel"
)
needs_driver = pytest.mark.skipif(
    not DRIVER.is_file(), reason="needs Kannel's drive_smpp: apt-get install kannel-extras"
)


@contextmanager
def listener() -> Iterator[tuple[int, list[str]]]:
    """A web server that notes the paths of its calls."""
    heard: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
            """Nothing is logged."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    try:
        yield server.server_address[1], heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(url: str, seconds: float) -> str:
    """The answer, as soon as somebody listens and takes it."""
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - an address of our own making
                return str(answer.read().decode())
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


@needs_kannel
def test_kannel_sends_through_our_carrier_and_gets_its_receipts(tmp_path: Path) -> None:
    """A short text, and one in three parts: a receipt for each part."""
    box, send, admin = free_port(), free_port(), free_port()
    with simulator() as (_, smsc), listener() as (web, heard):
        file = tmp_path / "kannel.conf"
        text = (HERE / "kannel.conf").read_text()
        values = {"box": box, "send": send, "admin": admin, "smsc": smsc, "folder": tmp_path}
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        file.write_text(text)
        with contextlib.ExitStack() as boxes:
            boxes.enter_context(running([BEARERBOX or "", str(file)]))
            # The smsbox gives up at once if nobody listens for it yet.
            ask(f"http://127.0.0.1:{admin}/status.txt?password=bar", 20)
            boxes.enter_context(running([SMSBOX or "", str(file)]))
            for number, content in enumerate(("hello", "x" * 400)):
                query = {
                    "username": "tester",
                    "password": "foobar",
                    "from": "ACME",
                    "to": "84901230000",
                    "text": content,
                    "dlr-mask": "31",
                    "dlr-url": f"http://127.0.0.1:{web}/{number}?state=%d",
                }
                said = ask(f"http://127.0.0.1:{send}/cgi-bin/sendsms?{urllib.parse.urlencode(query)}", 30)
                assert "Accepted" in said or "Queued" in said, said
            end = time.monotonic() + 30
            while heard.count("/0?state=1") < 1 or heard.count("/1?state=1") < 1:
                assert time.monotonic() < end, heard
                time.sleep(0.1)


@needs_driver
def test_messages_of_kannel_s_own_test_carrier_are_kept(tmp_path: Path) -> None:
    """A pair of binds; sequence numbers from 0, a sign of life asked for between any two messages."""
    port = free_port()
    with running([str(DRIVER), "-p", str(port), "-m", "5"]), gateway(tmp_path, port, bind_mode="pair"):
        command = [sys.executable, "-m", "bocau", "inbound", "--data", str(tmp_path / "data"), "--json"]
        end = time.monotonic() + 20
        texts: list[str] = []
        while sorted(texts) != ["1", "2", "3", "4", "5"]:
            assert time.monotonic() < end, texts
            said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout
            texts = [row["text"] for row in json.loads(said)]
