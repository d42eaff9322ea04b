"""Caps of a day, equal texts, and the rehearsal of an admission: decided where the money is (promises P23)."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.store.engines import SqliteEngine
from tests.store.house import HOUR, PRICE, House

from bocau.core.directory import KeyRow
from bocau.core.lifecycle import Event
from bocau.core.message import Admission, Admitted, Duplicate, NoBalance, Overspent
from bocau.store.contract import Clerk, Turn

HASH = b"h" * 32
DAY = 24 * HOUR


def capped(house: House, account_cap: int = 0, key_cap: int = 0, **values: object) -> Admission:
    """A request with the caps of its account and its key."""
    draft = house.draft(**values)  # type: ignore[arg-type]
    return replace(draft, api_key="K1", account_cap=account_cap, key_cap=key_cap)


@pytest.fixture(autouse=True)
def key(house: House) -> None:
    """A key to charge."""
    house.run(house.store.put_key(KeyRow("K1", house.account, HASH, "active"), house.now))


def spent(house: House) -> tuple[int, int]:
    """What the account and its key spent today."""
    use = house.run(house.store.use_today(house.account, house.now))
    return use.spent, use.keys[0].spent_today


def test_the_cap_of_a_day_is_kept_to_the_last_unit(house: House) -> None:
    """Of the account, of the key; what is refused is not counted."""
    assert isinstance(house.admit(capped(house, 2 * PRICE)), Admitted)
    assert isinstance(house.admit(capped(house, 2 * PRICE)), Admitted)
    assert house.admit(capped(house, 2 * PRICE)) == Overspent("account", 2 * PRICE, 2 * PRICE)
    assert house.admit(capped(house, 3 * PRICE - 1)) == Overspent("account", 3 * PRICE - 1, 2 * PRICE)
    assert house.admit(capped(house, 0, 2 * PRICE)) == Overspent("key", 2 * PRICE, 2 * PRICE)
    assert spent(house) == (2 * PRICE, 2 * PRICE)
    assert isinstance(house.admit(capped(house, 3 * PRICE, 3 * PRICE)), Admitted)
    assert house.balance() == 997 * PRICE


def test_fifty_requests_in_one_transaction_share_a_cap(house: House) -> None:
    """However they are joined, exactly so many pass."""
    results = house.admit_together(*[capped(house, 7 * PRICE, 5 * PRICE) for _ in range(50)])
    assert [type(result) for result in results] == [Admitted] * 5 + [Overspent] * 45
    assert spent(house) == (5 * PRICE, 5 * PRICE)


def test_a_cap_outlives_a_kill(house: House) -> None:
    """It is committed with the messages; a restart is no new day."""
    for _ in range(2):
        assert isinstance(house.admit(capped(house, 2 * PRICE)), Admitted)
    house.crash()
    assert house.admit(capped(house, 2 * PRICE)) == Overspent("account", 2 * PRICE, 2 * PRICE)


def test_a_day_ends_at_midnight_in_vietnam(house: House) -> None:
    """Every test begins at 15:00 there, so nine hours later it is the next day."""
    assert isinstance(house.admit(capped(house, PRICE, PRICE)), Admitted)
    house.now += 9 * HOUR - 1
    assert isinstance(house.admit(capped(house, PRICE, PRICE)), Overspent)
    house.now += 1
    assert isinstance(house.admit(capped(house, PRICE, PRICE)), Admitted)
    assert spent(house) == (PRICE, PRICE)


def test_midnight_inside_a_transaction_is_no_gap(house: House) -> None:
    """Requests of both days share a transaction, and each day has its own cap."""
    before = [capped(house, PRICE) for _ in range(2)]
    house.now += DAY
    after = [capped(house, PRICE) for _ in range(2)]
    results = house.admit_together(*before, *after)
    assert [type(result) for result in results] == [Admitted, Overspent, Admitted, Overspent]
    assert spent(house)[0] == PRICE


def test_a_refund_does_not_open_the_day_again(house: House) -> None:
    """Otherwise failing numbers could be tried without end."""
    draft = capped(house, PRICE)
    assert isinstance(house.admit(draft), Admitted)
    house.now += HOUR
    house.run(house.store.turn([Turn(draft.messages[0].id, Event.EXPIRE, None)], house.now))
    assert house.balance() == 1000 * PRICE
    assert isinstance(house.admit(capped(house, PRICE)), Overspent)


def test_the_balance_is_named_before_a_cap(house: House) -> None:
    """Both are 103; an operator should hear of the balance first."""
    poor = house.new_account("poor", 0)
    assert house.admit(replace(house.draft(account=poor), account_cap=1)) == NoBalance(0)


def test_a_message_without_a_price_fits_every_cap(house: House) -> None:
    """Nothing is spent."""
    assert isinstance(house.admit(capped(house, 1, 1, price=0)), Admitted)
    assert spent(house) == (0, 0)


def test_a_rehearsal_says_what_admission_would_say_and_changes_nothing(house: House) -> None:
    """For money, caps and RequestIds."""
    first = house.accept(request_id="r1")
    poor = house.new_account("poor", 0)
    before = (house.engine.inspect(), spent(house))
    drafts = {
        Admitted: [house.draft(request_id="r2", receivers=3), capped(house, 2 * PRICE)],
        Overspent: [capped(house, 2 * PRICE - 1), capped(house, 0, PRICE - 1)],
        NoBalance: [house.draft(account=poor)],
        Duplicate: [house.draft(request_id="r1")],
    }
    for kind, several in drafts.items():
        for draft in several:
            rehearsed = house.run(house.store.rehearse(draft))
            assert isinstance(rehearsed, kind)
            if isinstance(rehearsed, Duplicate):
                assert rehearsed.smsid == first.smsid
    assert (house.engine.inspect(), spent(house)) == before
    assert isinstance(house.admit(house.draft(request_id="r2")), Admitted)


# Equal texts


def text(house: House, *digests: bytes, within: int = 5 * 60_000, **values: object) -> Admission:
    """A request while the guard against equal texts is on."""
    return replace(house.draft(**values), contents=digests, content_ms=within)  # type: ignore[arg-type]


def test_an_equal_text_to_the_same_number_is_a_duplicate_for_a_while(house: House) -> None:
    """It names the first one, as with a RequestId."""
    first = text(house, b"a")
    assert isinstance(house.admit(first), Admitted)
    found = house.admit(text(house, b"a", request_id="other"))
    assert isinstance(found, Duplicate)
    assert found.smsid == first.messages[0].smsid
    assert isinstance(house.admit(text(house, b"b")), Admitted)
    house.now += 5 * 60_000 - 1
    assert isinstance(house.admit(text(house, b"a")), Duplicate)
    house.now += 1
    assert isinstance(house.admit(text(house, b"a")), Admitted)


def test_two_equal_texts_in_one_transaction_are_one_message(house: House) -> None:
    """The first of them."""
    results = house.admit_together(*[text(house, b"a") for _ in range(5)])
    assert [type(result) for result in results] == [Admitted, *[Duplicate] * 4]


def test_a_refused_text_may_be_sent_again(house: House) -> None:
    """Only an accepted one is remembered; another account's is another text."""
    poor = house.new_account("poor", 0)
    assert isinstance(house.admit(text(house, b"a", account=poor)), NoBalance)
    house.run(house.store.top_up(poor, PRICE, "paid", house.now))
    assert isinstance(house.admit(text(house, b"a", account=poor)), Admitted)
    assert isinstance(house.admit(text(house, b"a")), Admitted)


