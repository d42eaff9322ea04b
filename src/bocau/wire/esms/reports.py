"""Bodies that answer a question, byte for byte (esms-api 3.5 to 3.10, 4.1, 4.2), and the XML shapes of 1.4.

As all answers: no spaces, members in ordinal order of their names, no member without a value. The code is called
CodeResponse in some and CodeResult in others; neither name is a slip. Money is integer 1/10,000 VND.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from bocau.wire.esms import codes
from bocau.wire.esms.answers import money, refused
from bocau.wire.esms.operations import Kind
from bocau.wire.esms.status import Derived, SendReport

__all__ = [
    "XML_SHAPES",
    "CallReport",
    "ReceiverReport",
    "SentReport",
    "TemplateReport",
    "XmlShape",
    "balance",
    "balance_refused",
    "brandnames",
    "brandnames_refused",
    "call_status",
    "call_status_refused",
    "code_right",
    "code_wrong",
    "price",
    "receivers",
    "refused_plainly",
    "report_refused",
    "send_status",
    "send_status_refused",
    "sent",
    "status_word",
    "templates",
]

_json: Final = msgspec.json.encode

_VIETNAM: Final = "+0700"


class XmlShape(NamedTuple):
    """How the answer of a kind of operation looks under /xml/."""

    root: str
    order: tuple[str, ...]
    """Its elements; every member that the JSON body may have is among them."""


_SMS_RESULT: Final = XmlShape(
    "SmsResultModel", ("CodeResult", "CountRegenerate", "ErrorMessage", "SMSID", "SendStatus")
)

XML_SHAPES: Final[Mapping[Kind, XmlShape]] = {
    Kind.SEND: _SMS_RESULT,
    Kind.UNSUPPORTED: _SMS_RESULT,
    Kind.BALANCE: XmlShape("MemberModel", ("Balance", "UserID", "ErrorMessage", "CodeResponse")),
    Kind.STATUS: XmlShape(
        "SmsStatusResult",
        (
            "SMSID",
            "SendStatus",
            "CodeResponse",
            "SendSuccess",
            "SendFailed",
            "TotalReceiver",
            "TotalSent",
            "TotalPrice",
            "PhoneFailList",
            # The voice shape of the same operation has no documented order; it follows the documented children.
            "ReferenceId",
            "CallDuration",
            "CallStatus",
            "Ivr",
            "SentResult",
            "CodeResult",
            "CountRegenerate",
            "ErrorMessage",
        ),
    ),
}
"""Kind -> shape, for every kind that stands under /xml/ (esms-api 1.4)."""


# --- one request ------------------------------------------------------------------------------------------------------


def send_status(report: SendReport) -> bytes:
    """GetSendStatus of a request that was found. All counts and the price are number tokens."""
    return b'{"CodeResponse":"100","SMSID":%b,%b}' % (
        _json(report.smsid),
        (
            f'"SendFailed":{report.send_failed},"SendStatus":{report.send_status},"SendSuccess":{report.send_success},'
            f'"TotalPrice":{money(report.price_e4)},"TotalReceiver":{report.total_receiver},'
            f'"TotalSent":{report.total_sent}'
        ).encode(),
    )


def send_status_refused(code: str, smsid: str) -> bytes:
    """GetSendStatus without a result: 101 for wrong keys, 105 for an id that is unknown, another account's or old."""
    return b'{"CodeResponse":%b,"SMSID":%b}' % (_json(code), _json(smsid))


class CallReport(NamedTuple):
    """What became of a call, as far as it has ended."""

    reference: str
    derived: Derived
    status: str
    """As it goes out, see `status_word`; empty while the call has not ended."""
    duration_seconds: int
    keys: str


def call_status(report: CallReport) -> bytes:
    """GetSendStatus of a call, asked for by ReferenceId (esms-api 4.1)."""
    return (
        b'{"CallDuration":%d,"CallStatus":%b,"CodeResponse":"100","Ivr":%b,"ReferenceId":%b,"SendStatus":%d,'
        b'"SentResult":%d}'
        % (
            report.duration_seconds,
            _json(report.status),
            _json(report.keys),
            _json(report.reference),
            report.derived.send_status,
            report.derived.success,
        )
    )


def status_word(status: str, *, plain: bool, unanswered: str = "NOANSWERED") -> str:
    """The CallStatus of a call that ended ANSWERED, BUSY, NO ANSWER or FAILED.

    The documents know only ANSWERED, `unanswered` (NOANSWERED where it is asked for, NO ANSWER in callbacks) and
    nothing for a call that could not be placed; `plain` tells all four.
    """
    if plain:
        return status
    return {"ANSWERED": "ANSWERED", "NO ANSWER": unanswered, "BUSY": unanswered}.get(status, "")


def call_status_refused(code: str, reference: str) -> bytes:
    """The same without a result. Wrong keys have the body of a send, as the page shows it; the rest has no sample."""
    if code == codes.AUTHORIZE_FAILED:
        return refused(code, codes.text(code))
    return b'{"CodeResponse":%b,"ReferenceId":%b}' % (_json(code), _json(reference))


class ReceiverReport(NamedTuple):
    """One receiver of a request."""

    phone: str
    network: str
    """NetworkName; empty if the prefix is nobody's."""
    derived: Derived
    retries: int
    at_ms: int
    """When it was due to leave."""


