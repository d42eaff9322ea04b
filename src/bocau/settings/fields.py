"""What a field accepts, derived from its type: how a value is read, and how a wrong one is explained."""

import ipaddress
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, get_args

import msgspec
from msgspec import inspect

from bocau.core.nearest import did_you_mean
from bocau.settings.sections import Section, Settings
from bocau.settings.values import Secret

__all__ = ["Field", "Unfit", "fields_of", "many", "sections", "shown"]

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?")
_NAME: Final = re.compile(r"[a-z][a-z0-9-]*")
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_TLV: Final = re.compile(r"0x[0-9A-Fa-f]{1,4}=(?:[0-9A-Fa-f]{2}){0,255}")
_NETWORK_FIELD: Final = re.compile(r"0[xX][0-9A-Fa-f]{1,4}|[A-Za-z][A-Za-z0-9_-]{0,30}")
_NETWORKS: Final = re.compile(r"[^=]{1,32}=[1-7]")
_STATUS: Final = re.compile(r"(0x[0-9A-Fa-f]{1,8})(?:-(0x[0-9A-Fa-f]{1,8}))?=[a-z]+")
_URL: Final = re.compile(r"https?://[!-~]+")
_ORIGIN: Final = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")
"""As browsers write it: in small letters, the port only where it is not the usual one."""
_DIGITS: Final = re.compile(r"0[0-9]*")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_TRUTH: Final = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}
_TOML_KINDS: Final = {bool: "true or false", int: "a whole number", float: "a number", str: "text", list: "a list"}


class Unfit(Exception):  # noqa: N818 - a value is unfit; the text says why
    """A value does not fit its field; the message says what was expected and what was found."""


class Field(NamedTuple):
    """One field of a section."""

    name: str
    type: inspect.Type
    annotation: object
    description: str
    default: object
    required: bool
    extra: Mapping[str, Any]

    @property
    def secret(self) -> bool:
        """Whether its value must never be shown, and may be given as a file."""
        return isinstance(self.type, inspect.CustomType)

    def convert(self, value: object) -> object:
        """The value in the field's type. Raises Unfit."""
        if self.secret:
            if not isinstance(value, str):
                raise Unfit(f"must be text, not {_kind(value)}")
            _is_clean(value)
            _is_ascii(value)
            return Secret(value)
        try:
            found = msgspec.convert(value, self.annotation)
        except msgspec.ValidationError:
            raise Unfit(self._unfit(value)) from None
        form = _FORMS.get(self._form())
        for item in _items(found):
            if isinstance(item, float) and not math.isfinite(item):
                raise Unfit(self._unfit(value))
            if isinstance(item, str):
                _is_clean(item)
                if form is not None and not item == self.default == "":
                    form.check(item)
        return found

    def parse(self, text: str) -> object:
        """The value of a text from the environment or the command line. Raises Unfit."""
        return self.convert(_plain(self.type, text))

    def expected(self) -> str:
        """What the field takes, as the end of "must be ..."."""
        if isinstance(self.type, inspect.LiteralType):
            return _one_of(get_args(get_args(self.annotation)[0]))  # in the order they were written
        expected = _expected(self.type)
        form = _FORMS.get(self._form())
        return expected if form is None else expected.replace("text", form.called)

    def _form(self) -> str:
        """The name of the shape that the text (or each text of a list) must have."""
        item = self.type.item_type if isinstance(self.type, inspect.VarTupleType) else None
        extra = (item.extra or {}) if isinstance(item, inspect.Metadata) else self.extra
        return str(extra.get("form", ""))

    def _unfit(self, value: object) -> str:
        later = self.extra.get("later", ())
        if value in later:
            return f'"{value}" comes with a later version; in this version it must be {self.expected()}'
        hint = ""
        if isinstance(value, str) and not isinstance(self.type, inspect.StrType):
            if isinstance(self.type, inspect.LiteralType):
                hint = did_you_mean(value, [v for v in self.type.values if isinstance(v, str)])
            elif _reads(self, value):
                hint = "; leave out the quotation marks"
        return f"must be {self.expected()}, not {_literal(value)}{hint}"


def sections() -> dict[str, type[Section]]:
    """The tables of the file in order, with the struct of each."""
    found: dict[str, type[Section]] = {}
    for name, annotation in Settings.__annotations__.items():
        cls = annotation.__args__[0] if many(name) else annotation
        if isinstance(cls, type) and issubclass(cls, Section):
            found[name] = cls
    return found


