"""PDUs with something wrong with them, as octets: what a careful peer must survive."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from bocau.simulator.rules import Spoiled
from bocau.wire.smpp.codec import HEADER_SIZE, encode
from bocau.wire.smpp.pdu import Command, MessageIdResp, Outbind, Pdu

__all__ = ["NOBODYS_SEQUENCE", "Octets", "spoil"]

NOBODYS_SEQUENCE: Final = 0x7FFFFF00
"""A sequence number that no session comes to."""

_TOO_SHORT: Final = 8
_NO_SMPP: Final = b"HTTP/1.1 400 Bad Request\r\n\r\n"
_NO_BODY: Final = b"\xff" * 80
_STRAY: Final = encode(Pdu(Command.SUBMIT_SM_RESP, 0, NOBODYS_SEQUENCE, MessageIdResp("nobodys")))
_OUTBIND: Final = encode(Pdu(Command.OUTBIND, 0, 1, Outbind("bocau", "hidden")))


class Octets(NamedTuple):
    """What is written instead of a PDU."""

    data: bytes
    closes: bool = False
    """The connection is closed behind it."""


def spoil(pdu: bytes, how: Spoiled) -> Octets:
    """The octets of one PDU, spoiled."""
    return _WAYS[how](pdu)


def _with_length(pdu: bytes, length: int) -> Octets:
    return Octets(length.to_bytes(4, "big") + pdu[4:])


_WAYS: Final[Mapping[Spoiled, Callable[[bytes], Octets]]] = {
    Spoiled.NOTHING: Octets,
    Spoiled.HALF: lambda pdu: Octets(pdu[: len(pdu) // 2], closes=True),
    Spoiled.TWICE: lambda pdu: Octets(pdu + pdu),
    Spoiled.STRAY: lambda pdu: Octets(_STRAY + pdu),
    Spoiled.LENGTH: lambda pdu: _with_length(pdu, _TOO_SHORT),
    Spoiled.TOO_LONG: lambda pdu: _with_length(pdu, len(pdu) + 4),
    Spoiled.BODY: lambda pdu: _with_length(pdu[:HEADER_SIZE] + _NO_BODY, HEADER_SIZE + len(_NO_BODY)),
    Spoiled.GARBAGE: lambda pdu: Octets(_NO_SMPP + pdu),
    Spoiled.OUTBIND: lambda pdu: Octets(_OUTBIND + pdu),
}
