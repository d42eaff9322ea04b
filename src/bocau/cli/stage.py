"""What a person sees of `bocau dev`: a banner with everything to copy, then the life of messages."""

import json
from datetime import datetime
from typing import Final, TextIO

from bocau import __version__
from bocau.app import Gateway
from bocau.console.health import ACCEPTED
from bocau.provision import Profile
from bocau.simulator.handset import Sms
from bocau.simulator.hearing import Hearing
from bocau.simulator.moments import VIETNAM
from bocau.simulator.phone import Recording
from bocau.store.opening import StorePlace
from bocau.telemetry import Log, LogEvent

__all__ = ["Stage"]

_PATH: Final = "/MainService.svc/json/SendMultipleMessage_V4_post_json/"
_BOLD: Final = "1"
_DIM: Final = "2"
_GREEN: Final = "32"
_CYAN: Final = "36"
_PHONE: Final = "\N{BLACK TELEPHONE}"
_ENVELOPE: Final = "\N{ENVELOPE}"


def curl_line(port: int, profile: Profile) -> str:
    """A request that works as it stands."""
    body = {
        "ApiKey": profile.api_key,
        "SecretKey": profile.secret_key,
        "Phone": "0901234567",
        "Content": "4821 la ma xac minh dang ky Baotrixemay cua ban",
        "Brandname": "Baotrixemay",
        "SmsType": "2",
    }
    return f"curl -s http://127.0.0.1:{port}{_PATH} -d '{json.dumps(body)}'"


class Stage:
    """Prints for a person at a terminal; without one, the same facts go into the log as lines."""

    def __init__(self, stream: TextIO, terminal: bool, log: Log) -> None:
        self._stream = stream
        self._terminal = terminal
        self._log = log

    def _line(self, text: str = "") -> None:
        """One line, at once."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def banner(self, gateway: Gateway, profile: Profile, smsc_port: int | None, clock_ms: int | None = None) -> None:
        """Where everything is, and a line to copy; what the clock shows, if it is not that of the machine."""
        api = f"http://127.0.0.1:{gateway.api.port}"
        admin = f"http://127.0.0.1:{gateway.admin.port}"
        if not self._terminal:
            self._log.info(
                LogEvent.DEVELOP_READY,
                api=api,
                admin=admin,
                console=f"{admin}/console/",
                smsc_port=smsc_port,
                account=profile.account,
            )
            return
        rows = [
            ("API", api),
            ("console", f"{admin}/console/"),
            ("admin", f"{admin}  /healthz /readyz /metrics"),
            ("carrier", f"127.0.0.1:{smsc_port}  simulated SMSC" if smsc_port else "as named by --host-carrier"),
            ("ApiKey", profile.api_key),
            ("SecretKey", profile.secret_key),
            ("store", str(StorePlace(*gateway.settings.store.place()))),
        ]
        if clock_ms is not None:
            moment = datetime.fromtimestamp(clock_ms / 1000, VIETNAM)
            rows.append(("clock", f"{moment:%Y-%m-%d %H:%M:%S} in Vietnam, not that of the machine"))
        self._line()
        self._line(
            f"{_paint(_BOLD, 'bocau')} {__version__}  {_paint(_DIM, 'development: nothing leaves this machine')}"
        )
        self._line()
        for name, value in rows:
            self._line(f"  {_paint(_DIM, f'{name:<10}')} {value}")
        self._line()
        if gateway.sends() != ACCEPTED:
            self._line(f"  {_paint(_BOLD, 'sends are ' + gateway.sends())}")
            self._line()
        self._line(f"  {_paint(_DIM, 'try it:')}")
        self._line(f"  {curl_line(gateway.api.port, profile)}")
        self._line()

    def say(self, text: str) -> None:
        """A sentence about the first message."""
        if self._terminal:
            self._line(f"  {text}" if text else "")
        elif text:
            self._log.info(LogEvent.DEVELOP_STEP, step=text)

    def step(self, seconds: float, what: str, detail: str) -> None:
        """One step in the life of the first message."""
        if self._terminal:
            self._line(f"  {_paint(_DIM, f'{seconds * 1000:7.0f} ms')}  {_paint(_GREEN, f'{what:<10}')} {detail}")
        else:
            self._log.info(LogEvent.DEVELOP_STEP, step=what, milliseconds=round(seconds * 1000))

    def sms(self, sms: Sms) -> None:
        """A phone of the simulated carrier has received a message."""
        if self._terminal:
            sender = _paint(_BOLD, sms.sender or "(no sender)")
            self._line(f"  {_paint(_CYAN, f'{_ENVELOPE} {sms.phone}')}  {sender}: {sms.text}")

    async def call(self, recording: Recording, hearing: Hearing) -> None:
        """The simulated phone has been called, and the call is over: what it heard."""
        if not self._terminal:
            return
        codes = (await hearing.listen(recording)).codes
        said = f"{_paint(_BOLD, codes[0])}{f' {len(codes)} times' if len(codes) > 1 else ''}" if codes else "no code"
        seconds = len(recording.frames) / 50
        heard = f"heard {said} in {seconds:.1f} s" if recording.frames else "did not answer"
        self._line(f"  {_paint(_CYAN, f'{_PHONE} {recording.number}')}  {heard}")

    def goodbye(self) -> None:
        """The gateway has drained and stopped."""
        if self._terminal:
            self._line()
            self._line(f"  {_paint(_DIM, 'stopped; everything accepted is in the store')}")


def _paint(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"
