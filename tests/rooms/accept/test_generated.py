"""Codes that bocau makes up: how they are made, sent, kept and checked (4.2)."""

import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.accept.doorway import Doorway, Reply, doorway, golden
from tests.rooms.accept.shop import KEY, PHONES, SECRET, Stock, key_of

from bocau.accept.generated import CHANCE_BYTES, MadeCode, make_code
from bocau.core.refusal import Refusal
from bocau.wire.esms.calls import decode_generated

MESSAGE = "{OTP} la ma dang nhap BOCAU cua ban"
MINUTE = 60_000


@dataclass
class User:
    """Somebody who gets codes and shows them."""

    place: Doorway
    key: str = KEY

    async def send(self, **members: str) -> Reply:
        """SendMessageAutoGenCode_V4_get."""
        given = {"Phone": PHONES[2], "Brandname": "BOCAU", "Type": "2", "message": MESSAGE, **members}
        return await self._get("SendMessageAutoGenCode_V4_get", given)

    async def show(self, code: str, phone: str = PHONES[2]) -> Reply:
        """CheckCodeGen_V4_get."""
        return await self._get("CheckCodeGen_V4_get", {"Phone": phone, "Code": code})

    async def _get(self, name: str, members: dict[str, str]) -> Reply:
        values = {"ApiKey": self.key, "SecretKey": SECRET, **members}
        return await self.place.request("GET", f"/MainService.svc/json/{name}?{urlencode(values, quote_via=quote)}")

    @property
    def code(self) -> str:
        """The code in the newest message."""
        return self.place.rows()[-1].content.split()[0]


def test_a_generated_code_is_right_once(tmp_path: Path) -> None:
    """It goes out as any message, with its template, price and SMSID; then a second look finds nothing."""

    async def scenario(place: Doorway) -> None:
        user = User(place)
        sent = await user.send()
        assert sent.body == golden("100.json", sent.smsid)
        (message,) = place.rows()
        assert message.content == MESSAGE.replace("{OTP}", user.code)
        assert (len(user.code), message.route_class, message.smsid) == (6, "otp", sent.smsid)
        assert (await user.show("000000")).body == golden("code_117.json").replace(b"482193", b"000000")
        assert (await user.show(f" {user.code} ", "+84 90 123 4567")).body == golden("code_right.json")
        used = await user.show(user.code)
        assert used.body == golden("code_117.json").replace(b"482193", user.code.encode())

    doorway(tmp_path, scenario)


def test_a_code_lives_as_long_as_it_was_asked_to(tmp_path: Path) -> None:
    """To the millisecond; 5 minutes if nothing was asked."""

    async def scenario(place: Doorway) -> None:
        user = User(place)
        for minutes, asked in ((5, ""), (2, "2"), (15, "15")):
            await user.send(TimeAlive=asked)
            place.world.now += minutes * MINUTE - 1
            assert (await user.show(user.code)).code == "100"
            await user.send(TimeAlive=asked)
            place.world.now += minutes * MINUTE
            assert (await user.show(user.code)).code == "117"

    doorway(tmp_path, scenario)


def test_the_fifth_wrong_try_is_the_last(tmp_path: Path) -> None:
    """Four are forgiven; after five not even the right code counts. A new code begins anew."""

    async def scenario(place: Doorway) -> None:
        user = User(place)
        for wrong, right in ((4, "100"), (5, "117"), (4, "100")):
            await user.send()
            for number in range(wrong):
                assert (await user.show(f"x{number}")).code == "117"
            assert (await user.show(user.code)).code == right

    doorway(tmp_path, scenario)


def test_a_head_uses_up_no_code_and_guesses_none(tmp_path: Path) -> None:
    """It could only tell by trying. An answer is 200 whatever it says, so none is made, and its length is not told
    (RFC 9110, 9.3.2)."""

    async def scenario(place: Doorway) -> None:
        user = User(place)
        await user.send()
        code = place.rows()[0].content.split()[0]
        target = f"/MainService.svc/json/CheckCodeGen_V4_get?ApiKey={KEY}&SecretKey={SECRET}&Phone={PHONES[2]}&Code="
        for shown in ("1", code) * 6:
            reply = await place.request("HEAD", target + shown)
            assert (reply.status, reply.body) == (200, b"")
            assert "content-length" not in reply.headers
        assert (await user.show(code)).members["CodeResult"] == "100"

    doorway(tmp_path, scenario)


def test_the_newest_code_of_a_phone_counts(tmp_path: Path) -> None:
    """Codes of other phones and other accounts stand beside it."""

    async def scenario(place: Doorway) -> None:
        user, other = User(place), User(place, key_of(2))
        await user.send()
        first = user.code
        await user.send()
        second = user.code
        await user.send(Phone=PHONES[1])
        elsewhere = user.code
        await other.send()
        theirs = other.code
        for code, phone, told in (
            (first, PHONES[2], "117"),
            (elsewhere, PHONES[2], "117"),
            (theirs, PHONES[2], "117"),
            (second, PHONES[2], "100"),
            (elsewhere, PHONES[1], "100"),
        ):
            assert (await user.show(code, phone)).code == told
        assert (await other.show(theirs)).code == "100"

    doorway(tmp_path, scenario, Stock(), Stock())


