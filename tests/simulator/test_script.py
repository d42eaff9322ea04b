"""Scripted faults: what goes wrong, for whom, from when on and for how long; the same every time."""

import random
from pathlib import Path

import pytest

from bocau.simulator.rules import MAGIC, PLAIN, Act, IdStyle, Plan, Rules
from bocau.simulator.script import ACTS, BadScript, Fault, Script
from bocau.wire.smpp.pdu import SubmitSm
from bocau.wire.smpp.receipt import ReceiptState
from bocau.wire.smpp.status import Status

RULES = Rules(0.3, table=PLAIN)


def submit(number: int = 1, *, long: int = 0) -> SubmitSm:
    header = bytes((5, 0, 3, 7, 2, long)) if long else b""
    return SubmitSm(
        source_addr="BOCAU",
        destination_addr=f"8490{number:07d}",
        registered_delivery=1,
        esm_class=0x40 if long else 0,
        short_message=header + b"4821",
    )


def plan_of(script: Script, one: SubmitSm, seconds: float = 0.0, account: str = "us", part: int = 1) -> Plan:
    chance = random.Random(1)
    return script.judge(RULES.plan(one, account, 1, chance), one, account, part, seconds, chance)


def statuses(script: Script, count: int, *, step_seconds: float = 0.0, seed: int = 1) -> list[int]:
    """The statuses of submits that come so far apart."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        one = submit(number)
        plan = RULES.plan(one, "us", 1, chance)
        found.append(script.judge(plan, one, "us", 1, number * step_seconds, chance).answer.status)
    return found


def test_a_fault_is_about_some_messages_after_others() -> None:
    """Counted over all of them."""
    script = Script((Fault(act="refuse", after_messages=3, for_messages=2),))
    assert statuses(script, 7) == [0, 0, 0, 8, 8, 0, 0]


def test_a_fault_lasts_for_a_while() -> None:
    """Told the time, so that a test need not wait."""
    script = Script((Fault(act="refuse", status=0x14, after_seconds=2.0, for_seconds=3.0),))
    assert statuses(script, 7, step_seconds=1.0) == [0, 0, 0x14, 0x14, 0x14, 0, 0]


def test_a_fault_is_about_a_prefix_and_an_account() -> None:
    """Others go on as the rules say."""
    script = Script((Fault(act="silence", prefix="84900000001", account="us"),))
    assert plan_of(script, submit(1)).answer.act is Act.SILENCE
    assert plan_of(script, submit(2)).answer.act is Act.ANSWER
    assert plan_of(script, submit(1), account="them").answer.act is Act.ANSWER


def test_a_share_of_the_messages_is_the_same_with_the_same_seed() -> None:
    """Deterministic, and about as many as said."""
    fault = Fault(act="refuse", rate=0.25)
    first = statuses(Script((fault,)), 400)
    assert first == statuses(Script((fault,)), 400)
    assert first != statuses(Script((fault,)), 400, seed=2)
    assert 70 < first.count(8) < 130


def test_a_throttled_carrier_lets_so_many_through_in_any_second() -> None:
    """P11: a sliding second, not a calendar one."""
    script = Script((Fault(act="throttle", per_second=3),))
    found = statuses(script, 20, step_seconds=0.2)
    assert found == ([0, 0, 0, Status.THROTTLED, Status.THROTTLED] * 4)


def test_a_bind_may_be_refused_for_a_while() -> None:
    """By account, time and the binds so far; submits are not touched by it, nor counted."""
    script = Script((Fault(act="refuse_bind", status=0x05, account="us", for_messages=3, for_seconds=5.0),))
    chance = random.Random(1)
    assert script.judge_bind("them", 0.0, chance) == 0
    assert statuses(script, 2) == [0, 0]
    assert [script.judge_bind("us", seconds, chance) for seconds in (0.0, 4.9, 5.0)] == [0x05, 0x05, 0]
    assert script.judge_bind("us", 0.0, chance) == 0
    assert Script((Fault(act="refuse_bind"),)).judge_bind("us", 0.0, chance) == Status.BIND_FAILED


@pytest.mark.parametrize("act", sorted(ACTS))
def test_every_act_does_something_that_the_rules_do_not(act: str) -> None:
    """And keeps the plan whole: who is not taken gets no receipts and is not shown."""
    about = {"states": (ReceiptState.ENROUTE, ReceiptState.DELIVERED), "tlvs": "0x1403:4a"}
    script = Script((Fault(act=act, per_second=0, receipt_id=IdStyle.HEX, **about),))  # type: ignore[arg-type]
    plain = RULES.plan(submit(), "us", 1, random.Random(1))
    plan = plan_of(script, submit())
    assert plan != plain
    if not plan.answer.taken:
        assert (plan.receipts, plan.shown) == ((), False)


def test_receipts_may_come_twice_first_late_or_odd() -> None:
    """Each as its name says."""
    assert len(plan_of(Script((Fault(act="twice"),)), submit()).receipts) == 2
    early = plan_of(Script((Fault(act="receipt_first"),)), submit())
    due = early.receipts[0].after_seconds
    assert due is not None
    assert due < early.answer.after_seconds
    assert plan_of(Script((Fault(act="late", seconds=60.0),)), submit()).receipts[0].after_seconds == 60.0
    assert plan_of(Script((Fault(act="hex_id"),)), submit()).receipts[0].id_style is IdStyle.HEX
    assert plan_of(Script((Fault(act="expired"),)), submit()).receipts[0].state is ReceiptState.EXPIRED


def test_the_first_fault_that_is_about_a_submit_counts() -> None:
    """A throttle that lets it through is not about it."""
    faults = (Fault(act="throttle", per_second=1), Fault(act="refuse", status=0x14), Fault(act="silence"))
    assert statuses(Script(faults), 2) == [0x14, Status.THROTTLED]


def test_one_part_of_a_long_message_may_be_meant() -> None:
    """The others go as they would."""
    script = Script((Fault(act="refuse", part=2),))
    assert plan_of(script, submit(long=1), part=1).answer.status == 0
    assert plan_of(script, submit(long=2), part=2).answer.status == 8


def test_a_script_is_read_from_a_file(tmp_path: Path) -> None:
    """What is wrong in it is told."""
    file = tmp_path / "faults.toml"
    file.write_text('[[fault]]\nact = "refuse"\nafter_messages = 1\n[[fault]]\nact = "silence"\nrate = 0.0\n')
    assert statuses(Script.read(file), 3) == [0, 8, 8]
    for text in (
        '[[fault]]\nact = "explode"',
        '[[fault]]\nact = "silence"\nrat = 1',
        '[[fault]]\nact = "extras"\ntlvs = "vendor:00"',
        '[[fault]]\nact = "ids"\nanswer_id = "roman"',
        "[[fault]",
        "[[rule]]\nact='slow'",
    ):
        file.write_text(text)
        with pytest.raises(BadScript):
            Script.read(file)


@pytest.mark.parametrize(("ending", "answers"), [("0018", [8, 0]), ("0019", [0x0B, 0x0B]), ("0021", [0x14, 0x14])])
def test_numbers_that_trouble_one_part_or_every_try(ending: str, answers: list[int]) -> None:
    """The second part refused once, or for good; a queue that stays full."""
    rules = Rules(0.3, table=MAGIC)
    one = submit(int(ending), long=0 if ending == "0021" else 2)
    counts = (1, 2) if ending == "0021" else (2, 3)
    assert [rules.plan(one, "us", count, random.Random(1)).answer.status for count in counts] == answers
    if ending != "0021":
        assert rules.plan(submit(int(ending), long=1), "us", 1, random.Random(1)).answer.taken
