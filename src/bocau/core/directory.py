"""Who may send what: accounts, keys, brandnames, templates and prices, as one immutable value.

The door reads it without I/O. A change in the store makes a new one; nothing in it is ever altered in place.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple, TypeVar

from bocau.core.limits import UNLIMITED, LimitRow, Limits, with_own
from bocau.core.numbering import Numbering, shipped
from bocau.core.template import Difference, Template, TemplateError, nearest
from bocau.core.words import Words

__all__ = [
    "Account",
    "AccountRow",
    "BlockedRow",
    "Brandname",
    "BrandnameRow",
    "CallTemplateRow",
    "Directory",
    "DirectoryRows",
    "Key",
    "KeyRow",
    "Network",
    "NetworkRow",
    "PriceRow",
    "RecordingRow",
    "RegisteredTemplate",
    "Scope",
    "TemplateRow",
    "build",
    "hash_secret",
    "nearest_registered",
]


class AccountRow(NamedTuple):
    """An account as stored."""

    id: int
    name: str
    state: str
    """active or locked"""
    balance: int
    credit_limit: int
    unicode_policy: str
    """strip, auto, reject, or empty for the setting's default"""
    type8_channel: str = ""
    """voice, sms, voice_then_sms, or empty for the setting's default"""


class Scope(StrEnum):
    """What a key may be used for."""

    SEND = "send"
    QUERY = "query"
    """Questions: status, balance and the like."""


class KeyRow(NamedTuple):
    """An API key as stored; the secret only as a keyed hash."""

    api_key: str
    account_id: int
    secret_hash: bytes
    state: str
    """active or disabled"""
    scopes: str = "query,send"
    """What it may be used for, parted by commas."""
    brandname: str = ""
    """The only brandname it may send from; empty: any of the account, and type 8."""
    expires_ms: int | None = None
    """From then on it is as good as disabled."""


class BrandnameRow(NamedTuple):
    """A registered sender name of one account for one SmsType."""

    account_id: int
    sms_type: int
    name: str
    state: str
    """active or disabled"""


class TemplateRow(NamedTuple):
    """A registered text pattern of one brandname on one network."""

    id: int
    account_id: int
    sms_type: int
    brandname: str
    telco: int
    content: str
    route_class: str
    """otp or other"""


class PriceRow(NamedTuple):
    """Price of one part. account_id 0 is the price list of every account without one of its own."""

    account_id: int
    sms_type: int
    telco: int
    """0: every network without a price of its own"""
    price: int


class NetworkRow(NamedTuple):
    """A network that requests of an account, or of one of its keys, may come from."""

    account_id: int
    api_key: str
    """Empty: every key of the account."""
    network: str


class BlockedRow(NamedTuple):
    """A number or a word that nothing is accepted for. account_id 0: for every account."""

    account_id: int
    kind: str
    """number or word"""
    value: str
    """Ten digits; or a word in the form of words.plain_word."""


class CallTemplateRow(NamedTuple):
    """What a call by template says."""

    id: int
    account_id: int
    content: str


class RecordingRow(NamedTuple):
    """A recording that calls may play; the sound itself stays in the store."""

    id: int
    account_id: int
    name: str


class DirectoryRows(NamedTuple):
    """Everything the directory is built from, with the version it had in the store."""

    version: int
    accounts: tuple[AccountRow, ...]
    keys: tuple[KeyRow, ...]
    brandnames: tuple[BrandnameRow, ...]
    templates: tuple[TemplateRow, ...]
    prices: tuple[PriceRow, ...]
    limits: tuple[LimitRow, ...] = ()
    networks: tuple[NetworkRow, ...] = ()
    blocked: tuple[BlockedRow, ...] = ()
    call_templates: tuple[CallTemplateRow, ...] = ()
    recordings: tuple[RecordingRow, ...] = ()


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class RegisteredTemplate:
    """A template ready to match."""

    id: int
    template: Template
    route_class: str


def nearest_registered(rows: Sequence[RegisteredTemplate], text: str) -> tuple[RegisteredTemplate, Difference] | None:
    """The template that a text follows furthest, and where it leaves it; None if it follows one, or there is none."""
    found = nearest([row.template for row in rows], text)
    if found is None:
        return None
    template, difference = found
    return next(row for row in rows if row.template is template), difference


@dataclass(frozen=True, slots=True)
class Brandname:
    """A sender name with the templates it may send, by network."""

    name: str
    active: bool
    templates: Mapping[int, tuple[RegisteredTemplate, ...]]


