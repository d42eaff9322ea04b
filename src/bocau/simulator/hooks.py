"""Faults of callback hosts: stands before the HTTP client and answers in place of the host where a fault strikes."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, Protocol
from urllib.parse import parse_qs, urlsplit

from bocau.ports import HttpAnswer, HttpFailure, HttpGet
from bocau.simulator.script import Fault

__all__ = ["CALLBACK_ACTS", "FaultyHosts", "HookJudge"]

_BAD_GATEWAY: Final = 502
_TIMED_OUT: Final = "timed out"

Done = Callable[[HttpAnswer | HttpFailure], None]


class HookJudge(Protocol):
    """Who knows the faults in force."""

    def judge_callback(self, host: str, phone: str, smsid: str) -> Fault | None:
        """The fault that strikes this try of a callback."""
        ...


class FaultyHosts:
    """`ports.HttpGet` for callbacks."""

    def __init__(self, http: HttpGet, judge: HookJudge) -> None:
        self._http = http
        self._judge = judge

    def begin(self, url: str, headers: Callable[[str], Sequence[tuple[str, str]]], seconds: float, done: Done) -> None:
        """See HttpGet. `headers` is not asked where no request leaves."""
        parts = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        fault = self._judge.judge_callback(parts.hostname or "", query.get("phonenumber", ""), query.get("SMSID", ""))
        go_on = partial(self._http.begin, url, headers)
        if fault is None:
            go_on(seconds, done)
        else:
            CALLBACK_ACTS[fault.act](fault, seconds, go_on, done)


GoOn = Callable[[float, Done], None]


def _later(seconds: float, done: Done, said: HttpAnswer | HttpFailure) -> None:
    asyncio.get_running_loop().call_later(seconds, done, said)


def _answer(fault: Fault, seconds: float, go_on: GoOn, done: Done) -> None:
    del seconds, go_on
    status = _BAD_GATEWAY if fault.status is None else fault.status
    _later(0.0, done, HttpAnswer(status, b"a fault of bocau", ""))


def _silence(fault: Fault, seconds: float, go_on: GoOn, done: Done) -> None:
    del fault, go_on
    _later(seconds, done, HttpFailure(_TIMED_OUT))


def _refuse(fault: Fault, seconds: float, go_on: GoOn, done: Done) -> None:
    del fault, seconds, go_on
    _later(0.0, done, HttpFailure("connection refused"))


def _slow(fault: Fault, seconds: float, go_on: GoOn, done: Done) -> None:
    if fault.seconds >= seconds:
        _later(seconds, done, HttpFailure(_TIMED_OUT))
    else:
        asyncio.get_running_loop().call_later(fault.seconds, go_on, seconds - fault.seconds, done)


CALLBACK_ACTS: Final[Mapping[str, Callable[[Fault, float, GoOn, Done], None]]] = {
    "callback_answer": _answer,
    "callback_silence": _silence,
    "callback_refuse": _refuse,
    "callback_slow": _slow,
}
"""What can go wrong at a callback host: it answers otherwise, never, not at all, or late."""
