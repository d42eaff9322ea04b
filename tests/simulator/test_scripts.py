"""Faults of several owners at one carrier and at the hosts of callbacks."""

import asyncio
import random
from collections.abc import Callable, Sequence

import pytest
from tests.simulator.test_script import RULES, submit

from bocau.ports import HttpAnswer, HttpFailure
from bocau.simulator.fault_lines import ACT_MEANINGS, NAME_MEANINGS
from bocau.simulator.hooks import CALLBACK_ACTS
from bocau.simulator.script import ACTS, BIND_ACTS, Fault, KnowsNothing
from bocau.simulator.scripts import EVERYBODY, Scripts, SeededChance
from bocau.wire.smpp.pdu import SubmitSm
from bocau.wire.smpp.status import Status

NOON_MS = 1_800_000_000_000 // 86_400_000 * 86_400_000 + 5 * 3_600_000  # 12:00 in Vietnam


class Facts(KnowsNothing):
    """The owner of a number is its last digit; numbers that end in 1 or 2 are Viettel's."""

    networks = ("Viettel", "Mobifone")

    def network_of(self, phone: str) -> str:
        return "Viettel" if phone[-1] in "12" else "Mobifone"

    def fits(self, template: str, text: str) -> bool:
        if template == "nonsense":
            raise ValueError("nonsense is no template")
        return text == f"{template} in full"

    def whose(self, phone: str, text: str) -> tuple[str, str, str]:
        return (phone[-1] if text == "4821" else "", "Shop", f"{text} in full")

    def whose_request(self, smsid: str) -> tuple[str, str, str]:
        return smsid[:1], "Shop", "4821 in full"


class Bench:
    """Scripts at a carrier that has run for a while, and a host of callbacks that is well."""

    def __init__(self) -> None:
        self.now = 100.0
        self.scripts = Scripts(lambda: self.now, lambda: NOON_MS)
        self.scripts.ask(Facts())

    def status(self, number: int) -> int:
        return self.judge(submit(number))

    def judge(self, one: SubmitSm) -> int:
        chance = random.Random(1)
        return self.scripts.judge(RULES.plan(one, "us", 1, chance), one, "us", 1, self.now, chance).answer.status

    def statuses(self, *numbers: int) -> list[int]:
        return [self.status(number) for number in numbers]

    def call(self, smsid: str, url: str = "http://127.0.0.1:8000/hook", seconds: float = 0.5) -> str:
        """What is made of one callback, called for real by a host that answers 204."""

        async def run() -> str:
            said: asyncio.Future[HttpAnswer | HttpFailure] = asyncio.get_running_loop().create_future()
            http = self.scripts.before(Well())
            http.begin(f"{url}?SMSID={smsid}&phonenumber=0900000001", lambda _: (), seconds, said.set_result)
            answer = await said
            return str(answer.status) if isinstance(answer, HttpAnswer) else answer.reason

        return asyncio.run(run())


class Well:
    """Every host answers 204."""

    def begin(
        self,
        url: str,
        headers: Callable[[str], Sequence[tuple[str, str]]],
        seconds: float,
        done: Callable[[HttpAnswer | HttpFailure], None],
    ) -> None:
        asyncio.get_running_loop().call_soon(done, HttpAnswer(204, b"", ""))


def test_a_fault_is_for_the_messages_of_its_owner() -> None:
    """The others go by the rules, and do not count."""
    bench = Bench()
    bench.scripts.put("1", [{"act": "refuse", "after_messages": 1}], 0)
    assert bench.statuses(1, 2, 1, 2, 1) == [0, 0, 8, 0, 8]


def test_from_the_third_message_to_a_network_it_is_throttled_for_a_minute() -> None:
    """Only what a fault is about counts."""
    bench = Bench()
    bench.scripts.put(EVERYBODY, ["throttle per_second=1 network=viettel after_messages=2 for_seconds=60"], 0)
    assert bench.statuses(1, 3, 3, 3, 2, 1, 1, 2, 3) == [0, 0, 0, 0, 0, 0, Status.THROTTLED, Status.THROTTLED, 0]
    bench.now += 1.0
    assert bench.statuses(1, 1) == [0, Status.THROTTLED]
    bench.now += 59.0
    assert bench.statuses(1, 1) == [0, 0]


