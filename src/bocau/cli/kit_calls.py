"""Calls to the test API of a running `bocau dev`, found by the file beside its store."""

import json
from pathlib import Path

from bocau.cli.api_calls import call
from bocau.cli.desk import store_path
from bocau.cli.output import Trouble
from bocau.console.control import NoDoorplate, read_doorplate

__all__ = ["ask_kit"]


def ask_kit(
    data: Path | None, config: Path | None, method: str, path: str, body: object = None, seconds: float = 30.0
) -> object:
    """What the test API says to one request; `path` is what follows /test. Raises Trouble."""
    try:
        plate = read_doorplate(str(store_path(data, config)))
    except NoDoorplate as none:
        raise Trouble(str(none)) from none
    answer = call(method, plate.url, f"/test{path}", json.dumps(body or {}).encode(), seconds, {})
    try:
        value: object = json.loads(answer.raw)
    except ValueError:
        value = None
    if answer.status == 200:
        return value
    said = value.get("error") if isinstance(value, dict) else None
    if said == "Not found":
        said = f"The gateway at {plate.url} has no test API: only that of `bocau dev` has one."
    raise Trouble(str(said or f"The gateway at {plate.url} answered HTTP {answer.status}."))
