"""What can be said in SMPP 3.4: command ids, one value class per kind of body, and the ways to fail.

Text fields are `str` and hold one octet per character (ISO 8859-1), so every octet a peer sends survives. The fields
of a class stand in wire order; lengths and counts that only serve the encoding are left out.
"""

from typing import Final, NamedTuple

__all__ = [
    "COMMAND_NAMES",
    "RESPONSE_BIT",
    "AlertNotification",
    "BadBody",
    "Bind",
    "BindResp",
    "Body",
    "BrokenFrame",
    "CancelSm",
    "Command",
    "DataSm",
    "DeliverSm",
    "DistributionList",
    "Empty",
    "Failure",
    "FieldError",
    "MessageIdResp",
    "Outbind",
    "Pdu",
    "QuerySm",
    "QuerySmResp",
    "ReplaceSm",
    "SmeAddress",
    "SubmitMulti",
    "SubmitMultiResp",
    "SubmitSm",
    "Tlvs",
    "Unknown",
]

RESPONSE_BIT: Final = 0x80000000
"""Set in the command id of every answer (SMPP 3.4, 5.1.2.1)."""

Tlvs = tuple[tuple[int, bytes], ...]
"""Optional parameters as they stand on the wire: (tag, value) in order, unknown tags and repetitions included."""


class Command:
    """The command ids of SMPP 3.4, 5.1.2.1. Plain integers: any 32-bit id may arrive."""

    BIND_RECEIVER: Final = 0x00000001
    BIND_RECEIVER_RESP: Final = 0x80000001
    BIND_TRANSMITTER: Final = 0x00000002
    BIND_TRANSMITTER_RESP: Final = 0x80000002
    QUERY_SM: Final = 0x00000003
    QUERY_SM_RESP: Final = 0x80000003
    SUBMIT_SM: Final = 0x00000004
    SUBMIT_SM_RESP: Final = 0x80000004
    DELIVER_SM: Final = 0x00000005
    DELIVER_SM_RESP: Final = 0x80000005
    UNBIND: Final = 0x00000006
    UNBIND_RESP: Final = 0x80000006
    REPLACE_SM: Final = 0x00000007
    REPLACE_SM_RESP: Final = 0x80000007
    CANCEL_SM: Final = 0x00000008
    CANCEL_SM_RESP: Final = 0x80000008
    BIND_TRANSCEIVER: Final = 0x00000009
    BIND_TRANSCEIVER_RESP: Final = 0x80000009
    OUTBIND: Final = 0x0000000B
    ENQUIRE_LINK: Final = 0x00000015
    ENQUIRE_LINK_RESP: Final = 0x80000015
    SUBMIT_MULTI: Final = 0x00000021
    SUBMIT_MULTI_RESP: Final = 0x80000021
    ALERT_NOTIFICATION: Final = 0x00000102
    DATA_SM: Final = 0x00000103
    DATA_SM_RESP: Final = 0x80000103
    GENERIC_NACK: Final = 0x80000000


COMMAND_NAMES: Final[dict[int, str]] = {
    number: name.lower() for name, number in vars(Command).items() if isinstance(number, int)
}
"""The name that the specification gives a command id, in lower case."""


class BrokenFrame(Exception):  # noqa: N818 - named for what happened
    """The stream cannot be cut into PDUs any more; the link must be closed (SMPP 3.4, 3.2.1)."""


class BadBody(Exception):  # noqa: N818 - named for what happened
    """A PDU came whole but its body makes no sense; a request is answered with `status` and the link lives on."""

    def __init__(self, command: int, sequence: int, status: int, reason: str) -> None:
        """Name the PDU by its command id and sequence number; `status` is the command_status to answer with."""
        super().__init__(command, sequence, status, reason)
        self.command = command
        self.sequence = sequence
        self.status = status
        self.reason = reason


class FieldError(ValueError):
    """A value that we were asked to send does not fit its field. Nothing was encoded."""


class Bind(NamedTuple):
    """bind_transmitter, bind_receiver, bind_transceiver (SMPP 3.4, 4.1)."""

    system_id: str = ""
    password: str = ""
    system_type: str = ""
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""
    tlvs: Tlvs = ()


