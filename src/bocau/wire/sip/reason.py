"""Why a call ended, as Reason headers tell it: the Q.850 cause (RFC 3326, ITU-T Q.850)."""

from typing import Final

from bocau.wire.sip.message import BadMessage, Message, every, split_params

__all__ = ["CAUSES", "q850_cause"]

CAUSES: Final = {
    1: "unallocated number",
    3: "no route to destination",
    16: "normal clearing",
    17: "user busy",
    18: "no user responding",
    19: "no answer",
    20: "subscriber absent",
    21: "call rejected",
    22: "number changed",
    27: "destination out of order",
    28: "invalid number",
    31: "normal, unspecified",
    34: "no circuit available",
    38: "network out of order",
    41: "temporary failure",
    42: "congestion",
    47: "resource unavailable",
    55: "incoming calls barred",
    88: "incompatible destination",
    102: "timer expired",
    127: "interworking",
}
"""What the causes that a trunk tells are called."""


def q850_cause(message: Message) -> int:
    """The Q.850 cause of a message, 0 if it names none that can be read."""
    try:
        for value in every(message, "Reason"):
            protocol, params = split_params(value)
            cause = params.get("cause", "")
            if protocol.upper() == "Q.850" and cause.isascii() and cause.isdigit() and len(cause) <= 3:
                return int(cause) & 0x7F
    except BadMessage:
        return 0
    return 0
