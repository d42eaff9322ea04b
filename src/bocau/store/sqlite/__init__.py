"""SQLite as the store of one machine: one file, one writing connection, group commit."""

from bocau.store.contract import StoreBroken, StoreInUse
from bocau.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore", "StoreBroken", "StoreInUse"]
