"""`bocau upgrade-check`: what a start with this version would change in the store."""

import contextlib
from pathlib import Path

from bocau import __version__
from bocau.cli.options import Config, Data, Json
from bocau.cli.output import Trouble, document, told

__all__ = ["upgrade_check"]


def upgrade_check(as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Say what a start with this version would change in the store. Nothing is changed.

    Exit code 0: it would start. 1: the store is of a newer version, or was changed by another hand.
    """
    with told(as_json):
        import sqlite3

        from bocau.cli.desk import store_path
        from bocau.store.sqlite import StoreBroken

        path = store_path(data, config)
        try:
            found = _look(path)
        except (StoreBroken, sqlite3.Error) as error:
            raise Trouble(f"A start with bocau {__version__} would be refused: {error}.") from error
        if as_json:
            document(found)
        else:
            print("\n".join(_sentences(path, found)))


def _look(path: Path) -> dict[str, object]:
    from bocau.store.migrations import expands, read_steps
    from bocau.store.sqlite.opening import connect, gateway_runs, pending_steps

    steps = read_steps("sqlite")
    with contextlib.closing(connect(str(path), writing=False)) as db:
        pending = pending_steps(db, steps)
        pages, size = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    rows = [{"step": steps[number][0], "only_adds": expands(steps[number][1])} for number in pending]
    return {
        "version": __version__,
        "steps": rows,
        "gateway_runs": gateway_runs(str(path)),
        "older_may_go_on": all(row["only_adds"] for row in rows),
        "bytes": pages * size,
    }


def _sentences(path: Path, found: dict[str, object]) -> list[str]:
    rows = found["steps"]
    if not isinstance(rows, list) or not rows:
        return [f"{path} is up to date for bocau {__version__}: a start changes nothing in its schema."]
    said = [f"A start with bocau {__version__} takes {path} through {len(rows)} step(s):"]
    said += [f"  {row['step']}: {'only adds' if row['only_adds'] else 'changes what is there'}" for row in rows]
    if found["older_may_go_on"]:
        said.append("They only add: nodes of the version before may go on beside it, until they are started anew.")
    else:
        said.append("Stop every node of the version before first.")
    if found["gateway_runs"]:
        said.append("A gateway runs on it now. Make a copy with its own version: bocau backup FILE.")
    said.append("A version before this one refuses the store afterwards; the way back is that copy.")
    return said
