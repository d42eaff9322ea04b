"""The eSMS API from the other side: what a client sends, and what answers mean to it (esms-api 2, 3, 5.1).

Pure. For a carrier that is itself such a service, the real one included.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode

import msgspec

from bocau.wire.esms import codes

__all__ = ["Outcome", "SendCall", "SendResult", "Verdict", "read_callback", "read_send", "read_status", "send_body"]
__all__ += ["status_query"]


class Verdict(Enum):
    """What an answer to a send means."""

    TAKEN = "taken"
    TEMPORARY = "temporary"
    """Not taken, and not for the message's sake: keys, money, addresses."""
    THROTTLE = "throttle"
    """Not taken: too fast."""
    PERMANENT = "permanent"


class Outcome(Enum):
    """How a message ended, by its callback or status."""

    OPEN = "open"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


class SendCall(NamedTuple):
    """One message to be sent."""

    sms_type: int
    brandname: str
    phone: str
    """Ten digits."""
    content: str
    request_id: str
    """Equal ones are taken once within 24 h: what makes a repetition safe."""
    callback_url: str
    """Empty: none."""


class SendResult(NamedTuple):
    """What the service answered to a send."""

    verdict: Verdict
    code: str
    smsid: str
    """Empty where the answer has none: a repeated RequestId, a refusal."""


_MOST_PAIRS: Final = 64

_VERDICTS: Final[Mapping[str, Verdict]] = {
    codes.ACCEPTED: Verdict.TAKEN,
    codes.DUPLICATE: Verdict.TAKEN,
    codes.AUTHORIZE_FAILED: Verdict.TEMPORARY,
    codes.NO_BALANCE: Verdict.TEMPORARY,
    codes.IP_NOT_ALLOWED: Verdict.TEMPORARY,
    codes.ACCOUNT_LOCKED: Verdict.TEMPORARY,
    codes.TOO_FAST: Verdict.THROTTLE,
}
"""Every other code speaks of the message itself and will not change: permanent."""


def send_body(api_key: str, secret_key: str, call: SendCall) -> bytes:
    """The JSON of SendMultipleMessage_V4_post_json (esms-api 2.1)."""
    members = {
        "ApiKey": api_key,
        "SecretKey": secret_key,
        "Content": call.content,
        "Phone": call.phone,
        "Brandname": call.brandname,
        "SmsType": str(call.sms_type),
        "IsUnicode": "0" if call.content.isascii() else "1",
        "RequestId": call.request_id,
        "CallbackUrl": call.callback_url,
    }
    return msgspec.json.encode({name: value for name, value in members.items() if value})


def read_send(body: bytes) -> SendResult | None:
    """What a 200 answer to a send says; None if it is no such answer."""
    members = _members(body)
    code = str(members.get("CodeResult", ""))
    if not code:
        return None
    return SendResult(_VERDICTS.get(code, Verdict.PERMANENT), code, str(members.get("SMSID", "")))


def status_query(api_key: str, secret_key: str, smsid: str) -> str:
    """The query of GetSendStatus (esms-api 3.5)."""
    return urlencode({"RefId": smsid, "ApiKey": api_key, "SecretKey": secret_key})


def read_status(body: bytes) -> Outcome | None:
    """What GetSendStatus tells of a message with one receiver; None if it tells nothing."""
    members = _members(body)
    if str(members.get("CodeResponse", "")) != codes.ACCEPTED:
        return None
    return _outcome({name.lower(): str(value) for name, value in members.items()})


def read_callback(query: bytes) -> tuple[str, Outcome] | None:
    """The SMSID and the outcome that a callback tells (esms-api 3.2); None if it is no callback."""
    try:
        pairs = parse_qsl(query.decode("ascii", "replace"), max_num_fields=_MOST_PAIRS)
    except ValueError:
        return None
    values = {name.lower(): value for name, value in pairs}
    outcome = _outcome(values)
    return None if outcome is None else (values.get("smsid", ""), outcome)


def _outcome(values: Mapping[str, str]) -> Outcome | None:
    status = values.get("sendstatus", "")
    if status == "4":
        return Outcome.UNDELIVERED
    if status == "5":
        return Outcome.DELIVERED if values.get("sendsuccess", "0") not in ("", "0") else Outcome.UNDELIVERED
    return Outcome.OPEN if status in ("1", "2", "3", "7") else None


def _members(body: bytes) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
