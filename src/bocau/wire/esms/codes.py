"""Every code of the eSMS API as data: name, exact text, where it applies, cause and fix (esms-api 5.1).

The texts are wire data: clients print and compare them, so odd wording stays. Templates with a placeholder are filled
by the functions at the end.
"""

from typing import Final, NamedTuple

__all__ = [
    "ACCEPTED",
    "ACCOUNT_LOCKED",
    "AUTHORIZE_FAILED",
    "BLOCKED_KEYWORD",
    "BLOCKED_NUMBER",
    "BRANDNAME_UNKNOWN",
    "CODES",
    "CODE_INVALID",
    "DUPLICATE",
    "ID_UNKNOWN",
    "INVALID_FIELD",
    "INVALID_PHONE",
    "IP_NOT_ALLOWED",
    "NOT_REGISTERED_ON_NETWORK",
    "NO_BALANCE",
    "NO_PRICE",
    "ONE_PHONE_ONLY",
    "RECORDING_UNKNOWN",
    "REGISTRATION_PENDING",
    "REQUEST_ID_TOO_LONG",
    "SERVICE_TYPE_UNSUPPORTED",
    "SMS_TYPE_MISSING",
    "SMS_TYPE_UNSUPPORTED",
    "TEMPLATE_MISMATCH",
    "TOO_FAST",
    "TOO_MANY_PHONES",
    "Code",
    "call_template_unknown",
    "code_invalid",
    "field_invalid",
    "network_not_registered",
    "phone_invalid",
    "text",
]

ACCEPTED: Final = "100"
BLOCKED_NUMBER: Final = "99"
AUTHORIZE_FAILED: Final = "101"
NO_PRICE: Final = "102"
NO_BALANCE: Final = "103"
BRANDNAME_UNKNOWN: Final = "104"
ID_UNKNOWN: Final = "105"
RECORDING_UNKNOWN: Final = "106"
INVALID_PHONE: Final = "108"
INVALID_FIELD: Final = "110"
CODE_INVALID: Final = "117"
SMS_TYPE_UNSUPPORTED: Final = "118"
TOO_MANY_PHONES: Final = "120"
DUPLICATE: Final = "124"
IP_NOT_ALLOWED: Final = "140"
ACCOUNT_LOCKED: Final = "143"
TEMPLATE_MISMATCH: Final = "146"
REQUEST_ID_TOO_LONG: Final = "159"
TOO_FAST: Final = "160"
ONE_PHONE_ONLY: Final = "163"
NOT_REGISTERED_ON_NETWORK: Final = "177"
BLOCKED_KEYWORD: Final = "201"
SMS_TYPE_MISSING: Final = "300"
REGISTRATION_PENDING: Final = "199"
SERVICE_TYPE_UNSUPPORTED: Final = "301"


class Code(NamedTuple):
    """One row of the table."""

    code: str
    name: str
    """Short English name, for docs and console."""
    text: str
    """ErrorMessage, exactly; `{}` marks the argument. Empty where the API has no text for it."""
    applies_to: str
    cause: str
    fix: str
    emitted: bool = True
    """Whether bocau ever answers it; the others are listed because clients know them."""


def _zalo(code: str, name: str, message: str = "") -> Code:
    """A row of the Zalo family, which bocau does not serve."""
    return Code(code, name, message, "Zalo", "A Zalo request.", "Send an SMS instead.", emitted=False)


def _historic(code: str, name: str, applies_to: str, now: str) -> Code:
    """A row that older documents have and that is not used any more."""
    return Code(code, name, "", applies_to, "Used by older versions of the API.", now, emitted=False)


