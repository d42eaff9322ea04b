"""The oracle: joins the logs of client, carrier and receiver with the store. Pure; it asks the product nothing.

Every sentence it returns is a broken promise (promises P1 to P8, P13, P19, P20, P23, P24).
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import pairwise
from typing import Final, NamedTuple, TypeVar

from tests.system.evidence import (
    AskLine,
    AttemptRow,
    CallLine,
    Evidence,
    MessageRow,
    ReceiptLine,
    SubmitLine,
    TryRow,
)

__all__ = ["Finding", "reconcile"]

_T = TypeVar("_T")
_K = TypeVar("_K", bound=Hashable)

_RELEASED: Final = {"failed", "expired", "rejected", "cancelled"}
_CAPTURED: Final = {"sent", "delivered", "unknown"}
_SETTLED_BY: Final = {"DELIVRD": "delivered", "UNDELIV": "undelivered", "EXPIRED": "expired"}
_OUTCOMES: Final = {"delivered": "delivered", "undelivered": "failed", "expired": "expired"}
_MOST_TRIES: Final = 5
_QUIET_MS: Final = 300
"""A process needs longer than this to begin: calls written down earlier are those of the one before it."""
_IN_DOUBT_MS: Final = 15_000
"""Longer than any answer is waited for: a part in doubt was begun this long before the cut, at most."""


class Finding(NamedTuple):
    """What came out."""

    problems: list[str]
    counts: dict[str, int]
    """How much there was, for people."""


class _Joined:
    """The evidence by what it is about."""

    def __init__(self, evidence: Evidence) -> None:
        rows = evidence.rows
        self.evidence = evidence
        self.asks: dict[str, list[AskLine]] = _group(evidence.asks, lambda line: line.key)
        self.messages = {row.id: row for row in rows.messages}
        self.requests: dict[str, list[MessageRow]] = _group(rows.messages, lambda row: row.request_id)
        self.submits: dict[tuple[str, str, int], list[SubmitLine]] = _group(
            evidence.submits, lambda line: (line.key, line.phone, line.part)
        )
        self.taken = {line.message_id: line for line in evidence.submits if line.message_id}
        self.attempts: dict[int, list[AttemptRow]] = _group(rows.attempts, lambda row: row.message_id)
        self.by_carrier_id = {row.carrier_id: row for row in rows.attempts if row.carrier_id}
        self.receipts: dict[str, list[ReceiptLine]] = _group(evidence.receipts, lambda line: line.message_id)
        self.calls: dict[str, list[CallLine]] = _group(evidence.calls, lambda line: line.key)
        self.tries: dict[int, list[TryRow]] = _group(rows.tries, lambda row: row.callback_id)

    def newest(self, message: MessageRow) -> list[AttemptRow]:
        """The newest attempt of each part."""
        newest: dict[int, AttemptRow] = {}
        for row in sorted(self.attempts[message.id], key=lambda row: row.number):
            newest[row.part] = row
        return list(newest.values())

    def doubtful(self, message: MessageRow) -> list[AttemptRow]:
        """Parts of which nobody knows whether the carrier has them."""
        return [row for row in self.newest(message) if not row.answered and row.state in ("uncertain", "unknown")]


def reconcile(evidence: Evidence, *, window: int, may_be_open: frozenset[str] = frozenset()) -> Finding:
    """Join everything.

    `window` is how many parts may be without an answer on all links together. The requests named in `may_be_open` need
    not have ended; all others must.
    """
    joined = _Joined(evidence)
    problems = [
        *_answers(joined),
        *_lost(joined, may_be_open),
        *_submits(joined),
        *_doubts(joined, window),
        *_receipts(joined),
        *_outcomes(joined),
        *_callbacks(joined),
        *_money(joined),
    ]
    return Finding(problems, _count(joined))


def _answers(joined: _Joined) -> Iterator[str]:
    """Exactly one 100 for each RequestId, or a 124 where an answer was lost before (P1, P3)."""
    for key, lines in joined.asks.items():
        codes = [(line.http, line.code) for line in lines if line.event == "answer" and line.http != 503]
        if len(codes) != 1:
            yield f"{key} was answered {codes}"
            continue
        unanswered = any(line.event == "none" for line in lines)
        if codes[0] != (200, "100") and not (codes[0] == (200, "124") and unanswered):
            yield f"{key} was answered {codes[0]}, unanswered before: {unanswered}"
        rows = joined.requests[key]
        told = {line.smsid for line in lines if line.event == "answer" and line.http == 200}
        if told != {row.smsid for row in rows}:
            yield f"{key} was told the SMSID {told}, the store has {[row.smsid for row in rows]}"
    for key in joined.requests:
        if key not in joined.asks:
            yield f"{key} was never asked for"


def _lost(joined: _Joined, may_be_open: frozenset[str]) -> Iterator[str]:
    """What was accepted is one message for each receiver, was given to the carrier, and has ended (P1, P3, P4)."""
    for key in joined.asks:
        rows = joined.requests[key]
        if not rows:
            yield f"{key} was accepted and is not in the store"
        if len(rows) != len({row.phone for row in rows}) or len({row.smsid for row in rows}) > 1:
            yield f"{key} is in the store {len(rows)} times"
        for row in rows:
            if row.open and key not in may_be_open:
                yield f"{key} to {row.phone} is still {row.state}"
            there = (key, row.phone, 1) in joined.submits
            if not there and not row.open and not joined.doubtful(row):
                yield f"{key} to {row.phone} is {row.state} and never reached the carrier"


def _submits(joined: _Joined) -> Iterator[str]:
    """Each part once, except after an answer that it was not taken (P5); nothing of nobody, no other's id (P7)."""
    for (key, phone, part), lines in joined.submits.items():
        for line in lines[:-1]:
            if not line.refused:
                yield f"{key} part {part} was submitted to {phone} again although it was not refused: {lines}"
        found = [row for row in joined.requests[key] if row.phone == phone]
        attempts = [row for row in joined.attempts[found[0].id] if row.part == part] if found else []
        if len(lines) > len(attempts):
            yield f"{key} part {part} was submitted to {phone} {len(lines)} times with {len(attempts)} intents"
    for row in joined.evidence.rows.attempts:
        message = joined.messages[row.message_id]
        given = joined.taken.get(row.carrier_id)
        whose = None if given is None else (given.key, given.phone, given.part)
        if row.carrier_id and whose != (message.request_id, message.phone, row.part):
            yield f"an attempt of {message.request_id} to {message.phone} has the carrier's id of {given}"