def test_a_fault_is_about_a_template_a_text_or_a_sender() -> None:
    """The whole text counts, though the carrier may see a part of it; what is not meant goes on."""
    bench = Bench()
    for line, meant in (
        ("refuse template=4821", True),
        ("refuse template=other", False),
        ("refuse text='in full'", True),
        ("refuse text=nothing", False),
        ("refuse brandname=BOCAU", True),
        ("refuse brandname=Other", False),
        ("refuse prefix=0900", True),
        ("refuse prefix=091", False),
    ):
        bench.scripts.put(EVERYBODY, [line], 0)
        assert bool(bench.status(1)) is meant, line


def test_an_owners_own_faults_come_before_those_of_everybody() -> None:
    """And where they do not strike, those of everybody do."""
    bench = Bench()
    bench.scripts.put(EVERYBODY, ["refuse"], 0)
    bench.scripts.put("1", ["refuse status=20 for_messages=1"], 0)
    assert bench.statuses(1, 1, 2) == [20, 8, 8]


def test_seconds_count_from_when_the_fault_was_put_in() -> None:
    """Not from the start of the carrier; time that a test lets pass counts too, for its own faults."""
    bench = Bench()
    line = "throttle per_second=0 for_seconds=60"
    bench.scripts.put("1", [line], 0)
    assert bench.status(1) == Status.THROTTLED
    bench.now += 61
    assert bench.status(1) == Status.OK
    for owner, left in (("1", Status.OK), ("2", Status.THROTTLED), (None, Status.OK)):
        bench.scripts.put("1", [line], 0)
        bench.scripts.pass_time(owner, 61)
        assert bench.status(1) == left


def test_a_fault_may_last_until_a_time_of_the_day() -> None:
    """As a person at the command line says it, in the time of Vietnam."""
    bench = Bench()
    bench.scripts.put(EVERYBODY, ["refuse until=12:30"], 0)
    assert bench.scripts.listed(EVERYBODY)[0]["fault"]["for_seconds"] == 1800
    bench.scripts.put(EVERYBODY, ["refuse until=11:30"], 0)
    assert bench.scripts.listed(EVERYBODY)[0]["fault"]["for_seconds"] == 23.5 * 3600
    for bad in ("refuse until=noon", "refuse until=2001-01-01", "refuse until=12:30 for_seconds=1"):
        with pytest.raises(ValueError, match=r"until|over already"):
            bench.scripts.put(EVERYBODY, [bad], 0)


def test_no_faults_mend_the_carrier() -> None:
    """And an owner's new faults take the place of the old ones."""
    bench = Bench()
    bench.scripts.put("1", [{"act": "refuse"}], 0)
    bench.scripts.put("1", [{"act": "throttle", "per_second": 0}], 0)
    assert bench.status(1) == Status.THROTTLED
    bench.scripts.put("1", [], 0)
    assert bench.status(1) == Status.OK


def test_faults_are_added_listed_and_removed_one_by_one() -> None:
    """What is in force goes on counting; a number is never used again."""
    bench = Bench()
    [first] = bench.scripts.put("1", ["refuse after_messages=1"], 0)
    bench.status(1)
    [second] = bench.scripts.put("1", ["silence for_messages=0"], 0, keep=True)
    assert bench.status(1) == 8
    assert [(row["number"], row["line"], row["seen"], row["struck"]) for row in bench.scripts.listed("1")] == [
        (first, "refuse after_messages=1", 2, 1),
        (second, "silence for_messages=0", 0, 0),
    ]
    assert bench.scripts.remove("1", first)
    assert not bench.scripts.remove("1", first)
    assert bench.status(1) == 0
    assert bench.scripts.put("1", ["refuse"], 0)[0] > second


