"""The field table: one row per PDU of SMPP 3.4, from which every body is both encoded and decoded.

A body is its mandatory fields in order, then optional parameters to the end. A request is read strictly, since a wrong
one can be answered with a status that tells its sender why. An answer is read leniently, since nobody can be told and
the header already says what became of the request: missing fields take their defaults, a last text may lack its NUL,
a broken tail of optional parameters is dropped.
"""

from collections.abc import Callable, Iterable
from struct import Struct
from typing import Any, Final, NamedTuple

from bocau.wire.smpp.pdu import (
    COMMAND_NAMES,
    RESPONSE_BIT,
    AlertNotification,
    BadBody,
    Bind,
    BindResp,
    Body,
    CancelSm,
    Command,
    DataSm,
    DeliverSm,
    DistributionList,
    Empty,
    Failure,
    FieldError,
    MessageIdResp,
    Outbind,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    Tlvs,
    Unknown,
)
from bocau.wire.smpp.status import Status

__all__ = ["LAYOUTS", "Field", "Layout", "decode_body", "encode_body"]

_TLV_HEAD: Final = Struct(">HH")
# An id that an answer carries is worth keeping even when it is longer than the specification's 64 octets.
_ANSWER_TEXT_SIZE: Final = 256


class _MalformedError(Exception):
    """A field that cannot be read."""


class Field(NamedTuple):
    """One mandatory field: how its value is written and read, and what to answer when a peer sent it wrong.

    `encode(value, limit)` raises FieldError; `decode(body, position, limit)` gives the value and the position after
    it. `limit` is the greatest size in octets: with its NUL for a text, as in the tables of SMPP 3.4.
    """

    name: str
    encode: Callable[[Any, int], bytes]
    decode: Callable[[bytes, int, int], tuple[Any, int]]
    limit: int
    status: int


class Layout(NamedTuple):
    """One PDU: the class of its body and the fields before the optional parameters.

    `bare_when_refused`: with an error status and nothing to say the body is left out whole (SMPP 3.4, 4.4.2).
    """

    name: str
    make: Callable[[Iterable[Any]], Body]
    fields: tuple[Field, ...]
    defaults: tuple[Any, ...]
    lenient: bool
    bare_when_refused: bool


def _encode_number(value: int, limit: int) -> bytes:
    try:
        return value.to_bytes(limit, "big")
    except OverflowError:
        raise FieldError(f"{value} does not fit {limit} octets") from None


def _decode_number(body: bytes, position: int, limit: int) -> tuple[int, int]:
    end = position + limit
    if end > len(body):
        raise _MalformedError("ends early")
    return int.from_bytes(body[position:end], "big"), end


def _encode_text(value: str, limit: int) -> bytes:
    try:
        data = value.encode("latin-1")
    except UnicodeEncodeError:
        raise FieldError("holds a character beyond one octet") from None
    if len(data) >= limit or 0 in data:
        raise FieldError(f"longer than {limit - 1} octets or with a NUL inside")
    return data + b"\0"


def _decode_text(body: bytes, position: int, limit: int) -> tuple[str, int]:
    end = body.find(0, position, position + limit)
    if end < 0:
        raise _MalformedError(f"no NUL within {limit} octets")
    return body[position:end].decode("latin-1"), end + 1


def _decode_answer_text(body: bytes, position: int, limit: int) -> tuple[str, int]:
    end = body.find(0, position)
    if end < 0:
        end = len(body)
    if end - position >= max(limit, _ANSWER_TEXT_SIZE):
        raise _MalformedError("too long")
    return body[position:end].decode("latin-1"), end + 1


def _encode_short_message(value: bytes, limit: int) -> bytes:
    if len(value) > limit:
        raise FieldError(f"longer than {limit} octets")
    return bytes((len(value),)) + value


def _decode_short_message(body: bytes, position: int, _limit: int) -> tuple[bytes, int]:
    if position >= len(body):
        raise _MalformedError("ends early")
    end = position + 1 + body[position]
    if end > len(body):
        raise _MalformedError("shorter than its length says")
    return body[position + 1 : end], end


