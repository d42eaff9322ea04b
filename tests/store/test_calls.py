"""What the store keeps of calls: how they went, what was said over SIP, and what a callback tells of them."""

import pytest
from msgspec.structs import replace
from tests.store.house import NOON, House

from bocau.core.call import CallRecord, CallTold, Rung, pack_ladder
from bocau.core.lifecycle import AttemptState, Event
from bocau.core.message import Admission, Admitted, CallOrder, Message

WEEK = 7 * 86_400_000


def ended(message_id: int, number: int = 1, status: str = "BUSY", ended_ms: int = NOON) -> CallRecord:
    """A call; of one that was answered, key 1 was pressed."""
    seconds, keys = (13, "1") if status == "ANSWERED" else (0, "")
    return CallRecord(
        *(message_id, number, 1, status, "north", 1, "id", 200, 16, "why", seconds, "caller", keys, 1, 0, 0, 0, 0),
        *(ended_ms, None, None, ended_ms, "02812345678"),
    )


def called(house: House, *, asked: bool) -> tuple[Admission, Message]:
    """A request of type 8; `asked`: by an operation for calls."""
    draft = house.draft(ours=True)
    messages = tuple(replace(message, sms_type=8) for message in draft.messages)
    draft = replace(draft, messages=messages, order=CallOrder(0, "", 0) if asked else None)
    assert house.admit(draft) == Admitted(draft)
    house.begin(messages[0])
    return draft, messages[0]


def test_what_was_said_over_sip_in_a_call_is_kept_for_seven_days(house: House) -> None:
    """Whoever asks why a call failed sees the trunk's own words; each call of a message has its own."""
    ladder = [Rung(NOON, True, "north", "INVITE sip:849***678 SIP/2.0"), Rung(NOON + 5, False, "north", "SIP/2.0 486")]
    for number, words in ((1, pack_ladder(ladder)), (2, b"")):
        house.one(house.store.call_ended, ended(7, number), words)
    read = house.store.ladder
    assert [house.run(read(7, number)) for number in (1, 2, 3)] == [ladder, [], []]
    assert house.run(house.store.prune(NOON + WEEK, 100)) == 0
    assert house.run(house.store.prune(NOON + WEEK + 1, 100)) == 1
    assert house.run(read(7, 1)) == []


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("handed_over", [True, False])
def test_a_callback_of_type_8_tells_of_the_last_call(house: House, asked: bool, handed_over: bool) -> None:
    """Whoever makes it, and whether or not it is claimed; it says whether it was asked for as a call."""
    _, message = called(house, asked=asked)
    house.take(message, "a1")
    for number, status in ((1, "BUSY"), (2, "ANSWERED")):
        house.one(house.store.call_ended, ended(message.id, number, status), b"")
    told = house.report("a1", hand_over=handed_over).callback
    if not handed_over:
        (told,) = house.claim_callbacks()
    assert told is not None
    assert told.call == CallTold(asked, "ANSWERED", 13, "1", "02812345678")


def test_a_callback_of_type_8_without_a_call_tells_of_none(house: House) -> None:
    """It went by text, or expired before anybody could be called."""
    _, message = called(house, asked=True)
    [told] = house.turn(message, Event.CLOSE)
    assert told.call == CallTold(True, "", 0, "", "")


def test_a_callback_of_another_type_tells_of_no_call(house: House) -> None:
    """Nor is any looked for."""
    house.sent("a1")
    told = house.report("a1", AttemptState.UNDELIVERED, hand_over=True).callback
    assert told is not None
    assert told.call is None
