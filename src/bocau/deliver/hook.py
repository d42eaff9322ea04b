"""The address that a carrier reports to: it names the attempt, and nobody can guess or change it.

What is sealed is the attempt and the receiver's number; the seal is a keyed hash over both and the carrier's name, so
that an address made for one carrier is worth nothing in the hands of another.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from typing import Final, NamedTuple

from bocau.core.message import AttemptKey

__all__ = ["PREFIX", "Hook", "hook_path", "read_hook"]

PREFIX: Final = "/carrier/"
"""Where the addresses stand on the API listener; the carrier's name and the seal follow."""

_CONTENT: Final = struct.Struct(">QBHQQ")
_SEAL_BYTES: Final = 16


class Hook(NamedTuple):
    """What an address is about."""

    key: AttemptKey
    account_id: int
    phone: str
    """Ten digits, the first a 0."""


def hook_path(secret: bytes, carrier: str, hook: Hook) -> str:
    """The path for one attempt. Raises struct.error for a number of tries beyond 65,535."""
    content = _CONTENT.pack(*hook.key, hook.account_id, int(hook.phone))
    sealed = base64.urlsafe_b64encode(content + _seal(secret, carrier, content)).decode().rstrip("=")
    return f"{PREFIX}{carrier}/{sealed}"


def read_hook(secret: bytes, carrier: str, sealed: str) -> Hook | None:
    """What a sealed text is about; None if we did not make it for this carrier."""
    try:
        raw = base64.b64decode(sealed + "=" * (-len(sealed) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    content, seal = raw[: _CONTENT.size], raw[_CONTENT.size :]
    if len(content) != _CONTENT.size or not hmac.compare_digest(seal, _seal(secret, carrier, content)):
        return None
    message_id, part, number, account_id, phone = _CONTENT.unpack(content)
    return Hook(AttemptKey(message_id, part, number), account_id, f"{phone:010d}")


def _seal(secret: bytes, carrier: str, content: bytes) -> bytes:
    return hashlib.blake2b(content + carrier.encode(), key=secret, digest_size=_SEAL_BYTES).digest()
