"""From a body and a query to plain parameters: canonical name -> text, whatever the form (esms-api 1.3).

The form is decided by the first byte of the body, never by a Content-Type. Everything that cannot be decoded raises
`Malformed` and nothing else; no exception carries a piece of the body, because bodies hold keys and codes.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec

from bocau.wire.esms.markup import read_xml
from bocau.wire.esms.names import CHARSET, MAX_DEPTH, MAX_DIGITS, MAX_PAIRS, SEND_NAMES, Malformed, Vocabulary

__all__ = ["decode"]

_ENDLESS: Final = Decimal(10) ** MAX_DIGITS
_TOO_BIG: Final = 10**MAX_DIGITS
_BLANKS: Final = b" \t\r\n"
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_DIGITS: Final = "0123456789"


def decode(body: bytes, query: bytes = b"", vocabulary: Vocabulary = SEND_NAMES) -> dict[str, str]:
    """The parameters of a request by canonical name; names outside the vocabulary are left out.

    `body` is JSON (first byte `{`), XML (`<`) or a form; for a GET, pass an empty one. `query` comes without its
    question mark.
    A non-empty body value wins over the query; of two spellings of one name in one place the last wins. Numbers come
    in plain form (2.0 is "2"), true is "1", false "0", null "". If the body or query was not UTF-8, `CHARSET` names
    what it was taken for. Raises Malformed.
    """
    values = _form(query, vocabulary) if query else None
    if not body:
        return values or {}
    found = _body(body, vocabulary)
    if not values:
        return found
    values.update({name: value for name, value in found.items() if value})
    return values


def _body(body: bytes, vocabulary: Vocabulary) -> dict[str, str]:
    """The parameters of a body, by its first byte."""
    if body[0] != 0x7B:
        if body.startswith(_UTF16_MARKS):
            raise Malformed("the body is UTF-16")
        body = body.removeprefix(_UTF8_MARK).strip(_BLANKS)
        if not body:
            return {}
    return _DECODERS.get(body[0], _form_body)(body, vocabulary)


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


def _json(body: bytes, vocabulary: Vocabulary) -> dict[str, str]:
    """The parameters of a JSON body."""
    members, charset = _members(body), "utf-8"
    if members is None:
        text, charset = _text(body)
        members = _members(text.encode())
        if members is None:
            raise Malformed("the body is not text")
    if b"\\u0000" in body:
        _refuse_nul(members)
    values = dict(_scalars(members, vocabulary))
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


def _scalars(members: dict[str, Any], vocabulary: Vocabulary) -> Iterator[tuple[str, str]]:
    """The known members as (canonical name, text), in the order they came."""
    texts = vocabulary.texts
    for spelling, value in members.items():
        name = texts.get(spelling) or vocabulary.fold(spelling)
        if type(value) is str:
            if name is not None:
                yield name, value
        elif isinstance(value, dict | list):
            _measure(value, 2)
            if name is not None:
                raise Malformed("a plain value was expected")
        else:
            text = _scalar(value)
            if name is not None:
                yield name, text


def _scalar(value: object) -> str:
    """A JSON scalar in plain text form. Raises Malformed for an integer that is too long."""
    if value is None or value is False:
        return "" if value is None else "0"
    if value is True:
        return "1"
    if isinstance(value, int) and not -_TOO_BIG < value < _TOO_BIG:
        raise Malformed("a number is too long")
    return str(value)


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


# --- XML, forms and queries ------------------------------------------------------------------------------------------


def _xml(body: bytes, vocabulary: Vocabulary) -> dict[str, str]:
    """The parameters of an XML body. Raises Malformed."""
    text, charset = _text(body)
    values = read_xml(text, vocabulary)
    if charset != "utf-8":
        values[CHARSET] = charset
    return values


def _no_object(body: bytes, vocabulary: Vocabulary) -> dict[str, str]:
    """A JSON array, which no operation takes."""
    del body, vocabulary
    raise Malformed("the body is not a JSON object")


def _form_body(body: bytes, vocabulary: Vocabulary) -> dict[str, str]:
    """A body that is neither JSON nor XML; without a single `=` it is no form either. Raises Malformed."""
    if b"=" not in body:
        raise Malformed("the body is no form")
    return _form(body, vocabulary)


def _form(raw: bytes, vocabulary: Vocabulary) -> dict[str, str]:
    """The parameters of a form or a query. A bad escape stays literal. Raises Malformed."""
    if raw.count(b"&") >= MAX_PAIRS:
        raise Malformed("too many parameters")
    if b"\0" in raw or b"%00" in raw:
        raise Malformed("U+0000 in a text")
    names = vocabulary.octets
    values: dict[str, str] = {}
    for pair in raw.split(b"&"):
        spelling, _, value = pair.partition(b"=")
        name = names.get(spelling) or _fold_octets(spelling, names)
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


def _fold_octets(spelling: bytes, names: Mapping[bytes, str]) -> str | None:
    """The canonical name of an unusual spelling in a form; None for a name that the operation does not read."""
    plain = unquote_to_bytes(spelling) if b"%" in spelling else spelling
    return names.get(plain.lower())


_DECODERS: Final[dict[int, Callable[[bytes, Vocabulary], dict[str, str]]]] = {
    0x7B: _json,
    0x5B: _no_object,
    0x3C: _xml,
}
"""First byte of a body -> its decoder; everything else is a form."""
