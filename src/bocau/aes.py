"""AES for the sound of calls: `wire.rtp.srtp.Aes` by the library `cryptography`, which binds OpenSSL and is well kept.

It stands in a file of its own, which only a process that places calls over a trunk with SRTP imports, and in the extra
`voice`.
"""

from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

__all__ = ["blocks"]


def blocks(key: bytes) -> Callable[[bytes], bytes]:
    """What enciphers whole blocks of 16 octets, each on its own; SRTP makes its key stream of it (RFC 3711 4.1.1)."""
    return Cipher(AES(key), ECB()).encryptor().update  # noqa: S305 - of counters that never repeat
