"""The accounts that tests of room 1 send from, and the values of a plain request."""

from typing import Final, NamedTuple

from bocau.accept.checks import Policy
from bocau.core.directory import (
    AccountRow,
    BlockedRow,
    BrandnameRow,
    Directory,
    DirectoryRows,
    KeyRow,
    NetworkRow,
    PriceRow,
    TemplateRow,
    build,
    hash_secret,
)
from bocau.core.limits import LimitRow
from bocau.wire.esms.send import SendRequest

__all__ = [
    "KEY",
    "NOW",
    "PEPPER",
    "PHONES",
    "POLICY",
    "REQUEST",
    "SECRET",
    "TEXT",
    "VND",
    "Stock",
    "directory",
    "key_of",
    "key_row",
]

NOW: Final = 1_800_000_000_000
"""2027-01-15 15:00:00 in Vietnam, when every test begins."""
VND: Final = 10_000
PEPPER: Final = b"pepper of the tests"
KEY: Final = "K-4f1d"
SECRET: Final = "S-9a2c"
TEXT: Final = "4821 la ma dang nhap BOCAU cua ban"
PHONES: Final = {
    1: "0981234567",
    2: "0901234567",
    3: "0911234567",
    4: "0921234567",
    5: "0591234567",
    6: "0871234567",
    7: "0551234567",
}
"""A number on each network."""

POLICY: Final = Policy(
    unicode_policy="strip",
    strict_prefix=False,
    max_receivers=1000,
    max_parts_gsm=4,
    max_parts_ucs2=4,
    otp_ttl_ms=300_000,
    other_ttl_ms=86_400_000,
)

REQUEST: Final = SendRequest(
    api_key=KEY, secret_key=SECRET, content=TEXT, phone=PHONES[2], brandname="BOCAU", sms_type="2"
)


_TEMPLATES: Final = (
    *((telco, "BOCAU", telco, "{P1,8} la ma dang nhap BOCAU cua ban", "otp") for telco in PHONES),
    *((10 + telco, "BOCAU", telco, "BOCAU cam on {P2,40}", "other") for telco in PHONES),
)


class Stock(NamedTuple):
    """What one account has. The first account made of it has the id 1, and the keys KEY and SECRET."""

    state: str = "active"
    key_state: str = "active"
    unicode_policy: str = ""
    brandnames: tuple[tuple[int, str, str], ...] = ((2, "BOCAU", "active"),)
    """(SmsType, name, state)"""
    templates: tuple[tuple[int, str, int, str, str], ...] = _TEMPLATES
    """(id, brandname, network, text, route class), for type 2"""
    prices: tuple[tuple[int, int, int], ...] = ((2, 0, 850), (8, 0, 600))
    """(SmsType, network, dong)"""
    limits: tuple[tuple[str, int], ...] = ()
    """(name, value)"""
    networks: tuple[str, ...] = ()
    blocked: tuple[tuple[str, str], ...] = ()
    """(kind, value) of the account's own list"""
    scopes: str = "query,send"
    only_brandname: str = ""
    expires_ms: int | None = None
    call_templates: tuple[str, ...] = ()
    """Texts of calls, with ids from 1 on."""
    recordings: tuple[str, ...] = ()
    """Names of recordings, likewise."""


def key_row(account_id: int, stock: Stock) -> KeyRow:
    """The key of an account."""
    secret = hash_secret(PEPPER, SECRET.encode())
    names = (stock.key_state, stock.scopes, stock.only_brandname, stock.expires_ms)
    return KeyRow(key_of(account_id), account_id, secret, *names)


def key_of(account_id: int) -> str:
    """The ApiKey of an account."""
    return KEY if account_id == 1 else f"{KEY}-{account_id}"


def directory(*stocks: Stock, shared_prices: tuple[tuple[int, int, int], ...] = ()) -> Directory:
    """One account for each stock, one if none is given, all with the same secret; and a price list for all."""
    accounts = list(enumerate(stocks or (Stock(),), 1))
    return build(
        DirectoryRows(
            1,
            tuple(AccountRow(i, f"shop-{i}", stock.state, 0, 0, stock.unicode_policy) for i, stock in accounts),
            tuple(key_row(i, stock) for i, stock in accounts),
            tuple(BrandnameRow(i, *row) for i, stock in accounts for row in stock.brandnames),
            tuple(
                TemplateRow(number, i, 2, brandname, telco, text, route_class)
                for i, stock in accounts
                for number, brandname, telco, text, route_class in stock.templates
            ),
            tuple(
                PriceRow(i, sms_type, telco, dong * VND)
                for i, prices in ((0, shared_prices), *((i, stock.prices) for i, stock in accounts))
                for sms_type, telco, dong in prices
            ),
            tuple(LimitRow(i, *row) for i, stock in accounts for row in stock.limits),
            tuple(NetworkRow(i, "", network) for i, stock in accounts for network in stock.networks),
            tuple(BlockedRow(i, *row) for i, stock in accounts for row in stock.blocked),
        ),
        PEPPER,
    )
