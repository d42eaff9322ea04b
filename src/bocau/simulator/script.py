"""Faults by a script: what goes wrong at the carrier, for whom, from when on and for how long.

A script is a TOML file of `[[fault]]` tables, asked in order; the first that is about a submit decides what happens to
it, in place of the rules. With a seeded chance and a world of its own clock, a run is the same every time. Nothing here
reads a clock: a script is told the time.
"""

import tomllib
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from bocau.simulator.rules import Act, Chance, Plan, ReceiptDue
from bocau.wire.smpp.pdu import SubmitSm
from bocau.wire.smpp.receipt import ReceiptState
from bocau.wire.smpp.status import Status

__all__ = ["ACTS", "BadScript", "Fault", "Moment", "Script"]

_EARLY_SECONDS: Final = 0.1


class BadScript(Exception):  # noqa: N818 - read_script raises BadScript
    """The file is no script; the text says where and why."""


class Moment(NamedTuple):
    """When and as the how-manieth a submit came, since the carrier began."""

    seconds: float
    number: int
    """Counted from 1, over all accounts."""


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One `[[fault]]`. What is left out, is about everything."""

    act: str
    """A word of ACTS."""
    account: str = ""
    """Only this system_id."""
    prefix: str = ""
    """Only numbers that begin so, in the form of the submit (849...)."""
    after_messages: int = 0
    for_messages: int | None = None
    """So many submits after those; None: all."""
    after_seconds: float = 0.0
    for_seconds: float | None = None
    rate: float = 1.0
    """The share of the submits it is about, 0 to 1."""
    part: int = 0
    """Only this part of a long message; 0: any."""
    status: int = Status.SYSTEM_ERROR
    """For refuse: the command_status."""
    seconds: float = 2.0
    """For slow: from submit to answer; for late: from submit to receipt."""
    per_second: int = 10
    """For throttle: so many are let through in any second."""


def _answered(plan: Plan, **changes: object) -> Plan:
    return Plan(plan.answer._replace(**changes))  # type: ignore[arg-type]


def _receipts(plan: Plan, *receipts: ReceiptDue) -> Plan:
    return plan._replace(receipts=receipts if plan.receipts else ())


def _first(plan: Plan, **changes: object) -> ReceiptDue:
    due = plan.receipts[0] if plan.receipts else ReceiptDue(after_seconds=0.0)
    return due._replace(**changes)  # type: ignore[arg-type]


def _undelivered(plan: Plan, state: ReceiptState) -> Plan:
    return _receipts(plan, _first(plan, state=state, error="001"))._replace(shown=False)


ACTS: Final[Mapping[str, Callable[[Plan, Fault], Plan]]] = {
    "refuse": lambda plan, fault: _answered(plan, act=Act.ANSWER, status=fault.status),
    "throttle": lambda plan, _: _answered(plan, act=Act.ANSWER, status=Status.THROTTLED),
    "silence": lambda plan, _: _answered(plan, act=Act.SILENCE),
    "disconnect": lambda plan, _: _answered(plan, act=Act.DISCONNECT),
    "slow": lambda plan, fault: plan._replace(answer=plan.answer._replace(after_seconds=fault.seconds)),
    "no_receipt": lambda plan, _: plan._replace(receipts=()),
    "undelivered": lambda plan, _: _undelivered(plan, ReceiptState.UNDELIVERED),
    "expired": lambda plan, _: _undelivered(plan, ReceiptState.EXPIRED),
    "twice": lambda plan, _: _receipts(plan, _first(plan), _first(plan)),
    "late": lambda plan, fault: _receipts(plan, _first(plan, after_seconds=fault.seconds)),
    "receipt_first": lambda plan, _: _receipts(plan, _first(plan, after_seconds=0.0))._replace(
        answer=plan.answer._replace(after_seconds=_EARLY_SECONDS)
    ),
    "hex_id": lambda plan, _: _receipts(plan, _first(plan, hexadecimal=True)),
}
"""What can go wrong: never taken (refuse, throttle, silence, disconnect), taken slowly, or reported oddly."""


class Script:
    """Faults in force. Made anew for each run: it counts."""

    def __init__(self, faults: tuple[Fault, ...] = ()) -> None:
        """Raises BadScript for an act that is none, or a share outside 0 to 1."""
        for number, fault in enumerate(faults, 1):
            if fault.act not in ACTS:
                raise BadScript(f"fault {number}: there is no act {fault.act!r}; there are {', '.join(ACTS)}")
            if not 0 <= fault.rate <= 1:
                raise BadScript(f"fault {number}: rate is a share, from 0 to 1")
        self._faults = faults
        self._passed: tuple[deque[float], ...] = tuple(deque() for _ in faults)
        self._number = 0

    @classmethod
    def read(cls, file: Path) -> "Script":
        """The script of a file. Raises BadScript and OSError."""
        try:
            tree = tomllib.loads(file.read_text("utf-8"))
            found = msgspec.convert(tree, dict[str, tuple[Fault, ...]])
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
            raise BadScript(f"{file}: {error}") from error
        if set(found) - {"fault"}:
            raise BadScript(f"{file}: only [[fault]] tables stand in a script")
        return cls(found.get("fault", ()))

    def judge(self, plan: Plan, submit: SubmitSm, account: str, part: int, seconds: float, chance: Chance) -> Plan:
        """What happens to a submit at `seconds` since the start, given what the rules would do."""
        self._number += 1
        moment = Moment(seconds, self._number)
        for fault, passed in zip(self._faults, self._passed, strict=True):
            if _is_about(fault, submit, account, part, moment) and (fault.rate >= 1 or chance.random() < fault.rate):
                if fault.act == "throttle" and _passes(passed, fault.per_second, seconds):
                    continue
                return ACTS[fault.act](plan, fault)
        return plan


def _is_about(fault: Fault, submit: SubmitSm, account: str, part: int, moment: Moment) -> bool:
    return (
        fault.account in ("", account)
        and submit.destination_addr.startswith(fault.prefix)
        and fault.part in (0, part)
        and _within(moment.number - 1, fault.after_messages, fault.for_messages)
        and _within(moment.seconds, fault.after_seconds, fault.for_seconds)
    )


def _within(value: float, after: float, length: float | None) -> bool:
    return after <= value and (length is None or value < after + length)


def _passes(passed: deque[float], per_second: int, now: float) -> bool:
    """Whether one more is within the speed; it counts then."""
    while passed and now - passed[0] >= 1.0:
        passed.popleft()
    if len(passed) >= per_second:
        return False
    passed.append(now)
    return True
