"""The contract of administration: what is registered, and that every node learns of it."""

from collections.abc import Callable, Coroutine

import pytest
from tests.store.house import HOUR, NOON, PRICE, House

from bocau.core.directory import (
    AccountRow,
    BlockedRow,
    BrandnameRow,
    CallTemplateRow,
    KeyRow,
    NetworkRow,
    PriceRow,
    RecordingRow,
    TemplateRow,
)
from bocau.core.limits import LimitRow
from bocau.store.contract import EVER

HASH = b"h" * 32


def brandname(house: House, name: str = "BOCAU", state: str = "active") -> BrandnameRow:
    """A sender name of the account."""
    return BrandnameRow(house.account, 2, name, state)


def template(house: House, content: str = "{P1,6} la ma", route_class: str = "otp", name: str = "BOCAU") -> TemplateRow:
    """A text of the account."""
    return TemplateRow(0, house.account, 2, name, 2, content, route_class)


def version(house: House) -> int:
    """Of the directory."""
    return house.run(house.store.directory_version())


ACTS: dict[str, Callable[[House], Coroutine[object, object, object]]] = {
    "create_account": lambda h: h.store.create_account("new", h.now),
    "lock": lambda h: h.store.set_account_state(h.account, "locked"),
    "credit": lambda h: h.store.set_credit_limit(h.account, PRICE),
    "unicode": lambda h: h.store.set_unicode_policy(h.account, "auto"),
    "key": lambda h: h.store.put_key(KeyRow("K2", h.account, HASH, "active"), h.now),
    "brandname": lambda h: h.store.put_brandname(brandname(h, "OTHER"), h.now),
    "template": lambda h: h.store.put_template(template(h, "x {P2,9}"), h.now),
    "call_template": lambda h: h.store.put_call_template(CallTemplateRow(0, h.account, "Ma {code}"), h.now),
    "delete_call_template": lambda h: h.store.delete_call_template(h.account, 1),
    "recording": lambda h: h.store.put_recording(RecordingRow(0, h.account, "bye"), (8_000, b"\0\0"), h.now),
    "delete_recording": lambda h: h.store.delete_recording(h.account, 1),
    "delete_template": lambda h: h.store.delete_template(h.account, 1),
    "price": lambda h: h.store.put_price(PriceRow(0, 2, 0, PRICE)),
    "ported": lambda h: h.store.put_ported([(901234567, 1)], last=True),
    "rotate": lambda h: h.store.rotate_key(
        KeyRow("K2", h.account, HASH, "active", expires_ms=h.now), KeyRow("K3", h.account, HASH, "active"), h.now
    ),
    "limit": lambda h: h.store.put_limit(LimitRow(h.account, "number-day", 3)),
    "delete_limit": lambda h: h.store.delete_limit(h.account, "number-day"),
    "network": lambda h: h.store.put_network(NetworkRow(h.account, "", "203.0.113.0/24")),
    "delete_network": lambda h: h.store.delete_network(NetworkRow(h.account, "", "203.0.113.0/24")),
    "block": lambda h: h.store.block([BlockedRow(0, "word", "x y"), BlockedRow(0, "word", "z")], h.now),
    "unblock": lambda h: h.store.unblock([BlockedRow(0, "word", "z")]),
    "top_up": lambda h: h.store.top_up(h.account, PRICE, "paid", h.now),
}


def furnish(house: House) -> None:
    """Give the account one of everything that can be deleted."""
    store, account = house.store, house.account
    house.run(store.put_brandname(brandname(house), house.now))
    house.run(store.put_template(template(house), house.now))
    house.run(store.put_call_template(CallTemplateRow(0, account, "Ma {x}"), house.now))
    house.run(store.put_recording(RecordingRow(0, account, "hello"), (8_000, b"\0\0"), house.now))
    house.run(store.put_limit(LimitRow(account, "number-day", 5)))
    house.run(store.put_network(NetworkRow(account, "", "203.0.113.0/24")))


@pytest.mark.parametrize("act", sorted(ACTS))
def test_every_act_makes_the_directory_a_new_version(house: House, act: str) -> None:
    """So that every node reads it again."""
    furnish(house)
    before = version(house)
    house.run(ACTS[act](house))
    assert version(house) == before + 1
    assert house.run(house.store.read_directory()).version == before + 1


