"""What was kept long enough is forgotten, step by step; what is open, young, or money stays (promises S7, P23)."""

import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.store.engines import SqliteEngine
from tests.store.house import HOUR, NOON, House
from tests.store.sweep import sweep

from bocau.core.keeping import Keeping
from bocau.core.lifecycle import Event, State
from bocau.core.message import Admitted, InboundIn, Message
from bocau.store.contract import LedgerWindow

DAY = 24 * HOUR
KEEPING = Keeping(DAY, 30 * DAY, 180 * DAY, 400 * DAY, 30 * DAY, 0)
EARLY = DAY // 24
"""Things may go within the last 24th of their time."""


def forget(house: House, keeping: Keeping = KEEPING, limit: int = 3) -> Counter[str]:
    """Step until there is no more; what went."""
    gone: Counter[str] = Counter()
    for _ in range(1000):
        done = house.run(house.store.forget(keeping, house.now, limit))
        gone.update(done.counts)
        if not done.more:
            return gone
    raise AssertionError("it never ends")


def delivered(house: House, route_class: str = "otp", phone: str = "0901234567") -> Message:
    """A message that ended now."""
    message = house.sent(f"c{house.now}", route_class=route_class, phone=phone)
    house.report(f"c{house.now}", phone=phone)
    house.later(1000)
    return message


def test_a_text_goes_after_its_time_and_not_before(house: House) -> None:
    """A one-time code's a day after its message ended, any other's after thirty; numbers and states stay."""
    code, other = delivered(house), delivered(house, "other")
    ended = house.row(other).final_ms
    assert ended is not None
    house.now = ended + DAY - EARLY - 1000
    assert not forget(house)
    house.now = ended + DAY
    assert forget(house) == {"otp_text": 1}
    assert (house.row(code).content, house.row(code).phone) == ("", code.phone)
    assert house.row(other).content == other.content
    house.now = ended + 30 * DAY
    assert forget(house) == {"other_text": 1}
    assert house.row(other).content == ""
    assert {house.state(code), house.state(other)} == {State.DELIVERED}


def test_a_text_is_there_until_the_last_part_of_its_time(house: House) -> None:
    """An operator who looks within 23 hours finds it."""
    message = delivered(house)
    for _ in range(23):
        assert not forget(house)
        assert house.row(message).content
        house.later(HOUR - 1000)


def test_a_message_that_ended_late_is_forgotten_as_long_after_that(house: House) -> None:
    """The walk passes it once and comes back for it alone; what is open keeps its text."""
    scheduled = house.accept(send_in=10 * DAY, state=State.SCHEDULED)
    slow = house.sent("slow")
    house.later(2 * DAY)
    assert not forget(house)
    house.report("slow")
    house.later(DAY - EARLY - 1)
    assert not forget(house)
    house.later(EARLY + 1)
    assert forget(house) == {"otp_text": 1}
    assert house.row(slow).content == ""
    assert house.row(scheduled).content
    house.now = NOON + 10 * DAY
    house.turn(scheduled, Event.CANCEL)
    house.later(DAY)
    forget(house)
    house.later(DAY)
    assert house.row(scheduled).content == "" or forget(house) == {"otp_text": 1}
    assert house.row(scheduled).content == ""


def test_a_number_is_masked_wherever_it_stands(house: House) -> None:
    """In the message and in what was handed to carriers, after 180 days; the counter of its parts is long gone."""
    message = house.accept(ours=True, parts=2, phone="0987654321")
    house.begin(message)
    for part in (1, 2):
        house.take(message, f"p{part}", part=part)
        house.report(f"p{part}", phone="0987654321")
    house.later(180 * DAY)
    house.run(house.store.prune(house.now, 100))
    assert forget(house) == {"otp_text": 1, "phone": 1}
    assert house.row(message).phone == "098****321"
    assert not forget(house)
    if isinstance(house.engine, SqliteEngine):
        db = sqlite3.connect(house.engine.path)
        dump = "\n".join(db.iterdump())
        db.close()
        assert "0987654321" not in dump


def test_a_request_goes_as_a_whole_and_its_money_stays(house: House) -> None:
    """The balance is the sum of the ledger ever after (promises P23)."""
    old = house.accept_all(receivers=3, ours=True)
    for number, message in enumerate(old):
        house.begin(message)
        house.take(message, f"o{number}")
        house.report(f"o{number}", phone=message.phone)
    (due,) = house.claim_callbacks()
    house.tried(due, 200, "done")
    before, ledger = house.balance(), house.run(house.store.ledger(house.account, 100))
    house.later(400 * DAY)
    young = delivered(house)
    forget(house)
    inside = house.engine.inspect()
    assert set(inside.messages) == {young.id}
    assert {row.message_id for row in inside.attempts} == {young.id}
    assert not inside.tries
    assert set(inside.callbacks) == {young.id}
    assert house.balance() == before - young.price
    kept = house.run(house.store.ledger(house.account, 100, LedgerWindow(until_ms=NOON + DAY)))
    assert kept == ledger


