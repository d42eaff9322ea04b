"""Where the loop's thread spends its time: an end-to-end run under cProfile.

The profiler makes calls of Python dearer than they are and sees nothing inside the event loop's own C code, so its
figures say what to look at, not what a message costs.
"""

import pstats
import tempfile
from pathlib import Path
from typing import Any, NamedTuple, cast

from bench.process import Cores
from bench.whole import Broken, Options, measure

__all__ = ["Spent", "profile_loop"]

_ROOT = Path(__file__).resolve().parents[1]
_Function = tuple[str, int, str]


class Spent(NamedTuple):
    """One function. Microseconds and calls are per message."""

    where: str
    own_us: float
    whole_us: float
    """With everything that it calls."""
    calls: float


async def profile_loop(options: Options, cores: Cores, top: int) -> tuple[dict[str, Any], list[Spent]]:
    """The numbers of the run, and the functions with the most own time. Raises Broken."""
    with tempfile.TemporaryDirectory(prefix="bocau-bench-") as folder:
        file = Path(folder, "loop.prof")
        result = await measure(options, cores, file)
        rows = _read(file)
    each = 1e6 / max(1, result["accepted"])
    found = [
        Spent(_where(function), round(own * each, 2), round(whole * each, 2), round(calls * each / 1e6, 2))
        for function, (_, calls, own, whole, _) in rows.items()
    ]
    return result, sorted(found, key=lambda one: -one.own_us)[:top]


def _read(file: Path) -> dict[_Function, tuple[int, int, float, float, object]]:
    """Function to primitive calls, calls, own seconds, seconds with its calls, callers."""
    if not file.exists():
        raise Broken("the gateway wrote no profile")
    return cast("dict[_Function, tuple[int, int, float, float, object]]", vars(pstats.Stats(str(file)))["stats"])


def _where(function: _Function) -> str:
    """file:line name, the file from the checkout on where it is ours; the name alone for a builtin."""
    file, line, name = function
    if file == "~":
        return name.strip("<>{}")
    path = Path(file)
    shown = path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else Path(*path.parts[-2:])
    return f"{shown}:{line} {name}"