def test_traffic_is_no_new_version(house: House) -> None:
    """Messages do not make nodes read the directory again."""
    before = version(house)
    house.sent("a1")
    house.report("a1")
    assert version(house) == before


def test_an_act_that_is_refused_is_no_new_version(house: House) -> None:
    """Nothing changed."""
    before = version(house)
    with pytest.raises(ValueError, match="there is an account"):
        house.run(house.store.create_account("shop", house.now))
    assert version(house) == before


def test_the_directory_is_what_was_registered(house: House) -> None:
    """Everything in one consistent read."""
    house.run(house.store.put_key(KeyRow("K1", house.account, HASH, "active"), house.now))
    house.run(house.store.put_brandname(brandname(house), house.now))
    number = house.run(house.store.put_template(template(house), house.now))
    house.run(house.store.put_price(PriceRow(0, 2, 0, PRICE)))
    rows = house.run(house.store.read_directory())
    assert rows.accounts == (AccountRow(house.account, "shop", "active", 1000 * PRICE, 0, ""),)
    assert rows.keys == (KeyRow("K1", house.account, HASH, "active"),)
    assert rows.brandnames == (brandname(house),)
    assert rows.templates == (template(house)._replace(id=number),)
    assert rows.prices == (PriceRow(0, 2, 0, PRICE),)


def test_accounts_are_listed_by_name(house: House) -> None:
    """With what they have."""
    house.new_account("zebra", 0)
    house.new_account("ant", 5)
    assert [(row.name, row.balance) for row in house.run(house.store.accounts())] == [
        ("ant", 5),
        ("shop", 1000 * PRICE),
        ("zebra", 0),
    ]


def test_an_account_is_locked_and_opened(house: House) -> None:
    """Its money stays."""
    house.run(house.store.set_account_state(house.account, "locked"))
    assert house.run(house.store.accounts())[0].state == "locked"
    house.run(house.store.set_account_state(house.account, "active"))
    assert house.run(house.store.accounts())[0].state == "active"


def test_an_account_has_no_other_state(house: House) -> None:
    """A typing error is refused."""
    with pytest.raises(ValueError, match=r"CHECK|check"):
        house.run(house.store.set_account_state(house.account, "asleep"))
    assert house.run(house.store.accounts())[0].state == "active"


def test_a_key_is_replaced(house: House) -> None:
    """A new secret, or disabled."""
    house.run(house.store.put_key(KeyRow("K1", house.account, HASH, "active"), house.now))
    house.run(house.store.put_key(KeyRow("K1", house.account, b"n" * 32, "disabled"), house.now))
    assert house.run(house.store.read_directory()).keys == (KeyRow("K1", house.account, b"n" * 32, "disabled"),)


def test_a_key_never_changes_hands(house: House) -> None:
    """Another account's ApiKey is refused."""
    other = house.new_account("other", 0)
    house.run(house.store.put_key(KeyRow("K1", house.account, HASH, "active"), house.now))
    with pytest.raises(ValueError, match="another account"):
        house.run(house.store.put_key(KeyRow("K1", other, HASH, "active"), house.now))
    assert house.run(house.store.read_directory()).keys[0].account_id == house.account


def test_what_belongs_to_no_account_is_refused(house: House) -> None:
    """Keys and brandnames have an owner, templates a brandname."""
    with pytest.raises(ValueError, match=r"FOREIGN KEY|foreign key"):
        house.run(house.store.put_key(KeyRow("K1", 4711, HASH, "active"), house.now))
    with pytest.raises(ValueError, match=r"FOREIGN KEY|foreign key"):
        house.run(house.store.put_brandname(BrandnameRow(4711, 2, "X", "active"), house.now))
    with pytest.raises(ValueError, match=r"FOREIGN KEY|foreign key"):
        house.run(house.store.put_template(template(house, name="NOBODY"), house.now))


