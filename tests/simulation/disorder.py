"""A carrier whose receipts come in every order: early, late, twice, contradicting, on other binds, in other writings.

The town of the other stories, with three carrier accounts of two binds each, many receivers to a request, and a carrier
that follows no rule but its seed. What it did stands in its journal.
"""

import contextlib
import json
import random
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from tests.simulation.oracle import read_store, repeated_submits, writings
from tests.simulation.town import BRAND, CARRIER, PROFILE, Town
from tests.simulation.world import Network
from tests.store.engines import Inside
from tests.store.sweep import violations

from bocau.core.lifecycle import FINAL, AttemptState, State
from bocau.settings.sections import Carrier, Limits, Route, Schedule
from bocau.settings.values import Secret
from bocau.simulator.rules import Answer, Chance, Form, IdStyle, Plan, ReceiptDue, Spoiled
from bocau.store.sqlite import SqliteStore
from bocau.wire.smpp.pdu import SubmitSm
from bocau.wire.smpp.pieces import read_piece
from bocau.wire.smpp.receipt import ReceiptState

__all__ = ["UNLIMITED", "Disorder", "Figures", "Muddle", "broken", "figures"]

_S = ReceiptState
_COURSES: Final = (
    (_S.DELIVERED,),
    (_S.DELIVERED,),
    (_S.DELIVERED, _S.DELIVERED),
    (_S.ENROUTE, _S.DELIVERED),
    (_S.ACCEPTED, _S.ENROUTE, _S.DELIVERED, _S.DELIVERED),
    (_S.UNDELIVERED, _S.DELIVERED),
    (_S.DELIVERED, _S.EXPIRED),
    (_S.UNDELIVERED, _S.UNDELIVERED),
    (_S.EXPIRED,),
    (_S.REJECTED, _S.ENROUTE),
)
"""What a message's receipts say; each takes its own time, so they arrive in any order."""
_STYLES: Final = {
    "north": (IdStyle.DECIMAL, IdStyle.HEX),
    "south": (IdStyle.UPPER_HEX, IdStyle.PADDED),
    "east": (IdStyle.PADDED, IdStyle.DECIMAL),
}
"""How each account writes ids in answers and in receipts."""
_WORDS: Final = {_S.UNDELIVERED: ("", "FAILED", "NOROUTES"), _S.DELIVERED: ("", "", "DELIVRD", "SUCCESS")}
_FORMS: Final = (Form.TEXT, Form.TEXT, Form.BOTH, Form.ODD)
_DELAYS: Final = ((0.0, 0.0), (0.0, 2.0), (0.0, 2.0), (2.0, 30.0), (30.0, 120.0))
_RECEIVERS: Final = 100
_LONG_SHARE: Final = 0.1


