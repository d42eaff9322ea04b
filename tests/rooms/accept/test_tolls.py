"""The guard against toll fraud: how often a number is called, how many calls a key asks for, and who may be called."""

import asyncio
from pathlib import Path

import pytest
from tests.rooms.accept.doorway import Doorway, doorway
from tests.rooms.accept.shop import KEY, NOW, PHONES, POLICY, SECRET, Stock, directory

from bocau.accept.counters import DAY_MS
from bocau.accept.tolls import Tolls
from bocau.core.directory import Key

MINUTE = 60_000
PHONE = PHONES[2]
DEFAULTS = (("call-number-10-minutes", 3), ("call-number-day", 10), ("calls-per-minute", 5))


def key_with(*limits: tuple[str, int]) -> Key:
    """A key whose account has these limits."""
    found = directory(Stock(limits=limits)).sign_in(KEY, SECRET, NOW)
    assert found is not None
    return found


def call(tolls: Tolls, key: Key, now_ms: int, phone: str = PHONE) -> str:
    """Ask for a call; the code, 100 if it was let in and counted."""
    refusal = tolls.refusal(key, phone, now_ms)
    if refusal is not None:
        return refusal.code
    tolls.count(key.account, key.api_key, phone, now_ms)
    return "100"


def test_a_number_is_called_three_times_in_ten_minutes_and_ten_times_a_day() -> None:
    """The fourth is 99, whoever asks how often; it opens when the first is ten minutes old."""
    tolls, key = Tolls(1000), key_with(*DEFAULTS[:2])
    assert [call(tolls, key, NOW + second) for second in range(4)] == ["100", "100", "100", "99"]
    assert call(tolls, key, NOW, PHONES[1]) == "100", "another number"
    later = NOW + 10 * MINUTE
    assert [call(tolls, key, later + n * 11 * MINUTE) for n in range(8)] == ["100"] * 7 + ["99"]
    assert call(tolls, key, NOW + DAY_MS) == "100"


def test_a_key_asks_for_so_many_calls_a_minute() -> None:
    """Each to another number; the sixth is 160, and a fifth of a minute later one more is let in."""
    tolls, key = Tolls(1000), key_with(*DEFAULTS)
    numbers = [f"09012345{n:02d}" for n in range(8)]
    assert [call(tolls, key, NOW, number) for number in numbers[:6]] == ["100"] * 5 + ["160"]
    assert [call(tolls, key, NOW + 12_000, number) for number in numbers[6:]] == ["100", "160"]
    assert call(tolls, key, NOW - DAY_MS, numbers[7]) == "100", "a clock that was set back frees"


def test_what_the_store_refuses_is_not_held_against_the_number() -> None:
    """A duplicate, or no money."""
    tolls, key = Tolls(1000), key_with(*DEFAULTS[:2])
    for second in range(9):
        assert call(tolls, key, NOW + second) == "100"
        tolls.uncount(key.account, PHONE, NOW + second)
    assert [call(tolls, key, NOW + 10 + second) for second in range(4)] == ["100", "100", "100", "99"]


def test_memory_is_bounded_and_the_newest_are_remembered() -> None:
    """Ten thousand numbers where a hundred may be tracked."""
    tolls, key = Tolls(100), key_with(("call-number-10-minutes", 1))
    numbers = [f"0900{n:06d}" for n in range(10_000)]
    assert {call(tolls, key, NOW, number) for number in numbers} == {"100"}
    assert {call(tolls, key, NOW, number) for number in numbers[-100:]} == {"99"}
    assert call(tolls, key, NOW, numbers[0]) == "100"


