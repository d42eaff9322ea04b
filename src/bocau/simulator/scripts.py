"""Faults of several owners: each has faults of its own, for its own messages only; those of nobody are for all.

The carrier asks what happens to a submit, the callbacks what happens to a try; what nobody scripted goes by the rules.
A fault's seconds and messages are counted from the moment it was put in, and its chance comes from a seed, so that a
run is the same every time.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from bocau.ports import HttpGet
from bocau.simulator.fault_lines import line_of, read_fault
from bocau.simulator.hooks import CALLBACK_ACTS, FaultyHosts
from bocau.simulator.rules import Chance, Plan
from bocau.simulator.script import ACTS, About, BadScript, Fault, InForce, Knows, KnowsNothing, about_submit
from bocau.wire.smpp.pdu import SubmitSm

__all__ = ["EVERYBODY", "KnowsOwners", "Scripts", "SeededChance"]

EVERYBODY: Final = ""
"""Owner of the faults that are for all messages."""

_EVERY_ACT: Final = (*ACTS, *CALLBACK_ACTS)
_MOST: Final = 100
"""Faults of one owner."""


class Whose(NamedTuple):
    """A message, as whoever knows the requests knows it."""

    owner: str
    """Empty: nobody's."""
    brandname: str
    text: str
    """The whole text; empty where it is not known."""


class KnowsOwners(Knows, Protocol):
    """What is asked beside that where messages have owners."""

    def whose(self, phone: str, text: str) -> tuple[str, str, str]:
        """Owner, brandname and whole text of the newest message to a phone (849...) with this text, or a part of it."""
        ...

    def whose_request(self, smsid: str) -> tuple[str, str, str]:
        """The same of a request."""
        ...


class _Nobody(KnowsNothing):
    def whose(self, phone: str, text: str) -> tuple[str, str, str]:
        del phone
        return "", "", text

    def whose_request(self, smsid: str) -> tuple[str, str, str]:
        del smsid
        return "", "", ""


class SeededChance:
    """Numbers that look like chance and are the same for the same seed."""

    __slots__ = ("_drawn", "_seed")

    def __init__(self, seed: int) -> None:
        self._seed = str(seed).encode()
        self._drawn = 0

    def random(self) -> float:
        """The next one, from 0 up to but not including 1."""
        self._drawn += 1
        digest = hashlib.blake2b(str(self._drawn).encode(), digest_size=6, key=self._seed[:64]).digest()
        return int.from_bytes(digest) / (1 << 48)


class _Put:
    """A fault that was put in."""

    __slots__ = ("began", "chance", "in_force", "number")

    def __init__(self, number: int, in_force: InForce, chance: SeededChance, began: float) -> None:
        self.number = number
        self.in_force = in_force
        self.chance = chance
        self.began = began

    def strikes(self, about: About, now: float) -> bool:
        """See InForce."""
        return self.in_force.strikes(about, now - self.began, self.chance)


class Scripts:
    """Faults by owner, in the order they are asked. Numbers of faults are never used again."""

    def __init__(self, monotonic: Callable[[], float], now_ms: Callable[[], int]) -> None:
        self._monotonic = monotonic
        self._now_ms = now_ms
        self._knows: KnowsOwners = _Nobody()
        self._put: dict[str, list[_Put]] = {}
        self._numbers = 0

    def ask(self, knows: KnowsOwners) -> None:
        """Whom to ask about numbers, templates and owners from now on."""
        self._knows = knows

    def put(self, owner: str, faults: Sequence[str | Mapping[str, Any]], seed: int, *, keep: bool = False) -> list[int]:
        """Put an owner's faults in force, behind those before or in place of them; their numbers.

        Each is a line or a mapping (fault_lines). Raises ValueError, and changes nothing then.
        """
        kept = self._put.get(owner, []) if keep else []
        if len(kept) + len(faults) > _MOST:
            raise ValueError(f"at most {_MOST} faults are in force at once")
        chance, now, added = SeededChance(seed), self._monotonic(), []
        for place, written in enumerate(faults, 1):
            try:
                ready = InForce(read_fault(written, self._now_ms()), self._knows, _EVERY_ACT)
            except BadScript as bad:
                where = f"fault {place}: " if len(faults) > 1 else ""
                raise ValueError(f"{where}{bad}") from bad
            added.append(_Put(self._numbers + place, ready, chance, now))
        self._numbers += len(added)
        self._put.pop(owner, None)
        if kept or added:
            self._put[owner] = [*kept, *added]
        return [one.number for one in added]

    def remove(self, owner: str, number: int) -> bool:
        """Take one fault out of force; whether it was there."""
        before = self._put.get(owner, [])
        left = [one for one in before if one.number != number]
        self._put.pop(owner, None)
        if left:
            self._put[owner] = left
        return len(left) < len(before)

    def listed(self, owner: str) -> list[dict[str, Any]]:
        """An owner's faults in order: number, line, members, how many it was about and how many it struck."""
        return [
            {
                "number": one.number,
                "line": line_of(one.in_force.fault),
                "fault": msgspec.to_builtins(one.in_force.fault),
                "seen": one.in_force.seen,
                "struck": one.in_force.struck,
            }
            for one in self._put.get(owner, ())
        ]

    def pass_time(self, owner: str | None, seconds: float) -> None:
        """Time went on for one owner, or, with None, for all of them."""
        for one in self._all() if owner is None else self._put.get(owner, ()):
            one.began -= seconds

    def _all(self) -> list[_Put]:
        return [one for puts in self._put.values() for one in puts]

    def before(self, http: HttpGet) -> HttpGet:
        """The HTTP client of callbacks with these faults before it."""
        return FaultyHosts(http, self)

    # What is asked

    def judge(self, plan: Plan, submit: SubmitSm, account: str, part: int, seconds: float, chance: Chance) -> Plan:
        """See Script.judge. Seconds and chance are those of each fault."""
        del seconds, chance
        if not self._put:
            return plan
        about = about_submit(submit, account, part)
        whose = Whose(*self._knows.whose(about.phone, about.text))
        fault = self._struck(whose, about, ACTS)
        return plan if fault is None else ACTS[fault.act](plan, fault)

    def judge_bind(self, account: str, seconds: float, chance: Chance) -> int:
        """See Script.judge_bind: binds are nobody's."""
        del account, seconds, chance
        return 0

    def judge_callback(self, host: str, phone: str, smsid: str) -> Fault | None:
        """See HookJudge."""
        if not self._put:
            return None
        whose = Whose(*self._knows.whose_request(smsid))
        about = About(f"84{phone[1:]}" if phone.startswith("0") else phone, brandname=whose.brandname, host=host)
        return self._struck(whose, about, CALLBACK_ACTS)

    def _struck(self, whose: Whose, about: About, acts: Mapping[str, object]) -> Fault | None:
        """The first fault that strikes: the owner's own come before everybody's."""
        about = about._replace(text=whose.text or about.text)
        owners = (whose.owner, EVERYBODY) if whose.owner else (EVERYBODY,)
        now = self._monotonic()
        for one in (one for owner in owners for one in self._put.get(owner, ())):
            fault = one.in_force.fault
            if fault.act in acts and one.strikes(about, now):
                return fault
        return None