def test_a_rehearsal_remembers_no_text(house: House) -> None:
    """And sees those that are remembered."""
    assert isinstance(house.run(house.store.rehearse(text(house, b"a"))), Admitted)
    assert isinstance(house.admit(text(house, b"a")), Admitted)
    assert isinstance(house.run(house.store.rehearse(text(house, b"a"))), Duplicate)


def test_texts_are_forgotten_after_two_days(house: House) -> None:
    """So that the guard does not grow."""
    house.admit(text(house, b"a"))
    house.now += 2 * DAY + 1
    assert house.run(house.store.prune(house.now, 100)) == 1
    assert house.run(house.store.prune(house.now, 100)) == 0


# The last unit


@settings(max_examples=25, deadline=None)
@given(
    lots=st.lists(st.lists(st.tuples(st.integers(1, 3), st.booleans()), min_size=1, max_size=8), max_size=6),
    money=st.integers(0, 12),
    cap=st.integers(0, 10),
)
def test_however_requests_are_joined_money_and_cap_are_never_overspent(
    tmp_path_factory: pytest.TempPathFactory, lots: list[list[tuple[int, bool]]], money: int, cap: int
) -> None:
    """What passed is exactly what an account book kept by hand lets pass, request after request (promises P23)."""
    house = House(SqliteEngine(tmp_path_factory.mktemp("spend"), threaded=False))
    account = house.new_account("spender", money)
    house.run(house.store.put_key(KeyRow("S", account, HASH, "active"), house.now))
    balance, used = money, 0
    for lot in lots:
        drafts = [
            replace(
                house.draft(account=account, price=1, receivers=count, request_id=f"r{len(lot)}" if named else ""),
                api_key="S",
                account_cap=cap,
            )
            for count, named in lot
        ]
        names = {key[1] for key in house.engine.inspect().request_keys}
        for draft, result in zip(drafts, house.admit_together(*drafts), strict=True):
            name = draft.messages[0].request_id
            if name and name in names:
                assert isinstance(result, Duplicate)
            elif draft.hold > balance:
                assert result == NoBalance(balance)
            elif cap and used + draft.hold > cap:
                assert result == Overspent("account", cap, used)
            else:
                assert result == Admitted(draft)
                balance, used = balance - draft.hold, used + draft.hold
                names |= {name} - {""}
    assert house.balance(account) == balance
    house.close()


def test_a_command_and_a_gateway_spend_one_balance(house: House) -> None:
    """Another process takes the last unit out while requests race for it: never below zero."""
    engine = house.engine
    last = house.new_account("last", PRICE)

    async def race() -> list[object]:
        other = await engine.beside(Clerk("test", lambda: house.now))
        loop = asyncio.get_running_loop()
        admitted: asyncio.Future[object] = loop.create_future()
        house.store.admit(house.draft(account=last), admitted.set_result)
        taken = asyncio.ensure_future(other.top_up(last, -PRICE, "back", house.now))
        results = await asyncio.gather(admitted, taken, return_exceptions=True)
        await other.close(house.now)
        return list(results)

    results = house.run(race())
    won = [isinstance(results[0], Admitted), results[1] == 0]
    assert sum(won) == 1
    assert house.balance(last) == 0