def _doubts(joined: _Joined, window: int) -> Iterator[str]:
    """Uncertain is only what a cut found on its way, at most a window of it for each cut (P6, P13)."""
    cuts = joined.evidence.cuts
    found: Counter[int] = Counter()
    for message in joined.messages.values():
        for row in joined.doubtful(message):
            place = bisect_left(cuts, row.intent_ms)
            if place == len(cuts) or cuts[place] - row.intent_ms > _IN_DOUBT_MS:
                yield f"{message.request_id} is {message.state} without a cut after {row.intent_ms}"
            found[place] += 1
        if message.state in ("uncertain", "unknown") and not joined.doubtful(message):
            yield f"{message.request_id} is {message.state} and nothing about it is in doubt"
    for place, number in found.items():
        if number > window:
            yield f"{number} parts are in doubt after one cut ({cuts[place] if place < len(cuts) else 'none'})"


def _receipts(joined: _Joined) -> Iterator[str]:
    """A receipt that was acknowledged is at its attempt or among the orphans, and nowhere else (P7)."""
    orphans = joined.evidence.rows.orphans
    for message_id, lines in joined.receipts.items():
        row = joined.by_carrier_id.get(message_id)
        told = {_SETTLED_BY[line.state] for line in lines if line.acknowledged}
        if not told:
            continue
        if row is not None and row.state not in told:
            yield f"the receipt {told} of {message_id} was acknowledged, its attempt is {row.state}"
        if row is None and not orphans & {message_id, format(int(message_id), "x")}:
            yield f"the receipt {told} of {message_id} was acknowledged and is nowhere"
    for row in joined.evidence.rows.attempts:
        told = {_SETTLED_BY[line.state] for line in joined.receipts[row.carrier_id]} if row.carrier_id else set()
        if row.state in _OUTCOMES and row.state not in told:
            yield f"attempt {row} has no such receipt"


def _outcomes(joined: _Joined) -> Iterator[str]:
    """The word on a message is what the carrier said of its parts (P8)."""
    for message in joined.messages.values():
        if message.open or joined.doubtful(message):
            continue
        said = {row.state for row in joined.newest(message)}
        allowed = {"failed"} if "refused" in said else {_OUTCOMES[one] for one in said if one in _OUTCOMES}
        if "delivered" in allowed and len(allowed) > 1:
            allowed.discard("delivered")
        if message.state not in allowed:
            yield f"{message.request_id} is {message.state}, its parts are {said}"


def _callbacks(joined: _Joined) -> Iterator[str]:
    """Told once it has ended, and told the truth; again only after a failure or a kill in the gap (P19, P20)."""
    duties = {row.id: row for row in joined.evidence.rows.callbacks}
    for key, rows in joined.requests.items():
        if not rows:
            continue
        head = min(rows, key=lambda row: row.id)
        duty = duties.pop(head.id, None)
        calls, tries = joined.calls[key], joined.tries[head.id]
        if (duty is not None) != (bool(head.callback_url) and not any(row.open for row in rows)):
            yield f"{key} ended with {[row.state for row in rows]}, its callback is {duty}"
        if duty is None:
            if calls:
                yield f"{key} had {len(calls)} callbacks too many"
            continue
        if duty.state == "waiting" or not 1 <= len(tries) <= _MOST_TRIES or duty.tries != len(tries):
            yield f"the callback of {key} is {duty} after {tries}"
        if duty.state == "done" and not any(call.answer == 200 for call in calls):
            yield f"the callback of {key} is done and never was taken"
        yield from _repeats(joined, key, calls, [row for row in tries if row.http_status])
        yield from _truth(joined, key, rows, calls)
    for duty in duties.values():
        yield f"a callback of no request: {duty}"


