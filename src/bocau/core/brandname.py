"""What a sender name may look like: what no network can carry, and what most refuse (esms-api 8.5; row AM of 7)."""

from collections.abc import Iterator
from typing import Final, NamedTuple

__all__ = ["LONGEST", "NameVerdict", "judge_name"]

LONGEST: Final = 20
"""Octets of an SMPP source address."""
_USUAL: Final = 11
_SHORTEST: Final = 3
_SIGNS: Final = frozenset("._- ")
_GENERIC: Final = frozenset(
    (
        *("verify", "otp", "sms", "info", "notice", "alert", "code", "test", "bank", "admin", "system", "support"),
        *("thongbao", "xacminh", "xacthuc", "tinnhan", "khuyenmai", "quangcao", "cskh"),
    )
)


class NameVerdict(NamedTuple):
    """What is wrong with a name, one sentence each."""

    impossible: tuple[str, ...]
    """No message could leave with it."""
    unusual: tuple[str, ...]
    """Some carrier will refuse it; an operator who knows better may insist."""
    doubtful: tuple[str, ...]
    """Worth a question to each carrier."""


def judge_name(name: str) -> NameVerdict:
    """Look a brandname over."""
    return NameVerdict(tuple(_impossible(name)), tuple(_unusual(name)), tuple(_doubtful(name)))


def _impossible(name: str) -> Iterator[str]:
    if not 1 <= len(name) <= LONGEST:
        yield f"a brandname has 1 to {LONGEST} characters; this one has {len(name)}"
    wrong = sorted({sign for sign in name if not (sign.isascii() and sign.isprintable())})
    if wrong:
        yield f"a brandname cannot have {' '.join(wrong)}: no diacritics, only signs of ASCII"
    if name != name.strip():
        yield "a brandname has no blank at its beginning or end"


def _unusual(name: str) -> Iterator[str]:
    if 0 < len(name) < _SHORTEST:
        yield f"it has {len(name)} characters; networks ask for {_SHORTEST} at least"
    wrong = sorted({sign for sign in name if sign.isascii() and not sign.isalnum() and sign not in _SIGNS})
    if wrong:
        yield f"networks refuse {' '.join(wrong)}; use letters, digits, point, dash, underscore or blank"
    if name.lower() in _GENERIC:
        yield "it names no company; carriers refuse such names"


def _doubtful(name: str) -> Iterator[str]:
    if len(name) > _USUAL:
        yield f"it has {len(name)} characters; networks take {_USUAL}"
    if name[:1].isdigit():
        yield "it begins with a digit, which some networks refuse"
    if " " in name.strip():
        yield "it has a blank, which some networks refuse"