_ROWS: Final[tuple[Code, ...]] = (
    Code(
        "99",
        "number blocked",
        "Phone number is blocked",
        "all sends",
        "The receiver is on a block list, or was sent to too often: the number itself, or its neighbours.",
        "Wait as long as the reason says, take the number off the block list, or raise the account's limit.",
    ),
    Code(
        "100",
        "accepted",
        "",
        "all",
        "The request was accepted; a message is stored and will be sent.",
        "Nothing. The outcome comes by callback or status query.",
    ),
    Code(
        "101",
        "wrong keys",
        "Authorize Failed",
        "all",
        "ApiKey or SecretKey is missing, wrong, disabled or expired, or the key may not do this.",
        "Check both keys; which of them is wrong is not told.",
    ),
    Code(
        "102",
        "no price",
        "No price list available",
        "all sends",
        "The account has no price for this type and network.",
        "Add a price for the type and network to the account.",
    ),
    Code(
        "103",
        "balance too low",
        "Not enough balance to send message",
        "all sends",
        "The balance and credit do not cover the price of the message, or a cap of the day is reached.",
        "Top the account up; for a cap, wait for midnight in Vietnam or raise the limit.",
    ),
    Code(
        "104",
        "brandname unknown",
        "Brand name code is not exist",
        "types 1 and 2",
        "The Brandname is missing, not registered for the account, not active, or not that of the key.",
        "Register and activate the Brandname, and spell it as registered.",
    ),
    Code(
        "105",
        "id unknown",
        "SMSID is not exist",
        "queries",
        "No message of this account has this id, or it is older than 7 days, or it was a sandbox id.",
        "Query with the SMSID of the answer, within 7 days.",
    ),
    Code(
        "106",
        "recording unknown",
        "Record file is not exist",
        "voice",
        "The recording does not exist.",
        "Use the id of an existing recording.",
    ),
    Code(
        "107",
        "too few numbers",
        "Each request has at least 30 numbers to be approved",
        "type 1",
        "Fewer than 30 different valid numbers in an advertising request.",
        "Send to at least 30 numbers.",
        emitted=False,
    ),
    Code(
        "108",
        "number malformed",
        "The phone number {} is not valid.",
        "all sends",
        "The Phone is missing or is not a Vietnamese mobile number.",
        "Send ten digits that begin with 0, or the same number with +84.",
    ),
    Code(
        "110",
        "value wrong",
        "{} is invalid",
        "all sends",
        "A value is missing or cannot be used: Content, SendDate, or no code to speak.",
        "Correct the parameter that the text names.",
    ),
    _zalo("115", "hashed number wrong"),
    Code(
        "117",
        "code invalid",
        "{}, Content: {} Code Invalid",
        "code check",
        "The code is wrong, used or expired.",
        "Ask the user again, or send a new code.",
    ),
    Code(
        "118",
        "type not supported",
        "SmsType is not supported",
        "all sends",
        "The SmsType or the operation is not served here.",
        "Use SmsType 2 or 8.",
    ),
    _historic("119", "too few numbers, old", "type 1", "See 107."),
    Code(
        "120",
        "too many numbers",
        "Phone list exceeds the limit",
        "types 1 and 2",
        "More numbers in one request than allowed.",
        "Split the list into several requests.",
    ),
    Code(
        "124",
        "RequestId used",
        "Request exist 1",
        "all sends",
        "A request with this RequestId was accepted within 24 hours, or (a setting) an equal text to the number.",
        "Nothing if this was a retry: the first one counts. Otherwise use a new RequestId.",
    ),
    _historic("131", "advertising text too long, old", "type 1", "Shorten the text."),
    _historic("132", "no right to the fixed number, old", "type 8", "Use another type."),
    Code(
        "140",
        "address not allowed",
        "IP is not whitelisted",
        "all",
        "The caller's address is not on the list of the account or of the key.",
        "Add the address to the list.",
    ),
    Code(
        "143",
        "account locked",
        "Account is not active or locked",
        "all",
        "The keys are right and the account is not active.",
        "Activate the account.",
    ),
    _zalo("145", "template wrong, old"),
    Code(
        "146",
        "template mismatch",
        "Sai template Brandname CSKH",
        "type 2",
        "The content matches no template registered for the Brandname on the receiver's network.",
        "Send the text exactly as registered, or register a template for it.",
    ),
    Code(
        "159",
        "RequestId too long",
        "RequestId is too long",
        "all sends",
        "The RequestId has more than 120 characters.",
        "Use a shorter RequestId; 50 characters work everywhere.",
    ),
    Code(
        "160",
        "too fast",
        "TPS limit exceeded",
        "all",
        "More requests a second than the key may make.",
        "Slow down and try again.",
    ),
    _zalo("161", "date wrong"),
    _zalo("162", "offset wrong"),
    Code(
        "163",
        "one number only",
        "Only one phone number per request",
        "type 8",
        "More than one number in a request of type 8.",
        "Send one request per number.",
    ),
    Code(
        "171",
        "code used",
        "",
        "code check",
        "The code is used, expired or not for this number.",
        "bocau answers 117 instead.",
        emitted=False,
    ),
    Code(
        "177",
        "not registered on network",
        "The Network {} have not registry.",
        "type 2",
        "The Brandname has no template on the receiver's network.",
        "Register the Brandname and its templates on that network.",
    ),
    Code(
        "199",
        "already in process",
        "Request is processing",
        "registration",
        "The same registration, or as many of the account as may, are already waiting for a decision.",
        "Wait for the decision.",
    ),
    Code(
        "201",
        "keyword blocked",
        "Content contains blocked keyword",
        "all sends",
        "The content holds a blocked keyword.",
        "Change the content.",
    ),
    _zalo("204", "OAID unknown"),
    _zalo("210", "payload wrong"),
    Code(
        "300",
        "type missing",
        "SmsType is required",
        "all sends",
        "The request has no SmsType.",
        "Send SmsType 2 or 8.",
    ),
    Code(
        "301",
        "service type not supported",
        "ServiceType is not supported",
        "registration",
        "The ServiceType is not 2.",
        "Send ServiceType 2.",
    ),
    _zalo("687", "more than 500 numbers"),
    _zalo("789", "template not configured", "TemplateId is not config"),
    _zalo("790", "wrong ZNS template"),
    _zalo("791", "OAID or template missing"),
    _zalo("799", "official account not active"),
    _zalo("801", "over-quota mode cannot schedule"),
    _zalo("802", "over-quota mode not allowed"),
    _zalo("851", "MessageId missing"),
    _zalo("852", "Zalo user id invalid", "Zalo UID Invalid"),
    _zalo("853", "Zalo user id missing", "Missing ZaloUid"),
    _zalo("854", "no data"),
)

