"""Our "no" at the door: a value with the code the wire answers."""

from typing import NamedTuple

__all__ = ["Refusal"]


class Refusal(NamedTuple):
    """Why a request is not accepted. Nothing is stored, except for a 146, which leaves a rejected message."""

    code: str
    """CodeResult of esms-api 5.1."""
    text: str
    """ErrorMessage, exactly."""
    reason: str = ""
    """The precise cause in English, for logs, headers and the console; never a key, a text or a whole phone number."""
    step: int = 0
    """Its place in the order of checks (esms-api 5.2)."""
    told: str = ""
    """The reason as its caller alone may read it, where it quotes him; empty: as `reason`. Never logged or stored."""