def test_nothing_is_kept_of_a_code_that_does_not_go_out(tmp_path: Path) -> None:
    """Sandbox, template mismatch, repeated RequestId, no money: the code before stays the one."""

    async def scenario(place: Doorway) -> None:
        user = User(place)
        await user.send(RequestId="one")
        code = user.code
        assert (await user.send(Sandbox="1")).code == "100"
        assert (await user.send(message="{OTP} follows no template")).code == "146"
        assert (await user.send(RequestId="one")).code == "124"
        await place.leave_dong(0)
        assert (await user.send()).code == "103"
        assert (await user.show(code)).code == "100"
        assert not kept(place)

    doorway(tmp_path, scenario)


def kept(place: Doorway) -> list[tuple[object, ...]]:
    """The codes in the store."""
    db = sqlite3.connect(place.engine.path)
    rows = db.execute("SELECT * FROM generated_code").fetchall()
    db.close()
    return rows


def test_a_code_is_stored_only_as_a_keyed_hash(tmp_path: Path) -> None:
    """And forgotten some time after it expired, by the schedule's pruning."""

    async def scenario(place: Doorway) -> None:
        user = User(place)
        await user.send()
        ((_, phone, code_hash, wrong, expires_ms),) = kept(place)
        assert (phone, wrong, expires_ms) == (PHONES[2], 0, place.world.now + 5 * MINUTE)
        assert isinstance(code_hash, bytes)
        assert len(code_hash) == 32
        assert user.code.encode() not in code_hash
        assert await place.store.prune(place.world.now + 5 * MINUTE - 1, 10) == 0
        assert await place.store.prune(place.world.now + 5 * MINUTE, 10) == 1
        assert not kept(place)

    doorway(tmp_path, scenario)


def test_tries_at_the_same_moment_use_a_code_once(tmp_path: Path) -> None:
    """Ten requests with the right code: one 100."""

    async def scenario(place: Doorway) -> None:
        user = User(place)
        await user.send()
        values = f"ApiKey={KEY}&SecretKey={SECRET}&Phone={PHONES[2]}&Code={user.code}"
        target = f"/MainService.svc/json/CheckCodeGen_V4_get?{values}"
        replies = await place.ask_all([f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()] * 10)
        assert Counter(reply.code for reply in replies) == {"100": 1, "117": 9}

    doorway(tmp_path, scenario)


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"SecretKey": "x", "message": "x"}, "101", "Authorize Failed"),
        ({"message": "no place"}, "110", "message is invalid"),
        ({"TimeAlive": "1"}, "110", "TimeAlive is invalid"),
        ({"TimeAlive": "16"}, "110", "TimeAlive is invalid"),
        ({"TimeAlive": "x"}, "110", "TimeAlive is invalid"),
        ({"NumCharOfCode": "3"}, "110", "NumCharOfCode is invalid"),
        ({"NumCharOfCode": "11"}, "110", "NumCharOfCode is invalid"),
        ({"Phone": f"{PHONES[1]},{PHONES[2]}"}, "163", "Only one phone number per request"),
        ({"Phone": "x"}, "108", "The phone number x is not valid."),
        ({"Brandname": "x"}, "104", "Brand name code is not exist"),
        ({"Type": "23"}, "118", "SmsType is not supported"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, change: dict[str, str], code: str, text: str) -> None:
    """Wrong keys first; the parameter is named as it is spelled."""

    async def scenario(place: Doorway) -> None:
        reply = await User(place).send(**change)
        assert reply.members == {"CodeResult": code, "CountRegenerate": 0, "ErrorMessage": text}
        assert not place.rows()

    doorway(tmp_path, scenario)


def made(chance: bytes, **members: str) -> MadeCode | Refusal:
    """A code made of given chance."""
    values = {"ApiKey": KEY, "SecretKey": SECRET, "Phone": PHONES[2], "message": MESSAGE, **members}
    return make_code(decode_generated(b"", urlencode(values).encode()), chance)


@given(st.binary(min_size=CHANCE_BYTES, max_size=CHANCE_BYTES), st.integers(4, 10), st.booleans())
def test_a_code_has_the_length_and_the_signs_asked_for(chance: bytes, length: int, digits: bool) -> None:
    """At least one digit, nothing that looks like another sign, the same chance the same code."""
    found = made(chance, NumCharOfCode=str(length), IsNumber=str(int(digits)))
    assert isinstance(found, MadeCode)
    assert len(found.code) == length
    assert any(sign.isdigit() for sign in found.code)
    assert not digits or (found.code.isascii() and found.code.isdigit())
    assert digits or not set(found.code) & set("01IO")
    assert found.request.content == MESSAGE.replace("{OTP}", found.code)
    assert found == made(chance, NumCharOfCode=str(length), IsNumber=str(int(digits)))
    assert found.code not in repr(found)


def test_every_digit_is_as_likely_as_the_next() -> None:
    """Over many chances, each sign of each place within a few percent."""
    counts: Counter[str] = Counter()
    for number in range(2_000):
        found = made((number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128).to_bytes(16, "big"), IsNumber="1")
        assert isinstance(found, MadeCode)
        counts.update(found.code)
    assert set(counts) == set("0123456789")
    assert all(1_050 < count < 1_350 for count in counts.values())
