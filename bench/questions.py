"""What a question costs in a store that has grown: CPU time of each, among a million messages of several accounts."""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from bench.stages_store import open_store
from bocau.core.ids import first_id_at, smsid_of
from bocau.core.message import CodeTry, SentRange
from bocau.store.sqlite import SqliteStore

__all__ = ["Asked", "measure_questions"]

_ACCOUNTS = 4
"""Account 1 has half of all messages, the others share the rest."""
_BEGIN_MS = 1_800_000_000_000
_GAP_MS = 10
"""Between two messages."""

_FILL = """
WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < :count)
INSERT INTO message (
    id, head, account_id, smsid, receivers, dropped, request_id, campaign_id, sms_type, route_class, brandname, phone,
    telco, content, parts, price, callback_url, state, reason, owner, tries, carrier, reference, created_ms, release_ms,
    due_ms, expires_ms, wake_ms, final_ms
)
SELECT :first + (n * :gap << 22), :first + (n * :gap << 22), CASE WHEN n & 1 THEN 1 ELSE 2 + (n >> 1) % 3 END,
    printf('%016x0000000000000000000', :first + (n * :gap << 22)), 1, 0, '', '', 2, 'otp', 'Baotrixemay',
    printf('09%08d', n), 2, printf('%06d la ma xac minh dang ky Baotrixemay cua ban', n), 1, 8500000, '', 'delivered',
    '', 0, 1, 'simulator', 0, :begin + n * :gap, :begin + n * :gap, :begin + n * :gap, :begin + n * :gap + 300000,
    NULL, :begin + n * :gap + 2000
FROM number
"""

_FILL_BESIDE = (
    "INSERT INTO request_key SELECT account_id, printf('order-%d', id), id, created_ms FROM message",
    "INSERT INTO generated_code SELECT account_id, phone, zeroblob(32), 0, expires_ms FROM message WHERE id % 3 = 0",
    """
    INSERT INTO call_record (
        message_id, number, account_id, status, trunk, trunks, sip_call_id, sip_status, cause, reason, duration_seconds,
        hung_up_by, keys, plays, packets_sent, packets_received, packets_lost, jitter_ms, begun_ms, ended_ms)
    SELECT id, 1, account_id, 'ANSWERED', 'trunk', 1, printf('%x@bocau', id), 200, 16, '', 12,
        'caller', '', 1, 600, 600, 0, 1, created_ms, final_ms
    FROM message
    """,
)
"""A RequestId and a call of every message, a code of every third."""


class Asked(NamedTuple):
    """One question."""

    name: str
    ms: float
    """CPU milliseconds, the least of some rounds."""
    loop_ms: float
    """The longest that the loop was held by it at one time."""


async def measure_questions(rows: int, rounds: int, folder: Path | None) -> list[Asked]:
    """Fill a store by SQL and ask it everything."""
    with tempfile.TemporaryDirectory(prefix="bocau-bench-", dir=folder) as place:
        store, _ = open_store(f"{place}/bocau.db")
        _fill(f"{place}/bocau.db", rows)
        found = [await _time(name, ask, rounds) for name, ask in _questions(store, rows)]
        await store.close(_BEGIN_MS)
    return found


def _fill(path: str, rows: int) -> None:
    db = sqlite3.connect(path)
    first = first_id_at(_BEGIN_MS)
    db.execute(_FILL, {"count": rows, "first": first, "gap": _GAP_MS, "begin": _BEGIN_MS})
    for statement in _FILL_BESIDE:
        db.execute(statement)
    db.executemany("INSERT INTO account (name, created_ms) VALUES (?, 0)", [(f"shop-{n}",) for n in range(_ACCOUNTS)])
    db.commit()
    db.close()


def _questions(store: SqliteStore, rows: int) -> list[tuple[str, Callable[[], Awaitable[object]]]]:
    middle = rows // 2 | 1
    message_id = first_id_at(_BEGIN_MS + middle * _GAP_MS)
    smsid = smsid_of(message_id, bytes(8), 0)
    wrong = CodeTry(1, f"09{middle:08d}", bytes(31) + b"x", _BEGIN_MS + middle * _GAP_MS)
    end = first_id_at(_BEGIN_MS + rows * _GAP_MS)
    small, page = first_id_at(_BEGIN_MS + 1_000 * _GAP_MS), 500
    return [
        ("state of a request", lambda: store.summary(1, smsid, 0)),
        ("state, another account's", lambda: store.summary(2, smsid, 0)),
        ("receivers of a request", lambda: store.receivers(1, smsid, 0)),
        ("calls of a request", lambda: store.calls(1, smsid)),
        ("a RequestId that is used", lambda: store.seen(1, f"order-{message_id}", _BEGIN_MS)),
        ("a generated code, wrong", lambda: store.try_code(wrong)),
        ("balance", lambda: store.balance(1)),
        ("report: first page of 500", lambda: store.sent(SentRange(1, 2, 0, small, 0, page))),
        (f"report: first page of {rows // 2:,}", lambda: store.sent(SentRange(1, 2, 0, end, 0, page))),
        (f"report: last page of {rows // 2:,}", lambda: store.sent(SentRange(1, 2, 0, end, rows // 2 - page, page))),
        ("report: of an account with none", lambda: store.sent(SentRange(9, 2, 0, end, 0, page))),
    ]


async def _time(name: str, ask: Callable[[], Awaitable[object]], rounds: int) -> Asked:
    """Ask once to warm up, then in rounds."""
    await ask()
    return Asked(name, *min([await _once(ask) for _ in range(rounds)]))


async def _once(ask: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """CPU milliseconds of one question in all, and of its longest step between two turns of the loop."""
    began = time.process_time()
    steps, longest = ask().__await__(), 0.0
    while True:
        step = time.process_time()
        try:
            waited = next(steps)
        except StopIteration:
            longest = max(longest, time.process_time() - step)
            return round((time.process_time() - began) * 1e3, 3), round(longest * 1e3, 3)
        longest = max(longest, time.process_time() - step)
        if isinstance(waited, asyncio.Future):  # a commit: as a task would, wait until it is done
            waited._asyncio_future_blocking = False
            await asyncio.wait((waited,))
