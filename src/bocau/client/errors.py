"""What a call may raise: one class for each code of the API, all of them EsmsError.

A code without a class of its own, such as one that eSMS adds tomorrow, is an EsmsError with that code.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = [
    "BY_CODE",
    "AccountLocked",
    "AddressNotAllowed",
    "AuthorizeFailed",
    "BlockedKeyword",
    "BlockedNumber",
    "BrandnameUnknown",
    "DuplicateRequest",
    "EsmsError",
    "IdUnknown",
    "InvalidField",
    "InvalidPhone",
    "NoAnswer",
    "NoBalance",
    "NoPrice",
    "NotRegisteredOnNetwork",
    "OnePhoneOnly",
    "RecordingUnknown",
    "RegistrationPending",
    "RequestIdTooLong",
    "ServiceTypeUnsupported",
    "SmsTypeMissing",
    "SmsTypeUnsupported",
    "TemplateMismatch",
    "TooFast",
    "TooManyPhones",
    "error_of",
]


class EsmsError(Exception):
    """The API said no, or nothing.

    `code` is CodeResult, `message` ErrorMessage, exactly as they came. `reason` is why, in English, where a bocau
    answered; eSMS does not tell. `smsid` is the request that it is about, where the answer names one.
    """

    def __init__(self, code: str, message: str = "", reason: str = "", smsid: str = "") -> None:
        told = " ".join(part for part in (code, message) if part)
        super().__init__(f"{told}: {reason}" if reason else told)
        self.code = code
        self.message = message
        self.reason = reason
        self.smsid = smsid


class NoAnswer(EsmsError):
    """No result of the API came, after all tries: nobody answered in time, or not with a result.

    The request may have been accepted all the same. To try once more without harm, repeat it with `request_id`.
    """

    def __init__(self, message: str, request_id: str = "") -> None:
        super().__init__("", message)
        self.request_id = request_id


class BlockedNumber(EsmsError):
    """99: the receiver is on a block list, or was sent to too often."""


class AuthorizeFailed(EsmsError):
    """101: a key is wrong, disabled or expired, or may not do this."""


class NoPrice(EsmsError):
    """102: the account has no price for this type and network."""


class NoBalance(EsmsError):
    """103: the balance does not cover the price, or a cap of the day is reached."""


class BrandnameUnknown(EsmsError):
    """104: the brandname is not registered for the account; of a call, its template."""


class IdUnknown(EsmsError):
    """105: no request of this account has this SMSID, or it is older than 7 days."""


class RecordingUnknown(EsmsError):
    """106: the recording does not exist."""


class InvalidPhone(EsmsError):
    """108: not a Vietnamese mobile number."""


class InvalidField(EsmsError):
    """110: a value is missing or cannot be used; `message` names it."""


class SmsTypeUnsupported(EsmsError):
    """118: the SmsType or the operation is not served."""


class TooManyPhones(EsmsError):
    """120: more numbers in one request than allowed."""


class DuplicateRequest(EsmsError):
    """124: a request with this RequestId was accepted within 24 hours.

    `smsid` is that of the first request, where a bocau answered; `send_status` is its SendStatus, where it is told.
    """

    send_status: int | None = None


class AddressNotAllowed(EsmsError):
    """140: this address is not on the list of the account or of the key."""


class AccountLocked(EsmsError):
    """143: the keys are right and the account is not active."""


class TemplateMismatch(EsmsError):
    """146: the text follows no template registered for the brandname on the receiver's network.

    `reason` says where it leaves the nearest one, where a bocau answered.
    """


class RequestIdTooLong(EsmsError):
    """159: more than 120 characters."""


class TooFast(EsmsError):
    """160: more requests a second than the key may make."""


class OnePhoneOnly(EsmsError):
    """163: a request of type 8 has one receiver."""


class NotRegisteredOnNetwork(EsmsError):
    """177: the brandname has no template on the receiver's network."""


class RegistrationPending(EsmsError):
    """199: the same registration waits for a decision already."""


class BlockedKeyword(EsmsError):
    """201: the text holds a blocked word."""


class SmsTypeMissing(EsmsError):
    """300: the request has no SmsType."""


class ServiceTypeUnsupported(EsmsError):
    """301: the ServiceType is not 2."""


BY_CODE: Final[Mapping[str, type[EsmsError]]] = MappingProxyType(
    {
        "99": BlockedNumber,
        "101": AuthorizeFailed,
        "102": NoPrice,
        "103": NoBalance,
        "104": BrandnameUnknown,
        "105": IdUnknown,
        "106": RecordingUnknown,
        "108": InvalidPhone,
        "110": InvalidField,
        "118": SmsTypeUnsupported,
        "120": TooManyPhones,
        "124": DuplicateRequest,
        "140": AddressNotAllowed,
        "143": AccountLocked,
        "146": TemplateMismatch,
        "159": RequestIdTooLong,
        "160": TooFast,
        "163": OnePhoneOnly,
        "177": NotRegisteredOnNetwork,
        "199": RegistrationPending,
        "201": BlockedKeyword,
        "300": SmsTypeMissing,
        "301": ServiceTypeUnsupported,
    }
)
"""Code -> its class. 100 is no error, and 117 (a wrong code) is the False of `check_code`."""


def error_of(code: str, message: str = "", reason: str = "", smsid: str = "") -> EsmsError:
    """The error of a code."""
    return BY_CODE.get(code, EsmsError)(code, message, reason, smsid)
