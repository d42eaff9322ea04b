"""What every operation takes and answers, as data: the reference page, the OpenAPI document and tests are made of it.

One entry for each kind of operation. The examples fit each other: an account with the keys below, the brandname BOCAU
and its template can be asked everything that stands here. Bodies are made by the code that answers.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from bocau.wire.esms import answers, codes, registration, reports
from bocau.wire.esms.operations import Kind
from bocau.wire.esms.status import DERIVED, SendReport

__all__ = ["CATALOGUE", "SMSID", "Entry", "Parameter"]

SMSID: Final = "02f1a6b3c4400000a1b2c3d4e5f60718000"
"""The id in the examples."""

_PHONE: Final = "0901234567"
_AT_MS: Final = 1_800_000_000_000


class Parameter(NamedTuple):
    """One parameter, whatever the form it comes in. Names count in any case."""

    name: str
    meaning: str
    example: str = ""
    """Empty: left out of the example."""
    required: bool = False


class Entry(NamedTuple):
    """One kind of operation."""

    group: str
    title: str
    """What it asks for."""
    parameters: tuple[Parameter, ...]
    bodies: tuple[tuple[str, bytes], ...]
    """Case and body of every shape of answer; the first is the answer to the example."""
    note: str = ""


_KEYS: Final = (
    Parameter("ApiKey", "The account's key.", "K-4f1d", required=True),
    Parameter("SecretKey", "The account's secret.", "S-9a2c", required=True),
)
_ID_OF_REQUEST: Final = Parameter(
    "RequestId", "Your own key for the request, at most 120 characters. It is accepted once in 24 hours for an account."
)
_CALLBACK: Final = Parameter(
    "CallbackUrl",
    "Called with the outcome; at most 2,048 characters, http or https. One that cannot be called is ignored with a "
    "warning.",
)
_DATE: Final = Parameter(
    "SendDate",
    "Not before this time: 2026-12-31 08:30:00, also with / or T, without seconds, with a fraction, with Z or an "
    "offset; without an offset it is Vietnam time (UTC+7). In the past or within 60 s is now; over a year ahead is "
    "refused.",
)
_SANDBOX: Final = Parameter(
    "Sandbox", "1 checks everything; nothing is stored, sent or charged. Also called IsSandbox."
)
_BRANDNAME: Final = Parameter("Brandname", "The sender, as registered.", "BOCAU", required=True)
_SEND: Final = (
    *_KEYS,
    Parameter(
        "Phone",
        "One number. For type 2 several, parted by commas, semicolons or line ends, at most 1,000 "
        "(`accept.max_receivers`).",
        _PHONE,
        True,
    ),
    Parameter(
        "Content",
        "The text. For type 8 it must hold a code of 4 to 8 characters.",
        "4821 la ma dang nhap BOCAU cua ban",
        True,
    ),
    Parameter("SmsType", "2 a brandname, 8 a number of the network. Everything else is answered 118.", "2", True),
    _BRANDNAME._replace(
        meaning="For type 2: the sender, as registered, or in another case if that is unique. Type 8 ignores it.",
        required=False,
    ),
    Parameter(
        "IsUnicode",
        "1 keeps diacritics. 0, the default, does what `accept.unicode_policy` says: strip, auto or reject. Also "
        "called Unicode.",
    ),
    _SANDBOX,
    _ID_OF_REQUEST,
    _DATE,
    _CALLBACK,
    Parameter("campaignid", "Kept with the message."),
)
_PRICED: Final = tuple(p for p in _SEND if p.name in ("ApiKey", "SecretKey", "Phone", "Content", "IsUnicode"))
_OF_ONE_REQUEST: Final = (*_KEYS, Parameter("RefId", "The SMSID of the request.", SMSID, required=True))
_CALL: Final = (*_KEYS, Parameter("Phone", "One number.", _PHONE, required=True))
_MANNER: Final = (
    Parameter("Speed", "-3, with much silence between the signs, to 3, with little. Anything else counts for nothing."),
    Parameter(
        "Voice", "male, female, hatieumai or ngoclam: a recorded pack of that name. Anything else counts for nothing."
    ),
)
_CALL_OPTIONS: Final = (_DATE, _CALLBACK, _ID_OF_REQUEST)

_CALL_UNKNOWN: Final = reports.refused_plainly(codes.BRANDNAME_UNKNOWN, codes.call_template_unknown())

_REPORT: Final = SendReport(SMSID, 2, 0, 0, 8_500_000, 1, 0)
_RECEIVERS: Final = (reports.ReceiverReport(_PHONE, "Mobifone", DERIVED["queued"], 0, _AT_MS),)
_TEMPLATES: Final = (reports.TemplateReport(1, 2, "{P1,8} la ma dang nhap BOCAU cua ban"),)
_SENT: Final = (
    reports.SentReport(
        "", "4821 la ma dang nhap BOCAU cua ban", _PHONE, SMSID, 8_500_000, DERIVED["queued"], _AT_MS, 29_028_845, 2
    ),
)
_CALL_REPORT: Final = reports.CallReport(SMSID, DERIVED["delivered"], "ANSWERED", 13, "")


def _send_refused(code: str) -> bytes:
    return answers.refused(code, codes.text(code))


_KEYS_WRONG: Final = ("wrong keys", reports.refused_plainly(codes.AUTHORIZE_FAILED))
_SEND_KEYS_WRONG: Final = ("wrong keys", _send_refused(codes.AUTHORIZE_FAILED))
_REPORT_KEYS_WRONG: Final = ("wrong keys", reports.report_refused(codes.AUTHORIZE_FAILED))
_SEND_BODIES: Final = (
    ("accepted", answers.accepted(SMSID)),
    _SEND_KEYS_WRONG,
    ("RequestId used", answers.refused(codes.DUPLICATE, codes.text(codes.DUPLICATE), send_status=5)),
    ("template mismatch", answers.refused(codes.TEMPLATE_MISMATCH, codes.text(codes.TEMPLATE_MISMATCH), smsid=SMSID)),
)
_RECEIVER_REFUSALS: Final = (_KEYS_WRONG, ("unknown id", reports.refused_plainly(codes.ID_UNKNOWN)))
_PRICE: Final = ("price", reports.price(8_500_000, 1))
_DATED: Final = "Dates are read as SendDate is; both ends count, by the time of acceptance."
_SENT_PARAMETERS: Final = (
    *_KEYS,
    Parameter("From", "The earliest time of acceptance.", "2027-01-15 00:00:00", required=True),
    Parameter("To", "The latest.", "2027-01-15 23:59:59", required=True),
    Parameter("SmsType", "Messages of this type; of every type if it is missing.", "2"),
)
_PAGES: Final = (
    Parameter("Page", "Counted from 1.", "1", required=True),
    Parameter("PageSize", "At most 500; more counts as 500.", "100", required=True),
)
_SENT_BODIES: Final = (
    ("found", reports.sent(1, _SENT)),
    _REPORT_KEYS_WRONG,
    ("a value that is none", reports.refused_plainly(codes.INVALID_FIELD, codes.field_invalid("From"))),
)

CATALOGUE: Final[Mapping[Kind, Entry]] = MappingProxyType(
    {
        Kind.SEND: Entry("Sends", "a send", _SEND, _SEND_BODIES),
        Kind.CALL_CODE: Entry(
            "Calls",
            "a spoken code",
            (
                *_CALL,
                Parameter("Code", "The code: 4 to 8 digits, or capitals and digits.", "482193", True),
                *_MANNER,
                *_CALL_OPTIONS,
            ),
            (("accepted", answers.without_count(answers.accepted(SMSID))), _KEYS_WRONG),
            "A message of type 8 whose text is the code.",
        ),
        Kind.CALL_TEMPLATE: Entry(
            "Calls",
            "a call by template",
            (
                *_CALL,
                Parameter("TemplateId", "The id that `bocau call-template add` told.", "1", required=True),
                Parameter(
                    "VariableListStr", "A value for each place of the text, left to right, parted by ||.", "482193"
                ),
                *_MANNER,
                *_CALL_OPTIONS,
            ),
            (
                ("accepted", answers.without_count(answers.accepted(SMSID))),
                _KEYS_WRONG,
                ("template unknown", _CALL_UNKNOWN),
            ),
            "A message of type 8 with the text of the template.",
        ),
        Kind.CALL_OLD: Entry(
            "Calls",
            "a call by an old code",
            (*_CALL, Parameter("ApiCode", "The template of the call.", "x", required=True)),
            (("template unknown", _CALL_UNKNOWN), _KEYS_WRONG),
            "These codes cannot be registered here, so every one is unknown; use MakeCallTemplate_V2.",
        ),
        Kind.CALL_RECORDING: Entry(
            "Calls",
            "a call by recording",
            (
                *_CALL,
                Parameter("TemplateId", "The id that `bocau call-recording add` told.", "1", required=True),
                *_CALL_OPTIONS,
            ),
            (
                ("accepted", answers.without_count(answers.accepted(SMSID))),
                _KEYS_WRONG,
                ("recording unknown", reports.refused_plainly(codes.RECORDING_UNKNOWN)),
            ),
            "A message of type 8 with the name of the recording for its text; it is played once. Answered "
            "106, too, where type 8 of the account may go by SMS. NumberForward, MaxRepeat, MaxRetry, Ivr, "
            "TimeWaitToIvr and WaitRetry are ignored.",
        ),
        Kind.SEND_CODE: Entry(
            "Generated codes",
            "a send with a code that bocau makes up",
            (
                *_KEYS,
                Parameter("Phone", "One number.", _PHONE, required=True),
                _BRANDNAME,
                Parameter("Type", "The SmsType; 2 if it is missing.", "2"),
                Parameter("message", "The text, with {OTP} for the code.", "{OTP} la ma dang nhap BOCAU cua ban", True),
                Parameter("TimeAlive", "Minutes that the code is good for, 2 to 15; 5 if it is missing."),
                Parameter("NumCharOfCode", "Its length, 4 to 10; 6 if it is missing."),
                Parameter("IsNumber", "1: digits only."),
                _SANDBOX,
                *_CALL_OPTIONS,
            ),
            _SEND_BODIES,
            "A new code for a phone takes the place of the one before.",
        ),
        Kind.CHECK_CODE: Entry(
            "Generated codes",
            "whether a code is right",
            (*_CALL, Parameter("Code", "What the user typed.", "482193", required=True)),
            (
                ("wrong, used or expired", reports.code_wrong(_PHONE, "482193")),
                ("right", reports.code_right(_PHONE)),
                _SEND_KEYS_WRONG,
            ),
            "A code is right once. After five wrong tries it is good for nothing.",
        ),
        Kind.STATUS: Entry(
            "Questions",
            "the state of a request",
            (*_OF_ONE_REQUEST, Parameter("ReferenceId", "Instead of RefId: the answer is that of a call.")),
            (
                ("found", reports.send_status(_REPORT)),
                ("unknown id", reports.send_status_refused(codes.ID_UNKNOWN, SMSID)),
                ("wrong keys", reports.send_status_refused(codes.AUTHORIZE_FAILED, SMSID)),
                ("call, asked by ReferenceId", reports.call_status(_CALL_REPORT)),
                ("call unknown", reports.call_status_refused(codes.ID_UNKNOWN, SMSID)),
                ("call, wrong keys", reports.call_status_refused(codes.AUTHORIZE_FAILED, SMSID)),
            ),
        ),
        Kind.RECEIVERS: Entry(
            "Questions",
            "the receivers of a request",
            _OF_ONE_REQUEST,
            (("found", reports.receivers(_RECEIVERS, dated=False)), *_RECEIVER_REFUSALS),
        ),
        Kind.RECEIVERS_DATED: Entry(
            "Questions",
            "the receivers of a request, with times",
            (*_KEYS, Parameter("SMSID", "The SMSID of the request.", SMSID, required=True)),
            (("found", reports.receivers(_RECEIVERS, dated=True)), *_RECEIVER_REFUSALS),
        ),
        Kind.BALANCE: Entry(
            "Questions",
            "the balance",
            _KEYS,
            (("found", reports.balance(10_000_000_000, 1)), ("wrong keys", reports.balance_refused("101"))),
        ),
        Kind.BRANDNAMES: Entry(
            "Questions",
            "the brandnames of the account",
            _KEYS,
            (
                ("found", reports.brandnames([("BOCAU", 2)], numbered=False)),
                ("wrong keys", reports.brandnames_refused(codes.AUTHORIZE_FAILED)),
            ),
        ),
        Kind.BRANDNAMES_NUMBERED: Entry(
            "Questions",
            "the brandnames of the account, with ids",
            _KEYS,
            (
                ("found", reports.brandnames([("BOCAU", 2)], numbered=True)),
                ("wrong keys", reports.brandnames_refused(codes.AUTHORIZE_FAILED)),
            ),
        ),
        Kind.TEMPLATES: Entry(
            "Questions",
            "the templates of a brandname",
            (*_KEYS, Parameter("SmsType", "2 or 8; 2 if it is missing.", "2"), _BRANDNAME),
            (
                ("found", reports.templates(_TEMPLATES)),
                _KEYS_WRONG,
                ("brandname unknown", reports.refused_plainly(codes.BRANDNAME_UNKNOWN)),
            ),
        ),
        Kind.REGISTER: Entry(
            "Questions",
            "to register a template",
            (
                *_KEYS,
                Parameter("Content", "The text with its placeholders.", "{P1,8} la ma dat hang BOCAU cua ban", True),
                _BRANDNAME,
                Parameter("ServiceType", "2.", "2", required=True),
                Parameter("SmsType", "2 or 8.", "2", required=True),
                Parameter("CallbackUrl", "Called with the decision."),
            ),
            (
                ("taken", registration.registered(1)),
                _KEYS_WRONG,
                ("waiting already", reports.refused_plainly(codes.REGISTRATION_PENDING)),
            ),
            "An operator decides, or `accept.auto_approve` does.",
        ),
        Kind.SENT: Entry(
            "Reports and prices",
            "the messages of a time",
            (*_SENT_PARAMETERS, *(page._replace(required=False) for page in _PAGES)),
            _SENT_BODIES,
            _DATED,
        ),
        Kind.SENT_PAGED: Entry(
            "Reports and prices", "the messages of a time", (*_SENT_PARAMETERS, *_PAGES), _SENT_BODIES, _DATED
        ),
        Kind.PRICE: Entry(
            "Reports and prices",
            "the price of a send",
            (*_PRICED, Parameter("SmsType", "2 or 8.", "2", required=True), _BRANDNAME),
            (_PRICE, _REPORT_KEYS_WRONG, ("brandname unknown", reports.refused_plainly(codes.BRANDNAME_UNKNOWN))),
            "What the send would hold. Whether a template fits the text is not looked at.",
        ),
        Kind.PRICE_ADVERTISING: Entry(
            "Reports and prices",
            "the price of an advertisement",
            (*_PRICED, _BRANDNAME),
            (("brandname unknown", reports.refused_plainly(codes.BRANDNAME_UNKNOWN)), _PRICE, _SEND_KEYS_WRONG),
            "For type 1, whose parts are 38 characters shorter in all. Advertising itself is not sent.",
        ),
        Kind.UNSUPPORTED: Entry(
            "Known by name",
            "something that is not served",
            (),
            (("always", answers.refused(codes.SMS_TYPE_UNSUPPORTED, codes.text(codes.SMS_TYPE_UNSUPPORTED))),),
        ),
    }
)
"""Kind -> entry, for every kind there is."""
