"""Calls or texts: routes fit the channel of each account."""

from bocau.dispatch.channel import Channels, by_channel
from bocau.dispatch.plan import Choice, Order, Route, RouteTable, Traits

CODES = Route("codes", (Choice("voice"), Choice("texts")), sms_types=(8,))
REST = Route("rest", (Choice("texts"),))
ACCOUNTS = frozenset({1, 2, 3})


def ways(routes: list[Route], account: int, sms_type: int = 8) -> tuple[str, ...]:
    """The carriers for a message of an account, in order; empty if no route takes it."""
    table = RouteTable(routes)
    picked = [verdict.route for verdict in table.explain(Traits(sms_type, "otp", account, "", 1), "0901234567")]
    found = [route for route in picked if not route.misfit(Traits(sms_type, "otp", account, "", 1))]
    return tuple(choice.carrier for choice in found[0].choices) if found else ()


def made(default: str, own: dict[int, str], *routes: Route) -> list[Route]:
    return by_channel(routes or (CODES, REST), Channels(default, own, ACCOUNTS), "voice")


def test_one_channel_for_all() -> None:
    """By call, by text, by call then by text; other types always by text."""
    for default, expected in {"voice": ("voice",), "sms": ("texts",), "voice_then_sms": ("voice", "texts")}.items():
        assert ways(made(default, {}), 1) == expected
        assert ways(made(default, {}), 1, sms_type=2) == ("texts",)


def test_an_account_may_differ() -> None:
    """Its own channel counts for it alone."""
    routes = made("voice", {2: "sms", 3: "voice_then_sms"})
    assert [ways(routes, account) for account in (1, 2, 3)] == [("voice",), ("texts",), ("voice", "texts")]
    assert len({route.name for route in routes}) == len(routes)


def test_a_call_comes_first_whatever_the_order_of_the_route() -> None:
    """voice_then_sms says the order."""
    cheap = CODES._replace(choices=(Choice("texts"), Choice("voice", cost=9)), order=Order.COST)
    table = RouteTable(made("voice_then_sms", {}, cheap))
    assert table.ways(table.routes[0])[0].carriers == ("voice", "texts")


def test_a_route_that_is_left_without_a_carrier_takes_nothing() -> None:
    """So that a code is never sent by text to an account that wants calls alone."""
    routes = made("voice", {}, REST)
    assert ways(routes, 1) == ()
    assert ways(routes, 1, sms_type=2) == ("texts",)


def test_accounts_of_a_route_stay_its_own() -> None:
    """A route for one account is not opened to others by channels."""
    routes = made("voice", {2: "sms"}, CODES._replace(accounts=(1, 2)))
    assert [ways(routes, account) for account in (1, 2, 3)] == [("voice",), ("texts",), ()]


def test_without_calls_nothing_changes() -> None:
    """Routes keep their names where nobody is called."""
    assert made("sms", {}, REST) == [REST]
