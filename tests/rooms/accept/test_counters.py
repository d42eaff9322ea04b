"""Counting in memory: rates of keys, messages to a number and to its neighbours; bounded, and fair after a jump."""

import pytest
from tests.rooms.accept.shop import KEY, NOW, SECRET, Stock, directory

from bocau.accept.counters import DAY_MS, Counters
from bocau.core.directory import Account, Key

MINUTE = 60_000
PHONE = "0901234567"
FIVE_AND_TEN = (("number-10-minutes", 5), ("number-day", 10))


def key_with(*limits: tuple[str, int]) -> Key:
    """A key whose account has these limits, and no others."""
    found = directory(Stock(limits=limits)).sign_in(KEY, SECRET, NOW)
    assert found is not None
    return found


def account_with(*limits: tuple[str, int]) -> Account:
    """The account of the same."""
    return key_with(*limits).account


def send(counters: Counters, account: Account, phone: str, now_ms: int) -> bool:
    """Whether a message to one number passes; it is counted if so."""
    if not account.counted:
        return True
    if counters.crowded(account, (phone,), now_ms):
        return False
    counters.count(account, phone, now_ms)
    return True


# Keys


def turns(counters: Counters, key: Key, now_ms: int, *, rehearsal: bool = False) -> int:
    """How many requests in a row are let in at one moment, of a thousand."""
    return sum(counters.turn(key, now_ms, rehearsal) for _ in range(1000))


@pytest.mark.parametrize("rate", [1, 2, 7, 100, 999])
def test_as_many_requests_as_the_rate_come_at_once_and_then_at_the_rate(rate: int) -> None:
    """A second later as many again; half a second later about half of them."""
    counters, key = Counters(1000), key_with(("requests-per-second", rate))
    assert turns(counters, key, NOW) == rate
    assert turns(counters, key, NOW + 1000) == rate
    assert turns(counters, key, NOW + 1500) == rate // 2
    assert turns(counters, key, NOW + 1500 + DAY_MS) == rate


def test_a_key_without_a_rate_is_never_too_fast() -> None:
    """0 is no limit; its use is noted all the same."""
    counters, key = Counters(1000), key_with()
    assert turns(counters, key, NOW) == 1000
    assert counters.take_used() == [(KEY, NOW)]
    assert counters.take_used() == []


def test_a_clock_that_is_set_back_frees_a_key() -> None:
    """It is not locked until the old time comes again."""
    counters, key = Counters(1000), key_with(("requests-per-second", 5))
    assert turns(counters, key, NOW) == 5
    assert turns(counters, key, NOW - DAY_MS) == 5


def test_a_rehearsal_takes_no_turn_and_is_bounded_all_the_same() -> None:
    """It waits like a real request, and has a rate of its own."""
    counters, key = Counters(1000), key_with(("requests-per-second", 5))
    assert turns(counters, key, NOW, rehearsal=True) == 5
    assert turns(counters, key, NOW) == 5, "nothing was taken from the real ones"
    assert turns(counters, key, NOW + 200, rehearsal=True) == 1
    assert turns(counters, key, NOW + 200) == 1
    assert turns(counters, key, NOW + 200, rehearsal=True) == 0


# Numbers


def test_a_number_gets_five_in_ten_minutes_and_ten_in_a_day() -> None:
    """The windows slide: the sixth waits until the first is ten minutes old."""
    counters, account = Counters(1000), account_with(*FIVE_AND_TEN)
    assert [send(counters, account, PHONE, NOW + second * 1000) for second in range(7)] == [True] * 5 + [False] * 2
    assert not send(counters, account, PHONE, NOW + 10 * MINUTE - 1)
    assert send(counters, account, PHONE, NOW + 10 * MINUTE)
    later = [send(counters, account, PHONE, NOW + hour * 60 * MINUTE) for hour in range(1, 8)]
    assert later == [True] * 4 + [False] * 3, "ten in the day"
    assert not send(counters, account, PHONE, NOW + DAY_MS - 1)
    assert send(counters, account, PHONE, NOW + DAY_MS)


def test_the_reason_says_which_limit_and_for_how_long() -> None:
    """For the person who reads the header."""
    counters, account = Counters(1000), account_with(*FIVE_AND_TEN)
    for _ in range(5):
        counters.count(account, PHONE, NOW)
    found = counters.crowded(account, (PHONE,), NOW + MINUTE)
    assert found == {PHONE: "5 messages to this number in 10 minutes; again in 541 s"}
    assert PHONE not in found[PHONE]


