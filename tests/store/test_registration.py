"""The contract of registrations: asked once, decided once, told through the callbacks of messages."""

from tests.store.house import NOON, URL, House

from bocau.core.directory import BrandnameRow
from bocau.core.message import RegistrationDue
from bocau.core.registration import PENDING, Registration, templates_of

TEXT = "{code:6} la ma dang nhap"


def asked(house: House, content: str = TEXT, url: str = URL, sms_type: int = 2) -> Registration:
    """A template of the account's brandname."""
    house.run(house.store.put_brandname(BrandnameRow(house.account, 2, "BOCAU", "active"), house.now))
    return Registration(0, house.account, sms_type, "BOCAU", content, url, PENDING, "", house.now)


def ask(house: House, registration: Registration) -> int | None:
    """A customer asks."""
    return house.run(house.store.ask_template(registration, None))


def decide(house: House, number: int, registration: Registration | None) -> bool:
    """An operator decides: with a registration, yes on every network."""
    made = None if registration is None else templates_of(registration, range(1, 8))
    return house.run(house.store.decide_template(number, made, "", house.now))


def test_a_template_waits_until_it_is_decided(house: House) -> None:
    """It may send nothing before."""
    first = asked(house)
    number = ask(house, first)
    assert number is not None
    assert house.run(house.store.pending_templates()) == [first._replace(id=number)]
    assert house.run(house.store.read_directory()).templates == ()
    assert house.claim_dues() == []
    assert decide(house, number, first)
    rows = house.run(house.store.read_directory()).templates
    assert [(row.telco, row.content, row.route_class) for row in rows] == [(t, TEXT, "otp") for t in range(1, 8)]
    assert house.run(house.store.pending_templates()) == []


def test_the_same_template_is_not_asked_twice_while_it_waits(house: House) -> None:
    """Another text, another type and another account are something else; after a decision it may be asked again."""
    first = asked(house)
    number = ask(house, first)
    assert number is not None
    assert ask(house, first._replace(callback_url="")) is None
    assert ask(house, first._replace(content="{code:6} la ma")) is not None
    assert ask(house, first._replace(sms_type=8)) is not None
    other = house.new_account("other", 0)
    assert ask(house, first._replace(account_id=other)) is not None
    assert decide(house, number, None)
    assert ask(house, first) is not None


def test_a_decision_is_made_once_and_told_once(house: House) -> None:
    """Two operators at the same moment: the second one changes nothing."""
    first = asked(house)
    number = ask(house, first)
    assert number is not None
    assert decide(house, number, first)
    assert not decide(house, number, None)
    assert not decide(house, 9999, None)
    (due,) = house.claim_dues()
    assert due == RegistrationDue(-number, house.account, URL, number, True, "BOCAU", 0, NOON)
    assert house.claim_dues() == []


def test_a_refusal_is_told_and_registers_nothing(house: House) -> None:
    """The customer hears the no; without a URL nobody hears anything."""
    first = asked(house)
    number, quiet = ask(house, first), ask(house, asked(house, "x {P2,3}", ""))
    assert number is not None
    assert quiet is not None
    assert decide(house, number, None)
    assert decide(house, quiet, None)
    (due,) = house.claim_dues()
    assert isinstance(due, RegistrationDue)
    assert (due.registration_id, due.approved) == (number, False)
    assert house.run(house.store.read_directory()).templates == ()


def test_with_templates_it_is_approved_as_it_is_asked(house: House) -> None:
    """One transaction: the answer is given when the templates are there and the callback is due."""
    first = asked(house)
    before = house.run(house.store.directory_version())
    number = house.run(house.store.ask_template(first, templates_of(first, (1, 2), "other")))
    assert house.run(house.store.directory_version()) == before + 1
    assert [row.telco for row in house.run(house.store.read_directory()).templates] == [1, 2]
    assert house.run(house.store.pending_templates()) == []
    assert [due.id for due in house.claim_dues()] == [-(number or 0)]


def test_type_8_needs_no_template(house: House) -> None:
    """A yes is told, and registers nothing."""
    first = asked(house, sms_type=8)
    number = ask(house, first)
    assert number is not None
    assert decide(house, number, first)
    assert house.run(house.store.read_directory()).templates == ()
    assert len(house.claim_dues()) == 1


def test_decisions_and_outcomes_share_one_queue_of_callbacks(house: House) -> None:
    """Tries, waits and a restart are the same for both."""
    message = house.sent("a1")
    house.report("a1")
    first = asked(house)
    number = ask(house, first)
    assert number is not None
    assert decide(house, number, first)
    decision, outcome = house.claim_dues()
    assert (decision.id, outcome.id) == (-number, message.id)
    house.tried(decision, 500, "waiting", again_in=1000)
    house.tried(outcome, 200, "done")
    house.later(1000)
    (again,) = house.claim_dues()
    assert (again.id, again.tries) == (-number, 1)
    house.crash()
    (held,) = house.claim_dues()
    assert held.id == -number
    house.tried(held, 200, "done")
    assert house.claim_dues() == []
