"""The text of a message from a subscriber, out of the PDUs that brought its parts."""

from collections.abc import Sequence

from bocau.wire.smpp.codec import Framer, decode
from bocau.wire.smpp.pdu import BadBody, BrokenFrame, DataSm, DeliverSm
from bocau.wire.smpp.pieces import join_pieces, read_piece

__all__ = ["text_of"]


def text_of(raws: Sequence[bytes]) -> str:
    """The text of the parts in order; octets that are no text as hexadecimal digits. Never fails on what was stored."""
    pieces = []
    for raw in raws:
        try:
            (frame,) = Framer().feed(raw)
            body = decode(frame).body
        except (BadBody, BrokenFrame, ValueError):
            return b"".join(raws).hex()
        if isinstance(body, DeliverSm | DataSm):
            pieces.append(read_piece(body))
    return join_pieces(pieces) if pieces else ""
