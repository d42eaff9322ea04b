"""Text out of the octets of a short message, and one message out of its parts.

Parts are joined by the user data header (3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.8) or by the sar_* parameters
(SMPP 3.4, 5.3.2.22 to 5.3.2.24).
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from bocau.wire.gsm.alphabet import GsmError
from bocau.wire.gsm.alphabet import decode as decode_gsm
from bocau.wire.smpp.pdu import DataSm, DeliverSm, SubmitSm
from bocau.wire.smpp.tlv import Tag

__all__ = ["Piece", "decode_text", "join_pieces", "read_piece"]

_UDH_BIT: Final = 0x40

# How the octets are read, by data_coding (SMPP 3.4, 5.2.19; the values from 0x10 on are TS 23.038's, shown at once).
_GSM, _LATIN1, _UCS2, _BINARY = "gsm", "latin-1", "utf-16-be", "binary"
_CODINGS: Final[dict[int, str]] = {
    0x00: _GSM,
    0x01: _LATIN1,
    0x02: _BINARY,
    0x03: _LATIN1,
    0x04: _BINARY,
    0x08: _UCS2,
    0x10: _GSM,
    0x18: _UCS2,
    0xF0: _GSM,
    0xF1: _GSM,
}
# Information elements that join parts: identifier -> octets of the reference.
_JOINING: Final[dict[int, int]] = {0x00: 1, 0x08: 2}


class Piece(NamedTuple):
    """What one submit carries: a whole message, or one part of it."""

    data: bytes
    """The text without its header."""
    coding: int
    """data_coding as it came."""
    part: int = 1
    """Counted from 1."""
    parts: int = 1
    reference: str = ""
    """What the parts of one message have in common; empty for a message of one part."""


def read_piece(message: SubmitSm | DeliverSm | DataSm) -> Piece:
    """The text of a submit or a deliver and its place in the message. A header that makes no sense is read as text."""
    data = b"" if isinstance(message, DataSm) else message.short_message
    tlvs = message.tlvs
    if not tlvs:
        if not message.esm_class & _UDH_BIT:
            return Piece(data, message.data_coding)
        return _read_header(data, message.data_coding)
    told = dict(tlvs)
    data = data or told.get(Tag.MESSAGE_PAYLOAD, b"")
    if message.esm_class & _UDH_BIT:
        return _read_header(data, message.data_coding)
    reference = told.get(Tag.SAR_MSG_REF_NUM)
    parts = int.from_bytes(told.get(Tag.SAR_TOTAL_SEGMENTS, b""), "big")
    part = int.from_bytes(told.get(Tag.SAR_SEGMENT_SEQNUM, b""), "big")
    if reference is None or not 1 <= part <= parts or parts < 2:
        return Piece(data, message.data_coding)
    return Piece(data, message.data_coding, part, parts, f"sar:{reference.hex()}")


def _read_header(data: bytes, coding: int) -> Piece:
    end = 1 + data[0] if data else 0
    if not 0 < end <= len(data):
        return Piece(data, coding)
    text = data[end:]
    at = 1
    while at + 2 <= end:
        size = _JOINING.get(data[at])
        after = at + 2 + data[at + 1]
        if size is not None and data[at + 1] == size + 2 and after <= end:
            parts, part = data[after - 2], data[after - 1]
            if 1 <= part <= parts and parts > 1:
                return Piece(text, coding, part, parts, f"{8 * size}:{data[at + 2 : after - 2].hex()}")
        at = after
    return Piece(text, coding)


def decode_text(data: bytes, coding: int) -> str:
    """Octets as a telephone shows them; binary ones as hexadecimal digits. Never fails: odd octets show as signs.

    The default alphabet is GSM unpacked; with an octet beyond it, it is read as Latin-1, as many carriers do.
    """
    alphabet = _CODINGS.get(coding, _LATIN1)
    if alphabet is _GSM:
        try:
            return decode_gsm(data)
        except GsmError:
            return data.decode(_LATIN1)
    if alphabet is _BINARY:
        return data.hex()
    return data.decode(alphabet, "replace")


def join_pieces(pieces: Sequence[Piece]) -> str:
    """The text of a message, its parts in order."""
    coding = pieces[0].coding
    if all(piece.coding == coding for piece in pieces):
        # Joined before decoding: a sign may lie across the cut.
        return decode_text(b"".join([piece.data for piece in pieces]), coding)
    return "".join([decode_text(piece.data, piece.coding) for piece in pieces])