CODES: Final[dict[str, Code]] = {row.code: row for row in _ROWS}
"""The table by code, in the order of the specification."""

_LONGEST_ECHO: Final = 64


def text(code: str) -> str:
    """The exact ErrorMessage of a code without arguments. Raises KeyError for a code of no table."""
    return CODES[code].text


def phone_invalid(number: str) -> str:
    """The text of 108; of a number longer than 64 characters only the beginning is repeated."""
    return CODES[INVALID_PHONE].text.replace("{}", number[:_LONGEST_ECHO])


def call_template_unknown() -> str:
    """The text of 104 in the voice family (esms-api 4.1)."""
    return "Template not found"


def code_invalid(phone: str, code: str) -> str:
    """The text of 117, with the number and the code as they were asked about, long ones cut."""
    return CODES[CODE_INVALID].text.format(phone[:_LONGEST_ECHO], code[:_LONGEST_ECHO])


def field_invalid(field: str) -> str:
    """The text of 110; `field` is the parameter's documented spelling."""
    return CODES[INVALID_FIELD].text.replace("{}", field)


def network_not_registered(name: str) -> str:
    """The text of 177. `name` is spelled as clients report it (esms-api 3.4); empty, of no network, it is Unknown."""
    return CODES[NOT_REGISTERED_ON_NETWORK].text.replace("{}", name or "Unknown")
