"""Bodies that answer a send, and what they share with all others, byte for byte (esms-api 1.2, 2.3, 4.1).

JSON without spaces; members in ordinal order of their names; members without a value left out; codes are strings,
counts are numbers, money has exactly four decimals where the API shows four. Money is integer 1/10,000 VND.
"""

from typing import Final

import msgspec

__all__ = ["accepted", "infrastructure_error", "money", "refused", "without_count"]

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


def without_count(body: bytes) -> bytes:
    """The body of a send as a call has it: without CountRegenerate (esms-api 4.1)."""
    return body.replace(b'"CountRegenerate":0,', b"", 1)  # the code before it is all digits, so this is the member
