"""The send request: one value, whatever the form it came in (esms-api 2.1, 3.1)."""

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

from bocau.wire.esms import names, parameters

__all__ = ["SendRequest", "decode_send", "send_of"]

_TRUE: Final = frozenset({"1", "true"})
_UNSET: Final = frozenset({"", "0"})


class SendRequest(msgspec.Struct, frozen=True, gc=False):
    """What a customer asks to send. Absent, empty and null are all the empty text; nothing is checked yet."""

    api_key: str = ""
    secret_key: str = ""
    content: str = ""
    phone: str = ""
    """As it came; one number or several (section 7, rows U and V)."""
    brandname: str = ""
    sms_type: str = ""
    unicode: bool = False
    """IsUnicode, or Unicode where IsUnicode is absent (section 7, row A)."""
    sandbox: bool = False
    request_id: str = ""
    send_date: str = ""
    """As it came; `dates.parse_send_date` reads it."""
    campaign_id: str = ""
    callback_url: str = ""
    """As it came; `callback.is_callback_target` judges it."""
    charset: str = "utf-8"
    """What the bytes were taken for; anything but utf-8 deserves a warning (esms-api 1.3 step 1)."""
    text_name: str = "Content"
    """The parameter that the text came in, as a refusal names it."""
    recording: int = 0
    """The recording that a call plays instead of a text; 0: none."""
    voice: str = ""
    """Of a call (esms-api 4.1); empty: the operator's choice."""
    speed: int = 0
    """Of a call, -3 to 3."""
    called: bool = False
    """It came by an operation for calls (esms-api 4.1), and its callback has their shape."""

    def __repr__(self) -> str:
        """Without keys, text, number and URL: a request may reach a log or a traceback (promises S1)."""
        return (
            f"SendRequest(sms_type={self.sms_type[:3]!r}, sandbox={self.sandbox}, content_length={len(self.content)})"
        )


_Scalar = str | Annotated[int, msgspec.Meta(ge=0, le=99)]


class _Documented(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The body as the seed pages spell it. Anything else is left to the general decoder, which is slower."""

    ApiKey: str = ""
    SecretKey: str = ""
    Content: str = ""
    Phone: str = ""
    Brandname: str = ""
    SmsType: _Scalar = ""
    IsUnicode: _Scalar = ""
    Unicode: _Scalar = ""
    Sandbox: _Scalar = ""
    RequestId: str = ""
    SendDate: str = ""
    campaignid: str = ""
    CallbackUrl: str = ""


_DOCUMENTED: Final = msgspec.json.Decoder(_Documented)


def decode_send(body: bytes, query: bytes = b"") -> SendRequest:
    """Decode a send from a JSON, XML or form body and a query (without its question mark).

    For a GET, pass an empty body. Raises names.Malformed, and only that, for bytes that hold no parameters.
    """
    if not query and b"\\u0000" not in body:
        try:
            members = _DOCUMENTED.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            members = None
        if members is not None:
            return _from_documented(members)
    return send_of(parameters.decode(body, query))


def _from_documented(members: _Documented) -> SendRequest:
    """The request in a body that is spelled as documented."""
    flag = members.IsUnicode if members.IsUnicode != "" else members.Unicode
    sms_type, sandbox = members.SmsType, members.Sandbox
    return SendRequest(
        members.ApiKey,
        members.SecretKey,
        members.Content,
        members.Phone,
        members.Brandname,
        sms_type.strip() if isinstance(sms_type, str) else str(sms_type),
        _flag(flag) if isinstance(flag, str) else flag == 1,
        _flag(sandbox) if isinstance(sandbox, str) else sandbox == 1,
        members.RequestId.strip(),
        members.SendDate.strip(),
        members.campaignid,
        members.CallbackUrl.strip(),
    )


def send_of(values: Mapping[str, str]) -> SendRequest:
    """The request in plain parameters, by canonical name."""
    get = values.get
    return SendRequest(
        get("apikey", ""),
        get("secretkey", ""),
        get("content", ""),
        get("phone", ""),
        get("brandname", ""),
        get("smstype", "").strip(),
        _flag(get("isunicode") or get("unicode", "")),
        _flag(get("sandbox", "")),
        get("requestid", "").strip(),
        get("senddate", "").strip(),
        get("campaignid", ""),
        get("callbackurl", "").strip(),
        get(names.CHARSET, "utf-8"),
    )


def _flag(value: str) -> bool:
    """Whether a flag is set: "1" or "true" in any case."""
    return value not in _UNSET and (value in _TRUE or value.strip().lower() in _TRUE)
