"""Signatures of callbacks in the Standard Webhooks form (promises P21; the Standard Webhooks specification 1.0).

A callback is a GET without a body, so the signed payload is the exact path and query that is sent.
"""

import hmac
import re
from binascii import b2a_base64
from collections.abc import Sequence
from typing import Final

__all__ = ["Signer", "signature_headers"]

EVENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""No full stop: it separates the three signed fields."""


class Signer:
    """A signing key, made ready once: the state of HMAC-SHA-256 after the key is kept and copied for each signature."""

    __slots__ = ("_keyed",)

    def __init__(self, secret: bytes) -> None:
        """Raises ValueError for an empty secret."""
        if not secret:
            raise ValueError("a signature needs a secret")
        self._keyed = hmac.new(secret, digestmod="sha256")

    def sign(self, event_id: str, timestamp_s: int, payload: bytes) -> str:
        """One signature: `v1,` and the base64 of HMAC-SHA-256 over `id.timestamp.payload`.

        `timestamp_s` is in seconds since 1970-01-01 UTC. Raises ValueError for an event id outside
        [A-Za-z0-9_-]{1,128}.
        """
        return self.seal(signed_content(event_id, timestamp_s, payload))

    def seal(self, content: bytes) -> str:
        """`v1,` and the base64 of HMAC-SHA-256 over content that is already put together."""
        mac = self._keyed.copy()
        mac.update(content)
        return "v1," + b2a_base64(mac.digest(), newline=False).decode("ascii")


def signed_content(event_id: str, timestamp_s: int, payload: bytes) -> bytes:
    """What is signed: `id.timestamp.payload`. Raises ValueError for an event id outside [A-Za-z0-9_-]{1,128}."""
    if EVENT_ID.fullmatch(event_id) is None:
        raise ValueError("an event id has 1 to 128 of the signs A-Z a-z 0-9 _ -")
    return f"{event_id}.{timestamp_s}.".encode("ascii") + payload


def signature_headers(
    signers: Sequence[Signer], event_id: str, timestamp_s: int, payload: bytes
) -> tuple[tuple[str, str], ...]:
    """The three headers of a signed callback.

    Give the new key first and the old one after it while a key is being changed: the signatures are separated by a
    space and a verifier takes any. Raises ValueError as `Signer.sign` does, and if there is no signer.
    """
    if not signers:
        raise ValueError("a signature needs a secret")
    content = signed_content(event_id, timestamp_s, payload)
    return (
        ("webhook-id", event_id),
        ("webhook-timestamp", str(timestamp_s)),
        ("webhook-signature", " ".join([signer.seal(content) for signer in signers])),
    )