def receivers(rows: Sequence[ReceiverReport], *, dated: bool) -> bytes:
    """GetSmsReceiverStatus_get; `dated` adds ReceiverStatus, as GetSmsReceiverStatus_V2 has it."""
    listed = [
        {
            "IsSent": bool(row.derived.sent),
            "NetworkName": row.network,
            "Phone": row.phone,
            "Retry": row.retries,
            "SentResult": bool(row.derived.success),
        }
        for row in rows
    ]
    members: dict[str, object] = {"CodeResult": codes.ACCEPTED, "ReceiverList": listed}
    if dated:
        members["ReceiverStatus"] = [
            {"Phone": row.phone, "SentTime": _moment(row.at_ms), "Status": row.derived.send_status} for row in rows
        ]
    return _json(members)


def refused_plainly(code: str, text: str | None = None) -> bytes:
    """A refusal of two members, as most questions have it. `text` only where the code's own is not the one."""
    return b'{"CodeResult":%b,"ErrorMessage":%b}' % (_json(code), _json(codes.text(code) if text is None else text))


# --- the account ------------------------------------------------------------------------------------------------------


def balance(balance_e4: int, user_id: int) -> bytes:
    """GetBalance: whole VND when there is no fraction, else up to four decimals, as a number token."""
    text = money(balance_e4).rstrip("0").rstrip(".")
    return f'{{"Balance":{text},"CodeResponse":"100","UserID":{user_id}}}'.encode()


def balance_refused(code: str) -> bytes:
    """GetBalance without a result."""
    return b'{"Balance":0,"CodeResponse":%b,"ErrorMessage":%b,"UserID":0}' % (_json(code), _json(codes.text(code)))


def brandnames(rows: Iterable[tuple[str, int]], *, numbered: bool) -> bytes:
    """GetListBrandname of (name, SmsType); `numbered` adds ServiceId, as GetListBrandnameV2 has it.

    ServiceId is opaque: the same text for the same name and type, as long as they exist.
    """
    listed = [
        {"Brandname": name, **({"ServiceId": f"{kind}-{name}"} if numbered else {}), "Type": kind}
        for name, kind in rows
    ]
    return _json({"CodeResponse": codes.ACCEPTED, "ListBrandName": listed})


def brandnames_refused(code: str) -> bytes:
    """GetListBrandname without a result: CodeResponse, as on success (esms-api 3.8)."""
    return b'{"CodeResponse":%b,"ErrorMessage":%b}' % (_json(code), _json(codes.text(code)))


class TemplateReport(NamedTuple):
    """A template on one network."""

    id: int
    network: int
    content: str
    """With placeholders in the form {P2,20}."""


def templates(rows: Iterable[TemplateReport]) -> bytes:
    """GetTemplate: one row for each network."""
    listed = [{"NetworkID": row.network, "TempContent": row.content, "TempId": row.id} for row in rows]
    return _json({"BrandnameTemplates": listed, "CodeResult": codes.ACCEPTED, "ErrorMessage": "success"})


# --- reports and prices ----------------------------------------------------------------------------------------------


class SentReport(NamedTuple):
    """One message in the report of what was sent."""

    campaign: str
    content: str
    phone: str
    smsid: str
    price_e4: int
    derived: Derived
    at_ms: int
    """When it was due to leave."""
    id: int
    """SmsId: a number that a client's double can hold exactly."""
    sms_type: int


def sent(total: int, rows: Iterable[SentReport]) -> bytes:
    """GetSmsSentData: how many there are in all, and one page of them."""
    listed = b",".join(_sent_row(row) for row in rows)
    return b'{"CodeResult":"100","CountTotal":%d,"SentData":[%b]}' % (total, listed)


def _sent_row(row: SentReport) -> bytes:
    """One item of SentData. The price is a number token with four decimals, so it is written by hand."""
    return (
        b'{"Campaign":%b,"Content":%b,"Phone":%b,"ReferenceId":%b,"SellPrice":%b,"SendResult":%d,"SendStatus":%d,'
        b'"SentTime":"%b","SmsId":%d,"SmsType":%d}'
        % (
            _json(row.campaign),
            _json(row.content),
            _json(row.phone),
            _json(row.smsid),
            money(row.price_e4).encode(),
            row.derived.send_result,
            row.derived.send_status,
            _moment(row.at_ms).encode(),
            row.id,
            row.sms_type,
        )
    )


def _moment(at_ms: int) -> str:
    """A date as the service's serializer writes it: milliseconds since 1970 UTC, labelled with Vietnam's offset."""
    return f"/Date({at_ms}{_VIETNAM})/"


def report_refused(code: str) -> bytes:
    """A report or a price without a result; wrong keys have a full stop here (esms-api 3.10)."""
    stop = "." if code == codes.AUTHORIZE_FAILED else ""
    return refused_plainly(code, codes.text(code) + stop)


def price(total_e4: int, receivers: int) -> bytes:
    """What a request would cost: whole VND when there is no fraction."""
    text = money(total_e4).rstrip("0").rstrip(".")
    return f'{{"CodeResult":"100","ErrorMessage":"success","TotalPrice":{text},"TotalReceiver":{receivers}}}'.encode()


# --- generated codes -------------------------------------------------------------------------------------------------


def code_right(phone: str) -> bytes:
    """CheckCodeGen of the right code."""
    return b'{"CodeResult":"100","CountRegenerate":0,"ErrorMessage":%b}' % _json(f"{phone}, Content: Success!")


def code_wrong(phone: str, code: str) -> bytes:
    """CheckCodeGen of a code that is wrong, used, expired or nobody's."""
    return refused(codes.CODE_INVALID, codes.code_invalid(phone, code))
