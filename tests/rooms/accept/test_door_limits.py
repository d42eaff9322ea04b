"""Who may send what, how much, from where, at the door: keys, addresses, rates, lists, caps of a day, equal texts."""

import asyncio
import ipaddress
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.rooms.accept.doorway import (
    BALANCE,
    DAY,
    JSON_PATH,
    PRICE,
    Doorway,
    Reply,
    doorway,
    golden,
    http,
)
from tests.rooms.accept.shop import KEY, NOW, PHONES, POLICY, TEXT, VND, Stock, key_of

from bocau.accept.counters import Counters
from bocau.accept.origin import Proxies
from bocau.core.directory import KeyRow, NetworkRow, hash_secret

SHOP_NET = "203.0.113.0/24"
OTHER = "BOCAU2"
NO_BALANCE = b'{"CodeResult":"103","CountRegenerate":0,"ErrorMessage":"Not enough balance to send message"}'
TWO_NAMES = Stock(brandnames=((2, "BOCAU", "active"), (2, OTHER, "active")))


def reason(reply: Reply) -> str:
    """The precise cause, for people."""
    return reply.headers.get("x-bocau-reason", "")


# Keys


def test_a_key_may_do_what_its_scopes_say_and_a_right_secret_is_told(tmp_path: Path) -> None:
    """The body is that of wrong keys; only who has the secret learns the cause."""

    async def scenario(place: Doorway) -> None:
        sender, asker = key_of(1), key_of(2)
        assert (await place.send(ApiKey=sender)).code == "100"
        assert (await place.send(ApiKey=asker)).body == golden("101.json")
        assert reason(await place.send(ApiKey=asker)) == "this key may not send"
        assert reason(await place.send(ApiKey=asker, SecretKey="x")) == "ApiKey or SecretKey is wrong"
        assert (await place.balance(asker)).members["CodeResponse"] == "100"
        assert (await place.status("6b1f", asker)).members["CodeResponse"] == "105"
        assert (await place.balance(sender)).body == golden("balance_101.json")
        assert reason(await place.status("6b1f", sender)) == "this key may not query"

    doorway(tmp_path, scenario, Stock(scopes="send"), Stock(scopes="query"))


def test_a_key_of_one_brandname_sends_from_no_other(tmp_path: Path) -> None:
    """To it the others do not exist (104), and neither does type 8, which has none."""

    async def scenario(place: Doorway) -> None:
        assert (await place.send()).code == "100"
        assert (await place.send(Brandname="bocau")).code == "100", "in any case, as always"
        for members in ({"Brandname": OTHER}, {"Brandname": ""}, {"SmsType": 8, "Content": "4821"}):
            reply = await place.send(**members)
            assert reply.body == golden("104.json"), members
            assert reason(reply) == "this key sends from brandname BOCAU only"
        assert (await place.balance()).members["CodeResponse"] == "100"

    doorway(tmp_path, scenario, TWO_NAMES._replace(only_brandname="BOCAU"))


def test_two_keys_of_an_account_overlap_and_the_old_one_ends_at_its_date(tmp_path: Path) -> None:
    """At rotation both are taken; afterwards the old one is as wrong as one that never was."""

    async def scenario(place: Doorway) -> None:
        new = KeyRow("K-new", 1, hash_secret(b"pepper of the tests", b"S-new"), "active")
        await place.store.put_key(new, NOW)
        await place.reload()
        old, fresh = {"RequestId": "r"}, {"ApiKey": "K-new", "SecretKey": "S-new", "RequestId": "r"}
        assert [(await place.send(**old)).code, (await place.send(**fresh)).code] == ["100", "124"], "one account"
        place.world.now = NOW + 999
        assert (await place.send()).code == "100"
        place.world.now = NOW + 1000
        expired, unknown = await place.send(), await place.send(ApiKey="unknown")
        assert (expired.body, reason(expired)) == (unknown.body, reason(unknown))
        assert (await place.send(ApiKey="K-new", SecretKey="S-new")).code == "100"

    doorway(tmp_path, scenario, Stock(expires_ms=NOW + 1000))


def test_when_a_key_was_used_is_noted_in_lots_and_wrong_keys_are_not(tmp_path: Path) -> None:
    """The gateway writes them once a minute; no message pays for it."""

    async def scenario(place: Doorway) -> None:
        for _ in range(3):
            await place.send()
        await place.send(SecretKey="wrong")
        place.world.now += 5
        await place.balance()
        commits = place.store.commits[0]
        assert place.door.counters.take_used() == [(KEY, NOW + 5)]
        await place.store.used([(KEY, NOW + 5)])
        assert place.store.commits[0] == commits + 1
        use = await place.store.use_today(1, NOW)
        assert [(key.api_key, key.used_ms) for key in use.keys] == [(KEY, NOW + 5)]
        assert use.spent == use.keys[0].spent_today == 3 * PRICE * VND

    doorway(tmp_path, scenario)


