"""What customers ask of the store: receivers, pages of what was sent, generated codes."""

import asyncio

import pytest
from msgspec.structs import replace
from tests.store.house import HOUR, NOON, PHONE, PRICE, House

from bocau.core.call import Manner, Playing
from bocau.core.directory import RecordingRow
from bocau.core.ids import first_id_at, short_id
from bocau.core.lifecycle import State
from bocau.core.message import Admitted, CallOrder, CodeTry, GeneratedCode, SentRange
from bocau.store.rooms import answering

CODE = GeneratedCode(PHONE, b"right" * 6, NOON + HOUR)


def everything(house: House, account: int = 0, *, sms_type: int = 2, skip: int = 0, limit: int = 500) -> SentRange:
    """All messages of an account up to now."""
    return SentRange(account or house.account, sms_type, 0, first_id_at(house.now + 1), skip, limit)


# Receivers


def test_receivers_are_listed_in_order_with_what_became_of_each(house: House) -> None:
    """Those that were dropped at the door are not among them."""
    messages = house.accept_all(receivers=3, dropped=2)
    found = house.run(house.store.receivers(house.account, messages[0].smsid.upper(), NOON))
    assert found is not None
    assert [row.phone for row in found] == [message.phone for message in messages]
    assert {(row.telco, row.state, row.tries, row.release_ms) for row in found} == {(2, State.QUEUED, 0, NOON)}


def test_receivers_of_another_account_of_an_old_or_of_no_request_are_none(house: House) -> None:
    """All three alike (promises S3)."""
    message = house.accept()
    other = house.new_account("other", 0)
    unknown = message.smsid[:-4] + ("0" if message.smsid[-4] != "0" else "1") + message.smsid[-3:]
    ask = house.store.receivers
    for account, smsid, since_ms in (
        (other, message.smsid, NOON),
        (house.account, message.smsid, NOON + 1),
        (house.account, unknown, NOON),
        (house.account, "x", NOON),
    ):
        assert house.run(ask(account, smsid, since_ms)) is None


# What a call plays


def test_a_call_speaks_as_was_asked_for(house: House) -> None:
    """Every one of its calls; a recording that was removed since is told."""
    number = house.run(house.store.put_recording(RecordingRow(0, house.account, "hello"), (8_000, b"\1\0"), NOON))
    orders = None, CallOrder(0, "male", 1), CallOrder(number, "", 0)
    admissions = [replace(house.draft(receivers=2), order=order) for order in orders]
    assert house.admit_together(*admissions) == [Admitted(admission) for admission in admissions]
    found = [house.run(house.store.manner(message.id)) for one in admissions for message in one.messages]
    recorded = Manner(Playing(8_000, b"\1\0"))
    assert found == [Manner()] * 2 + [Manner(None, "male", 1)] * 2 + [recorded] * 2
    assert house.run(house.store.delete_recording(house.account, number))
    with pytest.raises(LookupError, match="was removed"):
        house.run(house.store.manner(admissions[-1].messages[0].id))


# What was sent


def test_a_report_has_every_message_of_the_account_and_type_once(house: House) -> None:
    """Rejected ones too; several receivers are several rows; others' messages are not there."""
    first = house.accept(request_id="one")
    several = house.accept_all(receivers=2)
    rejected = house.draft(state=State.REJECTED)
    house.admit(rejected)
    house.accept(account=house.new_account("other", 1000 * PRICE))
    page = house.run(house.store.sent(everything(house)))
    assert page.total == 4
    assert [row.id for row in page.rows] == [first.id, several[0].id, several[1].id, rejected.messages[0].id]
    assert [row.state for row in page.rows] == [State.QUEUED] * 3 + [State.REJECTED]
    row = page.rows[0]
    assert (row.smsid, row.phone, row.content, row.price, row.sms_type) == (first.smsid, PHONE, "4821 là mã", PRICE, 2)
    assert house.run(house.store.sent(everything(house, sms_type=8))).total == 0