def test_a_request_with_one_message_open_stays(house: House) -> None:
    """Its callback is still owed."""
    first, second = house.accept_all(receivers=2, ours=True)
    house.begin(first)
    house.take(first, "f1")
    house.report("f1", phone=first.phone)
    house.later(500 * DAY)
    forget(house)
    assert {first.id, second.id} <= set(house.engine.inspect().messages)
    house.turn(second, Event.EXPIRE)
    house.later(400 * DAY)
    forget(house)
    house.later(400 * DAY)
    forget(house)
    assert not house.engine.inspect().messages


def test_for_ever_is_for_ever(house: House) -> None:
    """Zero days of messages."""
    message = delivered(house)
    house.later(36_000 * DAY // 1000)
    house.later(3_000 * DAY)
    forget(house, KEEPING._replace(message_ms=0))
    assert house.row(message).state == State.DELIVERED


def test_what_subscribers_wrote_goes_by_the_day_it_came(house: House) -> None:
    """Oldest first, a few at a time; the audit only if that is wanted."""
    for number in range(5):
        inbound = InboundIn("north", b"raw", house.now, "0901234567", "1900", "", 1, 1)
        house.one(house.store.inbound, inbound)
        house.later(DAY)
        assert number < 5
    house.now = NOON + 32 * DAY
    assert forget(house) == {"inbound": 2}
    assert len(house.engine.inspect().inbound) == 3
    acts = len(house.run(house.store.audit(100)))
    assert acts
    assert forget(house, KEEPING._replace(audit_ms=DAY)) == {"audit": acts}
    assert house.run(house.store.audit(100)) == []


def test_many_go_in_steps_and_the_walk_goes_on_after_a_restart(house: House) -> None:
    """Each step looks at no more than it may."""
    admissions = [house.draft(price=0, url="", request_id=f"r{number}") for number in range(40)]
    assert all(isinstance(one, Admitted) for one in house.admit_together(*admissions))
    for admission in admissions:
        house.turn(admission.messages[0], Event.CANCEL)
    house.later(DAY)
    done = house.run(house.store.forget(KEEPING, house.now, 7))
    assert (dict(done.counts), done.more) == ({"otp_text": 7}, True)
    house.crash()
    assert forget(house, limit=7) == {"otp_text": 33}


def test_what_would_go_is_counted(house: House) -> None:
    """Before the walk everything old enough is due, after it only what waits for its turn is left."""
    for _ in range(4):
        delivered(house)
    house.sent("open")
    house.later(DAY)
    named = {one.what: one for one in house.run(house.store.forgettable(KEEPING, house.now))}
    assert (named["otp_text"].due, named["otp_text"].later, named["message"].due) == (5, 0, 0)
    forget(house)
    named = {one.what: one for one in house.run(house.store.forgettable(KEEPING, house.now))}
    assert (named["otp_text"].due, named["otp_text"].later) == (0, 1)
    house.later(DAY)
    named = {one.what: one for one in house.run(house.store.forgettable(KEEPING, house.now))}
    assert named["otp_text"].due == 1


@pytest.mark.parametrize("threaded", [False, True])
def test_nothing_of_a_forgotten_text_is_left_in_any_file(tmp_path: Path, threaded: bool) -> None:
    """Raw bytes of the store and of its log: neither freed places nor old pages hold it (promises S7)."""
    engine = SqliteEngine(tmp_path, threaded=threaded)
    house = House(engine)

    def left() -> int:
        files = [Path(engine.path), Path(f"{engine.path}-wal")]
        return sum(file.read_bytes().count(b"CANARY") for file in files)

    secrets = [house.draft(price=0, url="", request_id=f"r{number}", ours=True) for number in range(300)]
    secrets = [
        replace(one, messages=(replace(one.messages[0], content=f"CANARY{number} la ma cua ban"),))
        for number, one in enumerate(secrets)
    ]
    house.admit_together(*secrets)
    for number, one in enumerate(secrets):
        house.begin(one.messages[0])
        if number % 3:
            house.take(one.messages[0], f"c{number}")
            house.report(f"c{number}")
        else:
            house.refuse(one.messages[0])
    assert left() > 300
    house.later(DAY)
    assert forget(house, limit=50) == {"otp_text": 300}
    assert house.run(house.store.shred())
    assert Path(f"{engine.path}-wal").stat().st_size == 0
    assert left() == 0
    sweep(engine.inspect())
    house.close()


def test_a_log_that_somebody_reads_is_emptied_later(tmp_path: Path) -> None:
    """A backup that runs must not be hurt, nor wait; and no error comes of it."""
    engine = SqliteEngine(tmp_path, threaded=True)
    house = House(engine)
    house.accept()
    reader = sqlite3.connect(engine.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM message").fetchone()
    house.accept()
    assert not house.run(house.store.shred())
    reader.execute("COMMIT")
    reader.close()
    assert house.run(house.store.shred())
    assert engine.faults == []
    house.close()