def test_wrong_keys_are_slowed_by_address_and_right_ones_never(tmp_path: Path) -> None:
    """Sends and questions count together; whoever has the secret is not locked out by who guesses."""

    async def scenario(place: Doorway) -> None:
        for number in range(10):
            await (place.send(SecretKey="x") if number % 2 else place.balance(secret="x"))
        assert place.world.slept == []
        assert (await place.send(SecretKey="x")).body == golden("101.json")
        assert (await place.status("6b1f", secret="x")).members["CodeResponse"] == "101"
        assert place.world.slept == [0.5, 0.5], "the first wait has passed when the second begins"
        assert (await place.send()).code == "100"
        assert len(place.world.slept) == 2

    doorway(tmp_path, scenario)


# Addresses


def test_requests_from_elsewhere_are_140_for_sends_and_questions(tmp_path: Path) -> None:
    """Right keys are told; wrong ones hear of no list."""

    async def scenario(place: Doorway) -> None:
        away = await place.send()
        assert away.body == b'{"CodeResult":"140","CountRegenerate":0,"ErrorMessage":"IP is not whitelisted"}'
        assert reason(away) == "no request from 127.0.0.1 is taken with this key"
        assert (await place.send(SecretKey="x")).code == "101"
        assert (await place.status("6b1f")).body == b'{"CodeResponse":"140","SMSID":"6b1f"}'
        asked = (await place.balance()).members
        assert (asked["CodeResponse"], asked["Balance"]) == ("140", 0)
        await place.store.put_network(NetworkRow(1, "", "127.0.0.0/8"))
        await place.reload()
        assert (await place.send()).code == "100"

    doorway(tmp_path, scenario, Stock(networks=(SHOP_NET,)))


def test_a_list_of_one_key_is_not_that_of_another(tmp_path: Path) -> None:
    """A key has the account's networks and its own."""

    async def scenario(place: Doorway) -> None:
        await place.store.put_key(KeyRow("K-2", 1, hash_secret(b"pepper of the tests", b"S-2"), "active"), NOW)
        await place.store.put_network(NetworkRow(1, "K-2", SHOP_NET))
        await place.reload()
        assert (await place.send()).code == "100"
        assert (await place.send(ApiKey="K-2", SecretKey="S-2")).code == "140"
        await place.store.put_network(NetworkRow(1, "", "127.0.0.1/32"))
        await place.reload()
        assert (await place.send(ApiKey="K-2", SecretKey="S-2")).code == "100"

    doorway(tmp_path, scenario)


@pytest.mark.parametrize(
    ("trusted", "header", "code"),
    [
        ("127.0.0.0/8", "X-Forwarded-For: 203.0.113.7", "100"),
        ("127.0.0.0/8", "X-Forwarded-For: 203.0.113.7, 198.51.100.1", "140"),
        ("127.0.0.0/8", "Forwarded: for=203.0.113.7", "140"),
        ("127.0.0.0/8", "X-Real-IP: 203.0.113.7", "140"),
        ("10.0.0.0/8", "X-Forwarded-For: 203.0.113.7", "140"),
    ],
)
def test_a_forwarded_address_counts_only_from_our_proxies(tmp_path: Path, trusted: str, header: str, code: str) -> None:
    """From the right, and only in the header that they write."""
    policy = POLICY._replace(proxies=Proxies((ipaddress.ip_network(trusted),)))

    async def scenario(place: Doorway) -> None:
        body = place.sending().partition(b"\r\n\r\n")[2]
        assert (await place.ask(http("POST", JSON_PATH, body, f"{header}\r\n"))).code == code

    doorway(tmp_path, scenario, Stock(networks=(SHOP_NET,)), policy=policy)


# Rates


