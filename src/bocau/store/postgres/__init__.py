"""PostgreSQL as the store of several machines."""

from bocau.store.postgres.link import Address
from bocau.store.postgres.store import PostgresStore

__all__ = ["Address", "PostgresStore"]
