"""Messages from subscribers, told to an address of the operator's, in the manner of the API's callbacks.

The documents of eSMS name a short-code service and show no call of it: the parameters are ours.
"""

from typing import NamedTuple
from urllib.parse import quote

from bocau.wire.esms.callback import with_query

__all__ = ["InboundValues", "inbound_url"]


class InboundValues(NamedTuple):
    """What is told."""

    id: int
    sender: str
    """The subscriber's number as the carrier gave it."""
    recipient: str
    """The short code or number written to."""
    text: str
    carrier: str
    received_at: str
    """ISO 8601, UTC."""


def inbound_url(target: str, values: InboundValues) -> str:
    """The URL to call: the operator's own, our parameters behind it. Raises ValueError for a target that is none."""
    pairs = zip(("MOID", "Phone", "ShortCode", "Content", "Carrier", "ReceivedAt"), values, strict=True)
    return with_query(target, "&".join(f"{name}={quote(str(value), safe='')}" for name, value in pairs))