@dataclass(frozen=True, slots=True)
class Account:
    """Who pays, with everything the checks ask about."""

    id: int
    name: str
    active: bool
    unicode_policy: str
    brandnames: Mapping[tuple[int, str], Brandname]
    """By (SmsType, exact name)."""
    folded: Mapping[tuple[int, str], Brandname | None]
    """By (SmsType, lower-case name), None where two differ only in case (esms-api 7, row K). Lower case, unlike case
    folding, keeps look-alikes apart: a long s is no s (promises, section 3)."""
    prices: Mapping[tuple[int, int], int]
    """By (SmsType, network); network 0 for all others."""
    limits: Limits = UNLIMITED
    blocked_numbers: tuple[frozenset[str], ...] = ()
    """Everybody's list and the account's own, those that are not empty."""
    blocked_words: tuple[Words, ...] = ()
    """Likewise."""
    counted: bool = False
    """Whether messages to numbers are limited, so that somebody must count them."""
    guarded: bool = False
    """Whether any of that stands between a message and its templates."""
    call_templates: Mapping[int, str] = field(default_factory=dict)
    """Texts by TemplateId."""
    recordings: Mapping[int, str] = field(default_factory=dict)
    """Names by the TemplateId of a recording."""
    type8_channel: str = ""
    """See AccountRow."""

    def brandname(self, sms_type: int, name: str) -> Brandname | None:
        """The brandname by exact spelling, else by any case if that is unique."""
        return self.brandnames.get((sms_type, name)) or self.folded.get((sms_type, name.lower()))

    def price(self, sms_type: int, telco: int) -> int | None:
        """Price of one part, 1/10,000 VND; None if no price list covers it (102)."""
        found = self.prices.get((sms_type, telco))
        return self.prices.get((sms_type, 0)) if found is None else found


@dataclass(frozen=True, slots=True)
class Key:
    """An API key and its account."""

    account: Account
    secret_hash: bytes
    active: bool
    api_key: str = ""
    scopes: frozenset[str] = frozenset(Scope)
    brandname: str = ""
    """The only one it may send from; empty: any."""
    expires_ms: int = 1 << 62
    networks: tuple[Network, ...] = ()
    """Where its requests may come from; empty: from anywhere."""


_NOBODY: Final = Key(Account(0, "", False, "", {}, {}, {}), b"\0" * 32, False)
"""Stands in for a key that is not there."""


def hash_secret(pepper: bytes, secret: bytes) -> bytes:
    """Keyed BLAKE2b of an API secret, 32 bytes, under a key kept outside the store (`pepper`, at most 64 bytes).

    A keyed hash, not a slow one: it is made for every request (promises M14). BLAKE2 takes the key by design and costs
    a fifth of HMAC-SHA-256 here.
    """
    return hashlib.blake2b(secret, key=pepper, digest_size=32).digest()


class Directory:
    """The whole of it. Look-ups are dictionary reads."""

    __slots__ = ("_keys", "_pepper", "accounts", "numbering", "version")

    def __init__(
        self,
        version: int,
        accounts: Mapping[int, Account],
        keys: Mapping[str, Key],
        pepper: bytes,
        numbering: Numbering | None = None,
    ) -> None:
        self.version = version
        self.accounts = accounts
        self.numbering = numbering or shipped()
        """Which network a number belongs to."""
        self._keys = keys
        self._pepper = pepper

    def sign_in(self, api_key: str, secret: str, now_ms: int) -> Key | None:
        """The key of a right pair, else None.

        An unknown, a disabled, an expired and a wrong key take the same steps: the hash is made and compared whatever
        the key is (promises S4). Bytes are compared, never text (M15).
        """
        key = self._keys.get(api_key, _NOBODY)
        given = hash_secret(self._pepper, secret.encode("utf-8", "surrogatepass"))
        same = hmac.compare_digest(given, key.secret_hash)
        return key if same & key.active & (now_ms < key.expires_ms) else None

    def hash_code(self, account_id: int, phone: str, code: str) -> bytes:
        """Keyed hash of a code that was made up for a phone, under the same key as the secrets."""
        return hash_secret(self._pepper, f"{account_id} {phone} {code}".encode("utf-8", "surrogatepass"))


