"""Ready-made accounts: what `bocau dev` ships, and what the bench needs. They exist in development mode only."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, Protocol

from bocau.core.directory import BrandnameRow, KeyRow, PriceRow, TemplateRow, hash_secret
from bocau.core.message import RouteClass
from bocau.core.template import is_otp
from bocau.store.contract import AcceptStore, AdminStore

__all__ = ["BENCH", "DEVELOPMENT", "PROFILES", "Profile", "provision", "put_templates"]

_DONG: Final = 10_000
"""One dong in the ledger's unit."""

_TELCOS: Final = range(1, 8)


class Profile(NamedTuple):
    """An account with everything it needs to send."""

    account: str
    api_key: str
    secret_key: str
    brandnames: tuple[str, ...]
    templates: tuple[tuple[str, str], ...]
    """(brandname, text), registered on all seven networks."""
    prices: tuple[tuple[int, int], ...]
    """(SmsType, dong a part)"""
    balance: int
    """In dong."""


DEVELOPMENT: Final = Profile(
    "bocau-dev",
    "bocau-dev",
    "bocau-dev-secret",
    ("Baotrixemay", "Bocau"),
    (
        ("Baotrixemay", "{P1,20} la ma xac minh dang ky Baotrixemay cua ban"),
        ("Bocau", "{P1,20} la ma dang nhap Bocau cua ban"),
        ("Bocau", "Bocau xin chao {P2,50}, cam on ban da dang ky"),
    ),
    ((2, 850), (8, 600)),
    10_000_000,
)

BENCH: Final = Profile(
    "bench",
    "bench",
    "bench",
    ("Baotrixemay",),
    (("Baotrixemay", "{P1,20} la ma xac minh dang ky Baotrixemay cua ban"),),
    ((2, 850), (8, 600)),
    1_000_000_000_000,
)

PROFILES: Final = {"dev": DEVELOPMENT, "bench": BENCH}


class ProvisionStore(AcceptStore, AdminStore, Protocol):
    """What provisioning writes through."""


def _template_rows(account_id: int, templates: Iterable[tuple[str, str]]) -> list[TemplateRow]:
    """The rows of (brandname, text) pairs, on all networks; what kind of message each is follows from its text."""
    return [
        TemplateRow(0, account_id, 2, name, telco, text, RouteClass.OTP if is_otp(text) else RouteClass.OTHER)
        for name, text in templates
        for telco in _TELCOS
    ]


async def put_templates(store: AdminStore, account_id: int, templates: Iterable[tuple[str, str]], now_ms: int) -> None:
    """Register (brandname, text) pairs on all networks, together, so that they share a transaction or two."""

    async def put(row: TemplateRow) -> None:
        await store.put_template(row, now_ms)

    await asyncio.gather(*map(put, _template_rows(account_id, templates)))


async def provision(store: ProvisionStore, profile: Profile, pepper: bytes, now_ms: Callable[[], int]) -> bool:
    """Create the account of a profile unless it is there. True: it was created.

    A start that was cut off in the middle left an account without its key; the next one finishes it.
    """
    if any(key.api_key == profile.api_key for key in (await store.read_directory()).keys):
        return False
    begun = next((account for account in await store.accounts() if account.name == profile.account), None)
    account_id = begun.id if begun is not None else await store.create_account(profile.account, now_ms())
    for sms_type, dong in profile.prices:
        await store.put_price(PriceRow(account_id, sms_type, 0, dong * _DONG))
    for name in profile.brandnames:
        await store.put_brandname(BrandnameRow(account_id, 2, name, "active"), now_ms())
    await put_templates(store, account_id, profile.templates, now_ms())
    if begun is None or not await store.ledger(account_id, 1):
        await store.top_up(account_id, profile.balance * _DONG, "development balance", now_ms())
    # The key comes last: until it is there nobody can send on a half-made account.
    secret = hash_secret(pepper, profile.secret_key.encode())
    await store.put_key(KeyRow(profile.api_key, account_id, secret, "active"), now_ms())
    return True
