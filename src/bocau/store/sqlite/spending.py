"""The money of one transaction: what was taken from each account and key, so that the next one sees it."""

import sqlite3
from collections import Counter
from typing import NamedTuple, TypeVar

from bocau.core.ledger import covers
from bocau.core.message import NoBalance, Overspent
from bocau.store.queries import Queries

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
    """Takes from balances and day's caps in memory, and writes the sums at the end. Reads each row once."""

    def __init__(self, db: sqlite3.Connection, queries: Queries) -> None:
        self._db = db
        self._q = queries
        self._accounts: dict[int, _Purse] = {}
        self._keys: dict[str, _Purse] = {}
        self._of_accounts: Counter[tuple[int, int]] = Counter()
        self._of_keys: Counter[tuple[str, int]] = Counter()

    def take(self, wish: Spend) -> NoBalance | Overspent | None:
        """Take the amount, or say what it breaks (promises P23): the balance, the account's day, the key's day."""
        account = self._account(wish.account_id)
        if not covers(account.balance, account.credit, wish.amount):
            return NoBalance(account.balance)
        if not wish.amount:
            return None
        spent = account.spent_on(wish.day)
        if wish.account_cap and spent + wish.amount > wish.account_cap:
            return Overspent("account", wish.account_cap, spent)
        key = self._key(wish.api_key)
        spent = key.spent_on(wish.day)
        if wish.key_cap and spent + wish.amount > wish.key_cap:
            return Overspent("key", wish.key_cap, spent)
        account.take(wish.amount, wish.day)
        key.take(wish.amount, wish.day)
        self._of_accounts[wish.account_id, wish.day] += wish.amount
        if wish.api_key:
            self._of_keys[wish.api_key, wish.day] += wish.amount
        return None

    def write(self) -> None:
        """Store what was taken."""
        self._db.executemany(self._q["spend"], _rows(self._of_accounts))
        self._db.executemany(self._q["spend_of_key"], _rows(self._of_keys))

    def _account(self, account_id: int) -> _Purse:
        purse = self._accounts.get(account_id)
        if purse is None:
            purse = self._accounts[account_id] = _Purse(
                *self._db.execute(self._q["read_purse"], (account_id,)).fetchone()
            )
        return purse

    def _key(self, api_key: str) -> _Purse:
        """The key's own purse; it holds no money, only what was spent. A key that is gone starts at nothing."""
        purse = self._keys.get(api_key)
        if purse is None:
            row = self._db.execute(self._q["read_key_spent"], (api_key,)).fetchone() if api_key else None
            purse = self._keys[api_key] = _Purse(0, 0, *(row or (0, 0)))
        return purse


def _rows(sums: Counter[tuple[W, int]]) -> list[tuple[W, int, int]]:
    return [(who, amount, day) for (who, day), amount in sums.items()]
