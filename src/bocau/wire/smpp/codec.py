"""Bytes to PDUs and back: framing with a bounded length, the whole-PDU encode and decode, and the four hot PDUs.

The hot functions handle the regular case in one go and hand anything irregular to the field table, so there is one
place that says what is wrong with a value.
"""

from collections.abc import Iterator
from struct import Struct
from struct import error as struct_error
from typing import Final, NamedTuple, TypeVar

from bocau.wire.smpp.fields import decode_body, encode_body
from bocau.wire.smpp.pdu import (
    BrokenFrame,
    Command,
    DeliverSm,
    FieldError,
    MessageIdResp,
    Pdu,
    SubmitSm,
)

__all__ = [
    "HEADER_SIZE",
    "MAX_PDU_SIZE",
    "Frame",
    "Framer",
    "decode",
    "decode_answer_id",
    "decode_deliver_sm",
    "decode_submit_sm",
    "encode",
    "encode_bare",
    "encode_deliver_sm",
    "encode_deliver_sm_resp",
    "encode_submit_sm",
    "octets_of",
]

HEADER_SIZE: Final = 16
"""Octets of every PDU's header."""
MAX_PDU_SIZE: Final = 65536
"""The longest PDU that is sent or accepted, header included; the specification sets no bound."""

_HEADER: Final = Struct(">IIII")
_HEADER_AND_NUL: Final = Struct(">IIIIx")
_TLV_HEAD: Final = Struct(">HH")
_Short = TypeVar("_Short", SubmitSm, DeliverSm)


class Frame(NamedTuple):
    """One PDU cut out of the stream, its body not yet read."""

    command: int
    status: int
    sequence: int
    body: bytes


