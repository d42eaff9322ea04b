"""The money of one transaction: what was taken from each account and key, so that the next one sees it."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from bocau.core.ledger import covers
from bocau.core.message import NoBalance, Overspent
from bocau.store.queries import Queries
from bocau.store.work import Asking, Work

__all__ = ["Spend", "Spending"]

W = TypeVar("W", int, str)


class Spend(NamedTuple):
    """A wish to hold money."""

    account_id: int
    api_key: str
    """Empty: no key is charged."""
    day: int
    amount: int
    account_cap: int
    key_cap: int


class _Purse:
    """What an account or a key has, and what it spent on a day."""

    __slots__ = ("balance", "credit", "day", "spent")

    def __init__(self, balance: int, credit: int, day: int, spent: int) -> None:
        self.balance = balance
        self.credit = credit
        self.day = day
        self.spent = spent

    def spent_on(self, day: int) -> int:
        return self.spent if day == self.day else 0

    def take(self, amount: int, day: int) -> None:
        self.balance -= amount
        self.spent = self.spent_on(day) + amount
        self.day = day


class Spending:
    """Takes from balances and day's caps in memory, and writes the sums at the end. Each row is read once, before."""

    def __init__(self, queries: Queries) -> None:
        self._q = queries
        self._accounts: dict[int, _Purse] = {}
        self._keys: dict[str, _Purse] = {}
        self._of_accounts: Counter[tuple[int, int]] = Counter()
        self._of_keys: Counter[tuple[str, int]] = Counter()

    async def lock(self, db: Work, accounts: Iterable[int], keys: Iterable[str]) -> None:
        """Read what may be spent, and keep other nodes from it until the commit.

        In the order of the keys, so that no two nodes wait for each other.
        """
        await self._load(db, accounts, keys, "lock_purse", "lock_key_purse")

    async def look(self, db: Asking, account_id: int, api_key: str) -> None:
        """Read what may be spent just now."""
        await self._load(db, (account_id,), (api_key,), "read_purse", "read_key_purse")

    async def _load(self, db: Asking, accounts: Iterable[int], keys: Iterable[str], purse: str, key_purse: str) -> None:
        q = self._q
        for account_id, *row in await db.each(q[purse], [(account,) for account in sorted(set(accounts))]):
            self._accounts[account_id] = _Purse(*row)
        for api_key, day, spent in await db.each(q[key_purse], [(key,) for key in sorted(set(keys)) if key]):
            self._keys[api_key] = _Purse(0, 0, day, spent)

    def take(self, wish: Spend) -> NoBalance | Overspent | None:
        """Take the amount, or say what it breaks (promises P23): the balance, the account's day, the key's day."""
        account = self._accounts[wish.account_id]
        if not covers(account.balance, account.credit, wish.amount):
            return NoBalance(account.balance)
        if not wish.amount:
            return None
        spent = account.spent_on(wish.day)
        if wish.account_cap and spent + wish.amount > wish.account_cap:
            return Overspent("account", wish.account_cap, spent)
        # A key holds no money, only what was spent; one that is gone starts at nothing.
        key = self._keys.setdefault(wish.api_key, _Purse(0, 0, 0, 0))
        spent = key.spent_on(wish.day)
        if wish.key_cap and spent + wish.amount > wish.key_cap:
            return Overspent("key", wish.key_cap, spent)
        account.take(wish.amount, wish.day)
        key.take(wish.amount, wish.day)
        self._of_accounts[wish.account_id, wish.day] += wish.amount
        if wish.api_key:
            self._of_keys[wish.api_key, wish.day] += wish.amount
        return None

    async def write(self, db: Work) -> None:
        """Store what was taken."""
        await db.many(self._q["spend"], _rows(self._of_accounts))
        await db.many(self._q["spend_of_key"], _rows(self._of_keys))


def _rows(sums: Counter[tuple[W, int]]) -> list[tuple[W, int, int]]:
    return [(who, amount, day) for (who, day), amount in sums.items()]
