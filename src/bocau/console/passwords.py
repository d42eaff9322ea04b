"""Passwords of the console, as slow hashes (promises M14): scrypt, with its cost in the hash, so that it may grow.

Keys of the API are long and random, and are checked with every request: they have a fast keyed hash. What people choose
is checked once a day, and gets one that takes a third of a second and 32 MiB.
"""

import base64
import hmac
from collections.abc import Callable
from hashlib import scrypt
from typing import Final

__all__ = ["SALT_SIZE", "SHORTEST", "hash_password", "is_password", "made_up"]

SALT_SIZE: Final = 16
"""Random bytes that make equal passwords differ."""
SHORTEST: Final = 12
"""Characters of a password that somebody chooses."""

_RANDOM: Final = 15
_LOG2_COST: Final = 15
_BLOCK: Final = 8
_PARALLEL: Final = 3
_MOST_MEMORY: Final = 128 << 20


def made_up(token: Callable[[int], bytes]) -> str:
    """A password that nobody guesses, from random bytes: groups that can be read aloud."""
    letters = base64.b32encode(token(_RANDOM)).decode().lower()
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def hash_password(password: str, salt: bytes) -> str:
    """What is kept of a password. Takes long: not on the loop's thread."""
    return _hash(password, salt, _LOG2_COST, _BLOCK, _PARALLEL)


def is_password(password: str, kept: str) -> bool:
    """Whether it is the one. Takes long: not on the loop's thread."""
    kind, *cost, salt, _ = kept.split("$")
    if kind != "scrypt":
        return False
    made = _hash(password, bytes.fromhex(salt), *map(int, cost))
    return hmac.compare_digest(made.encode(), kept.encode())


def _hash(password: str, salt: bytes, log2_cost: int, block: int, parallel: int) -> str:
    made = scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=1 << log2_cost,
        r=block,
        p=parallel,
        maxmem=_MOST_MEMORY,
        dklen=32,
    )
    return f"scrypt${log2_cost}${block}${parallel}${salt.hex()}${made.hex()}"
