"""Routing while everything is caught: only listed phones get what the routes say, all else goes to one carrier.

What an operator releases goes by the routes too. Pure, but for the set of those.
"""

from collections.abc import Container, Sequence

from bocau.core.message import Message
from bocau.dispatch.plan import Choice, Route, RouteTable, Traits, Verdict, Way

__all__ = ["StagedTable"]


class StagedTable(RouteTable):
    """The routes, with one more that takes whatever is not for a listed phone."""

    __slots__ = ("_catch", "_caught", "_phones", "_released")

    def __init__(
        self, routes: Sequence[Route], capture: str, phones: tuple[str, ...], released: Container[int]
    ) -> None:
        """`capture` names the carrier that catches, and its route. `phones` are numbers or their beginnings, in
        national form; `released` holds the ids of messages that go by the routes whatever their phone."""
        super().__init__(routes)
        self._catch = Route(capture, (Choice(capture),))
        self._caught = self._add(self._catch)
        self._phones = phones
        self._released = released

    def choose(self, message: Message, telco: int = 0) -> Way | None:
        """See RouteTable."""
        if self._is_listed(message.phone) or message.id in self._released:
            return super().choose(message, telco)
        return self._caught

    def explain(self, traits: Traits, phone: str) -> list[Verdict]:
        """See RouteTable."""
        if self._is_listed(phone):
            return super().explain(traits, phone)
        why = "is for listed phones alone: [staging] is on"
        return [*(Verdict(route, why, False) for route in self.routes), Verdict(self._catch, "", True)]

    def _is_listed(self, phone: str) -> bool:
        return bool(self._phones) and phone.startswith(self._phones)
