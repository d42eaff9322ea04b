"""Which carrier takes a message, in how many parts. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from bocau.core.message import Message
from bocau.wire.gsm.parts import Part, Profile, cut

__all__ = ["Route", "choose", "cut_for"]


class Route(NamedTuple):
    """A rule that picks a carrier. Empty tuples match everything."""

    name: str
    carrier: str
    sms_types: tuple[int, ...]
    brandnames: tuple[str, ...]
    telcos: tuple[int, ...]

    def takes(self, message: Message) -> bool:
        """Whether the rule is about this message."""
        return (
            (not self.sms_types or message.sms_type in self.sms_types)
            and (not self.brandnames or message.brandname in self.brandnames)
            and (not self.telcos or message.telco in self.telcos)
        )


def choose(message: Message, routes: Sequence[Route]) -> Route | None:
    """The first route that takes the message, in the order they are written; None if there is none."""
    for route in routes:
        if route.takes(message):
            return route
    return None


def cut_for(message: Message, reference: int, profile: Profile) -> list[Part]:
    """The message's text as the carrier wants it, one entry per part, in order."""
    return cut(message.content, reference, profile)
