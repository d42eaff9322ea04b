"""Which carriers may take a message, in which order, in how many parts. Pure.

The table is prepared once per configuration; to choose is then two look-ups.
"""

from collections.abc import Sequence
from enum import StrEnum
from math import gcd
from typing import Final, NamedTuple

from bocau.core.call import Press
from bocau.core.message import Message, Past, Recourse, Uncertain
from bocau.wire.gsm.parts import Part, Profile, cut

__all__ = ["Choice", "Order", "Route", "RouteTable", "Traits", "Verdict", "Way", "cut_for", "order_again"]

_MOST_REMEMBERED: Final = 10_000
_SPREAD: Final = 2_654_435_761
"""Knuth's multiplier: ids that follow each other are spread over all ways of a weighted route."""


class Order(StrEnum):
    """Which carrier of a route comes first."""

    LISTED = "listed"
    """As they are written."""
    WEIGHT = "weight"
    """Each for its share of the messages; the others stand behind it as they are written."""
    COST = "cost"
    """The cheapest first."""


class Choice(NamedTuple):
    """A carrier that a route may use."""

    carrier: str
    weight: int = 1
    cost: int = 0
    """Of one part, in the smallest unit of the operator's own reckoning; only compared."""


class Traits(NamedTuple):
    """What routes ask about a message."""

    sms_type: int
    route_class: str
    account_id: int
    brandname: str
    telco: int


class Route(NamedTuple):
    """A rule that picks carriers. What is empty matches everything."""

    name: str
    choices: tuple[Choice, ...]
    sms_types: tuple[int, ...] = ()
    brandnames: tuple[str, ...] = ()
    telcos: tuple[int, ...] = ()
    accounts: tuple[int, ...] | None = None
    """Ids; None for every account. An empty tuple matches none: the accounts named do not exist."""
    route_class: str = ""
    prefixes: tuple[str, ...] = ()
    """First digits of the receiver, national form."""
    priority: int = 0
    """Routes of a higher number are asked first; equal ones in the order they are written."""
    order: Order = Order.LISTED
    uncertain: Uncertain = Uncertain.HOLD
    put_off_tries: int = 3
    """After so many refusals for now by one carrier the next one has its turn."""
    press: Press = Press()
    """Which keys its calls offer."""

    def misfit(self, traits: Traits) -> str:
        """Why the rule is not about such messages, in words; empty if it is. Prefixes are not looked at."""
        if self.sms_types and traits.sms_type not in self.sms_types:
            return f"is for SmsType {_listed(self.sms_types)}"
        if self.route_class and traits.route_class != self.route_class:
            return f"is for class {self.route_class}"
        if self.accounts is not None and traits.account_id not in self.accounts:
            return "is for other accounts"
        if self.brandnames and traits.brandname not in self.brandnames:
            return f"is for brandname {_listed(self.brandnames)}"
        if self.telcos and traits.telco not in self.telcos:
            return f"is for network {_listed(self.telcos)}"
        return ""


class Way(NamedTuple):
    """The answer for one message: carriers in the order they are to be tried."""

    route: Route
    carriers: tuple[str, ...]
    recourse: Recourse
    """Of a message that was not tried before."""


class Verdict(NamedTuple):
    """What one route says about a message, for people."""

    route: Route
    why: str
    """Why it does not take the message; empty if it would."""
    picked: bool
    """It is the one that counts."""


class _Ready(NamedTuple):
    """A route with everything decided that can be decided before."""

    prefixes: tuple[str, ...]
    ways: tuple[Way, ...]


