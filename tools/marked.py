"""Pages whose facts come from the code: what stands between two marks is written by a tool, the rest by people.

A mark is a comment: `<!-- begin NAME -->` and `<!-- end NAME -->`, each on a line of its own.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["ROOT", "filled", "finish", "table"]

ROOT = Path(__file__).resolve().parent.parent


def filled(text: str, blocks: Mapping[str, str]) -> str:
    """The page with every block put between its marks. Raises ValueError if a pair of marks is not there once."""
    for name, block in blocks.items():
        begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->\n"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        if text.count(begin) != 1 or rest.count(end) != 1:
            raise ValueError(f"the page needs the marks of {name!r} exactly once")
        text = f"{before}{begin}\n{block.strip()}\n\n{end}{after}"
    return text


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table. Bars inside cells are escaped."""
    lines: list[Sequence[str]] = [headings, ["---"] * len(headings), *rows]
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
