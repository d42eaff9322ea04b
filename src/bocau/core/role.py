"""What an operator may do in the console, by his role. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

__all__ = ["RIGHTS", "Right", "Role"]


class Right(StrEnum):
    """One thing that not everybody may do."""

    LOOK = "look"
    """See everything but people's data."""
    PHONES = "phones"
    """See whole numbers, of one request at a time; it goes into the audit."""
    TEXTS = "texts"
    """See texts, likewise."""
    ACT = "act"
    """Change how messages go: links, callbacks."""
    ADMINISTER = "administer"
    """Change who may do what."""


class Role(StrEnum):
    """What somebody is here for."""

    VIEWER = "viewer"
    SUPPORT = "support"
    OPERATOR = "operator"
    ADMIN = "admin"


RIGHTS: Final[Mapping[Role, frozenset[Right]]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Right.LOOK}),
        Role.SUPPORT: frozenset({Right.LOOK, Right.PHONES}),
        Role.OPERATOR: frozenset({Right.LOOK, Right.PHONES, Right.TEXTS, Right.ACT}),
        Role.ADMIN: frozenset(Right),
    }
)
"""Support answers people who call: it needs their numbers, and never their codes."""
