"""The key under which API secrets are hashed: a file beside the store, never in it (promises, section 3)."""

import os
from pathlib import Path
from typing import Final

__all__ = ["SIZE", "PepperProblem", "read_or_make"]

SIZE: Final = 32


class PepperProblem(Exception):  # noqa: N818
    """The file cannot be read, is of the wrong size, or may be read by others."""


def read_or_make(store_path: str, fresh: bytes) -> bytes:
    """The key that belongs to a store; written from `fresh` (32 random bytes) at the first start.

    Raises PepperProblem, and OSError if the file can neither be read nor made.
    """
    path = Path(f"{store_path}.key")
    if len(fresh) != SIZE:
        raise ValueError(f"a fresh key has {SIZE} bytes")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    with os.fdopen(descriptor, "wb") as file:
        file.write(fresh)
        file.flush()
        os.fsync(file.fileno())
    return fresh


def _read(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise PepperProblem(f"{path} can be read by others: chmod 600 {path}")
    key = path.read_bytes()
    if len(key) != SIZE:
        raise PepperProblem(f"{path} has {len(key)} bytes instead of {SIZE}: restore it, or every secret is void")
    return key