def test_a_key_that_asks_too_fast_is_160_until_a_moment_later(tmp_path: Path) -> None:
    """Sends, refused ones and questions share the rate of a key; another key of the account has its own."""

    async def scenario(place: Doorway) -> None:
        await place.store.put_key(KeyRow("K-2", 1, hash_secret(b"pepper of the tests", b"S-2"), "active"), NOW)
        await place.reload()
        assert [(await place.send()).code, (await place.send(Phone="1")).code] == ["100", "108"]
        assert (await place.balance()).members["CodeResponse"] == "100"
        fast = await place.send()
        assert fast.body == b'{"CodeResult":"160","CountRegenerate":0,"ErrorMessage":"TPS limit exceeded"}'
        assert reason(fast) == "more than 3 requests a second with this key"
        assert (await place.status("6b1f")).members["CodeResponse"] == "160"
        assert (await place.send(ApiKey="K-2", SecretKey="S-2")).code == "100"
        place.world.now += 334
        assert [(await place.send()).code, (await place.send()).code] == ["100", "160"]

    doorway(tmp_path, scenario, Stock(limits=(("requests-per-second", 3),)))


NUMBERS = Stock(limits=(("number-10-minutes", 2), ("number-day", 3), ("range-10-minutes", 4)))


def test_a_number_that_was_sent_to_too_often_is_99(tmp_path: Path) -> None:
    """Only accepted messages count; of several receivers the others still get theirs."""

    async def scenario(place: Doorway) -> None:
        for members in ({"Content": "no template"}, {"Sandbox": 1}, {"Brandname": "x"}, {"SecretKey": "x"}):
            for _ in range(3):
                assert (await place.send(**members)).code != "99"
        assert [(await place.send()).code for _ in range(3)] == ["100", "100", "99"]
        full = await place.send(Sandbox=1)
        assert full.body == b'{"CodeResult":"99","CountRegenerate":0,"ErrorMessage":"Phone number is blocked"}'
        assert reason(full).startswith("2 messages to this number in 10 minutes; again in ")
        both = await place.send(Phone=f"{PHONES[2]},{PHONES[1]}")
        assert both.code == "100"
        assert [row.phone for row in place.rows() if row.smsid == both.smsid] == [PHONES[1]]
        status = (await place.status(both.smsid)).members
        assert (status["TotalReceiver"], status["SendFailed"]) == (2, 1)
        place.world.now += 10 * 60_000
        assert [(await place.send()).code, (await place.send()).code] == ["100", "99"]
        place.world.now += DAY
        assert (await place.send()).code == "100"

    doorway(tmp_path, scenario, NUMBERS)


def test_a_list_through_one_range_stops_at_the_limit_of_the_range(tmp_path: Path) -> None:
    """Those that are too many are dropped and counted as failed."""

    async def scenario(place: Doorway) -> None:
        walk = [f"0901234{number:03d}" for number in range(6)]
        reply = await place.send(Phone=",".join(walk))
        assert [row.phone for row in place.rows() if row.smsid == reply.smsid] == walk[:4]
        assert (await place.send(Phone=walk[5])).code == "99"

    doorway(tmp_path, scenario, NUMBERS)


def test_what_the_store_refuses_is_not_counted(tmp_path: Path) -> None:
    """124 and 103 leave the number as it was."""

    async def scenario(place: Doorway) -> None:
        assert (await place.send(RequestId="r")).code == "100"
        assert [(await place.send(RequestId="r")).code for _ in range(4)] == ["124"] * 4
        await place.leave_dong(0)
        assert [(await place.send()).code for _ in range(4)] == ["103"] * 4
        await place.leave_dong(BALANCE)
        assert [(await place.send()).code, (await place.send()).code] == ["100", "99"]

    doorway(tmp_path, scenario, NUMBERS)


def test_a_start_knows_the_numbers_of_the_last_day(tmp_path: Path) -> None:
    """A restart, or a kill, is no way around the limit of a number."""

    async def scenario(place: Doorway) -> None:
        assert [(await place.send()).code for _ in range(2)] == ["100", "100"]
        await place.send(Content="no template")
        account, fresh = place.door.directory.accounts[1], Counters(1000)
        assert not fresh.crowded(account, (PHONES[2],), NOW)
        fresh.recount(await place.store.recent(NOW - DAY, 1000), place.door.directory)
        found = fresh.crowded(account, tuple(PHONES.values()), NOW)
        assert list(found) == [PHONES[2]], "and the rejected message counts for nothing"

    doorway(tmp_path, scenario, NUMBERS)


# Money