@pytest.mark.parametrize("stretch", [1, 2, 3, 7, 100])
def test_pages_are_the_same_however_long_the_stretches_are(
    house: House, stretch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The messages are walked in stretches so that a long count holds up nobody; others' lie between."""
    monkeypatch.setattr(answering, "_STRETCH", stretch)
    other = house.new_account("other", 1000 * PRICE)
    ids = []
    for _ in range(7):
        ids.append(house.accept().id)
        house.accept(account=other)
    for limit in (1, 3, 7, 8):
        for skip in (0, 1, 5, 6, 7, 50):
            page = house.run(house.store.sent(everything(house, skip=skip, limit=limit)))
            assert page.total == 7
            assert [row.id for row in page.rows] == ids[skip : skip + limit]


def test_the_ends_of_the_range_are_ids(house: House) -> None:
    """The first is in it, the last is not."""
    early = house.accept()
    house.later(1)
    middle = house.accept()
    house.later(1)
    late = house.accept()
    found = house.run(house.store.sent(SentRange(house.account, 2, first_id_at(NOON + 1), first_id_at(NOON + 2), 0, 9)))
    assert [row.id for row in found.rows] == [middle.id]
    assert early.id < first_id_at(NOON + 1) < late.id
    assert len({short_id(message.id) for message in (early, middle, late)}) == 3


# Generated codes


def shown(house: House, code_hash: bytes, phone: str = PHONE, account: int = 0) -> bool:
    """Somebody shows a code."""
    return house.run(house.store.try_code(CodeTry(account or house.account, phone, code_hash, house.now)))


def accept_with(house: House, code: GeneratedCode, request_id: str = "") -> None:
    """A message with a code is accepted."""
    admission = replace(house.draft(request_id=request_id), code=code)
    assert house.admit(admission) == Admitted(admission)


def test_a_code_is_right_once_and_survives_a_crash_until_then(house: House) -> None:
    """It is stored with its message."""
    accept_with(house, CODE)
    house.crash()
    assert not shown(house, b"wrong" * 6)
    assert not shown(house, CODE.code_hash, phone="0981234567")
    assert not shown(house, CODE.code_hash, account=house.account + 1)
    assert shown(house, CODE.code_hash)
    assert not shown(house, CODE.code_hash)


def test_tries_of_one_transaction_count_one_after_the_other(house: House) -> None:
    """Two right ones: the first wins. Six wrong ones and a right one: too late."""
    accept_with(house, CODE)
    right, wrong = (CodeTry(house.account, PHONE, value, house.now) for value in (CODE.code_hash, b"wrong" * 6))

    async def all_of(attempts: list[CodeTry]) -> list[bool]:
        return list(await asyncio.gather(*(house.store.try_code(attempt) for attempt in attempts)))

    assert house.run(all_of([wrong, right, right])) == [False, True, False]
    accept_with(house, CODE)
    assert house.run(all_of([*[wrong] * answering.MOST_WRONG_TRIES, right])) == [False] * 6


def test_a_code_of_a_request_that_is_not_stored_is_not_stored(house: House) -> None:
    """A repeated RequestId, beside one that is accepted in the same transaction."""
    accept_with(house, CODE, "one")
    again = replace(house.draft(request_id="one"), code=CODE._replace(code_hash=b"other" * 6))
    fine = replace(house.draft(request_id="two", phone="0981234567"), code=CODE._replace(phone="0981234567"))
    house.admit_together(again, fine)
    assert not shown(house, b"other" * 6)
    assert shown(house, CODE.code_hash)
    assert shown(house, CODE.code_hash, phone="0981234567")


def test_expired_codes_are_pruned_a_few_at_a_time(house: House) -> None:
    """And count for nothing before that."""
    for index in range(5):
        accept_with(house, CODE._replace(phone=f"098000000{index}", expires_ms=NOON + index))
    house.later(3)
    assert not shown(house, CODE.code_hash, phone="0980000003")
    assert [house.run(house.store.prune(house.now, 3)) for _ in range(3)] == [3, 1, 0]
    assert shown(house, CODE.code_hash, phone="0980000004")
