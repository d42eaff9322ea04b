"""Pages whose facts come from the code: what stands between two marks is written by a tool, the rest by people.

A mark is a comment: `<!-- begin NAME -->` and `<!-- end NAME -->`, each on a line of its own.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["ROOT", "filled", "finish", "table"]

ROOT = Path(__file__).resolve().parent.parent


def filled(text: str, blocks: Mapping[str, str]) -> str:
    """The page with every block put between its marks. Raises ValueError if a pair of marks is not there once."""
    for name, block in blocks.items():
        pattern = re.compile(rf"(<!-- begin {re.escape(name)} -->\n).*?(<!-- end {re.escape(name)} -->\n)", re.DOTALL)
        if len(pattern.findall(text)) != 1:
            raise ValueError(f"the page needs the marks of {name!r} exactly once")
        text = pattern.sub(lambda found, block=block: f"{found[1]}\n{block.strip()}\n\n{found[2]}", text)
    return text


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table. Bars inside cells are escaped."""
    lines = [headings, ("---",) * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def finish(name: str, blocks: Mapping[str, str], tool: str) -> None:
    """Bring a page up to date, or with `--check` only say whether it is. Ends the program with 1 if it was not."""
    path = ROOT / name
    old = path.read_text("utf-8")
    new = filled(old, blocks)
    if new == old:
        return
    if sys.argv[1:] == ["--check"]:
        sys.exit(f"{name} does not say what the code says; run: .venv/bin/python -m tools.{tool}")
    path.write_text(new, "utf-8")
    print(f"{name} is written")
