"""How one carrier wants its submits: what of a PDU is the same for every message, and what a message adds."""

from typing import Final, NamedTuple

from bocau.core import phone as phones
from bocau.core.message import AttemptKey
from bocau.core.outcome import attempt_reference
from bocau.ports import PartOut, Submission
from bocau.wire.smpp.pdu import SubmitSm, Tlvs
from bocau.wire.smpp.tlv import Tag
from bocau.wire.smpp.validity import absolute_time, relative_time

__all__ = ["Profile", "make_submit", "validity_of"]

_LEAST_VALID_SECONDS: Final = 60


class Profile(NamedTuple):
    """The settings of one carrier account that shape its submits. TONs and NPIs as in SMPP 3.4, 5.2.5 and 5.2.6."""

    source_ton: int = 5
    source_npi: int = 0
    destination_ton: int = 1
    destination_npi: int = 1
    service_type: str = ""
    protocol_id: int = 0
    priority: int = 0
    registered_delivery: int = 1
    replace_if_present: int = 0
    validity: str = "none"
    """none, relative or absolute: whether and how the carrier is told when a message is of no use any more."""
    user_message_reference: bool = True
    tlvs: Tlvs = ()
    """Sent with every submit."""


def validity_of(profile: Profile, submission: Submission, now_ms: int) -> str:
    """The validity_period of a submission: what is left of its message's time-to-live, a minute at least.

    Empty (the carrier's own default) if the profile does not tell it, or if the message is not known here.
    """
    if profile.validity == "none" or submission.message is None:
        return ""
    seconds = max(_LEAST_VALID_SECONDS, (submission.message.expires_ms - now_ms + 999) // 1000)
    if profile.validity == "relative":
        return relative_time(seconds)
    return absolute_time(now_ms + seconds * 1000)


def make_submit(profile: Profile, submission: Submission, part: PartOut, key: AttemptKey, validity: str) -> SubmitSm:
    """The submit_sm of one part."""
    (
        source_ton,
        source_npi,
        destination_ton,
        destination_npi,
        service_type,
        protocol_id,
        priority,
        registered_delivery,
        replace_if_present,
        _,
        referenced,
        tlvs,
    ) = profile
    _, data, data_coding, esm_class, own_tlvs = part
    if own_tlvs:
        tlvs = own_tlvs + tlvs
    if referenced:
        tlvs = (*tlvs, (Tag.USER_MESSAGE_REFERENCE, attempt_reference(key).to_bytes(2, "big")))
    sender = submission.sender
    # As SubmitSm(...), at half its cost.
    return tuple.__new__(
        SubmitSm,
        (
            service_type,
            source_ton if sender else 0,
            source_npi,
            sender,
            destination_ton,
            destination_npi,
            phones.to_e164(submission.phone),
            esm_class,
            protocol_id,
            priority,
            "",
            validity,
            registered_delivery,
            replace_if_present,
            data_coding,
            0,
            data,
            tlvs,
        ),
    )