def test_what_is_no_fault_is_explained_and_changes_nothing() -> None:
    """Every sentence says what there is instead."""
    bench = Bench()
    bench.scripts.put("1", ["refuse"], 0)
    for bad, said in (
        ("explode", "there is no act 'explode'; there are refuse, throttle"),
        ("refuse network=vietel", "there is no network 'vietel'; there are Viettel, Mobifone"),
        ("refuse template=nonsense", "nonsense is no template"),
        ("refuse colour=red", "nothing is narrowed by colour; there are account, prefix, network"),
        ("refuse rate=2", "rate is a share"),
        ("refuse rate=much", "rate"),
        ("refuse viettel", '"viettel" narrows nothing: write it as name=value'),
        ("refuse part=1 part=2", "part is given twice"),
        ("", "it begins with an act"),
        ("refuse 'part", "quotes come in pairs"),
    ):
        with pytest.raises(ValueError, match="fault 2: ") as refused:
            bench.scripts.put("1", ["silence", bad], 0)
        assert said in str(refused.value)
    with pytest.raises(ValueError, match="the act is missing"):
        bench.scripts.put("1", [{"rate": 0.5}], 0)
    with pytest.raises(ValueError, match="at most 100 faults"):
        bench.scripts.put("1", ["refuse"] * 101, 0)
    assert [row["line"] for row in bench.scripts.listed("1")] == ["refuse"]


@pytest.mark.parametrize(
    "line",
    [
        "late template='{P1,6} la ma' seconds=40",
        "refuse network=viettel rate=0.25",
        "receipts states=UNDELIV,DELIVRD word=NOROUTES",
        "ids receipt_id=padded_hex",
        "extras tlvs=0x1403:3435,0x1404:00",
        "callback_answer status=503",
    ],
)
def test_a_line_reads_back(line: str) -> None:
    """What a list shows can be put in again."""
    bench = Bench()
    bench.scripts.put("1", [line], 0)
    assert bench.scripts.listed("1")[0]["line"] == line


def test_a_callback_host_answers_otherwise_for_its_owner_alone() -> None:
    """Three times, and then it is well; nothing of it reaches the carrier."""
    bench = Bench()
    bench.scripts.put("1", ["callback_answer for_messages=3"], 0)
    assert [bench.call("2x"), *(bench.call("1x") for _ in range(4))] == ["204", "502", "502", "502", "204"]
    assert bench.status(1) == 0


def test_a_callback_fault_is_about_a_host_and_a_network() -> None:
    """As said."""
    bench = Bench()
    bench.scripts.put(EVERYBODY, ["callback_answer status=410 host=shop.example network=viettel text=4821"], 0)
    assert bench.call("1x") == "204"
    assert bench.call("1x", "https://shop.example/hook") == "410"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("callback_silence", "timed out"),
        ("callback_refuse", "connection refused"),
        ("callback_slow seconds=0.01", "204"),
        ("callback_slow seconds=9", "timed out"),
    ],
)
def test_a_callback_host_may_be_silent_away_or_slow(line: str, said: str) -> None:
    """All within the time of a try."""
    bench = Bench()
    bench.scripts.put(EVERYBODY, [line], 0)
    assert bench.call("1x", seconds=0.05) == said
    assert line.split(maxsplit=1)[0] in CALLBACK_ACTS


def test_every_act_and_every_name_has_its_meaning() -> None:
    """What people read is what there is."""
    assert list(ACT_MEANINGS) == [*ACTS, *BIND_ACTS, *CALLBACK_ACTS]
    assert set(NAME_MEANINGS) == {*Fault.__struct_fields__, "until"} - {"act"}


def test_chance_is_the_same_for_the_same_seed() -> None:
    """And another for another one."""

    def run(seed: int) -> list[int]:
        bench = Bench()
        bench.scripts.put("1", [{"act": "refuse", "rate": 0.5}], seed)
        return [bench.status(1) for _ in range(40)]

    assert run(7) == run(7) != run(8)
    assert 5 < sum(map(bool, run(7))) < 35


def test_seeded_chance_is_spread_evenly() -> None:
    """From 0 up to 1."""
    chance = SeededChance(1)
    drawn = [chance.random() for _ in range(1_000)]
    assert 0 <= min(drawn) < 0.01
    assert 0.99 < max(drawn) < 1
    assert 0.45 < sum(drawn) / len(drawn) < 0.55