def test_a_brandname_is_replaced(house: House) -> None:
    """Disabled and enabled again; case makes another name."""
    for row in (brandname(house), brandname(house, "Bocau"), brandname(house, state="disabled")):
        house.run(house.store.put_brandname(row, house.now))
    rows = house.run(house.store.read_directory()).brandnames
    assert rows == (brandname(house, state="disabled"), brandname(house, "Bocau"))


def test_an_equal_template_is_found_and_takes_the_new_class(house: House) -> None:
    """It is not added twice."""
    house.run(house.store.put_brandname(brandname(house), house.now))
    first = house.run(house.store.put_template(template(house), house.now))
    again = house.run(house.store.put_template(template(house, route_class="other"), house.now))
    assert again == first
    assert [row.route_class for row in house.run(house.store.read_directory()).templates] == ["other"]


def test_a_template_is_deleted_by_its_owner_only(house: House) -> None:
    """And once (promises S3)."""
    house.run(house.store.put_brandname(brandname(house), house.now))
    number = house.run(house.store.put_template(template(house), house.now))
    other = house.new_account("other", 0)
    assert not house.run(house.store.delete_template(other, number))
    assert house.run(house.store.delete_template(house.account, number))
    assert not house.run(house.store.delete_template(house.account, number))


def test_a_price_is_replaced(house: House) -> None:
    """The newest counts."""
    for price in (PRICE, 2 * PRICE):
        house.run(house.store.put_price(PriceRow(house.account, 2, 1, price)))
    assert house.run(house.store.read_directory()).prices == (PriceRow(house.account, 2, 1, 2 * PRICE),)


@pytest.mark.parametrize("amount", [-1, -PRICE])
def test_a_negative_price_or_credit_is_refused(house: House, amount: int) -> None:
    """Money is never made by sending."""
    with pytest.raises(ValueError, match=r"CHECK|check"):
        house.run(house.store.put_price(PriceRow(0, 2, 0, amount)))
    with pytest.raises(ValueError, match=r"CHECK|check"):
        house.run(house.store.set_credit_limit(house.account, amount))


# Money


def test_a_top_up_is_added_and_written_down(house: House) -> None:
    """The new balance, with its cause."""
    assert house.run(house.store.top_up(house.account, 5, "bank 77", house.now)) == 1000 * PRICE + 5
    lines = house.run(house.store.ledger(house.account, 10))
    assert [(line.kind, line.amount, line.cause) for line in lines] == [
        ("top_up", 5, "bank 77"),
        ("top_up", 1000 * PRICE, "test"),
    ]


def test_top_ups_of_one_moment_are_all_kept(house: House) -> None:
    """Each is a line of its own."""
    for _ in range(20):
        house.run(house.store.top_up(house.account, 1, "again", house.now))
    assert house.balance() == 1000 * PRICE + 20


def test_money_may_be_taken_out_but_not_more_than_there_is(house: House) -> None:
    """A balance is never negative without a credit line (promises P23)."""
    assert house.run(house.store.top_up(house.account, -1000 * PRICE, "paid out", house.now)) == 0
    with pytest.raises(ValueError, match="that much"):
        house.run(house.store.top_up(house.account, -1, "paid out", house.now))
    house.run(house.store.set_credit_limit(house.account, 1))
    assert house.run(house.store.top_up(house.account, -1, "fee", house.now)) == -1


def test_a_top_up_of_no_account_is_refused_and_leaves_nothing(house: House) -> None:
    """Not even a line."""
    before = len(house.engine.inspect().ledger)
    with pytest.raises(ValueError, match="no account"):
        house.run(house.store.top_up(4711, PRICE, "lost", house.now))
    assert len(house.engine.inspect().ledger) == before


def test_the_ledger_shows_the_newest_first_and_no_more_than_asked_for(house: House) -> None:
    """Of one account only."""
    other = house.new_account("other", 10 * PRICE)
    house.later(1)
    messages = []
    for _ in range(3):
        messages.append(house.accept())
        house.accept(account=other)
        house.later(1)
    lines = house.run(house.store.ledger(house.account, 2))
    assert [line.subject_id for line in lines] == [messages[2].id, messages[1].id]
    assert [(line.kind, line.amount) for line in lines] == [("hold", -PRICE)] * 2


