"""Faults as people write them: `throttle per_second=5 network=viettel after_messages=2 for_seconds=60`.

A line is an act and what narrows it, by the names of `script.Fault`; a mapping has the same names, the act as `act`.
"""

import shlex
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

import msgspec

from bocau.simulator.moments import read_moment
from bocau.simulator.script import BadScript, Fault

__all__ = ["ACT_MEANINGS", "NAME_MEANINGS", "line_of", "read_fault"]


ACT_MEANINGS: Final[Mapping[str, str]] = {
    "refuse": "the carrier answers with an error: `status`, else ESME_RSYSERR (8)",
    "throttle": "it answers ESME_RTHROTTLED to all above `per_second` (10) in any second",
    "silence": "it never answers",
    "disconnect": "it closes the connection, which all messages share",
    "slow": "it answers after `seconds` (2)",
    "no_receipt": "no receipt ever comes",
    "undelivered": "the receipt says UNDELIV",
    "expired": "the receipt says EXPIRED",
    "twice": "the receipt comes twice",
    "late": "the receipt comes `seconds` (2) after the message",
    "receipt_first": "the receipt comes before the answer",
    "hex_id": "the receipt has the id in hexadecimal, the answer in decimal",
    "ids": "answer and receipt write the id as `answer_id` and `receipt_id` say",
    "receipts": "a receipt for each of `states`, `seconds` apart, under a `word` of the carrier's own",
    "other_bind": "the receipt comes over another bind than the submit's",
    "form": "the receipt is written in another `form` (odd)",
    "extras": "the receipt has the parameters of `tlvs`",
    "echo": "the receipt has our user_message_reference",
    "unswapped": "sender and receiver of the receipt stand the wrong way round",
    "astray": "the receipt names another phone",
    "spoiled_receipt": "the receipt is `spoiled` (half) once, then it comes as it should",
    "spoiled_answer": "the answer is `spoiled` (half); all messages share the link",
    "unbind": "the carrier unbinds over the submit",
    "freeze": "the connection stays open and says nothing more",
    "refuse_bind": "a bind is refused with `status`; only in a script of the simulated carrier",
    "callback_answer": "the callback host answers `status`, else 502",
    "callback_silence": "it does not answer in time",
    "callback_refuse": "it refuses the connection",
    "callback_slow": "it is called only after `seconds` (2)",
}
"""What can go wrong, for people."""

NAME_MEANINGS: Final[Mapping[str, str]] = {
    "network": "only numbers of this network: viettel, mobifone, vinaphone and so on",
    "prefix": "only numbers that begin so",
    "brandname": "only messages of this sender",
    "text": "only messages with this in their text",
    "template": "only messages that follow it: its text, or its number in `bocau template list`",
    "host": "only callbacks to this host",
    "account": "only submits of this system_id",
    "part": "only this part of a long message",
    "after_messages": "so many that it is about go well first; each try counts, and each part",
    "for_messages": "then it happens so many times",
    "after_seconds": "so long all goes well first",
    "for_seconds": "then it lasts so long",
    "until": "it lasts until this time: 14:30, 2026-09-01T14:30 or +5m",
    "rate": "only this share of them, 0 to 1, by the seed",
    "status": "for `refuse` and `callback_answer`",
    "seconds": "for `slow`, `late` and `callback_slow`",
    "per_second": "for `throttle`",
    "states": "for `receipts`: DELIVRD, UNDELIV, EXPIRED, REJECTD, ENROUTE and so on, as in UNDELIV,DELIVRD",
    "word": "for `receipts`",
    "answer_id": "for `ids`: decimal, padded, hex, upper_hex, padded_hex or none",
    "receipt_id": "for `ids`, the same",
    "form": "for `form`: text, both, parameters or odd",
    "tlvs": "for `extras`: tag and octets in hexadecimal, as in 0x1403:3435323034",
    "spoiled": "half (then the end of the connection), twice (under one number), stray (behind one that answers "
    "nothing), length, too_long, body, garbage or outbind",
}
"""What narrows a fault, for people."""


def read_fault(written: str | Mapping[str, Any], now_ms: int) -> Fault:
    """A fault from a line or a mapping. Raises BadScript.

    `until`, a moment (moments.read_moment), may stand in place of `for_seconds`.
    """
    members = _members(written) if isinstance(written, str) else dict(written)
    until = members.pop("until", None)
    if until is not None:
        if "for_seconds" in members:
            raise BadScript("until and for_seconds say the same; give one of them")
        members["for_seconds"] = _seconds_until(str(until), now_ms) - float(members.get("after_seconds", 0))
    try:
        return msgspec.convert(members, Fault, strict=not isinstance(written, str))
    except msgspec.ValidationError as error:
        raise BadScript(_plainer(str(error))) from error


def line_of(fault: Fault) -> str:
    """The line that says this fault."""
    given = [
        f"{name}={shlex.quote(_written(getattr(fault, name)))}"
        for name, default in zip(fault.__struct_fields__[1:], fault.__struct_defaults__, strict=True)
        if getattr(fault, name) != default
    ]
    return " ".join([fault.act, *given])


def _members(line: str) -> dict[str, Any]:
    try:
        act, *words = shlex.split(line)
    except ValueError:
        raise BadScript(f'"{line}" is no fault: it begins with an act, and quotes come in pairs') from None
    members: dict[str, Any] = {"act": act}
    for word in words:
        name, equals, value = word.partition("=")
        if not (equals and name):
            raise BadScript(f'"{word}" narrows nothing: write it as name=value, such as network=viettel')
        if name in members:
            raise BadScript(f"{name} is given twice")
        members[name] = value.split(",") if name == "states" else value
    return members


def _seconds_until(until: str, now_ms: int) -> float:
    try:
        seconds = (read_moment(until, now_ms) - now_ms) / 1000
    except ValueError as error:
        raise BadScript(f"until: {error}") from error
    if seconds <= 0:
        raise BadScript(f"until: {until} is over already")
    return seconds


def _plainer(said: str) -> str:
    """The words of the decoder, in ours."""
    if said.startswith("Object contains unknown field"):
        name = said.split("`")[1]
        return f"nothing is narrowed by {name}; there are {', '.join(Fault.__struct_fields__[1:])}, until"
    if said.startswith("Object missing required field"):
        return "the act is missing"
    return said.replace("`", "").replace(" - at $.", ": ")


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_written, value))
    if isinstance(value, Enum):
        return str(value.value)
    return f"{value:g}" if isinstance(value, float) else str(value)
