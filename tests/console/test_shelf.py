"""The files beside the pages: what they are, and that nothing comes from anywhere else."""

import gzip
import hashlib
import re
from pathlib import Path

import bocau.console
from bocau.console.shelf import VENDORED, read_shelf

HOME = Path(bocau.console.__file__).parent
OWN = {"bocau.svg", "charts.js", "console.css", "console.js"}


def test_files_of_others_are_as_they_were_published() -> None:
    """A changed file could do anything in an operator's browser."""
    shelf = read_shelf()
    for name, vendored in VENDORED.items():
        assert hashlib.sha256(shelf[name].plain).hexdigest() == vendored.sha256, name
    assert shelf.keys() == VENDORED.keys() | OWN


def test_packed_files_are_the_same() -> None:
    """Browsers get one or the other."""
    for asset in read_shelf().values():
        assert gzip.decompress(asset.packed) == asset.plain


def test_nothing_of_ours_names_another_host_or_stands_inline() -> None:
    """The content policy would stop it, and the page would be broken."""
    files = [*(HOME / "templates").glob("*.html"), *(HOME / "assets" / name for name in OWN)]
    for file in files:
        text = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//[a-z0-9.-]+\.[a-z]{2,}/", text), file.name
        if file.suffix == ".html":
            assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=", text), file.name
