"""An HTTP answer becomes a result or an error. Pure; both clients read answers here."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, cast

from bocau.client.errors import DuplicateRequest, EsmsError, NoAnswer, error_of
from bocau.client.results import Balance, Brandname, Price, Receiver, Sent, Status, Template

__all__ = [
    "Reply",
    "read_balance",
    "read_brandnames",
    "read_check",
    "read_price",
    "read_receivers",
    "read_sent",
    "read_status",
    "read_templates",
    "reason_of",
]

_ACCEPTED: Final = "100"
_CODE_WRONG: Final = "117"
_DUPLICATE: Final = "124"
_ESCAPED: Final = re.compile(r"\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\U000[0-9a-f]{5}")
_SHOWN: Final = 120


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said to one call."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes
    request_id: str = ""
    """The RequestId of the call."""
    retried: bool = False
    """Not the first try: an earlier one may have been accepted."""


def reason_of(header: str) -> str:
    """X-Bocau-Reason in the signs it had before it became a header; what no terminal may get stays escaped."""
    return _ESCAPED.sub(_unescaped, header)


def _unescaped(found: re.Match[str]) -> str:
    sign = chr(int(found.group().lstrip("\\xuU"), 16))
    return sign if sign.isprintable() else found.group()


def _members(reply: Reply) -> dict[str, Any]:
    """The JSON object of an answer. Raises NoAnswer for anything that is no result of the API."""
    if reply.status == 200:
        try:
            found: object = json.loads(reply.body, parse_float=Decimal)
        except ValueError:
            found = None
        if isinstance(found, dict):
            return cast("dict[str, Any]", found)
    said = reply.body[:_SHOWN].decode("utf-8", "replace")
    raise NoAnswer(f"HTTP {reply.status} and no result of the API: {said}", reply.request_id)


def _code(members: Mapping[str, Any]) -> str:
    """CodeResult or CodeResponse, whichever is there, as text."""
    return str(members.get("CodeResult", members.get("CodeResponse", "")))


def _error(reply: Reply, members: Mapping[str, Any]) -> EsmsError:
    code = _code(members)
    smsid = str(members.get("SMSID") or reply.headers.get("x-bocau-smsid", ""))
    reason = reason_of(reply.headers.get("x-bocau-reason", ""))
    error = error_of(code, str(members.get("ErrorMessage") or ""), reason, smsid)
    if isinstance(error, DuplicateRequest) and str(members.get("SendStatus", "")).isdigit():
        error.send_status = int(members["SendStatus"])
    return error


def _accepted(reply: Reply) -> dict[str, Any]:
    """The members of a 100. Raises EsmsError."""
    members = _members(reply)
    if _code(members) != _ACCEPTED:
        raise _error(reply, members)
    return members


def read_sent(reply: Reply) -> Sent:
    """A send. 124 to a repetition of our own means that an earlier try was accepted. Raises EsmsError."""
    members = _members(reply)
    code = _code(members)
    if code == _DUPLICATE and reply.retried:
        return Sent(_error(reply, members).smsid, reply.request_id, repeated=True)
    if code != _ACCEPTED:
        raise _error(reply, members)
    return Sent(str(members.get("SMSID", "")), reply.request_id)


def read_check(reply: Reply) -> bool:
    """Whether a code was right. Raises EsmsError for everything but a wrong code."""
    members = _members(reply)
    if _code(members) == _CODE_WRONG:
        return False
    if _code(members) != _ACCEPTED:
        raise _error(reply, members)
    return True


def read_status(reply: Reply) -> Status:
    """The state of a request. Raises EsmsError."""
    found = _accepted(reply)
    return Status(
        str(found.get("SMSID", "")),
        _int(found, "SendStatus"),
        _int(found, "SendSuccess"),
        _int(found, "SendFailed"),
        _int(found, "TotalReceiver"),
        _int(found, "TotalSent"),
        _decimal(found, "TotalPrice"),
        int(repeated) if (repeated := reply.headers.get("x-bocau-possible-duplicate", "")).isdecimal() else 0,
    )


def read_receivers(reply: Reply) -> tuple[Receiver, ...]:
    """The receivers of a request. Raises EsmsError."""
    return tuple(
        Receiver(
            str(row.get("Phone", "")),
            str(row.get("NetworkName") or ""),
            bool(row.get("IsSent")),
            bool(row.get("SentResult")),
            _int(row, "Retry"),
        )
        for row in _rows(_accepted(reply), "ReceiverList")
    )


def read_balance(reply: Reply) -> Balance:
    """The balance. Raises EsmsError."""
    found = _accepted(reply)
    return Balance(_decimal(found, "Balance"), _int(found, "UserID"))


def read_brandnames(reply: Reply) -> tuple[Brandname, ...]:
    """The brandnames. Raises EsmsError."""
    rows = _rows(_accepted(reply), "ListBrandName")
    return tuple(Brandname(str(row.get("Brandname", "")), _int(row, "Type")) for row in rows)


def read_templates(reply: Reply) -> tuple[Template, ...]:
    """The templates of a brandname. Raises EsmsError."""
    rows = _rows(_accepted(reply), "BrandnameTemplates")
    return tuple(Template(_int(row, "TempId"), _int(row, "NetworkID"), str(row.get("TempContent", ""))) for row in rows)


def read_price(reply: Reply) -> Price:
    """What a send would cost. Raises EsmsError."""
    found = _accepted(reply)
    return Price(_decimal(found, "TotalPrice"), _int(found, "TotalReceiver"))


def _rows(members: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = members.get(name)
    rows = cast("list[object]", found) if isinstance(found, list) else []
    return [cast("dict[str, Any]", row) for row in rows if isinstance(row, dict)]


def _decimal(members: Mapping[str, Any], name: str) -> Decimal:
    """A number, whether it came as one or as text; 0 if it is missing or none."""
    try:
        return Decimal(str(members.get(name) or 0))
    except ArithmeticError:
        return Decimal(0)


def _int(members: Mapping[str, Any], name: str) -> int:
    found = _decimal(members, name)
    return int(found) if found.is_finite() else 0
