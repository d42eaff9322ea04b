"""Routing while everything is caught. Pure."""

from msgspec.structs import replace
from tests.rooms.dispatch.desk import message

from bocau.dispatch.plan import Choice, Route, Traits
from bocau.dispatch.staging import StagedTable

NORTH = Route("all", (Choice("north"),), sms_types=(2,))


def carriers(table: StagedTable, phone: str, number: int = 1, sms_type: int = 2) -> tuple[str, ...]:
    way = table.choose(replace(message(number), phone=phone, sms_type=sms_type))
    return () if way is None else way.carriers


def test_what_is_not_for_a_listed_phone_is_caught() -> None:
    """Listed by number or by its beginning; with no list everything is caught. A listed phone without a route waits."""
    table = StagedTable([NORTH], "capture", ("0901111111", "098"), set())
    assert carriers(table, "0901111111") == carriers(table, "0981234567") == ("north",)
    assert carriers(table, "0901111112") == carriers(table, "0901111112", sms_type=8) == ("capture",)
    assert carriers(table, "0901111111", sms_type=8) == ()
    assert carriers(StagedTable([NORTH], "capture", (), set()), "0901111111") == ("capture",)


def test_what_was_released_goes_by_the_routes() -> None:
    """Whatever its phone."""
    released: set[int] = set()
    table = StagedTable([NORTH], "capture", (), released)
    number = message(7).id
    assert carriers(table, "0902222222", 7) == ("capture",)
    released.add(number)
    assert carriers(table, "0902222222", 7) == ("north",)


def test_messages_parked_for_it_find_their_carrier() -> None:
    """By the name of the route, as for all others."""
    assert StagedTable([NORTH], "capture", (), set()).carriers("capture") == ("capture",)


def test_people_are_told_why() -> None:
    """`bocau route explain`."""
    table = StagedTable([NORTH], "capture", ("098",), set())
    traits = Traits(2, "otp", 1, "Bocau", 2)
    caught = [(verdict.route.name, verdict.why, verdict.picked) for verdict in table.explain(traits, "0901111111")]
    assert caught == [("all", "is for listed phones alone: [staging] is on", False), ("capture", "", True)]
    assert [verdict.picked for verdict in table.explain(traits, "0981111111")] == [True]
    assert [way.carriers for way in table.ways(table.explain(traits, "0901111111")[-1].route)] == [("capture",)]