class RouteTable:
    """All routes, ready to choose from."""

    __slots__ = ("_memo", "_ready", "by_telco", "routes")

    def __init__(self, routes: Sequence[Route] = ()) -> None:
        self.routes = tuple(sorted(routes, key=lambda route: -route.priority))
        """In the order they are asked."""
        self.by_telco = any(route.telcos for route in routes)
        """Some route asks for the network."""
        self._ready = {route.name: _Ready(route.prefixes, _ways(route)) for route in self.routes}
        self._memo: dict[Traits | tuple[int, str, int, str, int], tuple[_Ready, ...]] = {}

    def choose(self, message: Message, telco: int = 0) -> Way | None:
        """The way of the first route that takes the message; None if there is none. `telco` is its network, where more
        is known than when it was accepted."""
        network = telco or message.telco
        key = (message.sms_type, message.route_class, message.account_id, message.brandname, network)
        fitting = self._memo.get(key)
        if fitting is None:
            fitting = self._remember(key)
        for ready in fitting:
            if not ready.prefixes or message.phone.startswith(ready.prefixes):
                ways = ready.ways
                return ways[0] if len(ways) == 1 else ways[(message.id * _SPREAD >> 16) % len(ways)]
        return None

    def _add(self, route: Route) -> Way:
        """Count a route in that is asked by other rules; its one way."""
        ready = self._ready[route.name] = _Ready(route.prefixes, _ways(route))
        return ready.ways[0]

    def _remember(self, key: tuple[int, str, int, str, int]) -> tuple[_Ready, ...]:
        if len(self._memo) >= _MOST_REMEMBERED:
            self._memo.clear()
        traits = Traits(*key)
        fitting = tuple(self._ready[route.name] for route in self.routes if not route.misfit(traits))
        self._memo[key] = fitting
        return fitting

    def explain(self, traits: Traits, phone: str) -> list[Verdict]:
        """What each route says, in the order they are asked."""
        verdicts: list[Verdict] = []
        picked = False
        for route in self.routes:
            why = route.misfit(traits)
            if not why and route.prefixes and not phone.startswith(route.prefixes):
                why = f"is for numbers from {_listed(route.prefixes)}"
            verdicts.append(Verdict(route, why, not why and not picked))
            picked = picked or not why
        return verdicts

    def ways(self, route: Route) -> tuple[Way, ...]:
        """The orders in which a route of this table may ask its carriers, each for an equal share of the messages."""
        return self._ready[route.name].ways

    def carriers(self, name: str) -> tuple[str, ...]:
        """The carriers of a route; none if there is no such route."""
        ready = self._ready.get(name)
        return () if ready is None else tuple(choice.carrier for choice in ready.ways[0].route.choices)


def _ways(route: Route) -> tuple[Way, ...]:
    """The orders of a route's carriers: one, or for a weighted route as many as the weights need."""
    names = [choice.carrier for choice in route.choices]
    recourse = Recourse(len(names) > 1, route.uncertain)
    if route.order is Order.COST:
        names = [choice.carrier for choice in sorted(route.choices, key=lambda choice: choice.cost)]
    if route.order is not Order.WEIGHT:
        return (Way(route, tuple(names), recourse),)
    step = gcd(*[choice.weight for choice in route.choices]) or 1
    firsts = [choice.carrier for choice in route.choices for _ in range(choice.weight // step)]
    return tuple(Way(route, (first, *[n for n in names if n != first]), recourse) for first in firsts)


def order_again(way: Way, past: Past) -> tuple[tuple[str, ...], frozenset[str]]:
    """The carriers for a message tried before, best first, and all that may still take it.

    One that has a part, or may have one, keeps the message (promises 4.5). Who refused it for good is left out. Who put
    it off several times comes behind those who did not.
    """
    if past.bound:
        return (past.carrier,), frozenset((past.carrier,))
    left = [name for name in way.carriers if name not in past.barred]
    rounds = {name: past.put_off.count(name) // way.route.put_off_tries for name in left}
    return tuple(sorted(left, key=lambda name: rounds[name])), frozenset(left)


def cut_for(message: Message, reference: int, profile: Profile | None) -> list[Part]:
    """The message's text as the carrier wants it, one entry per part, in order; whole where it has no profile."""
    if profile is None:
        return [Part(message.content.encode(), 0, udhi=False)]
    return cut(message.content, reference, profile)


def _listed(words: Sequence[object]) -> str:
    return " or ".join(str(word) for word in words)