def _encode_destinations(value: tuple[SmeAddress | DistributionList, ...], limit: int) -> bytes:
    if len(value) > limit:
        raise FieldError(f"more than {limit} destinations")
    chunks = [bytes((len(value),))]
    for one in value:
        if isinstance(one, SmeAddress):
            chunks += b"\1", _write(_SME_ADDRESS, one)
        else:
            chunks += b"\2", _write(_LIST_NAME, one)
    return b"".join(chunks)


def _decode_destinations(
    body: bytes, position: int, _limit: int
) -> tuple[tuple[SmeAddress | DistributionList, ...], int]:
    count, position = _decode_number(body, position, 1)
    found: list[SmeAddress | DistributionList] = []
    for _ in range(count):
        flag, position = _decode_number(body, position, 1)
        if flag == 1:
            values, position = _read(_SME_ADDRESS, body, position)
            found.append(SmeAddress._make(values))
        elif flag == 2:
            values, position = _read(_LIST_NAME, body, position)
            found.append(DistributionList._make(values))
        else:
            raise _MalformedError(f"dest_flag {flag}")
    return tuple(found), position


def _encode_failures(value: tuple[Failure, ...], limit: int) -> bytes:
    if len(value) > limit:
        raise FieldError(f"more than {limit} destinations")
    return bytes((len(value),)) + b"".join(_write(_FAILURE, one) for one in value)


def _decode_failures(body: bytes, position: int, _limit: int) -> tuple[tuple[Failure, ...], int]:
    count, position = _decode_number(body, position, 1)
    found = []
    for _ in range(count):
        values, position = _read(_FAILURE, body, position)
        found.append(Failure._make(values))
    return tuple(found), position


def _write(fields: tuple[Field, ...], values: Iterable[Any]) -> bytes:
    return b"".join([field.encode(value, field.limit) for field, value in zip(fields, values, strict=True)])


def _read(fields: tuple[Field, ...], body: bytes, position: int) -> tuple[list[Any], int]:
    values = []
    for field in fields:
        value, position = field.decode(body, position, field.limit)
        values.append(value)
    return values, position


def _number(name: str, size: int = 1) -> Field:
    return Field(name, _encode_number, _decode_number, size, Status.INVALID_COMMAND_LENGTH)


def _text(name: str, limit: int, status: int = Status.INVALID_COMMAND_LENGTH) -> Field:
    return Field(name, _encode_text, _decode_text, limit, status)


def _answer_text(name: str, limit: int) -> Field:
    return Field(name, _encode_text, _decode_answer_text, limit, Status.UNKNOWN_ERROR)


def _source(limit: int) -> tuple[Field, ...]:
    return (
        _number("source_addr_ton"),
        _number("source_addr_npi"),
        _text("source_addr", limit, Status.INVALID_SOURCE),
    )


def _destination(limit: int) -> tuple[Field, ...]:
    return (
        _number("dest_addr_ton"),
        _number("dest_addr_npi"),
        _text("destination_addr", limit, Status.INVALID_DESTINATION),
    )