@pytest.mark.parametrize(("limit", "whose"), [("account-day-vnd", "account shop-1"), ("key-day-vnd", "this key of")])
def test_the_cap_of_a_day_is_103_with_its_own_reason(tmp_path: Path, limit: str, whose: str) -> None:
    """To the last dong, for the sandbox too, and a new day opens it."""

    async def scenario(place: Doorway) -> None:
        assert [(await place.send()).code for _ in range(2)] == ["100", "100"]
        for members in ({}, {"Sandbox": 1}):
            full = await place.send(**members)
            assert full.body == NO_BALANCE
            assert reason(full).startswith(whose)
            assert f"may spend {2 * PRICE + 849} VND a day, {2 * PRICE} are spent" in reason(full)
        assert (await place.balance()).members["Balance"] == BALANCE - 2 * PRICE
        place.world.now += DAY
        assert (await place.send()).code == "100"

    doorway(tmp_path, scenario, Stock(limits=((limit, 2 * PRICE + 849),)))


# Block lists


def test_a_blocked_number_is_99_and_a_blocked_word_201(tmp_path: Path) -> None:
    """Of several receivers the others still get theirs; the reason repeats neither."""

    async def scenario(place: Doorway) -> None:
        blocked = await place.send(Phone=f"+84{PHONES[1][1:]}")
        assert blocked.code == "99"
        assert PHONES[1] not in reason(blocked)
        both = await place.send(Phone=f"{PHONES[1]},{PHONES[2]}")
        assert [row.phone for row in place.rows() if row.smsid == both.smsid] == [PHONES[2]]
        word = await place.send(Content="BOCAU cam on VAY-TIỀN")
        wanted = b'{"CodeResult":"201","CountRegenerate":0,"ErrorMessage":"Content contains blocked keyword"}'
        assert word.body == wanted
        assert reason(word) == "Content has a word of the block list"
        assert (await place.send(Phone=PHONES[1], ApiKey=key_of(2))).code == "100", "another account's list"

    doorway(tmp_path, scenario, Stock(blocked=(("number", PHONES[1]), ("word", "vay tien"))), Stock())


# Equal texts


def test_an_equal_text_to_the_same_number_is_124_where_the_guard_is_on(tmp_path: Path) -> None:
    """Within its time; a sandbox request is neither remembered nor let through."""

    async def scenario(place: Doorway) -> None:
        assert (await place.send(Sandbox=1)).code == "100"
        first = await place.send()
        for again in (await place.send(), await place.send(Sandbox=1), await place.send(RequestId="another")):
            assert again.body == golden("124.json").replace(b'"5"', b'"2"')
            assert again.headers["x-bocau-smsid"] == first.smsid
        assert (await place.send(Content=TEXT.replace("4821", "4822"))).code == "100"
        assert (await place.send(Phone=PHONES[1])).code == "100"
        place.world.now += 300_000
        assert (await place.send()).code == "100"

    doorway(tmp_path, scenario, policy=POLICY._replace(equal_text_ms=300_000))


def test_without_the_guard_equal_texts_are_messages_of_their_own(tmp_path: Path) -> None:
    """The default: only a RequestId tells repeats apart."""

    async def scenario(place: Doorway) -> None:
        assert [(await place.send()).code for _ in range(3)] == ["100"] * 3

    doorway(tmp_path, scenario)


# Sandbox


def test_a_sandbox_request_is_answered_as_the_real_one_and_consumes_nothing(tmp_path: Path) -> None:
    """Twenty of them, then the real ones find everything as it was (number, range, cap, rate)."""
    stock = Stock(
        limits=(
            ("number-10-minutes", 2),
            ("range-10-minutes", 2),
            ("account-day-vnd", 2 * PRICE),
            ("requests-per-second", 20),
        )
    )

    async def scenario(place: Doorway) -> None:
        assert [(await place.send(Sandbox=1)).code for _ in range(20)] == ["100"] * 20
        assert (await place.send(Sandbox=1)).code == "160", "they have a rate of their own"
        assert not place.rows()
        assert [(await place.send()).code for _ in range(3)] == ["100", "100", "99"]
        assert (await place.send(Phone=PHONES[1])).code == "103"

    doorway(tmp_path, scenario, stock)


async def _together(place: Doorway, ask: Callable[[], bytes], count: int) -> list[str]:
    replies = await asyncio.gather(*[place.ask(ask()) for _ in range(count)])
    return sorted(reply.code for reply in replies)


def test_fifty_at_once_for_the_last_unit_are_one_message(tmp_path: Path) -> None:
    """On fifty connections: exactly one gets it (promises P23)."""

    async def scenario(place: Doorway) -> None:
        await place.leave_dong(PRICE)
        assert await _together(place, place.sending, 50) == ["100"] + ["103"] * 49
        assert (await place.store.balance(1))[0] == 0

    doorway(tmp_path, scenario)
