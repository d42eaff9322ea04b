"""Templates that customers ask for: what they ask, and what an operator's yes makes of it (esms-api 3.9)."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from bocau.core.directory import TemplateRow
from bocau.core.message import RouteClass
from bocau.core.template import is_otp

__all__ = ["APPROVED", "LONGEST_CONTENT", "MOST_PENDING", "PENDING", "REFUSED", "Registration", "templates_of"]

PENDING: Final = "pending"
APPROVED: Final = "approved"
REFUSED: Final = "refused"

LONGEST_CONTENT: Final = 2_000
"""Characters of a template that a customer may ask for: three times the longest message."""

MOST_PENDING: Final = 200
"""Templates of one account that may wait for a decision at once."""

_WITH_TEMPLATES: Final = 2
"""The SmsType whose messages must match a template."""


class Registration(NamedTuple):
    """A template that a customer asked for. The fields are columns of the table `registration`, in order."""

    id: int
    """ServicePreviewId; 0 before it is stored."""
    account_id: int
    sms_type: int
    brandname: str
    content: str
    callback_url: str
    """Empty: nobody is told."""
    state: str
    reason: str
    """Why it was refused, for people here; the customer's callback has no place for it."""
    created_ms: int


def templates_of(asked: Registration, telcos: Iterable[int], route_class: str = "") -> tuple[TemplateRow, ...]:
    """The templates that a yes registers, one a network. Type 8 matches none, so there a yes registers nothing."""
    if asked.sms_type != _WITH_TEMPLATES:
        return ()
    chosen = route_class or (RouteClass.OTP if is_otp(asked.content) else RouteClass.OTHER).value
    return tuple(
        TemplateRow(0, asked.account_id, asked.sms_type, asked.brandname, telco, asked.content, chosen)
        for telco in telcos
    )