_SERVICE_TYPE: Final = _text("service_type", 6, Status.INVALID_SERVICE_TYPE)
_MESSAGE_ID: Final = _text("message_id", 65, Status.INVALID_MESSAGE_ID)
_TIMES: Final = (
    _text("schedule_delivery_time", 17, Status.INVALID_SCHEDULE),
    _text("validity_period", 17, Status.INVALID_EXPIRY),
)
_SHORT_MESSAGE: Final = Field(
    "short_message", _encode_short_message, _decode_short_message, 254, Status.INVALID_MESSAGE_LENGTH
)
_MESSAGE: Final = (
    _number("esm_class"),
    _number("protocol_id"),
    _number("priority_flag"),
    *_TIMES,
    _number("registered_delivery"),
    _number("replace_if_present_flag"),
    _number("data_coding"),
    _number("sm_default_msg_id"),
    _SHORT_MESSAGE,
)
_CREDENTIALS: Final = (
    _text("system_id", 16, Status.INVALID_SYSTEM_ID),
    _text("password", 9, Status.INVALID_PASSWORD),
)
_BIND: Final = (
    *_CREDENTIALS,
    _text("system_type", 13, Status.INVALID_SYSTEM_TYPE),
    _number("interface_version"),
    _number("addr_ton"),
    _number("addr_npi"),
    _text("address_range", 41, Status.BIND_FAILED),
)
_SME_ADDRESS: Final = _destination(21)
_LIST_NAME: Final = (_text("dl_name", 21),)
_FAILURE: Final = (*_SME_ADDRESS, _number("error_status_code", 4))
_DESTINATIONS: Final = Field(
    "dest_addresses", _encode_destinations, _decode_destinations, 254, Status.INVALID_DESTINATION_COUNT
)
_FAILURES: Final = Field("unsuccess_smes", _encode_failures, _decode_failures, 254, Status.UNKNOWN_ERROR)

_Row = tuple[int, Any, tuple[Field, ...]]
_ROWS: Final[tuple[_Row, ...]] = (
    (Command.BIND_TRANSMITTER, Bind, _BIND),
    (Command.BIND_RECEIVER, Bind, _BIND),
    (Command.BIND_TRANSCEIVER, Bind, _BIND),
    (Command.BIND_TRANSMITTER_RESP, BindResp, (_answer_text("system_id", 16),)),
    (Command.BIND_RECEIVER_RESP, BindResp, (_answer_text("system_id", 16),)),
    (Command.BIND_TRANSCEIVER_RESP, BindResp, (_answer_text("system_id", 16),)),
    (Command.OUTBIND, Outbind, _CREDENTIALS),
    (Command.UNBIND, Empty, ()),
    (Command.UNBIND_RESP, Empty, ()),
    (Command.ENQUIRE_LINK, Empty, ()),
    (Command.ENQUIRE_LINK_RESP, Empty, ()),
    (Command.GENERIC_NACK, Empty, ()),
    (Command.SUBMIT_SM, SubmitSm, (_SERVICE_TYPE, *_source(21), *_SME_ADDRESS, *_MESSAGE)),
    (Command.SUBMIT_SM_RESP, MessageIdResp, (_answer_text("message_id", 65),)),
    (Command.DELIVER_SM, DeliverSm, (_SERVICE_TYPE, *_source(21), *_SME_ADDRESS, *_MESSAGE)),
    (Command.DELIVER_SM_RESP, MessageIdResp, (_answer_text("message_id", 65),)),
    (Command.SUBMIT_MULTI, SubmitMulti, (_SERVICE_TYPE, *_source(21), _DESTINATIONS, *_MESSAGE)),
    (Command.SUBMIT_MULTI_RESP, SubmitMultiResp, (_answer_text("message_id", 65), _FAILURES)),
    (
        Command.DATA_SM,
        DataSm,
        (
            _SERVICE_TYPE,
            *_source(65),
            *_destination(65),
            _number("esm_class"),
            _number("registered_delivery"),
            _number("data_coding"),
        ),
    ),
    (Command.DATA_SM_RESP, MessageIdResp, (_answer_text("message_id", 65),)),
    (Command.QUERY_SM, QuerySm, (_MESSAGE_ID, *_source(21))),
    (
        Command.QUERY_SM_RESP,
        QuerySmResp,
        (
            _answer_text("message_id", 65),
            _answer_text("final_date", 17),
            _number("message_state"),
            _number("error_code"),
        ),
    ),
    (Command.CANCEL_SM, CancelSm, (_SERVICE_TYPE, _MESSAGE_ID, *_source(21), *_SME_ADDRESS)),
    (Command.CANCEL_SM_RESP, Empty, ()),
    (
        Command.REPLACE_SM,
        ReplaceSm,
        (
            _MESSAGE_ID,
            *_source(21),
            *_TIMES,
            _number("registered_delivery"),
            _number("sm_default_msg_id"),
            _SHORT_MESSAGE,
        ),
    ),
    (Command.REPLACE_SM_RESP, Empty, ()),
    (
        Command.ALERT_NOTIFICATION,
        AlertNotification,
        (
            *_source(65),
            _number("esme_addr_ton"),
            _number("esme_addr_npi"),
            _text("esme_addr", 65),
        ),
    ),
)


