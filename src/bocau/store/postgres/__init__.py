"""PostgreSQL as the store of several machines."""

from bocau.store.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
