"""Faults by a script: what goes wrong at the carrier, for whom, from when on and for how long.

A script is a TOML file of `[[fault]]` tables, asked in order; the first that is about a submit decides what happens to
it, in place of the rules. With a seeded chance and a world of its own clock, a run is the same every time. Nothing here
reads a clock: a script is told the time. The same faults are given one by one to `scripts.Scripts`.
"""

import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import msgspec

from bocau.simulator.rules import Act, Chance, Form, IdStyle, Plan, ReceiptDue, Spoiled
from bocau.simulator.speed import Speed
from bocau.wire.smpp.pdu import SubmitSm, Tlvs
from bocau.wire.smpp.pieces import decode_text, read_piece
from bocau.wire.smpp.receipt import ReceiptState
from bocau.wire.smpp.status import Status

__all__ = [
    "ACTS",
    "BIND_ACTS",
    "About",
    "BadScript",
    "Fault",
    "InForce",
    "Knows",
    "KnowsNothing",
    "Script",
    "about_submit",
]

_EARLY_SECONDS: Final = 0.1
_NATIONAL: Final = "0"
_COUNTRY: Final = "84"


class BadScript(Exception):  # noqa: N818 - read_script raises BadScript
    """The file is no script; the text says where and why."""


class About(NamedTuple):
    """One submit, or one try of a callback, as a fault is asked about it."""

    phone: str
    """With its country code (849...)."""
    account: str = ""
    """system_id of the carrier account."""
    brandname: str = ""
    part: int = 1
    text: str = ""
    host: str = ""
    """Of a callback."""


class Knows(Protocol):
    """What faults ask that no carrier knows by itself."""

    @property
    def networks(self) -> Sequence[str]:
        """The names of the networks there are."""
        ...

    def network_of(self, phone: str) -> str:
        """The name of a number's network."""
        ...

    def fits(self, template: str, text: str) -> bool:
        """Whether a text follows a template, given as its text or as the number of a registered one. Raises ValueError
        for a template that is none."""
        ...


class KnowsNothing:
    """A carrier by itself."""

    networks: Sequence[str] = ()

    def network_of(self, phone: str) -> str:
        """See Knows."""
        del phone
        return ""

    def fits(self, template: str, text: str) -> bool:
        """See Knows."""
        del template, text
        raise ValueError("this carrier knows no templates")


