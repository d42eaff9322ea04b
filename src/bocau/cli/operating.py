"""Acts on a running gateway: found by the file beside its store, asked over the operator's listener."""

import json
from pathlib import Path

from bocau.cli.api_calls import call
from bocau.cli.desk import store_path, who_types
from bocau.cli.output import Trouble
from bocau.console.control import NoDoorplate, read_doorplate

__all__ = ["ask"]


def ask(data: Path | None, config: Path | None, act: str, seconds: float = 30.0, **members: object) -> object:
    """Have the gateway do an act, such as "link/list", and return what it says. Raises Trouble."""
    try:
        plate = read_doorplate(str(store_path(data, config)))
    except NoDoorplate as none:
        raise Trouble(str(none)) from none
    body = json.dumps({**members, "actor": who_types()}).encode()
    headers = {"Authorization": f"Bearer {plate.token}"}
    answer = call("POST", plate.url, f"/control/{act}", body, seconds, headers)
    try:
        value: object = json.loads(answer.raw)
    except ValueError:
        value = None
    if answer.status == 200:
        return value
    said = value.get("error") if isinstance(value, dict) else None
    if answer.status == 401:
        said = f"The gateway at {plate.url} was not started on this store, or has been started anew: try again."
    raise Trouble(str(said or f"The gateway at {plate.url} answered HTTP {answer.status}."))