def build(
    rows: DirectoryRows, pepper: bytes, numbering: Numbering | None = None, limits: Limits = UNLIMITED
) -> Directory:
    """Make a directory of stored rows. Templates are parsed here, once per change. No `numbering`: the one shipped.

    `limits` are those of every account without its own.
    """
    templates = _group_templates(rows.templates)
    names: dict[int, dict[tuple[int, str], Brandname]] = {}
    for b in rows.brandnames:
        own_templates = templates.get((b.account_id, b.sms_type, b.name), {})
        names.setdefault(b.account_id, {})[b.sms_type, b.name] = Brandname(b.name, b.state == "active", own_templates)
    prices: dict[int, dict[tuple[int, int], int]] = {}
    for p in rows.prices:
        prices.setdefault(p.account_id, {})[p.sms_type, p.telco] = p.price
    shared = prices.get(0, {})
    own_limits = _by_account(rows.limits)
    numbers, words = _blocked(rows.blocked, "number"), _blocked(rows.blocked, "word")
    searched = {account_id: Words(values) for account_id, values in words.items()}
    accounts: dict[int, Account] = {}
    for row in rows.accounts:
        own = names.get(row.id, {})
        limits_of = with_own(limits, own_limits.get(row.id, ()))
        lists = [by_account[owner] for by_account in (numbers, words) for owner in (0, row.id) if owner in by_account]
        counted = any((limits_of.number_10_minutes, limits_of.number_day, limits_of.range_10_minutes))
        accounts[row.id] = Account(
            row.id,
            row.name,
            row.state == "active",
            row.unicode_policy,
            own,
            _fold(own),
            prices.get(row.id, shared),
            limits_of,
            tuple(numbers[owner] for owner in (0, row.id) if owner in numbers),
            tuple(searched[owner] for owner in (0, row.id) if owner in searched),
            counted,
            counted or bool(lists),
            {call.id: call.content for call in rows.call_templates if call.account_id == row.id},
            {one.id: one.name for one in rows.recordings if one.account_id == row.id},
            row.type8_channel,
        )
    networks = _by_account(rows.networks)
    keys = {k.api_key: _key(k, accounts[k.account_id], networks.get(k.account_id, ())) for k in rows.keys}
    return Directory(rows.version, accounts, keys, pepper, numbering)


def _key(row: KeyRow, account: Account, networks: Iterable[NetworkRow]) -> Key:
    return Key(
        account,
        row.secret_hash,
        row.state == "active",
        row.api_key,
        frozenset(row.scopes.split(",")),
        row.brandname,
        _NOBODY.expires_ms if row.expires_ms is None else row.expires_ms,
        tuple(ipaddress.ip_network(n.network) for n in networks if n.api_key in ("", row.api_key)),
    )


_Row = TypeVar("_Row", LimitRow, NetworkRow)


def _by_account(rows: Iterable[_Row]) -> dict[int, list[_Row]]:
    grouped: dict[int, list[_Row]] = {}
    for row in rows:
        grouped.setdefault(row.account_id, []).append(row)
    return grouped


def _blocked(rows: Iterable[BlockedRow], kind: str) -> dict[int, frozenset[str]]:
    """The blocked values of a kind by account."""
    grouped: dict[int, set[str]] = {}
    for row in rows:
        if row.kind == kind:
            grouped.setdefault(row.account_id, set()).add(row.value)
    return {account_id: frozenset(values) for account_id, values in grouped.items()}


def _fold(names: Mapping[tuple[int, str], Brandname]) -> dict[tuple[int, str], Brandname | None]:
    folded: dict[tuple[int, str], Brandname | None] = {}
    for (sms_type, name), brandname in names.items():
        place = (sms_type, name.lower())
        folded[place] = None if place in folded else brandname
    return folded


def _group_templates(
    rows: Iterable[TemplateRow],
) -> dict[tuple[int, int, str], dict[int, tuple[RegisteredTemplate, ...]]]:
    grouped: dict[tuple[int, int, str], dict[int, tuple[RegisteredTemplate, ...]]] = {}
    parsed: dict[str, Template] = {}  # the same text usually stands on every network
    for row in rows:
        by_telco = grouped.setdefault((row.account_id, row.sms_type, row.brandname), {})
        template = parsed.get(row.content)
        if template is None:
            try:
                template = parsed[row.content] = Template.parse(row.content)
            except TemplateError:
                continue  # a version before took it; it matches nothing, and costs nobody else a thing
        by_telco[row.telco] = (*by_telco.get(row.telco, ()), RegisteredTemplate(row.id, template, row.route_class))
    return grouped
