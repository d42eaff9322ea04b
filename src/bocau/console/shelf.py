"""The files that a page of the console needs beside its HTML: read once, packed once, kept by browsers.

Nothing comes from another host. Files of others are here as they were published; `VENDORED` says which.
"""

import gzip
import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Final, NamedTuple

__all__ = ["VENDORED", "Asset", "Vendored", "read_shelf"]


class Vendored(NamedTuple):
    """A file of somebody else's."""

    package: str
    """Its name and version on npm."""
    path: str
    """Inside that package."""
    sha256: str


VENDORED: Final[Mapping[str, Vendored]] = {
    "htmx.min.js": Vendored(
        "htmx.org@4.0.1", "dist/htmx.min.js", "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"
    ),
    "uPlot.iife.min.js": Vendored(
        "uplot@1.6.32", "dist/uPlot.iife.min.js", "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"
    ),
    "uPlot.min.css": Vendored(
        "uplot@1.6.32", "dist/uPlot.min.css", "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04"
    ),
}

_TYPES: Final = {
    "js": b"text/javascript; charset=utf-8",
    "css": b"text/css; charset=utf-8",
    "svg": b"image/svg+xml",
}


class Asset(NamedTuple):
    """A file, ready to be sent."""

    content_type: bytes
    plain: bytes
    packed: bytes
    """The same, by gzip."""
    mark: str
    """Changes with its content: part of its address, so that browsers may keep it for ever."""


def read_shelf() -> dict[str, Asset]:
    """Every file, by name."""
    found = {}
    for file in resources.files("bocau.console.assets").iterdir():
        kind = file.name.rpartition(".")[2]
        if kind in _TYPES:
            plain = file.read_bytes()
            mark = hashlib.sha256(plain).hexdigest()[:12]
            found[file.name] = Asset(_TYPES[kind], plain, gzip.compress(plain, 9, mtime=0), mark)
    return found