def test_acts_run_beside_traffic_in_one_transaction(house: House) -> None:
    """Money that arrives with a request pays for it, or the next one."""
    poor = house.new_account("poor", 0)
    house.run(house.store.top_up(poor, PRICE, "paid", house.now))
    house.accept(account=poor)
    assert house.balance(poor) == 0


# The audit


@pytest.mark.parametrize("act", sorted(ACTS))
def test_every_act_leaves_one_line_in_the_audit(house: House, act: str) -> None:
    """Who, when, what, on which subject; in the act's own transaction, and without a hash."""
    furnish(house)
    before = house.run(house.store.audit(1000))
    house.run(ACTS[act](house))
    lines = house.run(house.store.audit(1000))
    assert lines[1:] == before
    assert lines[0].actor == "gateway"
    assert lines[0].act.count(".") == 1
    assert lines[0].subject
    assert HASH.decode() not in lines[0].subject


@pytest.mark.parametrize("act", sorted(name for name in ACTS if name.startswith("delete")))
def test_what_is_not_there_is_deleted_without_a_line_or_a_version(house: House, act: str) -> None:
    """Nothing changed, so there is nothing to note and nothing to read again."""
    before, lines = version(house), house.run(house.store.audit(1000))
    assert house.run(ACTS[act](house)) is False
    assert (version(house), house.run(house.store.audit(1000))) == (before, lines)


def test_an_act_that_is_refused_leaves_no_line(house: House) -> None:
    """Nothing was done."""
    house.run(house.store.put_key(KeyRow("K1", house.account, HASH, "active"), house.now))
    before = house.run(house.store.audit(1000))
    other = house.new_account("other", 0)
    with pytest.raises(ValueError, match="belongs to another"):
        house.run(house.store.put_key(KeyRow("K1", other, HASH, "active"), house.now))
    assert [line.act for line in house.run(house.store.audit(1000))] == ["account.create", *[x.act for x in before]]


def test_traffic_is_not_in_the_audit(house: House) -> None:
    """Nor is the use of keys."""
    before = house.run(house.store.audit(1000))
    house.sent("a1")
    house.report("a1")
    house.run(house.store.used([("K1", house.now)]))
    assert house.run(house.store.audit(1000)) == before


def test_a_rotation_is_whole_or_nothing(house: House) -> None:
    """If the new key cannot be, the old one keeps its date."""
    other = house.new_account("other", 0)
    old = KeyRow("K1", house.account, HASH, "active")
    house.run(house.store.put_key(old, house.now))
    with pytest.raises(ValueError, match="belongs to another"):
        house.run(house.store.rotate_key(old._replace(expires_ms=5), KeyRow("K1", other, HASH, "active"), house.now))
    assert house.run(house.store.read_directory()).keys == (old,)


def test_blocking_counts_what_is_new_and_unblocking_what_was_there(house: House) -> None:
    """Of a list with repeats."""
    rows = [BlockedRow(0, "number", f"090000000{digit}") for digit in range(3)]
    assert house.run(house.store.block(rows[:2], house.now)) == 2
    assert house.run(house.store.block(rows, house.now)) == 1
    assert house.run(house.store.unblock([rows[0], BlockedRow(0, "word", "x")])) == 1
    assert house.run(house.store.read_directory()).blocked == tuple(rows[1:])


def test_the_ledger_is_read_in_pages_and_windows(house: House) -> None:
    """Newest message first; a window cuts by the moment a line was written, and pages join without a gap."""
    for number in range(5):
        house.sent(f"a{number}")
        house.later(HOUR)
    whole = house.run(house.store.ledger(house.account, 100))
    assert len(whole) == 11
    paged, window = [], EVER
    while page := house.run(house.store.ledger(house.account, 3, window)):
        paged += page
        window = window._replace(last=(page[-1].subject_id, page[-1].kind))
    assert paged == whole
    early = house.run(house.store.ledger(house.account, 100, EVER._replace(until_ms=NOON + 2 * HOUR)))
    late = house.run(house.store.ledger(house.account, 100, EVER._replace(since_ms=NOON + 2 * HOUR)))
    assert sorted(early + late) == sorted(whole)
    assert {line.at_ms for line in early} == {NOON, NOON + HOUR}