def _layout(command: int, body: Callable[[], Any], fields: tuple[Field, ...]) -> Layout:
    empty = body()
    answer = bool(command & RESPONSE_BIT)
    # The id of a deliver_sm_resp is "set to NULL", never left out (SMPP 3.4, 4.6.2).
    bare = answer and command != Command.DELIVER_SM_RESP
    return Layout(COMMAND_NAMES[command], empty._make, fields, tuple(empty), answer, bare)


LAYOUTS: Final[dict[int, Layout]] = {row[0]: _layout(*row) for row in _ROWS}
"""Every PDU of SMPP 3.4 by command id."""


def encode_body(command: int, status: int, body: Body) -> bytes:
    """The octets of a body. Raises FieldError when a value does not fit its field or the body is of another PDU."""
    layout = LAYOUTS.get(command)
    if layout is None or isinstance(body, Unknown):
        if layout is None and isinstance(body, Unknown):
            return body.data
        raise FieldError(f"command id 0x{command:08X} does not take a body of class {type(body).__name__}")
    if status and layout.bare_when_refused and body == layout.defaults:
        return b""
    *values, tlvs = body
    if len(values) != len(layout.fields):
        raise FieldError(f"{layout.name} does not take a body of class {type(body).__name__}")
    chunks: list[bytes] = []
    for field, value in zip(layout.fields, values, strict=True):
        try:
            chunks.append(field.encode(value, field.limit))
        except FieldError as error:
            raise FieldError(f"{layout.name}.{field.name}: {error}") from None
    chunks.append(_encode_tlvs(tlvs))
    return b"".join(chunks)


def _encode_tlvs(tlvs: Tlvs) -> bytes:
    chunks: list[bytes] = []
    for tag, value in tlvs:
        if not 0 <= tag <= 0xFFFF or len(value) > 0xFFFF:
            raise FieldError(f"optional parameter 0x{tag:04X} with {len(value)} octets")
        chunks += _TLV_HEAD.pack(tag, len(value)), value
    return b"".join(chunks)


def decode_body(command: int, sequence: int, body: bytes) -> Body:
    """The value of a body; of a command id that SMPP 3.4 does not know, Unknown. Raises BadBody only."""
    layout = LAYOUTS.get(command)
    if layout is None:
        return Unknown(body)
    values: list[Any] = []
    position = 0
    for field in layout.fields:
        if layout.lenient and position >= len(body):
            return layout.make((*values, *layout.defaults[len(values) :]))
        try:
            value, position = field.decode(body, position, field.limit)
        except _MalformedError as error:
            raise BadBody(command, sequence, field.status, f"{layout.name}.{field.name} {error}") from None
        values.append(value)
    try:
        values.append(_decode_tlvs(body, position, layout.lenient))
    except _MalformedError as error:
        raise BadBody(command, sequence, Status.INVALID_TLV_STREAM, f"{layout.name}: {error}") from None
    return layout.make(values)


def _decode_tlvs(body: bytes, position: int, lenient: bool) -> Tlvs:
    found: list[tuple[int, bytes]] = []
    size = len(body)
    while position < size:
        start = position + 4
        if start <= size:
            tag, length = _TLV_HEAD.unpack_from(body, position)
            position = start + length
        if start > size or position > size:
            if lenient:
                break
            raise _MalformedError("optional parameters end early")
        found.append((tag, body[start:position]))
    return tuple(found)
