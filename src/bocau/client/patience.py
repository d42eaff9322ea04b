"""When a call is tried again. Pure but for the id that makes it harmless.

A connection that fails, a time-out and a 5xx are tried again with the same RequestId: the other end accepts one
RequestId once. A call that must not be repeated is tried again only if nothing of it can have arrived.
"""

import uuid  # noqa: TID251 - the client runs in the customer's program, which has no World
from dataclasses import dataclass

__all__ = ["Failure", "Patience", "new_request_id"]

_FIRST_SECONDS = 0.25
_MOST_SECONDS = 4.0


def new_request_id() -> str:
    """A RequestId that nobody used: 32 characters, which every version of the API takes."""
    return uuid.uuid4().hex


class Failure(Exception):  # noqa: N818 - it never leaves the client
    """One try came to nothing. `sent`: bytes of it may have arrived."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long."""

    seconds: float = 15.0
    """For one try, from the connection to the end of the answer."""
    retries: int = 2
    """How many tries follow a first one that came to nothing."""

    def wait_seconds(self, tries: int, *, repeatable: bool, sent: bool) -> float | None:
        """How long to wait after so many tries that came to nothing; None: no more."""
        if tries > self.retries or (sent and not repeatable):
            return None
        return min(_MOST_SECONDS, _FIRST_SECONDS * 2.0 ** (tries - 1))
