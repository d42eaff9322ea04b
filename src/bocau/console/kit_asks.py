"""What a request of the test API may say, read; what is wrong is told with the name of the field."""

from collections.abc import Mapping
from typing import Any, Final

from bocau.console.namespaces import Wanted
from bocau.core.template import Template, TemplateError

__all__ = ["BadAsk", "read_advance", "read_faults", "read_template", "read_wait", "read_wanted", "read_whole"]

_LONGEST_WAIT: Final = 60.0
_DAY_SECONDS: Final = 86_400
_MOST_SECONDS: Final = 366 * _DAY_SECONDS
_UNTIL: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("sent", "accepted", "delivered"),
    "sms": ("sent", "accepted", "delivered"),
    "call": ("heard", "answered", "over"),
}
"""What may be waited for, by channel; the first is meant where nothing is said."""


class BadAsk(Exception):  # noqa: N818 - an answer, not a fault
    """A request that cannot be done as it is."""

    def __init__(self, text: str, field: str = "", status: int = 400) -> None:
        super().__init__(text)
        self.field = field
        self.status = status


def read_wanted(query: Mapping[str, str]) -> Wanted:
    """What is waited for. Raises BadAsk."""
    channel = query.get("channel", "")
    if channel not in _UNTIL:
        raise BadAsk("channel is sms or call, or missing for both.", "channel")
    until = query.get("until", _UNTIL[channel][0])
    if until not in _UNTIL[channel]:
        raise BadAsk(f"until is one of {', '.join(_UNTIL[channel])}.", "until")
    code = query.get("code", "") not in ("", "0")
    given = query.get("except", "")
    if not all(number.isascii() and number.isdigit() for number in given.split(",") if given):
        raise BadAsk("except is a list of ids, parted by commas.", "except")
    seen = frozenset(map(int, given.split(","))) if given else frozenset()
    after = read_whole(query, "after")
    return Wanted(query.get("phone", ""), query.get("text", ""), code, until, after, channel, seen)


def read_faults(members: Mapping[str, Any]) -> tuple[list[str | dict[str, Any]], int, bool]:
    """Faults as they are written, the seed of their chance, and whether those before stay. Raises BadAsk."""
    faults, seed, keep = members.get("faults"), members.get("seed", 0), members.get("keep", False)
    if not isinstance(faults, list) or not all(isinstance(fault, str | dict) for fault in faults):
        raise BadAsk('faults is a list of lines, such as "late seconds=40", or of objects, each with an act.', "faults")
    if not isinstance(seed, int):
        raise BadAsk("seed is a whole number.", "seed")
    if not isinstance(keep, bool):
        raise BadAsk("keep is true or false.", "keep")
    return faults, seed, keep


def read_template(value: object) -> tuple[str, str]:
    """Brandname and text. Raises BadAsk."""
    brandname, text = (value.get(name) for name in ("brandname", "text")) if isinstance(value, dict) else ("", "")
    if not (isinstance(brandname, str) and brandname):
        raise BadAsk("brandname is missing: the sender as it is to be registered.", "brandname")
    if not (isinstance(text, str) and text):
        raise BadAsk("text is missing: the pattern, such as {P1,6} la ma cua ban.", "text")
    try:
        Template.parse(text)
    except TemplateError as error:
        raise BadAsk(f"text is no template: {error}.", "text") from error
    return brandname, text


def read_advance(members: Mapping[str, Any]) -> float:
    """How far time goes, in seconds. Raises BadAsk."""
    found = members.get("advance_seconds")
    if not isinstance(found, int | float) or isinstance(found, bool) or not 0 <= found <= _MOST_SECONDS:
        raise BadAsk(f"advance_seconds is a number from 0 to {_MOST_SECONDS}.", "advance_seconds")
    return found


def read_wait(query: Mapping[str, str]) -> float:
    """How long somebody waits. Raises BadAsk."""
    try:
        found = float(query.get("seconds", "5"))
    except ValueError:
        found = -1.0
    if not 0 <= found <= _LONGEST_WAIT:
        raise BadAsk(f"seconds is a number from 0 to {_LONGEST_WAIT:g}.", "seconds")
    return found


def read_whole(query: Mapping[str, str], name: str) -> int:
    """A whole number; 0 if it is missing. Raises BadAsk."""
    found = query.get(name, "0")
    if not (found.isascii() and found.isdigit() and len(found) < 20):
        raise BadAsk(f"{name} is a whole number.", name)
    return int(found)
