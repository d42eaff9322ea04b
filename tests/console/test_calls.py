"""Calls on the page of their message: how they went, what was said over SIP, and what the phone heard."""

import asyncio
from pathlib import Path

import pytest
from tests.console.stand import Stand, arrive, stand
from tests.rooms.accept.shop import PHONES

from bocau.core.call import CallRecord, Rung, pack_ladder
from bocau.core.message import Message
from bocau.core.role import Role

LADDER = [
    Rung(1_800_000_000_000, True, "south", "INVITE sip:8490****567@trunk SIP/2.0"),
    Rung(1, False, "south", "SIP/2.0 486 Busy"),
]


async def called(one: Stand) -> Message:
    """A message whose call has ended, with five pressed keys."""
    await one.place.send(SmsType="8", Brandname="", Phone=PHONES[1], Content="4821 la ma cua ban")
    (message,) = one.place.rows()
    now = one.place.world.now
    record = CallRecord(
        *(message.id, 1, message.account_id, "ANSWERED", "south", 1, "call-1", 200, 16, "", 12, "callee", "13579"),
        *(2, 600, 0, 0, 3, now, now, now, now + 12_000),
    )
    told: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    one.place.store.call_ended(record, pack_ladder(LADDER), told.set_result)
    assert await told is None
    return message


def test_a_call_is_shown_with_its_ladder_and_its_sound(tmp_path: Path) -> None:
    """What a person asks: did it ring, was anything heard, and what did the trunk say."""

    async def scenario(one: Stand) -> None:
        message = await called(one)
        one.sounds["call-1"] = b"RIFF..."
        visitor = one.visitor()
        page = (await visitor.get(f"/console/messages/{message.smsid}")).body.decode()
        for expected in (
            "one-way audio",
            "13579",
            "INVITE sip:8490****567@trunk",
            "What was said over SIP (2 messages)",
        ):
            assert expected in page, expected
        place = page.partition('<audio controls preload="none" src="')[2].partition('"')[0]
        sound = await visitor.get(place)
        assert (sound.status, sound.headers["content-type"], sound.body) == (200, "audio/wav", b"RIFF...")

    stand(tmp_path, scenario)


@pytest.mark.parametrize("place", ["1/1", "999999999999999999/1"])
def test_a_call_without_a_sound_has_none_to_play(tmp_path: Path, place: str) -> None:
    """Nor has a call of another message."""

    async def scenario(one: Stand) -> None:
        message = await called(one)
        page = await one.visitor().get(f"/console/messages/{message.smsid}")
        assert b"<audio" not in page.body
        one.sounds["call-1"] = b"RIFF..."
        assert (await one.visitor().get(f"/console/messages/{message.smsid}/sound/{place}")).status == 404

    stand(tmp_path, scenario)


def test_what_was_pressed_and_heard_is_told_to_nobody_who_may_not_read_texts(tmp_path: Path) -> None:
    """A code is spoken, and may be typed."""

    async def scenario(one: Stand) -> None:
        message = await called(one)
        one.sounds["call-1"] = b"RIFF..."
        visitor = await arrive(one, Role.ADMIN)
        page = await visitor.get(f"/console/messages/{message.smsid}")
        assert b"13579" not in page.body
        assert b"<audio" not in page.body
        assert (await visitor.get(f"/console/messages/{message.smsid}/sound/{message.id}/1")).status == 404

    stand(tmp_path, scenario, guarded=True)
