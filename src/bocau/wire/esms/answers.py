"""Answer bodies, byte for byte (esms-api 1.2, 2.3, 3.5, 3.7).

JSON without spaces; members in ordinal order of their names; members without a value left out; codes are strings,
counts are numbers, money has exactly four decimals where the API shows four. Money is integer 1/10,000 VND.
"""

from typing import Final

import msgspec

from bocau.wire.esms import codes
from bocau.wire.esms.status import SendReport

__all__ = [
    "accepted",
    "balance",
    "balance_refused",
    "infrastructure_error",
    "money",
    "refused",
    "send_status",
    "send_status_not_found",
    "send_status_refused",
]

_VND: Final = 10_000

_json: Final = msgspec.json.encode


def accepted(smsid: str) -> bytes:
    """The 100 body. `smsid` is one that bocau made: ASCII letters, digits and dashes."""
    return b'{"CodeResult":"100","CountRegenerate":0,"SMSID":"%b"}' % smsid.encode()


def refused(code: str, text: str, send_status: int | None = None, smsid: str | None = None) -> bytes:
    """The body of a send that is not accepted; 124 has `send_status`, 146 has `smsid`."""
    body = b'{"CodeResult":%b,"CountRegenerate":0,"ErrorMessage":%b' % (_json(code), _json(text))
    if smsid is not None:
        body += b',"SMSID":' + _json(smsid)
    if send_status is not None:
        body += b',"SendStatus":"%d"' % send_status
    return body + b"}"


def infrastructure_error(text: str = "Invalid request") -> bytes:
    """The body that goes with a 4xx or 5xx, where there is no result of the API."""
    return b'{"error":%b}' % _json(text)


def money(amount_e4: int) -> str:
    """An amount of 1/10,000 VND as VND with a point and exactly four decimals: 8500000 is 850.0000."""
    whole, fraction = divmod(abs(amount_e4), _VND)
    return f"{'-' if amount_e4 < 0 else ''}{whole}.{fraction:04d}"


def send_status(report: SendReport) -> bytes:
    """The body of GetSendStatus for a message that was found. All counts and the price are number tokens."""
    return b'{"CodeResponse":"100","SMSID":%b,%b}' % (
        _json(report.smsid),
        (
            f'"SendFailed":{report.send_failed},"SendStatus":{report.send_status},"SendSuccess":{report.send_success},'
            f'"TotalPrice":{money(report.price_e4)},"TotalReceiver":{report.total_receiver},'
            f'"TotalSent":{report.total_sent}'
        ).encode(),
    )


def send_status_not_found(smsid: str) -> bytes:
    """The body of GetSendStatus for an id that is unknown, another account's, or older than 7 days."""
    return send_status_refused(codes.ID_UNKNOWN, smsid)


def send_status_refused(code: str, smsid: str) -> bytes:
    """The two-member body of a status query without a result; it repeats the id that was asked for."""
    return b'{"CodeResponse":%b,"SMSID":%b}' % (_json(code), _json(smsid))


def balance(balance_e4: int, user_id: int) -> bytes:
    """The body of GetBalance: whole VND when there is no fraction, else up to four decimals, as a number token."""
    text = money(balance_e4).rstrip("0").rstrip(".")
    return f'{{"Balance":{text},"CodeResponse":"100","UserID":{user_id}}}'.encode()


def balance_refused(code: str) -> bytes:
    """The body of GetBalance for keys that are wrong (101), or may not ask now."""
    return b'{"Balance":0,"CodeResponse":%b,"ErrorMessage":%b,"UserID":0}' % (_json(code), _json(codes.text(code)))
