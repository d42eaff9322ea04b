"""What a carrier says in a receipt beyond id and state: its own parameters, kept as octets and told by name."""

from struct import Struct
from typing import Final

from bocau.wire.smpp.pdu import Tlvs
from bocau.wire.smpp.tlv import Tag, named_tlvs

__all__ = ["MOST_OCTETS", "extras_of", "named_extras"]

MOST_OCTETS: Final = 512
"""Of one receipt; a parameter that would go beyond is left out."""

_HEAD: Final = Struct(">HH")
_ELSEWHERE: Final = frozenset(
    {
        Tag.RECEIPTED_MESSAGE_ID,
        Tag.MESSAGE_STATE,
        Tag.MESSAGE_PAYLOAD,
        Tag.USER_MESSAGE_REFERENCE,
        Tag.SOURCE_SUBADDRESS,
        Tag.DEST_SUBADDRESS,
        Tag.CALLBACK_NUM,
    }
)
"""What is read into a receipt's own fields, and what holds texts and numbers of people."""


def extras_of(tlvs: Tlvs) -> bytes:
    """The parameters worth keeping, one behind the other as on the wire; empty if there are none."""
    kept: list[bytes] = []
    size = 0
    for tag, value in tlvs:
        if tag in _ELSEWHERE or size + _HEAD.size + len(value) > MOST_OCTETS:
            continue
        size += _HEAD.size + len(value)
        kept += _HEAD.pack(tag, len(value)), value
    return b"".join(kept)


def named_extras(data: bytes) -> dict[str, object]:
    """What `extras_of` kept, by name. Never fails on what was stored: octets cut short end the list."""
    tlvs = []
    at = 0
    while at + _HEAD.size <= len(data):
        tag, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size + length
        tlvs.append((tag, data[at - length : at]))
    return named_tlvs(tuple(tlvs))
