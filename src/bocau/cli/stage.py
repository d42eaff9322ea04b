"""What a person sees of `bocau dev`: a banner with everything to copy, then the life of messages."""

import json
from typing import Final, TextIO

from bocau import __version__
from bocau.app import Gateway
from bocau.provision import Profile
from bocau.simulator.handset import Sms

__all__ = ["Stage"]

_PATH: Final = "/MainService.svc/json/SendMultipleMessage_V4_post_json/"
_BOLD: Final = "1"
_DIM: Final = "2"
_GREEN: Final = "32"
_CYAN: Final = "36"


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
    """Prints for people. Without a terminal it prints the few facts a program needs, plainly; the log has the rest."""

    def __init__(self, stream: TextIO, terminal: bool) -> None:
        self._stream = stream
        self._terminal = terminal

    def paint(self, code: str, text: str) -> str:
        """Colour on a terminal, nothing elsewhere."""
        return f"\x1b[{code}m{text}\x1b[0m" if self._terminal else text

    def line(self, text: str = "") -> None:
        """One line, at once."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def banner(self, gateway: Gateway, profile: Profile, smsc_port: int | None) -> None:
        """Where everything is."""
        paint = self.paint
        api = f"http://127.0.0.1:{gateway.api.port}"
        rows = [
            ("API", api),
            ("admin", f"http://127.0.0.1:{gateway.admin.port}  /readyz /metrics"),
            ("carrier", f"127.0.0.1:{smsc_port}  simulated SMSC" if smsc_port else "as named by --host-carrier"),
            ("ApiKey", profile.api_key),
            ("SecretKey", profile.secret_key),
            ("store", gateway.settings.store.path),
        ]
        self.line()
        self.line(f"{paint(_BOLD, 'bocau')} {__version__}  {paint(_DIM, 'development: nothing leaves this machine')}")
        self.line()
        for name, value in rows:
            self.line(f"  {paint(_DIM, f'{name:<10}')} {value}")
        self.line()
        self.line(f"  {paint(_DIM, 'try it:')}")
        self.line(f"  {curl_line(gateway.api.port, profile)}")
        self.line()

    def sms(self, sms: Sms) -> None:
        """A phone of the simulated carrier has received a message."""
        if self._terminal:
            sender = self.paint(_BOLD, sms.sender or "(no sender)")
            self.line(f"  {self.paint(_CYAN, f'{chr(0x2709)} {sms.phone}')}  {sender}: {sms.text}")

    def step(self, seconds: float, what: str, detail: str) -> None:
        """One step in the life of a message."""
        self.line(f"  {self.paint(_DIM, f'{seconds * 1000:7.0f} ms')}  {self.paint(_GREEN, f'{what:<10}')} {detail}")

    def goodbye(self) -> None:
        """The gateway has drained and stopped."""
        if self._terminal:
            self.line()
            self.line(f"  {self.paint(_DIM, 'stopped; everything accepted is in the store')}")
