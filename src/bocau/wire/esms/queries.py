"""The questions a customer may ask, as values (esms-api 3.5 to 3.10, 4.2). Nothing is checked yet."""

from typing import Final, NamedTuple

from bocau.wire.esms import parameters
from bocau.wire.esms.names import SEND_NAMES, Vocabulary
from bocau.wire.esms.send import SendRequest, send_of

__all__ = [
    "CodeQuery",
    "Keys",
    "KeysOnly",
    "PriceQuery",
    "SentQuery",
    "StatusQuery",
    "TemplateQuery",
    "decode_code",
    "decode_keys",
    "decode_price",
    "decode_price_advertising",
    "decode_sent",
    "decode_sent_paged",
    "decode_status",
    "decode_templates",
]

_Arguments = tuple[str, ...]

_KEYS: Final = ("apikey", "secretkey")
_KEY_NAMES: Final = Vocabulary(*_KEYS)
_STATUS_NAMES: Final = Vocabulary(*_KEYS, "refid", "referenceid", "smsid")
_TEMPLATE_NAMES: Final = Vocabulary(*_KEYS, "smstype", "brandname")
_SENT_NAMES: Final = Vocabulary(*_KEYS, "from", "to", "smstype", "page", "pagesize")
_CODE_NAMES: Final = Vocabulary(*_KEYS, "phone", "code")

_FIRST_PAGE: Final = "1"
_LARGEST_PAGE: Final = "500"


class Keys(NamedTuple):
    """Who asks."""

    api_key: str
    secret_key: str

    def __repr__(self) -> str:
        """Without the keys (promises S1)."""
        return "Keys(...)"


class KeysOnly(NamedTuple):
    """A question about the account itself."""

    keys: Keys


class StatusQuery(NamedTuple):
    """A question about one request."""

    keys: Keys
    smsid: str
    """As it was sent, trimmed."""
    voice: bool = False
    """It came as ReferenceId, so the caller expects the voice shape (esms-api 3.5, 4.1)."""


class TemplateQuery(NamedTuple):
    """GetTemplate: which brandname's."""

    keys: Keys
    brandname: str
    sms_type: str


class SentQuery(NamedTuple):
    """The report of what was sent: every value as text, as it came, trimmed."""

    keys: Keys
    since: str
    until: str
    sms_type: str
    page: str
    page_size: str


class PriceQuery(NamedTuple):
    """What a send would cost."""

    keys: Keys
    request: SendRequest


class CodeQuery(NamedTuple):
    """Whether a code is the one that was sent to a phone."""

    keys: Keys
    phone: str
    code: str

    def __repr__(self) -> str:
        """Without the code."""
        return "CodeQuery(...)"


def decode_keys(body: bytes, query: bytes = b"", arguments: _Arguments = ()) -> KeysOnly:
    """The keys of a question, from its path arguments (ApiKey, SecretKey) where given, else from body and query.

    Missing keys are empty. Raises names.Malformed, as all of these do.
    """
    if len(arguments) == 2 and all(arguments):
        return KeysOnly(Keys(*arguments))
    return KeysOnly(_keys(parameters.decode(body, query, _KEY_NAMES)))


def decode_status(body: bytes, query: bytes = b"", _arguments: _Arguments = ()) -> StatusQuery:
    """A question about one request; RefId wins over ReferenceId and SMSID."""
    values = parameters.decode(body, query, _STATUS_NAMES)
    refid = _plain(values, "refid")
    if refid:
        return StatusQuery(_keys(values), refid)
    reference = _plain(values, "referenceid")
    return StatusQuery(_keys(values), reference or _plain(values, "smsid"), voice=reference != "")


def decode_templates(body: bytes, query: bytes = b"", _arguments: _Arguments = ()) -> TemplateQuery:
    """GetTemplate. Without a type it is 2, the only one that has templates."""
    values = parameters.decode(body, query, _TEMPLATE_NAMES)
    return TemplateQuery(_keys(values), _plain(values, "brandname"), _plain(values, "smstype") or "2")


def decode_sent(body: bytes, query: bytes = b"", _arguments: _Arguments = ()) -> SentQuery:
    """GetSmsSentData_V1, where Page and PageSize may be missing."""
    asked = decode_sent_paged(body, query)
    return asked._replace(page=asked.page or _FIRST_PAGE, page_size=asked.page_size or _LARGEST_PAGE)


def decode_sent_paged(body: bytes, query: bytes = b"", _arguments: _Arguments = ()) -> SentQuery:
    """GetSmsSentData_V2."""
    values = parameters.decode(body, query, _SENT_NAMES)
    return SentQuery(
        _keys(values),
        _plain(values, "from"),
        _plain(values, "to"),
        _plain(values, "smstype"),
        _plain(values, "page"),
        _plain(values, "pagesize"),
    )


def decode_price(body: bytes, query: bytes = b"", _arguments: _Arguments = ()) -> PriceQuery:
    """SummaryMultipleMessage_V4_get: a send that is only priced."""
    values = parameters.decode(body, query, SEND_NAMES)
    return PriceQuery(_keys(values), send_of(values))


def decode_price_advertising(body: bytes, query: bytes = b"", _arguments: _Arguments = ()) -> PriceQuery:
    """SummaryMultipleSMSBrandname: the same for type 1, whether the request names it or not."""
    values = {"smstype": "1", **parameters.decode(body, query, SEND_NAMES)}
    return PriceQuery(_keys(values), send_of(values))


def decode_code(body: bytes, query: bytes = b"", _arguments: _Arguments = ()) -> CodeQuery:
    """CheckCodeGen_V4_get."""
    values = parameters.decode(body, query, _CODE_NAMES)
    return CodeQuery(_keys(values), _plain(values, "phone"), _plain(values, "code"))


def _keys(values: dict[str, str]) -> Keys:
    """The keys among the parameters."""
    return Keys(values.get("apikey", ""), values.get("secretkey", ""))


def _plain(values: dict[str, str], name: str) -> str:
    """A parameter, trimmed; empty if it is missing."""
    return values.get(name, "").strip()
