"""Faults of several owners at one carrier: each has a script of its own, for its own messages only.

The carrier is asked whose a message is; what nobody scripted goes by the rules. A script's seconds and messages are
counted from the moment it was put in, and its chance comes from a seed, so that a run is the same every time.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from bocau.simulator.rules import Chance, Plan
from bocau.simulator.script import BadScript, Fault, Script
from bocau.wire.smpp.pdu import SubmitSm
from bocau.wire.smpp.pieces import decode_text, read_piece

__all__ = ["Scripts", "SeededChance"]

_NATIONAL: Final = "0"
_COUNTRY: Final = "84"


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


class _Owned(NamedTuple):
    script: Script
    chance: SeededChance
    began: float


class Scripts:
    """Scripts by owner. `owner_of` is given a receiver, as the submit has it, and a text, and names whose it is."""

    def __init__(self, monotonic: Callable[[], float], began: float) -> None:
        """`began` is when the carrier did, on the monotonic clock: it tells moments as seconds since then."""
        self.owner_of: Callable[[str, str], str] = _nobody
        self._monotonic = monotonic
        self._carrier_began = began
        self._owned: dict[str, _Owned] = {}

    def put(self, owner: str, faults: Sequence[Mapping[str, object]], seed: int) -> None:
        """Put an owner's faults in force, in place of those before; none: by the rules again. Raises ValueError."""
        try:
            ready = tuple(_with_country(msgspec.convert(fault, Fault)) for fault in faults)
            script = Script(ready)
        except (msgspec.ValidationError, BadScript) as error:
            raise ValueError(str(error)) from error
        self._owned.pop(owner, None)
        if ready:
            self._owned[owner] = _Owned(script, SeededChance(seed), self._monotonic() - self._carrier_began)

    def judge(self, plan: Plan, submit: SubmitSm, account: str, part: int, seconds: float, chance: Chance) -> Plan:
        """See Script.judge."""
        del chance
        if not self._owned:
            return plan
        piece = read_piece(submit)
        owned = self._owned.get(self.owner_of(submit.destination_addr, decode_text(piece.data, piece.coding)))
        if owned is None:
            return plan
        return owned.script.judge(plan, submit, account, part, seconds - owned.began, owned.chance)


def _with_country(fault: Fault) -> Fault:
    """Numbers may be given as people write them."""
    if fault.prefix.startswith(_NATIONAL):
        return msgspec.structs.replace(fault, prefix=_COUNTRY + fault.prefix[1:])
    return fault


def _nobody(phone: str, text: str) -> str:
    del phone, text
    return ""