def many(section: str) -> bool:
    """Whether the table may occur several times: [[carrier]], [[route]], [[trunk]]."""
    return section in ("carrier", "route", "trunk")


def fields_of(section: type[Section]) -> dict[str, Field]:
    """The fields of a section by name, in order."""
    info = inspect.type_info(section)
    assert isinstance(info, inspect.StructType)  # noqa: S101 - a Section is a Struct
    hints = section.__annotations__
    return {field.name: _field(field, hints[field.name]) for field in info.fields}


def shown(value: object) -> str:
    """A value as it would stand in the file; a secret masked."""
    if isinstance(value, Secret):
        return repr(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(map(shown, value)) + "]"
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{shown(key)} = {shown(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + "".join(c if c.isprintable() and c not in '"\\' else _escape(c) for c in value) + '"'
    return f"{value:g}" if isinstance(value, float) and abs(value) < 1e6 else str(value)


def _field(field: inspect.Field, annotation: object) -> Field:
    about = field.type if isinstance(field.type, inspect.Metadata) else inspect.Metadata(field.type)
    description = str((about.extra_json_schema or {}).get("description", ""))
    return Field(field.name, about.type, annotation, description, field.default, field.required, about.extra or {})


def _expected(kind: inspect.Type) -> str:
    match kind:
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType(ge=low, le=high):
            return f"a whole number{_bounds(low, high)}"
        case inspect.FloatType(ge=low, le=high):
            return f"a number{_bounds(low, high)}"
        case inspect.StrType(min_length=low, max_length=high):
            return f"text{_length(low, high)}"
        case inspect.LiteralType(values=values):
            return _one_of(values)
        case inspect.VarTupleType(item_type=item, min_length=low):
            inner = item.type if isinstance(item, inspect.Metadata) else item
            return f"a list{' with at least one item' if low else ''}, each {_expected(inner)}"
        case _:
            return "text"


def _one_of(words: Sequence[object]) -> str:
    *first, last = map(shown, words)
    return f"{', '.join(first)} or {last}" if first else last


def _bounds(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "" if low is None else f" of at least {low:g}"
    return f" from {shown(low)} to {shown(high)}"


def _length(low: int | None, high: int | None) -> str:
    if high is not None:
        return f" of {low or 0} to {high} signs"
    return " that is not empty" if low else ""


def _plain(kind: inspect.Type, text: str) -> object:
    """Text as the plain value that its field takes; the text itself where it cannot be read."""
    word = text.strip()
    match kind:
        case inspect.BoolType():
            return _TRUTH.get(word.lower(), text)
        case inspect.IntType():
            return int(word) if _WHOLE.fullmatch(word) else text
        case inspect.FloatType():
            return float(word) if _NUMBER.fullmatch(word) else text
        case inspect.LiteralType(values=values):
            return next((v for v in values if str(v) == word), text)
        case inspect.VarTupleType(item_type=item):
            inner = item.type if isinstance(item, inspect.Metadata) else item
            words = word.removeprefix("[").removesuffix("]").split(",")
            return [_plain(inner, w.strip()) for w in words if w.strip()]
        case inspect.DictType():
            pairs = [w.partition("=") for w in word.split(",") if w.strip()]
            return {key.strip(): value.strip() for key, _, value in pairs}
        case _:
            return text


def _reads(field: Field, text: str) -> bool:
    """Whether the text, without its quotation marks, would fit."""
    plain = _plain(field.type, text)
    return not isinstance(plain, str | list) and field.expected() != "text"


def _kind(value: object) -> str:
    return _TOML_KINDS.get(type(value), "a table" if isinstance(value, dict) else "a date")


def _literal(value: object) -> str:
    """A wrong value, short, with its kind where that is what is wrong."""
    if isinstance(value, bool | int | float):
        return shown(value)
    if isinstance(value, str):
        return f"the text {shown(value[:60])}" if value else "an empty text"
    return _kind(value) if not isinstance(value, list) else f"[{', '.join(_literal(v) for v in value[:10])}]"


def _items(found: object) -> tuple[object, ...]:
    """What a form looks at: each item of a list, each pair of a table as `key=value`, or the value itself."""
    if isinstance(found, Mapping):
        return tuple(f"{key}={value}" for key, value in found.items())
    return found if isinstance(found, tuple) else (found,)


def _is_host(text: str) -> None:
    if "://" in text or "/" in text:
        raise Unfit(f"must be a host alone, not {shown(text)}; leave out the scheme and the path")
    if text.count(":") == 1:
        raise Unfit(f"must be a host alone, not {shown(text)}; the port has a key of its own")
    if ":" in text or all(part.isdigit() for part in text.split(".")):
        try:
            ipaddress.ip_address(text)
        except ValueError:
            raise Unfit(f"must be an address or a host name, not {shown(text)}") from None
    elif not _HOST.fullmatch(text) or len(text) > 253:
        raise Unfit(f"must be an address or a host name, not {shown(text)}")


def _is_address(text: str) -> None:
    try:
        if text:
            ipaddress.ip_address(text)
    except ValueError:
        raise Unfit(f"must be an address such as 192.0.2.7, not {shown(text)}") from None


def _is_name(text: str) -> None:
    if not _NAME.fullmatch(text):
        raise Unfit(f"must be small letters, digits and hyphens, beginning with a letter, not {shown(text)}")


def _is_network(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        try:
            meant = str(ipaddress.ip_network(text, strict=False))
        except ValueError:
            raise Unfit(f'must be a network such as "10.2.0.0/16", not {shown(text)}') from None
        raise Unfit(f"{shown(text)} names a host inside a network; did you mean {shown(meant)}?") from None


def _is_origin(text: str) -> None:
    if text != "*" and not _ORIGIN.fullmatch(text):
        raise Unfit(f"must be a site such as https://shop.example, without a path, or *, not {shown(text)}")


def _is_ascii(text: str) -> None:
    if not text.isascii():
        raise Unfit("must be ASCII signs only")


def _is_url(text: str) -> None:
    if not _URL.fullmatch(text):
        raise Unfit(f"must be an address such as https://sms.example.net, not {shown(text)}")


def _is_digits(text: str) -> None:
    if not _DIGITS.fullmatch(text):
        raise Unfit(f"must be digits that begin with 0, not {shown(text)}")


def _is_clean(text: str) -> None:
    if _CONTROL.search(text):
        raise Unfit("has control characters in it, or is not UTF-8")


def _is_tlv(text: str) -> None:
    if not _TLV.fullmatch(text):
        raise Unfit(f'must be pairs such as {{ "0x1401" = "00ff" }}, not {shown(text)}')


def _is_status(text: str) -> None:
    found = _STATUS.fullmatch(text)
    if found is None or (found[2] and int(found[2], 16) < int(found[1], 16)):
        raise Unfit(f'must be pairs such as {{ "0x00000058" = "throttle" }}, not {shown(text)}')


def _is_network_field(text: str) -> None:
    if text and not _NETWORK_FIELD.fullmatch(text):
        raise Unfit(f'must be a tag such as "0x1403" or a key such as "mccmnc", not {shown(text)}')


def _is_networks(text: str) -> None:
    if not _NETWORKS.fullmatch(text):
        raise Unfit(f'must be pairs such as {{ "VTL" = 1 }}, each to a network from 1 to 7, not {shown(text)}')


class _Form(NamedTuple):
    """A shape that a text must have beyond its length."""

    called: str
    check: Callable[[str], None]


_FORMS: Final[Mapping[str, _Form]] = {
    "host": _Form("a host name or address", _is_host),
    "address": _Form("an address", _is_address),
    "name": _Form("a name (small letters, digits, hyphens)", _is_name),
    "network": _Form("a network such as `10.2.0.0/16`", _is_network),
    "url": _Form("an http or https address", _is_url),
    "origin": _Form("a site such as `https://shop.example`, or `*`", _is_origin),
    "digits": _Form("the first digits of a number, as `090`", _is_digits),
    "ascii": _Form("ASCII text", _is_ascii),
    "tlv": _Form('a table such as `{ "0x1401" = "00ff" }`', _is_tlv),
    "network_field": _Form("a tag such as `0x1403` or a key such as `mccmnc`", _is_network_field),
    "networks": _Form('a table such as `{ "VTL" = 1 }`, to the id of a network', _is_networks),
    "status": _Form(
        'a table such as `{ "0x00000058" = "throttle", "0x0400-0x04FF" = "temporary" }`, '
        "to taken, temporary, permanent or throttle",
        _is_status,
    ),
}


def _escape(sign: str) -> str:
    return f"\\{sign}" if sign in '"\\' else f"\\u{ord(sign):04X}" if ord(sign) <= 0xFFFF else f"\\U{ord(sign):08X}"
