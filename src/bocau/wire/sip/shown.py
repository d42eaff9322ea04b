"""SIP messages as people may see them: without numbers, passwords and keys of media."""

import re
from typing import Final

__all__ = ["MAX_SHOWN", "shown"]

MAX_SHOWN: Final = 4_096
"""Characters of one message that are shown."""

_LOG_IN: Final = re.compile(r"^((?:Proxy-)?Authorization): *(\S*).*$", re.IGNORECASE)
_KEY: Final = re.compile(r"^(a=(?:crypto|key-mgmt|fingerprint|ice-pwd)\b).*$", re.IGNORECASE)
# Headers whose long numbers are nobody's: they name transactions and calls.
_NUMBERED: Final = re.compile(r"^(?:Via|v|Call-ID|i|CSeq|RSeq|RAck|Content-Length|l|Date|Expires):", re.IGNORECASE)
_MEDIA: Final = re.compile(r"^[vocbtmra]=")
_LONG_NUMBER: Final = re.compile(r"([0-9]{3})[0-9]{3,}([0-9]{3})(?![0-9])")


def shown(message: bytes) -> str:
    """One message, line by line, as it may be stored and shown (promises S1).

    Of a number of nine digits and more the first and last three stay; what logs in or opens media is hidden; what
    cannot be printed is a question mark.
    """
    text = message[: MAX_SHOWN * 4].decode("utf-8", "replace")[:MAX_SHOWN]
    return "\n".join(_line(line) for line in text.replace("\r\n", "\n").rstrip("\n").split("\n"))


def _line(line: str) -> str:
    if not line.isprintable():
        line = "".join(sign if sign.isprintable() else "?" for sign in line)
    if _NUMBERED.match(line) or _MEDIA.match(line):
        return _KEY.sub(r"\1:***", line)
    return _LONG_NUMBER.sub(r"\1***\2", _LOG_IN.sub(r"\1: \2 ***", line))
