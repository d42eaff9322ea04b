"""Which carrier takes a message, and in how many parts. Pure."""

from tests.rooms.dispatch.desk import message

from bocau.dispatch.plan import Route, choose, cut_for
from bocau.wire.gsm.parts import Profile

ANY = Route("any", "north", (), (), ())


def test_the_first_route_that_fits_counts() -> None:
    """The order of the file is the order of preference."""
    special = Route("special", "south", (2,), ("BOCAU",), (1, 2))
    assert choose(message(1), [special, ANY]) is special
    assert choose(message(1), [ANY, special]) is ANY


def test_every_condition_of_a_route_must_hold() -> None:
    """One that does not is enough to pass on."""
    for route in (
        Route("type", "south", (8,), (), ()),
        Route("brand", "south", (), ("OTHER",), ()),
        Route("telco", "south", (), (), (2, 3)),
        Route("two of three", "south", (2,), ("BOCAU",), (2,)),
    ):
        assert choose(message(1), [route, ANY]) is ANY


def test_a_message_may_have_no_route() -> None:
    """Then nobody guesses."""
    assert choose(message(1), []) is None


def test_a_text_is_cut_as_its_carrier_wants_it() -> None:
    """The header's size changes where the cuts lie, and may change how many there are."""
    long = message(1)._replace(content="x" * 306, parts=2)
    assert [part.udhi for part in cut_for(message(1), 0, Profile())] == [False]
    assert len(cut_for(long, 7, Profile())) == 2
    assert len(cut_for(long, 7, Profile(sixteen_bit=True))) == 3
