"""Optional parameters (SMPP 3.4, 5.3.2): their tags, names and types.

On the wire and in every body a parameter is a (tag, octets) pair; this table gives the octets a meaning on demand, so
that an unknown or ill-sized parameter is never in the way of the message that carries it.
"""

from enum import Enum
from typing import Final, NamedTuple

from bocau.wire.smpp.pdu import FieldError, Tlvs

__all__ = ["TLVS", "Kind", "Tag", "TlvRow", "find_tlv", "make_tlv", "named_tlvs", "plain_octets", "tlv_value"]


class Kind(Enum):
    """How the octets of a parameter are read."""

    NUMBER = "number"
    TEXT = "text"
    OCTETS = "octets"


class Tag:
    """The tags that code of ours names."""

    RECEIPTED_MESSAGE_ID: Final = 0x001E
    SOURCE_SUBADDRESS: Final = 0x0202
    DEST_SUBADDRESS: Final = 0x0203
    USER_MESSAGE_REFERENCE: Final = 0x0204
    SAR_MSG_REF_NUM: Final = 0x020C
    SAR_TOTAL_SEGMENTS: Final = 0x020E
    SAR_SEGMENT_SEQNUM: Final = 0x020F
    SC_INTERFACE_VERSION: Final = 0x0210
    CALLBACK_NUM: Final = 0x0381
    NETWORK_ERROR_CODE: Final = 0x0423
    MESSAGE_PAYLOAD: Final = 0x0424
    MESSAGE_STATE: Final = 0x0427


class TlvRow(NamedTuple):
    """One row: the specification's name, the type, and the least and greatest size in octets (a text's NUL counts)."""

    name: str
    kind: Kind
    least: int
    greatest: int


def _number(name: str, size: int = 1) -> TlvRow:
    return TlvRow(name, Kind.NUMBER, size, size)


def _octets(name: str, least: int, greatest: int) -> TlvRow:
    return TlvRow(name, Kind.OCTETS, least, greatest)


TLVS: Final[dict[int, TlvRow]] = {
    0x0005: _number("dest_addr_subunit"),
    0x0006: _number("dest_network_type"),
    0x0007: _number("dest_bearer_type"),
    0x0008: _number("dest_telematics_id", 2),
    0x000D: _number("source_addr_subunit"),
    0x000E: _number("source_network_type"),
    0x000F: _number("source_bearer_type"),
    0x0010: _number("source_telematics_id"),
    0x0017: _number("qos_time_to_live", 4),
    0x0019: _number("payload_type"),
    0x001D: TlvRow("additional_status_info_text", Kind.TEXT, 1, 256),
    0x001E: TlvRow("receipted_message_id", Kind.TEXT, 1, 65),
    0x0030: _number("ms_msg_wait_facilities"),
    0x0201: _number("privacy_indicator"),
    0x0202: _octets("source_subaddress", 2, 23),
    0x0203: _octets("dest_subaddress", 2, 23),
    0x0204: _number("user_message_reference", 2),
    0x0205: _number("user_response_code"),
    0x020A: _number("source_port", 2),
    0x020B: _number("destination_port", 2),
    0x020C: _number("sar_msg_ref_num", 2),
    0x020D: _number("language_indicator"),
    0x020E: _number("sar_total_segments"),
    0x020F: _number("sar_segment_seqnum"),
    0x0210: _number("sc_interface_version"),
    0x0302: _number("callback_num_pres_ind"),
    0x0303: _octets("callback_num_atag", 0, 65),
    0x0304: _number("number_of_messages"),
    0x0381: _octets("callback_num", 4, 19),
    0x0420: _number("dpf_result"),
    0x0421: _number("set_dpf"),
    0x0422: _number("ms_availability_status"),
    0x0423: _octets("network_error_code", 3, 3),
    0x0424: _octets("message_payload", 0, 65535),
    0x0425: _number("delivery_failure_reason"),
    0x0426: _number("more_messages_to_send"),
    0x0427: _number("message_state"),
    0x0501: _number("ussd_service_op"),
    0x1201: _number("display_time"),
    0x1203: _number("sms_signal", 2),
    0x1204: _number("ms_validity"),
    0x130C: _octets("alert_on_message_delivery", 0, 0),
    0x1380: _number("its_reply_type"),
    0x1383: _octets("its_session_info", 2, 2),
}
"""Every optional parameter of SMPP 3.4, by tag."""


def find_tlv(tlvs: Tlvs, tag: int) -> bytes | None:
    """The octets of the first parameter with this tag, or None."""
    for one, value in tlvs:
        if one == tag:
            return value
    return None


def make_tlv(tag: int, value: int | str | bytes) -> tuple[int, bytes]:
    """A parameter as it stands in a body's `tlvs`: numbers big-endian in the size of the table, text with its NUL.

    Bytes pass as they are for any tag. Raises FieldError when the value does not suit the tag or its size.
    """
    row = TLVS.get(tag)
    data = value if isinstance(value, bytes) else _encode_value(tag, row, value)
    least, greatest = (0, 65535) if row is None else row[2:]
    if not least <= len(data) <= greatest:
        raise FieldError(f"optional parameter 0x{tag:04X} takes {least} to {greatest} octets, not {len(data)}")
    return tag, data


def _encode_value(tag: int, row: TlvRow | None, value: int | str) -> bytes:
    wanted = Kind.NUMBER if isinstance(value, int) else Kind.TEXT
    if row is None or row.kind is not wanted:
        raise FieldError(f"optional parameter 0x{tag:04X} does not take a {wanted.value}")
    try:
        if isinstance(value, int):
            return value.to_bytes(row.greatest, "big")
        if "\0" in value:
            raise FieldError(f"optional parameter 0x{tag:04X} may not hold a NUL")
        return value.encode("latin-1") + b"\0"
    except (OverflowError, UnicodeEncodeError) as error:
        raise FieldError(f"optional parameter 0x{tag:04X}: {error}") from None


def tlv_value(tag: int, data: bytes) -> int | str | bytes:
    """What the octets of a parameter mean by the table.

    Sizes that the specification does not allow are read all the same: a number of up to 8 octets big-endian, a text up
    to its first NUL, with or without one. What cannot be read so, and every unknown tag, stays octets.
    """
    row = TLVS.get(tag)
    if row is None or row.kind is Kind.OCTETS:
        return data
    if row.kind is Kind.TEXT:
        return data.partition(b"\0")[0].decode("latin-1")
    return int.from_bytes(data, "big") if 1 <= len(data) <= 8 else data


def named_tlvs(tlvs: Tlvs) -> dict[str, object]:
    """Parameters for people: by the name of the table, else the tag in hexadecimal; of a repeated one, the last."""
    return {TLVS[tag].name if tag in TLVS else f"0x{tag:04x}": _told(tag, data) for tag, data in tlvs}


def _told(tag: int, data: bytes) -> object:
    value = tlv_value(tag, data)
    return plain_octets(value) if isinstance(value, bytes) else value


def plain_octets(data: bytes) -> str:
    """Octets as text where they are text (a last NUL does not count), else in hexadecimal."""
    text = data.removesuffix(b"\0")
    return text.decode("ascii") if text.isascii() and text.decode("ascii").isprintable() else data.hex()