class Disorder:
    """The carrier's script: `judge` as bocau.simulator.script has it."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(f"{seed}:disorder")

    def judge_bind(self, account: str, seconds: float, chance: Chance) -> int:
        """Everybody may bind."""
        del account, seconds, chance
        return 0

    def judge(self, plan: Plan, submit: SubmitSm, account: str, part: int, seconds: float, chance: Chance) -> Plan:
        """Taken, now or a little later, and reported somehow. One answer in some hundreds breaks off in the middle."""
        del plan, part, seconds, chance
        mine = self._chance
        answered, reported = _STYLES[account]
        # Two lost parts of one message are told apart by our own reference alone.
        echo = read_piece(submit).parts > 1 or mine.random() < 0.3
        receipts = tuple(self._due(state, reported, echo) for state in mine.choice(_COURSES))
        half = mine.random() < 0.002
        answer = Answer(
            after_seconds=mine.choice((0.0, 0.0, 0.2, 1.5)),
            id_style=answered,
            spoiled=Spoiled.HALF if half else Spoiled.NOTHING,
        )
        return Plan(answer, receipts, shown=True)

    def _due(self, state: ReceiptState, style: IdStyle, echo: bool) -> ReceiptDue:
        mine = self._chance
        odd = mine.random()
        # One without a text has no date: of a lost answer nobody could tell what it is about but for our reference.
        form = mine.choice((*_FORMS, Form.PARAMETERS) if echo else _FORMS)
        return ReceiptDue(
            state,
            mine.uniform(*mine.choice(_DELAYS)),
            "000" if state is _S.DELIVERED else "001",
            form,
            style,
            Spoiled.TWICE if odd < 0.01 else Spoiled.BODY if odd < 0.02 else Spoiled.NOTHING,
            elsewhere=mine.random() < 0.4,
            word=mine.choice(_WORDS.get(state, ("",))),
            echo=echo,
        )


class Muddle(Town):
    """The town under such a carrier."""

    def __init__(self, network: Network, folder: Path, messages: int) -> None:
        super().__init__(network, folder, magic=False)
        self.messages = messages
        self.inferred = self.learned = 0
        self._disk_seconds = 0.0
        carriers = tuple(_account(name) for name in _STYLES)
        self.settings = msgspec.structs.replace(
            self.settings,
            carrier=carriers,
            route=(Route(name="all", carriers=tuple(_STYLES), order="weight", weights=(1, 1, 1)),),
            limits=UNLIMITED,
            schedule=Schedule(uncertain_otp_seconds=600, uncertain_other_seconds=600, receipt_seconds=600),
        )

    async def begin(self) -> None:
        """Everybody is there, and the account can pay."""
        await self.open()
        self.smsc.script = Disorder(self.network.seed)  # type: ignore[assignment]
        await self.start_gateway()
        assert self.gateway is not None
        await self.gateway.store.top_up(1, 10**13, "disorder", self.gateway.world.now_ms())

    async def send_all(self) -> None:
        """Requests of a hundred receivers each, every number once, while links break and the gateway starts anew."""
        requests = -(-self.messages // _RECEIVERS)
        troubles = self._troubles(requests)
        for number in range(requests):
            await self._send(number)
            trouble = troubles.get(number)
            if trouble is not None:
                await trouble()
            await self.customer.world.sleep(self.chance.uniform(0.0, 3.0))

    def _troubles(self, requests: int) -> dict[int, Any]:
        """What goes wrong after which request: the same few things, spread over the run."""
        acts = (self._drop, self._restart, self._drop, self._crash, self._drop, self._restart, self._crash)
        return {(place + 1) * requests // (len(acts) + 1): act for place, act in enumerate(acts)}

    async def _drop(self) -> None:
        self.smsc.drop_links()

    async def _restart(self) -> None:
        self._count()
        await self.stop_gateway()
        await self.start_gateway()

    async def _crash(self) -> None:
        self._count()
        self.crash_gateway()
        await self.start_gateway()

    def _count(self) -> None:
        assert self.gateway is not None
        self.inferred += self.gateway.telemetry.schedule.inferred

    async def _send(self, number: int) -> None:
        first = number * _RECEIVERS
        phones = [f"09{one:08d}" for one in range(first, min(first + _RECEIVERS, self.messages))]
        code = f"{number:06d}"
        long = self.chance.random() < _LONG_SHARE
        text = _LONG_TEXT.format(code=code) if long else f"{code} la ma dang nhap Bocau cua ban"
        body = {
            "ApiKey": PROFILE.api_key,
            "SecretKey": PROFILE.secret_key,
            "Content": text,
            "Phone": ",".join(phones),
            "Brandname": BRAND,
            "SmsType": "2",
            "RequestId": f"d{number}",
            "CallbackUrl": "",
        }
        await self.customer.run(self._persist(number, body, tuple(phones), code, 0))

    async def settle(self, patience_seconds: float) -> None:
        """Until nothing is open, no receipt waits at the carrier, and none is left without its message."""
        await super().settle(patience_seconds)
        limit = self.seconds + patience_seconds
        while self.seconds < limit and (self.smsc.waiting or self._orphans()):
            await self.customer.world.sleep(5.0)
        self._count()

    def _orphans(self) -> int:
        assert self.gateway is not None
        assert isinstance(self.gateway.store, SqliteStore)
        found: int = self.gateway.store._reader.execute("SELECT count(*) FROM orphan_receipt").fetchone()[0]
        return found


_LONG_TEXT: Final = "{code} la ma cua ban. " + "Khong dua ma nay cho bat ky ai, ke ca nhan vien cua chung toi. " * 3
UNLIMITED: Final = Limits(
    requests_per_second=0,
    number_per_10_minutes=0,
    number_per_day=0,
    range_per_10_minutes=0,
    account_vnd_per_day=0,
    key_vnd_per_day=0,
)


def _account(name: str) -> Carrier:
    return Carrier(
        name=name,
        host=CARRIER,
        port=2775,
        system_id=name,
        password=Secret("pw"),
        window=60,
        binds=2,
        enquire_seconds=20.0,
        response_seconds=5.0,
        reconnect_first_seconds=0.5,
        reconnect_longest_seconds=4.0,
        receipt_utc_offset_minutes=0,
    )


class Figures(NamedTuple):
    """What a run was."""

    messages: int
    parts: int
    receipts: int
    """Different ones; a repetition by the carrier's own will counts, one for want of an acknowledgement does not."""
    early: int
    """Handed over before the answer to their submit."""
    elsewhere: int
    """Handed over on another link than their submit came on."""
    contradicting: int
    """Parts with both good and bad news."""
    inferred: int
    """Receipts tied to a submission whose answer was lost."""
    lost_answers: int
    """Parts whose answer never reached the gateway."""