class Framer:
    """Cuts a stream of bytes into PDUs. Holds at most one PDU's beginning between two calls."""

    __slots__ = ("_held", "_wanted")

    def __init__(self) -> None:
        """Start at a PDU's first byte."""
        self._held = bytearray()
        self._wanted = HEADER_SIZE

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Every PDU that these bytes complete, in order; the iterator must be run to its end.

        Raises BrokenFrame at the place where a command_length is below 16 or above MAX_PDU_SIZE.
        """
        held = self._held
        if held:
            held += data
            if len(held) < self._wanted:
                return
            data = bytes(held)
            held.clear()
        start, size = 0, len(data)
        unpack, new = _HEADER.unpack_from, tuple.__new__
        while size - start >= HEADER_SIZE:
            length, command, status, sequence = unpack(data, start)
            if not HEADER_SIZE <= length <= MAX_PDU_SIZE:
                raise BrokenFrame(f"command_length {length}")
            end = start + length
            if end > size:
                break
            # As Frame(...), at half its cost.
            yield new(Frame, (command, status, sequence, data[start + HEADER_SIZE : end]))
            start = end
        if start < size:
            self._keep(data[start:])

    def _keep(self, rest: bytes) -> None:
        self._held += rest
        # Asking for the whole PDU at once keeps bytes that come one at a time from being joined again and again.
        self._wanted = HEADER_SIZE if len(rest) < HEADER_SIZE else _HEADER.unpack_from(rest)[0]


def encode(pdu: Pdu) -> bytes:
    """The octets of any PDU, by the field table. Raises FieldError."""
    command, status, sequence, body = pdu
    return _frame(command, status, sequence, encode_body(command, status, body))


def decode(frame: Frame) -> Pdu:
    """The value of any PDU, by the field table. Raises BadBody."""
    command, status, sequence, body = frame
    return Pdu(command, status, sequence, decode_body(command, sequence, body))


def encode_bare(command: int, status: int, sequence: int) -> bytes:
    """A PDU that is only a header: unbind, enquire_link, generic_nack, a refused answer."""
    return _HEADER.pack(HEADER_SIZE, command, status, sequence)


def _frame(command: int, status: int, sequence: int, body: bytes) -> bytes:
    if len(body) > MAX_PDU_SIZE - HEADER_SIZE:
        raise FieldError(f"a PDU of {HEADER_SIZE + len(body)} octets")
    try:
        return _HEADER.pack(HEADER_SIZE + len(body), command, status, sequence) + body
    except struct_error as error:
        raise FieldError(f"header: {error}") from None


def octets_of(frame: Frame) -> bytes:
    """The octets that a frame was cut from, whatever its body holds."""
    command, status, sequence, body = frame
    return _HEADER.pack(HEADER_SIZE + len(body), command, status, sequence) + body


def encode_submit_sm(sequence: int, body: SubmitSm) -> bytes:
    """A submit_sm with command_status 0, octet for octet as `encode` makes it. Raises FieldError."""
    return _encode_short(Command.SUBMIT_SM, sequence, body)


def encode_deliver_sm(sequence: int, body: DeliverSm) -> bytes:
    """A deliver_sm with command_status 0, octet for octet as `encode` makes it. Raises FieldError."""
    return _encode_short(Command.DELIVER_SM, sequence, body)


def _encode_short(command: int, sequence: int, body: SubmitSm | DeliverSm) -> bytes:
    (
        service_type,
        source_ton,
        source_npi,
        source,
        dest_ton,
        dest_npi,
        dest,
        esm_class,
        protocol_id,
        priority,
        schedule,
        validity,
        registered,
        replace,
        coding,
        default_id,
        message,
        tlvs,
    ) = body
    if (
        len(service_type) < 6
        and len(source) < 21
        and len(dest) < 21
        and len(schedule) < 17
        and len(validity) < 17
        and len(message) < 255
        and "\0" not in f"{service_type}{source}{dest}{schedule}{validity}"
    ):
        try:
            # "%c" writes one octet per number, and a number beyond an octet fails in `encode`; as an f-string this
            # takes three times as long.
            head = (
                "%s\0%c%c%s\0%c%c%s\0%c%c%c%s\0%s\0%c%c%c%c%c"  # noqa: UP031
                % (
                    service_type,
                    source_ton,
                    source_npi,
                    source,
                    dest_ton,
                    dest_npi,
                    dest,
                    esm_class,
                    protocol_id,
                    priority,
                    schedule,
                    validity,
                    registered,
                    replace,
                    coding,
                    default_id,
                    len(message),
                )
            ).encode("latin-1")
            if not tlvs:
                size = HEADER_SIZE + len(head) + len(message)
                return _HEADER.pack(size, command, 0, sequence) + head + message
            tail = b"".join([_TLV_HEAD.pack(tag, len(value)) + value for tag, value in tlvs])
            size = HEADER_SIZE + len(head) + len(message) + len(tail)
            if size <= MAX_PDU_SIZE:
                return _HEADER.pack(size, command, 0, sequence) + head + message + tail
        except (UnicodeEncodeError, OverflowError, struct_error):
            pass
    return encode(Pdu(command, 0, sequence, body))


def encode_deliver_sm_resp(status: int, sequence: int) -> bytes:
    """The answer to a deliver_sm, its message_id empty as the specification wants it."""
    return _HEADER_AND_NUL.pack(HEADER_SIZE + 1, Command.DELIVER_SM_RESP, status, sequence)


def decode_answer_id(frame: Frame) -> str:
    """The message_id of a submit_sm_resp, deliver_sm_resp or data_sm_resp. Raises BadBody when it is far too long."""
    body = frame.body
    # The regular case: the id and its NUL are all there is.
    if 0 < len(body) <= 65 and body.find(0) == len(body) - 1:
        return body[:-1].decode("latin-1")
    answer = decode_body(frame.command, frame.sequence, body)
    return answer.message_id if isinstance(answer, MessageIdResp) else ""


def decode_deliver_sm(frame: Frame) -> DeliverSm:
    """The body of a deliver_sm, as `decode` gives it. Raises BadBody."""
    return _decode_short(frame, DeliverSm)


def decode_submit_sm(frame: Frame) -> SubmitSm:
    """The body of a submit_sm, as `decode` gives it. Raises BadBody."""
    return _decode_short(frame, SubmitSm)


def _decode_short(frame: Frame, kind: type[_Short]) -> _Short:
    body = frame.body
    try:
        # One decode for all texts: every octet is one character, so positions agree.
        text = body.decode("latin-1")
        find = text.index
        a = find("\0", 0, 6)
        b = find("\0", a + 3, a + 24)
        c = find("\0", b + 3, b + 24)
        d = find("\0", c + 4, c + 21)
        e = find("\0", d + 1, d + 18)
        start = e + 6
        end = start + body[e + 5]
        size = len(body)
        if end <= size:
            tlvs: list[tuple[int, bytes]] = []
            position = end
            while position < size:
                tag, length = _TLV_HEAD.unpack_from(body, position)
                after = position + 4
                position = after + length
                tlvs.append((tag, body[after:position]))
            if position == size:
                return tuple.__new__(
                    kind,
                    (
                        text[:a],
                        body[a + 1],
                        body[a + 2],
                        text[a + 3 : b],
                        body[b + 1],
                        body[b + 2],
                        text[b + 3 : c],
                        body[c + 1],
                        body[c + 2],
                        body[c + 3],
                        text[c + 4 : d],
                        text[d + 1 : e],
                        body[e + 1],
                        body[e + 2],
                        body[e + 3],
                        body[e + 4],
                        body[start:end],
                        tuple(tlvs),
                    ),
                )
    except (ValueError, IndexError, struct_error):
        pass
    # Irregular: the table says what is wrong.
    value = decode_body(frame.command, frame.sequence, body)
    if not isinstance(value, kind):
        raise TypeError(f"not a {kind.__name__}: command id 0x{frame.command:08X}")
    return value