def test_a_start_counts_the_calls_of_the_last_day_again() -> None:
    """Of type 8 alone, and of accounts that are called."""
    accounts = directory(Stock(limits=DEFAULTS))
    rows = [(1, PHONE, NOW - n * 1000, 8) for n in range(3)]
    for channel, kind, code in (("voice", 8, "99"), ("sms", 8, "100"), ("voice", 2, "100")):
        tolls = Tolls(1000)
        tolls.recount([(*row[:3], kind) for row in rows] + [(9, PHONE, NOW, 8)], accounts, channel)
        assert call(tolls, key_with(*DEFAULTS), NOW) == code


def test_the_door_keeps_the_limits_of_calls(tmp_path: Path) -> None:
    """A sandbox request is refused like the real one and counts for nothing; VoiceOTP is counted with SmsType 8."""

    async def scenario(place: Doorway) -> None:
        async def ask(**members: object) -> str:
            return (await place.send(SmsType="8", **members)).code

        assert [await ask(Sandbox=1) for _ in range(4)] == ["100"] * 4
        assert [await ask() for _ in range(2)] == ["100"] * 2
        target = f"/MainService.svc/json/VoiceOTP?ApiKey={KEY}&SecretKey={SECRET}&Phone={PHONE}&Code=4821"
        assert [(await place.request("GET", target)).code for _ in range(2)] == ["100", "99"]
        full = await place.send(SmsType="8", Sandbox=1)
        assert full.code == "99"
        assert full.headers["x-bocau-reason"].startswith("3 calls to this number in 10 minutes; again in ")
        assert (await place.send()).code == "100", "texts to it have limits of their own"

    doorway(tmp_path, scenario, Stock(limits=DEFAULTS[:2]))


def test_texts_of_type_8_are_no_calls(tmp_path: Path) -> None:
    """An account whose channel is sms is not held to the limits of calls."""

    async def scenario(place: Doorway) -> None:
        assert [(await place.send(SmsType="8")).code for _ in range(5)] == ["100"] * 5

    doorway(tmp_path, scenario, Stock(limits=DEFAULTS), policy=POLICY._replace(type8_channel="sms"))


@pytest.mark.parametrize(("channel", "code"), [("voice", "118"), ("voice_then_sms", "100"), ("sms", "100")])
def test_without_a_trunk_type_8_is_refused_unless_a_text_will_do(tmp_path: Path, channel: str, code: str) -> None:
    """It would wait in vain; a customer is told at once, and whoever runs the gateway reads why."""

    async def scenario(place: Doorway) -> None:
        reply = await place.send(SmsType="8")
        assert reply.code == code
        assert (await place.send()).code == "100"
        if code == "118":
            assert "no route leads to a trunk" in reply.headers["x-bocau-reason"]

    doorway(tmp_path, scenario, policy=POLICY._replace(type8_channel=channel, can_call=False))


@pytest.mark.parametrize(
    ("phone", "code"),
    [
        (PHONES[1], "100"),
        (PHONES[2], "99"),
        ("1900545454", "108"),
        ("19001000", "108"),
        ("1234", "108"),
        ("02812345678", "108"),
        ("+12025550123", "108"),
        ("+8819900112233", "108"),
    ],
)
def test_only_numbers_that_may_be_called_are(tmp_path: Path, phone: str, code: str) -> None:
    """The operator's list of beginnings; premium numbers, short codes, fixed lines and other countries never."""

    async def scenario(place: Doorway) -> None:
        assert (await place.send(SmsType="8", Phone=phone)).code == code
        if code == "99":
            assert (await place.send(Phone=phone)).code == "100", "texts may go there"

    doorway(tmp_path, scenario, policy=POLICY._replace(call_prefixes=("098", "03")))


def test_fifty_at_once_to_one_number_are_three_calls(tmp_path: Path) -> None:
    """Whatever order they come in."""

    async def scenario(place: Doorway) -> None:
        replies = await asyncio.gather(*[place.ask(place.sending(SmsType="8")) for _ in range(50)])
        assert sorted(reply.code for reply in replies) == ["100"] * 3 + ["99"] * 47

    doorway(tmp_path, scenario, Stock(limits=DEFAULTS[:2]))