def figures(town: Muddle) -> Figures:
    """Counted from the carrier's journal."""
    journal = [json.loads(line) for line in town.journal_file.read_bytes().splitlines()]
    submits, answered, states = {}, {}, defaultdict[str, list[str]](list)
    early = elsewhere = receipts = 0
    for line in journal:
        message_id = line.get("message_id", "")
        if line["event"] == "submit":
            submits[message_id] = line
        elif line["event"] == "answer":
            answered[message_id] = line["at_ms"]
        elif line["event"] == "receipt" and line["number"] == 1:
            receipts += 1
            states[message_id].append(line["state"])
            early += message_id not in answered
            elsewhere += line["link"] != submits[message_id]["link"]
    both = sum("DELIVRD" in said and bool({"UNDELIV", "EXPIRED", "REJECTD"} & {*said}) for said in states.values())
    with contextlib.closing(sqlite3.connect(town.folder / "bocau.db")) as db:
        lost = db.execute("SELECT count(*) FROM attempt WHERE inferred = 1").fetchone()[0]
    return Figures(town.messages, len(submits), receipts, early, elsewhere, both, town.inferred, lost)


def broken(town: Muddle) -> Iterator[str]:
    """Every broken promise, one sentence each."""
    inside = read_store(town)
    journal = [json.loads(line) for line in town.journal_file.read_bytes().splitlines()]
    yield from town.trouble
    yield from violations(inside)
    yield from repeated_submits(journal, inside)
    if len(inside.messages) != town.messages:
        yield f"{len(inside.messages)} messages of {town.messages}"
    for carrier_id, _ in inside.orphans:
        yield f"a receipt of {carrier_id} found no message"
    if town.smsc.waiting:
        yield f"{town.smsc.waiting} receipts were never acknowledged"
    yield from _attempts(journal, inside)


def _attempts(journal: list[dict[str, Any]], inside: Inside) -> Iterator[str]:
    """Each part has the id it was given, and the best that any receipt said; so has its message."""
    numbers, said = writings(journal), defaultdict[str, set[str]](set)
    submits = {line["message_id"]: line for line in journal if line["event"] == "submit" and line["message_id"]}
    for line in journal:
        if line["event"] == "receipt":
            said[line["message_id"]].add(line["state"])
    seen = set()
    for row in inside.attempts:
        if not row.carrier_id:
            continue  # it never reached the carrier, or its submit is found missing below
        number = numbers[row.carrier_id]
        submit = submits[number]
        seen.add(number)
        phone = inside.messages[row.message_id].phone
        if (submit["phone"], submit["part"]) != (f"84{phone[1:]}", row.part):
            yield f"{row} has the id of {submit}"
        good = "DELIVRD" in said[number]
        if good != (row.state is AttemptState.DELIVERED):
            yield f"{sorted(said[number])} was said of {row}"
    for number in submits.keys() - seen:
        yield f"nobody knows of {submits[number]}"
    yield from _messages(inside)


def _messages(inside: Inside) -> Iterator[str]:
    parts = defaultdict[int, set[AttemptState]](set)
    for row in inside.attempts:
        parts[row.message_id].add(row.state)
    for message in inside.messages.values():
        if message.state not in FINAL:
            yield f"message {message.id} is {message.state} at the end"
        if (message.state == State.DELIVERED) != (parts[message.id] == {AttemptState.DELIVERED}):
            yield f"message {message.id} is {message.state} with parts {parts[message.id]}"