_NOTHING: Final = KnowsNothing()


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One `[[fault]]`. What is left out, is about everything."""

    act: str
    """A word of ACTS."""
    account: str = ""
    """Only this system_id."""
    prefix: str = ""
    """Only numbers that begin so: 090... or 8490..."""
    network: str = ""
    """Only numbers of this network, in any letters: viettel."""
    brandname: str = ""
    text: str = ""
    """Only messages with this in their text."""
    template: str = ""
    """Only messages that follow it: its text, or the number of a registered one."""
    host: str = ""
    """Only callbacks to this host."""
    after_messages: int = 0
    """So many that it is about pass first: tries count, and the parts of a long message each."""
    for_messages: int | None = None
    """So many after those; None: all."""
    after_seconds: float = 0.0
    for_seconds: float | None = None
    rate: float = 1.0
    """The share of those it is about, 0 to 1."""
    part: int = 0
    """Only this part of a long message; 0: any."""
    status: int | None = None
    """For refuse: the command_status, else ESME_RSYSERR; for callback_answer: the HTTP status, else 502."""
    seconds: float = 2.0
    """For slow: from submit to answer; for late: from submit to receipt."""
    per_second: int = 10
    """For throttle: so many are let through in any second."""
    answer_id: IdStyle = IdStyle.DECIMAL
    """For ids: how the answer writes the message id."""
    receipt_id: IdStyle = IdStyle.DECIMAL
    """For ids: how the receipt does."""
    states: tuple[ReceiptState, ...] = ()
    """For receipts: one each, in this order, `seconds` apart."""
    word: str = ""
    """For receipts: how they call the state; empty: as above."""
    spoiled: Spoiled = Spoiled.HALF
    """For spoiled_answer and spoiled_receipt: what is wrong with it."""
    form: Form = Form.ODD
    """For form: how receipts are written."""
    tlvs: str = ""
    """For extras: parameters of the receipt, as 0x1403:3435323034,0x1404:00."""


def _answered(plan: Plan, **changes: object) -> Plan:
    return Plan(plan.answer._replace(**changes))  # type: ignore[arg-type]


def _receipts(plan: Plan, *receipts: ReceiptDue) -> Plan:
    return plan._replace(receipts=receipts if plan.receipts else ())


def _each(plan: Plan, **changes: object) -> Plan:
    """The same receipts, changed."""
    return plan._replace(receipts=tuple(due._replace(**changes) for due in plan.receipts))  # type: ignore[arg-type]


def _in_turn(plan: Plan, fault: Fault) -> Iterator[ReceiptDue]:
    """One receipt for each state of the fault, `seconds` apart; those of bad news have an error."""
    first = _first(plan)
    for number, state in enumerate(fault.states):
        error = "000" if state is ReceiptState.DELIVERED else "001"
        after = (first.after_seconds or 0.0) + number * fault.seconds
        yield first._replace(state=state, error=error, after_seconds=after, word=fault.word)


def _tlvs(fault: Fault) -> Tlvs:
    """Raises ValueError."""
    pairs = [pair.partition(":") for pair in fault.tlvs.split(",") if pair]
    return tuple((int(tag, 16), bytes.fromhex(octets)) for tag, _, octets in pairs)


def _first(plan: Plan, **changes: object) -> ReceiptDue:
    due = plan.receipts[0] if plan.receipts else ReceiptDue(after_seconds=0.0)
    return due._replace(**changes)  # type: ignore[arg-type]


def _undelivered(plan: Plan, state: ReceiptState) -> Plan:
    return _receipts(plan, _first(plan, state=state, error="001"))._replace(shown=False)


ACTS: Final[Mapping[str, Callable[[Plan, Fault], Plan]]] = {
    "refuse": lambda plan, fault: _answered(
        plan, act=Act.ANSWER, status=Status.SYSTEM_ERROR if fault.status is None else fault.status
    ),
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
    "hex_id": lambda plan, _: _receipts(plan, _first(plan, id_style=IdStyle.HEX)),
    "ids": lambda plan, fault: _each(plan, id_style=fault.receipt_id)._replace(
        answer=plan.answer._replace(id_style=fault.answer_id)
    ),
    "receipts": lambda plan, fault: _receipts(plan, *_in_turn(plan, fault)),
    "other_bind": lambda plan, _: _each(plan, elsewhere=True),
    "form": lambda plan, fault: _each(plan, form=fault.form),
    "extras": lambda plan, fault: _each(plan, tlvs=_tlvs(fault)),
    "echo": lambda plan, _: _each(plan, echo=True),
    "unswapped": lambda plan, _: _each(plan, unswapped=True),
    "astray": lambda plan, _: _each(plan, astray=True),
    "spoiled_receipt": lambda plan, fault: _each(plan, spoiled=fault.spoiled),
    "spoiled_answer": lambda plan, fault: plan._replace(answer=plan.answer._replace(spoiled=fault.spoiled)),
    "unbind": lambda plan, _: _answered(plan, act=Act.UNBIND),
    "freeze": lambda plan, _: _answered(plan, act=Act.FREEZE),
}
"""What can go wrong with a submit: never taken (refuse, throttle, silence, disconnect, unbind, freeze), taken slowly or
answered badly, or reported oddly."""

BIND_ACTS: Final = ("refuse_bind",)
"""What can go wrong with a bind. Only a script of the whole carrier may do it: a link is everybody's."""


