"""Callbacks as they reach a customer's program: what they say, and whether they are really ours. Pure.

The signature is that of Standard Webhooks, over the path and query exactly as they stood in the request line
(docs/how-to/receive-callbacks.md). eSMS itself signs nothing: leave `secrets` empty there.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import parse_qs

__all__ = ["BadSignature", "CallOutcome", "Callback", "parse_callback", "verify"]

_TOLERANCE_SECONDS: Final = 300
_VERSION: Final = "v1,"


class BadSignature(Exception):  # noqa: N818 - named for what it is
    """A callback is not ours, was changed on its way, or is an old one played again."""


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """How a call went (esms-api 3.2, voice shape)."""

    status: str
    """ANSWERED, NO ANSWER, or empty: no call could be placed."""
    seconds: int
    keys: str
    """What was pressed."""
    caller: str
    """The number that the call came from."""


@dataclass(frozen=True, slots=True)
class Callback:
    """The outcome of one request (esms-api 3.2)."""

    smsid: str
    """Tells repetitions apart: a callback may come twice."""
    request_id: str
    send_status: int
    delivered: int
    failed: int
    receivers: int
    sent: int
    price: Decimal
    """In VND."""
    sms_type: str
    network: int
    """1 Viettel, 2 Mobifone, 3 Vinaphone, 4 Vietnamobile, 5 Gtel, 6 Itel, 7 Wintel"""
    phone: str
    own: Mapping[str, str]
    """Parameters of your own, from the CallbackUrl."""
    call: "CallOutcome | None" = None
    """How the call went, if it was asked for as one; such a callback names no request id and no phone."""

    @property
    def all_delivered(self) -> bool:
        """Everybody got it."""
        return self.receivers > 0 and self.delivered == self.receivers


_NAMES: Final = (
    "SMSID",
    "SendFailed",
    "SendStatus",
    "SendSuccess",
    "TotalPrice",
    "TotalReceiver",
    "TotalSent",
    "RequestId",
    "TypeId",
    "telcoid",
    "phonenumber",
    "switchsmsid",
)
_CALL_NAMES: Final = ("ReferenceId", "CallDuration", "CallStatus", "Ivr", "Price", "SentResult", "CID", "SendStatus")


def parse_callback(query: str | bytes) -> Callback:
    """What a callback's query says. Parameters in any case; of a repeated one the last counts, which is ours.

    Raises ValueError if it has neither SMSID nor ReferenceId, or a count that is no number.
    """
    text = query.decode("latin-1") if isinstance(query, bytes) else query
    pairs = parse_qs(text.removeprefix("?"), keep_blank_values=True, max_num_fields=200)
    found, own = _parted(pairs, _NAMES)
    if not found.get("SMSID"):
        return _about_call(*_parted(pairs, _CALL_NAMES))
    return Callback(
        found["SMSID"],
        found.get("RequestId", ""),
        _count(found, "SendStatus"),
        _count(found, "SendSuccess"),
        _count(found, "SendFailed"),
        _count(found, "TotalReceiver"),
        _count(found, "TotalSent"),
        _price(found.get("TotalPrice", "")),
        found.get("TypeId", ""),
        _count(found, "telcoid"),
        found.get("phonenumber", ""),
        own,
    )


def _parted(pairs: Mapping[str, list[str]], names: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The parameters of these names, spelled so, and all others."""
    known = {name.lower(): name for name in names}
    found = {known[name.lower()]: values[-1] for name, values in pairs.items() if name.lower() in known}
    return found, {name: values[-1] for name, values in pairs.items() if name.lower() not in known}


def _about_call(found: Mapping[str, str], own: Mapping[str, str]) -> Callback:
    if not found.get("ReferenceId"):
        raise ValueError("a callback has an SMSID or a ReferenceId")
    told = _count(found, "SentResult")
    price = _price(found.get("Price", ""))
    status = found.get("CallStatus", "")
    call = CallOutcome(status, _count(found, "CallDuration"), found.get("Ivr", ""), found.get("CID", ""))
    reference, send_status = found["ReferenceId"], _count(found, "SendStatus")
    return Callback(reference, "", send_status, told, 1 - told, 1, 1, price, "8", 0, "", own, call)


def _count(found: Mapping[str, str], name: str) -> int:
    value = found.get(name) or "0"
    if not (value.isascii() and value.isdigit()):
        raise ValueError(f"{name} of a callback is a number")
    return int(value)


def _price(text: str) -> Decimal:
    try:
        return Decimal(text or "0")
    except ArithmeticError:
        raise ValueError("the price of a callback is a number") from None


def verify(
    headers: Mapping[str, str],
    path_and_query: str | bytes,
    secrets: Sequence[str],
    now: float,
    *,
    tolerance_seconds: float = _TOLERANCE_SECONDS,
) -> None:
    """Raise BadSignature unless one of `secrets` signed this callback within the tolerance of `now`.

    `headers` by any case; `path_and_query` exactly as it stood in the request line; `now` in seconds since 1970 UTC.
    Give both secrets while one is being changed. Signatures are compared in constant time.
    """
    if not secrets or not all(secrets):
        raise ValueError("there must be a secret, and none may be empty")
    told = {name.lower(): value for name, value in headers.items()}
    event, moment = told.get("webhook-id", ""), told.get("webhook-timestamp", "")
    given = told.get("webhook-signature", "").split()
    if not event or not given:
        raise BadSignature("it is not signed")
    if not (moment.isascii() and moment.isdigit() and len(moment) < 20):
        raise BadSignature("its time is none")
    sent = path_and_query.encode("latin-1", "replace") if isinstance(path_and_query, str) else path_and_query
    content = f"{event}.{moment}.".encode("latin-1", "replace") + sent
    right = False
    for secret in secrets:
        digest = hmac.new(secret.encode(), content, hashlib.sha256).digest()
        wanted = f"{_VERSION}{base64.b64encode(digest).decode()}".encode()
        for one in given:
            right |= hmac.compare_digest(one.encode("latin-1", "replace"), wanted)
    if not right:
        raise BadSignature("no signature of it fits")
    if abs(now - int(moment)) > tolerance_seconds:
        raise BadSignature("it is too old, or its clock is wrong")
