"""The callback: which URL is a target, and the URL that is called (esms-api 3.2).

Text only. Whether the address behind a target may be called at all is decided elsewhere, on the resolved address.
"""

import re
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from msgspec import Struct

from bocau.wire.esms.answers import money
from bocau.wire.esms.status import SendReport

__all__ = [
    "MAX_TARGET",
    "CallValues",
    "CallbackValues",
    "call_query",
    "callback_query",
    "callback_url",
    "is_callback_target",
    "with_query",
]

MAX_TARGET: Final = 2_048
"""Characters a CallbackUrl may have."""

_ENCODED: Final = ("http%3a", "https%3a")
# Scheme, then a name or IPv4 address or a bracketed IPv6 address, then a port, then the rest. No userinfo; no character
# that one parser takes for a letter of the host and another for its end.
_TARGET: Final = re.compile(
    r"https?://(?:[0-9a-z](?:[0-9a-z._-]{0,252})|\[[0-9a-f:.]{2,45}\])(?::([0-9]{1,5}))?(?:[/?#][^\\]*)?",
    re.IGNORECASE | re.ASCII,
)
# What nearly every target looks like: a subset of _TARGET that is sent as it stands.
_PLAIN_TARGET: Final = re.compile(
    r"https?://[0-9A-Za-z][0-9A-Za-z.-]{0,252}(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}))?(?:[/?][!\"$-\[\]-~]*)?", re.ASCII
)
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Text that percent-encoding leaves as it is (RFC 3986, 2.3).
_UNRESERVED: Final = re.compile(r"[0-9A-Za-z_.~-]*")
_URL_CHARACTERS: Final = "".join(map(chr, range(0x21, 0x7F)))

_COLUMNS_OF_TYPE: Final = {"1": 9, "23": 11}
"""How many of the columns a type sends; every other type sends all of them."""


class CallbackValues(Struct, frozen=True, gc=False):
    """What a callback tells about one request, once its status is known."""

    report: SendReport
    request_id: str
    """The customer's own id; empty if there was none."""
    type_id: str
    """The SmsType."""
    telcoid: int
    """The network really used (esms-api 3.4); of several receivers, the first one's."""
    phonenumber: str
    """Ten digits that begin with 0; of several receivers, the first one."""
    switchsmsid: str = ""
    """The id of a fallback message, if there is one."""


def callback_query(values: CallbackValues) -> str:
    """The query of a callback, without question mark, in the order of the table of esms-api 3.2 (SMS shape)."""
    report = values.report
    texts = [report.smsid, values.request_id, values.type_id, values.phonenumber, values.switchsmsid]
    if _UNRESERVED.fullmatch("".join(texts)) is None:
        texts = [quote(text, safe="") for text in texts]
    smsid, request_id, type_id, phonenumber, switchsmsid = texts
    query = (
        f"SMSID={smsid}"
        f"&SendFailed={report.send_failed}"
        f"&SendStatus={report.send_status}"
        f"&SendSuccess={report.send_success}"
        f"&TotalPrice={money(report.price_e4)}"
        f"&TotalReceiver={report.total_receiver}"
        f"&TotalSent={report.total_sent}"
        f"&RequestId={request_id}"
        f"&TypeId={type_id}"
        f"&telcoid={values.telcoid}"
        f"&phonenumber={phonenumber}"
        f"&switchsmsid={switchsmsid}"
    )
    columns = _COLUMNS_OF_TYPE.get(values.type_id)
    return query if columns is None else "&".join(query.split("&")[:columns])


class CallValues(Struct, frozen=True, gc=False):
    """What a callback tells about a call, once it is over."""

    smsid: str
    duration_seconds: int
    """0 unless it was answered."""
    status: str
    """As it goes out, see `reports.status_word`; empty if no call could be placed."""
    keys: str
    price_e4: int
    success: bool
    caller: str
    """The calling number."""
    send_status: int


def call_query(values: CallValues) -> str:
    """The query of a callback about a call, in the order of esms-api 3.2 (voice shape)."""
    return (
        f"ReferenceId={quote(values.smsid, safe='')}"
        f"&CallDuration={values.duration_seconds}"
        f"&CallStatus={quote(values.status, safe='')}"
        f"&Ivr={quote(values.keys, safe='')}"
        f"&Price={money(values.price_e4)}"
        f"&SentResult={int(values.success)}"
        f"&CID={quote(values.caller, safe='')}"
        f"&SendStatus={values.send_status}"
    )


def callback_url(target: str, values: CallbackValues) -> str:
    """The URL to call: the customer's own path and query stay, the fragment goes, our parameters come last.

    Raises ValueError, see `with_query`.
    """
    return with_query(target, callback_query(values))


def with_query(target: str, query: str) -> str:
    """A target with parameters of ours behind the customer's own.

    `target` is one that `is_callback_target` accepts. Spaces and characters outside ASCII, which cannot stand in a
    request line, are percent-encoded; nothing else is touched. Raises ValueError for a target that is none.
    """
    url = target if _is_plain(target) else _sendable(target)
    return url + _joint(url) + query


def is_callback_target(text: str) -> bool:
    """Whether a CallbackUrl can be called: http or https with a host, no userinfo, no control characters, not too long.

    A text that is not is ignored with a warning, never refused (esms-api 5.2 step 8).
    """
    return _is_plain(text) or _decoded_target(text) is not None


def _is_plain(text: str) -> bool:
    """Whether it is a target that is sent as it stands."""
    return len(text) <= MAX_TARGET and _PLAIN_TARGET.fullmatch(text) is not None


def _sendable(target: str) -> str:
    """A target of any shape as it can stand in a request line, without fragment. Raises ValueError if it is none."""
    url = _decoded_target(target)
    if url is None:
        raise ValueError("not a callback target")
    url = url.partition("#")[0]
    return quote(url, safe=_URL_CHARACTERS) if " " in url or not url.isascii() else url


def _decoded_target(text: str) -> str | None:
    """The target, decoded once if it came percent-encoded as a whole; None if it is none."""
    if len(text) > MAX_TARGET:
        return None
    if text[:8].lower().startswith(_ENCODED):
        try:
            text = unquote_to_bytes(text).decode("utf-8")
        except UnicodeError:
            return None
    found = _TARGET.fullmatch(text)
    if found is None or _CONTROL.search(text):
        return None
    port = found.group(1)
    if port is not None and not 0 < int(port) < 65_536:
        return None
    return text


def _joint(url: str) -> str:
    """What stands between the customer's URL and our parameters."""
    if "?" not in url:
        return "?"
    return "" if url[-1] in "?&" else "&"
