"""Which carriers take a message, and in how many parts. Pure."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rooms.dispatch.desk import message

from bocau.core.message import Past, Recourse
from bocau.dispatch.plan import Choice, Order, Route, RouteTable, Traits, Way, cut_for, order_again
from bocau.wire.gsm.parts import Profile

NORTH, SOUTH, EAST = Choice("north", 3, 5), Choice("south", 1, 2), Choice("east", 0, 9)
ANY = Route("any", (NORTH,))


def chosen(*routes: Route) -> Way | None:
    return RouteTable(routes).choose(message(1))


def test_the_first_route_that_fits_counts() -> None:
    """The order of the file is the order of preference."""
    special = Route("special", (SOUTH,), (2,), ("BOCAU",), (1, 2))
    assert chosen(special, ANY) == Way(special, ("south",), Recourse())
    assert chosen(ANY, special) == Way(ANY, ("north",), Recourse())


def test_a_route_of_higher_priority_is_asked_first() -> None:
    """Wherever it stands in the file, or in which of several files."""
    late = Route("late", (SOUTH,), priority=1)
    assert chosen(ANY, late) == Way(late, ("south",), Recourse())


def test_every_condition_of_a_route_must_hold() -> None:
    """One that does not is enough to pass on."""
    for route in (
        Route("type", (SOUTH,), sms_types=(8,)),
        Route("brand", (SOUTH,), brandnames=("OTHER",)),
        Route("telco", (SOUTH,), telcos=(2, 3)),
        Route("account", (SOUTH,), accounts=(2,)),
        Route("no such account", (SOUTH,), accounts=()),
        Route("class", (SOUTH,), route_class="other"),
        Route("prefix", (SOUTH,), prefixes=("098", "097")),
        Route("two of three", (SOUTH,), (2,), ("BOCAU",), (2,)),
    ):
        assert chosen(route, ANY) == Way(ANY, ("north",), Recourse())


def test_a_route_takes_what_it_is_about() -> None:
    """Each condition alone, and all at once."""
    for route in (
        Route("account", (SOUTH,), accounts=(2, 1)),
        Route("class", (SOUTH,), route_class="otp"),
        Route("prefix", (SOUTH,), prefixes=("098", "0900")),
        Route("all", (SOUTH,), (2,), ("BOCAU",), (1,), (1,), "otp", ("0",)),
    ):
        found = chosen(route, ANY)
        assert found is not None
        assert found.route is route


def test_a_message_may_have_no_route() -> None:
    """Then nobody guesses."""
    assert chosen() is None


def test_several_carriers_are_asked_as_listed() -> None:
    """With another one left, a refusal for good is not the end."""
    found = chosen(Route("both", (NORTH, SOUTH)))
    assert found is not None
    assert found.carriers == ("north", "south")
    assert found.recourse.elsewhere


def test_the_cheapest_carrier_may_come_first() -> None:
    """By what a part costs there; equal costs as listed."""
    found = chosen(Route("both", (EAST, NORTH, SOUTH), order=Order.COST))
    assert found is not None
    assert found.carriers == ("south", "north", "east")


def test_weights_share_the_messages_out() -> None:
    """Three of four to the first, none to the one without a weight but as a reserve, and the same for equal ids."""
    table = RouteTable([Route("shared", (NORTH, SOUTH, EAST), order=Order.WEIGHT)])
    ways = [table.choose(message(number)) for number in range(4000)]
    firsts = [way.carriers[0] for way in ways if way is not None]
    assert 2900 < firsts.count("north") < 3100
    assert firsts.count("east") == 0
    assert all(way is not None and set(way.carriers) == {"north", "south", "east"} for way in ways)
    assert [table.choose(message(number)) for number in range(4000)] == ways


@given(st.lists(st.sampled_from(["otp", "other"]), max_size=20), st.integers(0, 3))
def test_what_is_remembered_is_what_would_be_found_anew(classes: list[str], telco: int) -> None:
    """The table's memory changes no answer."""
    routes = [Route("otp", (SOUTH,), route_class="otp", telcos=(1,)), Route("some", (NORTH,), telcos=(1, 2))]
    table = RouteTable(routes)
    for route_class in classes:
        one = message(1, telco=telco, route_class=route_class)
        assert table.choose(one) == RouteTable(routes).choose(one)


def test_every_route_explains_itself() -> None:
    """In words, in the order of asking, with the one that counts marked."""
    routes = [
        Route("type", (SOUTH,), sms_types=(8,)),
        Route("prefix", (SOUTH,), prefixes=("098",)),
        Route("brand", (NORTH,), brandnames=("BOCAU",)),
        ANY,
    ]
    found = RouteTable(routes).explain(Traits(2, "otp", 1, "BOCAU", 1), "0901234567")
    assert [(verdict.route.name, verdict.why, verdict.picked) for verdict in found] == [
        ("type", "is for SmsType 8", False),
        ("prefix", "is for numbers from 098", False),
        ("brand", "", True),
        ("any", "", False),
    ]


BOTH = Way(Route("both", (NORTH, SOUTH), put_off_tries=2), ("north", "south"), Recourse(elsewhere=True))


def test_who_refused_for_good_is_not_asked_again() -> None:
    """And there is nobody else after the last one."""
    past = Past("north", bound=False, barred=frozenset({"north"}), put_off=())
    assert order_again(BOTH, past) == (("south",), frozenset({"south"}))


def test_who_has_a_part_keeps_the_message() -> None:
    """Promises 4.5: a telephone joins only parts of one carrier's making."""
    past = Past("north", bound=True, barred=frozenset(), put_off=("north",) * 9)
    assert order_again(BOTH, past) == (("north",), frozenset({"north"}))


def test_after_some_refusals_for_now_the_next_carrier_has_its_turn() -> None:
    """And after as many there, the first again."""
    for put_off, first in ((1, "north"), (2, "south"), (3, "south"), (4, "north"), (5, "north"), (6, "south")):
        names = ("north", "north", "south", "south", "north", "north")[:put_off]
        past = Past(names[-1], bound=False, barred=frozenset(), put_off=names)
        assert order_again(BOTH, past)[0][0] == first


def test_a_text_is_cut_as_its_carrier_wants_it() -> None:
    """The header's size changes where the cuts lie, and may change how many there are."""
    long = replace(message(1), content="x" * 306, parts=2)
    assert [part.udhi for part in cut_for(message(1), 0, Profile())] == [False]
    assert len(cut_for(long, 7, Profile())) == 2
    assert len(cut_for(long, 7, Profile(sixteen_bit=True))) == 3
    assert [part.data for part in cut_for(long, 0, None)] == [b"x" * 306]
