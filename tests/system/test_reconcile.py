"""The oracle sees what it is there to see: each deliberate wrong in sound evidence is found."""

from collections.abc import Callable

import pytest
from tests.system.evidence import (
    AskLine,
    AttemptRow,
    CallbackRow,
    CallLine,
    Evidence,
    LedgerRow,
    MessageRow,
    ReceiptLine,
    Rows,
    SubmitLine,
    TryRow,
)
from tests.system.reconcile import reconcile

_KEY = "K000001"
_PHONE = "0901234567"
_QUERY = {
    "SMSID": "one",
    "SendStatus": "5",
    "SendSuccess": "1",
    "SendFailed": "0",
    "TotalPrice": "850.0000",
    "TotalReceiver": "1",
    "RequestId": _KEY,
}
_MESSAGE = MessageRow(1, 1, 1, "one", _KEY, _PHONE, 8_500_000, "http://127.0.0.1:1/ok", "delivered", 0, open=False)
_SUBMIT = SubmitLine(110, _KEY, _PHONE, 1, 1, refused=False, message_id="77")
_ATTEMPT = AttemptRow(1, 1, 1, "delivered", "77", 105, answered=True)
_CALL = CallLine(200, _KEY, 200, "one", _QUERY)
_LEDGER = [LedgerRow(1, 9, "top_up", 10_000_000), LedgerRow(1, 1, "hold", -8_500_000), LedgerRow(1, 1, "capture", 0)]
_ROWS = Rows([_MESSAGE], [_ATTEMPT], [CallbackRow(1, "done", 1)], [TryRow(1, 1, 200)], _LEDGER, {1: 1_500_000}, set())
_SOUND = Evidence(
    [AskLine(100, "ask", _KEY), AskLine(105, "answer", _KEY, 200, "100", "one")],
    [_SUBMIT],
    [ReceiptLine("77", "DELIVRD", acknowledged=False), ReceiptLine("77", "DELIVRD", acknowledged=True)],
    [_CALL],
    _ROWS,
    (),
    (),
    (),
    1,
)


def _rows(**changes: object) -> Evidence:
    return _SOUND._replace(rows=_ROWS._replace(**changes))  # type: ignore[arg-type]


def _message(**changes: object) -> Evidence:
    return _rows(messages=[_MESSAGE._replace(**changes)])  # type: ignore[arg-type]


def _in_doubt(evidence: Evidence) -> Evidence:
    """The answer was lost, the receipt is an orphan, and it was closed as unknown."""
    rows = evidence.rows._replace(
        messages=[_MESSAGE._replace(state="unknown")],
        attempts=[AttemptRow(1, 1, 1, "unknown", "", 105, answered=False)],
        orphans={"77"},
    )
    told = _CALL._replace(query={**_QUERY, "SendSuccess": "0", "SendFailed": "1"})
    return evidence._replace(rows=rows, calls=[told])


def test_sound_evidence_has_no_problems() -> None:
    """Nothing is found where nothing is wrong."""
    finding = reconcile(_SOUND, window=1)
    assert finding.problems == []
    assert finding.counts["messages delivered"] == 1


def test_a_part_in_doubt_needs_a_cut_and_counts_against_the_window() -> None:
    """In doubt after a kill is sound, in doubt without one is not, and more than a window of it is not."""
    assert reconcile(_in_doubt(_SOUND._replace(kills=(120,), cuts=(120,))), window=1).problems == []
    assert reconcile(_in_doubt(_SOUND), window=1).problems
    assert reconcile(_in_doubt(_SOUND._replace(kills=(120,), cuts=(120,))), window=0).problems


def test_a_submission_after_a_refusal_is_explained() -> None:
    """The carrier said that it had not taken the first one."""
    refused = SubmitLine(106, _KEY, _PHONE, 1, 1, refused=True, message_id="")
    attempts = [AttemptRow(1, 1, 1, "refused", "", 103, answered=True), _ATTEMPT._replace(number=2)]
    evidence = _rows(attempts=attempts)._replace(submits=[refused, _SUBMIT])
    assert reconcile(evidence, window=1).problems == []


def test_a_callback_repeated_over_a_kill_is_explained() -> None:
    """The receiver's 200 could not be recorded any more."""
    evidence = _SOUND._replace(calls=[_CALL, _CALL._replace(at_ms=300)], kills=(210,), restarts=(290,), cuts=(210,))
    assert reconcile(evidence, window=1).problems == []


WRONGS: dict[str, Callable[[], Evidence]] = {
    "accepted and not stored": lambda: _rows(messages=[], attempts=[], callbacks=[], tries=[]),
    "stored and never submitted": lambda: _SOUND._replace(submits=[]),
    "left open": lambda: _message(open=True),
    "submitted twice": lambda: _SOUND._replace(submits=[_SUBMIT, _SUBMIT._replace(at_ms=120, message_id="78")]),
    "submitted without an intent": lambda: _rows(attempts=[]),
    "another message's carrier id": lambda: _SOUND._replace(submits=[_SUBMIT._replace(key="K000002"), _SUBMIT]),
    "two messages for one RequestId": lambda: _rows(messages=[_MESSAGE, _MESSAGE._replace(id=2, smsid="two")]),
    "answered 100 twice": lambda: _SOUND._replace(asks=[*_SOUND.asks, _SOUND.asks[1]]),
    "124 at the first call": lambda: _SOUND._replace(asks=[AskLine(100, "answer", _KEY, 200, "124", "one")]),
    "told another SMSID": lambda: _SOUND._replace(asks=[AskLine(100, "answer", _KEY, 200, "100", "two")]),
    "nobody asked": lambda: _SOUND._replace(asks=[]),
    "receipt acknowledged and dropped": lambda: _SOUND._replace(
        receipts=[*_SOUND.receipts, ReceiptLine("99", "DELIVRD", acknowledged=True)]
    ),
    "delivered without a receipt": lambda: _SOUND._replace(receipts=[]),
    "another outcome than the receipt": lambda: _message(state="failed"),
    "no callback": lambda: _SOUND._replace(calls=[]),
    "callback not made": lambda: _rows(callbacks=[], tries=[]),
    "callback repeated": lambda: _SOUND._replace(calls=[_CALL, _CALL._replace(at_ms=300)]),
    "callback with another price": lambda: _SOUND._replace(
        calls=[_CALL._replace(query={**_QUERY, "TotalPrice": "0.0000"})]
    ),
    "balance": lambda: _rows(balances={1: 1_500_001}),
    "held twice": lambda: _rows(ledger=[*_LEDGER, LedgerRow(1, 1, "hold", -8_500_000)], balances={1: -7_000_000}),
    "not captured": lambda: _rows(ledger=_LEDGER[:2]),
    "money of nobody": lambda: _rows(ledger=[*_LEDGER, LedgerRow(1, 5, "hold", -1)], balances={1: 1_499_999}),
}


@pytest.mark.parametrize("wrong", WRONGS)
def test_a_wrong_is_found(wrong: str) -> None:
    """Each of them breaks a promise, so each of them is a problem."""
    assert reconcile(WRONGS[wrong](), window=1).problems