class InForce:
    """One fault in force. It counts what it is about."""

    __slots__ = ("_knows", "_speed", "fault", "seen", "struck")

    def __init__(self, fault: Fault, knows: Knows, acts: Collection[str] = ACTS) -> None:
        """Raises BadScript for an act that is none of `acts`, a network or template that is none, or a wrong share."""
        if fault.act not in acts:
            raise BadScript(f"there is no act {fault.act!r}; there are {', '.join(acts)}")
        if not 0 <= fault.rate <= 1:
            raise BadScript("rate is a share, from 0 to 1")
        try:
            _tlvs(fault)
        except ValueError:
            raise BadScript("tlvs are a tag and octets, both hexadecimal, as in 0x1403:3435323034") from None
        if fault.network and fault.network.casefold() not in map(str.casefold, knows.networks):
            raise BadScript(
                f"there is no network {fault.network!r}; there are {', '.join(knows.networks) or 'none here'}"
            )
        if fault.template:
            try:
                knows.fits(fault.template, "")
            except ValueError as error:
                raise BadScript(f"template: {error}") from error
        self.fault = with_country(fault)
        self.seen = 0
        """How many it was about."""
        self.struck = 0
        """How many times it happened."""
        self._knows = knows
        self._speed = Speed()

    def strikes(self, about: About, seconds: float, chance: Chance) -> bool:
        """Whether it happens to this one, `seconds` after the fault began."""
        fault = self.fault
        if not self._is_about(about):
            return False
        self.seen += 1
        if not _within(self.seen - 1, fault.after_messages, fault.for_messages):
            return False
        if not _within(seconds, fault.after_seconds, fault.for_seconds):
            return False
        if fault.rate < 1 and chance.random() >= fault.rate:
            return False
        if fault.act == "throttle" and self._speed.passes(fault.per_second, seconds):
            return False
        self.struck += 1
        return True

    def _is_about(self, about: About) -> bool:
        fault, knows = self.fault, self._knows
        return (
            fault.account in ("", about.account)
            and fault.brandname in ("", about.brandname)
            and fault.host in ("", about.host)
            and fault.part in (0, about.part)
            and about.phone.startswith(fault.prefix)
            and fault.text in about.text
            and (not fault.network or fault.network.casefold() == knows.network_of(about.phone).casefold())
            and (not fault.template or knows.fits(fault.template, about.text))
        )


def with_country(fault: Fault) -> Fault:
    """The fault with its prefix as submits have numbers, however a person wrote it."""
    if fault.prefix.startswith(_NATIONAL):
        return msgspec.structs.replace(fault, prefix=_COUNTRY + fault.prefix[1:])
    return fault


class Script:
    """Faults in force, each counting from the start. Made anew for each run."""

    def __init__(self, faults: tuple[Fault, ...] = (), knows: Knows = _NOTHING) -> None:
        """Raises BadScript for a fault that is none."""
        self._in_force = []
        for number, fault in enumerate(faults, 1):
            try:
                self._in_force.append(InForce(fault, knows, (*ACTS, *BIND_ACTS)))
            except BadScript as bad:
                raise BadScript(f"fault {number}: {bad}") from bad

    @classmethod
    def read(cls, file: Path, knows: Knows = _NOTHING) -> "Script":
        """The script of a file. Raises BadScript and OSError."""
        try:
            tree = tomllib.loads(file.read_text("utf-8"))
            found = msgspec.convert(tree, dict[str, tuple[Fault, ...]])
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
            raise BadScript(f"{file}: {error}") from error
        if set(found) - {"fault"}:
            raise BadScript(f"{file}: only [[fault]] tables stand in a script")
        return cls(found.get("fault", ()), knows)

    def judge(self, plan: Plan, submit: SubmitSm, account: str, part: int, seconds: float, chance: Chance) -> Plan:
        """What happens to a submit at `seconds` since the start, given what the rules would do."""
        about = about_submit(submit, account, part)
        for one in self._in_force:
            if one.fault.act in ACTS and one.strikes(about, seconds, chance):
                return ACTS[one.fault.act](plan, one.fault)
        return plan

    def judge_bind(self, account: str, seconds: float, chance: Chance) -> int:
        """The command_status that a bind of this system_id gets at `seconds` since the start; 0: the usual. Its faults
        count binds."""
        about = About("", account)
        for one in self._in_force:
            if one.fault.act in BIND_ACTS and one.strikes(about, seconds, chance):
                return Status.BIND_FAILED if one.fault.status is None else one.fault.status
        return Status.OK


def about_submit(submit: SubmitSm, account: str, part: int) -> About:
    """What faults are asked about a submit; its text is that of this part."""
    piece = read_piece(submit)
    text = decode_text(piece.data, piece.coding)
    return About(submit.destination_addr, account, submit.source_addr, part, text)


def _within(value: float, after: float, length: float | None) -> bool:
    return after <= value and (length is None or value < after + length)
