"""From a body and a query to plain parameters: canonical name -> text, whatever the form (esms-api 1.3).

The form is decided by the first byte of the body, never by a Content-Type. Everything that cannot be decoded raises
`Malformed` and nothing else; no exception carries a piece of the body, because bodies hold keys and codes.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec

__all__ = ["CHARSET", "MAX_DEPTH", "MAX_DIGITS", "MAX_PAIRS", "NAMES", "Malformed", "decode"]

MAX_DEPTH: Final = 32
"""Objects and arrays inside each other, the outermost included (promises, section 3)."""
MAX_PAIRS: Final = 200
"""Name=value pairs in a form or a query (promises, section 3)."""
MAX_DIGITS: Final = 20
"""Digits of a JSON number (promises, section 3)."""

CHARSET: Final = "charset"
"""The key under which `decode` reports a charset other than UTF-8; no parameter of the API has this name."""


class Malformed(Exception):  # noqa: N818 - what the request is, as the caller reads it
    """The request cannot be decoded: HTTP 400 with the infrastructure body. The text is safe to log."""


# Canonical name -> the other documented or seen spellings; case never matters.
_SPELLINGS: Final[dict[str, tuple[str, ...]]] = {
    "apikey": ("ApiKey", "Apikey", "APIKEY"),
    "secretkey": ("SecretKey", "Secretkey", "SECRETKEY"),
    "content": ("Content", "CONTENT"),
    "phone": ("Phone", "PHONE"),
    "phones": ("Phones",),
    "brandname": ("Brandname", "BrandName", "BRANDNAME"),
    "smstype": ("SmsType", "SMSTYPE"),
    "servicetype": ("ServiceType", "SERVICETYPE"),
    "isunicode": ("IsUnicode", "ISUNICODE"),
    "unicode": ("Unicode", "UNICODE"),
    "sandbox": ("Sandbox", "SandBox", "SANDBOX", "IsSandbox", "IsSandBox", "issandbox"),
    "requestid": ("RequestId", "RequestID", "REQUESTID"),
    "senddate": ("SendDate", "SENDDATE"),
    "campaignid": ("campaignId", "CampaignId", "Campaignid", "CAMPAIGNID"),
    "callbackurl": ("CallbackUrl", "CallBackUrl", "CallbackURL", "CALLBACKURL"),
    "refid": ("RefId", "RefID", "REFID"),
    "referenceid": ("ReferenceId", "ReferenceID"),
    "smsid": ("SMSID", "SmsId", "SmsID"),
}

NAMES: Final[dict[str, str]] = {
    spelling: name for name, others in _SPELLINGS.items() for spelling in (name, name.upper(), *others)
}
"""Every spelling met in practice -> canonical name. Others are found by their lower-case form."""

_NAMES_IN_BYTES: Final = {spelling.encode(): name for spelling, name in NAMES.items()}
_LISTS: Final = frozenset({"phones"})
_ENDLESS: Final = Decimal(10) ** MAX_DIGITS
_TOO_BIG: Final = 10**MAX_DIGITS
_BLANKS: Final = b" \t\r\n"
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_DIGITS: Final = "0123456789"
_REFUSED: Final = {0x5B: "the body is not a JSON object", 0x3C: "the body is XML"}
"""First byte of a body -> why no operation of the table takes it."""


def decode(body: bytes, query: bytes = b"") -> dict[str, str]:
    """The parameters of a request by canonical name; names bocau does not know are left out.

    `body` is JSON (first byte `{`) or a form; for a GET, pass an empty one. `query` comes without its question mark.
    A non-empty body value wins over the query; of two spellings of one name in one place the last wins. Numbers come
    in plain form (2.0 is "2"), true is "1", false "0", null "". If the body or query was not UTF-8, `CHARSET` names
    what it was taken for. Raises Malformed.
    """
    values = _form(query) if query else None
    if not body:
        return values or {}
    found = _body(body)
    if not values:
        return found
    values.update({name: value for name, value in found.items() if value})
    return values


def _body(body: bytes) -> dict[str, str]:
    """The parameters of a body, by its first byte."""
    if body[0] != 0x7B:
        if body.startswith(_UTF16_MARKS):
            raise Malformed("the body is UTF-16")
        body = body.removeprefix(_UTF8_MARK).strip(_BLANKS)
        if not body:
            return {}
    refusal = _REFUSED.get(body[0])
    if refusal is not None:
        raise Malformed(refusal)
    return _DECODERS.get(body[0], _form_body)(body)


def _text(raw: bytes) -> tuple[str, str]:
    """Bytes as (text, charset): UTF-8, else windows-1258, else latin-1. Raises Malformed for encoded surrogates."""
    for charset in ("utf-8", "cp1258", "latin-1"):
        try:
            text = raw.decode(charset)
        except UnicodeDecodeError:
            continue
        if charset != "utf-8" and _holds_surrogates(raw):
            break
        return text, charset
    raise Malformed("a lone surrogate")


def _holds_surrogates(raw: bytes) -> bool:
    """Whether bytes that are not UTF-8 would be, if surrogates were characters."""
    try:
        raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


# --- JSON ------------------------------------------------------------------------------------------------------------


def _plain_number(token: str) -> str:
    """A JSON number that is not an integer, in plain form: 2.0 is "2", 1.5e3 is "1500". Raises Malformed."""
    if len(token) > MAX_DIGITS and sum(character in _DIGITS for character in token) > MAX_DIGITS:
        raise Malformed("a number is too long")
    try:
        number = Decimal(token)
    except InvalidOperation:  # an exponent beyond what even Decimal holds
        number = _ENDLESS
    if not number:
        return "0"
    if not -MAX_DIGITS <= number.adjusted() < MAX_DIGITS:
        raise Malformed("a number is too long")
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


_JSON: Final = msgspec.json.Decoder(dict[str, Any], float_hook=_plain_number)


def _json(body: bytes) -> dict[str, str]:
    """The parameters of a JSON body."""
    members, charset = _members(body), "utf-8"
    if members is None:
        text, charset = _text(body)
        members = _members(text.encode())
        if members is None:
            raise Malformed("the body is not text")
    if b"\\u0000" in body:
        _refuse_nul(members)
    values = dict(_scalars(members))
    if charset != "utf-8":
        values[CHARSET] = charset
    return values


def _members(body: bytes) -> dict[str, Any] | None:
    """The members of a JSON object; None if the bytes are not UTF-8. Raises Malformed."""
    fault = "the body is not a JSON object"
    try:
        return _JSON.decode(body)
    except UnicodeDecodeError:
        return None
    except Malformed as error:
        fault = str(error)
    except msgspec.DecodeError:
        pass
    except RecursionError:
        fault = "the body is nested too deeply"
    # Raised outside the handlers, so that no decoder's error, which may quote the body, hangs on to it.
    raise Malformed(fault)


def _scalars(members: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The known members as (canonical name, text), in the order they came."""
    for spelling, value in members.items():
        name = NAMES.get(spelling) or _fold(spelling)
        if type(value) is str:
            if name is not None:
                yield name, value
        elif isinstance(value, dict | list):
            _measure(value, 2)
            if name is not None:
                yield name, _listed(name, value)
        else:
            text = _scalar(value)
            if name is not None:
                yield name, text