def _repeats(joined: _Joined, key: str, calls: list[CallLine], tries: list[TryRow]) -> Iterator[str]:
    """After a call that was not recorded there was a restart, and so there was before a success was repeated.

    The receiver may write a call down when its caller is dead already, but not when the next one is able to call.
    """
    restarts = joined.evidence.restarts
    gaps = [range(call.at_ms - _QUIET_MS, after.at_ms + 1) for call, after in pairwise(calls)]
    killed = [any(restart in gap for restart in restarts) for gap in gaps]
    if len(calls) - len(tries) > sum(killed) or len(calls) < len(tries):
        yield f"{key} was called {len(calls)} times, {len(tries)} are recorded, {sum(killed)} restarts between"
    for call, cut in zip(calls, killed, strict=False):
        if call.answer == 200 and not cut:
            yield f"{key} was called again after it had taken the callback: {[one.at_ms for one in calls]}"
    if len({call.event_id for call in calls}) > 1:
        yield f"{key} was called with several event ids"


def _truth(joined: _Joined, key: str, rows: list[MessageRow], calls: list[CallLine]) -> Iterator[str]:
    succeeded = sum(row.state == "delivered" for row in rows)
    price = sum(row.price for row in rows if row.state not in _RELEASED)
    expected = {
        "SMSID": rows[0].smsid,
        "SendStatus": "5",
        "SendSuccess": str(succeeded),
        "SendFailed": str(len(rows) - succeeded),
        "TotalPrice": f"{price // 10_000}.{price % 10_000:04d}",
        "TotalReceiver": str(len(rows)),
        "RequestId": key,
    }
    for call in calls:
        told = {name: call.query.get(name) for name in expected}
        if told != expected:
            yield f"{key} was told {told} instead of {expected}"


def _money(joined: _Joined) -> Iterator[str]:
    """The balance is the sum of its lines; one hold, one capture, one release at most (P2, P23, P24)."""
    rows = joined.evidence.rows
    sums: Counter[int] = Counter()
    lines: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for entry in rows.ledger:
        sums[entry.account_id] += entry.amount
        if entry.kind != "top_up":
            lines[entry.subject_id].append((entry.kind, entry.amount))
    for account, balance in rows.balances.items():
        if balance != sums[account] or balance < 0:
            yield f"account {account} has {balance}, its ledger says {sums[account]}"
    for message in rows.messages:
        expected = [("hold", -message.price)]
        # A part that a carrier took before another one failed was captured before it was released.
        if message.state in _CAPTURED or ("capture", 0) in lines[message.id]:
            expected.append(("capture", 0))
        if message.state in _RELEASED:
            expected.append(("release", message.price))
        if sorted(lines.pop(message.id, [])) != sorted(expected):
            yield f"{message.request_id} ({message.state}) does not have the lines {expected}"
    for subject, left in lines.items():
        yield f"money of no message: {subject} {left}"


def _count(joined: _Joined) -> dict[str, int]:
    evidence = joined.evidence
    states = Counter(row.state for row in joined.messages.values())
    return {
        "requests": len(joined.asks),
        "unanswered": sum(line.event == "none" for line in evidence.asks),
        "answered 124": sum(line.code == "124" for line in evidence.asks),
        "messages": len(joined.messages),
        "submits": len(evidence.submits),
        "submits refused": sum(line.refused for line in evidence.submits),
        "receipts": sum(line.acknowledged for line in evidence.receipts),
        "orphans": len(evidence.rows.orphans),
        "callbacks": len(evidence.rows.callbacks),
        "calls": len(evidence.calls),
        "calls repeated after success": sum(
            max(0, sum(call.answer == 200 for call in calls) - 1) for calls in joined.calls.values()
        ),
        "most of them after one kill": max(_repeated_by_kill(joined).values(), default=0),
        "parts in doubt": sum(len(joined.doubtful(row)) for row in joined.messages.values()),
        "kills": len(evidence.kills),
        **{f"messages {state}": number for state, number in sorted(states.items())},
    }


def _repeated_by_kill(joined: _Joined) -> Counter[int]:
    """How many callbacks were taken and then made again, by the restart that came between."""
    restarts = joined.evidence.restarts
    return Counter(
        bisect_left(restarts, call.at_ms - _QUIET_MS)
        for calls in joined.calls.values()
        for call in calls[:-1]
        if call.answer == 200
    )


def _group(items: Iterable[_T], key: Callable[[_T], _K]) -> dict[_K, list[_T]]:
    """Lists by key; a key that is not there has an empty list."""
    found: dict[_K, list[_T]] = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return found
