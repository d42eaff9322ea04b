"""What a telephone makes of the parts it gets: one message out of its parts."""

from collections import OrderedDict
from typing import Final, NamedTuple

from bocau.wire.smpp.pdu import SubmitSm
from bocau.wire.smpp.pieces import Piece, join_pieces

__all__ = ["Handset", "Sms"]

_MOST_INCOMPLETE: Final = 10_000


class Sms(NamedTuple):
    """One message as a telephone shows it."""

    phone: str
    """Whom it was for, as the submit said."""
    sender: str
    text: str
    at_ms: int
    """When the carrier took the last part."""
    parts: int
    message_ids: tuple[str, ...]
    """The carrier's ids, in the order of the parts."""


class Handset:
    """Everybody's telephone: keeps parts until their message is whole.

    The parts of the 10,000 messages begun last are kept; a message whose parts do not all come is never shown.
    """

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        """Start with no parts."""
        self._begun: OrderedDict[tuple[str, str, str, int], dict[int, tuple[Piece, str]]] = OrderedDict()

    def take(self, submit: SubmitSm, piece: Piece, text: str, message_id: str, at_ms: int) -> Sms | None:
        """The message that this piece, whose own text is `text`, completes, if it does.

        A part that comes again while its message is not whole counts once; with another text it begins a new message.
        """
        phone, sender = submit.destination_addr, submit.source_addr
        if piece.parts == 1:
            return Sms(phone, sender, text, at_ms, 1, (message_id,))
        key = (phone, sender, piece.reference, piece.parts)
        begun = self._begun
        there = begun.get(key)
        if there is None:
            there = begun[key] = {}
            if len(begun) > _MOST_INCOMPLETE:
                begun.popitem(last=False)
        elif piece.part in there and there[piece.part][0] != piece:
            there.clear()
        there[piece.part] = (piece, message_id)
        if len(there) < piece.parts:
            return None
        del begun[key]
        whole = [there[part] for part in range(1, piece.parts + 1)]
        ids = tuple(message_id for _, message_id in whole)
        return Sms(phone, sender, join_pieces([piece for piece, _ in whole]), at_ms, piece.parts, ids)
