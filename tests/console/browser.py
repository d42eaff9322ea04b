"""A headless Chromium, told what to do by its DevTools protocol over a pipe: no driver, no library between.

Commands and their answers are JSON objects that end with a zero byte (`--remote-debugging-pipe`: the browser reads from
file descriptor 3 and writes to 4).
"""

import base64
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

__all__ = ["CHROMIUM", "Browser", "Page"]

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
"""The program, if this machine has one."""

_PATIENCE_SECONDS: Final = 20.0
_FLAGS: Final = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--hide-scrollbars",
)


class Browser:
    """One Chromium with a profile of its own."""

    def __init__(self, profile: Path) -> None:
        assert CHROMIUM is not None
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        # The descriptors must arrive as 3 and 4, which a shell puts in place before it becomes the browser.
        script = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", script, CHROMIUM, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._from, self._to = ours_in, ours_out
        self._numbers = itertools.count(1)
        self._buffer = b""
        self._pages: dict[str, Page] = {}

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._from)
        os.close(self._to)

    def page(self, width: int = 1280, height: int = 800) -> "Page":
        """A new tab, with cookies that no other tab has."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        page.resize(width, height)
        return page

    def call(self, method: str, session: str | None = None, **parameters: object) -> dict[str, Any]:
        """One command and its result."""
        number = next(self._numbers)
        command: dict[str, object] = {"id": number, "method": method, "params": parameters}
        if session is not None:
            command["sessionId"] = session
        data = json.dumps(command).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data) :]
        while True:
            message = self.listen(_PATIENCE_SECONDS)
            assert message is not None, f"no answer to {method}"
            if message.get("id") == number:
                assert "error" not in message, (method, message["error"])
                result: dict[str, Any] = message["result"]
                return result

    def listen(self, seconds: float) -> dict[str, Any] | None:
        """The next message; None if there is none in that time. Events reach their pages on the way."""
        while b"\0" not in self._buffer:
            if not select.select([self._from], [], [], seconds)[0]:
                return None
            piece = os.read(self._from, 1 << 16)
            assert piece, "the browser has gone"
            self._buffer += piece
        one, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(one)
        page = self._pages.get(message.get("sessionId", ""))
        if page is not None and "method" in message:
            page.heard(message["method"], message["params"])
        return message


class Page:
    """One tab. `complaints` is what its console said in red."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session
        self.complaints: list[str] = []
        self.bytes = 0
        """What came over the network since the last `open`, packed as it came."""
        self._loaded = 0

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """One command of this tab."""
        return self._browser.call(method, self._session, **parameters)

    def heard(self, method: str, params: dict[str, Any]) -> None:
        """Something happened."""
        if method == "Page.loadEventFired":
            self._loaded += 1
        elif method == "Network.loadingFinished":
            self.bytes += int(params["encodedDataLength"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
            self.complaints.append(str(params["args"]))

    def resize(self, width: int, height: int) -> None:
        """A screen of that size."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def open(self, url: str) -> None:
        """Go there, and wait until everything of it is loaded."""
        self.bytes = 0
        before = self._loaded
        failed = self.call("Page.navigate", url=url).get("errorText")
        assert not failed, failed
        self._until_loaded(before)

    def act(self, script: str) -> None:
        """Do something that leads to another page, and wait for that."""
        before = self._loaded
        self.run(script)
        self._until_loaded(before)

    def leave_by(self, key: str) -> None:
        """Press a key that leads to another page, and wait for that."""
        before = self._loaded
        self.press([key])
        self._until_loaded(before)

    def _until_loaded(self, before: int) -> None:
        while self._loaded == before:
            assert self._browser.listen(_PATIENCE_SECONDS) is not None, "the page is not loaded"

    def run(self, script: str) -> Any:  # noqa: ANN401 - whatever JavaScript has
        """The value of an expression; a promise is waited for."""
        said = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True)
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    def until(self, condition: str, seconds: float = 10.0) -> None:
        """Wait until an expression is true, looked at with every picture that the browser draws."""
        script = (
            "new Promise((done) => { const end = performance.now() + "
            f"{seconds * 1000}; const look = () => {{ if ({condition}) done(true); "
            "else if (performance.now() > end) done(false); else setTimeout(look, 30); }; look(); })"
        )
        assert self.run(script), f"never: {condition}"

    def text(self, selector: str) -> str:
        """The visible text of the first element that a selector names."""
        return str(self.run(f"document.querySelector({json.dumps(selector)}).innerText"))

    def press(self, keys: Sequence[str]) -> None:
        """Press keys, one after the other."""
        for key in keys:
            text = key if len(key) == 1 else "\r" if key == "Enter" else ""
            code = {"Enter": 13, "Tab": 9, "Escape": 27}.get(key, ord(key[0].upper()))
            for kind in ("keyDown", "keyUp"):
                self.call(
                    "Input.dispatchKeyEvent",
                    type=kind,
                    key=key,
                    windowsVirtualKeyCode=code,
                    **({"text": text} if text and kind == "keyDown" else {}),
                )

    def shoot(self, path: Path) -> None:
        """A picture of the whole page, for a person to look at."""
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))