def _fold(spelling: str) -> str | None:
    """The canonical name of an unusual spelling; None for a name bocau does not know."""
    return NAMES.get(spelling.lower()) if spelling.isascii() else None


def _scalar(value: object) -> str:
    """A JSON scalar in plain text form. Raises Malformed for an integer that is too long."""
    if value is None or value is False:
        return "" if value is None else "0"
    if value is True:
        return "1"
    if isinstance(value, int) and not -_TOO_BIG < value < _TOO_BIG:
        raise Malformed("a number is too long")
    return str(value)


def _listed(name: str, value: dict[str, Any] | list[Any]) -> str:
    """A list of scalars as one comma-separated text, where the API takes a list; a nested scalar is malformed."""
    if name not in _LISTS or isinstance(value, dict) or any(isinstance(item, dict | list) for item in value):
        raise Malformed("a plain value was expected")
    return ",".join(_scalar(item) for item in value)


def _measure(value: dict[str, Any] | list[Any], depth: int) -> None:
    """Hold a nested value, known or not, to the caps. Raises Malformed."""
    if depth > MAX_DEPTH:
        raise Malformed("the body is nested too deeply")
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            _measure(item, depth + 1)
        elif type(item) is int:
            _scalar(item)


def _refuse_nul(value: object, depth: int = 1) -> None:
    """Raise Malformed if any text, name or value, at any depth holds U+0000 (promises M11)."""
    if depth > MAX_DEPTH:
        raise Malformed("the body is nested too deeply")
    if isinstance(value, str):
        if "\0" in value:
            raise Malformed("U+0000 in a text")
    elif isinstance(value, dict):
        for name, item in value.items():
            _refuse_nul(name, depth)
            _refuse_nul(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _refuse_nul(item, depth + 1)


# --- forms and queries -----------------------------------------------------------------------------------------------


def _form_body(body: bytes) -> dict[str, str]:
    """A body that is neither JSON nor XML; without a single `=` it is no form either. Raises Malformed."""
    if b"=" not in body:
        raise Malformed("the body is no form")
    return _form(body)


def _form(raw: bytes) -> dict[str, str]:
    """The parameters of a form or a query. A bad escape stays literal. Raises Malformed."""
    if raw.count(b"&") >= MAX_PAIRS:
        raise Malformed("too many parameters")
    if b"\0" in raw or b"%00" in raw:
        raise Malformed("U+0000 in a text")
    values: dict[str, str] = {}
    for pair in raw.split(b"&"):
        spelling, _, value = pair.partition(b"=")
        name = _NAMES_IN_BYTES.get(spelling) or _fold_bytes(spelling)
        if name is None:
            continue
        if b"+" in value:
            value = value.replace(b"+", b" ")
        if b"%" in value:
            value = unquote_to_bytes(value)
        values[name], charset = _text(value)
        if charset != "utf-8":
            values[CHARSET] = charset
    return values


def _fold_bytes(spelling: bytes) -> str | None:
    """The canonical name of an unusual spelling in a form; None for a name bocau does not know."""
    plain = unquote_to_bytes(spelling) if b"%" in spelling else spelling
    return _NAMES_IN_BYTES.get(plain.lower())


_DECODERS: Final[dict[int, Callable[[bytes], dict[str, str]]]] = {0x7B: _json}
"""First byte of a body -> its decoder; everything else is a form."""
