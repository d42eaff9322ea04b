"""Stages of the store: the writes of a message's life, in lots that share a transaction, on a file, flushed.

The engine commits in line, so that all of its CPU time is seen; in the gateway the commit runs on a thread of its own.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from bench.stage import Effort, Stage, put_lots
from bench.stages_door import Entrance
from bocau.core.lifecycle import AttemptState
from bocau.core.message import (
    Admission,
    Answer,
    AnswerKind,
    AttemptKey,
    CallbackDue,
    CallbackTry,
    Intent,
    Message,
    ReceiptIn,
)
from bocau.store.contract import Done
from bocau.store.rooms.scheduling import Start
from bocau.store.sqlite import SqliteStore
from bocau.store.sqlite.commit import GroupCommit
from bocau.store.sqlite.opening import connect, migrate

__all__ = ["LOT", "OTHER_LOTS", "StoreStages", "TimedCommit", "open_store"]

I = TypeVar("I")  # noqa: E741 - item
R = TypeVar("R")

LOT = 50
"""About what shares a transaction under full load."""
OTHER_LOTS = (1, 200)
_CARRIER = "simulator"
_CALLBACK_MS = 3
_EPOCH = 1


class TimedCommit(GroupCommit):
    """Commits in line and knows what its COMMITs have cost."""

    seconds = 0.0
    """CPU seconds inside COMMIT."""

    def _commit(self) -> Any:  # noqa: ANN401 - the engine's own business
        began = time.process_time()
        result = super()._commit()
        self.seconds += time.process_time() - began
        return result


def open_store(path: str) -> tuple[SqliteStore, TimedCommit]:
    """A fresh store as a gateway would have it, but for the lock and the timed commit."""
    writer = connect(path, writing=True)
    migrate(writer)
    commit = TimedCommit(writer, threaded=False, on_fatal=_fatal)
    start = Start(_EPOCH, 0, (0, 0, 0))
    return SqliteStore(writer, connect(path, writing=False), None, commit, start), commit


def _fatal(error: BaseException) -> None:
    raise error


class _Cost(NamedTuple):
    """CPU microseconds for one message."""

    us: float
    in_commit: float


class StoreStages:
    """Walks messages through the store; keeps the least of each step."""

    def __init__(self, store: SqliteStore, commit: TimedCommit, entrance: Entrance, effort: Effort) -> None:
        self._store = store
        self._commit = commit
        self._entrance = entrance
        self._effort = effort
        self._least: dict[str, _Cost] = {}
        self.callbacks: list[CallbackDue] = []
        """Those of the last walk: what the stages of the callback are measured with."""

    async def run(self) -> None:
        """Measure every step, in every round on new messages."""
        for number in range(self._effort.rounds):
            await self._walk(f"walk{number}")
            await self._together(f"together{number}")
            for lot in OTHER_LOTS:
                await self._time(f"admit {lot}", self._store.admit, self._admissions(f"lots{number}x{lot}"), lot)

    def stages(self) -> dict[str, list[Stage]]:
        """By name: admit, begin, record, receipt, tried, together; each followed by what COMMIT took of it."""
        found = {
            "admit": self._stage("admit", f"store: admit, {LOT} in a transaction", 14),
            "begin": self._stage("begin", f"store: intent, {LOT}", 12),
            "record": self._stage("record", f"store: answer, {LOT}", 7),
            "receipt": self._stage("receipt", f"store: receipt, fold, callback, {LOT}", 8),
            "tried": self._stage("tried", f"store: callback's try, {LOT}", 6),
            "together": self._stage("together", f"store: all five, {LOT} of each sharing a transaction", 47),
        }
        for lot in OTHER_LOTS:
            cost = self._least[f"admit {lot}"]
            found["admit"].append(Stage(f"admit, {lot} in a transaction", cost.us, None, part=True))
        found["together"][0] = found["together"][0]._replace(part=True)
        return found

    def _stage(self, name: str, title: str, budget: float) -> list[Stage]:
        cost = self._least[name]
        return [Stage(title, cost.us, budget), Stage("of it in COMMIT", cost.in_commit, None, part=True)]

    def _admissions(self, series: str) -> list[Admission]:
        return self._entrance.admissions(self._effort.iterations, series, self._store.epoch)

    async def _time(self, name: str, put: Callable[[I, Done[R]], None], items: Sequence[I], lot: int = LOT) -> list[R]:
        """Put the items and keep the cost if it is the least so far."""
        before = self._commit.seconds
        us, results = await put_lots(put, items, lot)
        self._keep(name, us, before, len(items))
        return results

    def _keep(self, name: str, us: float, commit_before: float, count: int) -> None:
        in_commit = (self._commit.seconds - commit_before) / count * 1e6
        cost = _Cost(round(us, 2), round(in_commit, 2))
        self._least[name] = min(cost, self._least.get(name, cost))

    async def _walk(self, series: str) -> None:
        """From the door to the callback's record, one kind of write after the other."""
        store, now_ms = self._store, self._entrance.world.now_ms()
        admissions = self._admissions(series)
        await self._time("admit", store.admit, admissions)
        messages = [one.messages[0] for one in admissions]
        begun = await self._time("begin", store.begin, [_intent(m, now_ms) for m in messages])
        if any(reference is None for reference in begun):
            raise ValueError("a message was not ours to begin")
        await self._time("record", store.record, [_answer(m, now_ms) for m in messages])
        stored = await self._time("receipt", store.receipt, [_receipt(m, now_ms) for m in messages])
        self.callbacks = [one.callback for one in stored if one.callback is not None]
        if len(self.callbacks) != len(messages):
            raise ValueError("a receipt brought no callback")
        await self._time("tried", store.tried, [_tried(due.id, due.account_id, now_ms) for due in self.callbacks])

    async def _together(self, series: str) -> None:
        """The same as it is under load: each transaction has one lot of every kind, each lot a step further."""
        store, now_ms = self._store, self._entrance.world.now_ms()
        admissions = self._admissions(series)
        messages = [one.messages[0] for one in admissions]
        puts: list[list[Callable[[Done[Any]], None]]] = [
            [partial(store.admit, one) for one in admissions],
            [partial(store.begin, _intent(m, now_ms)) for m in messages],
            [partial(store.record, _answer(m, now_ms)) for m in messages],
            [partial(store.receipt, _receipt(m, now_ms)) for m in messages],
            [partial(store.tried, _tried(m.head, m.account_id, now_ms)) for m in messages],
        ]
        steps = -(-len(messages) // LOT) + len(puts) - 1
        before, used = self._commit.seconds, 0.0
        for step in range(steps):
            mixed: list[Callable[[Done[Any]], None]] = []
            for age, kind in enumerate(puts):
                start = (step - age) * LOT
                mixed += kind[start : start + LOT] if start >= 0 else []
            us, _ = await put_lots(lambda put, done: put(done), mixed, len(mixed))
            used += us * len(mixed)
        self._keep("together", used / len(messages), before, len(messages))


def _carrier_id(message: Message) -> str:
    return f"b{message.id:x}"


def _intent(message: Message, now_ms: int) -> Intent:
    return Intent(message.id, (1,), 1, 1, _CARRIER, message.phone, now_ms)


def _answer(message: Message, now_ms: int) -> Answer:
    key, name = AttemptKey(message.id, 1, 1), _carrier_id(message)
    return Answer(key, message.account_id, 1, AnswerKind.TAKEN, _CARRIER, name, name, 0, now_ms, now_ms)


def _receipt(message: Message, now_ms: int) -> ReceiptIn:
    key, name = AttemptKey(message.id, 1, 1), _carrier_id(message)
    state = AttemptState.DELIVERED
    return ReceiptIn(_CARRIER, name, (name,), message.phone, state, "000", now_ms, b"", key, hand_over=True)


def _tried(callback_id: int, account_id: int, now_ms: int) -> CallbackTry:
    return CallbackTry(callback_id, account_id, 1, now_ms, _CALLBACK_MS, 200, "OK", "done", None)