class BindResp(NamedTuple):
    """The answer to a bind (SMPP 3.4, 4.1.2); may carry sc_interface_version."""

    system_id: str = ""
    tlvs: Tlvs = ()


class Outbind(NamedTuple):
    """outbind (SMPP 3.4, 4.1.7)."""

    system_id: str = ""
    password: str = ""
    tlvs: Tlvs = ()


class Empty(NamedTuple):
    """The body of unbind, enquire_link, their answers, generic_nack, cancel_sm_resp and replace_sm_resp."""

    tlvs: Tlvs = ()


class SubmitSm(NamedTuple):
    """submit_sm (SMPP 3.4, 4.4.1). `short_message` holds at most 254 octets; longer goes into message_payload."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: Tlvs = ()


class DeliverSm(NamedTuple):
    """deliver_sm (SMPP 3.4, 4.6.1): a message from a handset, or a receipt."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: Tlvs = ()


class MessageIdResp(NamedTuple):
    """submit_sm_resp, deliver_sm_resp (where the id is empty) and data_sm_resp (SMPP 3.4, 4.4.2, 4.6.2, 4.7.2)."""

    message_id: str = ""
    tlvs: Tlvs = ()


class SmeAddress(NamedTuple):
    """One destination of submit_multi, dest_flag 1 (SMPP 3.4, 4.5.1.1)."""

    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""


class DistributionList(NamedTuple):
    """One destination of submit_multi, dest_flag 2 (SMPP 3.4, 4.5.1.2)."""

    dl_name: str = ""


class Failure(NamedTuple):
    """One destination that a submit_multi did not reach, and why (SMPP 3.4, 4.5.2.1)."""

    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    error_status_code: int = 0


class SubmitMulti(NamedTuple):
    """submit_multi (SMPP 3.4, 4.5.1), at most 254 destinations."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addresses: tuple[SmeAddress | DistributionList, ...] = ()
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: Tlvs = ()


class SubmitMultiResp(NamedTuple):
    """submit_multi_resp (SMPP 3.4, 4.5.2)."""

    message_id: str = ""
    unsuccess_smes: tuple[Failure, ...] = ()
    tlvs: Tlvs = ()


class DataSm(NamedTuple):
    """data_sm (SMPP 3.4, 4.7.1); the text is in message_payload."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0
    tlvs: Tlvs = ()


class QuerySm(NamedTuple):
    """query_sm (SMPP 3.4, 4.8.1)."""

    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    tlvs: Tlvs = ()


class QuerySmResp(NamedTuple):
    """query_sm_resp (SMPP 3.4, 4.8.2)."""

    message_id: str = ""
    final_date: str = ""
    message_state: int = 0
    error_code: int = 0
    tlvs: Tlvs = ()


class CancelSm(NamedTuple):
    """cancel_sm (SMPP 3.4, 4.9.1)."""

    service_type: str = ""
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    tlvs: Tlvs = ()


class ReplaceSm(NamedTuple):
    """replace_sm (SMPP 3.4, 4.10.1)."""

    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: Tlvs = ()


class AlertNotification(NamedTuple):
    """alert_notification (SMPP 3.4, 4.12.1); has no answer."""

    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    esme_addr_ton: int = 0
    esme_addr_npi: int = 0
    esme_addr: str = ""
    tlvs: Tlvs = ()


class Unknown(NamedTuple):
    """The body of a command id that SMPP 3.4 does not define, octet for octet."""

    data: bytes = b""


Body = (
    Bind
    | BindResp
    | Outbind
    | Empty
    | SubmitSm
    | DeliverSm
    | MessageIdResp
    | SubmitMulti
    | SubmitMultiResp
    | DataSm
    | QuerySm
    | QuerySmResp
    | CancelSm
    | ReplaceSm
    | AlertNotification
    | Unknown
)
"""Any body."""


class Pdu(NamedTuple):
    """One protocol data unit: its header (less the length) and its body. All three numbers are 32 bits, unsigned."""

    command: int
    status: int
    sequence: int
    body: Body