def test_one_accounts_messages_do_not_close_a_number_to_another() -> None:
    """A number is counted for each account (promises, tenant walls)."""
    accounts = directory(Stock(limits=FIVE_AND_TEN), Stock(limits=FIVE_AND_TEN)).accounts
    counters = Counters(1000)
    assert [send(counters, accounts[1], PHONE, NOW) for _ in range(6)] == [True] * 5 + [False]
    assert send(counters, accounts[2], PHONE, NOW)


def test_an_account_without_limits_costs_no_memory() -> None:
    """Nobody is asked to count."""
    counters, account = Counters(1000), account_with(("requests-per-second", 1))
    assert all(send(counters, account, PHONE, NOW) for _ in range(100))
    assert not counters._times
    assert not counters._ranges


def test_a_message_that_was_not_accepted_is_not_counted() -> None:
    """Of several at one moment only one is taken back."""
    counters, account = Counters(1000), account_with(*FIVE_AND_TEN, ("range-10-minutes", 5))
    for _ in range(5):
        counters.count(account, PHONE, NOW)
    counters.uncount(account, PHONE, NOW)
    assert send(counters, account, PHONE, NOW)
    assert not send(counters, account, PHONE, NOW)
    counters.uncount(account, "0911111111", NOW)
    other = "0922222222"
    counters.count(account, other, NOW)
    counters.uncount(account, other, NOW)
    assert sum(send(counters, account, other, NOW) for _ in range(9)) == 5


def test_neighbouring_numbers_share_a_limit() -> None:
    """A machine that walks through a range is stopped, whatever it does with single numbers."""
    counters, account = Counters(1000), account_with(("range-10-minutes", 20))
    passed = [send(counters, account, f"0901234{number:03d}", NOW) for number in range(30)]
    assert passed == [True] * 20 + [False] * 10
    assert send(counters, account, "0901235000", NOW), "the next thousand is another range"
    half = NOW // (10 * MINUTE) * 10 * MINUTE + 15 * MINUTE
    assert sum(send(counters, account, f"0901234{number:03d}", half) for number in range(30)) == 10
    assert sum(send(counters, account, f"0901234{number:03d}", half + DAY_MS) for number in range(30)) == 20


def test_the_numbers_of_one_request_count_for_each_other() -> None:
    """A list is no way around the limit of a range."""
    counters, account = Counters(1000), account_with(("range-10-minutes", 3))
    phones = tuple(f"0901234{number:03d}" for number in range(5))
    assert set(counters.crowded(account, phones, NOW)) == set(phones[3:])


def test_memory_is_bounded_and_the_oldest_are_forgotten_first() -> None:
    """However many numbers come; the newest thousand are always remembered."""
    counters, account = Counters(1000), account_with(("number-day", 1), ("range-10-minutes", 1001))
    for number in range(50_000):
        counters.count(account, f"09{number:08d}", NOW)
    assert len(counters._times) + len(counters._times_before) <= 2000
    assert len(counters._ranges) + len(counters._ranges_before) <= 2000
    newest = tuple(f"09{number:08d}" for number in range(49_000, 50_000))
    assert len(counters.crowded(account, newest, NOW)) == 1000
    assert not counters.crowded(account, ("0900000000",), NOW)


def test_a_start_counts_again_what_the_store_remembers() -> None:
    """Newest first, as the store gives them; of unknown accounts nothing."""
    accounts = directory(Stock(limits=FIVE_AND_TEN))
    counters = Counters(1000)
    rows = [(1, PHONE, NOW - second * 1000, 2) for second in range(5)]
    counters.recount([*rows, (9, PHONE, NOW, 2)], accounts)
    assert not send(counters, accounts.accounts[1], PHONE, NOW)
    assert send(counters, accounts.accounts[1], PHONE, NOW + 10 * MINUTE)


def test_a_clock_that_is_set_back_opens_a_number() -> None:
    """It is not closed until the old time comes again."""
    counters, account = Counters(1000), account_with(*FIVE_AND_TEN, ("range-10-minutes", 5))
    assert sum(send(counters, account, PHONE, NOW) for _ in range(9)) == 5
    assert send(counters, account, PHONE, NOW - DAY_MS)
